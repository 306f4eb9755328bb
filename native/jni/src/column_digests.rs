//! `ColumnDigests`: the records of some columns of a matrix.

use jni::{
    EnvUnowned, jni_mangle,
    objects::{JByteArray, JClass, JDoubleArray},
    sys::{jint, jlong},
};
use tomobasis_pipeline::input::matrix::{ColumnDigests, MatrixNumbers};

use crate::{
    arrays::{size, with_doubles},
    failure::{Failure, native},
    handle,
};

/// `long create(long numbersHandle, int columns)`; what is made may outlive the numbers.
#[jni_mangle("io.tomobasis.jni.ColumnDigests")]
pub fn create<'local>(env: EnvUnowned<'local>, _: JClass<'local>, numbers: jlong, columns: jint) -> jlong {
    make(env, |_| {
        // SAFETY: a live handle of MatrixNumbers, which the Java side keeps open during this call.
        let numbers = unsafe { handle::get::<MatrixNumbers>(numbers) }?.clone();
        Ok(ColumnDigests::new(numbers, size(columns, "columns")?))
    })
}

handle::native_object!("io.tomobasis.jni.ColumnDigests", ColumnDigests);

/// `void add0(long handle, double[] piece)`.
#[jni_mangle("io.tomobasis.jni.ColumnDigests")]
pub fn add0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong, piece: JDoubleArray<'local>) {
    native(env, |env| {
        // SAFETY: a live handle of this class; the Java side synchronizes.
        let columns = unsafe { handle::get_mut::<ColumnDigests>(handle) }?;
        with_doubles(env, &piece, |_, values| Ok::<_, Failure>(columns.add(values)?))
    })
}

/// `byte[] records0(long handle)`: of the columns so far, as `SliceDecoder` returns them.
#[jni_mangle("io.tomobasis.jni.ColumnDigests")]
pub fn records0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) -> JByteArray<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let columns = unsafe { handle::get::<ColumnDigests>(handle) }?;
        let records: Vec<u8> = columns.records().iter().flat_map(|record| record.to_bytes()).collect();
        Ok(env.byte_array_from_slice(&records)?)
    })
}
