//! Who one is, for a registry and for whoever gives tokens for it. Pure.
//!
//! <https://distribution.github.io/distribution/spec/auth/token/> and `oauth` beside it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cloudpad_engine::bollard::auth::DockerCredentials;
use serde::Deserialize;
use ureq::http::{Method, Request, header};

use crate::challenge::Bearer;

/// By user and password, as a value of `Authorization`; none where there are none.
pub fn basic(credentials: &DockerCredentials) -> Option<String> {
    let (user, password) = credentials.username.as_ref().zip(credentials.password.as_ref())?;
    Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
}

/// The request for a token, for a registry at `base`.
///
/// # Errors
/// Why nobody is asked for one.
pub fn request(
    bearer: &Bearer,
    credentials: &DockerCredentials,
    base: &str,
) -> Result<Request<String>, String> {
    let realm = &bearer.realm;
    // Who speaks in the open with the registry has nothing to lose.
    let is_open = realm.starts_with("http://") && base.starts_with("http://");
    if !realm.starts_with("https://") && !is_open {
        return Err(format!("tls: it has tokens given by `{realm}`, to which no password goes without TLS"));
    }
    let mut fields = vec![("service", bearer.service.as_str())];
    fields.extend(bearer.scopes.iter().map(|scope| ("scope", scope.as_str())));
    let bad = |error: ureq::http::Error| format!("it has tokens given by `{realm}`: {error}");
    if let Some(token) = &credentials.identitytoken {
        // One value for all scopes, unlike in a query.
        let scope = bearer.scopes.join(" ");
        let mut fields = vec![("grant_type", "refresh_token"), ("service", &bearer.service)];
        fields.extend([("client_id", "cloudpad"), ("scope", &scope), ("refresh_token", token)]);
        let post = Request::builder().method(Method::POST).uri(realm);
        let post = post.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        return post.body(form(&fields)).map_err(bad);
    }
    if let Some(user) = &credentials.username {
        fields.push(("account", user));
    }
    let mark = if realm.contains('?') { '&' } else { '?' };
    let mut get = Request::builder().method(Method::GET).uri(format!("{realm}{mark}{}", form(&fields)));
    if let Some(basic) = basic(credentials) {
        get = get.header(header::AUTHORIZATION, basic);
    }
    get.body(String::new()).map_err(bad)
}

/// The token in an answer, as a value of `Authorization`.
pub fn read(body: &[u8]) -> Option<String> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Given {
        token: String,
        access_token: String,
    }
    let given: Given = serde_json::from_slice(body).ok()?;
    let token = [given.token, given.access_token].into_iter().find(|token| !token.is_empty())?;
    Some(format!("Bearer {token}"))
}

/// `a=b&c=d`; fields without a value are left out.
fn form(fields: &[(&str, &str)]) -> String {
    let there = fields.iter().filter(|(_, value)| !value.is_empty());
    there.map(|(key, value)| format!("{key}={}", encoded(value))).collect::<Vec<_>>().join("&")
}

fn encoded(text: &str) -> String {
    let letter = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str, password: &str) -> DockerCredentials {
        let (username, password) = (Some(name.to_owned()), Some(password.to_owned()));
        DockerCredentials { username, password, ..DockerCredentials::default() }
    }

    fn asked(
        realm: &str,
        scopes: &[&str],
        credentials: &DockerCredentials,
        base: &str,
    ) -> Result<Request<String>, String> {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let bearer = Bearer { realm: realm.to_owned(), service: "r.io".to_owned(), scopes };
        request(&bearer, credentials, base)
    }

    #[test]
    fn a_token_is_asked_for_with_what_is_wanted_and_who_asks() {
        let scopes = ["repository:a/b:pull,delete", "x:y:z"];
        let anonymous =
            asked("https://a.io/t?x=1", &scopes, &DockerCredentials::default(), "https://r.io").unwrap();
        let query = "x=1&service=r.io&scope=repository%3Aa%2Fb%3Apull%2Cdelete&scope=x%3Ay%3Az";
        assert_eq!((anonymous.method(), anonymous.uri().query()), (&Method::GET, Some(query)));
        assert!(!anonymous.headers().contains_key(header::AUTHORIZATION));

        let ann = asked("https://a.io/t", &[], &user("a b", "right"), "https://r.io").unwrap();
        assert_eq!(ann.uri().query(), Some("service=r.io&account=a%20b"));
        assert_eq!(ann.headers()[header::AUTHORIZATION], "Basic YSBiOnJpZ2h0");

        let identity =
            DockerCredentials { identitytoken: Some("t&1".into()), ..DockerCredentials::default() };
        let post = asked("https://a.io/t", &scopes, &identity, "https://r.io").unwrap();
        let form = "grant_type=refresh_token&service=r.io&client_id=cloudpad&\
                    scope=repository%3Aa%2Fb%3Apull%2Cdelete%20x%3Ay%3Az&refresh_token=t%261";
        assert_eq!((post.method(), post.body().as_str()), (&Method::POST, form));
    }

    #[test]
    fn no_password_goes_to_where_there_is_no_tls_unless_the_registry_has_none() {
        let ask = |realm, base| asked(realm, &[], &user("ann", "right"), base);
        assert!(ask("http://a.io/t", "http://r.io").is_ok());
        for realm in ["http://a.io/t", "ftp://a.io", "a.io"] {
            assert!(ask(realm, "https://r.io").unwrap_err().contains(&format!("`{realm}`")));
        }
    }

    #[test]
    fn a_token_has_either_name() {
        assert_eq!(read(br#"{"token":"a"}"#).as_deref(), Some("Bearer a"));
        assert_eq!(read(br#"{"token":"","access_token":"b"}"#).as_deref(), Some("Bearer b"));
        for none in ["{}", "nonsense", r#"{"token":""}"#] {
            assert_eq!(read(none.as_bytes()), None);
        }
    }
}
