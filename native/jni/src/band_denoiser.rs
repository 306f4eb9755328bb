//! `BandDenoiser`: what tasks do when a series is denoised in bands of rows.

use jni::{
    EnvUnowned, jni_mangle, jni_sig, jni_str,
    objects::{JByteArray, JClass, JObject, JShortArray, JString, JValue},
    refs::{IntoAuto, Reference},
    sys::{jdouble, jint, jlong},
};
use tomobasis_pipeline::commands::denoise::{BandDenoiser, BandOf};

use crate::{
    arrays::{byte_array, new_shorts, shorts, size, string},
    decomposition::records,
    derived_slices,
    failure::{native, room},
    handle,
};

/// `long create(byte[] step)`.
#[jni_mangle("io.tomobasis.jni.BandDenoiser")]
pub fn create<'local>(env: EnvUnowned<'local>, _: JClass<'local>, step: JByteArray<'local>) -> jlong {
    make(env, |env| {
        let bytes = byte_array(env, &step)?;
        room(bytes.len().saturating_mul(2))?;
        Ok(BandDenoiser::from_bytes(&bytes)?)
    })
}

handle::native_object!("io.tomobasis.jni.BandDenoiser", BandDenoiser);

/// `DenoisedBand run0(long handle, int first, int count, short[] before, short[] after, byte[] sliceRecords)`; `after` is null but where
/// the effect is measured.
#[allow(clippy::too_many_arguments, reason = "the parts of a band, as Java has them")]
#[jni_mangle("io.tomobasis.jni.BandDenoiser")]
pub fn run0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    first: jint,
    count: jint,
    before: JShortArray<'local>,
    after: JShortArray<'local>,
    slice_records: JByteArray<'local>,
) -> JObject<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let task = unsafe { handle::get::<BandDenoiser>(handle) }?;
        let (first, count): (usize, usize) = (size(first, "first")?, size(count, "count")?);
        let rows = first..first + count;
        let records = records(env, &slice_records)?;
        let before = shorts(env, &before)?;
        let after = if after.is_null() { None } else { Some(shorts(env, &after)?) };
        room(task.working_bytes(&rows))?;
        let made = task.run(&BandOf { rows, before: &before, after: after.as_deref() }, &records)?;
        let values: JObject<'_> = match &made.values {
            Some(values) => new_shorts(env, values)?.into(),
            None => JObject::null(),
        };
        let values = values.auto();
        let found = env.byte_array_from_slice(&made.found)?.auto();
        let arguments = [JValue::Object(&values), JValue::Object(&found)];
        Ok(env.new_object(jni_str!("io/tomobasis/jni/DenoisedBand"), jni_sig!("([S[B)V"), &arguments)?)
    })
}

/// `byte[] samples0(long handle, int first, int count, short[] before, short[] after, byte[] sliceRecords)`.
#[allow(clippy::too_many_arguments, reason = "the parts of a band, as Java has them")]
#[jni_mangle("io.tomobasis.jni.BandDenoiser")]
pub fn samples0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    first: jint,
    count: jint,
    before: JShortArray<'local>,
    after: JShortArray<'local>,
    slice_records: JByteArray<'local>,
) -> JByteArray<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let task = unsafe { handle::get::<BandDenoiser>(handle) }?;
        let (first, count): (usize, usize) = (size(first, "first")?, size(count, "count")?);
        let records = records(env, &slice_records)?;
        let (before, after) = (shorts(env, &before)?, shorts(env, &after)?);
        // Fewer than there are values, as numbers and as bytes.
        room(after.len().saturating_mul(10))?;
        let band = BandOf { rows: first..first + count, before: &before, after: Some(&after) };
        Ok(env.byte_array_from_slice(&task.samples(&band, &records)?)?)
    })
}

/// `byte[] place0(long handle, int probe, short[] slice)`: null where there is no place.
#[jni_mangle("io.tomobasis.jni.BandDenoiser")]
pub fn place0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    probe: jint,
    slice: JShortArray<'local>,
) -> JByteArray<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let task = unsafe { handle::get::<BandDenoiser>(handle) }?;
        let slice = shorts(env, &slice)?;
        // HU, sums, means and slopes.
        room(slice.len().saturating_mul(16))?;
        match task.place(size(probe, "probe")?, &slice)? {
            Some(place) => Ok(env.byte_array_from_slice(&place)?),
            None => Ok(JByteArray::default()),
        }
    })
}

/// `double kept0(long handle, int place, short[] surroundings)`.
#[jni_mangle("io.tomobasis.jni.BandDenoiser")]
pub fn kept0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    place: jint,
    surroundings: JShortArray<'local>,
) -> jdouble {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let task = unsafe { handle::get::<BandDenoiser>(handle) }?;
        let surroundings = shorts(env, &surroundings)?;
        // At the most HU of it with and without the disc, each denoised, and what that takes.
        room(surroundings.len().saturating_mul(32))?;
        Ok(task.kept(size(place, "place")?, &surroundings)?)
    })
}

/// `DerivedFile[] derive0(long handle, int slice, String name, byte[] source, short[] pixels)`: one.
#[jni_mangle("io.tomobasis.jni.BandDenoiser")]
pub fn derive0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    slice: jint,
    name: JString<'local>,
    source: JByteArray<'local>,
    pixels: JShortArray<'local>,
) -> JObject<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let task = unsafe { handle::get::<BandDenoiser>(handle) }?;
        let slice = size(slice, "slice")?;
        let (source, pixels) = (byte_array(env, &source)?, shorts(env, &pixels)?);
        // What is read of it, changed and written; `docs/derived.md`.
        room(source.len().saturating_mul(3))?;
        let name = string(env, &name)?;
        let made = task.derive(slice, &source, pixels);
        let made = made.inspect_err(|_| log::debug!("slice {slice}: the file at fault is {name}"))?;
        derived_slices::to_java(env, &[made])
    })
}
