//! The parts of the proxy as they should be: one that is to be another is made beside the old one, which stays until the new one has
//! proven itself, and comes back when it does not. I/O.

use std::time::Duration;

use bollard::models::ContainerSummary;
use cloudpad_engine::Engine;
use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::stage::deploy::{Proxy, SetRoute};
use tokio::time::{Instant, sleep};

use super::containers::{self, Found};
use super::proxy::{FOLDER, Kind, Part};
use super::{exec, store};

/// How long a part may need until it takes orders.
const STARTING: Duration = Duration::from_secs(20);

/// Old containers that wait for the new ones to prove themselves.
type Kept = Vec<(&'static Part, String)>;

/// Sees to it that all parts are there as they should be, and run. Whether any of them was not.
///
/// # Errors
/// What keeps a part from it; all of them are as they were then.
pub(super) async fn ensure(
    engine: &Engine,
    kind: &'static dyn Kind,
    request: &SetRoute,
    all: &[ContainerSummary],
) -> Result<bool, Failure> {
    let mut kept = Kept::new();
    let mut changed = false;
    for part in kind.parts() {
        match one(engine, kind, part, request, all, &mut kept).await {
            Ok(was_changed) => changed |= was_changed,
            Err(failure) => return Err(back(engine, kind, kept, failure).await),
        }
    }
    for (part, old) in &kept {
        containers::remove(engine, part, old).await?;
    }
    Ok(changed)
}

async fn one(
    engine: &Engine,
    kind: &'static dyn Kind,
    part: &'static Part,
    request: &SetRoute,
    all: &[ContainerSummary],
    kept: &mut Kept,
) -> Result<bool, Failure> {
    let proxy = &*request.proxy;
    // Who only takes a route off it leaves the proxy as others have made it.
    let fits = |found: &Found| request.rule.is_none() || is_made_as(part, found.made.as_ref(), proxy);
    let mut there = containers::find(part, all);
    if let Some(old) = containers::find_kept(part, all) {
        // Somebody was stopped in the middle.
        match &there {
            Some(new) if fits(new) => kept.push((part, old.id)),
            _ => {
                if let Some(new) = &there {
                    containers::remove(engine, part, &new.id).await?;
                }
                containers::rename(engine, &old.id, part.container).await?;
                there = Some(old);
            }
        }
    }
    let is_new = kept.iter().any(|(of, _)| of.container == part.container);
    match there {
        Some(found) if fits(&found) && found.is_running && !is_new => return Ok(false),
        Some(found) if fits(&found) && !is_new => {
            containers::begin(engine, kind, part).await?;
            return Ok(true);
        }
        Some(found) if fits(&found) => {}
        Some(found) => {
            containers::rename(engine, &found.id, &containers::kept_name(part)).await?;
            kept.push((part, found.id.clone()));
            containers::make(engine, part, proxy).await?;
            containers::stop(engine, part, &found.id).await?;
        }
        None => {
            containers::make(engine, part, proxy).await?;
            containers::begin(engine, kind, part).await?;
            return Ok(true);
        }
    }
    containers::begin(engine, kind, part).await?;
    prove(engine, kind, part).await?;
    Ok(true)
}

/// The ports are the front's alone.
fn is_made_as(part: &Part, made: Option<&Proxy>, proxy: &Proxy) -> bool {
    made.is_some_and(|made| if part.is_front { made == proxy } else { made.image == proxy.image })
}

/// Has a part that was started take an order.
async fn prove(engine: &Engine, kind: &dyn Kind, part: &Part) -> Result<(), Failure> {
    let stored = store::read(engine, part.container).await?;
    let same = stored.in_effect(part).unwrap_or_else(|| kind.config(part, &stored.pieces, None));
    let proven = load(engine, kind, part, same.to_string().into_bytes()).await;
    let message = || format!("container `{}` of the proxy does not take orders", part.container);
    proven.map_err(|failure| Failure::failed(message()).cause(failure))
}

/// Puts the old containers back in place of the new ones, until they answer. What has failed, with what fails by that.
async fn back(engine: &Engine, kind: &dyn Kind, kept: Kept, failure: Failure) -> Failure {
    let mut failure = failure;
    for (part, old) in kept.iter().rev() {
        let is_back = async {
            containers::put_back(engine, part, old).await?;
            prove(engine, kind, part).await
        };
        if let Err(worse) = is_back.await {
            failure = failure.cause(worse);
        }
    }
    failure
}

/// Gives a part another configuration. It answers as long as it is in effect; one that it refuses changes nothing.
pub(super) async fn load(
    engine: &Engine,
    kind: &dyn Kind,
    part: &Part,
    config: Vec<u8>,
) -> Result<(), Failure> {
    store::write(engine, part.container, FOLDER, &[(part.next.to_owned(), config)]).await?;
    let since = Instant::now();
    loop {
        let (done, output) = exec::run(engine, part.container, part.load).await?;
        if done {
            return Ok(());
        }
        // It may have been started just now.
        if !output.contains("dial unix") || since.elapsed() > STARTING {
            let said = kind.refusal(&output);
            return Err(Failure::failed("the proxy does not take its new configuration").cause(said));
        }
        sleep(Duration::from_millis(200)).await;
    }
}
