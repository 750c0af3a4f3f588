//! Git's progress lines as events. Pure.

use cloudpad_plugin_api::Progress;

/// Reads a line such as `remote: Counting objects:  45% (9/20), 1.2 MiB | 1 MiB/s`.
pub fn parse(line: &str) -> Option<Progress> {
    let line = line.strip_prefix("remote: ").unwrap_or(line);
    let (label, rest) = line.split_once(": ")?;
    let (percent, rest) = rest.trim_start().split_once("% (")?;
    percent.parse::<u8>().ok()?;
    let (done, total) = rest.split_once(')')?.0.split_once('/')?;
    Some(Progress {
        label: label.to_lowercase(),
        done: done.parse().ok()?,
        total: Some(total.parse().ok()?),
        unit: "steps".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_git() {
        let progress = parse("remote: Counting objects:  45% (9/20), 1.2 MiB | 1 MiB/s").unwrap();
        assert_eq!(
            (progress.label.as_str(), progress.done, progress.total),
            ("counting objects", 9, Some(20))
        );
        assert!(parse("Receiving objects: 100% (3/3), done.").is_some());
        for other in ["fatal: no", "error: x: 5% (a/b)", "Unpacking objects: many", "a: b% (1/2)", ""] {
            assert_eq!(parse(other), None, "{other}");
        }
    }
}
