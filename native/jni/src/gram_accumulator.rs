//! `GramAccumulator`: exact sums, in any order, which know when a bit of them was changed.

use jni::{
    EnvUnowned, jni_mangle,
    objects::{JByteArray, JClass, JShortArray},
    sys::{jint, jlong},
};
use tomobasis_linalg::{CheckedGram, CheckedPart, block_check, column_major, verify_block};
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
        Ok(CheckedGram::new(columns)?)
    })
}

handle::native_object!("io.tomobasis.jni.GramAccumulator", CheckedGram);

/// `void add0(long handle, short[] block, int rows, long check)`.
#[jni_mangle("io.tomobasis.jni.GramAccumulator")]
pub fn add0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    block: JShortArray<'local>,
    rows: jint,
    check: jlong,
) {
    native(env, |env| {
        // SAFETY: a live handle of this class; the Java side synchronizes.
        let sum = unsafe { handle::get_mut::<CheckedGram>(handle) }?;
        let rows = size(rows, "rows")?;
        with_shorts(env, &block, |_, values| {
            Ok(sum.add(column_major(values, rows, sum.columns())?, check.cast_unsigned())?)
        })
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
        // SAFETY: a live handle of this class; the Java side synchronizes.
        let sum = unsafe { handle::get_mut::<CheckedGram>(handle) }?;
        let (part, parts): (usize, usize) = (size(part, "part")?, size(parts, "parts")?);
        if part >= parts {
            return Err(Failure::Argument(format!("there is no part {part} of {parts}")));
        }
        // The part, and its bytes; 128 bits a product at the most.
        room(32 * sum.columns() * sum.columns() / parts)?;
        Ok(env.byte_array_from_slice(&sum.part(part, parts)?.to_bytes())?)
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
        let mut sum = CheckedPart::from_bytes(&one)?;
        sum.merge(&CheckedPart::from_bytes(&other)?)?;
        Ok(env.byte_array_from_slice(&sum.to_bytes())?)
    })
}

/// `long blockCheck0(short[] values, int rows, int firstColumn)`: of some columns of a row block.
#[jni_mangle("io.tomobasis.jni.GramAccumulator")]
pub fn block_check0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    values: JShortArray<'local>,
    rows: jint,
    first_column: jint,
) -> jlong {
    native(env, |env| {
        let (rows, first): (usize, usize) = (size(rows, "rows")?, size(first_column, "firstColumn")?);
        with_shorts(env, &values, |_, values| {
            let columns = column_major(values, rows, values.len() / rows.max(1))?;
            Ok(block_check(columns, first).cast_signed())
        })
    })
}

/// `void verifyBlock0(short[] values, int rows, long check)`.
#[jni_mangle("io.tomobasis.jni.GramAccumulator")]
pub fn verify_block0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    values: JShortArray<'local>,
    rows: jint,
    check: jlong,
) {
    native(env, |env| {
        let rows: usize = size(rows, "rows")?;
        with_shorts(env, &values, |_, values| {
            let block = column_major(values, rows, values.len() / rows.max(1))?;
            Ok(verify_block(block, check.cast_unsigned())?)
        })
    })
}
