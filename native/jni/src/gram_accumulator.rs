//! `GramAccumulator`: exact sums, in any order.

use jni::{
    EnvUnowned, jni_mangle,
    objects::{JByteArray, JClass, JShortArray},
    sys::{jint, jlong},
};
use tomobasis_linalg::{GramAccumulator, GramPart, column_major};
use tomobasis_pipeline::need;

use crate::{
    arrays::{byte_array, size, with_shorts},
    failure::{Failure, native, room},
    handle,
};

/// `long create(int columns)`.
#[jni_mangle("io.tomobasis.jni.GramAccumulator")]
pub fn create<'local>(env: EnvUnowned<'local>, _: JClass<'local>, columns: jint) -> jlong {
    make(env, |_| {
        let columns = size(columns, "columns")?;
        need::check_sums(columns)?;
        Ok(GramAccumulator::new(columns)?)
    })
}

handle::native_object!("io.tomobasis.jni.GramAccumulator", GramAccumulator);

/// `void add0(long handle, short[] block, int rows)`.
#[jni_mangle("io.tomobasis.jni.GramAccumulator")]
pub fn add0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    block: JShortArray<'local>,
    rows: jint,
) {
    native(env, |env| {
        // SAFETY: a live handle of this class; the Java side synchronizes.
        let sum = unsafe { handle::get_mut::<GramAccumulator>(handle) }?;
        let rows = size(rows, "rows")?;
        with_shorts(env, &block, |_, values| Ok(sum.add(column_major(values, rows, sum.columns())?)?))
    })
}

/// `byte[] part0(long handle, int part, int parts)`.
#[jni_mangle("io.tomobasis.jni.GramAccumulator")]
pub fn part0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    part: jint,
    parts: jint,
) -> JByteArray<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let sum = unsafe { handle::get::<GramAccumulator>(handle) }?;
        let (part, parts): (usize, usize) = (size(part, "part")?, size(parts, "parts")?);
        if part >= parts {
            return Err(Failure::Argument(format!("there is no part {part} of {parts}")));
        }
        // The part, and its bytes; 128 bits a product at the most.
        room(32 * sum.columns() * sum.columns() / parts)?;
        Ok(env.byte_array_from_slice(&sum.part(part, parts).to_bytes())?)
    })
}

/// `byte[] sum0(byte[] one, byte[] other)`.
#[jni_mangle("io.tomobasis.jni.GramAccumulator")]
pub fn sum0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    one: JByteArray<'local>,
    other: JByteArray<'local>,
) -> JByteArray<'local> {
    native(env, |env| {
        let (one, other) = (byte_array(env, &one)?, byte_array(env, &other)?);
        room(2 * (one.len() + other.len()))?;
        let mut sum = GramPart::from_bytes(&one)?;
        sum.merge(&GramPart::from_bytes(&other)?)?;
        Ok(env.byte_array_from_slice(&sum.to_bytes())?)
    })
}
