//! From the text of `Cloudpad.toml` to a [`Config`], or to every [`Problem`] in it. Pure.
//!
//! The way of a file, each step a room: `tree` reads TOML and keeps the place of every value; `shape`
//! compares it, environments included, with the `keys` that there are, as typed; `overlay` lays the
//! chosen environment over it; `vars` replaces `${VAR}`; `read` turns the tables into values, as meant,
//! with the small languages of `grammar`; `check` judges what needs more than one value. [`render()`]
//! shows problems, [`show()`] a config.

mod check;
mod cut;
mod edit;
mod environments;
mod grammar;
mod hooks;
mod job;
mod keys;
mod load;
mod model;
mod nearest;
mod overlay;
mod problem;
mod read;
mod render;
mod secret;
mod section;
mod shape;
mod show;
mod tree;
mod vars;

pub use cut::remove_host;
pub use edit::add_host;
pub use environments::{environments, names_inventory};
pub(crate) use grammar::host::check as check_host;
pub(crate) use grammar::name::is_provider as is_provider_name;
pub(crate) use grammar::network::machine;
pub(crate) use grammar::unit::millis;
pub(crate) use grammar::unit::some_millis as duration;
pub use hooks::{HookPoint, Hooks};
pub use job::{Job, JobOf, RunOn, When};
pub use load::{Input, load};
pub use model::*;
pub(crate) use nearest::find as nearest;
pub(crate) use nearest::offer;
pub use problem::{Place, Problem};
pub use render::{Position, position, render};
pub use secret::{Need, Secret};
pub use show::{show, show_json};
