//! A context of 2 GiB, and one of 20,000 files, built in under 100 MB of resident memory. It is a program of
//! its own, since the peak is that of a whole process.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may end at once, and this one reports")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use cloudpad_docker::Docker;
use cloudpad_plugin_api::stage::build::{Build, Observe, Recipe, Run};
use cloudpad_plugin_api::stage::source::Resolved;
use cloudpad_plugin_api::{Cancel, Context};

/// In bytes.
const CONTEXT: u64 = 2 << 30;

/// In KiB.
const LIMIT: u64 = 100 * 1000 * 1000 / 1024;

fn main() {
    let dir = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| std::fs::write(dir.path().join(path), text).unwrap();
    write("Dockerfile", "FROM scratch\nCOPY small /\n");
    write("small", "");
    for at in 0..20_000 {
        let sub = dir.path().join(format!("many/{}", at / 1000));
        if at % 1000 == 0 {
            std::fs::create_dir_all(&sub).unwrap();
        }
        std::fs::write(sub.join(format!("file-with-a-name-of-some-length-{at}")), "").unwrap();
    }
    // A hole takes no room here; it is read and sent like any other content.
    std::fs::File::create(dir.path().join("large")).unwrap().set_len(CONTEXT).unwrap();

    let began = std::time::Instant::now();
    build(dir.path());
    let peak = peak();
    println!("built a context of 2 GiB and 20,000 files in {:?} with at most {peak} KiB", began.elapsed());
    forget_upload();
    assert!(peak < LIMIT, "{peak} KiB were resident, which is more than {LIMIT}");
}

fn build(path: &Path) {
    let repository = format!("cloudpad-test/memory-{}", std::process::id());
    let source =
        Resolved { name: ".".into(), revision: None, dirty: false, path: path.to_owned(), pinned: false };
    let recipe = Recipe {
        name: "memory".into(),
        repository,
        source,
        prepare: Vec::new(),
        context: ".".into(),
        dockerfile: "Dockerfile".into(),
        target: None,
        args: BTreeMap::new(),
        variables: BTreeMap::new(),
        runit: BTreeMap::new(),
        platforms: vec![],
        secrets: BTreeMap::new(),
        ssh: false,
        labels: BTreeMap::new(),
        cache_from: vec![],
        cache_to: None,
    };
    let cx = Context::new(serde_json::Value::Null, Arc::new(|_| ()), Cancel::new());
    let docker = Docker::default();
    let cache = tempfile::tempdir().unwrap();
    let began = std::time::Instant::now();
    let request = Observe { recipes: vec![recipe.clone()], cache: cache.path().to_owned() };
    let reference = docker.observe(&cx, &request).unwrap().images.remove(0).reference;
    println!("observed in {:?} with at most {} KiB", began.elapsed(), peak());
    let built = docker
        .run(&cx, &Run { recipe, reference: reference.clone(), bases: BTreeMap::new(), also: Vec::new() });
    assert!(!built.unwrap().cached);
    assert!(Command::new("docker").args(["rmi", &reference]).output().unwrap().status.success());
}

/// The most that was resident so far, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Gives the engine its 2 GiB back. BuildKit keeps what it was sent, and knows it by its size.
fn forget_upload() {
    let list =
        Command::new("docker").args(["system", "df", "-v", "--format", "{{json .BuildCache}}"]).output();
    let records: Vec<serde_json::Value> = serde_json::from_slice(&list.unwrap().stdout).unwrap();
    let is_ours = |record: &&serde_json::Value| {
        record["CacheType"] == "source.local"
            && record["Size"].as_str().is_some_and(|size| size.starts_with("2.1"))
    };
    for record in records.iter().filter(is_ours) {
        let filter = format!("id={}", record["ID"].as_str().unwrap());
        Command::new("docker").args(["builder", "prune", "-f", "--filter", &filter]).output().unwrap();
    }
}
