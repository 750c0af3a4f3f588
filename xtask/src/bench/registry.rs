//! Pushing an image to a registry, against `docker push`. Talks to the lab's registry, the local engine and the program.

use std::path::Path;

use super::Row;
use super::measure::in_turns;
use super::project::{Project, by_hand, noise};
use super::push::sent;
use crate::lab::{Lab, Settings};
use crate::shell::{self, Result, docker};

const LARGE: usize = 50_000_000;
const TIMES: usize = 3;
/// Prints the image that was built last.
const NEWEST: &str =
    "docker images --format '{{.Repository}}:{{.Tag}}' | grep -E '^bench-registry[.]web:' | head -1";
/// Where all goes in the registry.
const NAMESPACE: &str = "bench-registry";

/// A layer of 50 MB that the registry does not have, each time another one; then one that it has.
pub fn measure(program: &Path, lab: &Lab) -> Result<Vec<Row>> {
    let project = Project::new(program, lab, "bench-registry")?;
    let host = lab.hosts.first().ok_or("the lab has no hosts")?;
    let config = format!(
        "[project]\nname = \"bench-registry\"\n[stages.push]\nprovider = \"registry\"\n\
         config = {{ registry = \"{}\", namespace = \"{NAMESPACE}\" }}\n\
         [stages.deploy.config]\nssh_config = \"{}\"\n[hosts.{}]\naddress = \"{}\"\n[images.web]\n[services.web]\n",
        lab.registry,
        lab.ssh_config.display(),
        host.name,
        host.direct_name()
    );
    project.write("Cloudpad.toml", config.as_bytes())?;
    project.write("Dockerfile", format!("FROM {}\nCOPY large /large\n", lab.base_image).as_bytes())?;
    let ours = || {
        make(&project)?;
        Ok(project.run(&["push", "--json"])?.seconds)
    };
    let theirs = || {
        make(&project)?;
        let name = format!("{}/{NAMESPACE}/bench-registry.byhand", lab.registry);
        by_hand(lab, &format!("docker tag $({NEWEST}) {name}; docker push --quiet {name}"))
    };
    let (ours, theirs) = in_turns(TIMES, ours, theirs)?;
    project.run(&["push", "--json"])?;
    let again = project.run(&["push", "--json"])?;
    clean(&project)?;
    Ok(vec![
        Row::ratio("push of 50 MB to a registry", "s", ours, (theirs, "docker push"), 1.0),
        Row::limit("push to a registry that has it: sent", "MB", sent(&again)?, 0.0),
    ])
}

/// Builds an image that nobody has.
fn make(project: &Project<'_>) -> Result<()> {
    project.write("large", &noise(LARGE)?)?;
    project.run(&["build"]).map(drop)
}

/// Removes the images, those in the registry too.
fn clean(project: &Project<'_>) -> Result<()> {
    project.clean()?;
    let registry = Settings::from_environment()?.container("registry");
    let script = format!(
        "rm -rf /data/docker/registry/v2/repositories/{NAMESPACE} && docker-registry garbage-collect /lab/plain.yml"
    );
    shell::output(&mut docker(["exec", &registry, "sh", "-c", &script])).map(drop)
}
