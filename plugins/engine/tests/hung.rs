//! Engines that hang while their host is well, by a clock that jumps to whatever is waited for next.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bollard::body_try_stream;
use bollard::query_parameters::{ImportImageOptions, StopContainerOptions};
use cloudpad_engine::{Endpoint, Engine, bollard};
use cloudpad_plugin_api::Failure;
use cloudpad_transport::{BoxFuture, Stream, Traffic, Transport};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::Instant;

/// An engine that answers so many questions for its version or for a sign of life, and nothing else. What
/// it is sent it takes, while `reads`.
#[derive(Clone)]
struct Failing {
    answers: Arc<AtomicUsize>,
    reads: bool,
}

impl Failing {
    fn engine(answers: usize, reads: bool) -> Engine {
        let failing = Self { answers: Arc::new(AtomicUsize::new(answers)), reads };
        Engine::over(Arc::new(failing), Endpoint::default())
    }

    async fn serve(self, mut stream: DuplexStream) {
        let mut buffer = vec![0; 4096];
        while let Ok(length @ 1..) = stream.read(&mut buffer).await {
            let asked = String::from_utf8_lossy(&buffer[..length]).into_owned();
            let body = match () {
                () if asked.starts_with("GET /version ") => r#"{"ApiVersion":"1.41"}"#,
                () if asked.starts_with("GET /_ping ") => "OK",
                () if self.reads => continue,
                () => std::future::pending().await,
            };
            let left = |answers: usize| answers.checked_sub(1);
            if self.answers.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left).is_err() {
                return std::future::pending().await;
            }
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ";
            stream.write_all(format!("{head}{}\r\n\r\n{body}", body.len()).as_bytes()).await.unwrap();
        }
    }
}

impl Transport for Failing {
    fn unix<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Stream, Failure>> {
        let (ours, theirs) = tokio::io::duplex(4096);
        tokio::spawn(self.clone().serve(theirs));
        Box::pin(async { Ok(Box::new(ours) as Stream) })
    }

    fn tcp<'a>(&'a self, _: &'a str, _: u16) -> BoxFuture<'a, Result<Stream, Failure>> {
        Box::pin(async { Err(Failure::unsupported("tcp")) })
    }

    fn exec<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Stream, Failure>> {
        Box::pin(async { Err(Failure::unsupported("exec")) })
    }

    fn traffic(&self) -> Traffic {
        Traffic::default()
    }
}

/// What was there first, and after how long: an answer, or silence of 40 seconds.
async fn patiently<T>(engine: &Engine, work: impl Future<Output = T>) -> (Option<T>, u64) {
    let begun = Instant::now();
    let first = tokio::select! {
        done = work => Some(done),
        () = engine.silent_for(Duration::from_secs(40)) => None,
    };
    (first, begun.elapsed().as_secs())
}

const LONG: Duration = Duration::from_secs(3600);

#[tokio::test(start_paused = true)]
async fn a_hung_engine_is_told_by_its_silence() {
    let engine = Failing::engine(1, false);
    let stop = async {
        let docker = engine.within(LONG).await.unwrap();
        docker.stop_container("web", None::<StopContainerOptions>).await
    };
    let (answer, seconds) = patiently(&engine, stop).await;
    assert!(answer.is_none());
    assert_eq!(seconds, 40);
}

#[tokio::test(start_paused = true)]
async fn one_that_hangs_from_the_first_question_on_is_told_too() {
    let engine = Failing::engine(0, false);
    let (answer, seconds) = patiently(&engine, engine.version()).await;
    assert!(answer.is_none());
    assert_eq!(seconds, 40);
}

#[tokio::test(start_paused = true)]
async fn one_that_works_for_long_gives_signs_of_life() {
    let engine = Failing::engine(usize::MAX, false);
    let stop = async {
        let docker = engine.within(LONG).await.unwrap();
        docker.stop_container("web", None::<StopContainerOptions>).await
    };
    let (answer, seconds) = patiently(&engine, stop).await;
    assert!(matches!(answer, Some(Err(bollard::errors::Error::RequestTimeoutError))), "{answer:?}");
    assert_eq!(seconds, 3660, "its own limit counts");
}

#[tokio::test(start_paused = true)]
async fn one_that_hangs_later_is_given_its_time_from_then_on() {
    // Its version, and signs of life after 10, 20 and 30 seconds.
    let engine = Failing::engine(4, false);
    let stop = async {
        let docker = engine.within(LONG).await.unwrap();
        docker.stop_container("web", None::<StopContainerOptions>).await
    };
    let (answer, seconds) = patiently(&engine, stop).await;
    assert!(answer.is_none());
    assert_eq!(seconds, 30 + 40);
}

#[tokio::test(start_paused = true)]
async fn one_that_takes_what_it_is_sent_is_not_hung() {
    let engine = Failing::engine(1, true);
    let docker = engine.patient().await.unwrap();
    let piece = |n: u64| async move {
        if n > 0 {
            tokio::time::sleep(Duration::from_secs(9)).await;
        }
        (n < 20).then(|| (Ok::<_, std::io::Error>(bytes::Bytes::from_static(b"layer")), n + 1))
    };
    let sent = futures_util::stream::unfold(0, piece);
    let load = async {
        use futures_util::StreamExt;
        docker.import_image(ImportImageOptions::default(), body_try_stream(sent), None).next().await
    };
    let (answer, seconds) = patiently(&engine, load).await;
    assert!(answer.is_none());
    assert_eq!(seconds, 19 * 9 + 40, "from the last piece on");
}
