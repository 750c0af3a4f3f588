//! One plugin of a run: started when it is first needed, started again when it has died, ended with the run. I/O:
//! through its [`Session`].

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cloudpad_plugin_api::wire::PluginHello;
use cloudpad_plugin_api::{Cancel, Emit, Failure, FailureKind, Reply};

use super::limits::Limits;
use super::lock::{self, Present};
use super::mask::Mask;
use super::session::{Ask, Session, Unanswered, confirm};
use super::start::{self, Launch};
use super::sum::Sum;
use crate::project::file;

/// A plugin that runs in a process of its own.
pub struct External {
    launch: Launch,
    limits: Limits,
    mask: Arc<Mask>,
    life: Mutex<Life>,
}

#[derive(Default)]
struct Life {
    session: Option<Arc<Session>>,
    starts: u32,
    /// Why it cannot be started. It is not tried again.
    broken: Option<Failure>,
    /// How the last session has ended.
    last: Option<Failure>,
}

impl External {
    /// A plugin that is not started yet. `mask` is laid over all that it says.
    pub fn new(launch: Launch, limits: Limits, mask: Arc<Mask>) -> Self {
        Self { launch, limits, mask, life: Mutex::default() }
    }

    /// How it is started.
    pub fn launch(&self) -> &Launch {
        &self.launch
    }

    /// What it says of itself.
    ///
    /// # Errors
    /// As for [`Session::start`].
    pub fn hello(&self, cancel: &Cancel) -> Result<PluginHello, Failure> {
        Ok(self.session(cancel)?.hello.clone())
    }

    /// The plugin as it is on this machine, for the lock file.
    ///
    /// # Errors
    /// As for [`hello`](Self::hello); `failed` when its file cannot be read.
    pub fn present(&self, cancel: &Cancel) -> Result<Present, Failure> {
        let version = self.hello(cancel)?.version;
        let Launch { who, path, .. } = &self.launch;
        let sum = file::open(path).and_then(|mut file| Sum::of(&mut file));
        let sum = sum.map_err(|error| Failure::failed(format!("{who} cannot be read: {error}")))?;
        let is_script = start::head_of(path).is_some_and(|head| head.is_script());
        Ok(Present {
            name: who.name.clone(),
            file: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            version: Some(version).filter(|version| !version.is_empty()),
            platform: if is_script { lock::ANY.to_owned() } else { lock::platform() },
            sum,
        })
    }

    /// Sends a request and waits for the reply. Where the plugin dies before it has seen any of it, another
    /// process of it gets the request.
    ///
    /// # Errors
    /// What the plugin answers; `crashed` when it fails at the protocol or ends; `unsupported` when it does not
    /// offer the method.
    pub fn call(&self, ask: Ask<'_>, emit: &Emit, cancel: &Cancel) -> Result<Reply, Failure> {
        loop {
            let session = self.session(cancel)?;
            self.offers(&session.hello, ask)?;
            match session.call(ask, emit, cancel) {
                Ok(reply) => return Ok(reply),
                Err(Unanswered::Failed(failure)) => return Err(failure),
                Err(Unanswered::NotSent(failure)) => self.forget(&session, failure),
            }
        }
    }

    fn offers(&self, hello: &PluginHello, ask: Ask<'_>) -> Result<(), Failure> {
        let (stage, method) = (ask.request.stage(), ask.request.method());
        let provides = confirm(hello, stage, ask.provider)
            .map_err(|why| Failure::invalid(format!("{} {why}", self.launch.who)))?;
        if provides.methods.iter().any(|offered| offered == method) {
            return Ok(());
        }
        let message = format!("{} does not offer `{method}`", self.launch.who);
        Err(Failure::new(FailureKind::Unsupported, message))
    }

    fn life(&self) -> MutexGuard<'_, Life> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session, started if there is none. Others who need it wait meanwhile.
    fn session(&self, cancel: &Cancel) -> Result<Arc<Session>, Failure> {
        let mut life = self.life();
        if let Some(session) = &life.session {
            return Ok(session.clone());
        }
        if let Some(failure) = &life.broken {
            return Err(failure.clone());
        }
        if cancel.is_cancelled() {
            return Err(Failure::cancelled());
        }
        if life.starts >= self.limits.starts {
            return Err(self.worn_out(&life));
        }
        life.starts += 1;
        match Session::start(&self.launch, self.limits, self.mask.clone(), cancel) {
            Ok(session) => {
                let session = Arc::new(session);
                life.session = Some(session.clone());
                Ok(session)
            }
            Err(failure) => {
                if failure.kind != FailureKind::Cancelled {
                    life.broken = Some(failure.clone());
                }
                Err(failure)
            }
        }
    }

    fn worn_out(&self, life: &Life) -> Failure {
        let (who, starts) = (&self.launch.who, life.starts);
        let message = format!("{who} has ended {starts} times in this run, and is not started again");
        let failure = Failure::new(FailureKind::Crashed, message);
        match &life.last {
            Some(last) => {
                Failure { causes: [vec![last.message.clone()], last.causes.clone()].concat(), ..failure }
            }
            None => failure,
        }
    }

    /// The plugin of this session is gone.
    fn forget(&self, session: &Arc<Session>, failure: Failure) {
        let mut life = self.life();
        if life.session.as_ref().is_some_and(|current| Arc::ptr_eq(current, session)) {
            (life.session, life.last) = (None, Some(failure));
        }
    }

    /// Tells it that there is no more to do, without waiting for its end; dropping it does.
    pub fn finish(&self) {
        if let Some(session) = &self.life().session {
            session.finish();
        }
    }
}
