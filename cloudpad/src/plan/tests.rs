//! Tests of the planner: tables of single decisions, and properties of any plan.

mod doubtful;
mod hooks;
mod images;
mod jobs;
mod kit;
mod maintenance;
mod order;
mod props;
mod protected;
mod prune;
mod random;
mod record;
mod refused;
mod remove;
mod restart;
mod restore;
mod rollout;
mod room;
mod routes;
mod saved;
mod scale;
mod select;
mod sim;
mod start;
mod stop;
mod undo;
