//! `MemoryNeed`: what the job's processes need beside their Java heaps, and on them.

use jni::{
    Env, EnvUnowned, jni_mangle,
    objects::{JClass, JLongArray, JString},
    sys::{jint, jlong},
};
use tomobasis_pipeline::{
    limits,
    need::{self, Scratch},
};

use crate::{
    arrays::{json, new_longs, size},
    failure::{Result, native},
};

/// `long[] of0(String planJson, String optionsJson, int floatSums, int driverThreads)`.
#[jni_mangle("io.tomobasis.jni.MemoryNeed")]
pub fn of0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    plan_json: JString<'local>,
    options_json: JString<'local>,
    float_sums: jint,
    driver_threads: jint,
) -> JLongArray<'local> {
    native(env, |env| {
        let (plan, options) = (json(env, &plan_json)?, json(env, &options_json)?);
        let (sums, threads) = (size(float_sums, "floatSums")?, size(driver_threads, "driverThreads")?);
        numbers(env, &need::scratch(&plan, &options, sums, threads))
    })
}

/// `long[] assumed0(String optionsJson, int driverThreads)`.
#[jni_mangle("io.tomobasis.jni.MemoryNeed")]
pub fn assumed0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    options_json: JString<'local>,
    driver_threads: jint,
) -> JLongArray<'local> {
    native(env, |env| {
        let options = json(env, &options_json)?;
        numbers(env, &need::assumed(&options, size(driver_threads, "driverThreads")?))
    })
}

/// `void checkDriver0(String planJson, String optionsJson, int driverThreads)`.
#[jni_mangle("io.tomobasis.jni.MemoryNeed")]
pub fn check_driver0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    plan_json: JString<'local>,
    options_json: JString<'local>,
    driver_threads: jint,
) {
    native(env, |env| {
        let (plan, options) = (json(env, &plan_json)?, json(env, &options_json)?);
        Ok(need::check_driver(&plan, &options, size(driver_threads, "driverThreads")?)?)
    })
}

/// `long free0()`: bytes that this process can still have.
#[jni_mangle("io.tomobasis.jni.MemoryNeed")]
pub fn free0<'local>(env: EnvUnowned<'local>, _: JClass<'local>) -> jlong {
    native(env, |_| Ok(jlong::try_from(limits::free()).unwrap_or(jlong::MAX)))
}

fn numbers<'local>(env: &mut Env<'local>, scratch: &Scratch) -> Result<JLongArray<'local>> {
    new_longs(env, &[scratch.task, scratch.executor, scratch.heap, scratch.driver])
}
