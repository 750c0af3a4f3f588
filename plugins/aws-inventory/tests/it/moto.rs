//! A double of EC2, and the aws tool to fill it with: moto's server on a loopback port of its own. I/O: processes.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// Serves until the test's process has ended, however that ends: then the pipe to its standard input is closed.
const SERVE: &str = "\"$0\" -H 127.0.0.1 -p 0 2>&1 & read -r end; kill $!";

/// A server, gone with the test.
pub struct Moto {
    /// Where it listens: an `endpoint_url`.
    pub url: String,
    process: Child,
}

impl Moto {
    /// A server that has no instance in any region, with these variables.
    pub fn start(environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new("sh");
        command
            .args(["-c", SERVE])
            .arg(tools().join("moto_server"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        // It reads a list of images otherwise, which takes a second.
        command.env("MOTO_EC2_LOAD_DEFAULT_AMIS", "false").envs(environment.iter().copied());
        let mut process = command.spawn().expect("sh does not start");
        let mut log =
            BufReader::new(process.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
        let running = log.find(|line| line.contains("Running on ")).expect("moto_server has ended");
        // What nobody reads would block it.
        std::thread::spawn(move || log.for_each(drop));
        let url = running.split("Running on ").nth(1).expect("an address").trim().to_owned();
        Self { url, process }
    }

    /// What the aws tool prints, here, in `region`.
    #[track_caller]
    pub fn aws(&self, region: &str, args: &[&str]) -> Value {
        let mut command = Command::new(tools().join("aws"));
        command.args(["--output=json", "--region", region, "--endpoint-url", &self.url]).args(args);
        let output = command
            .env_clear()
            .envs(environment())
            .stdin(Stdio::null())
            .output()
            .expect("aws does not start");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "`aws {}`: {said}", args.join(" "));
        serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
    }

    /// Starts instances with these tags, in one reservation; their ids.
    #[track_caller]
    pub fn run(&self, region: &str, count: usize, tags: &[(&str, &str)]) -> Vec<String> {
        let tags: Vec<_> = tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
        let tags = json!([{ "ResourceType": "instance", "Tags": tags }]).to_string();
        let image = ["ec2", "run-instances", "--image-id=ami-12345678", "--instance-type=t3.small"];
        let more = ["--count", &count.to_string(), "--tag-specifications", &tags];
        let printed = self.aws(region, &[&image[..], &more[..]].concat());
        let all = printed["Instances"].as_array().expect("instances");
        all.iter().map(|instance| instance["InstanceId"].as_str().expect("an id").to_owned()).collect()
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// What the aws tool needs beside an endpoint: it does not ask the machine for credentials, nor try again.
pub fn environment() -> Vec<(&'static str, String)> {
    vec![
        ("PATH", format!("{}:/usr/bin:/bin", tools().display())),
        ("AWS_ACCESS_KEY_ID", "test".into()),
        ("AWS_SECRET_ACCESS_KEY", "test".into()),
        ("AWS_EC2_METADATA_DISABLED", "true".into()),
        ("AWS_MAX_ATTEMPTS", "1".into()),
    ]
}

/// The folder with `aws`, `moto_server` and `python`.
pub fn tools() -> PathBuf {
    let advice = "this test needs the aws tool and moto: run `cargo xtask lab aws`, and set CLOUDPAD_LAB to the \
                  absolute path of the lab's folder (`.lab` in the workspace)";
    let lab = std::env::var("CLOUDPAD_LAB").unwrap_or_else(|_| panic!("{advice}"));
    let tools = Path::new(&lab).join("aws/bin");
    assert!(tools.join("moto_server").exists(), "there is no `{}`: {advice}", tools.display());
    tools
}
