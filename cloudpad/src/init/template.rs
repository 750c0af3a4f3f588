//! The projects that `cloudpad init` begins, as files in `templates/`. Pure.

/// A kind of project.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Template {
    /// One service, made by the Dockerfile that is there, or by one to begin with
    #[default]
    App,
    /// A static site: files that are served
    Static,
    /// A Rails application with a worker and a database
    Rails,
    /// A Django application with a worker and a database
    Django,
    /// A Node application with a worker and a database
    Node,
    /// A Rust application with a worker and a database
    Rust,
    /// Several images of one repository, with a base of their own
    Monorepo,
    /// An image on Phusion's baseimage, in which runit runs several programs
    Phusion,
    /// One service in a Docker Swarm
    Swarm,
    /// One service in a fleet
    Fleet,
}

/// A file of a template: its name in the project, and its text.
pub type File = (&'static str, &'static str);

macro_rules! files {
    ($folder:literal: $($name:literal),*) => {
        &[$(($name, include_str!(concat!("../../../templates/app/", $folder, $name)))),*]
    };
}

impl Template {
    /// Its files, the config first. The ignore file of a context is the same for all, and added where the project's folder is
    /// the one context.
    pub fn files(self) -> &'static [File] {
        match self {
            Template::App => files!("": "Cloudpad.toml", "Dockerfile"),
            Template::Static => files!("static/": "Cloudpad.toml", "Dockerfile", "public/index.html"),
            Template::Rails => files!("rails/": "Cloudpad.toml", "Dockerfile"),
            Template::Django => files!("django/": "Cloudpad.toml", "Dockerfile"),
            Template::Node => files!("node/": "Cloudpad.toml", "Dockerfile"),
            Template::Rust => files!("rust/": "Cloudpad.toml", "Dockerfile"),
            Template::Monorepo => MONOREPO,
            Template::Phusion => files!("phusion/": "Cloudpad.toml", "Dockerfile"),
            Template::Swarm => &[SWARM, DOCKERFILE],
            Template::Fleet => &[FLEET, DOCKERFILE],
        }
    }
}

/// Docker looks for an ignore file in the context.
const MONOREPO: &[File] = &[
    ("Cloudpad.toml", include_str!("../../../templates/app/monorepo/Cloudpad.toml")),
    ("base/Dockerfile", include_str!("../../../templates/app/monorepo/base/Dockerfile")),
    ("base/.dockerignore", IGNORE),
    ("api/Dockerfile", include_str!("../../../templates/app/monorepo/api/Dockerfile")),
    ("api/.dockerignore", IGNORE),
    ("web/Dockerfile", include_str!("../../../templates/app/monorepo/web/Dockerfile")),
    ("web/.dockerignore", IGNORE),
];

/// What is no part of an image.
pub(super) const IGNORE: &str = include_str!("../../../templates/app/.dockerignore");

const DOCKERFILE: File = ("Dockerfile", include_str!("../../../templates/app/Dockerfile"));
const SWARM: File = ("Cloudpad.toml", include_str!("../../../templates/app/swarm/Cloudpad.toml"));
const FLEET: File = ("Cloudpad.toml", include_str!("../../../templates/app/fleet/Cloudpad.toml"));
