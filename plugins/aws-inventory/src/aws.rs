//! One run of the user's aws tool. I/O: a process.

use std::process::Command;

use cloudpad_plugin_api::tool::Tool;
use cloudpad_plugin_api::{Context, Failure, Level, Outcome};

use crate::config::Config;
use crate::instance::{self, Instance};
use crate::{filter, refusal};

/// What is said where there is no such tool.
const INSTALL: &str = "install the AWS command line interface, version 1 or 2, such that `aws` is on PATH: \
     https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html";

/// The instances that match in one region, all of them: the tool asks for page after page by itself.
///
/// # Errors
/// The tool is not there, has failed, or has printed something else; the caller asked to stop.
pub(crate) fn instances(
    cx: &Context,
    program: &str,
    config: &Config,
    region: Option<&str>,
) -> Result<Vec<Instance>, Failure> {
    let place = region.map(|region| format!(" in region `{region}`")).unwrap_or_default();
    cx.log(
        Level::Debug,
        format!("asking EC2{place} for instances with {}", filter::words(&config.filters())),
    );
    let tool = Tool::new(command(program, config, region)?).called("aws ec2 describe-instances");
    // Whatever has come of it: to list changes nothing.
    let failed = |failure: Failure| refusal::explained(failure, &place).outcome(Outcome::None);
    let printed = tool.source("aws").hint(INSTALL).output(cx).map_err(failed)?;
    let instances = instance::read(&printed)?;
    cx.log(Level::Debug, format!("EC2{place} has {}", instances.len()));
    Ok(instances)
}

/// Values are joined to their options: none can be taken for another option.
fn command(program: &str, config: &Config, region: Option<&str>) -> Result<Command, Failure> {
    let filters =
        serde_json::to_string(&config.filters()).map_err(|error| Failure::failed(error.to_string()))?;
    let mut command = Command::new(program);
    command.args(["ec2", "describe-instances", "--output=json"]).arg(format!("--filters={filters}"));
    let options = [
        ("profile", config.profile.as_deref()),
        ("region", region),
        ("endpoint-url", config.endpoint_url.as_deref()),
    ];
    for (option, value) in options {
        command.args(value.map(|value| format!("--{option}={value}")));
    }
    // Neither a pager nor questions: there is nobody to see them.
    command.env("AWS_PAGER", "").env("AWS_CLI_AUTO_PROMPT", "off");
    // Version 1 prints in the locale's encoding, or not at all what that has not.
    command.env("PYTHONIOENCODING", "utf-8");
    Ok(command)
}
