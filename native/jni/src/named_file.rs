//! `NamedFile`, a Java record of `String path` and `byte[] bytes`.

use jni::{
    Env, jni_sig, jni_str,
    objects::{JByteArray, JObject, JObjectArray, JString, JValue},
    refs::IntoAuto,
};
use tomobasis_pipeline::output::NamedFile;

use crate::{
    arrays::{byte_array, new_byte_array, string},
    failure::Result,
};

const CLASS: &jni::strings::JNIStr = jni_str!("io/tomobasis/jni/NamedFile");

/// A `NamedFile[]` as Rust values.
pub(crate) fn from_java(env: &mut Env<'_>, files: &JObjectArray<'_, JObject<'_>>) -> Result<Vec<NamedFile>> {
    let mut all = Vec::with_capacity(files.len(env)?);
    for i in 0..files.len(env)? {
        let file = files.get_element(env, i)?.auto();
        let path =
            env.call_method(&*file, jni_str!("path"), jni_sig!("()Ljava/lang/String;"), &[])?.l()?.auto();
        let bytes = env.call_method(&*file, jni_str!("bytes"), jni_sig!("()[B"), &[])?.l()?.auto();
        let path = env.as_cast::<JString<'_>>(&*path)?;
        let bytes = env.as_cast::<JByteArray<'_>>(&*bytes)?;
        all.push(NamedFile { path: string(env, &path)?, bytes: byte_array(env, &bytes)? });
    }
    Ok(all)
}

/// A new `NamedFile[]`.
pub(crate) fn to_java<'local>(env: &mut Env<'local>, files: &[NamedFile]) -> Result<JObject<'local>> {
    let pieces: Vec<[&[u8]; 1]> = files.iter().map(|file| [file.bytes.as_slice()]).collect();
    let files = files.iter().zip(&pieces).map(|(file, pieces)| (file.path.clone(), pieces.as_slice()));
    array(env, files.collect())
}

/// A new `NamedFile[]` of paths and contents in pieces.
pub(crate) fn array<'local>(
    env: &mut Env<'local>,
    files: Vec<(String, &[&[u8]])>,
) -> Result<JObject<'local>> {
    let array = env.new_object_array(files.len() as i32, CLASS, JObject::null())?;
    for (i, (path, pieces)) in files.into_iter().enumerate() {
        let object = object(env, &path, pieces)?.auto();
        array.set_element(env, i, &*object)?;
    }
    Ok(array.into())
}

/// A new `NamedFile`, whose bytes are those of the pieces, one after another.
fn object<'local>(env: &mut Env<'local>, path: &str, pieces: &[&[u8]]) -> Result<JObject<'local>> {
    let path = env.new_string(path)?.auto();
    let bytes = new_byte_array(env, pieces)?.auto();
    let arguments = [JValue::Object(&path), JValue::Object(&bytes)];
    Ok(env.new_object(CLASS, jni_sig!("(Ljava/lang/String;[B)V"), &arguments)?)
}
