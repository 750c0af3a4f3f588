//! From the text of `Cloudpad.toml` to a [`Config`], or to every [`Problem`] in it. Pure.

mod model;
mod problem;

pub use model::*;
pub use problem::{Place, Problem};
