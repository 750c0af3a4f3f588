//! Where a list goes on: the header `Link`, as of RFC 8288. Pure.

/// The path of the page that follows the one at `path`, of the registry at `base` (`SCHEME://HOST`); none where that was the last.
///
/// # Errors
/// Where it leads instead: whoever is sent elsewhere would take their credentials there.
pub fn next(base: &str, path: &str, header: Option<&str>) -> Result<Option<String>, String> {
    let Some(target) = header.and_then(target) else { return Ok(None) };
    let at_root = target.strip_prefix(base).filter(|rest| rest.starts_with('/')).unwrap_or(target);
    let next = match at_root {
        path if path.starts_with('/') && !path.starts_with("//") => path.to_owned(),
        query if query.starts_with('?') => format!("{}{query}", path.split('?').next().unwrap_or_default()),
        _ => return Err(target.to_owned()),
    };
    // It would never end.
    if next == path { Err(next) } else { Ok(Some(next)) }
}

/// The target that is marked as the next one.
fn target(header: &str) -> Option<&str> {
    let mut rest = header;
    while let Some((_, begun)) = rest.split_once('<') {
        let (target, after) = begun.split_once('>')?;
        let (parameters, others) = after.split_once(",").unwrap_or((after, ""));
        let is_next = |parameter: &str| {
            let (key, value) = parameter.split_once('=').unwrap_or_default();
            key.trim().eq_ignore_ascii_case("rel") && value.trim().trim_matches('"') == "next"
        };
        if parameters.split(';').any(is_next) {
            return Some(target);
        }
        rest = others;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_leads_to_the_next_of_the_same_registry() {
        let base = "https://r.io:5000";
        let path = "/v2/a/tags/list?n=2";
        let ok = |next: &str| Ok(Some(next.to_owned()));
        let cases = [
            (None, Ok(None)),
            (Some("nonsense"), Ok(None)),
            (Some("</v2/a/tags/list?n=2&last=b>; rel=\"next\""), ok("/v2/a/tags/list?n=2&last=b")),
            (Some("</x>; rel=prev, </y>; title=\"z\"; REL=next"), ok("/y")),
            (Some("</x>; rel=\"prev\""), Ok(None)),
            (Some("<https://r.io:5000/v2/a/tags/list?last=b>; rel=next"), ok("/v2/a/tags/list?last=b")),
            (Some("<?last=b>; rel=next"), ok("/v2/a/tags/list?last=b")),
            (Some("<https://evil.io/v2/>; rel=next"), Err("https://evil.io/v2/".to_owned())),
            (Some("<https://r.io:50001/v2/>; rel=next"), Err("https://r.io:50001/v2/".to_owned())),
            (Some("<//evil.io/v2/>; rel=next"), Err("//evil.io/v2/".to_owned())),
            (Some("</v2/a/tags/list?n=2>; rel=next"), Err(path.to_owned())),
            (Some("</unfinished"), Ok(None)),
        ];
        for (header, expected) in cases {
            assert_eq!(next(base, path, header), expected, "{header:?}");
        }
    }
}
