//! `cargo xtask demo`: a small application goes from a git repository to three hosts, twice. Talks to
//! the lab, git, curl and the program; prints each command, so that the reader can do the same.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::lab::{self, Lab, Settings};
use crate::program;
use crate::shell::{self, Result};

const DOCKERFILE: &str = include_str!("../demo/Dockerfile");
const PAGE: &str = include_str!("../demo/www/cgi-bin/index.cgi");
const HOSTS: &str = include_str!("../demo/lab.toml");
/// The port that `cloudpad init` publishes.
const PORT: u16 = 8080;

/// Shows it all, and fails where an answer is not as it should be.
pub fn run() -> Result<ExitCode> {
    heading("The lab: three hosts, each with its own sshd and its own Docker engine");
    let settings = Settings::from_environment()?;
    let lab = lab::up_for_use(&settings)?;
    let stage = Stage { program: program::build()?, folder: settings.dir.join("demo") };

    heading("An application in a git repository");
    stage.set_up(&lab)?;
    stage.run("git log --oneline")?;
    stage.run("ls")?;

    heading("A first config: what `init` writes, and the hosts");
    stage.run("cloudpad init")?;
    stage.run("cat ../lab.toml")?;
    stage.run("cat ../lab.toml >> Cloudpad.toml")?;
    stage.run("sed -i '/^\\[images.web\\]/a source = \"hello\"' Cloudpad.toml")?;
    stage.run("cloudpad check")?;

    heading("The first deploy");
    stage.run("cloudpad plan")?;
    stage.run("cloudpad deploy --yes")?;
    stage.ask(&lab, "Hello from")?;

    heading("A line of the source is changed, committed and deployed");
    stage.run("sed -i s/Hello/Welcome/ www/cgi-bin/index.cgi")?;
    stage.run("git commit --quiet --all --message Welcome")?;
    stage.run("cloudpad deploy --yes")?;
    stage.ask(&lab, "Welcome from")?;

    heading("What runs");
    stage.run("cloudpad ps")?;
    println!("\nEverything answered as it should. `cargo xtask lab down` removes the hosts.");
    Ok(ExitCode::SUCCESS)
}

/// Where the demonstration takes place.
struct Stage {
    program: PathBuf,
    folder: PathBuf,
}

impl Stage {
    /// Starts from an empty folder: the application's repository in `hello`, what the lab adds beside it.
    fn set_up(&self, lab: &Lab) -> Result<()> {
        let _ = std::fs::remove_dir_all(&self.folder);
        let hello = self.folder.join("hello");
        write(&hello.join("Dockerfile"), &DOCKERFILE.replace("BASE", &lab.base_image))?;
        write(&hello.join("www/cgi-bin/index.cgi"), PAGE)?;
        let source = format!("file://{}", hello.display());
        let ssh_config = lab.ssh_config.display().to_string();
        let hosts = HOSTS.replace("SSH_CONFIG", &ssh_config).replace("SOURCE", &source);
        write(&self.folder.join("lab.toml"), &hosts)?;
        self.run("chmod +x www/cgi-bin/index.cgi")?;
        self.run("git init --quiet --initial-branch=main")?;
        self.run("git config user.name Demo && git config user.email demo@example.test")?;
        self.run("git add --all && git commit --quiet --message Hello")
    }

    /// Prints a command and runs it in the repository.
    fn run(&self, line: &str) -> Result<()> {
        println!("\n$ {line}");
        shell::attached(&mut self.shell(line)).map_err(|_| format!("`{line}` failed"))
    }

    /// Asks every host for its page, which has to hold these words.
    fn ask(&self, lab: &Lab, words: &str) -> Result<()> {
        for host in &lab.hosts {
            let url = format!("http://{}:{PORT}/", host.direct);
            let line = format!("curl --silent --show-error --max-time 5 {url}");
            println!("\n$ {line}");
            let page = shell::output(&mut self.shell(&line))?;
            println!("{page}");
            if !page.contains(words) {
                return Err(format!("{} should have answered `{words} …`", host.name));
            }
        }
        Ok(())
    }

    /// A shell in the repository, which finds the program that was just built.
    fn shell(&self, line: &str) -> Command {
        let mut command = Command::new("sh");
        let built = self.program.parent().map(|folder| folder.display().to_string()).unwrap_or_default();
        let path = std::env::var("PATH").unwrap_or_default();
        command
            .args(["-c", line])
            .current_dir(self.folder.join("hello"))
            .env("PATH", format!("{built}:{path}"));
        command
    }
}

fn heading(text: &str) {
    println!("\n=== {text}");
}

fn write(path: &Path, text: &str) -> Result<()> {
    let fail = |error| format!("cannot write `{}`: {error}", path.display());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(fail)?;
    }
    std::fs::write(path, text).map_err(fail)
}
