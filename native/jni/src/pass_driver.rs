//! `PassDriver`: the driver's part of the methods of class `fixed`.

use std::sync::Arc;

use jni::{
    EnvUnowned, jni_mangle,
    objects::{JByteArray, JClass, JObjectArray, JString},
    sys::{jboolean, jint, jlong},
};
use tomobasis_pipeline::{input::Numbers, need, solve::passes::PassDriver};

use crate::{
    arrays::{byte_arrays, json, size},
    decomposition::{self, records},
    failure::{Failure, Result, native},
    handle,
};

/// What a handle of this class is: none once it has become a decomposition.
type Running = Option<PassDriver>;

fn running(driver: Option<&PassDriver>) -> Result<&PassDriver> {
    driver.ok_or_else(finished)
}

fn finished() -> Failure {
    Failure::Argument("the passes are finished".to_owned())
}

/// `long create(String planJson, String optionsJson, boolean real)`; real: of a matrix of floats.
#[jni_mangle("io.tomobasis.jni.PassDriver")]
pub fn create<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    plan_json: JString<'local>,
    options_json: JString<'local>,
    real: jboolean,
) -> jlong {
    make(env, |env| {
        let plan = json(env, &plan_json)?;
        let options = json(env, &options_json)?;
        need::check_solver(&plan, &options, 1)?;
        let numbers = if real { Numbers::Real } else { Numbers::Stored };
        Ok(Some(PassDriver::new(plan, options, numbers)?))
    })
}

handle::native_object!("io.tomobasis.jni.PassDriver", Running);

/// `int left0(long handle)`: passes that are left.
#[jni_mangle("io.tomobasis.jni.PassDriver")]
pub fn left0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) -> jint {
    native(env, |_| {
        // SAFETY: a live handle of this class.
        let driver = unsafe { handle::get::<Running>(handle) }?;
        Ok(jint::try_from(running(driver.as_ref())?.left()).unwrap_or(jint::MAX))
    })
}

/// `void checkResults0(long handle, long limit, int partitions)`.
#[jni_mangle("io.tomobasis.jni.PassDriver")]
pub fn check_results0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    limit: jlong,
    partitions: jint,
) {
    native(env, |_| {
        // SAFETY: a live handle of this class.
        let driver = unsafe { handle::get::<Running>(handle) }?;
        let limit = u64::try_from(limit).unwrap_or(0);
        Ok(running(driver.as_ref())?.check_results(limit, size(partitions, "partitions")?)?)
    })
}

/// `byte[] pass0(long handle)`: null after the last pass.
#[jni_mangle("io.tomobasis.jni.PassDriver")]
pub fn pass0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) -> JByteArray<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let driver = unsafe { handle::get::<Running>(handle) }?;
        match running(driver.as_ref())?.pass() {
            Some(pass) => Ok(env.byte_array_from_slice(&pass.to_bytes()?)?),
            None => Ok(JByteArray::default()),
        }
    })
}

/// `void add0(long handle, byte[][] partials, int threads)`.
#[jni_mangle("io.tomobasis.jni.PassDriver")]
pub fn add0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    partials: JObjectArray<'local, JByteArray<'local>>,
    threads: jint,
) {
    native(env, |env| {
        // SAFETY: a live handle of this class; the Java side synchronizes.
        let driver = unsafe { handle::get_mut::<Running>(handle) }?;
        let (partials, threads) = (byte_arrays(env, &partials)?, size(threads, "threads")?);
        Ok(driver.as_mut().ok_or_else(finished)?.add_bytes(&partials, threads)?)
    })
}

/// `long finish0(long handle, byte[] sliceRecords)`: a handle of `Decomposition`.
#[jni_mangle("io.tomobasis.jni.PassDriver")]
pub fn finish0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    slice_records: JByteArray<'local>,
) -> jlong {
    decomposition::make(env, |env| {
        // SAFETY: a live handle of this class; the Java side synchronizes.
        let driver = unsafe { handle::get_mut::<Running>(handle) }?;
        let records = records(env, &slice_records)?;
        let decomposition = driver.take().ok_or_else(finished)?.finish(&records)?;
        Ok(Arc::new(decomposition))
    })
}
