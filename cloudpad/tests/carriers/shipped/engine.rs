//! Images and registries for the providers that work with this machine's engine. I/O: the engine, processes.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

/// A name that no other world has, and as long as any other's.
pub fn unique() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("cptc-{:08}-{:04}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// An image with a shell and a file of noise, gone with the value.
pub struct Image(pub String);

impl Image {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let noise = dir.path().join("noise");
        let script = "mkdir $0/bin && cp /bin/busybox $0/bin/ && ln -s busybox $0/bin/sh && head -c 1000 /dev/urandom >$0/noise \
            && tar -C $0 -c bin noise";
        let mut tar = Command::new("sh");
        let tar = tar.args(["-c", script]).arg(dir.path()).output().unwrap();
        assert!(tar.status.success() && noise.exists(), "these tests need Debian's package `busybox-static`");
        let image = Self(format!("{}:1", unique()));
        let mut import = Command::new("docker");
        import.args(["import", "-", &image.0]).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut import = import.spawn().unwrap();
        import.stdin.take().unwrap().write_all(&tar.stdout).unwrap();
        assert!(import.wait().unwrap().success());
        image
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rmi", "--force", &self.0]).output();
    }
}

/// A registry on a port of its own that lets everybody do everything.
pub struct Server {
    pub address: String,
    _dir: TempDir,
    process: Child,
}

impl Server {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config.yml");
        let data = dir.path().join("data");
        let config = format!(
            "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: 127.0.0.1:0\n",
            data.display()
        );
        std::fs::write(&file, config).unwrap();
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = command.spawn().expect("these tests need Debian's package `docker-registry`");
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok);
        let listening = log.find(|line| line.contains("listening on ")).expect("the registry has ended");
        // What nobody reads would block it.
        std::thread::spawn(move || log.for_each(drop));
        let address = listening.split("listening on ").nth(1).unwrap().split('"').next().unwrap().to_owned();
        Self { address, _dir: dir, process }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Somebody who takes connections, and never says anything.
#[derive(Clone)]
pub struct Mute(Arc<(TcpListener, Mutex<Vec<TcpStream>>)>);

impl Mute {
    pub fn new() -> Self {
        Self(Arc::new((TcpListener::bind("127.0.0.1:0").unwrap(), Mutex::default())))
    }

    pub fn address(&self) -> String {
        self.0.0.local_addr().unwrap().to_string()
    }

    /// Waits for a connection, and keeps it.
    pub fn take(&self) {
        let (connection, _) = self.0.0.accept().unwrap();
        self.0.1.lock().unwrap().push(connection);
    }
}
