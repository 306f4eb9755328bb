//! `BlockRenderer`: row blocks to files and bands of pictures and composites, bands to pictures.

use std::cell::RefCell;

use jni::{
    Env, EnvUnowned, jni_mangle, jni_sig, jni_str,
    objects::{JByteArray, JClass, JDoubleArray, JIntArray, JObject, JObjectArray, JShortArray, JValue},
    refs::IntoAuto,
    sys::{jint, jlong},
};
use tomobasis_pipeline::{
    blocks::{BlockRenderer, RenderedBlock, Scratch},
    input::BlockValues,
    need,
    output::dicom::Band,
};

use crate::{
    arrays::{byte_arrays, ints, new_byte_arrays, new_doubles, size, with_doubles, with_shorts},
    decomposition::{Shared, records},
    failure::{Result, native, room},
    handle, named_file,
};

thread_local! {
    /// Buffers of the executor's task threads, which live from block to block.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// `long create(long decompositionHandle)`; the renderer may outlive the decomposition.
#[jni_mangle("io.tomobasis.jni.BlockRenderer")]
pub fn create<'local>(env: EnvUnowned<'local>, _: JClass<'local>, decomposition: jlong) -> jlong {
    make(env, |_| {
        // SAFETY: a live handle of Decomposition, which the Java side keeps open during this call.
        let decomposition = unsafe { handle::get::<Shared>(decomposition) }?;
        room(need::of_block(decomposition))?;
        Ok(BlockRenderer::new(decomposition.clone())?)
    })
}

handle::native_object!("io.tomobasis.jni.BlockRenderer", BlockRenderer);

/// `BlockParts render0(long handle, int block, short[] values, int rows, byte[] sliceRecords, int[] starts)`.
#[allow(clippy::too_many_arguments, reason = "the parts of a row block, as Java has them")]
#[jni_mangle("io.tomobasis.jni.BlockRenderer")]
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
            room(need::of_block(renderer.decomposition()))?;
            SCRATCH.with_borrow_mut(|scratch| {
                let rendered =
                    renderer.render(scratch, size(block, "block")?, values, size(rows, "rows")?, &starts)?;
                block_parts(env, &rendered)
            })
        })
    })
}

/// `BlockParts renderReal0(long handle, int block, double[] values, int rows, byte[] sliceRecords)`.
#[jni_mangle("io.tomobasis.jni.BlockRenderer")]
pub fn render_real0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    block: jint,
    values: JDoubleArray<'local>,
    rows: jint,
    slice_records: JByteArray<'local>,
) -> JObject<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let renderer = unsafe { handle::get::<BlockRenderer>(handle) }?;
        renderer.decomposition().check_pixels(&records(env, &slice_records)?)?;
        let (block, rows) = (size(block, "block")?, size(rows, "rows")?);
        with_doubles(env, &values, |env, values| {
            room(need::of_block(renderer.decomposition()))?;
            SCRATCH.with_borrow_mut(|scratch| {
                block_parts(env, &renderer.render(scratch, block, BlockValues::Real(values), rows, &[0])?)
            })
        })
    })
}

/// `BlockBasis basis0(long handle, int block, short[] values, int rows, byte[] sliceRecords)`.
#[jni_mangle("io.tomobasis.jni.BlockRenderer")]
pub fn basis0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    block: jint,
    values: JShortArray<'local>,
    rows: jint,
    slice_records: JByteArray<'local>,
) -> JObject<'local> {
    native(env, |env| {
        let (renderer, block, rows) = checked(env, handle, &slice_records, block, rows)?;
        with_shorts(env, &values, |env, values| block_basis(env, renderer, block, values.into(), rows))
    })
}

/// `BlockBasis basisReal0(long handle, int block, double[] values, int rows, byte[] columnRecords)`.
#[jni_mangle("io.tomobasis.jni.BlockRenderer")]
pub fn basis_real0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    block: jint,
    values: JDoubleArray<'local>,
    rows: jint,
    column_records: JByteArray<'local>,
) -> JObject<'local> {
    native(env, |env| {
        let (renderer, block, rows) = checked(env, handle, &column_records, block, rows)?;
        with_doubles(env, &values, |env, values| {
            block_basis(env, renderer, block, BlockValues::Real(values), rows)
        })
    })
}

/// `double[] composite0(long handle, int block, short[] values, int rows, byte[] sliceRecords, int rank)`.
#[allow(clippy::too_many_arguments, reason = "the parts of a row block, as Java has them")]
#[jni_mangle("io.tomobasis.jni.BlockRenderer")]
pub fn composite0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    block: jint,
    values: JShortArray<'local>,
    rows: jint,
    slice_records: JByteArray<'local>,
    rank: jint,
) -> JDoubleArray<'local> {
    native(env, |env| {
        let (renderer, block, rows) = checked(env, handle, &slice_records, block, rows)?;
        let rank = size(rank, "rank")?;
        with_shorts(env, &values, |env, values| composite(env, renderer, block, values.into(), rows, rank))
    })
}

/// `double[] compositeReal0(long handle, int block, double[] values, int rows, byte[] columnRecords, int rank)`.
#[allow(clippy::too_many_arguments, reason = "the parts of a row block, as Java has them")]
#[jni_mangle("io.tomobasis.jni.BlockRenderer")]
pub fn composite_real0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    block: jint,
    values: JDoubleArray<'local>,
    rows: jint,
    column_records: JByteArray<'local>,
    rank: jint,
) -> JDoubleArray<'local> {
    native(env, |env| {
        let (renderer, block, rows) = checked(env, handle, &column_records, block, rows)?;
        let rank = size(rank, "rank")?;
        with_doubles(env, &values, |env, values| {
            composite(env, renderer, block, BlockValues::Real(values), rows, rank)
        })
    })
}

/// The renderer of a handle, and a block's index and rows, once the block's records are those of the decomposition.
fn checked<'call>(
    env: &Env<'_>,
    handle: jlong,
    slice_records: &JByteArray<'_>,
    block: jint,
    rows: jint,
) -> Result<(&'call BlockRenderer, u32, usize)> {
    // SAFETY: a live handle of this class, which the Java side keeps open during the call.
    let renderer = unsafe { handle::get::<BlockRenderer>(handle) }?;
    renderer.decomposition().check_pixels(&records(env, slice_records)?)?;
    room(need::of_block(renderer.decomposition()))?;
    Ok((renderer, size(block, "block")?, size(rows, "rows")?))
}

/// A new `BlockBasis`.
fn block_basis<'local>(
    env: &mut Env<'local>,
    renderer: &BlockRenderer,
    block: u32,
    values: BlockValues<'_>,
    rows: usize,
) -> Result<JObject<'local>> {
    SCRATCH.with_borrow_mut(|scratch| {
        let (values, record) = renderer.basis(scratch, block, values, rows)?;
        let values = new_doubles(env, values)?.auto();
        let record = env.byte_array_from_slice(&record.to_bytes())?.auto();
        let arguments = [JValue::Object(&values), JValue::Object(&record)];
        Ok(env.new_object(jni_str!("io/tomobasis/jni/BlockBasis"), jni_sig!("([D[B)V"), &arguments)?)
    })
}

/// A new `double[]` with a composite of a block.
fn composite<'local>(
    env: &mut Env<'local>,
    renderer: &BlockRenderer,
    block: u32,
    values: BlockValues<'_>,
    rows: usize,
    rank: usize,
) -> Result<JDoubleArray<'local>> {
    let columns = renderer.decomposition().columns();
    room(8 * rows.saturating_mul(columns))?;
    SCRATCH
        .with_borrow_mut(|scratch| new_doubles(env, renderer.composite(scratch, block, values, rows, rank)?))
}

/// A new `BlockParts`.
fn block_parts<'local>(env: &mut Env<'local>, rendered: &RenderedBlock) -> Result<JObject<'local>> {
    let files = named_file::array(env, rendered.files().collect())?.auto();
    let record = env.byte_array_from_slice(&rendered.record.to_bytes())?.auto();
    let pictures = env.byte_array_from_slice(&rendered.bands)?.auto();
    let bands = rendered.composites.iter().map(Band::to_bytes);
    let composites = new_byte_arrays(env, &bands.collect::<std::result::Result<Vec<_>, _>>()?)?.auto();
    let arguments = [
        JValue::Object(&files),
        JValue::Object(&record),
        JValue::Object(&pictures),
        JValue::Object(&composites),
    ];
    let signature = jni_sig!("([Lio/tomobasis/jni/NamedFile;[B[B[[B)V");
    Ok(env.new_object(jni_str!("io/tomobasis/jni/BlockParts"), signature, &arguments)?)
}

/// `NamedFile[] pictures0(long handle, byte[][] bands)`.
#[jni_mangle("io.tomobasis.jni.BlockRenderer")]
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
