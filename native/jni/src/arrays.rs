//! Java arrays and strings to Rust values and back.

use std::cell::RefCell;

use jni::{
    Env, jni_str,
    objects::{JByteArray, JDoubleArray, JIntArray, JLongArray, JObject, JObjectArray, JShortArray, JString},
    refs::IntoAuto,
    strings::JNIStr,
    sys::{jint, jlong},
};
use serde::de::DeserializeOwned;
use tomobasis_dicom::zeros;

use crate::failure::{Failure, Result};

/// A Java string.
pub(crate) fn string(env: &Env<'_>, text: &JString<'_>) -> Result<String> {
    Ok(text.try_to_string(env)?)
}

/// The value whose JSON a Java string holds.
pub(crate) fn json<T: DeserializeOwned>(env: &Env<'_>, text: &JString<'_>) -> Result<T> {
    Ok(serde_json::from_str(&string(env, text)?)?)
}

/// A new Java string.
pub(crate) fn new_string<'local>(env: &mut Env<'local>, text: &str) -> Result<JObject<'local>> {
    Ok(env.new_string(text)?.into())
}

/// All elements of an `int[]`.
pub(crate) fn ints(env: &mut Env<'_>, array: &JIntArray<'_>) -> Result<Vec<jint>> {
    let mut all = vec![0; array.len(env)?];
    array.get_region(env, 0, &mut all)?;
    Ok(all)
}

/// All elements of a `String[]`.
pub(crate) fn strings(env: &mut Env<'_>, array: &JObjectArray<'_, JString<'_>>) -> Result<Vec<String>> {
    let mut all = Vec::with_capacity(array.len(env)?);
    for i in 0..array.len(env)? {
        let element = array.get_element(env, i)?.auto();
        all.push(string(env, &element)?);
    }
    Ok(all)
}

/// A new Java string; null for none.
pub(crate) fn optional_string<'local>(env: &mut Env<'local>, text: Option<&str>) -> Result<JObject<'local>> {
    text.map_or_else(|| Ok(JObject::null()), |text| new_string(env, text))
}

/// A new array of a Java class, with an object of it for each item; local references are dropped one by one, so that there may be any
/// number.
pub(crate) fn new_objects<'local, T>(
    env: &mut Env<'local>,
    class: &JNIStr,
    items: &[T],
    mut object: impl FnMut(&mut Env<'local>, &T) -> Result<JObject<'local>>,
) -> Result<JObject<'local>> {
    let array = env.new_object_array(items.len() as jint, class, JObject::null())?;
    for (i, item) in items.iter().enumerate() {
        let element = object(env, item)?.auto();
        array.set_element(env, i, &*element)?;
    }
    Ok(array.into())
}

/// A new `String[]`.
pub(crate) fn new_strings<'local, 'text>(
    env: &mut Env<'local>,
    texts: impl IntoIterator<Item = &'text str>,
) -> Result<JObject<'local>> {
    let texts: Vec<&str> = texts.into_iter().collect();
    new_objects(env, jni_str!("java/lang/String"), &texts, |env, text| new_string(env, text))
}

/// A copy of a `byte[]`.
pub(crate) fn byte_array(env: &Env<'_>, array: &JByteArray<'_>) -> Result<Vec<u8>> {
    let mut all = zeros(array.len(env)?)?;
    array.get_region(env, 0, bytemuck::cast_slice_mut(&mut all))?;
    Ok(all)
}

/// All elements of a `byte[][]`; local references are dropped one by one, so that there may be any number.
pub(crate) fn byte_arrays(
    env: &mut Env<'_>,
    arrays: &JObjectArray<'_, JByteArray<'_>>,
) -> Result<Vec<Vec<u8>>> {
    let mut all = Vec::with_capacity(arrays.len(env)?);
    for i in 0..arrays.len(env)? {
        let element = arrays.get_element(env, i)?.auto();
        all.push(byte_array(env, &element)?);
    }
    Ok(all)
}

/// All elements of a `double[]`.
pub(crate) fn doubles(env: &Env<'_>, array: &JDoubleArray<'_>) -> Result<Vec<f64>> {
    let mut all = zeros(array.len(env)?)?;
    array.get_region(env, 0, &mut all)?;
    Ok(all)
}

/// All elements of a `short[]`.
pub(crate) fn shorts(env: &Env<'_>, array: &JShortArray<'_>) -> Result<Vec<i16>> {
    let mut all = zeros(array.len(env)?)?;
    array.get_region(env, 0, &mut all)?;
    Ok(all)
}

/// A new `short[]`.
pub(crate) fn new_shorts<'local>(env: &mut Env<'local>, values: &[i16]) -> Result<JShortArray<'local>> {
    let array = JShortArray::new(env, values.len())?;
    array.set_region(env, 0, values)?;
    Ok(array)
}

/// A new `int[]`.
pub(crate) fn new_ints<'local>(env: &mut Env<'local>, values: &[jint]) -> Result<JIntArray<'local>> {
    let array = JIntArray::new(env, values.len())?;
    array.set_region(env, 0, values)?;
    Ok(array)
}

/// A new `long[]`; numbers that are too large are the largest.
pub(crate) fn new_longs<'local>(env: &mut Env<'local>, values: &[u64]) -> Result<JLongArray<'local>> {
    let values: Vec<jlong> =
        values.iter().map(|&value| jlong::try_from(value).unwrap_or(jlong::MAX)).collect();
    let array = JLongArray::new(env, values.len())?;
    array.set_region(env, 0, &values)?;
    Ok(array)
}

/// A new `double[]`.
pub(crate) fn new_doubles<'local>(env: &mut Env<'local>, values: &[f64]) -> Result<JDoubleArray<'local>> {
    let array = JDoubleArray::new(env, values.len())?;
    array.set_region(env, 0, values)?;
    Ok(array)
}

/// A new `byte[]` of these pieces, one after another.
pub(crate) fn new_byte_array<'local>(env: &mut Env<'local>, pieces: &[&[u8]]) -> Result<JByteArray<'local>> {
    let array = JByteArray::new(env, pieces.iter().map(|piece| piece.len()).sum())?;
    let mut start = 0;
    for piece in pieces {
        array.set_region(env, start, bytemuck::cast_slice(piece))?;
        start += piece.len() as jint;
    }
    Ok(array)
}

/// A new `byte[][]`.
pub(crate) fn new_byte_arrays<'local>(env: &mut Env<'local>, all: &[Vec<u8>]) -> Result<JObject<'local>> {
    let arrays = JObjectArray::<JByteArray<'_>>::new(env, all.len(), JByteArray::null())?;
    for (i, bytes) in all.iter().enumerate() {
        let element = env.byte_array_from_slice(bytes)?.auto();
        arrays.set_element(env, i, &*element)?;
    }
    Ok(arrays.into())
}

thread_local! {
    /// The block that a task thread works on; the memory lives from block to block.
    static SHORTS: RefCell<Vec<i16>> = RefCell::default();
    /// The same of floats.
    static DOUBLES: RefCell<Vec<f64>> = RefCell::default();
}

/// Hands a copy of a `short[]` to `work`.
///
/// Pinning the array would save the copy, but holds up the garbage collector meanwhile; Java 17 then can report too little
/// memory where there is enough (JDK-8192647).
pub(crate) fn with_shorts<'local, T>(
    env: &mut Env<'local>,
    array: &JShortArray<'_>,
    work: impl FnOnce(&mut Env<'local>, &[i16]) -> Result<T>,
) -> Result<T> {
    SHORTS.with_borrow_mut(|buffer| {
        let count = array.len(env)?;
        if buffer.len() < count {
            *buffer = Vec::new();
            *buffer = zeros(count)?;
        }
        let values = &mut buffer[..count];
        array.get_region(env, 0, values)?;
        work(env, values)
    })
}

/// Hands a copy of a `double[]` to `work`.
pub(crate) fn with_doubles<'local, T>(
    env: &mut Env<'local>,
    array: &JDoubleArray<'_>,
    work: impl FnOnce(&mut Env<'local>, &[f64]) -> Result<T>,
) -> Result<T> {
    DOUBLES.with_borrow_mut(|buffer| {
        let count = array.len(env)?;
        if buffer.len() < count {
            *buffer = Vec::new();
            *buffer = zeros(count)?;
        }
        let values = &mut buffer[..count];
        array.get_region(env, 0, values)?;
        work(env, values)
    })
}

/// A Java `int` that must not be negative.
pub(crate) fn size<T: TryFrom<jint>>(value: jint, name: &str) -> Result<T> {
    T::try_from(value).map_err(|_| Failure::Argument(format!("{name} must not be negative: {value}")))
}
