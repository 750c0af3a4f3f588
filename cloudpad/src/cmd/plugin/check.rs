//! `cloudpad plugin check`: whether a plugin keeps its side of the protocol.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap_complete::ArgValueCompleter;

use crate::cmd::args::Global;
use crate::cmd::around::Around;
use crate::cmd::{Ended, Refused, complete};
use crate::conformance::{self, case::Case};
use crate::plugin::start::Launch;
use crate::project;
use crate::refusal::Refusal;
use crate::report::exit;
use crate::term::Term;
use crate::words::json_line;

/// Check whether a plugin speaks the protocol, by running it
///
/// What cannot be checked is said, and is no pass. The exit code is 0 when no check has failed, else 1.
#[derive(clap::Args)]
#[command(after_long_help = FILE_HELP)]
pub(super) struct Args {
    /// The plugin's file, or its name as in `cloudpad plugin list`
    #[arg(value_name = "PATH|NAME", add = ArgValueCompleter::new(complete::plugins_and_files))]
    plugin: PathBuf,
    /// A config for the plugin and calls to make, as `--help` describes
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Make those calls too that change something, each twice
    #[arg(long, requires = "config")]
    allow_mutating: bool,
}

const FILE_HELP: &str = "\
FILE is TOML:

  # Check the provider of this stage only.
  stage = \"source\"

  # What `[stages.source.config]` would hold in Cloudpad.toml.
  [config]
  depth = 1

  # Calls are made in their order. Their parameters are those of the protocol.
  [[call]]
  method = \"source.resolve\"
  [call.params]
  name = \"app\"
  location = { type = \"directory\", path = \"/src/app\" }
  cache = \"/tmp/app\"

  # Those that change something say so, and are made with `--allow-mutating`
  # only: twice, with the same key.
  [[call]]
  method = \"source.fetch\"
  mutating = true
  [call.params.source]
  name = \"app\"
  location = { type = \"directory\", path = \"/src/app\" }
  cache = \"/tmp/app\"";

impl Args {
    pub(super) fn run(&self, global: &Global, term: &Arc<Term>) -> Ended {
        let case = self.config.as_deref().map(read).transpose()?.unwrap_or_default();
        let around = Around::look(global)?;
        let launch = self.launch(&around)?;
        let report = conformance::check(&launch, around.setup.limits, &case, self.allow_mutating);
        term.data(&if term.is_json() { json_line(&report) } else { report.text() });
        Ok(if report.failed == 0 { exit::OK } else { exit::FAILED })
    }

    fn launch(&self, around: &Around) -> Result<Launch, Refused> {
        match self.plugin.to_str() {
            Some(name) if !name.contains('/') && !self.plugin.exists() => around.launch(name),
            _ => {
                let unreadable =
                    |error| Refusal::new(format!("cannot look at `{}`: {error}", self.plugin.display()));
                let path = std::path::absolute(&self.plugin).map_err(unreadable)?;
                let plugin = around.setup.plugin_at(&path);
                Ok(plugin.map_err(|failure| Refusal::Failures(vec![failure]))?.launch().clone())
            }
        }
    }
}

fn read(file: &Path) -> Result<Case, Refusal> {
    let text = project::read_if_there(file)?;
    let text = text.ok_or_else(|| Refusal::new(format!("there is no file `{}`", file.display())))?;
    Case::parse(&text).map_err(|why| {
        Refusal::new(format!("`{}` is not understood: {why}", file.display()))
            .hint("`cloudpad plugin check --help` describes the file")
    })
}
