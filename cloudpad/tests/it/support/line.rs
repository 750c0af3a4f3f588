//! A host that is reached through a program that a test can end.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::Project;

/// The way to a host.
pub struct Line {
    program: PathBuf,
}

impl Line {
    /// Writes the program, and an `ssh_config` that leads to host `name` through it, into the project's folder.
    pub fn to(project: &Project, name: &str) -> Self {
        let config = std::fs::read_to_string(&project.lab.ssh_config).expect("the lab's ssh_config");
        let program = project.path("line");
        let script = format!(
            "#!/bin/sh\ntest -e {0}.gone && exit 1\necho $$ >>{0}.pids\nexec busybox nc $1 $2\n",
            program.display()
        );
        project.write("line", script);
        let made = Command::new("chmod").arg("755").arg(&program).status();
        assert!(made.is_ok_and(|status| status.success()));
        let through = format!("Host {name}\n  ProxyCommand {} %h %p\n{config}", program.display());
        project.write("ssh_config", through);
        project.write(".dockerignore", "line*\nssh_config\n");
        Self { program }
    }

    /// The `ssh_config`.
    pub fn config(&self) -> PathBuf {
        self.program.with_file_name("ssh_config")
    }

    /// Cuts all connections that there are.
    pub fn cut(&self) {
        let pids = std::fs::read_to_string(self.file("pids")).expect("it has connected");
        for pid in pids.split_whitespace() {
            // It may have come to its end by itself meanwhile.
            let _ = Command::new("kill").args(["-KILL", pid]).stderr(Stdio::null()).status();
        }
        std::fs::write(self.file("pids"), "").expect("it can be written");
    }

    /// Has nobody connect any more, or again.
    pub fn close(&self, closed: bool) {
        let gone = self.file("gone");
        match closed {
            true => std::fs::write(gone, "").expect("it can be written"),
            false => std::fs::remove_file(gone).expect("it was made"),
        }
    }

    fn file(&self, ending: &str) -> PathBuf {
        self.program.with_extension(ending)
    }
}
