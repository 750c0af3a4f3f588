//! Cloudpad: from source control to running containers on every host.
//!
//! The rooms, in the order in which data flows through them:
//!
//! - [`cmd`] is the command line: one file per command.
//! - [`project`] finds and reads the project's files. I/O.
//! - [`config`] turns the text of `Cloudpad.toml` into a [`config::Config`], or into problems. Pure.
//! - [`dockerfiles`] looks whether those that a config names are there. I/O.
//! - [`init`] makes a first `Cloudpad.toml`. Pure.
//! - [`starter`] makes a plugin to begin with. Pure.
//! - [`inventory`] says which hosts there are and which of them are meant. Pure.
//! - [`plugin`] finds providers and calls them. I/O.
//! - [`conformance`] checks a plugin. I/O, through `plugin`.
//! - [`lock`] keeps two deploys of one project apart. I/O, through `run`.
//! - [`look`] finds out what is so. I/O, through `run`.
//! - [`instances`] says which containers a word means. Pure.
//! - [`one_offs`] says what a one-off container is of. Pure.
//! - [`attach`] joins the streams of a process on a host with our own. I/O.
//! - [`everywhere`] asks something of several hosts at once. I/O.
//! - [`again`] makes calls again when a connection was lost. I/O.
//! - [`tail`] reads what containers print, [`happening`] what happens to them. I/O, through `plugin`.
//! - [`interleave`] puts that into the order of time. Pure.
//! - [`manifest`] is what an inventory has listed last. Pure.
//! - [`observed`] holds what was seen, or why nothing was. Pure.
//! - [`plan`](mod@plan) decides what is to be done. Pure.
//! - [`departed`] says which hosts a project has left. Pure.
//! - [`scratch`] is a private file for an editor. I/O.
//! - [`doctor`] says what is wrong. Pure, but for its look at this machine.
//! - [`provision`] says what makes a bare machine a host. Pure, but for its look.
//! - [`rollout`] has a plan carried out, and answers its failure with another. I/O, through `run`.
//! - [`run`] carries plans out. I/O.
//! - [`hooks`] runs local commands before and after that. I/O.
//! - [`report`] sums up what happens. Pure.
//! - [`words`], [`listing`], [`releases`], [`history`] and [`catalogue`] say it in words. Pure.
//! - [`journal`] keeps it, [`term`] shows it. I/O.
//! - [`refusal`] is why nothing was done. Pure.

pub mod again;
pub mod attach;
pub mod catalogue;
pub mod cmd;
pub mod config;
pub mod conformance;
pub mod departed;
pub mod dockerfiles;
pub mod doctor;
pub mod everywhere;
pub mod happening;
pub mod history;
pub mod hooks;
pub mod init;
pub mod instances;
pub mod interleave;
pub mod inventory;
pub mod journal;
pub mod listing;
pub mod lock;
pub mod look;
pub mod manifest;
pub mod observed;
pub mod one_offs;
pub mod plan;
pub mod plugin;
pub mod project;
pub mod provision;
pub mod refusal;
pub mod releases;
pub mod report;
pub mod rollout;
pub mod run;
pub mod scratch;
pub mod starter;
pub mod tail;
pub mod term;
pub mod words;
