//! A plugin as a program of its own: speaks the protocol when a host asks for it, and else says what it is. I/O.

use std::io::{self, Write};
use std::process::ExitCode;

use super::lines::{Reader, Writer};
use super::{serve, take_stdio};
use crate::Plugin;

/// The argument with which a host starts a plugin.
pub(crate) const ASKED: &str = "--cloudpad-plugin";

/// The `main` of a plugin that is a program, in one line.
///
/// ```no_run
/// cloudpad_plugin_api::main!();
/// ```
///
/// Where `register!` is in the package's library, that is named, for what nobody names is not linked:
/// `main!(cloudpad_git);`.
#[macro_export]
macro_rules! main {
    ($($library:ident),* $(,)?) => {
        $(use $library as _;)*

        fn main() -> ::std::process::ExitCode {
            $crate::serve::main()
        }
    };
}

/// Whether a host has started this program to speak to it. One that is also a command of its own, such as
/// `cloudpad-NAME` for `cloudpad NAME`, asks this first.
pub fn asked() -> bool {
    std::env::args_os().nth(1).is_some_and(|first| first == ASKED)
}

/// Speaks to the host that has [asked](asked) for it, on standard input and output, until it has no more to
/// say; else tells a person what this is.
pub fn main() -> ExitCode {
    match Plugin::only() {
        Ok(plugin) if asked() => speak(plugin),
        Ok(plugin) => explain(plugin),
        Err(why) => refuse(&why),
    }
}

fn speak(plugin: &Plugin) -> ExitCode {
    match take_stdio() {
        Ok((input, output)) => {
            let served = serve(plugin, &mut Reader::new(input), Box::new(Writer(output)));
            ExitCode::from(u8::from(served.is_err()))
        }
        Err(error) => refuse(&format!("could not take standard input and output: {error}")),
    }
}

fn refuse(why: &str) -> ExitCode {
    // There is nobody else to tell.
    let _ = writeln!(io::stderr(), "{why}");
    ExitCode::FAILURE
}

fn explain(plugin: &Plugin) -> ExitCode {
    let version = format!("{} {}\n", plugin.name, plugin.version);
    let (told, code) = match std::env::args().nth(1).as_deref() {
        Some("--version" | "-V") => (io::stdout().write_all(version.as_bytes()), 0),
        Some("--help" | "-h") => (io::stdout().write_all((version + &about(plugin)).as_bytes()), 0),
        _ => (io::stderr().write_all((version + &about(plugin)).as_bytes()), 2),
    };
    ExitCode::from(if told.is_ok() { code } else { 1 })
}

fn about(plugin: &Plugin) -> String {
    let mut text =
        String::from("A plugin for Cloudpad, which starts it and speaks to it: it does nothing by hand.\n");
    if !plugin.about.is_empty() {
        text += &format!("\n{}\n", plugin.about);
    }
    text += "\nIts providers:\n\n";
    for provider in plugin.providers {
        text += &format!("  {:<10} {:<12} {}\n", provider.stage().name(), provider.name, provider.about);
    }
    if let [first, ..] = plugin.providers {
        text += "\nPut it on PATH, and choose a provider in Cloudpad.toml:\n\n";
        text += &format!("  [stages]\n  {} = \"{}\"\n", first.stage(), first.name);
    }
    text
}
