//! What `cloudpad init` begins can be planned.

use std::path::Path;

use clap::ValueEnum;
use cloudpad_plugin_api::stage::cluster::{self, Node};
use cloudpad_plugin_api::{PushScope, Request};

use super::kit::{Case, case};
use crate::config::{self, Image, Input};
use crate::init::{Found, Template, scaffold};
use crate::listing::secrets;

/// A project of this kind, as it is begun, and nothing that runs of it yet.
fn begun(template: Template) -> Case {
    let made = scaffold(&Found { template, dir_name: "shop", ..Found::default() }).unwrap();
    let text = &made.files[0].text;
    let input = Input { text, dir: Path::new("/srv/shop"), environment: None, var: &|_| None };
    let mut begun = case();
    begun.config = config::load(&input).unwrap();
    begun.observed.hosts.clear();
    begun.observed.images.clear();
    let hosts: Vec<_> = begun.config.hosts.iter().map(|host| host.name.clone()).collect();
    begun.config.hosts.clear();
    hosts.iter().for_each(|name| begun.host(name, &[]));
    let built = |(name, image): (&String, &Image)| matches!(image, Image::Built(_)).then(|| name.clone());
    let images: Vec<_> = begun.config.images.iter().filter_map(built).collect();
    images.iter().for_each(|name| begun.image(name, "v1"));
    for name in secrets::needed(&begun.config) {
        begun.observed.secrets.insert(name.clone(), format!("mark of {name}"));
    }
    begun
}

#[test]
fn every_project_that_init_begins_is_planned() {
    for template in Template::value_variants() {
        let mut begun = begun(*template);
        let is_cluster = matches!(template, Template::Swarm | Template::Fleet);
        if is_cluster {
            let nodes = ["n1", "n2", "n3"].map(|name| Node { name: name.into(), ..Node::default() });
            let seen = cluster::Observation {
                nodes: nodes.into(),
                releases: Some(Vec::new()),
                ..cluster::Observation::default()
            };
            begun.observed.cluster = Some(Box::new(seen));
            begun.goal.push_scope = PushScope::Shared;
        }
        let plan = begun.plan();
        for service in begun.config.services.keys() {
            let starts = plan.actions.iter().filter(|action| match &action.request {
                Request::DeployStart(start) => start.instance.service == *service,
                Request::ClusterApply(apply) => apply.service.name == *service,
                _ => false,
            });
            assert!(starts.count() > 0, "{template:?}: nothing starts `{service}`");
        }
        let runs = plan.actions.iter().filter(|action| matches!(action.request, Request::DeployRun(_)));
        assert_eq!(runs.count(), begun.config.jobs.len(), "{template:?}");
    }
}
