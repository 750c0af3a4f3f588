//! Carries plans out: sends what may be sent, records what happens, stops when told to. I/O: plugins, signals, clock.
//!
//! There are no choices in here: whoever has a plan carried out says what of it goes on after a failure, and
//! after an interrupt only what finishes an instance that was begun does. What to do about it is another plan.

mod job;
mod patience;
mod record;
mod stop;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use cloudpad_plugin_api::{Failure, Reply, Request};
use tokio::task::{JoinError, JoinSet};

use crate::plan::queue::{Limits, Mode, Queue};
use crate::plan::{Action, Plan, open_images};
use crate::plugin::Providers;
use crate::report::{Event, Phase, Subject};
use job::Printed;
use patience::Patience;
pub use record::Record;
pub use stop::Stop;

/// How many actions are under way at the same time, at the most. Each holds a thread of this process.
pub const MOST_AT_ONCE: usize = 128;

/// How many of them on one host: they share its connection.
const MOST_PER_HOST: usize = 6;

/// What came of actions, by number. Those that were not begun are not there.
pub type Outcomes = BTreeMap<u32, Result<Reply, Failure>>;

/// The actions under way, and what came of each.
type UnderWay = JoinSet<(u32, Result<Reply, Failure>)>;

/// What is needed to carry plans out.
#[derive(Clone)]
pub struct Runner {
    /// Whom to ask.
    pub providers: Arc<Providers>,
    /// Whom to tell.
    pub record: Arc<Record>,
    /// Whether to go on.
    pub stop: Stop,
}

impl Runner {
    /// The same, of whose work nobody is told.
    pub fn silent(&self) -> Self {
        Self { record: Arc::new(Record::silent()), ..self.clone() }
    }

    /// Sends a plan's requests in an order that its graph allows, until all are done that can be. When one
    /// has failed, `after_failure` is what of the others is still begun.
    pub async fn carry_out(&self, phase: Phase, plan: &Plan, after_failure: Mode) -> Outcomes {
        let mut queue = Queue::of(plan, Limits { per_host: MOST_PER_HOST, overall: MOST_AT_ONCE });
        let mut under_way = UnderWay::new();
        let mut patience = Patience::default();
        let mut outcomes = Outcomes::new();
        loop {
            if self.stop.is_requested() {
                queue.narrow(Mode::Finishing);
            }
            while let Some(id) = queue.next() {
                let action = plan.actions[id as usize].clone();
                patience.begin(Subject::of(&action), Instant::now());
                under_way.spawn(self.clone().send(phase, action, &outcomes));
            }
            let Some(finished) = self.next_end(phase, &mut under_way, &mut patience).await else {
                return outcomes;
            };
            // `send` neither panics nor is aborted; were it so, its action would count as not begun.
            let Ok((id, outcome)) = finished else { continue };
            patience.end(id);
            match &outcome {
                Ok(_) => queue.done(id),
                Err(_) => {
                    queue.failed(id);
                    queue.narrow(after_failure);
                }
            }
            outcomes.insert(id, outcome);
        }
    }

    /// What ends next; none when nothing is under way. Until then it tells what takes long.
    async fn next_end(
        &self,
        phase: Phase,
        under_way: &mut UnderWay,
        patience: &mut Patience,
    ) -> Option<Result<(u32, Result<Reply, Failure>), JoinError>> {
        while let Some(due) = patience.due() {
            match tokio::time::timeout_at(due.into(), under_way.join_next()).await {
                Ok(ended) => return ended,
                Err(_) => {
                    let actions = patience.tell(Instant::now());
                    self.record.event(Event::Waiting { phase, actions });
                }
            }
        }
        under_way.join_next().await
    }

    /// Sends one request, on a thread of its own, and records what comes of it.
    fn send(
        self,
        phase: Phase,
        mut action: Action,
        outcomes: &Outcomes,
    ) -> impl Future<Output = (u32, Result<Reply, Failure>)> + use<> {
        fill_in(&mut action.request, outcomes);
        async move {
            let id = action.id;
            let work = tokio::task::spawn_blocking(move || self.call(phase, &action));
            let outcome = work.await.unwrap_or_else(|error| Err(Failure::failed(error.to_string())));
            (id, outcome)
        }
    }

    fn call(&self, phase: Phase, action: &Action) -> Result<Reply, Failure> {
        let begun = Instant::now();
        let subject = Subject::of(action);
        let printed = Printed::of(&action.request);
        self.record.event(Event::Started { phase, action: subject.clone() });
        let emit = {
            let (record, action, printed) = (self.record.clone(), subject.clone(), printed.clone());
            move |detail| {
                printed.hear(&detail);
                record.event(Event::During { phase, action: action.clone(), detail });
            }
        };
        let outcome =
            self.providers.call(&action.request, &action.key, Arc::new(emit), self.stop.cancel().clone());
        let outcome = outcome.and_then(|reply| job::judged(&action.request, reply, printed));
        let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.record.event(match &outcome {
            Ok(reply) => {
                let reply = self.providers.shown(&action.request, reply);
                Event::Done { phase, action: subject, ms, reply }
            }
            Err(error) => Event::Failed { phase, action: subject, ms, error: error.clone() },
        });
        outcome
    }
}

/// Replaces what was not known when the plan was made by what its actions have answered since.
fn fill_in(request: &mut Request, outcomes: &Outcomes) {
    use cloudpad_plugin_api::stage::deploy::ImageRef;
    for image in open_images(request) {
        if let ImageRef::PushedBy { pushed_by } = *image
            && let Some(Ok(Reply::Pushed(pushed))) = outcomes.get(&pushed_by)
        {
            *image = ImageRef::Known(pushed.reference.clone());
        }
    }
}
