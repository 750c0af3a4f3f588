//! A proxy before a registry, that does harm where it is told to (`fault_proxy.py`). I/O: a process.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::Value;

/// A running proxy.
pub struct Proxy {
    pub address: String,
    log: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
    process: Child,
}

impl Proxy {
    /// One before the registry at this address. The faults are as `fault_proxy.py` says.
    pub fn before(registry: &str, faults: &Value) -> Self {
        let mut command = Command::new("python3");
        command.args(["-c", include_str!("../fault_proxy.py"), registry, &faults.to_string()]);
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = lines.next().expect("the proxy has ended");
        let log: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = log.clone();
        let reader = std::thread::spawn(move || lines.for_each(|line| kept.lock().unwrap().push(line)));
        Self { address: format!("127.0.0.1:{port}"), log, reader: Some(reader), process }
    }

    /// The requests so far: method, path, query, status and the bytes that were sent with it.
    pub fn requests(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// All requests that have been answered. It ends with that.
    pub fn all(mut self) -> Vec<String> {
        self.process.kill().unwrap();
        self.reader.take().unwrap().join().unwrap();
        self.requests()
    }

    /// How many requests so far begin with one of these words.
    pub fn count(&self, begin: &str) -> usize {
        self.requests().iter().filter(|line| line.starts_with(begin)).count()
    }

    /// The bytes that were sent.
    pub fn bytes(&self) -> u64 {
        let of = |line: &String| line.rsplit(' ').next().and_then(|bytes| bytes.parse::<u64>().ok());
        self.requests().iter().filter_map(of).sum()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
