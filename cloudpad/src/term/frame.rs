//! A text that takes the place of the one before it on a terminal, as characters. Pure.

use cloudpad_plugin_api::model::TerminalSize;

/// Goes to the beginning of what was drawn before, and of the line.
const UP: &str = "\x1b[";
const TO_LINE_END: &str = "\x1b[K";
const TO_SCREEN_END: &str = "\x1b[J";
/// Clears all that is seen and begins at the top.
const CLEAR: &str = "\x1b[H\x1b[2J";

/// What is seen of the text that was drawn last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Frame {
    /// How many lines it has.
    lines: usize,
    /// The terminal as it was then.
    size: Option<TerminalSize>,
}

impl Frame {
    /// The characters that draw `text`, which may have no controls, in place of this frame, and the frame that it is then. Each line
    /// is written over the one before it, and only what is left over is cleared, so that nothing flickers.
    pub(super) fn redraw(self, text: &str, size: TerminalSize) -> (String, Self) {
        let lines = fit(text, size);
        let mut drawn = match self.lines {
            0 => String::new(),
            // The terminal has broken its lines anew: where they begin is not known any more.
            _ if self.size != Some(size) => CLEAR.to_owned(),
            lines => format!("{UP}{lines}A\r"),
        };
        for line in &lines {
            drawn += line;
            drawn += TO_LINE_END;
            drawn += "\n";
        }
        drawn += TO_SCREEN_END;
        (drawn, Self { lines: lines.len(), size: Some(size) })
    }
}

/// As much of the text as there is room for, with a line below it free: a terminal that is written full scrolls.
fn fit(text: &str, size: TerminalSize) -> Vec<String> {
    let (rows, columns) = (usize::from(size.rows).max(3) - 1, usize::from(size.columns).max(2) - 1);
    let all: Vec<&str> = text.lines().collect();
    let mut lines: Vec<String> = all.iter().take(rows).map(|line| cut(line, columns)).collect();
    if all.len() > rows {
        lines.truncate(rows - 1);
        lines.push(cut(&format!("… {} more lines", all.len() - lines.len()), columns));
    }
    lines
}

/// The line, or its beginning and a sign that there is more.
fn cut(line: &str, columns: usize) -> String {
    if line.chars().count() <= columns {
        return line.to_owned();
    }
    line.chars().take(columns - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: TerminalSize = TerminalSize { rows: 4, columns: 7 };

    /// A terminal that understands what is drawn, and nothing else.
    struct Screen {
        rows: Vec<String>,
        row: usize,
        column: usize,
    }

    impl Screen {
        /// One on which something was printed before.
        fn after(printed: &str) -> Self {
            let mut screen = Self { rows: vec![String::new(); 4], row: 0, column: 0 };
            screen.show(printed);
            screen
        }

        fn show(&mut self, drawn: &str) {
            let mut rest = drawn;
            while let Some(c) = rest.chars().next() {
                let sequence = rest.strip_prefix("\x1b[").map(|rest| rest.find(char::is_alphabetic).unwrap());
                let length = sequence.map_or(c.len_utf8(), |at| at + 3);
                match &rest[..length] {
                    "\r" => self.column = 0,
                    // As a terminal does with what programs write that do not ask for less.
                    "\n" => self.line_feed(),
                    "\x1b[K" => self.erase(),
                    "\x1b[J" => {
                        self.erase();
                        self.rows[self.row + 1..].fill(String::new());
                    }
                    "\x1b[H" => (self.row, self.column) = (0, 0),
                    "\x1b[2J" => self.rows.fill(String::new()),
                    up if up.starts_with('\x1b') => self.row -= up[2..up.len() - 1].parse::<usize>().unwrap(),
                    _ => self.put(c),
                }
                rest = &rest[length..];
            }
        }

        fn line_feed(&mut self) {
            self.column = 0;
            match self.row + 1 == self.rows.len() {
                true => self.rows.rotate_left(1),
                false => self.row += 1,
            }
        }

        fn put(&mut self, c: char) {
            assert!(self.column + 1 < usize::from(SIZE.columns), "it is written to the edge");
            let mut row: Vec<char> = self.rows[self.row].chars().collect();
            row.resize(row.len().max(self.column + 1), ' ');
            row[self.column] = c;
            self.rows[self.row] = row.into_iter().collect();
            self.column += 1;
        }

        fn erase(&mut self) {
            self.rows[self.row] = self.rows[self.row].chars().take(self.column).collect();
        }
    }

    #[test]
    fn a_text_takes_the_place_of_the_one_before_it_and_of_nothing_else() {
        let mut screen = Screen::after("$ ps\n");
        let (drawn, frame) = Frame::default().redraw("ab\ncd\n", SIZE);
        screen.show(&drawn);
        assert_eq!(screen.rows, ["$ ps", "ab", "cd", ""]);
        let (drawn, frame) = frame.redraw("x\n", SIZE);
        assert!(!drawn.contains("2J"), "{drawn:?}");
        screen.show(&drawn);
        assert_eq!(screen.rows, ["$ ps", "x", "", ""]);
        screen.show(&frame.redraw("y\nz\n", SIZE).0);
        assert_eq!(screen.rows, ["$ ps", "y", "z", ""]);
    }

    #[test]
    fn what_has_no_room_is_cut() {
        let mut screen = Screen::after("$ ps\n");
        let (drawn, frame) = Frame::default().redraw("123456\n1234567\n3\n4\n5\n", SIZE);
        screen.show(&drawn);
        assert_eq!(screen.rows, ["123456", "12345…", "… 3 m…", ""]);
        screen.show(&frame.redraw("a\n", SIZE).0);
        assert_eq!(screen.rows, ["a", "", "", ""]);
    }

    #[test]
    fn another_size_begins_anew() {
        let frame = Frame::default().redraw("a\n", SIZE).1;
        let (drawn, _) = frame.redraw("a\n", TerminalSize { rows: 9, ..SIZE });
        assert!(drawn.starts_with(CLEAR), "{drawn:?}");
    }
}
