//! The files of `templates/plugin/`, by language and stage. Pure.

use cloudpad_plugin_api::Stage;

use super::Language;

/// A file, before its words are filled in.
pub(super) struct Template {
    pub path: &'static str,
    pub text: &'static str,
    pub executable: bool,
}

/// What a stage puts into a language's files.
pub(super) struct Part {
    pub provider: &'static str,
    pub tests: &'static str,
}

macro_rules! text {
    ($path:expr) => {
        include_str!(concat!("../../../templates/plugin/", $path))
    };
}

const fn file(path: &'static str, text: &'static str) -> Template {
    Template { path, text, executable: false }
}

const fn program(path: &'static str, text: &'static str) -> Template {
    Template { path, text, executable: true }
}

const README: Template = file("README.md", text!("README.md"));
const CI: &str = ".github/workflows/test.yml";

const PYTHON: [Template; 4] = [
    README,
    program("cloudpad-@name@-@stage@", text!("python/plugin.py")),
    program("test_plugin.py", text!("python/test_plugin.py")),
    file(CI, text!("python/ci.yml")),
];

const SH: [Template; 4] = [
    README,
    program("cloudpad-@name@-@stage@", text!("sh/plugin.sh")),
    program("test.sh", text!("sh/test.sh")),
    file(CI, text!("sh/ci.yml")),
];

const C: [Template; 7] = [
    README,
    file("plugin.c", text!("c/plugin.c")),
    file("cloudpad_plugin.h", include_str!("../../../plugin-api/include/cloudpad_plugin.h")),
    file("test.c", text!("c/test.c")),
    file("Makefile", text!("c/Makefile")),
    file(".gitignore", text!("c/gitignore")),
    file(CI, text!("c/ci.yml")),
];

const RUST: [Template; 7] = [
    README,
    file("Cargo.toml", text!("rust/Cargo.toml")),
    file("src/lib.rs", text!("rust/lib.rs")),
    file("src/main.rs", text!("rust/main.rs")),
    file("tests/plugin.rs", text!("rust/test.rs")),
    file(".gitignore", text!("rust/gitignore")),
    file(CI, text!("rust/ci.yml")),
];

/// The files of a plugin in this language.
pub(super) fn of(language: Language) -> &'static [Template] {
    match language {
        Language::Rust => &RUST,
        Language::Python => &PYTHON,
        Language::Sh => &SH,
        Language::C => &C,
    }
}

/// What its README says about the language.
pub(super) fn readme(language: Language) -> &'static str {
    match language {
        Language::Rust => text!("rust/README.md"),
        Language::Python => text!("python/README.md"),
        Language::Sh => text!("sh/README.md"),
        Language::C => text!("c/README.md"),
    }
}

/// The file that is the plugin, once it is built.
pub(super) fn plugin(language: Language) -> &'static str {
    match language {
        Language::Rust => "target/release/cloudpad-@name@-@stage@",
        Language::Python | Language::Sh => "cloudpad-@name@-@stage@",
        Language::C => "cloudpad-@name@-@stage@.so",
    }
}

/// The command that tests it.
pub(super) fn test(language: Language) -> &'static str {
    match language {
        Language::Rust => "cargo test",
        Language::Python => "./test_plugin.py",
        Language::Sh => "./test.sh",
        Language::C => "make test",
    }
}

/// An example of what the provider takes as its config, in TOML.
pub(super) fn config(stage: Stage) -> &'static str {
    match stage {
        Stage::Inventory => text!("inventory.toml"),
        Stage::Source | Stage::Secrets | Stage::Build | Stage::Push | Stage::Deploy => "",
    }
}

macro_rules! part {
    ($language:literal, $stage:literal, $ending:literal) => {
        Part {
            provider: text!(concat!($language, "/stage/", $stage, ".", $ending)),
            tests: text!(concat!($language, "/stage/", $stage, "_test.", $ending)),
        }
    };
}

macro_rules! parts {
    ($stage:expr, $language:literal, $ending:literal) => {
        match $stage {
            Stage::Inventory => part!($language, "inventory", $ending),
            Stage::Source => part!($language, "source", $ending),
            Stage::Secrets => part!($language, "secrets", $ending),
            Stage::Build => part!($language, "build", $ending),
            Stage::Push => part!($language, "push", $ending),
            Stage::Deploy => part!($language, "deploy", $ending),
        }
    };
}

/// What `stage` puts into the files of `language`.
pub(super) fn part(language: Language, stage: Stage) -> Part {
    match language {
        Language::Rust => parts!(stage, "rust", "rs"),
        Language::Python => parts!(stage, "python", "py"),
        Language::Sh => parts!(stage, "sh", "sh"),
        Language::C => parts!(stage, "c", "c"),
    }
}
