//! A text on the terminal that is kept up to date in its place. I/O: terminal.

use std::io;

use cloudpad_plugin_api::model::TerminalSize;

use super::Term;
use super::frame::Frame;
use super::harmless::harmless;
use super::raw::{Raw, size};

/// The place of such a text. What was drawn last is left when this is gone.
pub struct Screen<'a> {
    term: &'a Term,
    frame: Frame,
    /// What is typed would shift the text.
    _unseen: Option<Raw>,
}

impl<'a> Screen<'a> {
    /// A place below what was printed so far; none where standard output is no terminal.
    pub fn begin(term: &'a Term) -> Option<Self> {
        size()?;
        Some(Self { term, frame: Frame::default(), _unseen: Raw::unseen().ok() })
    }

    /// Shows this text in place of the one before it, as far as there is room for it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn draw(&mut self, text: &str) -> io::Result<()> {
        let size = size().filter(|size| size.rows > 0 && size.columns > 0);
        let size = size.unwrap_or(TerminalSize { rows: 24, columns: 80 });
        let (drawn, frame) = self.frame.redraw(&harmless(text), size);
        self.frame = frame;
        self.term.bytes(false, drawn.as_bytes())
    }
}
