//! `BlockPartials`: what a pass found in the row blocks of a partition.

use jni::{
    EnvUnowned, jni_mangle,
    objects::{JByteArray, JClass, JDoubleArray, JShortArray},
    sys::{jint, jlong},
};
use tomobasis_pipeline::{input::BlockValues, need, solve::passes::BlockPartials};

use crate::{
    arrays::{size, with_doubles, with_shorts},
    block_pass::Shared,
    failure::{native, room},
    handle,
};

/// What a handle of this class is.
pub(crate) struct Partition {
    pass: Shared,
    found: BlockPartials,
    /// The values of the block at hand, in HU.
    hu: Vec<f64>,
}

/// `long create(long passHandle)`; what is made may outlive the pass.
#[jni_mangle("io.tomobasis.jni.BlockPartials")]
pub fn create<'local>(env: EnvUnowned<'local>, _: JClass<'local>, pass: jlong) -> jlong {
    make(env, |_| {
        // SAFETY: a live handle of BlockPass, which the Java side keeps open during this call.
        let pass = unsafe { handle::get::<Shared>(pass) }?.clone();
        Ok(Partition { pass, found: BlockPartials::default(), hu: Vec::new() })
    })
}

handle::native_object!("io.tomobasis.jni.BlockPartials", Partition);

/// `void add0(long handle, int block, short[] values, int rows)`.
#[jni_mangle("io.tomobasis.jni.BlockPartials")]
pub fn add0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    block: jint,
    values: JShortArray<'local>,
    rows: jint,
) {
    native(env, |env| {
        // SAFETY: a live handle of this class; the Java side synchronizes.
        let Partition { pass, found, hu } = unsafe { handle::get_mut::<Partition>(handle) }?;
        let (block, rows) = (size(block, "block")?, size(rows, "rows")?);
        with_shorts(env, &values, |_, values| {
            room(need::of_found(values.len()))?;
            Ok(found.add(pass.block(block, values, rows, hu)?)?)
        })
    })
}

/// `void addReal0(long handle, int block, double[] values, int rows)`.
#[jni_mangle("io.tomobasis.jni.BlockPartials")]
pub fn add_real0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    block: jint,
    values: JDoubleArray<'local>,
    rows: jint,
) {
    native(env, |env| {
        // SAFETY: a live handle of this class; the Java side synchronizes.
        let Partition { pass, found, hu } = unsafe { handle::get_mut::<Partition>(handle) }?;
        let (block, rows) = (size(block, "block")?, size(rows, "rows")?);
        with_doubles(env, &values, |_, values| {
            room(need::of_found(values.len()))?;
            Ok(found.add(pass.block(block, BlockValues::Real(values), rows, hu)?)?)
        })
    })
}

/// `byte[] take0(long handle)`: what was found; nothing of it is kept.
#[jni_mangle("io.tomobasis.jni.BlockPartials")]
pub fn take0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) -> JByteArray<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class; the Java side synchronizes.
        let partition = unsafe { handle::get_mut::<Partition>(handle) }?;
        let found = std::mem::take(&mut partition.found);
        Ok(env.byte_array_from_slice(&found.into_bytes())?)
    })
}
