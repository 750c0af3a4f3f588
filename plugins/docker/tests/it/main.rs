//! The provider against this machine's engine. Every image is made from a busybox that the tests bring.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may end at once")]

mod build;
mod classic;
mod failing;
mod made;
mod observe;
mod secrets;
mod support;
