//! The provider on real engines. This machine's must run; those in `push`, `pull` and `remote` need `CLOUDPAD_LAB`, the state
//! directory of a lab that is up.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod checkup;
mod exec;
mod hung;
mod lab;
mod life;
mod lock;
mod proof;
mod proxy;
mod pull;
mod push;
mod ready;
mod record;
mod refuse;
mod remote;
mod route;
mod run;
mod streams;
mod world;
