//! `AllSeries`: the index of an archive of results, and what a run says of it.

use jni::{
    Env, EnvUnowned, jni_mangle,
    objects::{JByteArray, JClass, JObject, JObjectArray, JString},
    sys::{jboolean, jint, jlong},
};
use tomobasis_pipeline::{
    commands::all_series,
    memory::{self, Reservation},
    options::Options,
    output::tables::{SeriesRow, read_series_index, series_index},
    solve::digest::Digest,
};

use crate::{
    arrays::{byte_array, json, new_string, size, string, strings},
    decomposition::records,
    errors::folder_kind,
    failure::{Failure, Result, native},
};

/// The digest of 64 hexadecimal digits.
fn digest(env: &Env<'_>, text: &JString<'_>) -> Result<Digest> {
    let text = string(env, text)?;
    Digest::try_from(text).map_err(|problem| Failure::Argument(problem.to_string()))
}

/// `byte[] index0(String rowsJson)`.
#[jni_mangle("io.tomobasis.jni.AllSeries")]
pub fn index0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    rows_json: JString<'local>,
) -> JByteArray<'local> {
    native(env, |env| {
        let rows: Vec<SeriesRow> = json(env, &rows_json)?;
        Ok(env.byte_array_from_slice(&series_index(&rows)?)?)
    })
}

/// `String rows0(byte[] index)`: the rows as JSON.
#[jni_mangle("io.tomobasis.jni.AllSeries")]
pub fn rows0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    index: JByteArray<'local>,
) -> JObject<'local> {
    native(env, |env| {
        let rows = read_series_index(byte_array(env, &index)?)?;
        new_string(env, &serde_json::to_string(&rows)?)
    })
}

/// `String takeOver0(String rowsJson, byte[] index, String[] names, String options)`: the rows as JSON.
#[jni_mangle("io.tomobasis.jni.AllSeries")]
pub fn take_over0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    rows_json: JString<'local>,
    index: JByteArray<'local>,
    names: JObjectArray<'local, JString<'local>>,
    options: JString<'local>,
) -> JObject<'local> {
    native(env, |env| {
        let mut rows: Vec<SeriesRow> = json(env, &rows_json)?;
        let (index, names) = (byte_array(env, &index)?, strings(env, &names)?);
        all_series::take_over(&mut rows, Some(index), &names, digest(env, &options)?);
        new_string(env, &serde_json::to_string(&rows)?)
    })
}

/// `String status0(byte[] index)`.
#[jni_mangle("io.tomobasis.jni.AllSeries")]
pub fn status0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    index: JByteArray<'local>,
) -> JObject<'local> {
    native(env, |env| {
        let text = all_series::status_text(byte_array(env, &index)?)?;
        new_string(env, &text)
    })
}

/// `String closing0(String rowsJson, String[] ofNoSeries, String[] names, String output)`.
#[jni_mangle("io.tomobasis.jni.AllSeries")]
pub fn closing0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    rows_json: JString<'local>,
    of_no_series: JObjectArray<'local, JString<'local>>,
    names: JObjectArray<'local, JString<'local>>,
    output: JString<'local>,
) -> JObject<'local> {
    native(env, |env| {
        let rows: Vec<SeriesRow> = json(env, &rows_json)?;
        let (of_no_series, names) = (strings(env, &of_no_series)?, strings(env, &names)?);
        let output = string(env, &output)?;
        new_string(env, &all_series::closing_text(&rows, &of_no_series, &names, &output))
    })
}

/// `boolean isArchive0(String[] names, byte[] index)`; `index` may be null.
#[jni_mangle("io.tomobasis.jni.AllSeries")]
pub fn is_archive0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    names: JObjectArray<'local, JString<'local>>,
    index: JByteArray<'local>,
) -> jboolean {
    native(env, |env| {
        let index = if index.is_null() { None } else { Some(byte_array(env, &index)?) };
        Ok(all_series::is_archive(&strings(env, &names)?, index))
    })
}

/// `void checkKind0(byte[] manifest, String kind)`: throws where the archive of this result is of another kind.
#[jni_mangle("io.tomobasis.jni.AllSeries")]
pub fn check_kind0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    manifest: JByteArray<'local>,
    kind: JString<'local>,
) {
    native(env, |env| Ok(all_series::check_kind(&byte_array(env, &manifest)?, folder_kind(env, &kind)?)?))
}

/// `void check0(String rowsJson, boolean failFast)`: throws where series failed or were not looked at.
#[jni_mangle("io.tomobasis.jni.AllSeries")]
pub fn check0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    rows_json: JString<'local>,
    fail_fast: jboolean,
) {
    native(env, |env| {
        let rows: Vec<SeriesRow> = json(env, &rows_json)?;
        match all_series::failed_fast(&rows).filter(|_| fail_fast) {
            Some(error) => Err(error.into()),
            None => Ok(all_series::check(&rows)?),
        }
    })
}

/// `String optionsDigest0(String optionsJson)`.
#[jni_mangle("io.tomobasis.jni.AllSeries")]
pub fn options_digest0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    options_json: JString<'local>,
) -> JObject<'local> {
    native(env, |env| {
        let options: Options = json(env, &options_json)?;
        new_string(env, &all_series::options_digest(&options)?.to_string())
    })
}

/// `String fingerprint0(String planJson, byte[] sliceRecords)`.
#[jni_mangle("io.tomobasis.jni.AllSeries")]
pub fn fingerprint0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    plan_json: JString<'local>,
    slice_records: JByteArray<'local>,
) -> JObject<'local> {
    native(env, |env| {
        let plan = json(env, &plan_json)?;
        let fingerprint = all_series::fingerprint(&plan, &records(env, &slice_records)?)?;
        new_string(env, &fingerprint.to_string())
    })
}

/// `String section0(String fingerprint, String options, int leftOut, double seconds)`: what the manifest says of what a result was
/// made of, as a JSON object.
#[jni_mangle("io.tomobasis.jni.AllSeries")]
pub fn section0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    fingerprint: JString<'local>,
    options: JString<'local>,
    left_out: jint,
    seconds: f64,
) -> JObject<'local> {
    native(env, |env| {
        let (fingerprint, options) = (digest(env, &fingerprint)?, digest(env, &options)?);
        let section = all_series::section(fingerprint, options, size(left_out, "leftOut")?, seconds);
        new_string(env, &serde_json::Value::Object([section].into_iter().collect()).to_string())
    })
}

/// `String kept0(byte[] manifest, String fingerprint, String options)`: null where the result is to be made again.
#[jni_mangle("io.tomobasis.jni.AllSeries")]
pub fn kept0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    manifest: JByteArray<'local>,
    fingerprint: JString<'local>,
    options: JString<'local>,
) -> JObject<'local> {
    native(env, |env| {
        let (fingerprint, options) = (digest(env, &fingerprint)?, digest(env, &options)?);
        match all_series::kept(&byte_array(env, &manifest)?, fingerprint, options) {
            Some(kept) => new_string(env, &serde_json::to_string(&kept)?),
            None => Ok(JObject::null()),
        }
    })
}

/// `long memory0(String planJson, String optionsJson, int threads)`.
#[jni_mangle("io.tomobasis.jni.AllSeries")]
pub fn memory0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    plan_json: JString<'local>,
    options_json: JString<'local>,
    threads: jint,
) -> jlong {
    native(env, |env| {
        let (plan, options) = (json(env, &plan_json)?, json(env, &options_json)?);
        let bytes = all_series::memory(&plan, &options, size(threads, "threads")?);
        Ok(jlong::try_from(bytes).unwrap_or(jlong::MAX))
    })
}

/// `int reserve0(long bytes, long limit)`: 1 granted, 0 later, -1 never.
#[jni_mangle("io.tomobasis.jni.AllSeries")]
pub fn reserve0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, bytes: jlong, limit: jlong) -> jint {
    native(env, |_| {
        Ok(match memory::reserve(bytes.cast_unsigned(), limit.cast_unsigned()) {
            Reservation::Granted => 1,
            Reservation::Later => 0,
            Reservation::Never => -1,
        })
    })
}

/// `void release0(long bytes)`.
#[jni_mangle("io.tomobasis.jni.AllSeries")]
pub fn release0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, bytes: jlong) {
    native(env, |_| {
        memory::release(bytes.cast_unsigned());
        Ok(())
    })
}
