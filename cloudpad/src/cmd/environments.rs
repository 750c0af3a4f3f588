//! What is wrong with a file in one of its environments, so that it says in which.

use super::session;
use super::{FileText, Refused};
use crate::config::{Places, Problem};
use crate::project::Project;
use crate::refusal::Refusal;

/// What is wrong with the project's file in an environment.
///
/// # Errors
/// What is no problem of the file.
pub(super) fn faults(project: &Project, environment: Option<&str>) -> Result<Vec<Problem>, Refused> {
    match session::read(project.clone(), environment) {
        Ok(_) => Ok(Vec::new()),
        Err(Refused { refusal: Refusal::Problems(problems), .. }) => Ok(problems),
        Err(refused) => Err(refused),
    }
}

/// The refusal that problems with the file are, which know their bytes in it.
pub(super) fn refuse(project: &Project, problems: Vec<Problem>) -> Refused {
    let (name, text) = (project.display_name(), project.text.clone());
    Refused { refusal: problems.into(), file: Some(FileText { name, text, places: Places::default() }) }
}

/// A problem that there is in this environment, as one that says so.
pub(super) fn told(problem: Problem, environment: Option<&str>) -> Problem {
    match environment {
        Some(name) => Problem { message: format!("in environment `{name}`: {}", problem.message), ..problem },
        None => problem,
    }
}

/// The problems of a file in an environment, as such.
pub(super) fn in_environment(why: Refused, environment: Option<&str>) -> Refused {
    as_told(why, |problem| told(problem, environment))
}

/// A refusal with each of its problems in other words.
pub(super) fn as_told(why: Refused, told: impl Fn(Problem) -> Problem) -> Refused {
    let refusal = match why.refusal {
        Refusal::Problems(problems) => Refusal::Problems(problems.into_iter().map(told).collect()),
        other => other,
    };
    Refused { refusal, ..why }
}

/// Those of `problems` that are not among `known`, each of which counts once, and the others. What is added to a file moves
/// what stands behind it, so a place tells nothing.
pub(super) fn new_ones(problems: Vec<Problem>, known: &[Problem]) -> (Vec<Problem>, Vec<Problem>) {
    let mut known: Vec<&str> = known.iter().map(|problem| problem.message.as_str()).collect();
    problems.into_iter().partition(|problem| match known.iter().position(|known| *known == problem.message) {
        Some(at) => {
            known.swap_remove(at);
            false
        }
        None => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_so_before_is_not_new() {
        let problems = |all: &[&str]| all.iter().map(|text| Problem::new(*text)).collect::<Vec<_>>();
        let (new, old) = new_ones(problems(&["a", "b", "b", "c"]), &problems(&["b", "c", "d"]));
        assert_eq!((new, old), (problems(&["a", "b"]), problems(&["b", "c"])));
    }
}
