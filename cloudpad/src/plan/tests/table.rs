//! Single decisions, each as a small case and the plan as text.

use insta::assert_snapshot;

use super::kit::*;

#[test]
fn a_first_deploy() {
    let mut case = case();
    assert_snapshot!(text(&case.deploy()), @"");
    assert_snapshot!(text(&case.plan()), @"");
}
