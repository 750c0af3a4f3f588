//! The actions of jobs. Pure.

use std::collections::BTreeMap;

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::model::label;
use cloudpad_plugin_api::stage::deploy;

use super::{Jobs, Play, Run};
use crate::config::When;
use crate::plan::decide::Decide;
use crate::plan::graph::{Graph, Node, key};
use crate::plan::supply::Supply;

impl<'a> Jobs<'a> {
    /// Brings the images of those that come after. A release is remembered once they are there, since nothing is taken back any
    /// more then.
    pub(in crate::plan) fn bring_after(
        &self,
        graph: &mut Graph,
        (decide, supply): (&Decide<'a>, &mut Supply<'a>),
    ) {
        for play in self.runs.iter().filter(|play| play.job.when == When::After) {
            for run in &play.runs {
                let host = decide.sight.host(run.host);
                let _ = host.and_then(|host| supply.bring(graph, play.image, (run.host, host)));
            }
        }
    }

    /// Adds those that come after, one job after the other, the first of them after `needs`.
    pub(in crate::plan) fn add_after(
        &self,
        graph: &mut Graph,
        (decide, supply): (&Decide<'a>, &mut Supply<'a>),
        mut needs: Vec<Node>,
    ) {
        for play in self.runs.iter().filter(|play| play.job.when == When::After) {
            needs = play.add(graph, (decide, supply), needs);
        }
    }
}

impl<'a> Play<'a> {
    /// Adds it, on all of its hosts, after `before`. Returns the actions after which it is done.
    pub(in crate::plan) fn add(
        &self,
        graph: &mut Graph,
        (decide, supply): (&Decide<'a>, &mut Supply<'a>),
        mut before: Vec<Node>,
    ) -> Vec<Node> {
        let mut done = Vec::new();
        for run in &self.runs {
            let host = decide.sight.host(run.host);
            let image = host.and_then(|host| supply.bring(graph, self.image, (run.host, host)));
            let needs = before.iter().copied().chain(image).collect();
            let key = key("job", &decide.inventory.hosts()[run.host].name, &run.container);
            let node = graph.add(key, None, needs, self.request(decide, run));
            // The others wait for the first, which waits for all of what is before, or there would be very many edges.
            if before.len() > 1 {
                before = vec![node];
            }
            done.push(node);
        }
        done
    }

    fn request(&self, decide: &Decide<'_>, run: &Run) -> Request {
        let labels = [
            (label::JOB, self.name),
            (label::JOB_WHEN, self.job.when.name()),
            (label::JOB_SPEC_ID, &self.spec_id),
        ];
        let labels: BTreeMap<_, _> = labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        Request::DeployRun(deploy::Run {
            host: decide.inventory.hosts()[run.host].clone(),
            project: decide.config.project.clone(),
            release: run.release.clone(),
            container: run.container.clone(),
            labels,
            spec: self.spec.clone(),
            timeout_ms: self.job.timeout_ms,
            keep: true,
            tty: None,
            stream: None,
        })
    }
}
