//! Who runs in a container: the user that an image names, as numbers. Pure.

use cloudpad_plugin_api::Failure;

/// A user and a group by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// Where it takes no look at the image's files: nobody is named, or both by number.
pub(super) fn by_number(user: &str) -> Option<Owner> {
    if user.is_empty() {
        return Some(Owner { uid: 0, gid: 0 });
    }
    let (user, group) = user.split_once(':')?;
    Some(Owner { uid: user.parse().ok()?, gid: group.parse().ok()? })
}

/// `USER[:GROUP]`, by names or numbers, as an engine understands it: the group of a user that is in no list is 0.
pub(super) fn by_name(user: &str, passwd: &str, group: &str) -> Result<Owner, Failure> {
    let (name, group_name) = user.split_once(':').map_or((user, None), |(user, group)| (user, Some(group)));
    let unknown = |what: &str, name: &str| {
        Failure::failed(format!("the image runs as {what} `{name}`, which its files do not know"))
            .hint("say `uid` and `gid` of the secret's file in Cloudpad.toml")
    };
    let number = name.parse().ok();
    let line =
        line(passwd, |fields| fields.first() == Some(&name) || number.is_some() && id(fields, 2) == number);
    let uid = number.or_else(|| id(line.as_deref()?, 2)).ok_or_else(|| unknown("user", name))?;
    let gid = match group_name {
        None => line.and_then(|fields| id(&fields, 3)).unwrap_or(0),
        Some(name) => {
            let found = || id(&self::line(group, |fields| fields.first() == Some(&name))?, 2);
            name.parse().ok().or_else(found).ok_or_else(|| unknown("group", name))?
        }
    };
    Ok(Owner { uid, gid })
}

/// The fields of the first line that is right.
fn line<'a>(file: &'a str, is_right: impl Fn(&[&'a str]) -> bool) -> Option<Vec<&'a str>> {
    file.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| is_right(fields))
}

fn id(fields: &[&str], index: usize) -> Option<u32> {
    fields.get(index)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\n\napp:x:1000:1001::/:/bin/false\n";
    const GROUP: &str = "root:x:0:\nweb:x:33:app\n";

    #[test]
    fn names_and_numbers_are_what_the_engine_takes_them_for() {
        for (user, uid, gid) in [
            ("app", 1000, 1001),
            ("1000", 1000, 1001),
            ("4321", 4321, 0),
            ("app:web", 1000, 33),
            ("app:5", 1000, 5),
            ("root", 0, 0),
        ] {
            assert_eq!(by_name(user, PASSWD, GROUP).unwrap(), Owner { uid, gid }, "{user}");
        }
        assert_eq!(by_number(""), Some(Owner { uid: 0, gid: 0 }));
        assert_eq!(by_number("7:8"), Some(Owner { uid: 7, gid: 8 }));
        assert_eq!((by_number("7"), by_number("app:8")), (None, None));
        for user in ["nobody", "app:nobody"] {
            assert!(by_name(user, PASSWD, GROUP).unwrap_err().message.contains("`nobody`"), "{user}");
        }
    }
}
