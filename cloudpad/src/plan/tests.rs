//! Tests of the planner: tables of single decisions, and properties of any plan.

mod kit;
mod props;
mod random;
mod saved;
mod sim;
mod table;
mod undo;
