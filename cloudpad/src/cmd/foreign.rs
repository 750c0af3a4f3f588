//! `cloudpad foo` where no such command is built in: becomes the plugin `cloudpad-foo`.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;

use super::args::Global;
use super::around::{Around, passed_over};
use super::{Ended, built_in};
use crate::catalogue::commands;
use crate::config::nearest;
use crate::plugin::find::{self, Finding, Listing};
use crate::plugin::start;
use crate::refusal::Refusal;

/// Becomes the plugin that the first word names, with the other words as they are.
pub(super) fn run(words: &[OsString], global: &Global) -> Ended {
    let Some((name, arguments)) = words.split_first() else { return Err(unnamed().into()) };
    let name = name.to_string_lossy();
    let Around { project, setup, listing } = Around::look(global)?;
    let finding = find::command(&listing, &name);
    let Some(found) = finding.used else {
        let refusal = unknown(&name, &listing, &finding);
        return Err(match project {
            Some(Err(_)) => {
                refusal.hint("`cloudpad check` tells what is wrong with the config, which may name it")
            }
            _ => refusal,
        }
        .into());
    };
    if let Some(Err(refused)) = project {
        // It may name another file.
        return Err(refused);
    }
    let launch = setup.asked(found).map_err(|failure| Refusal::Failures(vec![failure]))?;
    Err(Refusal::Failures(vec![start::become_command(&launch, arguments)]).into())
}

/// Refuses options that stand before a plugin's name: it would not see them, and `-e staging` must not be lost.
pub(super) fn first(words: &[OsString]) -> Result<(), Refusal> {
    if env::args_os().nth(1).as_ref() == words.first() {
        return Ok(());
    }
    let name = words.first().map(|name| name.to_string_lossy()).unwrap_or_default();
    Err(Refusal::new(format!(
        "`{name}` is no built-in command, and options before its name mean nothing to it"
    ))
    .hint(format!("write them after it: `cloudpad {name} …`; an environment can be set in `CLOUDPAD_ENV`")))
}

fn unnamed() -> Refusal {
    Refusal::new("no command is named")
}

/// There is no such command: what was passed over, and what was meant.
fn unknown(name: &str, listing: &Listing, finding: &Finding<'_>) -> Refusal {
    let message = format!("there is no command `{name}`{}", passed_over(finding));
    let built_in: BTreeSet<String> = built_in().into_iter().map(|(name, _)| name).collect();
    let plugins = commands(listing, &built_in);
    let plugins = plugins.iter().filter(|(_, found)| found.used.is_some()).map(|(name, _)| *name);
    let known: Vec<&str> = built_in.iter().map(String::as_str).chain(plugins).collect();
    let meant = nearest(name, &known).map(|meant| format!("did you mean `{meant}`? ")).unwrap_or_default();
    Refusal::new(message).hint(format!("{meant}`cloudpad --list` prints all commands"))
}
