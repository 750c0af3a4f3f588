//! What the tests stand on: the lab, projects of their own, and what can be seen of them from outside.

mod between;
pub mod breakable;
mod broken;
mod containers;
mod following;
mod http;
mod lab;
mod line;
mod outcome;
mod project;
mod running;
mod tty;
mod watch;

pub use between::{At, Between, Carrier, Death, ends};
pub use broken::Broken;
pub use containers::Container;
pub use following::Following;
pub use http::{Answer, get};
pub use lab::{Host, Lab, docker};
pub use line::Line;
pub use outcome::Outcome;
pub use project::{Project, WEB, noise};
pub use running::Running;
pub use tty::{attend, signal, talk};
pub use watch::Watch;
