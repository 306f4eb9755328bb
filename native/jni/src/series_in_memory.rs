//! `SeriesInMemory`: the files of one series, and the run in this process that makes its result.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc::{self, Receiver, SyncSender},
    thread,
};

use jni::{
    Env, EnvUnowned, jni_mangle, jni_sig, jni_str,
    objects::{JByteArray, JClass, JObject, JString, JValue},
    refs::IntoAuto,
    sys::{jint, jlong},
};
use tomobasis_dicom::SeriesPlan;
use tomobasis_pipeline::{
    Error,
    commands::all_series::{self, Place},
    input::listing::InputFile,
    options::Options,
    result::Environment,
    solve::digest::Digest,
};

use crate::{
    arrays::{byte_array, json, new_byte_array, new_string, size, string},
    failure::{Failure, Result, native},
    handle,
};

/// Files of a result that wait to be written.
const WAITING: usize = 2;

/// A series and the files of it that are at hand, by their places in the listing.
#[derive(Clone)]
pub(crate) struct SeriesInMemory {
    plan: SeriesPlan,
    files: BTreeMap<usize, InputFile>,
}

/// `long create(String planJson)`.
#[jni_mangle("io.tomobasis.jni.SeriesInMemory")]
pub fn create<'local>(env: EnvUnowned<'local>, _: JClass<'local>, plan_json: JString<'local>) -> jlong {
    make(env, |env| Ok(SeriesInMemory { plan: json(env, &plan_json)?, files: BTreeMap::new() }))
}

handle::native_object!("io.tomobasis.jni.SeriesInMemory", SeriesInMemory);

/// `void add0(long handle, int file, String name, byte[] bytes)`.
#[jni_mangle("io.tomobasis.jni.SeriesInMemory")]
pub fn add0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    file: jint,
    name: JString<'local>,
    bytes: JByteArray<'local>,
) {
    native(env, |env| {
        // SAFETY: a live handle of this class; the Java side synchronizes.
        let series = unsafe { handle::get_mut::<SeriesInMemory>(handle) }?;
        let held = InputFile::of_bytes(string(env, &name)?, byte_array(env, &bytes)?);
        series.files.insert(size(file, "file")?, held);
        Ok(())
    })
}

/// `String run0(long handle, String optionsJson, int threads, SeriesInMemory.Place place)`: what became of the series, as JSON.
#[jni_mangle("io.tomobasis.jni.SeriesInMemory")]
pub fn run0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    options_json: JString<'local>,
    threads: jint,
    place: JObject<'local>,
) -> JObject<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let series = unsafe { handle::get::<SeriesInMemory>(handle) }?.clone();
        let options: Options = json(env, &options_json)?;
        let threads = size(threads, "threads")?;
        let outcome =
            run(env, &place, |far| all_series::make(series.plan, series.files, &options, threads, far))?;
        new_string(env, &serde_json::to_string(&outcome)?)
    })
}

/// What the run asks of the thread that Java has called.
enum Message {
    Begin(Digest, SyncSender<Option<Environment>>),
    File(String, Vec<u8>),
}

/// A place whose calls are made by the thread that Java has called: others know no JVM.
struct FarPlace(SyncSender<Message>);

impl Place for FarPlace {
    fn begin(&self, fingerprint: Digest) -> std::result::Result<Option<Environment>, Error> {
        let (answer, answered) = mpsc::sync_channel(1);
        self.0.send(Message::Begin(fingerprint, answer)).map_err(|_| Error::Stopped)?;
        answered.recv().map_err(|_| Error::Stopped)
    }

    fn write(&self, path: &str, pieces: &[&[u8]]) -> std::result::Result<(), Error> {
        let file = Message::File(path.to_owned(), pieces.concat());
        self.0.send(file).map_err(|_| Error::Stopped)
    }
}

/// Runs `work` on a thread of its own while this one makes the calls of its place. An exception in one of these ends the run.
fn run<T: Send>(
    env: &mut Env<'_>,
    place: &JObject<'_>,
    work: impl FnOnce(&FarPlace) -> std::result::Result<T, Error> + Send,
) -> Result<T> {
    let (sender, receiver) = mpsc::sync_channel(WAITING);
    thread::scope(|scope| {
        let working = move || {
            // Dropped with the thread's work, so that the receiver ends.
            let far = FarPlace(sender);
            catch_unwind(AssertUnwindSafe(|| work(&far)))
                .unwrap_or_else(|payload| Err(Error::of_panic(payload.as_ref())))
        };
        let worker = thread::Builder::new()
            .name("tomobasis-series".to_owned())
            .spawn_scoped(scope, working)
            .map_err(Failure::local_file)?;
        let called = call(env, place, receiver);
        let done = worker.join().map_err(|payload| Error::of_panic(payload.as_ref()));
        // An exception of the place is why the run has ended.
        called?;
        Ok(done??)
    })
}

fn call(env: &mut Env<'_>, place: &JObject<'_>, receiver: Receiver<Message>) -> Result<()> {
    for message in receiver {
        match message {
            Message::Begin(fingerprint, answer) => {
                let fingerprint = new_string(env, &fingerprint.to_string())?.auto();
                let signature = jni_sig!("(Ljava/lang/String;)Ljava/lang/String;");
                let arguments = [JValue::Object(&fingerprint)];
                let said = env.call_method(place, jni_str!("begin"), signature, &arguments)?.l()?.auto();
                let environment = if said.is_null() {
                    None
                } else {
                    let text = env.as_cast::<JString<'_>>(&*said)?;
                    Some(json(env, &text)?)
                };
                // The run waits for it, or has ended with an error of its own.
                let _sent = answer.send(environment);
            }
            Message::File(path, bytes) => {
                let path = new_string(env, &path)?.auto();
                let bytes = new_byte_array(env, &[&bytes])?.auto();
                let arguments = [JValue::Object(&path), JValue::Object(&bytes)];
                env.call_method(place, jni_str!("write"), jni_sig!("(Ljava/lang/String;[B)V"), &arguments)?;
            }
        }
    }
    Ok(())
}
