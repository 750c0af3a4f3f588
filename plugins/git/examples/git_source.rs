//! Brings one commit of a repository to a directory, with nothing of Cloudpad but this provider.
//!
//! `git_source URL COMMIT CACHE` prints where the files are.

use std::path::PathBuf;
use std::sync::Arc;

use cloudpad_git::GitSource;
use cloudpad_plugin_api::stage::source::{Fetch, GitReference, Location, Resolve, Source};
use cloudpad_plugin_api::{Cancel, Context, Failure};

fn main() -> Result<(), Failure> {
    let mut args = std::env::args().skip(1);
    let mut next = |what: &str| args.next().ok_or_else(|| Failure::invalid(format!("no {what} was given")));
    let (url, commit, cache) = (next("URL")?, next("commit")?, next("cache directory")?);
    let location = Location::Git { url, reference: GitReference::Revision(commit.clone()) };
    let source = Resolve { name: "example".into(), location, cache: PathBuf::from(cache) };
    let fetch = Fetch { source, revision: Some(commit), prepare: Vec::new() };
    let cx = Context::new(serde_json::Value::Null, Arc::new(|_| ()), Cancel::new());
    let fetched = GitSource { program: "git" }.fetch(&cx, &fetch)?;
    #[expect(clippy::print_stdout, reason = "a program's answer")]
    {
        println!("{}", fetched.path.display());
    }
    Ok(())
}
