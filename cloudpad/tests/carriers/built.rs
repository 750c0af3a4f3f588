//! Where the plugins are that are compiled: by `cargo test`, and by this suite. I/O: files, the C compiler.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use cloudpad::plugin::find::Carrier;
use cloudpad::plugin::session::Who;
use cloudpad::plugin::start::Launch;

/// A file of this suite.
pub fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/carriers").join(name)
}

/// A file that `cargo test --workspace` has made, below the folder with all that it makes.
pub fn made(name: &str) -> PathBuf {
    let program = std::env::current_exe().unwrap();
    let path = program.ancestors().nth(2).unwrap().join(name);
    assert!(
        path.exists(),
        "`cargo test --workspace --no-run` makes `{}`, but not with `--test`",
        path.display()
    );
    path
}

/// The file name of a library.
pub fn library(name: &str) -> String {
    format!("{DLL_PREFIX}{name}{DLL_SUFFIX}")
}

/// A library made of a C source of this suite, with the headers that are in `include`.
pub fn c(source: &str, include: &Path, name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(library(name));
    let mut cc = Command::new("cc");
    cc.args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC", "-I"]).arg(include);
    // Another run of this suite may load it just now: a file takes the other's place.
    let fresh = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let fresh = fresh.path().join("library");
    cc.arg("-o").arg(&fresh).arg(here(source)).arg("-lcjson");
    let built = cc.status().expect("these tests need a C compiler, `cc`");
    assert!(built.success(), "these tests need libcjson-dev, which `cargo xtask lab up` installs: {cc:?}");
    std::fs::rename(&fresh, &path).unwrap();
    path
}

/// `same.c`, compiled once.
pub fn same_c() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugin-api/include");
    BUILT.get_or_init(|| c("same.c", &include, "cloudpad_same"))
}

/// How the host starts a plugin for the project in `dir`.
pub fn launch(name: &str, path: &Path, dir: &Path) -> Launch {
    let is_library = path.extension().is_some_and(|ending| DLL_SUFFIX.ends_with(&*ending.to_string_lossy()));
    Launch {
        who: Who { name: name.to_owned(), path: path.display().to_string() },
        path: path.to_owned(),
        carrier: if is_library { Carrier::Library } else { Carrier::Executable },
        sums: Vec::new(),
        dir: dir.to_owned(),
        loader: env!("CARGO_BIN_EXE_cloudpad").into(),
        depth: 0,
        deepest: 4,
        listener: Default::default(),
    }
}
