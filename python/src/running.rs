//! A call on threads of its own. The calling thread waits without the GIL; ten times a second it looks whether a signal came
//! (Ctrl-C), and it hands the progress to Python's function.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use pyo3::prelude::*;
use tomobasis_pipeline::{memory, progress::Progress};

use crate::failure::Failure;

/// How long a signal waits at the most.
const TICK: Duration = Duration::from_millis(100);

/// What the working threads tell.
enum Event {
    Stage { name: String, total: u64 },
    Advance(u64),
    Message(String),
    Done,
}

/// How the working threads tell of their progress, and learn that they are to stop.
pub(crate) struct Watch<'a> {
    stop: &'a AtomicBool,
    events: Sender<Event>,
}

impl Watch<'_> {
    /// # Errors
    /// [`Failure::Stopped`] when the work is to stop.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if self.stopped() { Err(Failure::Stopped) } else { Ok(()) }
    }

    /// A stage of the work begins.
    pub(crate) fn begin(&self, name: &str, total: usize) {
        self.stage(0, 0, name, "", total as u64);
    }

    fn tell(&self, event: Event) {
        // Nobody listens any more only when the call is over.
        let _over = self.events.send(event);
    }
}

impl Progress for Watch<'_> {
    fn stage(&self, _: usize, _: usize, name: &str, _: &str, total: u64) {
        self.tell(Event::Stage { name: name.to_owned(), total });
    }

    fn advance(&self, count: u64) {
        self.tell(Event::Advance(count));
    }

    fn message(&self, text: &str) {
        self.tell(Event::Message(text.to_owned()));
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// Runs `work` on a pool of `threads` threads (0: one per core). `progress(stage, done, total)` is called from this thread.
pub(crate) fn run<T: Send>(
    py: Python<'_>,
    threads: usize,
    progress: Option<Py<PyAny>>,
    work: impl FnOnce(&Watch<'_>) -> Result<T, Failure> + Send,
) -> PyResult<T> {
    run_alone(py, progress, |watch| memory::pool(threads)?.install(|| work(watch)))
}

/// [`run`] of what has its own pool.
pub(crate) fn run_alone<T: Send>(
    py: Python<'_>,
    progress: Option<Py<PyAny>>,
    work: impl FnOnce(&Watch<'_>) -> Result<T, Failure> + Send,
) -> PyResult<T> {
    let result = py.detach(move || {
        let stop = &AtomicBool::new(false);
        let (sender, events) = channel();
        thread::scope(|scope| {
            let work = move || {
                let watch = Watch { stop, events: sender };
                let result = catch_unwind(AssertUnwindSafe(|| work(&watch)))
                    .unwrap_or_else(|payload| Err(Failure::of_panic(payload.as_ref())));
                watch.tell(Event::Done);
                result
            };
            let worker = thread::Builder::new()
                .spawn_scoped(scope, work)
                .map_err(|error| tomobasis_linalg::Error::Threads(error.to_string()))?;
            let told = listen(&events, stop, progress.as_ref());
            let result = worker.join().unwrap_or_else(|payload| Err(Failure::of_panic(payload.as_ref())));
            // What stopped the work, not that it stopped.
            told.map_err(Failure::from).and(result)
        })
    });
    Ok(result?)
}

/// Hears the working threads out.
fn listen(events: &Receiver<Event>, stop: &AtomicBool, progress: Option<&Py<PyAny>>) -> PyResult<()> {
    let mut first = Ok(());
    let (mut stage, mut done, mut of) = (String::new(), 0, 0);
    let mut looked = Instant::now();
    loop {
        let event = match events.recv_timeout(TICK) {
            Ok(Event::Done) | Err(RecvTimeoutError::Disconnected) => return first,
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => None,
        };
        let outcome = match event {
            None => Python::attach(|py| py.check_signals()),
            Some(Event::Message(text)) => Python::attach(|py| log_message(py, &text)),
            Some(event) => {
                match event {
                    Event::Stage { name, total } => (stage, done, of) = (name, 0, total),
                    Event::Advance(count) => done += count,
                    Event::Message(_) | Event::Done => {}
                }
                match progress {
                    Some(progress) => Python::attach(|py| {
                        py.check_signals()?;
                        progress.call1(py, (&stage, done, of)).map(|_| ())
                    }),
                    // Where there is something to hear all the time.
                    None if looked.elapsed() >= TICK => {
                        looked = Instant::now();
                        Python::attach(|py| py.check_signals())
                    }
                    None => Ok(()),
                }
            }
        };
        if let Err(error) = outcome
            && first.is_ok()
        {
            stop.store(true, Ordering::Relaxed);
            first = Err(error);
        }
    }
}

fn log_message(py: Python<'_>, text: &str) -> PyResult<()> {
    let logger = py.import("logging")?.call_method1("getLogger", ("tomobasis",))?;
    logger.call_method1("info", ("%s", text)).map(|_| ())
}
