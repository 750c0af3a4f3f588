//! Projects' own certificates on a host: brought before the proxy is to read them, and made away with once no route refers
//! to them any more. I/O.

use std::collections::BTreeSet;

use cloudpad_engine::Engine;
use cloudpad_plugin_api::stage::deploy::{Rule, SetRoute, Tls};
use cloudpad_plugin_api::{Context, Failure, Level};

use super::piece::Piece;
use super::proxy::SECRETS;
use super::{KIND, caddy, lock, parts, store};
use crate::pool::Connection;

type Certificate = ([String; 2], [String; 2]);

/// Brings a rule's own certificate to the host.
pub(super) async fn bring(cx: &Context, engine: &Engine, request: &SetRoute) -> Result<(), Failure> {
    let Some(rule) = &request.rule else { return Ok(()) };
    let Some((paths, values)) = certificate(cx, request, rule) else { return Ok(()) };
    let files = paths.iter().zip(values).map(|(path, value)| (inside(path).to_owned(), value.into_bytes()));
    store::write(engine, KIND.parts()[0].container, SECRETS, &files.collect::<Vec<_>>()).await
}

/// The certificate and its key, with their files. An undo goes back to what may not be known any more, and is there.
fn certificate(cx: &Context, request: &SetRoute, rule: &Rule) -> Option<Certificate> {
    let Some(Tls::Own { certificate, key }) = &rule.tls else { return None };
    let paths = caddy::own_files(&request.project, &request.service, rule)?;
    let value = |name: &str| Some(cx.secret(name).ok()?.expose().to_owned());
    Some((paths, [value(&certificate.name)?, value(&key.name)?]))
}

/// The path of a file in the folder of secrets.
fn inside(path: &str) -> &str {
    path.trim_start_matches(SECRETS).trim_start_matches('/')
}

/// Makes away with what a deploy has left that has come to its end: until then it may go back to it. That it cannot be done
/// is told, and harms nothing else.
pub(in crate::deploy) async fn tidy(cx: &Context, host: &Connection) {
    let mut may_be_left = host.routing.lock().await;
    if !*may_be_left {
        return;
    }
    match all(cx, host).await {
        Ok(()) => *may_be_left = false,
        Err(failure) => {
            cx.log(Level::Warn, format!("keys of certificates that are used no more stay: {failure}"));
        }
    }
}

async fn all(cx: &Context, host: &Connection) -> Result<(), Failure> {
    let lock = lock::take(cx, host).await?;
    if !parts(host).await?.is_empty() {
        forget(&host.engine, |_| true).await?;
    }
    lock.release().await;
    Ok(())
}

/// Makes away with what a request has brought that was refused, and nothing else: others may go back to theirs. Where it stays,
/// that is no reason to fail by.
pub(super) async fn refused(engine: &Engine, request: &SetRoute) {
    let own = |rule: &Rule| caddy::own_files(&request.project, &request.service, rule);
    if let Some(brought) = request.rule.as_deref().and_then(own) {
        let _ = forget(engine, |path| brought.iter().any(|own| inside(own) == path)).await;
    }
}

/// Empties those of these files of certificates to which no route refers. They cannot be removed: engines have no such order, and
/// the proxy's image need not have anything but the proxy.
async fn forget(engine: &Engine, is_meant: impl Fn(&str) -> bool) -> Result<(), Failure> {
    let through = KIND.parts()[0].container;
    let pieces = store::read(engine, through).await?.pieces;
    let own = |piece: &Piece| caddy::own_files(&piece.project, &piece.service, piece.rule.as_deref()?);
    let needed: BTreeSet<String> = pieces.iter().filter_map(own).flatten().collect();
    let needed: BTreeSet<&str> = needed.iter().map(|path| inside(path)).collect();
    let there = store::fetch(engine, through, SECRETS).await?;
    let left = there.into_iter().filter(|(path, text)| {
        path.starts_with(caddy::OWN) && is_meant(path) && !text.is_empty() && !needed.contains(path.as_str())
    });
    let emptied: Vec<_> = left.map(|(path, _)| (path, Vec::new())).collect();
    if emptied.is_empty() { Ok(()) } else { store::write(engine, through, SECRETS, &emptied).await }
}
