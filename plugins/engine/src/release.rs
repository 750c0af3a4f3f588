//! The names by which people find an image: its repository, with the release that it was built for as the tag. Pure.

/// Those of `names` that are such names of the image that is known as `reference`.
///
/// A release begins with its time, such as `20260131T235959Z-4b825dc`.
pub fn release_names<'a>(reference: &str, names: impl IntoIterator<Item = &'a String>) -> Vec<String> {
    let Some((repository, _)) = reference.rsplit_once(':') else { return Vec::new() };
    let is_one = |name: &&String| {
        let tag = name.strip_prefix(repository).and_then(|rest| rest.strip_prefix(':'));
        **name != reference && tag.is_some_and(is_release)
    };
    names.into_iter().filter(is_one).cloned().collect()
}

fn is_release(tag: &str) -> bool {
    let Some((time, rest)) = tag.split_at_checked("20260131T235959Z".len()) else { return false };
    let is_time = time.bytes().enumerate().all(|(at, byte)| match at {
        8 => byte == b'T',
        15 => byte == b'Z',
        _ => byte.is_ascii_digit(),
    });
    is_time && (rest.is_empty() || rest.starts_with(['-', '.']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_releases_of_the_same_repository_are_meant() {
        let ours = ["shop.web:20260131T235959Z", "shop.web:20260131T235959Z.01-4b825dc-dirty"];
        let others = [
            "shop.web:0f3a9c11",
            "shop.web:mine",
            "shop.web:20260131",
            "shop.web:20260131T235959Zulu",
            "shop.web2:20260131T235959Z",
            "r.test/shop.web:20260131T235959Z",
            "shop.web:20260131T23595\u{e4}Z",
        ];
        let all: Vec<String> = ours.iter().chain(&others).map(|name| (*name).to_owned()).collect();
        assert_eq!(release_names("shop.web:0f3a9c11", &all), ours);
        assert_eq!(release_names("no-tag", &all), [""; 0]);
    }
}
