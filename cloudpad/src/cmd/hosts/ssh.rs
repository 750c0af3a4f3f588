//! `cloudpad hosts ssh`: becomes the program that gives a shell on a host.

use std::os::unix::process::CommandExt as _;
use std::process;
use std::sync::Arc;

use clap_complete::ArgValueCandidates;
use cloudpad_plugin_api::stage::deploy::{Login, Terminal};
use cloudpad_plugin_api::{Reply, Request};

use crate::cmd::args::Global;
use crate::cmd::session::Session;
use crate::cmd::{Ended, complete};
use crate::inventory::no_match;
use crate::refusal::Refusal;
use crate::term::Term;

/// Log in to a host, with your own `ssh`
#[derive(clap::Args)]
pub(super) struct Args {
    /// The host
    #[arg(add = ArgValueCandidates::new(complete::hosts))]
    name: String,
    /// Run this there; one argument is a line for the shell, several are a program and its arguments
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

impl Args {
    pub(super) fn run(self, global: &Global, term: &Arc<Term>) -> Ended {
        let session = Session::open("hosts ssh", false, global, term)?;
        let inventory = session.inventory()?;
        let Some(host) = inventory.get(&self.name) else {
            let names = inventory.hosts().iter().map(|host| host.name.as_str()).collect();
            return Err(session.refuses(vec![no_match("host", &self.name, &names)].into()));
        };
        let login = Login { host: host.clone(), command: self.command, terminal: term.is_interactive() };
        let Reply::Terminal(Terminal { command }) = session.ask(Request::DeployLogin(login))? else {
            return Err(Refusal::new("the provider has not told how to log in").into());
        };
        // Plugins end, and what is held is given back, before this process is another.
        drop(session);
        let Some((program, arguments)) = command.split_first() else {
            return Err(Refusal::new("the provider has told no command to log in with").into());
        };
        let error = process::Command::new(program).args(arguments).exec();
        Err(Refusal::new(format!("`{program}` does not start: {error}"))
            .hint("it is needed where you are, to log in; Cloudpad itself does without it")
            .into())
    }
}
