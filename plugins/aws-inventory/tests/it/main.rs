//! The plugin's program, with the real aws tool, against moto's server as a double of EC2.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod cancel;
mod listing;
mod moto;
mod refused;
mod support;
