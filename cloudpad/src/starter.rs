//! What `cloudpad plugin new` writes: a starter plugin, made from `templates/plugin/`. Pure.
//!
//! A language has files, some of which have a place for what is peculiar to a stage; each stage fills it.

mod files;

use cloudpad_plugin_api::Stage;

use crate::config::{Problem, is_provider_name};
use files::Template;

/// The language of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// A crate: an executable, a dynamic library and a Rust library of one source.
    Rust,
    /// An executable for Python 3.
    Python,
    /// An executable for a POSIX shell and jq.
    Sh,
    /// A dynamic library.
    C,
}

impl Language {
    /// Every language.
    pub const ALL: [Language; 4] = [Language::Rust, Language::Python, Language::Sh, Language::C];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Language::Rust => "rust",
            Language::Python => "python",
            Language::Sh => "sh",
            Language::C => "c",
        }
    }
}

/// A plugin to begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Starter {
    /// The directory that it is written into. It is the plugin's own.
    pub folder: String,
    /// The files in it.
    pub files: Vec<NewFile>,
    /// What to type next, in that directory.
    pub test: &'static str,
}

/// A file to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFile {
    /// Its path in the directory.
    pub path: String,
    /// What it holds.
    pub text: String,
    /// Whether it can be run.
    pub executable: bool,
}

/// Makes a plugin with one provider.
///
/// # Errors
/// When the name cannot be that of a provider.
pub fn starter(name: &str, stage: Stage, language: Language) -> Result<Starter, Problem> {
    if !is_provider_name(name) {
        return Err(Problem::new(format!("`{name}` cannot be the name of a provider"))
            .hint("it begins with a lower-case letter, and consists of lower-case letters, digits and `-`"));
    }
    let plugin = Plugin { name, stage, language };
    let files = files::of(language).iter().map(|template| plugin.file(template));
    Ok(Starter { folder: plugin.folder(), files: files.collect(), test: files::test(language) })
}

struct Plugin<'a> {
    name: &'a str,
    stage: Stage,
    language: Language,
}

impl Plugin<'_> {
    fn folder(&self) -> String {
        format!("cloudpad-{}-{}", self.name, self.stage)
    }

    fn file(&self, template: &Template) -> NewFile {
        NewFile {
            path: self.fill(template.path),
            text: self.fill(template.text),
            executable: template.executable,
        }
    }

    /// Puts what is meant in the place of each `@word@`. Parts go first: they have words of their own.
    fn fill(&self, text: &str) -> String {
        let part = files::part(self.language, self.stage);
        text.replace("@language@\n", files::readme(self.language))
            .replace("@provider@\n", part.provider)
            .replace("@tests@\n", part.tests)
            .replace("@config@\n", files::config(self.stage))
            .replace("@file@", files::plugin(self.language))
            .replace("@crate@", &self.folder().replace('-', "_"))
            .replace("@name@", self.name)
            .replace("@Stage@", variant(self.stage))
            .replace("@stage@", self.stage.name())
    }
}

/// The stage's name in Rust's types.
fn variant(stage: Stage) -> &'static str {
    match stage {
        Stage::Inventory => "Inventory",
        Stage::Source => "Source",
        Stage::Secrets => "Secrets",
        Stage::Build => "Build",
        Stage::Push => "Push",
        Stage::Deploy => "Deploy",
    }
}
