//! `BlockRenderer`: row blocks to files and strips, strips to pictures.

use std::cell::RefCell;

use jni::{
    EnvUnowned, jni_mangle,
    objects::{JByteArray, JClass, JObject, JObjectArray, JShortArray},
    sys::{jint, jlong},
};
use tomobasis_pipeline::{BlockRenderer, Scratch};

use crate::{
    arrays::{byte_arrays, new_byte_arrays, size, with_shorts},
    decomposition::Shared,
    failure::native,
    handle, named_file,
};

thread_local! {
    /// Buffers of the executor's task threads, which live from block to block.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// `long create(long decompositionHandle)`; the renderer may outlive the decomposition.
#[jni_mangle("io.tomobasis.kernels.BlockRenderer")]
pub fn create<'local>(env: EnvUnowned<'local>, _: JClass<'local>, decomposition: jlong) -> jlong {
    native(env, |_| {
        // SAFETY: a live handle of Decomposition, which the Java side keeps open during this call.
        let decomposition = unsafe { handle::get::<Shared>(decomposition) }?;
        Ok(handle::create(BlockRenderer::new(decomposition.clone())?))
    })
}

/// `void free(long handle)`.
#[jni_mangle("io.tomobasis.kernels.BlockRenderer")]
pub fn free<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) {
    native(env, |_| {
        // SAFETY: NativeObject frees a handle of this class once, when no call uses it.
        unsafe { handle::free::<BlockRenderer>(handle) };
        Ok(())
    })
}

/// `byte[][] render0(long handle, int block, short[] values, int rows)`: Parquet file (empty when not asked for), block record,
/// picture strips.
#[jni_mangle("io.tomobasis.kernels.BlockRenderer")]
pub fn render0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    block: jint,
    values: JShortArray<'local>,
    rows: jint,
) -> JObject<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let renderer = unsafe { handle::get::<BlockRenderer>(handle) }?;
        with_shorts(env, &values, |env, values| {
            SCRATCH.with_borrow_mut(|scratch| {
                let rendered =
                    renderer.render(scratch, size(block, "block")?, values, size(rows, "rows")?)?;
                new_byte_arrays(env, &[&rendered.part, &[&rendered.record.to_bytes()], &[&rendered.strips]])
            })
        })
    })
}

/// `NamedFile[] pictures0(long handle, byte[][] strips)`.
#[jni_mangle("io.tomobasis.kernels.BlockRenderer")]
pub fn pictures0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    strips: JObjectArray<'local, JByteArray<'local>>,
) -> JObject<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let renderer = unsafe { handle::get::<BlockRenderer>(handle) }?;
        let strips = byte_arrays(env, &strips)?;
        let files = renderer.pictures(strips.iter().map(Vec::as_slice))?;
        named_file::to_java(env, &files)
    })
}
