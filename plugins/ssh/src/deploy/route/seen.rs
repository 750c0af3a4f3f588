//! The proxy of a host as it is. I/O.

use bollard::models::ContainerSummary;
use cloudpad_engine::Engine;
use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::model::Project;
use cloudpad_plugin_api::stage::deploy::ProxySeen;

use super::containers::{self, Found};
use super::piece::Piece;
use super::proxy::Part;
use super::{KIND, store};

/// Which containers it consists of.
pub(in crate::deploy) fn which(all: &[ContainerSummary]) -> Vec<String> {
    let found =
        KIND.parts().iter().flat_map(|part| [containers::find(part, all), containers::find_kept(part, all)]);
    found.flatten().map(|found| found.id).collect()
}

/// What a project is told of it: its own routes, and what others have taken.
pub(in crate::deploy) async fn seen(
    engine: &Engine,
    all: &[ContainerSummary],
    project: &Project,
) -> Result<ProxySeen, Failure> {
    let find = |part| containers::find(part, all).or_else(|| containers::find_kept(part, all));
    let found = KIND.parts().iter().filter_map(|part| Some((part, find(part)?)));
    let found: Vec<(&Part, Found)> = found.collect();
    let Some((_, any)) = found.first() else { return Ok(ProxySeen::default()) };
    let stored = store::read(engine, &any.id).await?;
    let front = found.iter().find(|(part, _)| part.is_front).map(|(_, found)| found);
    let runs =
        |part: &Part| found.iter().any(|(of, found)| of.container == part.container && found.is_running);
    let is_settled = |part: &Part| {
        runs(part)
            && containers::find_kept(part, all).is_none()
            && stored.lacking(KIND, part, &stored.pieces).is_none()
    };
    let (own, others): (Vec<_>, Vec<_>) = stored.pieces.iter().partition(|piece| piece.project == *project);
    Ok(ProxySeen {
        made: front.and_then(|front| front.made.clone()),
        settled: KIND.parts().iter().all(is_settled),
        down: !KIND.parts().iter().all(runs),
        routes: own.into_iter().filter_map(Piece::seen).collect(),
        claims: others.into_iter().filter_map(Piece::claim).collect(),
    })
}
