//! The only writer to stdout and stderr. I/O: terminal.
//!
//! stdout is the data that was asked for; everything else goes to stderr. What cannot be written is
//! dropped: a closed pipe or a full disk must not stop a deploy. That data was lost is told in the end.

mod bars;
mod frame;
mod harmless;
mod raw;
mod screen;
mod unseen;

use std::io::{self, BufRead, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use anstream::{AutoStream, ColorChoice};
use cloudpad_plugin_api::{Event as During, Failure, Level};

use crate::config::HookPoint;
use crate::refusal::Refusal;
use crate::report::{Event, HookStep, Phase, Subject};
use crate::words;
use bars::Bars;
use harmless::harmless;
pub use raw::{Raw, restore as restore_terminal, size as terminal_size};
pub use screen::Screen;
pub use unseen::Unseen;

/// What the user wants to see.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Data as JSON, and no text but warnings and errors.
    pub json: bool,
    /// Events as JSON lines on stdout.
    pub events: bool,
    /// Only data and errors.
    pub quiet: bool,
    /// Also what is begun, and what tools print.
    pub verbose: bool,
    /// When to colour.
    pub colour: ColorChoice,
}

/// The terminal, or whatever stands in its place.
pub struct Term {
    style: Style,
    out: Mutex<Output>,
    lost: OnceLock<io::Error>,
    closed: AtomicBool,
    err: Mutex<Output>,
    err_is_coloured: bool,
    bars: Option<Bars>,
    interactive: bool,
}

type Output = AutoStream<Box<dyn Write + Send>>;

const BOLD: &str = "\x1b[1m";
const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[33m";
const GREEN: &str = "\x1b[32m";
const DIM: &str = "\x1b[2m";
const RESET: &str = "\x1b[0m";

impl Term {
    /// The process's own terminal.
    pub fn of_process(style: Style) -> Self {
        let (out, err) = (io::stdout(), io::stderr());
        let out_choice = resolve(style.colour, AutoStream::choice(&out));
        let err_choice = resolve(style.colour, AutoStream::choice(&err));
        let live = err.is_terminal() && !style.json && !style.quiet;
        Self {
            style,
            interactive: io::stdin().is_terminal() && err.is_terminal(),
            err_is_coloured: err_choice != ColorChoice::Never,
            lost: OnceLock::new(),
            closed: AtomicBool::new(false),
            out: Mutex::new(AutoStream::new(Box::new(out), out_choice)),
            err: Mutex::new(AutoStream::new(Box::new(err), err_choice)),
            bars: live.then(Bars::new),
        }
    }

    /// Whether a process can have our terminal as its own.
    pub fn is_terminal(&self) -> bool {
        io::stdin().is_terminal() && io::stdout().is_terminal()
    }

    /// Whether there is someone to ask.
    pub fn is_interactive(&self) -> bool {
        self.interactive && !self.style.json
    }

    /// Whether events are printed as JSON.
    pub fn is_json(&self) -> bool {
        self.style.json
    }

    /// Whether errors are coloured.
    pub fn is_coloured(&self) -> bool {
        self.err_is_coloured
    }

    /// Prints data that was asked for.
    pub fn data(&self, text: &str) {
        let text = harmless(text);
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            // Whoever has closed a pipe wants no more.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed.store(true, Ordering::Relaxed)
            }
            Err(error) => drop(self.lost.set(error)),
            Ok(()) => {}
        }
    }

    /// Writes bytes as they are to stdout, or stderr.
    ///
    /// # Errors
    /// When they cannot be written, such as to a pipe that somebody has closed.
    pub fn bytes(&self, to_stderr: bool, bytes: &[u8]) -> io::Result<()> {
        match to_stderr {
            true => io::stderr().lock().write_all(bytes),
            false => {
                let mut out = io::stdout().lock();
                out.write_all(bytes).and_then(|()| out.flush())
            }
        }
    }

    /// Whether somebody has closed the pipe into which data is printed.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Why data that was asked for could not be written, if some was lost.
    pub fn lost(&self) -> Option<&io::Error> {
        self.lost.get()
    }

    /// Prints text for people, unless only errors or JSON are wanted.
    pub fn status(&self, text: &str) {
        if !self.is_reticent() {
            self.say(text);
        }
    }

    /// Whether [`status`](Self::status) prints nothing, such as a plan.
    pub fn is_reticent(&self) -> bool {
        self.style.quiet || self.style.json
    }

    /// Whether nothing is wanted but data and what is wrong.
    pub fn is_quiet(&self) -> bool {
        self.style.quiet
    }

    /// Prints text for people who want to see more.
    pub fn detail(&self, text: &str) {
        if self.style.verbose {
            self.status(text);
        }
    }

    /// Prints text for people that they need to answer a question.
    pub fn ask_about(&self, text: &str) {
        self.say(text);
    }

    /// Prints a line that something else has written to its standard error, and that was asked for.
    pub fn aside(&self, text: &str) {
        self.say(text);
    }

    /// Prints something that should be mended, though the work goes on.
    pub fn warn(&self, text: &str) {
        self.say(&format!("{YELLOW}warning{RESET}: {text}"));
    }

    /// Prints why something does not work.
    pub fn error(&self, text: &str) {
        self.say(&format!("{RED}error{RESET}: {text}"));
    }

    /// Prints why nothing was done. `render` turns problems of the config into text.
    pub fn refusal(&self, refusal: &Refusal, render: impl FnOnce(&[crate::config::Problem]) -> String) {
        match refusal {
            Refusal::Message { message, hint } => {
                let hint = hint.as_ref().map(|hint| format!("\n  hint: {hint}")).unwrap_or_default();
                self.error(&format!("{message}{hint}"));
            }
            Refusal::Problems(problems) => self.say(render(problems).trim_end()),
            Refusal::Stopped => self.error(Refusal::STOPPED),
            Refusal::Failures(failures) => {
                for failure in failures {
                    self.error(&with_host(failure));
                }
            }
        }
    }

    /// Prints a line that a plugin has written for people, where the user wants to see what is printed.
    pub fn plugin(&self, name: &str, line: &str) {
        if self.style.verbose {
            self.status(&format!("{DIM}{name} | {RESET}{line}"));
        }
    }

    /// Asks a question that is answered with yes or no; anything but yes is no.
    pub fn confirm(&self, question: &str) -> bool {
        {
            let mut err = self.err.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = write!(err, "{BOLD}{question}{RESET} [y/N] ").and_then(|()| err.flush());
        }
        let mut answer = String::new();
        let read = io::stdin().lock().read_line(&mut answer);
        read.is_ok() && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
    }

    /// Asks a question, and returns the line that is the answer.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub fn answer(&self, question: &str) -> io::Result<String> {
        {
            let mut err = self.err.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = write!(err, "{BOLD}{question}{RESET}").and_then(|()| err.flush());
        }
        let mut answer = String::new();
        match io::stdin().lock().read_line(&mut answer)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(answer.strip_suffix('\n').unwrap_or(&answer).to_owned()),
        }
    }

    /// Shows an event: as JSON on stdout, or as text and bars on stderr.
    pub fn event(&self, event: &Event) {
        if self.style.events {
            // Events hold nothing that JSON could not say.
            if let Ok(line) = serde_json::to_string(event) {
                self.data(&(line + "\n"));
            }
        }
        match event {
            Event::Started { phase, action } => self.started(*phase, action),
            Event::During { phase, action, detail } => self.during(*phase, action, detail),
            Event::Done { phase, action, ms, reply } => {
                self.finish_bar(*phase, action);
                if *phase != Phase::Look || self.style.verbose {
                    let what = words::did(action, reply);
                    self.line(GREEN, action, &format!("{what} {DIM}({}){RESET}", words::seconds(*ms)));
                }
            }
            // A bar tells by itself how long it has been there.
            Event::Waiting { actions, .. } if self.bars.is_none() => {
                words::waiting(actions).iter().for_each(|line| self.status(line));
            }
            Event::Failed { phase, action, ms: _, error } => self.failed(*phase, action, error),
            Event::Phase { phase: Phase::Undo, notes, .. } => {
                self.status("taking back what was changed");
                notes.iter().for_each(|note| self.warn(&note.message));
            }
            Event::Hook { hook, command, step } => self.hook(*hook, command, step),
            Event::Run { .. }
            | Event::Plan { .. }
            | Event::Phase { .. }
            | Event::Waiting { .. }
            | Event::Report(_) => {}
        }
    }

    fn hook(&self, point: HookPoint, command: &str, step: &HookStep) {
        let name = point.name();
        match step {
            HookStep::Started => self.status(&format!("{name}: {command}")),
            HookStep::Output { line } => self.status(&format!("{DIM}{name} | {RESET}{line}")),
            HookStep::Done { ms } if self.style.verbose => {
                self.status(&format!("{GREEN}{name}: {RESET}done {DIM}({}){RESET}", words::seconds(*ms)));
            }
            HookStep::Done { .. } => {}
            // That of one that comes before is why nothing is done.
            HookStep::Failed { .. } if point.is_before() => {}
            HookStep::Failed { error, .. } => self.warn(&words::failure(error)),
        }
    }

    fn started(&self, phase: Phase, action: &Subject) {
        if let Some(bars) = &self.bars {
            bars.start(phase, action);
        }
        if self.style.verbose {
            self.line(DIM, action, &words::doing(action));
        }
    }

    fn during(&self, phase: Phase, action: &Subject, detail: &During) {
        match detail {
            During::Log { level: Level::Warn, message } => {
                self.warn(&format!("{}{message}", prefix(action)));
            }
            During::Log { level: Level::Info, message } => self.line("", action, message),
            During::Log { level: Level::Debug, message } if self.style.verbose => {
                self.line(DIM, action, message);
            }
            During::Output { source, line, .. } => {
                if let Some(bars) = &self.bars {
                    bars.output(phase, action, &harmless(line));
                }
                if self.style.verbose {
                    let source = if source.is_empty() { String::new() } else { format!("{source} | ") };
                    self.line(DIM, action, &format!("{source}{line}"));
                }
            }
            During::Progress(progress) => {
                if let Some(bars) = &self.bars {
                    bars.progress(phase, action, progress);
                }
            }
            _ => {}
        }
    }

    fn failed(&self, phase: Phase, action: &Subject, error: &Failure) {
        self.finish_bar(phase, action);
        // A failed look is judged, and told, by whoever looked.
        if phase != Phase::Look {
            self.error(&format!("{}{}", prefix(action), words::failure(error)));
        }
    }

    fn finish_bar(&self, phase: Phase, action: &Subject) {
        if let Some(bars) = &self.bars {
            bars.finish(phase, action);
        }
    }

    fn line(&self, colour: &str, action: &Subject, text: &str) {
        self.status(&format!("{colour}{}{RESET}{text}", prefix(action)));
    }

    fn say(&self, text: &str) {
        let write = || {
            let mut err = self.err.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = writeln!(err, "{}", harmless(text)).and_then(|()| err.flush());
        };
        match &self.bars {
            Some(bars) => bars.suspend(write),
            None => write(),
        }
    }
}

fn resolve(wanted: ColorChoice, detected: ColorChoice) -> ColorChoice {
    if wanted == ColorChoice::Auto { detected } else { wanted }
}

fn prefix(action: &Subject) -> String {
    action.host.as_ref().map(|host| format!("{host}: ")).unwrap_or_default()
}

fn with_host(failure: &Failure) -> String {
    let host = failure.host.as_ref().map(|host| format!("{host}: ")).unwrap_or_default();
    format!("{host}{}", words::failure(failure))
}
