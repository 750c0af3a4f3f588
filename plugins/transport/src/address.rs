//! Addresses as users write them: `[user@]host[:port]`. Pure.

/// Where to connect, as it was written. What is not said comes from the SSH configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub user: Option<String>,
    pub host: String,
    pub port: Option<u16>,
}

impl Address {
    /// Reads `[user@]host[:port]`. An IPv6 address with a port is written in brackets.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (user, rest) = match text.rsplit_once('@') {
            Some((user, rest)) => (Some(user), rest),
            None => (None, text),
        };
        let (host, port) = split_port(rest)?;
        check_name("user", user.unwrap_or("user"))?;
        check_name("host", host)?;
        Ok(Self { user: user.map(str::to_owned), host: host.to_owned(), port })
    }
}

fn split_port(text: &str) -> Result<(&str, Option<u16>), String> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or("`[` without `]`")?;
        return match after.strip_prefix(':') {
            Some(port) => Ok((host, Some(parse_port(port)?))),
            None if after.is_empty() => Ok((host, None)),
            None => Err(format!("`{after}` after `]`")),
        };
    }
    match text.split_once(':') {
        // More than one colon: an IPv6 address without a port.
        Some((_, rest)) if rest.contains(':') => Ok((text, None)),
        Some((host, port)) => Ok((host, Some(parse_port(port)?))),
        None => Ok((text, None)),
    }
}

fn parse_port(text: &str) -> Result<u16, String> {
    text.parse().ok().filter(|port| *port != 0).ok_or_else(|| format!("`{text}` is not a port"))
}

/// Refuses what other programs would take for an option or for several words.
fn check_name(what: &str, name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err(format!("the {what} is empty"));
    }
    if name.starts_with('-')
        || name.chars().any(|c| c.is_whitespace() || c.is_control() || "'\"`$\\;|&<>()".contains(c))
    {
        return Err(format!("`{name}` cannot be the name of a {what}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (Option<String>, String, Option<u16>) {
        let address = Address::parse(text).unwrap();
        (address.user, address.host, address.port)
    }

    #[test]
    fn each_form_is_understood() {
        let user = |name: &str| Some(name.to_owned());
        assert_eq!(parse("h"), (None, "h".into(), None));
        assert_eq!(parse("u@h"), (user("u"), "h".into(), None));
        assert_eq!(parse("u@corp@h:22"), (user("u@corp"), "h".into(), Some(22)));
        assert_eq!(parse("10.0.0.1:2222"), (None, "10.0.0.1".into(), Some(2222)));
        assert_eq!(parse("u@[fe80::1]:22"), (user("u"), "fe80::1".into(), Some(22)));
        assert_eq!(parse("[::1]"), (None, "::1".into(), None));
        assert_eq!(parse("::1"), (None, "::1".into(), None));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for text in [
            "",
            "@h",
            "u@",
            "h:",
            "h:0",
            "h:65536",
            "h:ssh",
            "[::1",
            "[::1]x",
            "-oProxyCommand=x",
            "u@-h",
            "-u@h",
            "a b",
            "h\n",
            "h;x",
            "$(x)",
            "`x`",
        ] {
            assert!(Address::parse(text).is_err(), "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".*") {
            let _ = Address::parse(&text);
        }
    }
}
