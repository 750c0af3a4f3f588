//! What one container has printed, line by line, with the time of each. I/O: the engine.

use std::collections::VecDeque;
use std::pin::Pin;

use bollard::container::LogOutput;
use bollard::errors::Error;
use bollard::query_parameters::LogsOptionsBuilder;
use cloudpad_engine::{failure, status};
use cloudpad_plugin_api::Failure;
use futures_util::{Stream, StreamExt};

use crate::pool::Connection;

/// The longest line in bytes; what is longer goes on in the next.
const LONGEST: usize = 64 * 1024;

/// A line, and when it was printed, in nanoseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) time: Option<i64>,
    pub(super) text: String,
    pub(super) stderr: bool,
}

/// Which lines are asked for.
#[derive(Clone, Copy, Default)]
pub(super) struct Which {
    /// Nothing before this time, in nanoseconds since 1970.
    pub(super) since: Option<i64>,
    /// So many of the last; all where it is not said.
    pub(super) tail: Option<u64>,
    /// Whether to go on until the container ends.
    pub(super) follow: bool,
}

/// The engine's answer, cut into lines.
pub(super) struct Printed {
    name: String,
    output: Pin<Box<dyn Stream<Item = Result<LogOutput, Error>> + Send>>,
    cut: Cut,
}

impl Printed {
    /// What container `id` has printed, as far as it is asked for.
    pub(super) async fn of(host: &Connection, id: &str, name: &str, which: Which) -> Result<Self, Failure> {
        let tail = which.tail.map_or("all".to_owned(), |lines| lines.to_string());
        let options = LogsOptionsBuilder::new().stdout(true).stderr(true).timestamps(true);
        // The client takes whole seconds; what is too early is left out here.
        let since = which.since.map(|nanoseconds| nanoseconds.div_euclid(1_000_000_000));
        let since = i32::try_from(since.unwrap_or_default()).unwrap_or(i32::MAX);
        let options = options.follow(which.follow).tail(&tail).since(since).build();
        let docker = host.engine.patient().await?;
        let output = Box::pin(docker.logs(id, Some(options)));
        Ok(Self { name: name.to_owned(), output, cut: Cut::since(which.since) })
    }

    /// The next line; none when there is no more.
    pub(super) async fn next(&mut self) -> Result<Option<Line>, Failure> {
        loop {
            if let Some(line) = self.cut.lines.pop_front() {
                return Ok(Some(line));
            }
            match self.output.next().await {
                Some(Ok(LogOutput::StdErr { message })) => self.cut.push(&message, true),
                Some(Ok(piece)) => self.cut.push(&piece.into_bytes(), false),
                // It is gone by now.
                Some(Err(error)) if status(&error) == Some(404) => return Ok(None),
                Some(Err(error)) => {
                    return Err(failure(
                        &format!("could not read what container `{}` prints", self.name),
                        &error,
                    ));
                }
                None => {
                    self.cut.finish();
                    return Ok(self.cut.lines.pop_front());
                }
            }
        }
    }
}

/// Cuts the two streams into lines. Each message begins with its time, also one that goes on with a line that was too long for
/// one message.
#[derive(Default)]
pub(super) struct Cut {
    since: Option<i64>,
    open: [Option<Line>; 2],
    lines: VecDeque<Line>,
}

impl Cut {
    /// One that leaves out what was printed before that time, in nanoseconds since 1970.
    pub(super) fn since(since: Option<i64>) -> Self {
        Self { since, ..Self::default() }
    }

    /// Takes in a message of one of the streams.
    pub(super) fn push(&mut self, message: &[u8], stderr: bool) {
        for piece in message.split_inclusive(|byte| *byte == b'\n') {
            let (time, text) = timed(piece);
            let open = &mut self.open[usize::from(stderr)];
            let line = open.get_or_insert_with(|| Line { time, text: String::new(), stderr });
            line.text += &String::from_utf8_lossy(text.strip_suffix(b"\n").unwrap_or(text));
            if piece.ends_with(b"\n") || line.text.len() > LONGEST {
                self.end(stderr);
            }
        }
    }

    fn end(&mut self, stderr: bool) {
        let Some(mut line) = self.open[usize::from(stderr)].take() else { return };
        if line.text.ends_with('\r') {
            line.text.pop();
        }
        let is_early = self.since.is_some_and(|since| line.time.is_some_and(|time| time < since));
        if !is_early {
            self.lines.push_back(line);
        }
    }

    /// The text of all lines that were not taken yet.
    pub(super) fn all(mut self) -> Vec<String> {
        self.finish();
        self.lines.into_iter().map(|line| line.text).collect()
    }

    fn finish(&mut self) {
        self.end(false);
        self.end(true);
    }
}

/// The time before the first space, and what stands behind it.
fn timed(message: &[u8]) -> (Option<i64>, &[u8]) {
    let Some(space) = message.iter().take(40).position(|byte| *byte == b' ') else { return (None, message) };
    let time = std::str::from_utf8(&message[..space]).ok();
    let time = time.and_then(|time| chrono::DateTime::parse_from_rfc3339(time).ok());
    match time.and_then(|time| time.timestamp_nanos_opt()) {
        Some(time) => (Some(time), &message[space + 1..]),
        None => (None, message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(messages: &[(&str, bool)], since: Option<i64>) -> Vec<(Option<i64>, String, bool)> {
        let mut cut = Cut::since(since);
        messages.iter().for_each(|(message, stderr)| cut.push(message.as_bytes(), *stderr));
        cut.finish();
        cut.lines.into_iter().map(|line| (line.time, line.text, line.stderr)).collect()
    }

    #[test]
    fn lines_have_their_time_and_their_stream() {
        let messages = [
            ("1970-01-01T00:00:01.000000002Z one\r\n", false),
            ("1970-01-01T00:00:02Z begins ", true),
            ("1970-01-01T00:00:03Z two\n", false),
            ("1970-01-01T00:00:04Z and goes on\n", true),
            ("no time\n", false),
            ("1970-01-01T00:00:05Z not ended", false),
        ];
        let expected = [
            (Some(1_000_000_002), "one", false),
            (Some(3_000_000_000), "two", false),
            (Some(2_000_000_000), "begins and goes on", true),
            (None, "no time", false),
            (Some(5_000_000_000), "not ended", false),
        ];
        let expected: Vec<_> = expected.map(|(time, text, stderr)| (time, text.to_owned(), stderr)).into();
        assert_eq!(cut(&messages, None), expected);
        assert_eq!(cut(&messages, Some(3_000_000_000)).len(), 3, "the first and the third are too early");
    }

    #[test]
    fn a_line_has_an_end() {
        let long = format!("1970-01-01T00:00:01Z {}", "x".repeat(LONGEST + 1));
        assert_eq!(cut(&[(&long, false), ("1970-01-01T00:00:01Z y\n", false)], None).len(), 2);
    }
}
