//! `Inventory`: headers of all files, then one series.

use jni::{
    Env, EnvUnowned, jni_mangle,
    objects::{JByteArray, JClass, JIntArray, JObject, JObjectArray, JString},
    sys::{jboolean, jint, jlong},
};
use tomobasis_dicom::SeriesPlan;
use tomobasis_pipeline::{input::inventory, options::Options};

use crate::{
    archive::JavaFile,
    arrays::{byte_array, ints, new_string, size, string, strings},
    failure::{Failure, Result, native},
    handle,
};

/// Bytes of a header that are asked for at a time at most.
const LARGEST_PART: usize = 16 << 20;

struct Inventory {
    options: Options,
    files: tomobasis_dicom::Inventory,
}

/// `long create(String optionsJson)`.
#[jni_mangle("io.tomobasis.jni.Inventory")]
pub fn create<'local>(env: EnvUnowned<'local>, _: JClass<'local>, options_json: JString<'local>) -> jlong {
    native(env, |env| {
        let options = serde_json::from_str(&string(env, &options_json)?)?;
        Ok(handle::create(Inventory { options, files: tomobasis_dicom::Inventory::new() }))
    })
}

handle::native_free!("io.tomobasis.jni.Inventory", Inventory);

/// `long add0(long handle, int file, String name, long length, byte[] head)`.
#[jni_mangle("io.tomobasis.jni.Inventory")]
pub fn add0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    file: jint,
    name: JString<'local>,
    length: jlong,
    head: JByteArray<'local>,
) -> jlong {
    native(env, |env| {
        // SAFETY: a live handle of this class; the Java side synchronises.
        let inventory = unsafe { handle::get_mut::<Inventory>(handle) }?;
        let head = byte_array(env, &head)?;
        let length = u64::try_from(length).unwrap_or_default();
        let needed = inventory.files.add(size(file, "file")?, &string(env, &name)?, length, &head)?;
        Ok(if needed <= head.len() as u64 { 0 } else { needed as jlong })
    })
}

/// `void read0(long handle, int file, String name, long length, byte[] head, Archive.Source more)`.
#[allow(clippy::too_many_arguments, reason = "a file, as Java has it")]
#[jni_mangle("io.tomobasis.jni.Inventory")]
pub fn read0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    file: jint,
    name: JString<'local>,
    length: jlong,
    head: JByteArray<'local>,
    more: JObject<'local>,
) {
    native(env, |env| {
        // SAFETY: a live handle of this class; the Java side synchronises.
        let inventory = unsafe { handle::get_mut::<Inventory>(handle) }?;
        let (file, name) = (size(file, "file")?, string(env, &name)?);
        let head = byte_array(env, &head)?;
        let length = length.cast_unsigned();
        inventory.files.read(file, &name, length, head, |part| {
            // As few calls as can be: for a file in an archive each may cost all that is before.
            let count = usize::try_from(part.end - part.start).unwrap_or(usize::MAX).min(LARGEST_PART);
            let mut rest = JavaFile::new(env, &more, length, count)?;
            // The exception of `more` is pending, and is what the caller gets.
            rest.read_part(part).map_err(|error| Failure::Argument(error.to_string()))
        })
    })
}

/// `void addUnread0(long handle, int file, String name, long length, String why)`; a negative length is none.
#[jni_mangle("io.tomobasis.jni.Inventory")]
pub fn add_unread0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    file: jint,
    name: JString<'local>,
    length: jlong,
    why: JString<'local>,
) {
    native(env, |env| {
        // SAFETY: a live handle of this class; the Java side synchronises.
        let inventory = unsafe { handle::get_mut::<Inventory>(handle) }?;
        let why = serde_json::from_str(&string(env, &why)?)?;
        let (file, name) = (size(file, "file")?, string(env, &name)?);
        inventory.files.add_unread(file, &name, u64::try_from(length).ok(), why);
        Ok(())
    })
}

/// `String select0(long handle)`: the plan as JSON, with one line for people under `description`.
#[jni_mangle("io.tomobasis.jni.Inventory")]
pub fn select0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) -> JObject<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class; the Java side synchronises.
        let inventory = unsafe { handle::get_mut::<Inventory>(handle) }?;
        let plan = inventory::select(&mut inventory.files, &inventory.options)?;
        described(env, &plan)
    })
}

/// `String repeats0(long handle)`: plans of slices whose pixels are to be known, as a JSON array.
#[jni_mangle("io.tomobasis.jni.Inventory")]
pub fn repeats0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) -> JObject<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class; the Java side synchronises.
        let inventory = unsafe { handle::get_mut::<Inventory>(handle) }?;
        let plans = inventory.files.repeats();
        let plans: Vec<_> = plans.iter().filter(|plan| inventory::is_readable(plan)).map(unsaid).collect();
        new_string(env, &serde_json::to_string(&plans.into_iter().collect::<Result<Vec<_>>>()?)?)
    })
}

/// `void know0(long handle, String planJson, byte[] digests, String[] errors)`.
#[jni_mangle("io.tomobasis.jni.Inventory")]
pub fn know0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    plan_json: JString<'local>,
    digests: JByteArray<'local>,
    errors: JObjectArray<'local, JString<'local>>,
) {
    native(env, |env| {
        // SAFETY: a live handle of this class; the Java side synchronises.
        let inventory = unsafe { handle::get_mut::<Inventory>(handle) }?;
        let plan: SeriesPlan = serde_json::from_str(&string(env, &plan_json)?)?;
        let (digests, errors) = (env.convert_byte_array(&digests)?, strings(env, &errors)?);
        let (digests, _) = digests.as_chunks::<32>();
        let known = digests.iter().zip(errors).map(|(digest, error)| error.is_empty().then_some(*digest));
        inventory.files.know(&plan, &known.collect::<Vec<_>>());
        Ok(())
    })
}

/// `String without0(String planJson, int[] slices, String[] reasons)`: the plan of the other slices.
#[jni_mangle("io.tomobasis.jni.Inventory")]
pub fn without0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    plan_json: JString<'local>,
    slices: JIntArray<'local>,
    reasons: JObjectArray<'local, JString<'local>>,
) -> JObject<'local> {
    native(env, |env| {
        let plan: SeriesPlan = serde_json::from_str(&string(env, &plan_json)?)?;
        let slices: Vec<usize> =
            ints(env, &slices)?.into_iter().map(|slice| size(slice, "slice")).collect::<Result<_>>()?;
        let bad: Vec<_> = slices.into_iter().zip(strings(env, &reasons)?).collect();
        described(env, &plan.without(&bad)?)
    })
}

/// `String compared0(String planJson, byte[] digests, String[] errors, boolean skip)`: the plan once its copies are compared, by the
/// digests of the comparison's slices, or the errors of those that have any.
#[jni_mangle("io.tomobasis.jni.Inventory")]
pub fn compared0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    plan_json: JString<'local>,
    digests: JByteArray<'local>,
    errors: JObjectArray<'local, JString<'local>>,
    skip: jboolean,
) -> JObject<'local> {
    native(env, |env| {
        let plan: SeriesPlan = serde_json::from_str(&string(env, &plan_json)?)?;
        let Some(comparison) = plan.comparison() else { return described(env, &plan) };
        let (digests, errors) = (env.convert_byte_array(&digests)?, strings(env, &errors)?);
        let (digests, _) = digests.as_chunks::<32>();
        let decoded = digests.iter().zip(errors);
        let decoded = decoded.map(|(digest, error)| if error.is_empty() { Ok(digest) } else { Err(error) });
        let judged = comparison.judge(decoded.collect(), |error| error.to_string());
        match judged.unequal.first() {
            Some((_, error)) if !skip => Err(Failure::BadInput(error.clone())),
            _ => described(env, &plan.compared(&judged)?),
        }
    })
}

/// A plan as JSON, with one line for people under `description`. Where copies are to be compared, `comparison` is the plan to decode
/// for it: each slice, and its copy after it.
fn described<'local>(env: &mut Env<'local>, plan: &SeriesPlan) -> Result<JObject<'local>> {
    let mut json = serde_json::to_value(plan)?;
    json["description"] = tomobasis_pipeline::input::describe_series(plan).into();
    if let Some(comparison) = plan.comparison() {
        json["comparison"] = unsaid(&comparison.plan)?;
    }
    new_string(env, &json.to_string())
}

/// A plan of which nobody is told.
fn unsaid(plan: &SeriesPlan) -> Result<serde_json::Value> {
    let mut json = serde_json::to_value(plan)?;
    json["description"] = "".into();
    Ok(json)
}

/// `String fileLabel(int file, int count, String name)`: how messages name a file.
#[jni_mangle("io.tomobasis.jni.Inventory")]
pub fn file_label<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    file: jint,
    count: jint,
    name: JString<'local>,
) -> JObject<'local> {
    native(env, |env| {
        let (file, count) = (size(file, "file")?, size(count, "count")?);
        let label = tomobasis_dicom::file_label(file, count, &string(env, &name)?);
        new_string(env, &label)
    })
}
