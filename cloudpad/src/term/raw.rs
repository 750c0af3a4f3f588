//! A terminal that hands on each key as it is typed, or shows none. I/O: the terminal at standard input.

use std::io;
use std::sync::{Mutex, PoisonError};

use cloudpad_plugin_api::model::TerminalSize;
use rustix::stdio::{stdin, stdout};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

/// How the terminal was, while it is another.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// A terminal that was changed. It is as before when this is gone, also where a panic is the reason.
pub struct Raw(());

impl Raw {
    /// Makes the terminal raw.
    ///
    /// # Errors
    /// When standard input is no terminal.
    pub fn enter() -> io::Result<Self> {
        Self::change(Termios::make_raw)
    }

    /// Has the terminal not show what is typed; else it is as it was.
    ///
    /// # Errors
    /// When standard input is no terminal.
    pub fn unseen() -> io::Result<Self> {
        Self::change(|terminal| terminal.local_modes.remove(LocalModes::ECHO))
    }

    fn change(change: impl FnOnce(&mut Termios)) -> io::Result<Self> {
        let before = tcgetattr(stdin())?;
        let mut after = before.clone();
        change(&mut after);
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
        tcsetattr(stdin(), OptionalActions::Drain, &after)?;
        Ok(Self(()))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        restore();
    }
}

/// Makes the terminal as it was before it was changed, if it was: for an end of the process that drops nothing.
pub fn restore() {
    let before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(before) = before {
        let _ = tcsetattr(stdin(), OptionalActions::Drain, &before);
    }
}

/// The size of the terminal at standard output.
pub fn size() -> Option<TerminalSize> {
    let size = tcgetwinsize(stdout()).ok()?;
    Some(TerminalSize { rows: size.ws_row, columns: size.ws_col })
}
