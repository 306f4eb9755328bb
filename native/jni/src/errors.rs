//! `Errors` and `Fault`: errors that the caller finds, in the words of `tomobasis-pipeline`.

use jni::{
    Env, EnvUnowned, jni_mangle,
    objects::{JClass, JObject, JString},
    sys::jint,
};
use serde::de::{DeserializeOwned, IntoDeserializer, value};
use tomobasis_pipeline::{Error, FolderKind, hadoop};

use crate::{
    arrays::{new_string, size, string},
    failure::{Failure, Result, native},
};

/// A kind of folder, by the name of the Java enum's constant.
pub(crate) fn folder_kind(env: &Env<'_>, name: &JString<'_>) -> Result<FolderKind> {
    match string(env, name)?.as_str() {
        "RESULT" => Ok(FolderKind::Result),
        "DENOISED" => Ok(FolderKind::Denoised),
        other => Err(Failure::Argument(format!("there is no kind of folder {other}"))),
    }
}

/// `void refuse0(String refusal, String kind)`: throws.
#[jni_mangle("io.tomobasis.jni.Errors")]
pub fn refuse0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    refusal: JString<'local>,
    kind: JString<'local>,
) {
    native(env, |env| {
        let (refusal, kind) = (string(env, &refusal)?, folder_kind(env, &kind)?);
        Err(Failure::Ours(match refusal.as_str() {
            "INPUT_ABSENT" => Error::InputAbsent,
            "OUTPUT_EXISTS" => Error::OutputExists,
            "OUTPUT_FOREIGN" => Error::OutputForeign(kind),
            "OUTPUT_UNFINISHED" => Error::OutputUnfinished,
            "OUTPUT_OVERTAKEN" => Error::OutputOvertaken,
            "OUTPUT_SUPERSEDED" => Error::OutputSuperseded,
            "OUTPUT_NO_ARCHIVE" => Error::OutputNoArchive,
            _ => return Err(Failure::Argument(format!("there is no refusal {refusal}"))),
        }))
    })
}

/// `void refuseOthers0(String kind, int others)`: throws.
#[jni_mangle("io.tomobasis.jni.Errors")]
pub fn refuse_others0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    kind: JString<'local>,
    others: jint,
) {
    native(env, |env| {
        let (kind, others) = (folder_kind(env, &kind)?, size(others, "others")?);
        Err(Error::OutputHoldsOthers { kind, others }.into())
    })
}

/// `void fail0(String operation, String subject, String fault, String other)`: throws.
#[jni_mangle("io.tomobasis.jni.Errors")]
pub fn fail0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    operation: JString<'local>,
    subject: JString<'local>,
    fault: JString<'local>,
    other: JString<'local>,
) {
    native(env, |env| {
        let (operation, fault) = (constant(env, &operation)?, constant(env, &fault)?);
        let (subject, other) = (string(env, &subject)?, string(env, &other)?);
        Err(Error::Hadoop(hadoop::Failure { operation, subject, fault, other }).into())
    })
}

/// `String words0(String fault, String other)`.
#[jni_mangle("io.tomobasis.jni.Fault")]
pub fn words0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    fault: JString<'local>,
    other: JString<'local>,
) -> JObject<'local> {
    native(env, |env| {
        let (fault, other): (hadoop::Fault, _) = (constant(env, &fault)?, string(env, &other)?);
        new_string(env, fault.words(&other))
    })
}

/// A constant of a Java enum, by its name.
pub(crate) fn constant<T: DeserializeOwned>(env: &Env<'_>, name: &JString<'_>) -> Result<T> {
    let name = string(env, name)?;
    let constant = T::deserialize(IntoDeserializer::<value::Error>::into_deserializer(name.as_str()));
    constant.map_err(|error| Failure::Argument(error.to_string()))
}
