//! `cloudpad hosts trust`: takes the keys that hosts show for theirs, once the user has seen them.

use std::sync::Arc;

use clap_complete::ArgValueCandidates;
use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::stage::deploy::{HostKey, Keys, Known, Trust};
use cloudpad_plugin_api::{Reply, Request};

use crate::cmd::args::Global;
use crate::cmd::consent::consent;
use crate::cmd::session::Session;
use crate::cmd::{Ended, complete};
use crate::everywhere;
use crate::inventory::Selection;
use crate::report::exit;
use crate::run::MOST_AT_ONCE;
use crate::term::Term;
use crate::words;

/// Accept the keys of hosts that are not known yet
#[derive(clap::Args)]
pub(super) struct Args {
    /// Only this host; may be given several times, with `*` and `?`
    #[arg(value_name = "NAME", add = ArgValueCandidates::new(complete::hosts))]
    hosts: Vec<String>,
    /// Accept them without asking
    #[arg(short, long)]
    yes: bool,
    /// Accept the new key of this host, though another is known for it
    #[arg(long, value_name = "NAME", add = ArgValueCandidates::new(complete::hosts))]
    replace: Vec<String>,
}

impl Args {
    pub(super) fn run(self, global: &Global, term: &Arc<Term>) -> Ended {
        let session = Session::open("hosts trust", false, global, term)?;
        session.runner.stop.let_be_at_once();
        let mut hosts = self.hosts.clone();
        if !hosts.is_empty() {
            hosts.extend(self.replace.clone());
        }
        // A name that is mistyped must not go unnoticed.
        let named = Selection { hosts: self.replace.clone(), ..Selection::default() };
        let replaced = session.selected(&named)?;
        let replaced = |host: &Arc<Host>| !self.replace.is_empty() && replaced.contains(host);
        let chosen = session.selected(&Selection { hosts, ..Selection::default() })?;
        let mut failed = false;
        let mut wanted = Vec::new();
        let mut text = String::new();
        for (host, shown) in ask(&session, &chosen, term, &mut failed) {
            match (shown.known, replaced(&host)) {
                (Known::Known, _) => term.status(&format!("{}: its key is known", host.name)),
                (Known::Unknown, _) => {
                    text += &format!("+ {} ({}) shows {}\n", host.name, shown.server, key(&shown));
                    wanted.push(request(&host, &shown, false));
                }
                (Known::Changed, true) => {
                    text += &format!(
                        "~ {} ({}) shows {}, which takes the place of the one in `{}`\n",
                        host.name,
                        shown.server,
                        key(&shown),
                        shown.place
                    );
                    wanted.push(request(&host, &shown, true));
                }
                (Known::Changed, false) => {
                    term.error(&format!("{}: {}", host.name, changed(&host, &shown)));
                    failed = true;
                }
                (Known::Revoked, _) => {
                    let (name, place) = (&host.name, &shown.place);
                    term.error(&format!("{name}: its key {} is revoked by `{place}`", key(&shown)));
                    failed = true;
                }
            }
        }
        if session.runner.stop.is_requested() {
            return Ok(exit::INTERRUPTED);
        }
        if !wanted.is_empty() {
            text += "compare them with what `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` says on the hosts themselves";
            consent(&text, self.yes, term, |question| session.confirm(question))?;
            // One after the other: they go into the same file.
            for (name, request) in wanted {
                session.ask(request)?;
                term.status(&format!("{name}: its key is known from now on"));
            }
        }
        Ok(if failed { exit::FAILED } else { exit::OK })
    }
}

/// The keys of all hosts. A host that does not show one is told.
fn ask(session: &Session, hosts: &[Arc<Host>], term: &Term, failed: &mut bool) -> Vec<(Arc<Host>, HostKey)> {
    // This machine has no key.
    let hosts: Vec<_> = hosts.iter().filter(|host| !host.is_local()).collect();
    let requests = hosts.iter().map(|host| Request::DeployKeys(Keys { host: Arc::clone(host) })).collect();
    let mut shown: Vec<Option<HostKey>> = vec![None; hosts.len()];
    let answers = everywhere::ask(
        &session.runner,
        requests,
        MOST_AT_ONCE,
        |_, _| {},
        |answer| match answer.outcome {
            Ok(Reply::HostKey(key)) => shown[answer.index] = Some(key),
            Ok(_) => {}
            Err(failure) => {
                term.error(&format!("{}: {}", hosts[answer.index].name, words::failure(&failure)));
                *failed = true;
            }
        },
    );
    session.wait_for(answers);
    hosts.into_iter().zip(shown).filter_map(|(host, key)| Some((host.clone(), key?))).collect()
}

fn request(host: &Arc<Host>, shown: &HostKey, replace: bool) -> (String, Request) {
    let trust = Trust { host: host.clone(), fingerprint: shown.fingerprint.clone(), replace };
    (host.name.clone(), Request::DeployTrust(trust))
}

fn key(shown: &HostKey) -> String {
    format!("`{}` `{}`", shown.key_type, shown.fingerprint).trim_start_matches("`` ").to_owned()
}

fn changed(host: &Host, shown: &HostKey) -> String {
    format!(
        "its key has changed: it shows {}, which is not the one in `{}`\n  hint: somebody may be listening in. If the \
         host was set up anew, compare the key with its own, and accept it: `cloudpad hosts trust --replace {}`",
        key(shown),
        shown.place,
        host.name
    )
}
