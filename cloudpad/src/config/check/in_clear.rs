//! Secrets whose values would stand in the file's strings, and so in plans, labels and images. Pure.

use std::collections::BTreeSet;

use cloudpad_plugin_api::Stage;
use cloudpad_plugin_api::stage::build::SecretSource;

use crate::config::vars::Used;
use crate::config::{Config, Image, Problem};

/// The variables that are also secrets of the config. Only those that certainly have the secret's value: another provider than
/// that of the environment may well keep something else under the name.
pub(in crate::config) fn in_clear(config: &Config, used: &[Used]) -> Vec<Problem> {
    let secrets = secrets(config);
    let problem = |used: &Used| {
        let name = &used.name;
        let message = format!(
            "`{name}` is a secret, and `${{{name}}}` puts its value in clear into plans, labels or images"
        );
        let hint = format!(
            "give it through `secrets` of the service, the job or the image, and leave `${{{name}}}` out; what is no secret \
             needs another name"
        );
        Problem::new(message).hint(hint).at(used.place.clone())
    };
    used.iter().filter(|used| secrets.contains(used.name.as_str())).map(problem).collect()
}

/// The names of all secrets whose values are those of variables.
fn secrets(config: &Config) -> BTreeSet<&str> {
    let provider = config.stages.get(&Stage::Secrets).and_then(|choice| choice.provider.as_deref());
    let mut names = of_builds(config);
    if provider == Some("env") {
        names.extend(config.needs().map(|need| need.secret));
    }
    names
}

fn of_builds(config: &Config) -> BTreeSet<&str> {
    let built = config.images.values().filter_map(|image| match image {
        Image::Built(built) => Some(built),
        Image::Ready { .. } => None,
    });
    let secrets = built.flat_map(|built| built.secrets.values());
    secrets
        .filter_map(|secret| match secret {
            SecretSource::Env(name) => Some(name.as_str()),
            SecretSource::File(_) => None,
        })
        .collect()
}
