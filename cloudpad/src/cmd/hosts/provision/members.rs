//! What makes machines members of an etcd cluster: their certificates, between the two halves of a plan.

use std::collections::BTreeMap;
use std::sync::Arc;

use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::{Context, Failure};
use serde_json::Value;

use crate::cmd::Refused;
use crate::cmd::session::Session;
use crate::config::Problem;
use crate::plan::Action;
use crate::project;
use crate::provision::etcd::authority::Authority;
use crate::provision::etcd::{self, Certificates, Cluster, Here};
use crate::provision::{Seen, Wanted};
use crate::refusal::Refusal;
use crate::report::{Event, Subject};

/// The authority of a project's cluster, and what there is to know of it.
pub(super) struct Members {
    authority: Authority,
    here: Here,
}

impl Members {
    /// That of a project in an environment.
    pub(super) fn of(session: &Session) -> Result<Self, Refused> {
        let data = project::data_folder().ok_or_else(|| {
            Refusal::new("there is no place to keep the authority of an etcd cluster: HOME is not set")
        })?;
        let token = session.config.project.prefix();
        let cx = Context::new(Value::Null, Arc::new(|_| {}), session.runner.stop.cancel().clone());
        let authority = Authority::of(data.join("etcd").join(&token), cx);
        let folder = authority.folder().display().to_string();
        let here = Here { token, folder, authority: authority.certificate()? };
        Ok(Self { authority, here })
    }

    /// What becomes of the hosts.
    pub(super) fn judge(&self, seen: &[(Arc<Host>, Seen)]) -> Result<Cluster, Vec<Problem>> {
        etcd::judge(seen, &self.here)
    }

    /// Makes the authority, where one is needed, before any host is touched.
    pub(super) fn prepare(&self, cluster: &Cluster) -> Result<(), Refusal> {
        if cluster.new_members().next().is_none() { Ok(()) } else { self.authority.make() }
    }

    /// The second half of the plan.
    pub(super) fn certify_and_start(&self, session: &Session, cluster: &Cluster) {
        let certificates = self.certificates(session, cluster);
        let failed = certificates.as_ref().err().cloned();
        let rest = etcd::rest(cluster, &certificates.unwrap_or_default());
        let Some(failure) = failed else {
            session.carry_out_everywhere(&rest);
            return;
        };
        let phase = session.begin(&rest);
        let of_host = |action: &&Action| action.host.as_deref() == failure.host.as_deref();
        if let Some(action) = rest.actions.iter().find(of_host) {
            let (action, ms) = (Subject::of(action), 0);
            session.runner.record.event(Event::Failed { phase, action, ms, error: failure });
        }
    }

    /// Certificates for the keys that new members have made by now.
    fn certificates(&self, session: &Session, cluster: &Cluster) -> Result<Certificates, Failure> {
        let hosts: Vec<_> = cluster.new_members().map(|machine| machine.host.clone()).collect();
        let Some(first) = hosts.first() else { return Ok(Certificates::default()) };
        let looks = session.look_at_machines(&hosts, Wanted { ports: &[], etcd: true });
        let looks = looks.map_err(|_| Failure::cancelled().on(&first.name))?;
        let authority = std::fs::read_to_string(self.authority.file("ca.crt")).map_err(|error| {
            let file = self.authority.file("ca.crt");
            Failure::failed(format!("cannot read `{}`: {error}", file.display())).on(&first.name)
        })?;
        let mut members = BTreeMap::new();
        for (machine, look) in cluster.new_members().zip(looks) {
            let name = &machine.host.name;
            let signed =
                look.and_then(|seen| self.authority.sign(&seen.facts.etcd.request, &machine.names()));
            members.insert(name.clone(), signed.map_err(|failure| failure.on(name))?);
        }
        Ok(Certificates { authority, members })
    }

    /// The lines of a config whose hosts are read from the cluster.
    pub(super) fn stage(&self, cluster: &Cluster) -> String {
        let text = |text: String| toml::Value::String(text).to_string();
        let file = |name| text(self.authority.file(name).display().to_string());
        let endpoints: Vec<_> = cluster.endpoints().into_iter().map(text).collect();
        format!(
            "[stages.inventory]\nprovider = \"etcd\"\n\n[stages.inventory.config]\nendpoints = [{}]\nca = {}\ncert = {}\nkey = {}\n",
            endpoints.join(", "),
            file("ca.crt"),
            file("client.crt"),
            file("client.key"),
        )
    }
}
