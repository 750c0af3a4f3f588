//! What identifies an image before it is built: a sum of all that goes into it, and the tag made from
//! that. Pure.

use std::collections::BTreeMap;

use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::stage::build::{Arg, Recipe};
use sha2::{Digest, Sha256};

use crate::hex;

/// The files that a recipe is built from.
pub enum Files {
    /// The source's revision says what they are.
    Pinned(String),
    /// The sums of the context and of the Dockerfile.
    Read([u8; 32], [u8; 32]),
}

impl Files {
    /// What a recipe's pinned source says of them; none where one has to look.
    pub fn pinned(recipe: &Recipe) -> Option<Self> {
        let pinned = recipe.source.pinned && !recipe.source.dirty;
        recipe.source.revision.clone().filter(|_| pinned).map(Self::Pinned)
    }
}

/// The full reference of `recipe`, whose files and bases (by name, with their references) are known.
///
/// Where the cache comes from and goes to is no part of it, nor is the value of any secret.
pub fn reference(recipe: &Recipe, files: &Files, bases: &BTreeMap<String, String>) -> String {
    let mut sum = Sum::new("cloudpad image 1");
    match files {
        Files::Pinned(revision) => {
            sum.fields(["pinned", revision, &recipe.context]);
            recipe.prepare.iter().for_each(|command| sum.list(command.iter()));
        }
        Files::Read(context, dockerfile) => sum.fields(["read", &hex(context), &hex(dockerfile)]),
    }
    sum.fields([recipe.dockerfile.as_str(), if recipe.ssh { "ssh" } else { "" }]);
    sum.list(recipe.target.iter());
    sum.list(recipe.platforms.iter());
    sum.list(recipe.secrets.keys());
    sum.list(recipe.labels.iter().flat_map(|(name, value)| [name, value]));
    let named = |(name, arg)| [String::as_str(name), value(arg, bases)];
    sum.list(recipe.args.iter().flat_map(named));
    // Only where there are any: what is built without them has been called so before.
    if !recipe.variables.is_empty() || !recipe.runit.is_empty() {
        sum.list(recipe.variables.iter().flat_map(named));
        sum.list(recipe.runit.iter().flat_map(|(name, script)| [name, script]));
    }
    let content = &hex(&sum.0.finalize())[..12];
    let repository = &recipe.repository;
    match files {
        Files::Pinned(revision) => {
            format!("{repository}:{}-{content}", revision.get(..7).unwrap_or(revision))
        }
        Files::Read(..) => format!("{repository}:{content}"),
    }
}

/// What the build gets to see of a build argument.
pub fn value<'a>(arg: &'a Arg, bases: &'a BTreeMap<String, String>) -> &'a str {
    match arg {
        Arg::Value(value) => value,
        Arg::Image(name) => bases.get(name).map_or(name, String::as_str),
    }
}

/// The recipes in an order in which each comes after those that it is built from.
///
/// # Errors
/// `invalid`, when images are built from each other in a circle.
pub fn order(recipes: &[Recipe]) -> Result<Vec<&Recipe>, Failure> {
    let by_name: BTreeMap<&str, &Recipe> =
        recipes.iter().map(|recipe| (recipe.name.as_str(), recipe)).collect();
    let mut ordered = Vec::new();
    let mut path = Vec::new();
    for recipe in recipes {
        visit(recipe, &by_name, &mut path, &mut ordered)?;
    }
    Ok(ordered)
}

fn visit<'a>(
    recipe: &'a Recipe,
    by_name: &BTreeMap<&str, &'a Recipe>,
    path: &mut Vec<&'a str>,
    ordered: &mut Vec<&'a Recipe>,
) -> Result<(), Failure> {
    if ordered.iter().any(|done| done.name == recipe.name) {
        return Ok(());
    }
    let circle = path.iter().position(|name| *name == recipe.name);
    path.push(&recipe.name);
    if let Some(start) = circle {
        return Err(Failure::invalid(format!(
            "images are built from each other: `{}`",
            path[start..].join("` → `")
        )));
    }
    for base in recipe.bases().filter_map(|name| by_name.get(name)) {
        visit(base, by_name, path, ordered)?;
    }
    path.pop();
    ordered.push(recipe);
    Ok(())
}

/// A sum over fields, each with its length, so that no two lists of fields look the same.
struct Sum(Sha256);

impl Sum {
    fn new(title: &str) -> Self {
        let mut sum = Self(Sha256::new());
        sum.fields([title]);
        sum
    }

    fn fields<T: AsRef<str>>(&mut self, fields: impl IntoIterator<Item = T>) {
        for field in fields {
            let field = field.as_ref();
            self.0.update((field.len() as u64).to_be_bytes());
            self.0.update(field);
        }
    }

    fn list<T: AsRef<str>>(&mut self, fields: impl Iterator<Item = T>) {
        let fields: Vec<T> = fields.collect();
        self.0.update((fields.len() as u64).to_be_bytes());
        self.fields(fields);
    }
}
