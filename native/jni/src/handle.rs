//! Handles: boxed Rust values as Java `long`s.
//!
//! The unsafe part rests on one promise of the Java side (`NativeObject`): a handle comes from this class's `create`, is not used
//! after `free`, and `free` does not run while a call is under way.

use jni::sys::jlong;

use crate::failure::{Failure, Result};

/// Moves a value to where Java keeps it.
pub(crate) fn create<T>(value: T) -> jlong {
    Box::into_raw(Box::new(value)) as jlong
}

/// The value of a handle, for calls that only read it.
///
/// # Safety
/// `handle` is 0 or from [`create`] of the same type, and lives until the call ends.
pub(crate) unsafe fn get<'call, T>(handle: jlong) -> Result<&'call T> {
    // SAFETY: the caller's promise; 0 becomes the null pointer, which `as_ref` turns into None.
    unsafe { (handle as *const T).as_ref() }.ok_or_else(closed)
}

/// The value of a handle, for calls that change it.
///
/// # Safety
/// As for [`get`], and no other call uses the handle at the same time.
pub(crate) unsafe fn get_mut<'call, T>(handle: jlong) -> Result<&'call mut T> {
    // SAFETY: the caller's promise; 0 becomes the null pointer, which `as_mut` turns into None.
    unsafe { (handle as *mut T).as_mut() }.ok_or_else(closed)
}

/// Drops the value of a handle.
///
/// # Safety
/// `handle` is 0 or from [`create`] of the same type and is not used again.
pub(crate) unsafe fn free<T>(handle: jlong) {
    if handle != 0 {
        // SAFETY: the caller's promise.
        drop(unsafe { Box::from_raw(handle as *mut T) });
    }
}

/// What a Java class needs whose handles hold a value of this type: `make`, with which its constructors and factories end, and `void
/// free(long handle)`.
macro_rules! native_object {
    ($class:tt, $value:ty) => {
        /// The handle of a new value.
        pub(crate) fn make<'local>(
            env: jni::EnvUnowned<'local>,
            value: impl FnOnce(&mut jni::Env<'local>) -> crate::failure::Result<$value>,
        ) -> jni::sys::jlong {
            crate::failure::native(env, |env| Ok(crate::handle::create::<$value>(value(env)?)))
        }

        #[doc = "`void free(long handle)`."]
        #[jni::jni_mangle($class)]
        pub fn free<'local>(
            env: jni::EnvUnowned<'local>,
            _: jni::objects::JClass<'local>,
            handle: jni::sys::jlong,
        ) {
            crate::failure::native(env, |_| {
                // SAFETY: NativeObject frees a handle of this class, which is from `make`, once, when no call uses it.
                unsafe { crate::handle::free::<$value>(handle) };
                Ok(())
            })
        }
    };
}
pub(crate) use native_object;

fn closed() -> Failure {
    Failure::Argument("the native object is closed".to_owned())
}
