//! Progress on stderr: a bar where somebody watches, plain lines where a log is written.

use std::{
    fmt::Write,
    io::IsTerminal,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use tomobasis_dicom::printable_lines;
use tomobasis_pipeline::progress::Progress;

use crate::output::tell;

/// Time between two lines of a stage in a log.
const INTERVAL: Duration = Duration::from_secs(5);

/// Whether nothing is shown.
static QUIET: AtomicBool = AtomicBool::new(false);

/// Shows nothing from now on (`--quiet`), or everything.
pub(crate) fn set_quiet(quiet: bool) {
    QUIET.store(quiet, Ordering::Relaxed);
}

/// Prints a line to stderr, unless nothing is to be shown.
fn show(line: &str) {
    if !QUIET.load(Ordering::Relaxed) {
        tell(line);
    }
}

/// Shows one stage after the other. A stage's last state stays on the screen.
pub(crate) struct Reporter {
    terminal: bool,
    stage: Mutex<Option<Stage>>,
}

struct Stage {
    title: String,
    unit: String,
    bar: ProgressBar,
    began: Instant,
    told: Instant,
}

impl Reporter {
    pub(crate) fn new() -> Self {
        let terminal = std::io::stderr().is_terminal() && !QUIET.load(Ordering::Relaxed);
        Self { terminal, stage: Mutex::new(None) }
    }

    /// The last stage is over.
    pub(crate) fn finish(&self) {
        self.with(|stage| {
            if let Some(stage) = stage.take() {
                stage.bar.finish_and_clear();
                show(&stage.done());
            }
        });
    }

    fn with(&self, act: impl FnOnce(&mut Option<Stage>)) {
        // A thread that panicked while it reported does not keep others from reporting.
        act(&mut self.stage.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    }
}

impl Stage {
    fn done(&self) -> String {
        let seconds = self.began.elapsed().as_secs_f64();
        format!("{}  {}/{} {}  {seconds:.1} s", self.title, self.bar.position(), self.length(), self.unit)
    }

    fn length(&self) -> u64 {
        self.bar.length().unwrap_or_default()
    }

    fn on_the_way(&self) -> String {
        let (title, unit, position) = (&self.title, &self.unit, self.bar.position());
        format!("{title}  {position}/{} {unit}  {}", self.length(), left(position, self.bar.eta()))
    }
}

/// Time left; none is told before a first unit is done, which is all that a stage of one unit ever shows.
fn left(position: u64, eta: Duration) -> String {
    if position == 0 { "working".to_owned() } else { format!("{} s left", eta.as_secs()) }
}

impl Progress for Reporter {
    fn stage(&self, number: usize, of: usize, name: &str, unit: &str, total: u64) {
        self.finish();
        let title = format!("[{number}/{of}] {name:<9}");
        let target = if self.terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(total), target)
            .with_prefix(title.clone())
            .with_message(unit.to_owned());
        if let Ok(style) = ProgressStyle::with_template("{prefix}  [{bar:30}] {pos}/{len} {msg}  {left}") {
            let key = |state: &ProgressState, text: &mut dyn Write| {
                // Nobody can be told that the terminal is gone.
                let _ = text.write_str(&left(state.pos(), state.eta()));
            };
            bar.set_style(style.with_key("left", key).progress_chars("=> "));
        }
        let now = Instant::now();
        self.with(|stage| *stage = Some(Stage { title, unit: unit.to_owned(), bar, began: now, told: now }));
    }

    fn advance(&self, count: u64) {
        self.with(|stage| {
            if let Some(stage) = stage {
                stage.bar.inc(count);
                if !self.terminal && stage.told.elapsed() >= INTERVAL {
                    stage.told = Instant::now();
                    show(&stage.on_the_way());
                }
            }
        });
    }

    fn message(&self, text: &str) {
        self.finish();
        show(&format!("      {}", printable_lines(text)));
    }
}
