//! `NativeLibrary`: what this build is.

use jni::{
    EnvUnowned, jni_mangle, jni_sig, jni_str,
    objects::{JClass, JObject, JValue},
    refs::IntoAuto,
    sys::{jint, jlong},
};

use crate::{arrays::new_string, failure::native, memory};

/// `int blockRows()`: rows of a row block.
#[jni_mangle("io.tomobasis.jni.NativeLibrary")]
pub fn block_rows<'local>(env: EnvUnowned<'local>, _: JClass<'local>) -> jint {
    native(env, |_| Ok(tomobasis_linalg::BLOCK_ROWS as jint))
}

/// `BuildInfo buildInfo()`: version, Gram kernel chosen for this machine, its instruction sets.
#[jni_mangle("io.tomobasis.jni.NativeLibrary")]
pub fn build_info<'local>(env: EnvUnowned<'local>, _: JClass<'local>) -> JObject<'local> {
    native(env, |env| {
        let version = new_string(env, env!("CARGO_PKG_VERSION"))?.auto();
        let kernel = new_string(env, tomobasis_linalg::kernel_name())?.auto();
        let instruction_set = new_string(env, &tomobasis_pipeline::result::instruction_set())?.auto();
        let arguments = [JValue::Object(&version), JValue::Object(&kernel), JValue::Object(&instruction_set)];
        let signature = jni_sig!("(Ljava/lang/String;Ljava/lang/String;Ljava/lang/String;)V");
        Ok(env.new_object(jni_str!("io/tomobasis/jni/BuildInfo"), signature, &arguments)?)
    })
}

/// `long allocatedBytes()`: bytes that are allocated, in blocks that are counted.
#[jni_mangle("io.tomobasis.jni.NativeLibrary")]
pub fn allocated_bytes<'local>(env: EnvUnowned<'local>, _: JClass<'local>) -> jlong {
    native(env, |_| Ok(memory::now()))
}

/// `long takeAllocatedPeak()`: the most since it was taken last.
#[jni_mangle("io.tomobasis.jni.NativeLibrary")]
pub fn take_allocated_peak<'local>(env: EnvUnowned<'local>, _: JClass<'local>) -> jlong {
    native(env, |_| Ok(memory::take_most()))
}
