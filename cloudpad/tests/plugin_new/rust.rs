//! Starter plugins in Rust: one workspace of all, so that what they share is built once.

use std::path::Path;

use crate::STAGES;
use crate::made::{config, is_taken, make, run};

#[test]
fn they_pass_their_tests() {
    let cloudpad = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("it is in the workspace");
    let folder = tempfile::tempdir().expect("no temporary folder");
    for stage in STAGES {
        make(folder.path(), "acme", stage, "rust");
    }
    // Their dependency is a checkout of Cloudpad beside them. With its versions nothing has to be fetched.
    std::os::unix::fs::symlink(cloudpad, folder.path().join("cloudpad")).expect("a link");
    std::fs::copy(cloudpad.join("Cargo.lock"), folder.path().join("Cargo.lock")).expect("a lock");
    let workspace =
        "[workspace]\nresolver = \"3\"\nmembers = [\"cloudpad-acme-*\"]\nexclude = [\"cloudpad\"]\n";
    std::fs::write(folder.path().join("Cargo.toml"), workspace).expect("a workspace");
    let sources = "cloudpad-acme-*/src/*.rs cloudpad-acme-*/tests/*.rs";
    run(folder.path(), &format!("rustfmt --check --edition 2024 {sources}"));
    // Kept between runs, so that only what was made is built anew.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugin-new");
    let flags = "--offline --workspace --test plugin --config profile.dev.debug=false";
    let said = run(folder.path(), &format!("cargo test {flags} --target-dir '{}'", target.display()));
    assert_eq!(said.matches("test result: ok. ").count(), STAGES.len(), "{said}");
    for stage in STAGES {
        let name = format!("cloudpad-acme-{stage}");
        let config = config(&folder.path().join(&name));
        let library = format!("deps/lib{}.so", name.replace('-', "_"));
        for file in [&name, &library] {
            let built = target.join("debug").join(file);
            let path = format!("{name}/target/release/{name}");
            is_taken(folder.path(), &config.replace(&path, &built.to_string_lossy()));
        }
    }
}
