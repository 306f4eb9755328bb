//! `ArchiveEntry`, a Java record.

use jni::{
    Env, jni_sig, jni_str,
    objects::{JObject, JValue},
    refs::IntoAuto,
    strings::JNIStr,
    sys::jlong,
};
use tomobasis_dicom::Unread;
use tomobasis_pipeline::input::archive::{Listed, Packing};

use crate::{
    arrays::{new_objects, new_string, optional_string},
    failure::Result,
};

pub(crate) const CLASS: &JNIStr = jni_str!("io/tomobasis/jni/ArchiveEntry");

/// A new `ArchiveEntry`.
pub(crate) fn object<'local>(env: &mut Env<'local>, entry: &Listed) -> Result<JObject<'local>> {
    let name = new_string(env, &entry.name)?.auto();
    let packing = packing(env, entry.packing)?.auto();
    let extent = jni_str!("io/tomobasis/jni/ArchiveEntry$Extent");
    let pieces = new_objects(env, extent, &entry.pieces, |env, &(offset, length)| {
        let arguments = [JValue::Long(offset as jlong), JValue::Long(length as jlong)];
        Ok(env.new_object(extent, jni_sig!("(JJ)V"), &arguments)?)
    })?
    .auto();
    let unread = optional_string(env, unread(entry.unread.as_ref())?.as_deref())?.auto();
    let arguments = [
        JValue::Object(&name),
        JValue::Long(or_minus_one(entry.known_length())),
        JValue::Object(&packing),
        JValue::Long(entry.start as jlong),
        JValue::Long(entry.size as jlong),
        JValue::Long(or_minus_one(entry.crc.map(u64::from))),
        JValue::Object(&pieces),
        JValue::Object(&unread),
    ];
    let signature = jni_sig!(
        "(Ljava/lang/String;JLio/tomobasis/jni/Packing;JJJ[Lio/tomobasis/jni/ArchiveEntry$Extent;Ljava/lang/String;)V"
    );
    Ok(env.new_object(CLASS, signature, &arguments)?)
}

/// Why something is not read, as `Inventory.addUnread` takes it.
pub(crate) fn unread(why: Option<&Unread>) -> Result<Option<String>> {
    Ok(why.map(serde_json::to_string).transpose()?)
}

pub(crate) fn or_minus_one(number: Option<u64>) -> jlong {
    number.map_or(-1, |number| number as jlong)
}

/// The constant of the Java enum.
fn packing<'local>(env: &mut Env<'local>, packing: Packing) -> Result<JObject<'local>> {
    let name = match packing {
        Packing::Tar => jni_str!("TAR"),
        Packing::ZipStored => jni_str!("ZIP_STORED"),
        Packing::ZipDeflated => jni_str!("ZIP_DEFLATED"),
        Packing::Gzip => jni_str!("GZIP"),
    };
    let signature = jni_sig!("Lio/tomobasis/jni/Packing;");
    Ok(env.get_static_field(jni_str!("io/tomobasis/jni/Packing"), name, signature)?.l()?)
}
