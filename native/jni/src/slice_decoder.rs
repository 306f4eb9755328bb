//! `SliceDecoder`: file bytes to stored pixels.

use jni::{
    EnvUnowned, jni_mangle,
    objects::{JByteArray, JClass, JIntArray, JObject, JShortArray, JString},
    sys::jlong,
};
use tomobasis_dicom::{FileBytes, SeriesPlan, SliceFile, SliceRecord, zeros};

use crate::{
    arrays::{byte_array, ints, new_objects, size, string},
    failure::{Failure, native},
    handle, slice_digest,
};

/// `long create(String planJson)`.
#[jni_mangle("io.tomobasis.jni.SliceDecoder")]
pub fn create<'local>(env: EnvUnowned<'local>, _: JClass<'local>, plan_json: JString<'local>) -> jlong {
    make(env, |env| {
        let plan: SeriesPlan = serde_json::from_str(&string(env, &plan_json)?)?;
        Ok(plan)
    })
}

handle::native_object!("io.tomobasis.jni.SliceDecoder", SeriesPlan);

/// `byte[] decode0(long handle, int[] slices, String name, long length, byte[] head, long start, byte[] piece, short[] out,
/// int[] offsets)`: the slices' records, one after the other; their pixels go to `out` from their offsets on.
#[allow(clippy::too_many_arguments, reason = "the parts of a file, as Java has them")]
#[jni_mangle("io.tomobasis.jni.SliceDecoder")]
pub fn decode0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    slices: JIntArray<'local>,
    name: JString<'local>,
    length: jlong,
    head: JByteArray<'local>,
    start: jlong,
    piece: JByteArray<'local>,
    out: JShortArray<'local>,
    offsets: JIntArray<'local>,
) -> JByteArray<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let plan = unsafe { handle::get::<SeriesPlan>(handle) }?;
        let (slices, offsets) = (ints(env, &slices)?, ints(env, &offsets)?);
        let (head, piece) = (byte_array(env, &head)?, byte_array(env, &piece)?);
        let (length, start) = (length.cast_unsigned(), start.cast_unsigned());
        let file = SliceFile::open(FileBytes { head: &head, start, piece: &piece, length });
        let mut pixels = zeros(plan.pixels())?;
        let mut records = Vec::with_capacity(SliceRecord::BYTES * slices.len());
        for (slice, offset) in slices.into_iter().zip(offsets) {
            let slice = size(slice, "slice")?;
            match file.decode(plan, slice, &mut pixels) {
                Ok(record) => records.extend(record.to_bytes()),
                Err(error) => {
                    log::debug!("slice {slice}: the file at fault is {}", string(env, &name)?);
                    return Err(error.into());
                }
            }
            out.set_region(env, offset, &pixels)?;
        }
        Ok(env.byte_array_from_slice(&records)?)
    })
}

/// `SliceDigest[] digests0(long handle, int[] slices, String name, long length, byte[] head, long start, byte[] piece)`.
#[allow(clippy::too_many_arguments, reason = "the parts of a file, as Java has them")]
#[jni_mangle("io.tomobasis.jni.SliceDecoder")]
pub fn digests0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    slices: JIntArray<'local>,
    name: JString<'local>,
    length: jlong,
    head: JByteArray<'local>,
    start: jlong,
    piece: JByteArray<'local>,
) -> JObject<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let plan = unsafe { handle::get::<SeriesPlan>(handle) }?;
        let (slices, name) = (ints(env, &slices)?, string(env, &name)?);
        let (head, piece) = (byte_array(env, &head)?, byte_array(env, &piece)?);
        let (length, start) = (length.cast_unsigned(), start.cast_unsigned());
        let file = SliceFile::open(FileBytes { head: &head, start, piece: &piece, length });
        let mut pixels = zeros(plan.pixels())?;
        let mut all = Vec::with_capacity(slices.len());
        for slice in slices {
            all.push(match file.decode(plan, size(slice, "slice")?, &mut pixels) {
                Ok(record) => Ok(record.digest),
                Err(error) => match Failure::from(error) {
                    bad if bad.is_bad_input() => {
                        log::debug!("slice {slice}: the file at fault is {name}");
                        Err(bad.to_string())
                    }
                    other => return Err(other),
                },
            });
        }
        new_objects(env, slice_digest::CLASS, &all, slice_digest::to_java)
    })
}
