//! `BlockPass`: what one pass does with row blocks.

use std::sync::Arc;

use jni::{
    EnvUnowned, jni_mangle,
    objects::{JByteArray, JClass},
    sys::jlong,
};
use tomobasis_pipeline::solve::passes::BlockPass;

use crate::{arrays::byte_array, failure::room, handle};

/// What a handle of this class is: shared with the partial results of it.
pub(crate) type Shared = Arc<BlockPass<'static>>;

/// `long create(byte[] pass)`.
#[jni_mangle("io.tomobasis.jni.BlockPass")]
pub fn create<'local>(env: EnvUnowned<'local>, _: JClass<'local>, pass: JByteArray<'local>) -> jlong {
    make(env, |env| {
        let bytes = byte_array(env, &pass)?;
        room(bytes.len().saturating_mul(2))?;
        let pass = BlockPass::from_bytes(&bytes)?;
        Ok(Arc::new(pass))
    })
}

handle::native_object!("io.tomobasis.jni.BlockPass", Shared);
