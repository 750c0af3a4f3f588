//! The decision: from what is wanted and what was seen to a graph of actions. Pure.

mod model;

pub use model::*;
