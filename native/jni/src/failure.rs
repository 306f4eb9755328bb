//! From Rust errors and panics to Java exceptions.

use std::{any::Any, collections::TryReserveError, io};

use jni::{
    Env, EnvUnowned,
    errors::{Error as JniError, ErrorPolicy},
    jni_str,
    strings::{JNIStr, JNIString},
};
use tomobasis_dicom::check_room;
use tomobasis_pipeline::{Error, is_no_fault_of_input};

/// What can end a native method.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Our own error: becomes the exception of its exit code.
    #[error(transparent)]
    Ours(#[from] Error),
    /// A JNI call failed; usually a Java exception is pending.
    #[error("JNI: {0}")]
    Jni(#[from] JniError),
    /// What was found in the input, in words that are complete.
    #[error("{0}")]
    BadInput(String),
    /// A local file cannot be read.
    #[error("{}", .0.kind())]
    LocalFile(io::Error),
    /// No memory for what a file needs.
    #[error("out of memory outside the Java heap; give the container more, or use more partitions")]
    Memory,
    /// An argument that the Java side should not have let through.
    #[error("{0}")]
    Argument(String),
}

impl Failure {
    /// That a local file cannot be read; where that says nothing of the file, another one cannot be read either.
    pub(crate) fn local_file(error: io::Error) -> Self {
        match is_no_fault_of_input(&error) {
            true => Self::Ours(Error::unreadable_input(error)),
            false => Self::LocalFile(error),
        }
    }
}

impl Failure {
    /// Whether something is wrong with the input, which another try finds as it is.
    pub(crate) fn is_bad_input(&self) -> bool {
        matches!(self, Self::BadInput(_)) || matches!(self, Self::Ours(error) if error.exit_code() == 3)
    }
}

impl From<tomobasis_dicom::Error> for Failure {
    fn from(error: tomobasis_dicom::Error) -> Self {
        Self::Ours(error.into())
    }
}

impl From<tomobasis_linalg::Error> for Failure {
    fn from(error: tomobasis_linalg::Error) -> Self {
        Self::Ours(error.into())
    }
}

impl From<TryReserveError> for Failure {
    fn from(_: TryReserveError) -> Self {
        Self::Memory
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Argument(format!("this JSON is not what this library wrote ({error})"))
    }
}

pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// Refuses a call for whose buffers there is no room: once it runs, an allocation that failed would end the JVM.
pub(crate) fn room(bytes: usize) -> Result<()> {
    Ok(check_room::<u8>(bytes)?)
}

/// Runs the body of a native method; errors and panics leave as Java exceptions, with a null or zero result.
pub(crate) fn native<'local, T: Default>(
    mut env: EnvUnowned<'local>,
    body: impl FnOnce(&mut Env<'local>) -> Result<T>,
) -> T {
    env.with_env(body).resolve::<ToJavaException>()
}

struct ToJavaException;

impl<T: Default> ErrorPolicy<T, Failure> for ToJavaException {
    type Captures<'unowned_env_local: 'native_method, 'native_method> = ();

    fn on_error<'unowned_env_local: 'native_method, 'native_method>(
        env: &mut Env<'unowned_env_local>,
        _: &mut (),
        failure: Failure,
    ) -> jni::errors::Result<T> {
        let class = match &failure {
            Failure::Ours(Error::Linalg(tomobasis_linalg::Error::Damaged { .. })) => {
                jni_str!("io/tomobasis/jni/DamagedException")
            }
            Failure::Ours(error) => match error.exit_code() {
                2 => jni_str!("io/tomobasis/jni/UsageException"),
                3 => jni_str!("io/tomobasis/jni/InputException"),
                _ => COMPUTATION,
            },
            Failure::BadInput(_) => jni_str!("io/tomobasis/jni/InputException"),
            Failure::Jni(JniError::NullPtr(_)) => jni_str!("java/lang/NullPointerException"),
            Failure::Jni(_) | Failure::Memory => COMPUTATION,
            Failure::LocalFile(_) => jni_str!("io/tomobasis/jni/LocalFileException"),
            Failure::Argument(_) => jni_str!("java/lang/IllegalArgumentException"),
        };
        throw(env, class, &failure.to_string());
        Ok(T::default())
    }

    fn on_panic<'unowned_env_local: 'native_method, 'native_method>(
        env: &mut Env<'unowned_env_local>,
        _: &mut (),
        payload: Box<dyn Any + Send + 'static>,
    ) -> jni::errors::Result<T> {
        throw(env, COMPUTATION, &Error::of_panic(payload.as_ref()).to_string());
        Ok(T::default())
    }
}

const COMPUTATION: &JNIStr = jni_str!("io/tomobasis/jni/ComputationException");

fn throw(env: &mut Env<'_>, class: &JNIStr, message: &str) {
    if env.exception_check() {
        return;
    }
    // `throw_new` reports the exception that it made as an error; that is what is wanted here.
    let _thrown = env.throw_new(class, JNIString::from(message));
}
