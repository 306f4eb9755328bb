//! `SliceDigest`, a Java record of `byte[] digest` and `String error`.

use jni::{
    Env, jni_sig, jni_str,
    objects::{JByteArray, JObject, JObjectArray, JString, JValue},
    refs::IntoAuto,
    strings::JNIStr,
};

use crate::{
    arrays::{byte_array, new_string, string},
    failure::{Failure, Result},
};

pub(crate) const CLASS: &JNIStr = jni_str!("io/tomobasis/jni/SliceDigest");

/// What decoding a slice gave: the digest of its entries, or what is wrong with it.
pub(crate) type Decoded = std::result::Result<[u8; 32], String>;

/// A `SliceDigest[]` as Rust values.
pub(crate) fn from_java(env: &mut Env<'_>, slices: &JObjectArray<'_, JObject<'_>>) -> Result<Vec<Decoded>> {
    let mut all = Vec::with_capacity(slices.len(env)?);
    for i in 0..slices.len(env)? {
        let slice = slices.get_element(env, i)?.auto();
        let digest = env.call_method(&*slice, jni_str!("digest"), jni_sig!("()[B"), &[])?.l()?.auto();
        let error =
            env.call_method(&*slice, jni_str!("error"), jni_sig!("()Ljava/lang/String;"), &[])?.l()?.auto();
        let error = env.as_cast::<JString<'_>>(&*error)?;
        let error = string(env, &error)?;
        if !error.is_empty() {
            all.push(Err(error));
            continue;
        }
        let digest = env.as_cast::<JByteArray<'_>>(&*digest)?;
        let digest = byte_array(env, &digest)?.try_into();
        all.push(Ok(digest.map_err(|_| Failure::Argument("a digest has 32 bytes".to_owned()))?));
    }
    Ok(all)
}

/// A new `SliceDigest`.
pub(crate) fn to_java<'local>(env: &mut Env<'local>, decoded: &Decoded) -> Result<JObject<'local>> {
    let (digest, error) = match decoded {
        Ok(digest) => (digest.as_slice(), ""),
        Err(error) => (&[0; 32][..], error.as_str()),
    };
    let (digest, error) = (env.byte_array_from_slice(digest)?.auto(), new_string(env, error)?.auto());
    let arguments = [JValue::Object(&digest), JValue::Object(&error)];
    Ok(env.new_object(CLASS, jni_sig!("([BLjava/lang/String;)V"), &arguments)?)
}
