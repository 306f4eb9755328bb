//! `RealGramAccumulator`: exact sums of floats, in any order.

use jni::{
    EnvUnowned, jni_mangle,
    objects::{JByteArray, JClass, JDoubleArray},
    sys::{jint, jlong},
};
use tomobasis_linalg::{CheckedPart, RealGramAccumulator, column_major};
use tomobasis_pipeline::{input::matrix::MatrixNumbers, need};

use crate::{
    arrays::{size, with_doubles},
    failure::{Failure, native, room},
    handle,
};

/// `long create(long numbersHandle)`; what is made may outlive the numbers.
#[jni_mangle("io.tomobasis.jni.RealGramAccumulator")]
pub fn create<'local>(env: EnvUnowned<'local>, _: JClass<'local>, numbers: jlong) -> jlong {
    make(env, |_| {
        // SAFETY: a live handle of MatrixNumbers, which the Java side keeps open during this call.
        let numbers = unsafe { handle::get::<MatrixNumbers>(numbers) }?;
        need::check_real_sums(numbers.ranges())?;
        Ok(RealGramAccumulator::new(numbers.ranges().clone())?)
    })
}

handle::native_object!("io.tomobasis.jni.RealGramAccumulator", RealGramAccumulator);

/// `int sums0(long handle)`: sums of integers that it has.
#[jni_mangle("io.tomobasis.jni.RealGramAccumulator")]
pub fn sums0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) -> jint {
    native(env, |_| {
        // SAFETY: a live handle of this class.
        let sums = unsafe { handle::get::<RealGramAccumulator>(handle) }?;
        Ok(sums.moduli() as jint)
    })
}

/// `void add0(long handle, double[] block, int rows)`.
#[jni_mangle("io.tomobasis.jni.RealGramAccumulator")]
pub fn add0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    block: JDoubleArray<'local>,
    rows: jint,
) {
    native(env, |env| {
        // SAFETY: a live handle of this class; the Java side synchronizes.
        let sums = unsafe { handle::get_mut::<RealGramAccumulator>(handle) }?;
        let rows = size(rows, "rows")?;
        with_doubles(env, &block, |_, values| {
            room(sums.room())?;
            Ok(sums.add(column_major(values, rows, sums.columns())?)?)
        })
    })
}

/// `byte[] part0(long handle, int sum, int part, int parts)`: as `GramAccumulator`'s.
#[jni_mangle("io.tomobasis.jni.RealGramAccumulator")]
pub fn part0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    sum: jint,
    part: jint,
    parts: jint,
) -> JByteArray<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let sums = unsafe { handle::get::<RealGramAccumulator>(handle) }?;
        let (sum, part, parts): (usize, usize, usize) =
            (size(sum, "sum")?, size(part, "part")?, size(parts, "parts")?);
        match sums.sums().get(sum) {
            Some(sum) if part < parts => {
                room(32 * sum.columns() * sum.columns() / parts)?;
                Ok(env.byte_array_from_slice(&CheckedPart::of(sum.part(part, parts)).to_bytes())?)
            }
            _ => Err(Failure::Argument(format!("there is no part {part} of {parts} of sum {sum}"))),
        }
    })
}
