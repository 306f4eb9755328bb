//! `Decomposition`: the driver's part, and the small files of the result.

use std::sync::Arc;

use jni::{
    Env, EnvUnowned, jni_mangle, jni_sig, jni_str,
    objects::{JByteArray, JClass, JDoubleArray, JObject, JObjectArray, JString, JValue},
    refs::IntoAuto,
    sys::{jdouble, jint, jlong},
};
use tomobasis_dicom::SliceRecord;
use tomobasis_linalg::{CheckedPart, GramAccumulator, GramPart, RealGramAccumulator};
use tomobasis_pipeline::{
    blocks::BlockRecord,
    commands::decompose::closing_text,
    input::matrix::MatrixNumbers,
    need,
    options::Options,
    output::dicom::DerivedRecord,
    result,
    solve::{Decomposition, GramOfFloats},
};

use crate::{
    arrays::{byte_array, byte_arrays, json, new_doubles, new_string, new_strings, size, string},
    failure::{self, Failure, native, room},
    handle, named_file,
};

/// What a handle of this class is: shared with the renderers made from it.
pub(crate) type Shared = Arc<Decomposition>;

/// The records of all slices.
pub(crate) fn records(env: &Env<'_>, bytes: &JByteArray<'_>) -> failure::Result<Vec<SliceRecord>> {
    let bytes = byte_array(env, bytes)?;
    let records = match bytes.as_chunks() {
        (records, []) => records.iter().map(SliceRecord::from_bytes).collect(),
        _ => None,
    };
    records.ok_or_else(|| Failure::Argument(format!("slice records have {} bytes each", SliceRecord::BYTES)))
}

/// One part of the sums.
fn gram_part<'local>(
    env: &mut Env<'local>,
    all: &JObjectArray<'local, JByteArray<'local>>,
    index: usize,
) -> failure::Result<GramPart> {
    let part = all.get_element(env, index)?.auto();
    Ok(CheckedPart::from_bytes(&byte_array(env, &part)?)?.proven()?)
}

/// `long compute0(String planJson, String optionsJson, byte[][] gram, byte[] sliceRecords, int threads)`; the records are those of
/// all slices, in series order.
#[jni_mangle("io.tomobasis.jni.Decomposition")]
pub fn compute0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    plan_json: JString<'local>,
    options_json: JString<'local>,
    gram: JObjectArray<'local, JByteArray<'local>>,
    slice_records: JByteArray<'local>,
    threads: jint,
) -> jlong {
    make(env, |env| {
        let plan = json(env, &plan_json)?;
        let options = json(env, &options_json)?;
        let threads = size(threads, "threads")?;
        need::check_solver(&plan, &options, threads)?;
        let parts = 0..gram.len(env)?;
        let gram = GramAccumulator::from_parts(parts.map(|i| gram_part(env, &gram, i)))?;
        let records = records(env, &slice_records)?;
        let decomposition = Decomposition::compute(plan, options, &gram, &records, threads)?;
        Ok(Arc::new(decomposition))
    })
}

/// `long computeReal0(String planJson, String optionsJson, long numbersHandle, byte[][] gram, byte[] columnRecords, int threads)`: of a
/// matrix of floats; `gram` has all parts of the first sum, then those of the next.
#[allow(clippy::too_many_arguments, reason = "what the decomposition is made of, as Java has it")]
#[jni_mangle("io.tomobasis.jni.Decomposition")]
pub fn compute_real0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    plan_json: JString<'local>,
    options_json: JString<'local>,
    numbers: jlong,
    gram: JObjectArray<'local, JByteArray<'local>>,
    column_records: JByteArray<'local>,
    threads: jint,
) -> jlong {
    make(env, |env| {
        let plan = json(env, &plan_json)?;
        let options: Options = json(env, &options_json)?;
        let threads = size(threads, "threads")?;
        // SAFETY: a live handle of MatrixNumbers, which the Java side keeps open during this call.
        let numbers = unsafe { handle::get::<MatrixNumbers>(numbers) }?;
        let none = RealGramAccumulator::new(numbers.ranges().clone())?;
        need::check_real_solver(&plan, &options, threads, &none)?;
        let (count, parts) = (gram.len(env)?, gram.len(env)? / none.moduli().max(1));
        let mut sums = Vec::with_capacity(none.moduli());
        for first in (0..count).step_by(parts.max(1)) {
            let parts = first..count.min(first + parts);
            sums.push(GramAccumulator::from_parts(parts.map(|i| gram_part(env, &gram, i)))?);
        }
        let sums = RealGramAccumulator::from_sums(numbers.ranges().clone(), sums)?;
        let gram = GramOfFloats::new(&sums, options.method)?;
        drop(sums);
        let records = records(env, &column_records)?;
        Ok(Arc::new(Decomposition::of_floats(plan, options, gram, &records, threads)?))
    })
}

/// `long fromBytes0(byte[] bytes)`.
#[jni_mangle("io.tomobasis.jni.Decomposition")]
pub fn from_bytes0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, bytes: JByteArray<'local>) -> jlong {
    make(env, |env| {
        let bytes = byte_array(env, &bytes)?;
        room(bytes.len().saturating_mul(2))?;
        let decomposition = Decomposition::from_bytes(&bytes)?;
        Ok(Arc::new(decomposition))
    })
}

handle::native_object!("io.tomobasis.jni.Decomposition", Shared);

/// `byte[] toBytes0(long handle)`.
#[jni_mangle("io.tomobasis.jni.Decomposition")]
pub fn to_bytes0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) -> JByteArray<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let decomposition = unsafe { handle::get::<Shared>(handle) }?;
        Ok(env.byte_array_from_slice(&decomposition.to_bytes()?)?)
    })
}

/// `String[] notes0(long handle)`: what decoding found that is to be told, in sentences.
#[jni_mangle("io.tomobasis.jni.Decomposition")]
pub fn notes0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) -> JObject<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let decomposition = unsafe { handle::get::<Shared>(handle) }?;
        let notes: Vec<&str> = decomposition.notes.iter().map(|note| note.text.as_str()).collect();
        new_strings(env, notes)
    })
}

/// `double[] singularValues0(long handle)`.
#[jni_mangle("io.tomobasis.jni.Decomposition")]
pub fn singular_values0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
) -> JDoubleArray<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let decomposition = unsafe { handle::get::<Shared>(handle) }?;
        new_doubles(env, &decomposition.s)
    })
}

/// `double[] weights0(long handle)`: `V`, row by row.
#[jni_mangle("io.tomobasis.jni.Decomposition")]
pub fn weights0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) -> JDoubleArray<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let decomposition = unsafe { handle::get::<Shared>(handle) }?;
        new_doubles(env, &decomposition.v)
    })
}

/// `double[] cumulativeEnergy0(long handle)`.
#[jni_mangle("io.tomobasis.jni.Decomposition")]
pub fn cumulative_energy0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
) -> JDoubleArray<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let decomposition = unsafe { handle::get::<Shared>(handle) }?;
        new_doubles(env, &decomposition.cumulative_energy())
    })
}

/// `double energy0(long handle)`.
#[jni_mangle("io.tomobasis.jni.Decomposition")]
pub fn energy0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) -> jdouble {
    native(env, |_| {
        // SAFETY: a live handle of this class.
        let decomposition = unsafe { handle::get::<Shared>(handle) }?;
        Ok(decomposition.energy)
    })
}

/// `String root0(long handle, byte[][] blockRecords)`.
#[jni_mangle("io.tomobasis.jni.Decomposition")]
pub fn root0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    block_records: JObjectArray<'local, JByteArray<'local>>,
) -> JObject<'local> {
    of_blocks(env, handle, &block_records, |decomposition, records| {
        Ok(result::root(decomposition, records)?.to_string())
    })
}

/// `String summary0(long handle, byte[][] blockRecords)`: JSON.
#[jni_mangle("io.tomobasis.jni.Decomposition")]
pub fn summary0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    block_records: JObjectArray<'local, JByteArray<'local>>,
) -> JObject<'local> {
    of_blocks(env, handle, &block_records, result::summary)
}

/// A text about a decomposition and the records of its row blocks.
fn of_blocks<'local>(
    env: EnvUnowned<'local>,
    handle: jlong,
    block_records: &JObjectArray<'local, JByteArray<'local>>,
    text: impl FnOnce(&Decomposition, &[BlockRecord]) -> tomobasis_pipeline::Result<String>,
) -> JObject<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let decomposition = unsafe { handle::get::<Shared>(handle) }?;
        let records = byte_arrays(env, block_records)?;
        let records = records.iter().map(|record| BlockRecord::from_bytes(record));
        let records = records.collect::<Result<Vec<_>, _>>()?;
        new_string(env, &text(decomposition, &records)?)
    })
}

/// `int composites0(long handle)`: how many are rendered.
#[jni_mangle("io.tomobasis.jni.Decomposition")]
pub fn composites0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) -> jint {
    native(env, |_| {
        // SAFETY: a live handle of this class.
        let decomposition = unsafe { handle::get::<Shared>(handle) }?;
        Ok(decomposition.composites.len() as jint)
    })
}

/// `String closing0(long handle, String root, String output)`: the last lines of a run.
#[jni_mangle("io.tomobasis.jni.Decomposition")]
pub fn closing0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    root: JString<'local>,
    output: JString<'local>,
) -> JObject<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let decomposition = unsafe { handle::get::<Shared>(handle) }?;
        let (root, output) = (string(env, &root)?, string(env, &output)?);
        new_string(env, &closing_text(decomposition, &root, &output))
    })
}

/// `ResultFiles finish0(long handle, byte[][] blockRecords, byte[][] derivedRecords, NamedFile[] pictures, String
/// environmentJson)`: all files of the result folder but the blocks', the derived slices' and `_SUCCESS`.
#[jni_mangle("io.tomobasis.jni.Decomposition")]
pub fn finish0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    block_records: JObjectArray<'local, JByteArray<'local>>,
    derived_records: JObjectArray<'local, JByteArray<'local>>,
    pictures: JObjectArray<'local, JObject<'local>>,
    environment_json: JString<'local>,
) -> JObject<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let decomposition = unsafe { handle::get::<Shared>(handle) }?;
        let records = byte_arrays(env, &block_records)?;
        let records =
            records.iter().map(|bytes| BlockRecord::from_bytes(bytes)).collect::<Result<Vec<_>, _>>()?;
        let derived = byte_arrays(env, &derived_records)?;
        let derived = derived.iter().map(|bytes| DerivedRecord::all_from_bytes(bytes));
        let derived = derived.collect::<Result<Vec<_>, _>>()?.concat();
        let pictures = named_file::from_java(env, &pictures)?;
        let environment = json(env, &environment_json)?;
        let (manifest, files) = result::finish(decomposition, &records, &derived, pictures, environment)?;
        let root = env.new_string(manifest.digests.root.to_string())?.auto();
        let files = named_file::to_java(env, &files)?.auto();
        let arguments = [JValue::Object(&root), JValue::Object(&files)];
        let signature = jni_sig!("(Ljava/lang/String;[Lio/tomobasis/jni/NamedFile;)V");
        Ok(env.new_object(jni_str!("io/tomobasis/jni/ResultFiles"), signature, &arguments)?)
    })
}
