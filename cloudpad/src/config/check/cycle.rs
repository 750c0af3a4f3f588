//! Images that wait for each other. Pure.

use std::collections::{BTreeMap, BTreeSet};

use cloudpad_plugin_api::stage::build::Arg;

use crate::config::{Config, Image, Problem};

/// The images that an image is built on, each with the key that says so.
type Needs<'a> = BTreeMap<&'a str, Vec<(String, &'a str)>>;

/// Tells every cycle once, at the key that closes it.
pub(super) fn check(config: &Config, problems: &mut Vec<Problem>) {
    let needs: Needs<'_> = config.images.iter().map(|(name, image)| (name.as_str(), needed(image))).collect();
    let mut done = BTreeSet::new();
    for start in needs.keys() {
        if !done.contains(start) {
            walk(start, &needs, &mut done, problems);
        }
    }
}

fn needed(image: &Image) -> Vec<(String, &str)> {
    let Image::Built(built) = image else { return Vec::new() };
    let all = [("args", &built.args), ("variables", &built.variables)];
    let all =
        all.into_iter().flat_map(|(key, named)| named.iter().map(move |(name, value)| (key, name, value)));
    let needed = all.filter_map(|(key, name, value)| match value {
        Arg::Image(image) => Some((format!("{key}.{name}"), image.as_str())),
        Arg::Value(_) => None,
    });
    needed.collect()
}

/// Depth first, with a stack of its own: a chain of images may be as long as the file.
fn walk<'a>(start: &'a str, needs: &Needs<'a>, done: &mut BTreeSet<&'a str>, problems: &mut Vec<Problem>) {
    let mut path: Vec<(&str, usize)> = vec![(start, 0)];
    let mut on_path = BTreeSet::from([start]);
    while let Some((image, next)) = path.last_mut() {
        let followed = needs.get(image).and_then(|needs| needs.get(*next));
        *next += 1;
        match followed {
            None => leave(&mut path, &mut on_path, done),
            Some((key, other)) if on_path.contains(other) => problems.push(cycle(&path, key, other)),
            Some((_, other)) if done.contains(other) => {}
            Some((_, other)) => {
                path.push((other, 0));
                on_path.insert(other);
            }
        }
    }
}

fn leave<'a>(
    path: &mut Vec<(&'a str, usize)>,
    on_path: &mut BTreeSet<&'a str>,
    done: &mut BTreeSet<&'a str>,
) {
    if let Some((image, _)) = path.pop() {
        on_path.remove(image);
        done.insert(image);
    }
}

fn cycle(path: &[(&str, usize)], key: &str, back: &str) -> Problem {
    let round: Vec<_> = path.iter().map(|(image, _)| *image).skip_while(|image| *image != back).collect();
    let last = path.last().map_or(back, |(image, _)| *image);
    let message = match round[..] {
        [_] => format!("image `{back}` is built on itself"),
        _ => format!("images are built on each other in a circle: `{}` on `{back}`", round.join("` on `")),
    };
    Problem::at_key(format!("images.{last}.{key}.image"), message)
}
