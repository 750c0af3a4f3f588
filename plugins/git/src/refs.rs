//! What a remote says about its branches and tags, and what to tell a user who named another. Pure.

use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::stage::source::GitReference;

/// A line of `git ls-remote`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ref {
    /// The object's full id.
    pub id: String,
    /// The full name, such as `refs/heads/main`; `^{}` at its end marks what an annotated tag points to.
    pub name: String,
}

/// Reads the output of `git ls-remote`: one `ID<TAB>NAME` a line. Other lines are none of ours.
pub fn parse(lines: &[String]) -> Vec<Ref> {
    let ids = lines.iter().filter_map(|line| line.split_once('\t'));
    ids.filter(|(id, _)| is_full_id(id)).map(|(id, name)| Ref { id: id.into(), name: name.into() }).collect()
}

/// Whether it is a whole commit id, SHA-1 or SHA-256, in lower case.
pub fn is_full_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && is_hex(text)
}

/// Whether it can be the beginning of a commit id; git takes no fewer than four digits.
pub fn is_short_id(text: &str) -> bool {
    (4..64).contains(&text.len()) && is_hex(text)
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// The refs that answer for `reference`, best first.
pub fn names(reference: &GitReference) -> Vec<String> {
    match reference {
        GitReference::Default => vec!["HEAD".into()],
        GitReference::Branch(name) => vec![format!("refs/heads/{name}")],
        // The commit that an annotated tag points to comes before the tag object itself.
        GitReference::Tag(name) => vec![format!("refs/tags/{name}^{{}}"), format!("refs/tags/{name}")],
        GitReference::Revision(_) => Vec::new(),
    }
}

/// The commit that `reference` stands for, if it is among `refs`.
pub fn pick<'a>(reference: &GitReference, refs: &'a [Ref]) -> Option<&'a str> {
    names(reference).iter().find_map(|name| refs.iter().find(|r| r.name == *name)).map(|r| r.id.as_str())
}

/// Why `reference` is not there, and what is nearest to it. `refs` is all that the remote at `url` has.
pub fn missing(url: &str, reference: &GitReference, refs: &[Ref]) -> Failure {
    let branches = short(refs, "refs/heads/");
    let tags = short(refs, "refs/tags/");
    match reference {
        GitReference::Branch(name) => other_kind(url, ("branch", name, &branches), ("tag", &tags)),
        GitReference::Tag(name) => other_kind(url, ("tag", name, &tags), ("branch", &branches)),
        GitReference::Default | GitReference::Revision(_) if branches.is_empty() => {
            Failure::failed(format!("`{url}` has no commits"))
        }
        GitReference::Default | GitReference::Revision(_) => {
            Failure::failed(format!("`{url}` does not say which branch is its default"))
                .hint(format!("name one: `branch = \"{}\"`", branches[0]))
        }
    }
}

fn short<'a>(refs: &'a [Ref], prefix: &str) -> Vec<&'a str> {
    let names = refs.iter().filter_map(|r| r.name.strip_prefix(prefix));
    names.filter(|name| !name.ends_with("^{}")).collect()
}

fn other_kind(
    url: &str,
    (kind, name, same): (&str, &str, &[&str]),
    (other, others): (&str, &[&str]),
) -> Failure {
    if others.contains(&name) {
        return Failure::failed(format!("`{url}` has no {kind} `{name}`, but a {other} of that name"))
            .hint(format!("write `{other} = \"{name}\"` instead of `{kind}`"));
    }
    let failure = Failure::failed(format!("`{url}` has no {kind} `{name}`"));
    match nearest(name, same).as_slice() {
        [] if same.is_empty() => failure.hint(format!("it has no {kind} at all")),
        [] => failure.hint(format!("some that it has: {}", list(&same[..same.len().min(5)]))),
        near => failure.hint(format!("did you mean {}?", list(near))),
    }
}

/// Up to three of `names` that are a slip of the finger away from `name`, or contain it.
fn nearest<'a>(name: &str, names: &[&'a str]) -> Vec<&'a str> {
    let distance = |other: &str| match other.contains(name) {
        true => 1,
        false => strsim::damerau_levenshtein(name, other),
    };
    let allowed = (name.chars().count() / 3).max(1);
    let mut near: Vec<_> = names.iter().map(|other| (distance(other), *other)).collect();
    near.retain(|(far, _)| *far <= allowed);
    near.sort_unstable();
    near.into_iter().take(3).map(|(_, other)| other).collect()
}

fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refs(names: &[&str]) -> Vec<Ref> {
        let line = |(i, name): (usize, &&str)| Ref { id: format!("{i:040x}"), name: (*name).to_owned() };
        names.iter().enumerate().map(line).collect()
    }

    fn told(reference: GitReference, names: &[&str]) -> (String, String) {
        let failure = missing("U", &reference, &refs(names));
        (failure.message, failure.hint.unwrap_or_default())
    }

    #[test]
    fn an_annotated_tag_is_the_commit_it_points_to() {
        let all = refs(&["refs/tags/v1", "refs/tags/v1^{}", "refs/heads/v1"]);
        assert_eq!(pick(&GitReference::Tag("v1".into()), &all), Some(all[1].id.as_str()));
        assert_eq!(pick(&GitReference::Branch("v1".into()), &all), Some(all[2].id.as_str()));
    }

    #[test]
    fn only_the_whole_name_counts() {
        let all = refs(&["refs/heads/x/refs/heads/main", "refs/remotes/origin/HEAD"]);
        assert_eq!(pick(&GitReference::Branch("main".into()), &all), None);
        assert_eq!(pick(&GitReference::Default, &all), None);
    }

    #[test]
    fn lines_that_are_no_refs_are_left_out() {
        let lines = ["warning: x\ty".to_owned(), format!("{}\trefs/heads/a", "a".repeat(40))];
        assert_eq!(parse(&lines), [Ref { id: "a".repeat(40), name: "refs/heads/a".into() }]);
    }

    #[test]
    fn a_name_of_the_other_kind_is_told() {
        let (message, hint) = told(GitReference::Branch("v1".into()), &["refs/heads/main", "refs/tags/v1"]);
        assert_eq!(message, "`U` has no branch `v1`, but a tag of that name");
        assert_eq!(hint, "write `tag = \"v1\"` instead of `branch`");
    }

    #[test]
    fn the_nearest_names_are_told() {
        let tags = ["refs/tags/v1.2.0", "refs/tags/v1.2.0^{}", "refs/tags/v9", "refs/heads/main"];
        assert_eq!(told(GitReference::Tag("1.2.0".into()), &tags).1, "did you mean `v1.2.0`?");
        assert_eq!(told(GitReference::Branch("mian".into()), &tags).1, "did you mean `main`?");
        assert_eq!(told(GitReference::Branch("production".into()), &tags).1, "some that it has: `main`");
        assert_eq!(told(GitReference::Tag("x".into()), &[]).1, "it has no tag at all");
    }

    #[test]
    fn a_remote_without_commits_is_told() {
        assert_eq!(told(GitReference::Default, &[]).0, "`U` has no commits");
        assert_eq!(told(GitReference::Default, &["refs/heads/a"]).1, "name one: `branch = \"a\"`");
    }

    #[test]
    fn ids() {
        assert!(is_full_id(&"0a".repeat(20)) && is_full_id(&"0a".repeat(32)));
        assert!(!is_full_id("main") && !is_full_id(&"0A".repeat(20)) && !is_full_id(&"0".repeat(41)));
        assert!(is_short_id("0a1b") && !is_short_id("0a1") && !is_short_id("-abc") && !is_short_id("v1.0"));
    }
}
