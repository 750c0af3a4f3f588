//! Whether an image has room on a host, looked at before any of it is sent. I/O, but for the sums.

use bollard::models::ImageInspect;
use cloudpad_engine::{Engine, failure};
use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::model::Host;

use super::lacking;
use super::present::{inspect, layers};
use crate::deploy::disk_of;
use crate::pool::Connection;

/// Fails where the image cannot have room on the host, of which the images with layers `known` were looked at. Where it
/// seems so, all others are looked at too.
pub(super) async fn check(
    (host, to): (&Host, &Connection),
    from: &Engine,
    (reference, image): (&str, &ImageInspect),
    known: &[Vec<String>],
) -> Result<(), Failure> {
    let Some(disk) = disk_of(to).await else { return Ok(()) };
    let (sizes, all) = (sizes(from, reference).await?, layers(image));
    let least = |known: &[Vec<String>]| least(&sizes, lacking::shared(&all, known));
    if least(known) <= disk.free {
        return Ok(());
    }
    let needed = least(&every(to).await?);
    if needed <= disk.free {
        return Ok(());
    }
    let (name, path) = (&host.name, &disk.path);
    let (needed, free) = (megabytes(needed), megabytes(disk.free));
    let message = format!(
        "image `{reference}` has no room on `{name}`: what is lacking of it takes {needed}, and {free} are free in `{path}`"
    );
    Err(Failure::failed(message).hint(format!(
        "`cloudpad prune --host {name}` removes what the project does not need any more there, `docker system df` tells what else there is"
    )))
}

/// The sizes of an image's layers in bytes, those without any content left out, from the bottom up.
async fn sizes(engine: &Engine, reference: &str) -> Result<Vec<u64>, Failure> {
    let steps = engine.docker().await?.image_history(reference).await;
    let steps =
        steps.map_err(|error| failure(&format!("could not look at the layers of `{reference}`"), &error))?;
    let sizes = steps.iter().rev().filter_map(|step| u64::try_from(step.size).ok());
    Ok(sizes.filter(|size| *size > 0).collect())
}

/// How many bytes of an image are lacking at least where its first `shared` layers are there. An engine does not tell which
/// of the layers are those without content, so each of them is taken for one with content.
fn least(sizes: &[u64], shared: usize) -> u64 {
    sizes.iter().skip(shared).sum()
}

/// The layers of every image that the host has.
async fn every(to: &Connection) -> Result<Vec<Vec<String>>, Failure> {
    let mut known = Vec::new();
    for seen in to.images().await?.iter() {
        known.extend(inspect(&to.engine, &seen.id).await?.as_ref().map(layers));
    }
    Ok(known)
}

/// Bytes as megabytes with one decimal.
fn megabytes(bytes: u64) -> String {
    format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lacking_at_least_is_what_is_above_the_layers_that_are_there() {
        let sizes = [500, 30, 2];
        let cases = [(0, 532), (1, 32), (2, 2), (3, 0), (7, 0)];
        for (shared, expected) in cases {
            assert_eq!(least(&sizes, shared), expected);
        }
        assert_eq!(megabytes(1_250_000), "1.2 MB");
    }
}
