//! `Results`: what is in result folders.

use jni::{
    EnvUnowned, jni_mangle, jni_sig, jni_str,
    objects::{JByteArray, JClass, JObject, JObjectArray, JString, JValue},
    refs::IntoAuto,
    sys::jint,
};
use tomobasis_pipeline::{
    output::CONTENTS,
    result::{FoundResult, MANIFEST, SUCCESS, UNFINISHED_MARK},
};

use crate::{
    arrays::{byte_array, new_strings, strings},
    errors::folder_kind,
    failure::{Failure, native},
};

/// `FoundResult found0(byte[] manifest, String kind)`: null where it is not of that kind.
#[jni_mangle("io.tomobasis.jni.Results")]
pub fn found0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    manifest: JByteArray<'local>,
    kind: JString<'local>,
) -> JObject<'local> {
    native(env, |env| {
        let kind = folder_kind(env, &kind)?;
        let Some(found) = FoundResult::of_kind(kind, &byte_array(env, &manifest)?) else {
            return Ok(JObject::null());
        };
        let run_id = env.new_string(found.run_id.as_deref().unwrap_or_default())?.auto();
        let run_folder = env.new_string(found.run_folder.as_deref().unwrap_or_default())?.auto();
        let folders = new_strings(env, found.folders())?.auto();
        let arguments = [&*run_id, &*run_folder, &*folders, &*manifest]
            .map(|object: &JObject<'_>| JValue::Object(object));
        let signature = jni_sig!("(Ljava/lang/String;Ljava/lang/String;[Ljava/lang/String;[B)V");
        Ok(env.new_object(jni_str!("io/tomobasis/jni/FoundResult"), signature, &arguments)?)
    })
}

/// `int others0(byte[] manifest, String[] paths)`.
#[jni_mangle("io.tomobasis.jni.Results")]
pub fn others0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    manifest: JByteArray<'local>,
    paths: JObjectArray<'local, JString<'local>>,
) -> jint {
    native(env, |env| {
        let found = FoundResult::of_job(&byte_array(env, &manifest)?);
        let found = found.ok_or_else(|| Failure::Argument("this is no manifest of a result".to_owned()))?;
        let paths = strings(env, &paths)?;
        Ok(jint::try_from(found.others(paths.iter().map(String::as_str))).unwrap_or(jint::MAX))
    })
}

/// `ResultNames names()`.
#[jni_mangle("io.tomobasis.jni.Results")]
pub fn names<'local>(env: EnvUnowned<'local>, _: JClass<'local>) -> JObject<'local> {
    native(env, |env| {
        let [manifest, success, unfinished] = [MANIFEST, SUCCESS, UNFINISHED_MARK];
        let (manifest, success) = (env.new_string(manifest)?.auto(), env.new_string(success)?.auto());
        let unfinished = env.new_string(unfinished)?.auto();
        let contents = new_strings(env, CONTENTS)?.auto();
        let arguments = [&*manifest, &*success, &*unfinished, &*contents]
            .map(|object: &JObject<'_>| JValue::Object(object));
        let signature =
            jni_sig!("(Ljava/lang/String;Ljava/lang/String;Ljava/lang/String;[Ljava/lang/String;)V");
        Ok(env.new_object(jni_str!("io/tomobasis/jni/ResultNames"), signature, &arguments)?)
    })
}
