//! Starter plugins in sh.

use crate::STAGES;
use crate::made::{Made, need};

#[test]
fn they_pass_their_tests() {
    need("jq --version", "jq");
    for stage in STAGES {
        let made = Made::new(stage, "sh");
        let said = made.run("./test.sh");
        assert!(said.ends_with("ok\n"), "{stage}: {said}");
        made.is_taken();
    }
}

#[test]
fn what_is_printed_and_read_by_mistake_is_not_the_stream() {
    need("jq --version", "jq");
    let made = Made::new("inventory", "sh");
    made.edit(
        "cloudpad-acme-inventory",
        "        only_keys hosts\n",
        "        echo oh; cat\n        only_keys hosts\n",
    );
    let said = made.run("./test.sh");
    assert!(said.starts_with("oh\n") && said.ends_with("ok\n"), "{said}");
}

#[test]
fn a_command_that_fails_is_the_end_of_its_call_only() {
    need("jq --version", "jq");
    let made = Made::new("push", "sh");
    made.edit("cloudpad-acme-push", "        not_written '`push.run`'", "        false\n        true");
    made.edit(
        "test.sh",
        r#"contains("not written yet")'"#,
        r#"contains("`push.run` of provider `acme` broke off")'
expect '.error.causes == ["a command ended with exit code 1"] and (.error.hint | contains("`set -x` into `method`"))'"#,
    );
    made.edit("test.sh", "exec 8>&-", "ask config.check\nexpect '.ok == {}'\nexec 8>&-");
    made.run("./test.sh");
}
