//! `DerivedSlices`: bands of composites to derived DICOM files.

use jni::{
    Env, EnvUnowned, jni_mangle, jni_sig, jni_str,
    objects::{JByteArray, JClass, JObject, JString, JValue},
    refs::IntoAuto,
    sys::{jint, jlong},
};
use tomobasis_pipeline::{
    blocks::BlockRenderer,
    output::dicom::{Band, DerivedFile, DerivedRecord, DerivedSlices},
};

use crate::{
    arrays::{byte_array, size, string},
    failure::{Result, native, room},
    handle,
};

const FILE: &jni::strings::JNIStr = jni_str!("io/tomobasis/jni/DerivedFile");

/// `long create(long rendererHandle, int first, int count)`; the object may outlive the renderer.
#[jni_mangle("io.tomobasis.jni.DerivedSlices")]
pub fn create<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    renderer: jlong,
    first: jint,
    count: jint,
) -> jlong {
    make(env, |_| {
        // SAFETY: a live handle of BlockRenderer, which the Java side keeps open during this call.
        let renderer = unsafe { handle::get::<BlockRenderer>(renderer) }?;
        let (first, count): (usize, usize) = (size(first, "first")?, size(count, "count")?);
        Ok(DerivedSlices::new(renderer.composites(), first..first + count)?)
    })
}

handle::native_object!("io.tomobasis.jni.DerivedSlices", DerivedSlices);

/// `void add0(long handle, byte[] band)`.
#[jni_mangle("io.tomobasis.jni.DerivedSlices")]
pub fn add0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong, band: JByteArray<'local>) {
    native(env, |env| {
        // SAFETY: a live handle of this class; the Java side synchronizes.
        let slices = unsafe { handle::get_mut::<DerivedSlices>(handle) }?;
        let band = byte_array(env, &band)?;
        room(band.len())?;
        Ok(slices.add(Band::from_bytes(&band)?)?)
    })
}

/// `DerivedFile[] write0(long handle, int slice, String name, byte[] source)`: one for each composite, of the file that the slice
/// is in.
#[jni_mangle("io.tomobasis.jni.DerivedSlices")]
pub fn write0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    slice: jint,
    name: JString<'local>,
    source: JByteArray<'local>,
) -> JObject<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let slices = unsafe { handle::get::<DerivedSlices>(handle) }?;
        let slice = size(slice, "slice")?;
        let source = byte_array(env, &source)?;
        // What is read of it, changed and written; `docs/derived.md`.
        room(source.len().saturating_mul(3))?;
        let name = string(env, &name)?;
        let files = slices
            .write(slice, &source)
            .inspect_err(|_| log::debug!("slice {slice}: the file at fault is {name}"))?;
        to_java(env, &files)
    })
}

/// A new `DerivedFile[]`.
pub(crate) fn to_java<'local>(env: &mut Env<'local>, files: &[DerivedFile]) -> Result<JObject<'local>> {
    let array = env.new_object_array(files.len() as i32, FILE, JObject::null())?;
    for (i, made) in files.iter().enumerate() {
        let path = env.new_string(&made.file.path)?.auto();
        let bytes = env.byte_array_from_slice(&made.file.bytes)?.auto();
        let records: Vec<u8> = made.records.iter().flat_map(DerivedRecord::to_bytes).collect();
        let records = env.byte_array_from_slice(&records)?.auto();
        let arguments = [JValue::Object(&path), JValue::Object(&bytes), JValue::Object(&records)];
        let object = env.new_object(FILE, jni_sig!("(Ljava/lang/String;[B[B)V"), &arguments)?.auto();
        array.set_element(env, i, &*object)?;
    }
    Ok(array.into())
}
