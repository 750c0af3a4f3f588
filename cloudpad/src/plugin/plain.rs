//! Makes one line of what has to be one, so that nobody else's words stand where ours do. Pure.

use std::borrow::Cow;

use cloudpad_plugin_api::stage::deploy::Happened;
use cloudpad_plugin_api::{Event, Failure, Progress};

/// How many characters are shown of a line.
const LONGEST: usize = 8 * 1024;

/// The event, each text of it in one line.
pub fn event(event: Event) -> Event {
    match event {
        Event::Log { level, message } => Event::Log { level, message: line(message) },
        Event::Output { source, line: text, time, stderr } => {
            Event::Output { source: line(source), line: line(text), time, stderr }
        }
        Event::Progress(Progress { label, done, total, unit }) => {
            Event::Progress(Progress { label: line(label), done, total, unit: line(unit) })
        }
        Event::Happened(happened) => Event::Happened(each_text(happened, line)),
        other => other,
    }
}

/// The same with each of its texts as `change` makes it.
pub fn each_text(happened: Happened, change: impl Fn(String) -> String) -> Happened {
    let Happened { source, container, action, time, release, exit_code, signal, health } = happened;
    Happened {
        source: change(source),
        container: change(container),
        action: change(action),
        time,
        release: change(release),
        exit_code,
        signal: signal.map(&change),
        health: health.map(&change),
    }
}

/// The failure, each text of it in one line but for causes, which are told apart from what we say.
pub fn failure(failure: Failure) -> Failure {
    Failure {
        message: line(failure.message),
        hint: failure.hint.map(line),
        host: failure.host.map(line),
        ..failure
    }
}

fn line(text: String) -> String {
    let text = match super::session::shorten(&text, LONGEST) {
        short if short.len() == text.len() => text,
        short => short,
    };
    match one_line(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(line) => line,
    }
}

fn one_line(text: &str) -> Cow<'_, str> {
    let ended = text.trim_end_matches(['\n', '\r']);
    if ended.len() == text.len() && !text.contains('\n') {
        return Cow::Borrowed(text);
    }
    Cow::Owned(ended.replace("\r\n", "\n").replace('\n', "␊"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cloudpad_plugin_api::Level;

    #[test]
    fn nobody_begins_a_line_of_ours() {
        let forged = "slow\nerror: forged\r\n  hint: run it".to_owned();
        let expected = "slow␊error: forged␊  hint: run it";
        let log = event(Event::Log { level: Level::Warn, message: forged.clone() });
        assert_eq!(log, Event::Log { level: Level::Warn, message: expected.into() });
        let failed =
            failure(Failure::failed(forged.clone()).hint(forged.clone()).cause("two\nlines").on(&forged));
        assert_eq!(
            (failed.message.as_str(), failed.hint.as_deref(), failed.host.as_deref()),
            (expected, Some(expected), Some(expected))
        );
        assert_eq!(failed.causes, ["two\nlines"]);
    }

    fn output(line: &str) -> Event {
        Event::Output { source: String::new(), line: line.into(), time: None, stderr: false }
    }

    #[test]
    fn a_line_has_an_end() {
        let long = "x".repeat(10_000_000);
        let Event::Output { line, .. } = event(output(&long)) else { panic!() };
        assert_eq!(line.chars().count(), LONGEST + 1);
        let ended = event(output("as it is \t\n"));
        assert_eq!(ended, output("as it is \t"));
    }
}
