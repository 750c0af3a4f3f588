//! `deploy.route`: has the proxy of a host lead requests to containers. I/O.
//!
//! `piece` is what one service wants, `proxy` the seam to a proxy and `caddy` the one there is, all pure; `store` reads
//! and writes the proxy's files, `containers` and `renew` keep it running, `exec` runs its commands,
//! `certificates` brings and clears away keys, `drain` waits.

mod caddy;
mod certificates;
mod containers;
mod drain;
mod exec;
mod lock;
mod piece;
mod proxy;
mod renew;
mod seen;
mod store;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bollard::models::ContainerSummary;
use cloudpad_plugin_api::stage::deploy::SetRoute;
use cloudpad_plugin_api::{Context, Failure};
use tokio::time::{sleep, timeout};

use self::containers::Found;
use self::piece::Piece;
use self::proxy::{FOLDER, Kind, Part};
use super::networks;
use crate::pool::Connection;

pub(super) use certificates::tidy;
pub(super) use seen::{seen, which};

/// The proxy that there is.
const KIND: &dyn Kind = &caddy::Caddy;
/// How often the proxy is given a configuration until it is as it should be: once, unless its lock is lost meanwhile.
const TRIES: u32 = 5;
/// How long a look waits for those who change the proxy: as long as one may take who makes it anew.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) async fn route(cx: &Context, host: &Arc<Connection>, request: &SetRoute) -> Result<(), Failure> {
    if let Some(rule) = &request.rule {
        piece::check(rule)?;
    }
    let engine = &host.engine;
    let gone = {
        let mut certificates_changed = host.routing.lock().await;
        let lock = lock::take(cx, host).await?;
        ensure(host, request).await?;
        let settled = settle(cx, host, request, &mut certificates_changed).await;
        if settled.is_err() {
            certificates::refused(engine, request).await;
        }
        let piece = settled?;
        lock.release().await;
        gone(&piece, request)
    };
    if !gone.is_empty() && request.drain_ms > 0 {
        let limit = Duration::from_millis(request.drain_ms);
        match parts(host).await?.into_iter().find(|(part, _)| part.is_front) {
            Some((_, front)) => {
                let front = front.address().unwrap_or_default();
                drain::wait(engine.transport().as_ref(), KIND, front, &gone, limit).await;
            }
            None => sleep(limit).await,
        }
    }
    match request.rule {
        Some(_) => Ok(()),
        None => leave(cx, host).await,
    }
}

/// What a look at the proxy says while nobody changes it; none where that cannot be had.
pub(super) async fn undisturbed<T>(
    cx: &Context,
    host: &Connection,
    look: impl AsyncFnOnce() -> T,
) -> Option<T> {
    let _alone = timeout(PATIENCE, host.routing.lock()).await.ok()?;
    let lock = timeout(PATIENCE, lock::take(cx, host)).await.ok()?.ok()?;
    let seen = look().await;
    lock.release().await;
    Some(seen)
}

/// The parts that are there.
async fn parts(host: &Connection) -> Result<Vec<(&'static Part, Found)>, Failure> {
    Ok(among(&host.containers().await?))
}

fn among(all: &[ContainerSummary]) -> Vec<(&'static Part, Found)> {
    KIND.parts().iter().filter_map(|part| Some((part, containers::find(part, all)?))).collect()
}

/// Sees to it that the proxy runs, and reaches the service's network.
async fn ensure(host: &Connection, request: &SetRoute) -> Result<(), Failure> {
    let all = host.containers().await?;
    let changed = renew::ensure(&host.engine, KIND, request, &all).await?;
    let found = if changed { parts(host).await? } else { among(&all) };
    let router = found.iter().find(|(part, _)| !part.is_front).map(|(_, found)| found);
    let Some(router) = router else { return Err(Failure::failed("the proxy has ended as it was started")) };
    // A router that was made anew is in the networks of nobody.
    let stored = store::read(&host.engine, &router.id).await?;
    for network in stored.pieces.iter().filter_map(|piece| Some(piece.rule.as_ref()?.network.as_str())) {
        if changed {
            // That of a project which is gone meanwhile harms nobody else.
            let _ = containers::join(&host.engine, router, network).await;
        }
    }
    match &request.rule {
        Some(rule) => containers::join(&host.engine, router, &rule.network).await,
        None => Ok(()),
    }
}

/// Has the proxy do what is asked and what all others have asked, until it does. The piece as it is then.
///
/// Whoever has given the proxy a configuration looks afterwards whether it is the one that follows from all pieces; so the
/// last one to give it one has seen all of them, even where a lock was lost.
async fn settle(
    cx: &Context,
    host: &Connection,
    request: &SetRoute,
    certificates_changed: &mut bool,
) -> Result<Piece, Failure> {
    let engine = &host.engine;
    let through = KIND.parts()[0].container;
    for _ in 0..TRIES {
        let stored = store::read(engine, through).await?;
        let before =
            stored.pieces.iter().find(|p| p.project == *request.project && p.service == request.service);
        let blank = Piece::new(&request.project, &request.service);
        let piece = before.unwrap_or(&blank).after(request);
        refuse_taken(&stored.pieces, request)?;
        let others = stored.pieces.iter().filter(|other| other.file() != piece.file());
        let mut pieces: Vec<Piece> = others.chain([&piece]).cloned().collect();
        pieces.sort_by_key(Piece::file);
        let is_written = before == Some(&piece) || (before.is_none() && piece == blank);
        let mut changed = false;
        for part in KIND.parts() {
            if let Some(config) = stored.lacking(KIND, part, &pieces) {
                if part.is_front {
                    certificates::bring(cx, engine, request).await?;
                    *certificates_changed = true;
                }
                renew::load(engine, KIND, part, config.to_string().into_bytes()).await?;
                changed = true;
            }
        }
        if !is_written {
            store::write(engine, through, FOLDER, &piece::files(&piece)?).await?;
        }
        if !changed && is_written {
            return Ok(piece);
        }
    }
    Err(Failure::failed("others go on changing the proxy's routes").retryable())
}

/// Refuses requests that lead to another project already.
fn refuse_taken(pieces: &[Piece], request: &SetRoute) -> Result<(), Failure> {
    let Some(rule) = &request.rule else { return Ok(()) };
    let others = pieces.iter().filter(|piece| piece.project != *request.project);
    for claim in others.filter_map(Piece::claim) {
        if let Some(what) = claim.clashes(rule) {
            let message =
                format!("{what} leads to service `{}` of project `{}`", claim.service, claim.project);
            return Err(Failure::stale(message));
        }
    }
    Ok(())
}

/// The addresses of containers that get no more requests since this one.
fn gone(piece: &Piece, request: &SetRoute) -> Vec<String> {
    let is_meant = |name: &String| request.rule.is_none() || request.remove.contains(name);
    let meant = piece.draining.iter().filter(|(name, _)| is_meant(name));
    meant.map(|(name, port)| proxy::address(name, *port)).collect()
}

/// Removes the proxy, where nobody's requests are led any more. Certificates stay, since they are not given without limit.
pub(super) async fn retire(cx: &Context, host: &Arc<Connection>) -> Result<(), Failure> {
    let _alone = host.routing.lock().await;
    if parts(host).await?.is_empty() {
        return Ok(());
    }
    let lock = lock::take(cx, host).await?;
    // Another project may have left meanwhile, and taken the proxy with it.
    let found = parts(host).await?;
    let Some((_, any)) = found.first() else { return Ok(()) };
    let stored = store::read(&host.engine, &any.id).await?;
    if stored.pieces.iter().all(|piece| piece.rule.is_none()) {
        for (part, found) in &found {
            containers::stop(&host.engine, part, &found.id).await?;
            containers::remove(&host.engine, part, &found.id).await?;
        }
        networks::remove(&host.engine, containers::NETWORK).await?;
        containers::clear(&host.engine).await?;
    }
    lock.release().await;
    Ok(())
}

/// Leaves the networks in which nothing is routed any more.
async fn leave(cx: &Context, host: &Connection) -> Result<(), Failure> {
    let _alone = host.routing.lock().await;
    let lock = lock::take(cx, host).await?;
    let found = parts(host).await?;
    let Some((_, router)) = found.iter().find(|(part, _)| !part.is_front) else { return Ok(()) };
    let stored = store::read(&host.engine, &router.id).await?;
    let needed: BTreeSet<&str> =
        stored.pieces.iter().filter_map(|piece| Some(piece.rule.as_ref()?.network.as_str())).collect();
    containers::leave(&host.engine, router, &needed).await?;
    lock.release().await;
    Ok(())
}
