//! The provider: finds the engine, starts a runtime for each call, and ends it when the caller cancels.

use std::future::Future;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cloudpad_engine::{Endpoint, Engine};
use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::stage::build::{Build, Built, Images, Observe, Run};
use cloudpad_plugin_api::{Cancel, Context, Failure};

use crate::{observe, run};

/// The build provider `docker`.
#[derive(Default)]
pub struct Docker {
    endpoint: Option<Endpoint>,
    /// Where file times are kept, as the last `build.observe` said.
    cache: Mutex<Option<PathBuf>>,
}

/// The one that is linked in.
pub(crate) static LOCAL: Docker = Docker { endpoint: None, cache: Mutex::new(None) };

impl Docker {
    /// The engine of this machine that listens at `endpoint`.
    pub fn at(endpoint: Endpoint) -> Self {
        Self { endpoint: Some(endpoint), ..Self::default() }
    }

    fn cache(&self) -> MutexGuard<'_, Option<PathBuf>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The engine that was asked for; else that of `DOCKER_HOST`; else the one at the default socket.
    async fn engine(&self) -> Result<Engine, Failure> {
        let Some(endpoint) = &self.endpoint else { return Engine::local().await };
        let here = Host::new(Host::LOCAL, Host::LOCAL);
        let transport = cloudpad_transport::connect(&here, &Default::default(), &Cancel::new()).await?;
        Ok(Engine::over(transport, endpoint.clone()))
    }
}

impl Build for Docker {
    fn observe(&self, cx: &Context, request: &Observe) -> Result<Images, Failure> {
        *self.cache() = Some(request.cache.clone());
        in_runtime(cx, async { observe::observe(&self.engine().await?, request).await })
    }

    fn run(&self, cx: &Context, request: &Run) -> Result<Built, Failure> {
        let cache = self.cache().clone();
        in_runtime(cx, async { run::run(cx, &self.engine().await?, request, cache.as_deref()).await })
    }
}

/// Answers `work` in a runtime of its own. A cancelled call drops it with all its connections, and the
/// engine stops a build whose client is gone.
fn in_runtime<T>(cx: &Context, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    cx.check_cancelled()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("could not start the build's threads: {error}")))?;
    let result = runtime.block_on(async {
        tokio::select! {
            result = work => result,
            () = cloudpad_transport::cancelled(cx.cancel()) => Err(Failure::cancelled()),
        }
    });
    // A thread that reads a file that never ends must not hold the caller.
    runtime.shutdown_timeout(Duration::from_millis(100));
    result
}
