//! Stage `build`: how source code becomes an image. Pure.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::context::NoConfig;
use crate::lenient::or_empty;
use crate::stage::source::Resolved;
use crate::{Context, Failure};

/// Builds images on this machine.
pub trait Build: Send + Sync {
    /// Whether the configuration in `cx` is one that the provider can work with. Touches nothing.
    ///
    /// # Errors
    /// `invalid`, saying what is wrong with it.
    fn check(&self, cx: &Context) -> Result<(), Failure> {
        cx.config::<NoConfig>().map(|_| ())
    }

    /// What identifies each image (everything that goes into its build), and whether it is built.
    /// It reads what a pinned source would not tell, and changes nothing.
    ///
    /// # Errors
    /// `failed` when a Dockerfile or context cannot be read; `unreachable` when the engine does not answer.
    fn observe(&self, cx: &Context, request: &Observe) -> Result<Images, Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("build.observe"))
    }

    /// Builds one image, tags it `reference`, and labels it so too ([`label::IMAGE`](crate::model::label::IMAGE)).
    /// When that image is there already, nothing is done; a tag without that label is somebody else's doing, and
    /// is replaced. A new image gets the other names too, for people to read: nothing relies on them.
    ///
    /// # Errors
    /// `failed`, with the failing step's last lines as causes.
    fn run(&self, cx: &Context, request: &Run) -> Result<Built, Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("build.run"))
    }
}

/// All that goes into an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipe {
    /// The image's name in `Cloudpad.toml`.
    pub name: String,
    /// The name under which it is tagged, without the tag, such as `shop.web`.
    pub repository: String,
    /// The source its files come from.
    pub source: Resolved,
    /// Commands that are run in a pinned source once it is brought here, each an argument list: its
    /// revision does not tell what they make. Other sources have been prepared by now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prepare: Vec<Vec<String>>,
    /// The build context: a directory below the source's, `.` for all of it.
    pub context: String,
    /// The Dockerfile, relative to the context; it may lie beside it in the source.
    pub dockerfile: String,
    /// The stage of the Dockerfile to build; the last one where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Build arguments.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, Arg>,
    /// With any, the Dockerfile is a template: `{{ NAME }}` there stands for a value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, Arg>,
    /// Services of [runit](https://smarden.org/runit/) in the image: the script by which each is run, by its name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub runit: BTreeMap<String, String>,
    /// Platforms such as `linux/amd64`; the engine's own where none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<String>,
    /// What `RUN --mount=type=secret,id=…` may read. It is no part of the image's identity.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, SecretSource>,
    /// Whether `RUN --mount=type=ssh` may use the user's SSH agent.
    #[serde(default)]
    pub ssh: bool,
    /// Image labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// References from which the cache is imported.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cache_from: Vec<String>,
    /// Where the cache is exported to: `inline` or a registry reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_to: Option<String>,
}

impl Recipe {
    /// The images of the project that the build begins from, by name.
    pub fn bases(&self) -> impl Iterator<Item = &str> {
        bases(&self.args).chain(bases(&self.variables))
    }
}

/// The images of the project that arguments name.
pub fn bases(args: &BTreeMap<String, Arg>) -> impl Iterator<Item = &str> {
    args.values().filter_map(|arg| match arg {
        Arg::Image(name) => Some(name.as_str()),
        Arg::Value(_) => None,
    })
}

/// The value of a build argument, or of a variable of a Dockerfile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arg {
    /// As it is.
    Value(String),
    /// The reference of another image of the project, which is built first.
    Image(String),
}

/// Where a build secret's value is read, when it is needed and not before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretSource {
    /// An environment variable of the caller.
    Env(String),
    /// A file, absolute.
    File(PathBuf),
}

/// The request `build.observe`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observe {
    /// Every image that is built, in any order.
    pub recipes: Vec<Recipe>,
    /// A directory that is the provider's own, kept between runs; for its cache of file times.
    pub cache: PathBuf,
}

/// The reply to `build.observe`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Images {
    /// One for each recipe.
    #[serde(deserialize_with = "or_empty")]
    pub images: Vec<ImageState>,
}

/// What is known of an image before it is built.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageState {
    /// The image's name in `Cloudpad.toml`.
    pub name: String,
    /// The full reference: the repository, and a tag made from all that goes into the build.
    pub reference: String,
    /// Whether it is already built.
    #[serde(default, deserialize_with = "or_empty")]
    pub built: bool,
    /// How much room it takes unpacked, in bytes, where it is built and that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// The request `build.run`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// All that goes into the image.
    pub recipe: Recipe,
    /// The reference that `build.observe` gave.
    pub reference: String,
    /// The references of the images that [`Arg::Image`] names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub bases: BTreeMap<String, String>,
    /// Other names for a new image: its repository, with the release that it is built for as the tag.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
}

/// The reply to `build.run`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Built {
    /// The engine's id of the image.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Whether it was there already.
    #[serde(default, deserialize_with = "or_empty")]
    pub cached: bool,
}
