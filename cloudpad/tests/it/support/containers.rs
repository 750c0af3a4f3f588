//! A project's containers as an engine has them, seen without Cloudpad's help.

use serde_json::Value;

/// A container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    pub id: String,
    pub name: String,
    /// `web.1`.
    pub instance: String,
    pub running: bool,
    pub image: String,
    pub env: Vec<String>,
    pub created: String,
    pub started: String,
}

/// The script that prints a project's containers on an engine.
pub fn script(project: &str) -> String {
    format!("docker ps -aq --no-trunc --filter label=cloudpad.project={project} | xargs -r docker inspect")
}

/// What that script has printed, sorted by name.
pub fn parse(printed: &str) -> Vec<Container> {
    if printed.is_empty() {
        return Vec::new();
    }
    let values: Vec<Value> = serde_json::from_str(printed).expect("`docker inspect` prints JSON");
    let mut containers: Vec<_> = values.iter().map(container).collect();
    containers.sort_by(|a, b| a.name.cmp(&b.name));
    containers
}

fn container(value: &Value) -> Container {
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let label = |name: &str| text(&format!("/Config/Labels/{name}"));
    Container {
        id: text("/Id"),
        name: text("/Name").trim_start_matches('/').to_owned(),
        instance: format!("{}.{}", label("cloudpad.service"), label("cloudpad.instance")),
        running: value.pointer("/State/Running") == Some(&Value::Bool(true)),
        image: text("/Config/Image"),
        env: strings(&value["Config"]["Env"]),
        created: text("/Created"),
        started: text("/State/StartedAt"),
    }
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
