//! One change of a host's proxy at a time, whoever makes it and from where. I/O.
//!
//! A name of a container is given once: who has made the container of this name has the lock. It never runs. Everybody who
//! may use the engine can take the lock; one whose holder is gone without a word is broken after a while.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bollard::models::ContainerCreateBody;
use bollard::query_parameters::{CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder};
use cloudpad_engine::{failure, status};
use cloudpad_plugin_api::Failure;
use tokio::time::{Instant, sleep};

use crate::deploy::container;
use crate::pool::Connection;

const NAME: &str = "cloudpad-proxy-lock";
/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(200);
/// For how long one and the same holder is waited for: far longer than a change takes.
const PATIENCE: Duration = Duration::from_secs(90);

/// The lock, which is given back when it is dropped.
pub(super) struct Lock {
    host: Arc<Connection>,
    id: String,
}

/// Takes the lock. `image` is one that is on the host.
pub(super) async fn take(host: &Arc<Connection>, image: &str) -> Result<Lock, Failure> {
    let mut holder = (String::new(), Instant::now());
    loop {
        if let Some(id) = make(host, image).await? {
            return Ok(Lock { host: host.clone(), id });
        }
        let found = container::inspect(&host.engine, NAME).await?.and_then(|found| found.id);
        match found {
            Some(id) if id != holder.0 => holder = (id, Instant::now()),
            Some(id) if holder.1.elapsed() > PATIENCE => remove(host, &id).await,
            _ => {}
        }
        sleep(PAUSE).await;
    }
}

impl Lock {
    /// Gives it back.
    pub(super) async fn release(mut self) {
        let id = std::mem::take(&mut self.id);
        remove(&self.host, &id).await;
    }
}

/// Whoever is stopped in the middle gives it back too.
impl Drop for Lock {
    fn drop(&mut self) {
        let (host, id) = (self.host.clone(), std::mem::take(&mut self.id));
        if !id.is_empty() {
            tokio::spawn(async move { remove(&host, &id).await });
        }
    }
}

/// Makes the container; none when there is one.
async fn make(host: &Connection, image: &str) -> Result<Option<String>, Failure> {
    let labels = HashMap::from([(super::containers::PART.to_owned(), NAME.to_owned())]);
    let body = ContainerCreateBody {
        image: Some(image.to_owned()),
        cmd: Some(vec!["true".to_owned()]),
        labels: Some(labels),
        ..Default::default()
    };
    let options = CreateContainerOptionsBuilder::new().name(NAME).build();
    match host.engine.docker().await?.create_container(Some(options), body).await {
        Ok(made) => Ok(Some(made.id)),
        Err(error) if status(&error) == Some(409) => Ok(None),
        Err(error) if status(&error) == Some(404) => {
            let message = format!("the image of the proxy, `{image}`, is not on the host");
            Err(Failure::failed(message)
                .cause(error)
                .hint("let the host pull it, or choose another in `[proxy]`"))
        }
        Err(error) => Err(failure("could not take the lock of the proxy", &error)),
    }
}

/// What is gone already is fine, and what cannot be removed is waited for by whoever comes next.
async fn remove(host: &Connection, id: &str) {
    let force = RemoveContainerOptionsBuilder::new().force(true).build();
    if let Ok(docker) = host.engine.docker().await {
        let _ = docker.remove_container(id, Some(force)).await;
    }
}
