//! `SliceDecoder`: file bytes to stored pixels.

use jni::{
    EnvUnowned, jni_mangle,
    objects::{JByteArray, JClass, JIntArray, JShortArray, JString},
    sys::jlong,
};
use tomobasis_dicom::{FileBytes, SeriesPlan, SliceFile, SliceRecord, zeros};

use crate::{
    arrays::{byte_array, ints, size, string},
    failure::native,
    handle,
};

/// `long create(String planJson)`.
#[jni_mangle("io.tomobasis.jni.SliceDecoder")]
pub fn create<'local>(env: EnvUnowned<'local>, _: JClass<'local>, plan_json: JString<'local>) -> jlong {
    native(env, |env| {
        let plan: SeriesPlan = serde_json::from_str(&string(env, &plan_json)?)?;
        Ok(handle::create(plan))
    })
}

handle::native_free!("io.tomobasis.jni.SliceDecoder", SeriesPlan);

/// `byte[] decode0(long handle, int[] slices, String name, long length, byte[] head, long start, byte[] piece, short[] out,
/// int[] offsets)`: the slices' records, 64 bytes each; their pixels go to `out` from their offsets on.
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
