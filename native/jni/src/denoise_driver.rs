//! `DenoiseDriver`: the driver's part of denoising, and the small files of its result.

use jni::{
    Env, EnvUnowned, jni_mangle, jni_sig, jni_str,
    objects::{
        JByteArray, JClass, JDoubleArray, JIntArray, JObject, JObjectArray, JShortArray, JString, JValue,
    },
    refs::IntoAuto,
    sys::{jint, jlong},
};
use tomobasis_pipeline::{commands::denoise::DenoiseDriver, output::dicom::DerivedRecord};

use crate::{
    arrays::{byte_arrays, doubles, json, new_ints, new_string, new_strings, shorts, size},
    decomposition::records,
    failure::{Failure, Result, native},
    handle, named_file,
};

/// `long create(String planJson, String optionsJson)`.
#[jni_mangle("io.tomobasis.jni.DenoiseDriver")]
pub fn create<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    plan_json: JString<'local>,
    options_json: JString<'local>,
) -> jlong {
    make(env, |env| Ok(DenoiseDriver::new(json(env, &plan_json)?, json(env, &options_json)?)?))
}

handle::native_object!("io.tomobasis.jni.DenoiseDriver", DenoiseDriver);

/// `int passes()`.
#[jni_mangle("io.tomobasis.jni.DenoiseDriver")]
pub fn passes<'local>(env: EnvUnowned<'local>, _: JClass<'local>) -> jint {
    native(env, |_| int(DenoiseDriver::PASSES))
}

/// `int[] held0(long handle, int first, int count)`: first row, and how many.
#[jni_mangle("io.tomobasis.jni.DenoiseDriver")]
pub fn held0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    first: jint,
    count: jint,
) -> JIntArray<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let driver = unsafe { handle::get::<DenoiseDriver>(handle) }?;
        let (first, count): (usize, usize) = (size(first, "first")?, size(count, "count")?);
        let held = driver.held(&(first..first + count));
        new_ints(env, &[int(held.start)?, int(held.len())?])
    })
}

/// `byte[] step0(long handle)`.
#[jni_mangle("io.tomobasis.jni.DenoiseDriver")]
pub fn step0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) -> JByteArray<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let driver = unsafe { handle::get::<DenoiseDriver>(handle) }?;
        Ok(env.byte_array_from_slice(&driver.step()?)?)
    })
}

/// `void add0(long handle, byte[][] found, byte[] sliceRecords)`.
#[jni_mangle("io.tomobasis.jni.DenoiseDriver")]
pub fn add0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    found: JObjectArray<'local, JByteArray<'local>>,
    slice_records: JByteArray<'local>,
) {
    native(env, |env| {
        // SAFETY: a live handle of this class; the Java side synchronizes.
        let driver = unsafe { handle::get_mut::<DenoiseDriver>(handle) }?;
        Ok(driver.add(&byte_arrays(env, &found)?, &records(env, &slice_records)?)?)
    })
}

/// `String[] notes0(long handle)`: what decoding found that is to be told, in sentences.
#[jni_mangle("io.tomobasis.jni.DenoiseDriver")]
pub fn notes0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) -> JObject<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let driver = unsafe { handle::get::<DenoiseDriver>(handle) }?;
        let notes = driver.notes();
        new_strings(env, notes.iter().map(|note| note.text.as_str()))
    })
}

/// `int[] probes0(long handle)`: slices.
#[jni_mangle("io.tomobasis.jni.DenoiseDriver")]
pub fn probes0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) -> JIntArray<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let driver = unsafe { handle::get::<DenoiseDriver>(handle) }?;
        let slices = driver.probes().into_iter().map(int).collect::<Result<Vec<jint>>>()?;
        new_ints(env, &slices)
    })
}

/// `void addPlaces0(long handle, byte[][] places)`.
#[jni_mangle("io.tomobasis.jni.DenoiseDriver")]
pub fn add_places0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    places: JObjectArray<'local, JByteArray<'local>>,
) {
    native(env, |env| {
        // SAFETY: a live handle of this class; the Java side synchronizes.
        let driver = unsafe { handle::get_mut::<DenoiseDriver>(handle) }?;
        Ok(driver.add_places(&byte_arrays(env, &places)?)?)
    })
}

/// `int[] surroundings0(long handle)`: of each place four numbers: first slice, how many, first row, how many.
#[jni_mangle("io.tomobasis.jni.DenoiseDriver")]
pub fn surroundings0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) -> JIntArray<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let driver = unsafe { handle::get::<DenoiseDriver>(handle) }?;
        let all = driver.surroundings();
        let numbers = all.iter().flatten().flat_map(|range| [range.start, range.len()]);
        let numbers = numbers.map(int).collect::<Result<Vec<jint>>>()?;
        new_ints(env, &numbers)
    })
}

/// `void addKept0(long handle, double[] kept)`.
#[jni_mangle("io.tomobasis.jni.DenoiseDriver")]
pub fn add_kept0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    kept: JDoubleArray<'local>,
) {
    native(env, |env| {
        // SAFETY: a live handle of this class; the Java side synchronizes.
        let driver = unsafe { handle::get_mut::<DenoiseDriver>(handle) }?;
        Ok(driver.add_kept(&doubles(env, &kept)?)?)
    })
}

/// `String summary0(long handle)`: sections of the manifest, as JSON.
#[jni_mangle("io.tomobasis.jni.DenoiseDriver")]
pub fn summary0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) -> JObject<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let driver = unsafe { handle::get::<DenoiseDriver>(handle) }?;
        new_string(env, &driver.summary()?)
    })
}

/// `String[] remarks0(long handle)`: sentences.
#[jni_mangle("io.tomobasis.jni.DenoiseDriver")]
pub fn remarks0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) -> JObject<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let driver = unsafe { handle::get::<DenoiseDriver>(handle) }?;
        new_strings(env, driver.remarks()?.iter().map(String::as_str))
    })
}

/// `int shown0(long handle)`: a slice.
#[jni_mangle("io.tomobasis.jni.DenoiseDriver")]
pub fn shown0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) -> jint {
    native(env, |_| {
        // SAFETY: a live handle of this class.
        let driver = unsafe { handle::get::<DenoiseDriver>(handle) }?;
        int(driver.shown())
    })
}

/// `ResultFiles finish0(long handle, short[] before, short[] after, byte[][] samples, byte[][] derivedRecords, String environmentJson)`.
#[allow(clippy::too_many_arguments, reason = "what the folder is made of, as Java has it")]
#[jni_mangle("io.tomobasis.jni.DenoiseDriver")]
pub fn finish0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    before: JShortArray<'local>,
    after: JShortArray<'local>,
    samples: JObjectArray<'local, JByteArray<'local>>,
    derived_records: JObjectArray<'local, JByteArray<'local>>,
    environment_json: JString<'local>,
) -> JObject<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class; the Java side synchronizes.
        let driver = unsafe { handle::get_mut::<DenoiseDriver>(handle) }?;
        let (before, after) = (shorts(env, &before)?, shorts(env, &after)?);
        let derived = byte_arrays(env, &derived_records)?;
        let derived = derived.iter().map(|bytes| DerivedRecord::all_from_bytes(bytes));
        let derived = derived.collect::<std::result::Result<Vec<_>, _>>()?.concat();
        let (samples, environment) = (byte_arrays(env, &samples)?, json(env, &environment_json)?);
        let (denoised, files) = driver.finish([&before, &after], &samples, &derived, environment)?;
        result_files(env, &denoised.to_string(), &files)
    })
}

fn result_files<'local>(
    env: &mut Env<'local>,
    digest: &str,
    files: &[tomobasis_pipeline::output::NamedFile],
) -> Result<JObject<'local>> {
    let digest = new_string(env, digest)?.auto();
    let files = named_file::to_java(env, files)?.auto();
    let arguments = [JValue::Object(&digest), JValue::Object(&files)];
    let signature = jni_sig!("(Ljava/lang/String;[Lio/tomobasis/jni/NamedFile;)V");
    Ok(env.new_object(jni_str!("io/tomobasis/jni/ResultFiles"), signature, &arguments)?)
}

/// `String closing0(long handle)`: the last lines of a run.
#[jni_mangle("io.tomobasis.jni.DenoiseDriver")]
pub fn closing0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) -> JObject<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let driver = unsafe { handle::get::<DenoiseDriver>(handle) }?;
        new_string(env, &driver.closing()?)
    })
}

/// A number of slices or rows: Java has as many.
fn int(number: usize) -> Result<jint> {
    jint::try_from(number).map_err(|_| Failure::Argument(format!("{number} does not fit 31 bits")))
}
