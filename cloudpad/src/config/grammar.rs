//! The small languages that strings of the file are written in. Each parser is a function from the
//! string to a value or to a [`Problem`](super::Problem) without a place. Pure.

pub(super) mod host;
pub(super) mod image;
pub(super) mod name;
pub(super) mod network;
pub(super) mod path;
pub(super) mod request;
pub(super) mod signal;
pub(super) mod unit;
pub(super) mod volume;
