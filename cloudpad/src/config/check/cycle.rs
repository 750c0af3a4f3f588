//! Images that wait for each other. Pure.

use std::collections::{BTreeMap, BTreeSet};

use cloudpad_plugin_api::stage::build::Arg;

use crate::config::{Config, Image, Problem};

/// The images that an image is built on, each with the build argument that says so.
type Needs<'a> = BTreeMap<&'a str, Vec<(&'a str, &'a str)>>;

/// Tells every cycle once, at the argument that closes it.
pub(super) fn check(config: &Config, problems: &mut Vec<Problem>) {
    let needs: Needs<'_> = config.images.iter().map(|(name, image)| (name.as_str(), needed(image))).collect();
    let mut done = BTreeSet::new();
    for start in needs.keys() {
        if !done.contains(start) {
            walk(start, &needs, &mut done, problems);
        }
    }
}

fn needed(image: &Image) -> Vec<(&str, &str)> {
    let Image::Built(built) = image else { return Vec::new() };
    let named = built.args.iter().filter_map(|(arg, value)| match value {
        Arg::Image(image) => Some((arg.as_str(), image.as_str())),
        Arg::Value(_) => None,
    });
    named.collect()
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
            Some((arg, other)) if on_path.contains(other) => problems.push(cycle(&path, arg, other)),
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

fn cycle(path: &[(&str, usize)], arg: &str, back: &str) -> Problem {
    let round: Vec<_> = path.iter().map(|(image, _)| *image).skip_while(|image| *image != back).collect();
    let last = path.last().map_or(back, |(image, _)| *image);
    let message = match round[..] {
        [_] => format!("image `{back}` is built on itself"),
        _ => format!("images are built on each other in a circle: `{}` on `{back}`", round.join("` on `")),
    };
    Problem::at_key(format!("images.{last}.args.{arg}.image"), message)
}
