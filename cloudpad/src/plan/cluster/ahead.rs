//! What of a config no cluster can do, and what its provider has to say of it, before anything was looked at. Pure.

use std::sync::Arc;

use cloudpad_plugin_api::stage::build::ImageState;
use cloudpad_plugin_api::stage::cluster::{Observation, Review};
use cloudpad_plugin_api::{PushScope, Request};

use super::{Basis, no_registry, wish};
use crate::config::{Config, Image, Problem};
use crate::inventory::{Inventory, Selection};
use crate::observed::Observed;
use crate::plan::supply::Supply;
use crate::plan::{Goal, Origin, Scope, Until};

/// What no cluster can do of all that the config has.
///
/// # Errors
/// Each of it, at its place.
pub fn ahead(config: &Config, push_scope: PushScope) -> Result<Option<Request>, Vec<Problem>> {
    let goal = Goal {
        until: Until::Deploy,
        select: Selection::default(),
        release: String::new(),
        origin: Origin::default(),
        restore: None,
        push_scope,
        cache: std::path::PathBuf::default(),
    };
    let (scope, observed) = (Scope::whole(config), unbuilt(config));
    let (seen, inventory) = (Observation::default(), Inventory::default());
    let basis = Basis { config, scope: &scope, observed: &observed, seen: &seen, goal: &goal };
    let mut problems = wish::problems(config, &scope);
    problems.extend(no_registry(&basis));
    let wishes = wish::wishes(&basis, &Supply::new(config, &inventory, &observed, &goal));
    match wishes {
        Ok(wishes) if problems.is_empty() => {
            let services: Vec<_> = wishes.into_iter().map(|wish| wish.service).collect();
            let project = Arc::clone(&config.project);
            Ok((!services.is_empty()).then_some(Request::ClusterReview(Review { project, services })))
        }
        Ok(_) => Err(problems),
        Err(more) => Err(problems.into_iter().chain(more).collect()),
    }
}

/// Images by their names, since what they are made from is not known.
fn unbuilt(config: &Config) -> Observed {
    let built = config.images.iter().filter(|(_, image)| matches!(image, Image::Built(_)));
    let state = |name: &String| {
        let reference = format!("{}.{name}", config.project.name);
        ImageState { name: name.clone(), reference, ..ImageState::default() }
    };
    Observed { images: built.map(|(name, _)| (name.clone(), state(name))).collect(), ..Observed::default() }
}
