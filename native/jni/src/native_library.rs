//! `NativeLibrary`: what this build is.

use jni::{
    EnvUnowned, jni_mangle,
    objects::{JClass, JObject},
    sys::jint,
};

use crate::{arrays::new_string, failure::native};

/// `int blockRows()`: rows of a row block.
#[jni_mangle("io.tomobasis.jni.NativeLibrary")]
pub fn block_rows<'local>(env: EnvUnowned<'local>, _: JClass<'local>) -> jint {
    native(env, |_| Ok(tomobasis_linalg::BLOCK_ROWS as jint))
}

/// `String buildInfo()`: version, Gram kernel chosen for this machine, its instruction sets.
#[jni_mangle("io.tomobasis.jni.NativeLibrary")]
pub fn build_info<'local>(env: EnvUnowned<'local>, _: JClass<'local>) -> JObject<'local> {
    native(env, |env| {
        let info = serde_json::json!({
            "version": env!("CARGO_PKG_VERSION"),
            "kernel": tomobasis_linalg::kernel_name(),
            "instruction_set": tomobasis_pipeline::result::instruction_set(),
        });
        new_string(env, &info.to_string())
    })
}
