//! Which URLs are handed to git, and how they are shown. Pure but for a look whether a path exists.

use std::borrow::Cow;
use std::path::Path;

use cloudpad_plugin_api::Failure;

/// Transports that run a command or talk to an inherited file descriptor instead of reaching a remote.
const REFUSED: [&str; 2] = ["ext::", "fd::"];

/// `url` as it is handed to git: a path of this machine is made absolute, as `git clone` does, because
/// later commands run elsewhere.
///
/// # Errors
/// `invalid` for what git would take as an option or as a command to run.
pub fn checked(url: &str) -> Result<String, Failure> {
    if url.is_empty() || url.starts_with('-') {
        return Err(Failure::invalid(format!("`{url}` is not the URL of a git repository")));
    }
    if let Some(transport) = REFUSED.iter().find(|transport| url.starts_with(**transport)) {
        return Err(Failure::invalid(format!("the URL `{}` is refused", shown(url)))
            .cause(format!("`{transport}` makes git run a command of the URL's choice"))
            .hint("use an `https://`, `ssh://` or `git://` URL, or a path"));
    }
    if Path::new(url).is_relative()
        && Path::new(url).exists()
        && let Ok(path) = std::path::absolute(url)
    {
        return Ok(path.to_string_lossy().into_owned());
    }
    Ok(url.to_owned())
}

/// `url` without the password that it may contain. Who is named alone in an HTTP URL is mostly a token, as with GitHub.
pub fn shown(url: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = url.split_once("://") else { return url.into() };
    let authority = rest.split('/').next().unwrap_or_default();
    let Some((who, _)) = authority.rsplit_once('@') else { return url.into() };
    let after = &rest[who.len()..];
    match who.split_once(':') {
        Some((user, _)) => format!("{scheme}://{user}:***{after}").into(),
        None if scheme.starts_with("http") => format!("{scheme}://***{after}").into(),
        None => url.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_and_commands_are_refused() {
        for url in ["", "-u", "--upload-pack=touch x", "ext::sh -c date", "fd::3"] {
            assert!(checked(url).is_err(), "{url}");
        }
    }

    #[test]
    fn what_git_clones_is_let_through() {
        for url in ["https://example.org/a.git", "git@example.org:a/b", "ssh://h:22/a", "/srv/a.git", "C:x"] {
            assert_eq!(checked(url).unwrap(), url);
        }
    }

    #[test]
    fn a_path_becomes_absolute() {
        let path = checked("src").unwrap();
        assert!(Path::new(&path).is_absolute() && path.ends_with("/src"), "{path}");
    }

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(shown("https://me:tok@h.org/a:b@c"), "https://me:***@h.org/a:b@c");
        assert_eq!(shown("https://me:p@ss@h.org/a"), "https://me:***@h.org/a");
        assert_eq!(shown("https://ghp_token@h.org/a"), "https://***@h.org/a");
        for url in ["ssh://me@h.org/a", "https://h.org:80/a@b", "git@h.org:a/b", "/srv/a:b@c"] {
            assert_eq!(shown(url), url);
        }
    }
}
