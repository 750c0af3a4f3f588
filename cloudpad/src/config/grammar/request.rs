//! What HTTP requests are told apart by: host names and paths. Pure.

use crate::config::Problem;

/// A host name of requests: `shop.example.com`, or `*.example.com` for all names with one label more.
pub fn host(text: &str) -> Result<String, Problem> {
    let name = text.strip_prefix("*.").unwrap_or(text);
    let label = |label: &str| {
        let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        (1..=63).contains(&label.len())
            && label.chars().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if name.len() <= 253 && name.split('.').all(label) {
        return Ok(text.to_ascii_lowercase());
    }
    Err(Problem::new(format!("`{}` is no host name", text.escape_debug())).hint(
        "write it without scheme and port, such as `shop.example.com`; `*.example.com` stands for all below it",
    ))
}

/// The beginning of a path.
pub fn prefix(text: &str) -> Result<String, Problem> {
    let odd = |c: char| c.is_control() || matches!(c, ' ' | '{' | '}' | '*' | '#' | '?' | '%');
    if text.starts_with('/') && !text.contains(odd) {
        return Ok(text.to_owned());
    }
    Err(Problem::new(format!("`{}` is no beginning of a path", text.escape_debug()))
        .hint("it begins with `/`, such as `/api`; what is below it belongs to it"))
}

/// The name of a header.
pub fn header(text: &str) -> Result<(), Problem> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    match !text.is_empty() && text.chars().all(is_token) {
        true => Ok(()),
        false => Err(Problem::new(format!("`{}` is no name of a header", text.escape_debug()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_hosts() {
        for good in ["a", "shop.example.com", "*.example.com", "a-b.de", "xn--bcher-kva.example", "127.0.0.1"]
        {
            assert_eq!(host(good).unwrap(), good);
        }
        assert_eq!(host("Shop.Example.com").unwrap(), "shop.example.com");
        let long = "a".repeat(64);
        for bad in [
            "",
            "*",
            "*.",
            "a..b",
            "-a.de",
            "a b",
            "http://a.de",
            "a.de:80",
            "a.de/",
            "{env.A}",
            "a.*.de",
            &long,
        ] {
            assert!(host(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn beginnings_of_paths_and_names_of_headers() {
        assert_eq!(prefix("/api/v1").unwrap(), "/api/v1");
        for bad in ["", "api", "/a b", "/a*", "/{path}", "/a?b", "/a%2f", "/\n"] {
            assert!(prefix(bad).is_err(), "{bad}");
        }
        assert!(header("X-Frame-Options").is_ok() && header("a b").is_err() && header("").is_err());
    }
}
