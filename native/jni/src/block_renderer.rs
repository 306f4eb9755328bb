//! `BlockRenderer`: row blocks to files and bands of pictures and composites, bands to pictures.

use std::{cell::RefCell, iter};

use jni::{
    EnvUnowned, jni_mangle,
    objects::{JByteArray, JClass, JIntArray, JObject, JObjectArray, JShortArray},
    sys::{jint, jlong},
};
use tomobasis_pipeline::{BlockRenderer, Scratch, derived::Band, memory};

use crate::{
    arrays::{byte_arrays, ints, new_byte_arrays, size, with_shorts},
    decomposition::{Shared, records},
    failure::{Result, native, room},
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
        room(memory::of_block(decomposition))?;
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

/// `byte[][] render0(long handle, int block, short[] values, int rows, byte[] sliceRecords, int[] starts)`: Parquet file (empty when not
/// asked for), block record, picture bands, and with derived DICOM a band of composites for each run of slices.
#[allow(clippy::too_many_arguments, reason = "the parts of a row block, as Java has them")]
#[jni_mangle("io.tomobasis.kernels.BlockRenderer")]
pub fn render0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    block: jint,
    values: JShortArray<'local>,
    rows: jint,
    slice_records: JByteArray<'local>,
    starts: JIntArray<'local>,
) -> JObject<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let renderer = unsafe { handle::get::<BlockRenderer>(handle) }?;
        renderer.decomposition().check_pixels(&records(env, &slice_records)?)?;
        let starts = ints(env, &starts)?.into_iter().map(|start| size(start, "start"));
        let starts = starts.collect::<Result<Vec<usize>>>()?;
        with_shorts(env, &values, |env, values| {
            room(memory::of_block(renderer.decomposition()))?;
            SCRATCH.with_borrow_mut(|scratch| {
                let rendered =
                    renderer.render(scratch, size(block, "block")?, values, size(rows, "rows")?, &starts)?;
                let composites = rendered.composites.iter().map(Band::to_bytes);
                let composites = composites.collect::<std::result::Result<Vec<_>, _>>()?;
                let record = rendered.record.to_bytes();
                let one = [record.as_slice(), &rendered.bands].into_iter();
                let one: Vec<[&[u8]; 1]> =
                    one.chain(composites.iter().map(Vec::as_slice)).map(|bytes| [bytes]).collect();
                let all: Vec<&[&[u8]]> =
                    iter::once(rendered.part.as_slice()).chain(one.iter().map(<[_; 1]>::as_slice)).collect();
                new_byte_arrays(env, &all)
            })
        })
    })
}

/// `NamedFile[] pictures0(long handle, byte[][] bands)`.
#[jni_mangle("io.tomobasis.kernels.BlockRenderer")]
pub fn pictures0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    bands: JObjectArray<'local, JByteArray<'local>>,
) -> JObject<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let renderer = unsafe { handle::get::<BlockRenderer>(handle) }?;
        let bands = byte_arrays(env, &bands)?;
        room(2 * bands.iter().map(Vec::len).sum::<usize>())?;
        let files = renderer.pictures(bands.iter().map(Vec::as_slice))?;
        named_file::to_java(env, &files)
    })
}
