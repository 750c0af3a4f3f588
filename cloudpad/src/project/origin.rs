//! Who runs this program, and from where. I/O: environment.

use std::path::Path;

use crate::plan::Origin;

/// Where CI services say which run it is, as the address of a page about it.
const RUNS: [&str; 4] = ["CI_JOB_URL", "BUILD_URL", "CIRCLE_BUILD_URL", "BUILDKITE_BUILD_URL"];

/// Who runs this program, and from which project's directory or run of a CI service.
pub fn origin(dir: &Path) -> Origin {
    told(&super::variable, super::operator(), dir)
}

fn told(variable: &dyn Fn(&str) -> Option<String>, operator: String, dir: &Path) -> Origin {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let run = RUNS.iter().find_map(|name| set(name)).or_else(|| {
        let (server, repository) = (set("GITHUB_SERVER_URL")?, set("GITHUB_REPOSITORY")?);
        Some(format!("{server}/{repository}/actions/runs/{}", set("GITHUB_RUN_ID")?))
    });
    let by = match ["GITHUB_ACTOR", "GITLAB_USER_LOGIN"].iter().find_map(|name| set(name)) {
        // Whose run it is, is more than the machine that it happens to be on.
        Some(user) if run.is_some() => user,
        _ => operator,
    };
    Origin { by, from: run.unwrap_or_else(|| dir.display().to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_a_ci_service_is_told_instead_of_a_machine() {
        let told = |set: &[(&str, &str)]| {
            let value = |name: &str| set.iter().find(|(n, _)| *n == name).map(|(_, v)| v.to_string());
            let Origin { by, from } = told(&value, "anna@laptop".to_owned(), Path::new("/shop"));
            (by, from)
        };
        let pair = |by: &str, from: &str| (by.to_owned(), from.to_owned());
        assert_eq!(told(&[("GITHUB_ACTOR", "x"), ("BUILD_URL", "")]), pair("anna@laptop", "/shop"));
        let job = [("CI_JOB_URL", "https://ci.example/1"), ("GITLAB_USER_LOGIN", "anna")];
        assert_eq!(told(&job), pair("anna", "https://ci.example/1"));
        let action = [
            ("GITHUB_SERVER_URL", "https://github.example"),
            ("GITHUB_REPOSITORY", "shop/web"),
            ("GITHUB_RUN_ID", "7"),
            ("GITHUB_ACTOR", "anna"),
        ];
        assert_eq!(told(&action), pair("anna", "https://github.example/shop/web/actions/runs/7"));
    }
}
