//! `MatrixNumbers`: how the numbers of a matrix are kept.

use jni::{
    EnvUnowned, jni_mangle,
    objects::{JByteArray, JClass, JDoubleArray, JObject, JObjectArray, JShortArray, JString},
    sys::{jboolean, jint, jlong},
};
use tomobasis_dicom::SeriesPlan;
use tomobasis_pipeline::input::{Numbers, matrix::MatrixNumbers};

use crate::{
    arrays::{byte_array, byte_arrays, json, new_string, size, with_doubles},
    failure::{Failure, native, room},
    handle,
};

/// `long of0(String planJson, byte[][] summaries)`.
#[jni_mangle("io.tomobasis.jni.MatrixNumbers")]
pub fn of0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    plan_json: JString<'local>,
    summaries: JObjectArray<'local, JByteArray<'local>>,
) -> jlong {
    make(env, |env| {
        let plan = json(env, &plan_json)?;
        Ok(MatrixNumbers::of(&plan, &byte_arrays(env, &summaries)?)?)
    })
}

/// `long fromBytes0(byte[] bytes)`.
#[jni_mangle("io.tomobasis.jni.MatrixNumbers")]
pub fn from_bytes0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, bytes: JByteArray<'local>) -> jlong {
    make(env, |env| Ok(MatrixNumbers::from_bytes(&byte_array(env, &bytes)?)?))
}

handle::native_object!("io.tomobasis.jni.MatrixNumbers", MatrixNumbers);

/// `byte[] toBytes0(long handle)`.
#[jni_mangle("io.tomobasis.jni.MatrixNumbers")]
pub fn to_bytes0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) -> JByteArray<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let numbers = unsafe { handle::get::<MatrixNumbers>(handle) }?;
        Ok(env.byte_array_from_slice(&numbers.to_bytes()?)?)
    })
}

/// `boolean real0(long handle)`: whether they are floats.
#[jni_mangle("io.tomobasis.jni.MatrixNumbers")]
pub fn real0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) -> jboolean {
    native(env, |_| {
        // SAFETY: a live handle of this class.
        let numbers = unsafe { handle::get::<MatrixNumbers>(handle) }?;
        Ok(numbers.numbers() == Numbers::Real)
    })
}

/// `int sums0(long handle)`: sums of integers that their Gram matrix takes.
#[jni_mangle("io.tomobasis.jni.MatrixNumbers")]
pub fn sums0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) -> jint {
    native(env, |_| {
        // SAFETY: a live handle of this class.
        let numbers = unsafe { handle::get::<MatrixNumbers>(handle) }?;
        Ok(numbers.ranges().sums()? as jint)
    })
}

/// `String plan0(long handle, String planJson)`: the plan of a matrix of such numbers.
#[jni_mangle("io.tomobasis.jni.MatrixNumbers")]
pub fn plan0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    plan_json: JString<'local>,
) -> JObject<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let numbers = unsafe { handle::get::<MatrixNumbers>(handle) }?;
        let mut plan: SeriesPlan = json(env, &plan_json)?;
        numbers.set_offset(&mut plan);
        new_string(env, &serde_json::to_string(&plan)?)
    })
}

/// `void check0(long handle, int block, double[] values)`.
#[jni_mangle("io.tomobasis.jni.MatrixNumbers")]
pub fn check0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    block: jint,
    values: JDoubleArray<'local>,
) {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let numbers = unsafe { handle::get::<MatrixNumbers>(handle) }?;
        let block = size(block, "block")?;
        with_doubles(env, &values, |_, values| Ok::<_, Failure>(numbers.check(block, values)?))
    })
}

/// `short[] stored0(long handle, double[] values)`.
#[jni_mangle("io.tomobasis.jni.MatrixNumbers")]
pub fn stored0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    values: JDoubleArray<'local>,
) -> JShortArray<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let numbers = unsafe { handle::get::<MatrixNumbers>(handle) }?;
        let stored = with_doubles(env, &values, |_, values| {
            room(2 * values.len())?;
            Ok::<_, Failure>(numbers.stored(values)?)
        })?;
        let array = JShortArray::new(env, stored.len())?;
        array.set_region(env, 0, &stored)?;
        Ok(array)
    })
}
