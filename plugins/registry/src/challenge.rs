//! What a registry wants to know before it answers: `WWW-Authenticate`. Pure.
//!
//! <https://distribution.github.io/distribution/spec/auth/token/>

/// How one says who one is.
#[derive(Debug, PartialEq, Eq)]
pub enum Challenge {
    /// By user and password, with each request.
    Basic,
    /// By a token that somebody else gives.
    Bearer(Bearer),
}

/// Who gives tokens, and which one is wanted.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Bearer {
    /// The address of the service that gives them.
    pub realm: String,
    /// What the registry is called there.
    pub service: String,
    /// What the token has to be good for, such as `repository:team/web:pull`.
    pub scopes: Vec<String>,
}

/// The challenge that is to be met, of the header's values: tokens go before passwords; none where none is understood.
pub fn read<'a>(headers: impl IntoIterator<Item = &'a str>) -> Option<Challenge> {
    let all: Vec<Challenge> = headers.into_iter().filter_map(one).collect();
    let bearer = all.iter().position(|challenge| matches!(challenge, Challenge::Bearer(_)));
    all.into_iter().nth(bearer.unwrap_or_default())
}

fn one(header: &str) -> Option<Challenge> {
    let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
    match scheme.to_ascii_lowercase().as_str() {
        "basic" => Some(Challenge::Basic),
        "bearer" => {
            let mut bearer = Bearer::default();
            for (key, value) in parameters(rest) {
                match key.to_ascii_lowercase().as_str() {
                    "realm" => bearer.realm = value,
                    "service" => bearer.service = value,
                    "scope" => bearer.scopes = value.split_whitespace().map(str::to_owned).collect(),
                    _ => {}
                }
            }
            (!bearer.realm.is_empty()).then_some(Challenge::Bearer(bearer))
        }
        _ => None,
    }
}

/// `key="value", key=value`: a value in quotes may have commas, and any letter behind a backslash.
fn parameters(text: &str) -> Vec<(&str, String)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((key, after)) = rest.split_once('=') {
        let (value, after) = match after.trim_start().strip_prefix('"') {
            Some(quoted) => in_quotes(quoted),
            None => {
                let (value, after) = after.split_once(',').unwrap_or((after, ""));
                (value.trim().to_owned(), after)
            }
        };
        found.push((key.trim_matches([' ', ',', '\t']), value));
        rest = after;
    }
    found
}

fn in_quotes(text: &str) -> (String, &str) {
    let (mut value, mut is_escaped) = (String::new(), false);
    for (at, letter) in text.char_indices() {
        match letter {
            '\\' if !is_escaped => is_escaped = true,
            '"' if !is_escaped => return (value, &text[at + 1..]),
            letter => {
                value.push(letter);
                is_escaped = false;
            }
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: &str, scopes: &[&str]) -> Option<Challenge> {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        Some(Challenge::Bearer(Bearer { realm: realm.to_owned(), service: service.to_owned(), scopes }))
    }

    #[test]
    fn whoever_gives_tokens_is_known_with_what_is_wanted() {
        let cases: [(&[&str], Option<Challenge>); 9] = [
            (&["Basic realm=\"x\""], Some(Challenge::Basic)),
            (&["basic"], Some(Challenge::Basic)),
            (
                &[
                    "Bearer realm=\"https://a.io/token\",service=\"r.io\",scope=\"repository:a/b:pull,delete\"",
                ],
                bearer("https://a.io/token", "r.io", &["repository:a/b:pull,delete"]),
            ),
            (
                &["bearer scope=\"a:b:c d:e:f\" , realm=https://a.io/t, error=\"insufficient_scope\""],
                bearer("https://a.io/t", "", &["a:b:c", "d:e:f"]),
            ),
            (
                &["Bearer realm=\"https://a.io/\\\"t\\\\\",service=\"x\""],
                bearer("https://a.io/\"t\\", "x", &[]),
            ),
            (&["Basic realm=\"x\"", "Bearer realm=\"https://a.io\""], bearer("https://a.io", "", &[])),
            (&["Bearer service=\"x\"", "Basic"], Some(Challenge::Basic)),
            (&["Negotiate", "Bearer realm=\"unfinished"], bearer("unfinished", "", &[])),
            (&["Negotiate", ""], None),
        ];
        for (headers, expected) in cases {
            assert_eq!(read(headers.iter().copied()), expected, "{headers:?}");
        }
    }
}
