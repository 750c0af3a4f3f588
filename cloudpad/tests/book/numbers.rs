//! The book's numbers, and the header that it quotes, are the code's own.

use std::time::Duration;

use cloudpad::plugin::limits::Limits;
use cloudpad::plugin::mask::SHORTEST;
use cloudpad_plugin_api::serve::MOST_CALLS;
use cloudpad_plugin_api::wire::{MAX_LINE, PROTOCOL};

use crate::{blocks, section, workspace};

#[test]
fn limits_are_told() {
    let limits = Limits::default();
    let life = section("## Life of a process");
    for (limit, what) in [
        (limits.hello, "from the start to the hello"),
        (limits.check, "for `config.check` of all providers together"),
        (limits.cancel, "from a cancel to the end of the call"),
        (limits.read, "for which it may leave a waiting message unread"),
        (limits.close, "from the end of standard input to its exit"),
        (limits.term, "from SIGTERM to its exit"),
    ] {
        let row = format!("| {} s | {what} |", limit.as_secs());
        assert!(limit == Duration::from_secs(limit.as_secs()) && life.contains(&row), "`{row}`");
    }
    assert!(life.contains(&format!("up to {} times in a run", limits.starts)), "{limits:?}");
    assert!(life.contains(&format!("at most {} MiB ({MAX_LINE} bytes)", MAX_LINE >> 20)));
    assert!(life.contains(&format!("at most {MOST_CALLS};")));
    assert!(section("## Secrets").contains(&format!("values of {SHORTEST} bytes and more")));
    assert!(section("### hello").contains(&format!("best first: `[{PROTOCOL}]`")));
}

#[test]
fn the_header_is_the_one_that_is_shipped() {
    let file = workspace().join("plugin-api/include/cloudpad_plugin.h");
    let header = std::fs::read_to_string(file).expect("the header");
    let quoted: Vec<_> =
        blocks().into_iter().filter(|block| block.info == "c").map(|block| block.text).collect();
    assert_eq!(quoted, [header.as_str()]);
}
