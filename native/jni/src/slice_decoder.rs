//! `SliceDecoder`: file bytes to stored pixels.

use jni::{
    Env, EnvUnowned, jni_mangle,
    objects::{JByteArray, JClass, JIntArray, JObject, JShortArray, JString},
    sys::{jint, jlong},
};
use tomobasis_dicom::{FileBytes, SeriesPlan, SliceFile, SliceRecord, zeros};

use crate::{
    arrays::{byte_array, ints, json, new_objects, size, string},
    failure::{Failure, Result, native},
    handle, slice_digest,
};

/// `long create(String planJson)`.
#[jni_mangle("io.tomobasis.jni.SliceDecoder")]
pub fn create<'local>(env: EnvUnowned<'local>, _: JClass<'local>, plan_json: JString<'local>) -> jlong {
    make(env, |env| {
        let plan: SeriesPlan = json(env, &plan_json)?;
        Ok(plan)
    })
}

handle::native_object!("io.tomobasis.jni.SliceDecoder", SeriesPlan);

/// Slices of one file, and what Java has of it.
struct Source {
    slices: Vec<jint>,
    name: String,
    length: u64,
    head: Vec<u8>,
    start: u64,
    piece: Vec<u8>,
}

impl Source {
    fn new<'local>(
        env: &mut Env<'local>,
        slices: &JIntArray<'local>,
        name: &JString<'local>,
        (length, head): (jlong, &JByteArray<'local>),
        (start, piece): (jlong, &JByteArray<'local>),
    ) -> Result<Self> {
        Ok(Self {
            slices: ints(env, slices)?,
            name: string(env, name)?,
            length: length.cast_unsigned(),
            head: byte_array(env, head)?,
            start: start.cast_unsigned(),
            piece: byte_array(env, piece)?,
        })
    }

    fn open(&self) -> SliceFile<'_> {
        let Self { length, head, start, piece, .. } = self;
        SliceFile::open(FileBytes { head, start: *start, piece, length: *length })
    }

    fn log_fault(&self, slice: jint) {
        log::debug!("slice {slice}: the file at fault is {}", self.name);
    }
}

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
        let source = Source::new(env, &slices, &name, (length, &head), (start, &piece))?;
        let file = source.open();
        let mut pixels = zeros(plan.pixels())?;
        let mut records = Vec::with_capacity(SliceRecord::BYTES * source.slices.len());
        for (&slice, offset) in source.slices.iter().zip(ints(env, &offsets)?) {
            let record = file.decode(plan, size(slice, "slice")?, &mut pixels);
            records.extend(record.inspect_err(|_| source.log_fault(slice))?.to_bytes());
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
        let source = Source::new(env, &slices, &name, (length, &head), (start, &piece))?;
        let file = source.open();
        let mut pixels = zeros(plan.pixels())?;
        let mut all = Vec::with_capacity(source.slices.len());
        for &slice in &source.slices {
            all.push(match file.entries(plan, size(slice, "slice")?, &mut pixels) {
                Ok(digest) => Ok(digest),
                Err(error) => match Failure::from(error) {
                    bad if bad.is_bad_input() => {
                        source.log_fault(slice);
                        Err(bad.to_string())
                    }
                    other => return Err(other),
                },
            });
        }
        new_objects(env, slice_digest::CLASS, &all, slice_digest::to_java)
    })
}
