//! `LocalFiles`: the local file system, whatever its files are called.

use std::{
    ffi::OsString,
    fs::File,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
};

use jni::{
    Env, EnvUnowned, jni_mangle, jni_sig, jni_str,
    objects::{JByteArray, JClass, JObject, JString, JValue},
    refs::IntoAuto,
    strings::JNIStr,
    sys::{jboolean, jint, jlong},
};
use tomobasis_dicom::printable;
use tomobasis_pipeline::input::listing::{self, InputFile};

use crate::{
    archive_entry::{self, or_minus_one},
    arrays::{new_objects, new_string, optional_string, size, string},
    failure::{Failure, Result, native},
};

/// `LocalFile[] list0(String path, boolean archives)`: what is under a path.
#[jni_mangle("io.tomobasis.jni.LocalFiles")]
pub fn list0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    path: JString<'local>,
    archives: jboolean,
) -> JObject<'local> {
    native(env, |env| {
        let root = PathBuf::from(string(env, &path)?);
        let files = if archives { listing::list_path(&root) } else { listing::list_plain_path(&root) }?;
        new_objects(env, LOCAL_FILE, &files, local_file)
    })
}

/// `byte[] read0(String path, long start, int count)`: fewer bytes where the file ends.
#[jni_mangle("io.tomobasis.jni.LocalFiles")]
pub fn read0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    path: JString<'local>,
    start: jlong,
    count: jint,
) -> JByteArray<'local> {
    native(env, |env| {
        let path = decoded(&string(env, &path)?);
        let (start, count) = (start.cast_unsigned(), size::<u64>(count, "count")?);
        let bytes = File::open(path).and_then(|file| listing::read_at(&file, start, start + count));
        Ok(env.byte_array_from_slice(&bytes.map_err(Failure::local_file)?)?)
    })
}

/// `String printable(String text)`: a text from outside, fit for a terminal.
#[jni_mangle("io.tomobasis.jni.LocalFiles")]
pub fn printable0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    text: JString<'local>,
) -> JObject<'local> {
    native(env, |env| {
        let shown = printable(&string(env, &text)?);
        new_string(env, &shown)
    })
}

const LOCAL_FILE: &JNIStr = jni_str!("io/tomobasis/jni/LocalFile");

/// A new `LocalFile`.
fn local_file<'local>(env: &mut Env<'local>, file: &InputFile) -> Result<JObject<'local>> {
    let path = new_string(env, &encoded(&file.path))?.auto();
    let name = new_string(env, &file.name)?.auto();
    let entry = match &file.entry {
        Some(entry) => archive_entry::object(env, entry)?,
        None => JObject::null(),
    }
    .auto();
    let unread = archive_entry::unread(file.unread.as_ref())?;
    let unread = optional_string(env, unread.as_deref())?.auto();
    let arguments = [
        JValue::Object(&path),
        JValue::Object(&name),
        JValue::Long(or_minus_one(file.length)),
        JValue::Object(&entry),
        JValue::Object(&unread),
    ];
    let signature =
        jni_sig!("(Ljava/lang/String;Ljava/lang/String;JLio/tomobasis/jni/ArchiveEntry;Ljava/lang/String;)V");
    Ok(env.new_object(LOCAL_FILE, signature, &arguments)?)
}

/// A path in ASCII: bytes that are no plain characters of a path as `%E9`.
fn encoded(path: &Path) -> String {
    let mut text = String::new();
    for &byte in path.as_os_str().as_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'~' => text.push(byte.into()),
            _ if byte.is_ascii_alphanumeric() => text.push(byte.into()),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

/// The path that was [`encoded`].
fn decoded(text: &str) -> PathBuf {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((&byte, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match hex.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| byte == b'%') {
            Some(decoded) => {
                bytes.push(decoded);
                rest = &after[2..];
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    OsString::from_vec(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_path_crosses_the_border_as_ascii() {
        let all: Vec<u8> = (1..=255).collect();
        let path = PathBuf::from(OsString::from_vec([b"/a b/%41/".as_slice(), &all].concat()));
        assert!(encoded(&path).is_ascii());
        assert_eq!(decoded(&encoded(&path)), path);
    }
}
