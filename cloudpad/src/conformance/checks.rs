//! The checks, each a question to a plugin. I/O: through conversations.

mod calls;
mod config;
mod ending;
mod flow;
mod lenient;
mod opening;

use super::kit::Kit;
use super::verdict::{Check, Verdict};

/// A check: its name, what is so where it passes, and how to find out.
type Known = (&'static str, &'static str, fn(&mut Kit<'_>) -> Verdict);

/// Before anything else can be asked.
const OPENING: [Known; 1] = [("hello", "it says hello in time, as its first line", opening::hello)];

const BEFORE: [Known; 8] = [
    ("offer", "its hello says what a host needs to know", opening::offer),
    ("file-name", "its file has the name by which its providers are found", opening::file_name),
    ("two-calls", "it answers two calls, one after the other", flow::two),
    ("unknown-fields", "it ignores fields and messages that it does not know", lenient::fields),
    ("unknown-method", "it answers a method that it does not have with `unsupported`", lenient::method),
    (
        "unknown-provider",
        "it answers for a provider that it does not have with `unsupported`",
        lenient::provider,
    ),
    ("config", "it finds the config fit", config::fit),
    ("unknown-key", "it finds a config with a key that it does not know `invalid`", config::key),
];

const AFTER: [Known; 8] = [
    ("parallel", "it answers several calls that are made at once", flow::parallel),
    ("cancel", "a call that is cancelled ends once, and cancelling does no harm", flow::cancel),
    ("newer-protocol", "it ends when a host chooses a protocol that it has not offered", opening::newer),
    ("end", "it ends by itself when its standard input does", ending::end),
    ("exit-code", "it ends with exit code 0", ending::exit_code),
    ("leaves-nothing", "it leaves no process behind", ending::leaves_nothing),
    ("stdout", "it writes nothing but messages to standard output", ending::stdout),
    ("call-ids", "it speaks only of calls that are under way, and ends each once", ending::ids),
];

/// Makes all checks.
pub fn all(kit: &mut Kit<'_>) -> Vec<Check> {
    let mut checks = some(&OPENING, kit);
    checks.extend(some(&BEFORE, kit));
    checks.extend(calls::all(kit));
    checks.extend(some(&AFTER, kit));
    checks
}

fn some(known: &[Known], kit: &mut Kit<'_>) -> Vec<Check> {
    let make = |(name, what, run): &Known| {
        let verdict = match (*name, &kit.said, &kit.hello) {
            ("hello", ..) | ("offer", Some(_), _) | (_, _, Some(_)) => run(kit),
            (_, None, _) => Verdict::skipped("it has not said hello"),
            (_, Some(_), None) => Verdict::skipped("its hello is not understood"),
        };
        Check { name: (*name).to_owned(), what: (*what).to_owned(), verdict }
    };
    known.iter().map(make).collect()
}
