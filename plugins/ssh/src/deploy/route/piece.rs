//! What one service wants of its host's proxy: a file of its own, which nobody else writes. Pure.
//!
//! Projects share a proxy without knowing of each other. Whoever changes a route reads the files of all, and makes the
//! proxy's configuration from them; so nobody has to read, change and write back what is another's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::model::Project;
use cloudpad_plugin_api::stage::deploy::{Claim, RouteSeen, Rule, SetRoute};
use serde::{Deserialize, Serialize};

/// How pieces are written. One that is written otherwise is not to be read as if it were written so.
const VERSION: u32 = 1;
/// Where they are in the proxy's folder.
const FOLDER: &str = "routes/";
/// How many containers that get no more requests are remembered, so that what they still answer can be counted.
const REMEMBERED: usize = 32;

/// A service's route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Piece {
    version: u32,
    pub(super) project: Project,
    pub(super) service: String,
    /// None when no request leads to it.
    pub(super) rule: Option<Arc<Rule>>,
    /// The containers that get requests, with the port of each.
    #[serde(default)]
    pub(super) containers: BTreeMap<String, u16>,
    /// Those that got some before.
    #[serde(default)]
    pub(super) draining: BTreeMap<String, u16>,
}

impl Piece {
    /// One that leads nowhere.
    pub(super) fn new(project: &Project, service: &str) -> Self {
        let (containers, draining) = (BTreeMap::new(), BTreeMap::new());
        let (project, service) = (project.clone(), service.to_owned());
        Self { version: VERSION, project, service, rule: None, containers, draining }
    }

    /// Its file in the proxy's folder.
    pub(super) fn file(&self) -> String {
        format!("{FOLDER}{}.{}.json", self.project.prefix(), self.service)
    }

    /// As it is once the request has been carried out.
    pub(super) fn after(&self, request: &SetRoute) -> Self {
        let mut after = Self { rule: request.rule.clone(), ..self.clone() };
        let gone: BTreeSet<&String> = match &request.rule {
            Some(_) => request.remove.iter().collect(),
            None => self.containers.keys().chain(&request.remove).collect(),
        };
        for name in gone {
            if let Some(port) = after.containers.remove(name) {
                after.draining.insert(name.clone(), port);
            }
        }
        if let Some(rule) = &request.rule {
            for name in &request.add {
                after.containers.insert(name.clone(), rule.port);
                after.draining.remove(name);
            }
        }
        while after.draining.len() > REMEMBERED {
            after.draining.pop_first();
        }
        after
    }

    /// What of it is told to its own project.
    pub(super) fn seen(&self) -> Option<RouteSeen> {
        let containers = self.containers.keys().cloned().collect();
        Some(RouteSeen { service: self.service.clone(), rule: self.rule.clone()?, containers })
    }

    /// What of it is told to other projects.
    pub(super) fn claim(&self) -> Option<Claim> {
        let rule = self.rule.as_ref()?;
        let (project, service) = (self.project.prefix(), self.service.clone());
        Some(Claim { project, service, hosts: rule.hosts.clone(), path: rule.path.clone() })
    }
}

/// The pieces among the files of the proxy's folder, in the order of their files.
///
/// Each is there twice, `.json` and `.json.new`, which was written first: whoever is stopped while writing, or reads
/// meanwhile, finds one of them whole.
///
/// # Errors
/// `failed` when one was written by a newer Cloudpad, or both of its files are broken.
pub(super) fn pieces(files: &BTreeMap<String, Vec<u8>>) -> Result<Vec<Piece>, Failure> {
    let names: BTreeSet<&str> = files
        .keys()
        .filter(|name| name.starts_with(FOLDER))
        .filter_map(|name| name.strip_suffix(".new").unwrap_or(name).strip_suffix(".json"))
        .collect();
    names.into_iter().map(|name| piece(name, files)).collect()
}

fn piece(name: &str, files: &BTreeMap<String, Vec<u8>>) -> Result<Piece, Failure> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    let found = ["", ".new"].iter().find_map(|ending| {
        let text = files.get(&format!("{name}.json{ending}"))?;
        let version = serde_json::from_slice::<Version>(text).ok()?.version;
        Some((version, serde_json::from_slice::<Piece>(text).ok()))
    });
    let route = name.trim_start_matches(FOLDER);
    match found {
        Some((VERSION, Some(piece))) => Ok(piece),
        Some((version, _)) if version > VERSION => {
            let message =
                format!("route `{route}` was set by a newer Cloudpad, and is not understood by this one");
            Err(Failure::failed(message).hint("update Cloudpad"))
        }
        _ => Err(Failure::failed(format!("the file of route `{route}` is broken"))
            .hint("deploy its project anew once you have removed the file from the proxy's volume")),
    }
}

/// Both files of a piece, in the order in which they are to be written.
pub(super) fn files(piece: &Piece) -> Result<[(String, Vec<u8>); 2], Failure> {
    let text = serde_json::to_vec(piece)
        .map_err(|error| Failure::invalid("a route cannot be written").cause(error))?;
    Ok([(format!("{}.new", piece.file()), text.clone()), (piece.file(), text)])
}

/// Refuses a rule with what a proxy might read otherwise than it is meant.
///
/// # Errors
/// `invalid`, with the name or path.
pub(super) fn check(rule: &Rule) -> Result<(), Failure> {
    let is_host = |host: &&String| {
        let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        !host.is_empty() && host.strip_prefix("*.").unwrap_or(host).chars().all(word)
    };
    if let Some(host) = rule.hosts.iter().find(|host| !is_host(host)) {
        return Err(Failure::invalid(format!("{host:?} is no host name")));
    }
    let paths = rule.path.iter().chain(rule.health.as_ref().map(|health| &health.path));
    let is_path = |path: &&String| {
        path.starts_with('/')
            && !path.contains(|c: char| c.is_control() || matches!(c, ' ' | '{' | '}' | '*' | '#'))
    };
    if let Some(path) = paths.into_iter().find(|path| !is_path(path)) {
        return Err(Failure::invalid(format!("{path:?} is no path of a URL")));
    }
    let odd = |text: &String| text.contains(|c: char| c.is_control());
    match rule.headers.iter().find(|(name, value)| odd(name) || odd(value)) {
        Some((name, _)) => Err(Failure::invalid(format!("header {name:?} has control characters"))),
        None => Ok(()),
    }
}

#[cfg(test)]
#[path = "piece_tests.rs"]
mod tests;
