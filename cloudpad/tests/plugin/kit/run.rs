//! The real program with a plugin, in a project of its own.

use std::fs;
use std::io::Read;
use std::process::{Child, Command, Stdio};

use super::Bench;

/// What a run of the program has come to.
pub struct Run {
    pub code: Option<i32>,
    pub stderr: String,
    /// The most memory that it had at a time, in KiB.
    pub memory: i64,
}

impl Bench {
    /// Writes `Cloudpad.toml`: what every config has, and this.
    pub fn config(&self, config: &str) {
        let text = format!(
            "[project]\nname = \"shop\"\n[images.web]\nreference = \"web:1\"\n[services.web]\n{config}\n"
        );
        fs::write(self.dir().join("Cloudpad.toml"), text).unwrap();
    }

    /// Runs `cloudpad` in the bench, which is its home too.
    pub fn cloudpad(&self, args: &[&str], path: &str) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cloudpad"));
        let path = format!("{path}:{}", std::env::var("PATH").unwrap());
        command.args(args).current_dir(self.dir()).env("HOME", self.dir()).env("PATH", path);
        command.env_remove("XDG_DATA_HOME").env_remove("XDG_CONFIG_HOME").env_remove("CLOUDPAD_ENV");
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        let (code, memory) = wait(child);
        Run { code, stderr, memory }
    }
}

/// Waits for a child, and returns its exit code and the most memory it had, in KiB.
fn wait(child: Child) -> (Option<i32>, i64) {
    let (mut status, mut usage) = (0, std::mem::MaybeUninit::<libc::rusage>::zeroed());
    let pid = i32::try_from(child.id()).unwrap();
    // SAFETY: both lead to values of the right type, and zeroes are a valid `rusage`.
    let usage = unsafe {
        assert_eq!(libc::wait4(pid, &raw mut status, 0, usage.as_mut_ptr()), pid);
        usage.assume_init()
    };
    (libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status)), usage.ru_maxrss)
}
