//! `MatrixSource`: the files of a matrix, read through Java.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use jni::{
    AttachConfig, AttachmentExceptionPolicy, Env, EnvUnowned, JavaVM, jni_mangle, jni_sig, jni_str,
    objects::{JByteArray, JClass, JDoubleArray, JLongArray, JObject, JObjectArray, JString, JValue},
    refs::{Global, IntoAuto},
    sys::{jint, jlong},
};
use tomobasis_pipeline::{
    input::matrix::{ListedFile, MatrixSource, ReadAt, Summary, normalized, plan_of_rows},
    options::Options,
};

use crate::{
    arrays::{byte_array, json, new_doubles, new_strings, size, strings, with_doubles},
    failure::{Failure, Result, native, room},
    handle, series_plan,
};

/// Bytes that are asked for at a time at most.
const AT_ONCE: usize = 8 << 20;

/// What reads files for native code: `void read(int file, long position, byte[] buffer, int count)`.
struct JavaReader {
    vm: JavaVM,
    reader: Global<JObject<'static>>,
    /// An exception is pending, which no call into Java may follow.
    failed: AtomicBool,
}

/// One of these files.
struct JavaPart {
    reader: Arc<JavaReader>,
    file: jint,
    length: u64,
}

impl JavaReader {
    fn new(env: &Env<'_>, reader: &JObject<'_>) -> Result<Arc<Self>> {
        let (vm, reader) = (env.get_java_vm()?, env.new_global_ref(reader)?);
        Ok(Arc::new(Self { vm, reader, failed: AtomicBool::new(false) }))
    }

    fn read(&self, env: &mut Env<'_>, file: jint, bytes: &mut [u8], at: u64) -> jni::errors::Result<()> {
        let buffer = JByteArray::new(env, bytes.len())?;
        let arguments = [
            JValue::Int(file),
            JValue::Long(at.cast_signed()),
            JValue::Object(&buffer),
            JValue::Int(bytes.len() as jint),
        ];
        env.call_method(&self.reader, jni_str!("read"), jni_sig!("(IJ[BI)V"), &arguments)?;
        buffer.get_region(env, 0, bytemuck::cast_slice_mut(bytes))
    }
}

impl ReadAt for JavaPart {
    fn length(&self) -> u64 {
        self.length
    }

    fn read_at(&self, bytes: &mut [u8], at: u64) -> io::Result<()> {
        let reader = &self.reader;
        if at.checked_add(bytes.len() as u64).is_none_or(|end| end > self.length) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        for (i, piece) in bytes.chunks_mut(AT_ONCE).enumerate() {
            if reader.failed.load(Ordering::Relaxed) {
                return Err(io::ErrorKind::Other.into());
            }
            // The exception stays pending: it is what the caller gets.
            let config = || AttachConfig::new().exceptions_policy(AttachmentExceptionPolicy::Ignore);
            let place = at + (i * AT_ONCE) as u64;
            let read = reader.vm.attach_current_thread_with_config(config, Some(8), |env| {
                reader.read(env, self.file, piece, place)
            });
            read.map_err(|error| {
                reader.failed.store(true, Ordering::Relaxed);
                io::Error::other(error)
            })?;
        }
        Ok(())
    }
}

/// `long open0(String optionsJson, String[] names, long[] lengths, Reader reader)`.
#[jni_mangle("io.tomobasis.jni.MatrixSource")]
pub fn open0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    options_json: JString<'local>,
    names: JObjectArray<'local, JString<'local>>,
    lengths: JLongArray<'local>,
    reader: JObject<'local>,
) -> jlong {
    make(env, |env| {
        let options: Options = json(env, &options_json)?;
        let names = strings(env, &names)?;
        let mut all = vec![0; lengths.len(env)?];
        lengths.get_region(env, 0, &mut all)?;
        let reader = JavaReader::new(env, &reader)?;
        // What cannot be read has a negative length.
        let part = |file: usize, length: &jlong| {
            let length = u64::try_from(*length).ok()?;
            Some(Arc::new(JavaPart { reader: reader.clone(), file: file as jint, length }) as Arc<dyn ReadAt>)
        };
        let files = names.into_iter().zip(&all).enumerate();
        let listed = files.map(|(file, (name, length))| ListedFile { name, bytes: part(file, length) });
        Ok(MatrixSource::open(listed.collect(), &options)?)
    })
}

/// `long fromBytes0(byte[] bytes)`.
#[jni_mangle("io.tomobasis.jni.MatrixSource")]
pub fn from_bytes0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, bytes: JByteArray<'local>) -> jlong {
    make(env, |env| Ok(MatrixSource::from_bytes(&byte_array(env, &bytes)?)?))
}

handle::native_object!("io.tomobasis.jni.MatrixSource", MatrixSource);

/// `byte[] toBytes0(long handle)`.
#[jni_mangle("io.tomobasis.jni.MatrixSource")]
pub fn to_bytes0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) -> JByteArray<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let source = unsafe { handle::get::<MatrixSource>(handle) }?;
        Ok(env.byte_array_from_slice(&source.to_bytes()?)?)
    })
}

/// `SeriesPlan plan0(long handle)`.
#[jni_mangle("io.tomobasis.jni.MatrixSource")]
pub fn plan0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) -> JObject<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let source = unsafe { handle::get::<MatrixSource>(handle) }?;
        series_plan::of_matrix(env, &source.plan())
    })
}

/// `String[] notes0(long handle)`.
#[jni_mangle("io.tomobasis.jni.MatrixSource")]
pub fn notes0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) -> JObject<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let source = unsafe { handle::get::<MatrixSource>(handle) }?;
        new_strings(env, source.note().as_deref())
    })
}

/// `double[] read0(long handle, long[] lengths, int firstBlock, int blocks, Reader reader)`; the lengths are those of all listed files.
#[jni_mangle("io.tomobasis.jni.MatrixSource")]
pub fn read0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    lengths: JLongArray<'local>,
    first: jint,
    blocks: jint,
    reader: JObject<'local>,
) -> JDoubleArray<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let source = unsafe { handle::get::<MatrixSource>(handle) }?;
        let (first, blocks): (u32, u32) = (size(first, "firstBlock")?, size(blocks, "blocks")?);
        let blocks = first..first.saturating_add(blocks);
        room(source.bytes(blocks.clone()))?;
        let mut all = vec![0; lengths.len(env)?];
        lengths.get_region(env, 0, &mut all)?;
        let reader = JavaReader::new(env, &reader)?;
        let parts = source.files().iter().map(|&file| {
            let length = all.get(file).copied().and_then(|length| u64::try_from(length).ok());
            let part =
                JavaPart { reader: reader.clone(), file: file as jint, length: length.unwrap_or_default() };
            Arc::new(part) as Arc<dyn ReadAt>
        });
        let values = source.read(parts.collect(), blocks)?;
        new_doubles(env, &values)
    })
}

/// `byte[] summary0(int firstBlock, int columns, double[][] blocks)`: what consecutive row blocks are.
#[jni_mangle("io.tomobasis.jni.MatrixSource")]
pub fn summary0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    first: jint,
    columns: jint,
    blocks: JObjectArray<'local, JDoubleArray<'local>>,
) -> JByteArray<'local> {
    native(env, |env| {
        let columns: usize = size(columns, "columns")?;
        let mut summary = Summary::new(columns)?;
        for i in 0..blocks.len(env)? {
            let block = blocks.get_element(env, i)?.auto();
            let index: u32 = size(first, "firstBlock")?;
            with_doubles(env, &block, |_, values| {
                let rows = values.len() / columns.max(1);
                Ok::<_, Failure>(summary.add(index + i as u32, values, rows)?)
            })?;
        }
        Ok(env.byte_array_from_slice(&summary.to_bytes()?)?)
    })
}

/// `SeriesPlan planOfRows0(String optionsJson, int rows, int columns)`: of a matrix that is in no file.
#[jni_mangle("io.tomobasis.jni.MatrixSource")]
pub fn plan_of_rows0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    options_json: JString<'local>,
    rows: jint,
    columns: jint,
) -> JObject<'local> {
    native(env, |env| {
        let options: Options = json(env, &options_json)?;
        let plan = plan_of_rows(size(rows, "rows")?, size(columns, "columns")?, &options)?;
        series_plan::of_matrix(env, &plan)
    })
}

/// `double[] normalized0(int block, int columns, double[] values)`: of a row block that is in no file.
#[jni_mangle("io.tomobasis.jni.MatrixSource")]
pub fn normalized0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    block: jint,
    columns: jint,
    values: JDoubleArray<'local>,
) -> JDoubleArray<'local> {
    native(env, |env| {
        let (block, columns) = (size(block, "block")?, size(columns, "columns")?);
        let values = with_doubles(env, &values, |_, values| {
            room(8 * values.len())?;
            Ok::<_, Failure>(normalized(block, columns, values.to_vec())?)
        })?;
        new_doubles(env, &values)
    })
}
