//! `Archive`: what files an archive holds, read through Java, and deflated files to their bytes.

use std::{
    io::{self, Read, Seek, SeekFrom},
    ops::Range,
};

use jni::{
    Env, EnvUnowned, jni_mangle, jni_sig, jni_str,
    objects::{JByteArray, JClass, JObject, JValue},
    sys::{jboolean, jint, jlong},
};
use tomobasis_dicom::Unread;
use tomobasis_pipeline::input::archive;

use crate::{
    archive_entry,
    arrays::{byte_array, new_objects, new_string, size},
    failure::native,
};

/// Bytes that are read at a time at most.
const BUFFER: usize = 64 << 10;

/// `ArchiveEntry[] entries0(long length, Archive.Source source)`: null when it is no archive.
#[jni_mangle("io.tomobasis.jni.Archive")]
pub fn entries0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    length: jlong,
    source: JObject<'local>,
) -> JObject<'local> {
    native(env, |env| {
        let mut file = JavaFile::new(env, &source, length.cast_unsigned(), BUFFER)?;
        let Some(kind) = archive::kind_of(&mut file)? else { return Ok(JObject::null()) };
        let files = archive::list(kind, &mut file)?;
        new_objects(file.env, archive_entry::CLASS, &files, archive_entry::object)
    })
}

/// `byte[] inflate0(byte[] deflated, long start, int count, long crc)`; no checksum when `crc` is negative.
#[jni_mangle("io.tomobasis.jni.Archive")]
pub fn inflate0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    deflated: JByteArray<'local>,
    start: jlong,
    count: jint,
    crc: jlong,
) -> JByteArray<'local> {
    native(env, |env| {
        let deflated = byte_array(env, &deflated)?;
        let part = start.cast_unsigned()..start.cast_unsigned() + size::<u64>(count, "count")?;
        let bytes = archive::inflate(&deflated, part, u32::try_from(crc).ok())?;
        Ok(env.byte_array_from_slice(&bytes)?)
    })
}

/// `void check0(byte[] file, long crc)`.
#[jni_mangle("io.tomobasis.jni.Archive")]
pub fn check0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, file: JByteArray<'local>, crc: jlong) {
    native(env, |env| {
        let file = byte_array(env, &file)?;
        Ok(archive::check(&file, u32::try_from(crc).ok()).map_err(archive::damaged)?)
    })
}

/// `String damage(boolean truncated)`: the message about an archive that is damaged or truncated.
#[jni_mangle("io.tomobasis.jni.Archive")]
pub fn damage<'local>(env: EnvUnowned<'local>, _: JClass<'local>, truncated: jboolean) -> JObject<'local> {
    native(env, |env| {
        let kind = if truncated { io::ErrorKind::UnexpectedEof } else { io::ErrorKind::InvalidData };
        new_string(env, &archive::damaged(kind).to_string())
    })
}

/// `String damagedFile()`: the message about one file of an archive.
#[jni_mangle("io.tomobasis.jni.Archive")]
pub fn damaged_file<'local>(env: EnvUnowned<'local>, _: JClass<'local>) -> JObject<'local> {
    native(env, |env| new_string(env, &Unread::Damaged.to_string()))
}

/// `String damagedKind()`: the same as `Inventory.addUnread` takes it.
#[jni_mangle("io.tomobasis.jni.Archive")]
pub fn damaged_kind<'local>(env: EnvUnowned<'local>, _: JClass<'local>) -> JObject<'local> {
    native(env, |env| new_string(env, &serde_json::to_string(&Unread::Damaged)?))
}

/// A file whose bytes Java gives: `int read(long position, byte[] buffer, int count)`.
pub(crate) struct JavaFile<'call, 'local> {
    env: &'call mut Env<'local>,
    source: &'call JObject<'local>,
    buffer: JByteArray<'local>,
    at_once: usize,
    length: u64,
    position: u64,
    /// An exception is pending, which no call into Java may follow.
    failed: bool,
}

impl Read for JavaFile<'_, '_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.length.saturating_sub(self.position)).unwrap_or(usize::MAX);
        let count = bytes.len().min(self.at_once).min(left);
        if count == 0 {
            return Ok(0);
        }
        if self.failed {
            return Err(io::ErrorKind::Other.into());
        }
        let read = self.read_some(count, bytes).map_err(|error| {
            self.failed = true;
            io::Error::other(error)
        })?;
        self.position += read as u64;
        Ok(read)
    }
}

impl<'call, 'local> JavaFile<'call, 'local> {
    pub(crate) fn new(
        env: &'call mut Env<'local>,
        source: &'call JObject<'local>,
        length: u64,
        at_once: usize,
    ) -> jni::errors::Result<Self> {
        let buffer = JByteArray::new(env, at_once)?;
        Ok(Self { env, source, buffer, at_once, length, position: 0, failed: false })
    }

    /// A part of it, or as much of that part as there is.
    pub(crate) fn read_part(&mut self, part: Range<u64>) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.position = part.start;
        self.take(part.end.saturating_sub(part.start)).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn read_some(&mut self, count: usize, bytes: &mut [u8]) -> jni::errors::Result<usize> {
        let arguments = [
            JValue::Long(self.position.cast_signed()),
            JValue::Object(&self.buffer),
            JValue::Int(count as jint),
        ];
        let read =
            self.env.call_method(self.source, jni_str!("read"), jni_sig!("(J[BI)I"), &arguments)?.i()?;
        let read = usize::try_from(read).unwrap_or_default().min(count);
        self.buffer.get_region(self.env, 0, bytemuck::cast_slice_mut(&mut bytes[..read]))?;
        Ok(read)
    }
}

impl Seek for JavaFile<'_, '_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.length.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
