//! What the tests share: a clock whose seconds are the double's. I/O: the double.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cloudpad_fleet::client::Client;
use cloudpad_fleet::clock::Clock;
use cloudpad_fleet::config::Config;
use cloudpad_plugin_api::Cancel;
use cloudpad_transport::BoxFuture;
use serde_json::{Value, json};

use crate::double::Double;

/// Waiting takes no time here: the double's world goes on meanwhile.
#[derive(Clone)]
pub struct Told {
    pub double: Arc<Double>,
    pub now: Arc<Mutex<Duration>>,
    /// Whether what is not answered takes too long.
    pub is_impatient: bool,
}

impl Told {
    pub fn new(double: &Arc<Double>) -> Self {
        Self { double: double.clone(), now: Arc::default(), is_impatient: false }
    }
}

impl Clock for Told {
    fn now(&self) -> Duration {
        *self.now.lock().unwrap()
    }

    fn pause(&self, time: Duration) -> BoxFuture<'_, ()> {
        let mut now = self.now.lock().unwrap();
        let then = *now;
        *now += time;
        self.double.pass(now.as_secs() - then.as_secs());
        Box::pin(std::future::ready(()))
    }

    fn limit(&self, _: Duration) -> BoxFuture<'_, ()> {
        let double = self.double.clone();
        match self.is_impatient {
            true => {
                Box::pin(
                    async move { tokio::task::spawn_blocking(move || double.until_silent()).await.unwrap() },
                )
            }
            false => Box::pin(std::future::pending()),
        }
    }
}

pub fn config(config: Value) -> Config {
    serde_json::from_value(config).unwrap()
}

/// A double with a client that reaches it by TCP.
pub fn fleet() -> (Arc<Double>, Client) {
    let double = Arc::new(Double::start());
    let config = config(json!({ "endpoint": format!("http://127.0.0.1:{}", double.port()) }));
    let client = Client::new(config, Arc::new(Told::new(&double)), Cancel::new()).unwrap();
    (double, client)
}

pub fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap().block_on(work)
}
