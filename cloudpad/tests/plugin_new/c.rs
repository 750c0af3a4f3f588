//! Starter plugins in C.

use crate::STAGES;
use crate::made::{Made, need};

#[test]
fn they_pass_their_tests() {
    need("cc --version && make --version", "build-essential");
    need("echo '#include <cjson/cJSON.h>' | cc -E - -o /dev/null", "libcjson-dev");
    for stage in STAGES {
        let made = Made::new(stage, "c");
        let said = made.run("make test CFLAGS='-O1 -Werror -fsanitize=address,undefined'");
        assert!(said.trim_end().ends_with("answers, ended with 0"), "{stage}: {said}");
        // As its README says: what was built above needs the sanitizers' own libraries.
        made.run("make clean && make");
        made.is_taken();
    }
}

#[test]
fn a_host_that_it_cannot_speak_to_is_told_so() {
    let made = Made::new("push", "c");
    made.edit("test.c", ".size = sizeof host,", ".size = sizeof host - 1,");
    made.edit("test.c", "    return ended;\n", "    return ended == CLOUDPAD_NOT_UNDERSTOOD ? 0 : 1;\n");
    made.run("make test");
}

#[test]
fn a_tag_is_made_from_the_files_of_the_build() {
    let made = Made::new("build", "c");
    made.edit("test.c", "    expected = NULL;\n    answered++;\n", "    puts(line);\n    expected = NULL;\n");
    let tag = || {
        let said = made.run("make test");
        let tag = said.split("shop.web:").nth(1).and_then(|rest| rest.split('\'').next());
        tag.unwrap_or_else(|| panic!("no tag in {said}")).to_owned()
    };
    let first = tag();
    assert_eq!(tag(), first);
    made.run("mkdir .git && echo one >.git/file");
    assert_eq!(tag(), first);
    made.run("echo one >file");
    let second = tag();
    assert_ne!(second, first);
    made.run("echo two >file");
    assert_ne!(tag(), second);
}
