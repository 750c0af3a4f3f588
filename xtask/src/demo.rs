//! `cargo xtask demo`: a small application goes from a git repository to three hosts, twice. Talks to
//! the lab, git, curl and the program; prints each command, so that the reader can do the same.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::lab::{self, Lab, Settings};
use crate::program;
use crate::shell::{self, Result};

const DOCKERFILE: &str = include_str!("../demo/Dockerfile");
const PAGE: &str = include_str!("../demo/www/cgi-bin/index.cgi");
const CONFIG: &str = include_str!("../demo/Cloudpad.toml");
/// The port that `CONFIG` publishes.
const PORT: u16 = 8000;

/// Shows it all, and fails where an answer is not as it should be.
pub fn run() -> Result<ExitCode> {
    heading("The lab: three hosts, each with its own sshd and its own Docker engine");
    let settings = Settings::from_environment()?;
    let lab = lab::up_for_use(&settings)?;
    let stage = Stage { program: program::build()?, folder: settings.dir.join("demo") };

    heading("An application in a git repository, and a project that deploys it");
    stage.set_up(&lab)?;
    stage.run("git -C hello log --oneline")?;
    stage.run("cat Cloudpad.toml")?;

    heading("The first deploy");
    stage.run("cloudpad plan")?;
    stage.run("cloudpad deploy --yes")?;
    stage.ask(&lab, "Hello from")?;

    heading("A line of the source is changed, and deployed");
    stage.run("sed -i s/Hello/Welcome/ hello/www/cgi-bin/index.cgi")?;
    stage.run("git -C hello commit --quiet --all --message Welcome")?;
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
    /// Starts from an empty folder: the application in `hello`, the config beside it.
    fn set_up(&self, lab: &Lab) -> Result<()> {
        let _ = std::fs::remove_dir_all(&self.folder);
        write(&self.folder.join("hello/Dockerfile"), &DOCKERFILE.replace("BASE", &lab.base_image))?;
        let page = self.folder.join("hello/www/cgi-bin/index.cgi");
        write(&page, PAGE)?;
        let source = format!("file://{}", self.folder.join("hello").display());
        let config = CONFIG.lines().skip(2).map(|line| format!("{line}\n")).collect::<String>();
        let ssh_config = lab.ssh_config.display().to_string();
        let config = config.replace("SSH_CONFIG", &ssh_config).replace("SOURCE", &source);
        write(&self.folder.join("Cloudpad.toml"), &config)?;
        self.run("chmod +x hello/www/cgi-bin/index.cgi")?;
        self.run("git init --quiet hello")?;
        self.run("git -C hello config user.name Demo")?;
        self.run("git -C hello config user.email demo@example.test")?;
        self.run("git -C hello add --all")?;
        self.run("git -C hello commit --quiet --message Hello")
    }

    /// Prints a command and runs it.
    fn run(&self, line: &str) -> Result<()> {
        println!("\n$ {line}");
        let mut words = line.split(' ');
        let program = words.next().unwrap_or_default();
        shell::attached(self.command(program).args(words))
    }

    /// Asks every host for its page, which has to hold these words.
    fn ask(&self, lab: &Lab, words: &str) -> Result<()> {
        for host in &lab.hosts {
            let url = format!("http://{}:{PORT}/", host.direct);
            println!("\n$ curl {url}");
            let page = shell::output(self.command("curl").args([
                "--silent",
                "--show-error",
                "--max-time",
                "5",
                &url,
            ]))?;
            println!("{page}");
            if !page.contains(words) {
                return Err(format!("{} should have answered `{words} …`", host.name));
            }
        }
        Ok(())
    }

    fn command(&self, program: &str) -> Command {
        let mut command =
            if program == "cloudpad" { Command::new(&self.program) } else { Command::new(program) };
        command.current_dir(&self.folder);
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
