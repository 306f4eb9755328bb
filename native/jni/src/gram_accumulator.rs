//! `GramAccumulator`: exact sums, in any order.

use jni::{
    EnvUnowned, jni_mangle,
    objects::{JByteArray, JClass, JShortArray},
    sys::{jint, jlong},
};
use tomobasis_linalg::{GramAccumulator, RowBlock};

use crate::{
    arrays::{size, with_shorts},
    failure::native,
    handle,
};

/// `long create(int columns)`.
#[jni_mangle("io.tomobasis.kernels.GramAccumulator")]
pub fn create<'local>(env: EnvUnowned<'local>, _: JClass<'local>, columns: jint) -> jlong {
    native(env, |_| Ok(handle::create(GramAccumulator::new(size(columns, "columns")?)?)))
}

/// `void free(long handle)`.
#[jni_mangle("io.tomobasis.kernels.GramAccumulator")]
pub fn free<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) {
    native(env, |_| {
        // SAFETY: NativeObject frees a handle of this class once, when no call uses it.
        unsafe { handle::free::<GramAccumulator>(handle) };
        Ok(())
    })
}

/// `void add0(long handle, short[] block, int rows)`.
#[jni_mangle("io.tomobasis.kernels.GramAccumulator")]
pub fn add0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    block: JShortArray<'local>,
    rows: jint,
) {
    native(env, |env| {
        // SAFETY: a live handle of this class; the Java side synchronises.
        let sum = unsafe { handle::get_mut::<GramAccumulator>(handle) }?;
        let rows = size(rows, "rows")?;
        with_shorts(env, &block, |_, values| Ok(sum.add(RowBlock::new(values, rows, sum.columns())?)?))
    })
}

/// `void merge0(long handle, byte[] other)`.
#[jni_mangle("io.tomobasis.kernels.GramAccumulator")]
pub fn merge0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong, other: JByteArray<'local>) {
    native(env, |env| {
        // SAFETY: a live handle of this class; the Java side synchronises.
        let sum = unsafe { handle::get_mut::<GramAccumulator>(handle) }?;
        let other = GramAccumulator::from_bytes(&env.convert_byte_array(&other)?)?;
        Ok(sum.merge(&other)?)
    })
}

/// `byte[] toBytes0(long handle)`.
#[jni_mangle("io.tomobasis.kernels.GramAccumulator")]
pub fn to_bytes0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) -> JByteArray<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let sum = unsafe { handle::get::<GramAccumulator>(handle) }?;
        Ok(env.byte_array_from_slice(&sum.to_bytes())?)
    })
}
