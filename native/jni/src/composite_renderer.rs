//! `CompositeRenderer`: row blocks to strips of composites.

use std::cell::RefCell;
use std::sync::Arc;

use jni::{
    EnvUnowned, jni_mangle,
    objects::{JClass, JIntArray, JObject, JShortArray},
    sys::{jint, jlong},
};
use tomobasis_pipeline::derived::{CompositeRenderer, CompositeScratch};

use crate::{
    arrays::{ints, new_byte_arrays, size, with_shorts},
    decomposition,
    failure::native,
    handle,
};

/// What a handle of this class is.
pub(crate) type Shared = Arc<CompositeRenderer>;

thread_local! {
    /// Buffers of the executor's task threads, which live from block to block.
    static SCRATCH: RefCell<CompositeScratch> = RefCell::default();
}

/// `long create(long decompositionHandle)`; the renderer may outlive the decomposition.
#[jni_mangle("io.tomobasis.kernels.CompositeRenderer")]
pub fn create<'local>(env: EnvUnowned<'local>, _: JClass<'local>, decomposition: jlong) -> jlong {
    native(env, |_| {
        // SAFETY: a live handle of Decomposition, which the Java side keeps open during this call.
        let decomposition = unsafe { handle::get::<decomposition::Shared>(decomposition) }?;
        Ok(handle::create::<Shared>(Arc::new(CompositeRenderer::new(decomposition.clone())?)))
    })
}

/// `void free(long handle)`.
#[jni_mangle("io.tomobasis.kernels.CompositeRenderer")]
pub fn free<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) {
    native(env, |_| {
        // SAFETY: NativeObject frees a handle of this class once, when no call uses it.
        unsafe { handle::free::<Shared>(handle) };
        Ok(())
    })
}

/// `byte[][] render0(long handle, int block, short[] values, int rows, int[] starts)`: one strip for each run of slices.
#[jni_mangle("io.tomobasis.kernels.CompositeRenderer")]
pub fn render0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    block: jint,
    values: JShortArray<'local>,
    rows: jint,
    starts: JIntArray<'local>,
) -> JObject<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let renderer = unsafe { handle::get::<Shared>(handle) }?;
        let starts = ints(env, &starts)?;
        let starts =
            starts.into_iter().map(|start| size(start, "start")).collect::<Result<Vec<usize>, _>>()?;
        with_shorts(env, &values, |env, values| {
            let strips = SCRATCH.with_borrow_mut(|scratch| {
                renderer
                    .render(scratch, size(block, "block")?, values, size(rows, "rows")?, &starts)
                    .map_err(crate::failure::Failure::from)
            })?;
            let strips = strips.iter().map(|strip| strip.to_bytes()).collect::<Result<Vec<_>, _>>()?;
            let pieces: Vec<[&[u8]; 1]> = strips.iter().map(|strip| [strip.as_slice()]).collect();
            let arrays: Vec<&[&[u8]]> = pieces.iter().map(|piece| piece.as_slice()).collect();
            new_byte_arrays(env, &arrays)
        })
    })
}
