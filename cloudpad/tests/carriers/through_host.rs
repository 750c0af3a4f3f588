//! A provider as a deploy has it: chosen by a config, and called through the host. I/O: plugins.

use std::path::Path;

use cloudpad::config::{self, Input, Problem};
use cloudpad::plugin::Providers;
use cloudpad::plugin::setup::Setup;
use cloudpad_plugin_api::{Request, Stage};
use serde_json::{Value, json};

use crate::direct::Heard;
use crate::steps::{Ask, Step};
use crate::transcript::Transcript;

/// Goes through all steps but those for the wire only; each in a run of its own, as its config is another. `plugin`:
/// the file of a plugin; what is built in, where there is none. The project has a file with a number, `how-many`.
pub fn converse(plugin: Option<&Path>, steps: &[Step]) -> Transcript {
    let mut said = Transcript::default();
    let project = tempfile::tempdir().unwrap();
    std::fs::write(project.path().join("how-many"), "3\n").unwrap();
    for (id, step) in (1..).zip(steps) {
        let Ask::Request(request, key) = &step.ask else { continue };
        said.begin(step.what);
        match (choose(project.path(), plugin, request.stage(), step), request) {
            (Ok(_), Request::ConfigCheck(_)) => said.hear(json!({ "fit": true })),
            (Ok(providers), _) => {
                let heard = Heard::new(id, step.cancel.clone());
                let end = providers.call(request, key, heard.emit(), heard.cancel.clone());
                heard.tell(end, &mut said);
            }
            (Err(problems), _) => problems.iter().for_each(|problem| said.hear(words(problem))),
        }
    }
    said
}

fn choose(dir: &Path, plugin: Option<&Path>, stage: Stage, step: &Step) -> Result<Providers, Vec<Problem>> {
    let mut config = json!({
        "project": { "name": "shop" },
        "images": { "web": { "reference": "web:1" } },
        "services": { "web": {} },
        "stages": { stage.name(): { "provider": step.provider } },
    });
    if !step.config.is_null() {
        config["stages"][stage.name()]["config"] = step.config.clone();
    }
    if let Some(path) = plugin {
        config["plugins"] = json!({ step.provider: { "path": path } });
    }
    let text = toml::to_string(&config).unwrap();
    let input = Input { text: &text, dir, environment: None, var: &|_| None };
    let config = config::load(&input).unwrap_or_else(|problems| panic!("{text}\n{problems:?}"));
    let setup = Setup { loader: env!("CARGO_BIN_EXE_cloudpad").into(), ..Setup::of_process(dir) };
    Providers::choose(&config, &setup)
}

fn words(problem: &Problem) -> Value {
    json!({ "problem": problem.message, "place": format!("{:?}", problem.place), "hint": problem.hint })
}
