//! `Decomposition`: the driver's part, and the small files of the result.

use std::sync::Arc;

use jni::{
    Env, EnvUnowned, jni_mangle,
    objects::{JByteArray, JClass, JObject, JObjectArray, JString},
    refs::IntoAuto,
    sys::{jint, jlong},
};
use tomobasis_dicom::SliceRecord;
use tomobasis_linalg::{GramAccumulator, GramPart};
use tomobasis_pipeline::{BlockRecord, Decomposition, derived::DerivedRecord, memory, result};

use crate::{
    arrays::{byte_array, byte_arrays, new_string, size, string},
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

/// `long compute0(String planJson, String optionsJson, byte[][] gram, byte[] sliceRecords, int threads)`; the records are those of
/// all slices, in series order.
#[jni_mangle("io.tomobasis.kernels.Decomposition")]
pub fn compute0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    plan_json: JString<'local>,
    options_json: JString<'local>,
    gram: JObjectArray<'local, JByteArray<'local>>,
    slice_records: JByteArray<'local>,
    threads: jint,
) -> jlong {
    native(env, |env| {
        let plan = serde_json::from_str(&string(env, &plan_json)?)?;
        let options = serde_json::from_str(&string(env, &options_json)?)?;
        let threads = size(threads, "threads")?;
        memory::check_solver(&plan, &options, threads)?;
        let parts = (0..gram.len(env)?).map(|i| {
            let part = gram.get_element(env, i)?.auto();
            Ok::<_, Failure>(GramPart::from_bytes(&byte_array(env, &part)?)?)
        });
        let gram = GramAccumulator::from_parts(parts)?;
        let records = records(env, &slice_records)?;
        let decomposition = Decomposition::compute(plan, options, &gram, &records, threads)?;
        Ok(handle::create::<Shared>(Arc::new(decomposition)))
    })
}

/// `long fromBytes0(byte[] bytes)`.
#[jni_mangle("io.tomobasis.kernels.Decomposition")]
pub fn from_bytes0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, bytes: JByteArray<'local>) -> jlong {
    native(env, |env| {
        let bytes = byte_array(env, &bytes)?;
        room(bytes.len().saturating_mul(2))?;
        let decomposition = Decomposition::from_bytes(&bytes)?;
        Ok(handle::create::<Shared>(Arc::new(decomposition)))
    })
}

/// `void free(long handle)`.
#[jni_mangle("io.tomobasis.kernels.Decomposition")]
pub fn free<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) {
    native(env, |_| {
        // SAFETY: NativeObject frees a handle of this class once, when no call uses it.
        unsafe { handle::free::<Shared>(handle) };
        Ok(())
    })
}

/// `byte[] toBytes0(long handle)`.
#[jni_mangle("io.tomobasis.kernels.Decomposition")]
pub fn to_bytes0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) -> JByteArray<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let decomposition = unsafe { handle::get::<Shared>(handle) }?;
        Ok(env.byte_array_from_slice(&decomposition.to_bytes()?)?)
    })
}

/// `String summary0(long handle)`: [`result::Summary`] as JSON.
#[jni_mangle("io.tomobasis.kernels.Decomposition")]
pub fn summary0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) -> JObject<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let decomposition = unsafe { handle::get::<Shared>(handle) }?;
        new_string(env, &serde_json::to_string(&result::summary(decomposition))?)
    })
}

/// `NamedFile[] finish0(long handle, byte[][] blockRecords, byte[][] derivedRecords, NamedFile[] pictures, String
/// environmentJson)`: all files of the result folder but the blocks', the derived slices' and `_SUCCESS`.
#[jni_mangle("io.tomobasis.kernels.Decomposition")]
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
        let environment = serde_json::from_str(&string(env, &environment_json)?)?;
        let (_, files) = result::finish(decomposition, &records, &derived, pictures, environment)?;
        named_file::to_java(env, &files)
    })
}
