//! `SliceDecoder`: file bytes to stored pixels.

use jni::{
    EnvUnowned, jni_mangle,
    objects::{JByteArray, JClass, JShortArray, JString},
    sys::{jint, jlong},
};
use tomobasis_dicom::SeriesPlan;

use crate::{
    arrays::{size, string},
    failure::native,
    handle,
};

/// `long create(String planJson)`.
#[jni_mangle("io.tomobasis.kernels.SliceDecoder")]
pub fn create<'local>(env: EnvUnowned<'local>, _: JClass<'local>, plan_json: JString<'local>) -> jlong {
    native(env, |env| {
        let plan: SeriesPlan = serde_json::from_str(&string(env, &plan_json)?)?;
        Ok(handle::create(plan))
    })
}

/// `void free(long handle)`.
#[jni_mangle("io.tomobasis.kernels.SliceDecoder")]
pub fn free<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) {
    native(env, |_| {
        // SAFETY: NativeObject frees a handle of this class once, when no call uses it.
        unsafe { handle::free::<SeriesPlan>(handle) };
        Ok(())
    })
}

/// `byte[] decode0(long handle, int slice, String name, byte[] file, short[] out, int offset)`: the slice's digest; its pixels
/// go to `out` from `offset` on.
#[jni_mangle("io.tomobasis.kernels.SliceDecoder")]
pub fn decode0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    slice: jint,
    name: JString<'local>,
    file: JByteArray<'local>,
    out: JShortArray<'local>,
    offset: jint,
) -> JByteArray<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let plan = unsafe { handle::get::<SeriesPlan>(handle) }?;
        let slice = size(slice, "slice")?;
        let file = env.convert_byte_array(&file)?;
        let mut pixels = vec![0; plan.pixels()];
        let name = string(env, &name)?;
        let digest = tomobasis_dicom::decode(plan, slice, &file, &mut pixels)
            .inspect_err(|_| log::debug!("slice {slice}: the file at fault is {name}"))?;
        out.set_region(env, offset, &pixels)?;
        Ok(env.byte_array_from_slice(&digest)?)
    })
}
