//! Asks something of several hosts at once, outside of plans. I/O: plugins.

use std::sync::Arc;

use cloudpad_plugin_api::{Event, Failure, Reply, Request};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::run::Runner;

/// What one host has answered.
pub struct Answer {
    /// Which of the requests it was.
    pub index: usize,
    /// What came of it.
    pub outcome: Result<Reply, Failure>,
}

/// Sends one request, and hands each event to `on_event`.
///
/// # Errors
/// What the provider answers.
pub async fn one(
    runner: &Runner,
    request: Request,
    key: String,
    on_event: impl Fn(Event) + Send + Sync + 'static,
) -> Result<Reply, Failure> {
    let (providers, cancel) = (runner.providers.clone(), runner.stop.cancel().clone());
    let call =
        tokio::task::spawn_blocking(move || providers.call(&request, &key, Arc::new(on_event), cancel));
    call.await.unwrap_or_else(|error| Err(Failure::failed(error.to_string())))
}

/// Sends all requests, `at_once` at a time. Each event is handed to `on_event` with the number of its request, and each
/// answer to `on_answer` when it comes. Once the user wants to stop, nothing new is sent.
pub async fn ask(
    runner: &Runner,
    requests: Vec<Request>,
    at_once: usize,
    on_event: impl Fn(usize, Event) + Send + Sync + 'static,
    mut on_answer: impl FnMut(Answer),
) {
    let on_event = Arc::new(on_event);
    let places = Arc::new(Semaphore::new(at_once.max(1)));
    let mut under_way = JoinSet::new();
    for (index, request) in requests.into_iter().enumerate() {
        let (runner, places, on_event) = (runner.clone(), places.clone(), on_event.clone());
        under_way.spawn(async move {
            let _place = places.acquire_owned().await;
            if runner.stop.is_requested() {
                return Answer { index, outcome: Err(Failure::cancelled()) };
            }
            let key = format!("{}/{index}", request.method());
            let outcome = one(&runner, request, key, move |event| on_event(index, event)).await;
            Answer { index, outcome }
        });
    }
    while let Some(answer) = under_way.join_next().await {
        if let Ok(answer) = answer {
            on_answer(answer);
        }
    }
}
