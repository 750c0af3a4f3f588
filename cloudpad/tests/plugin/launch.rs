//! Files that cannot be started, or may not be.

use std::fs;

use cloudpad::plugin::start::DEPTH;
use cloudpad::plugin::sum::Sum;
use cloudpad_plugin_api::Failure;

use super::kit::{Bench, text};

fn program(bench: &Bench) -> Vec<u8> {
    let source = bench.file("x.c", b"#include <stdio.h>\n#include <sys/auxv.h>\nint main(void) { char l[9999]; printf(HELLO, (char *)getauxval(AT_EXECFN)); fflush(stdout); while (fgets(l, 9999, stdin)); return 0; }");
    // Its name is how it was executed.
    let hello = super::kit::hello().replace(r#""name":"x""#, r#""name":"%s""#) + "\n";
    let hello = format!("-DHELLO={hello:?}");
    let built = bench.dir().join("built");
    let status =
        std::process::Command::new("cc").arg(hello).arg("-o").arg(&built).arg(source).status().unwrap();
    assert!(status.success());
    fs::read(built).unwrap()
}

#[test]
fn what_the_system_does_not_start() {
    let bench = Bench::new();
    let mut foreign = program(&bench);
    foreign[18] = 8;
    let cases: [(&[u8], &str); 7] = [
        (
            b"#!/no/such/python9\n",
            "`/no/such/python9`, which its first line names, is not there\n  hint: install it",
        ),
        (
            b"#!/bin/sh\r\necho\r\n",
            "its first line ends with a carriage return, which the system takes for a part of the interpreter's name\n  hint: save it with the line ends of Unix",
        ),
        (
            b"echo hello\n",
            "it is neither a program nor a script\n  hint: a script begins with the line `#!/bin/sh`",
        ),
        (b"", "it is neither a program nor a script"),
        (&foreign, "it is a program for another machine (ELF number 8), and this machine is `"),
        (&foreign[..40], "it is a program for another machine (ELF number 8)"),
        (b"#!/etc/passwd\n", "it or `/etc/passwd`, which its first line names, may not be executed"),
    ];
    for (content, expected) in cases {
        let said = bench.refused(&bench.file("cloudpad-x", content));
        let who = format!("plugin `x` (`{}/cloudpad-x`) cannot be started: ", bench.dir().display());
        assert!(said.starts_with(&format!("{who}{expected}")), "{said}");
    }
    let cut = program(&bench)[..200].to_vec();
    let said = bench.refused(&bench.file("cloudpad-x", &cut));
    assert!(
        said.contains("it is a damaged or incomplete program") || said.contains("was killed by signal"),
        "{said}"
    );
    let said = bench.refused(&bench.dir().join("none"));
    assert!(said.contains("cannot be started: No such file or directory"), "{said}");
}

fn sums(of: &[u8]) -> Vec<(Sum, Failure)> {
    let other = Failure::invalid("it is another file").hint("type this");
    vec![(Sum::of(&mut &*of).unwrap(), other)]
}

#[test]
fn a_file_has_to_have_its_sum() {
    let bench = Bench::new();
    let script = bench.sh("hello; next");
    let program = bench.file("program", &program(&bench));
    // What is executed by its name, and what through the file that was read.
    for (path, name) in [(script, "x"), (program, "/dev/fd/")] {
        let content = fs::read(&path).unwrap();
        let launch = |sums| cloudpad::plugin::start::Launch { sums, ..bench.launch(&path) };
        let start = |launch| {
            cloudpad::plugin::session::Session::start(
                &launch,
                bench.limits,
                Default::default(),
                &Default::default(),
            )
        };
        let session = start(launch(sums(&content))).unwrap_or_else(|failure| panic!("{}", text(&failure)));
        assert!(session.hello.name.starts_with(name), "{}", session.hello.name);
        let said = text(&start(launch(sums(b"other"))).err().unwrap());
        let (expected, found) = (Sum::of(&mut &b"other"[..]).unwrap(), Sum::of(&mut &*content).unwrap());
        assert_eq!(
            said,
            format!("it is another file\n    expected {expected}\n    found {found}\n  hint: type this")
        );
    }
}

#[test]
fn plugins_within_plugins_come_to_an_end() {
    let mut bench = Bench::new();
    let path = bench.sh(&format!("[ \"${DEPTH}\" = 4 ] && hello; next"));
    bench.depth = 3;
    bench.open(&path);
    bench.depth = 4;
    let said = bench.refused(&path);
    assert!(
        said.contains("is not started: plugins have started cloudpad 4 times within each other"),
        "{said}"
    );
}

#[test]
fn a_plugin_is_started_as_such_in_the_callers_environment() {
    let bench = Bench::new();
    let session = bench.open(&bench.sh("[ \"$*\" = --cloudpad-plugin ] && [ -n \"$PATH\" ] && hello; next"));
    assert_eq!(session.hello.name, "x");
}

#[test]
fn a_plugin_is_started_in_the_projects_folder() {
    let bench = Bench::new();
    let folder = bench.dir().join("project");
    fs::create_dir(&folder).unwrap();
    let here = format!("[ \"$(pwd -P)\" = {0} ] && [ \"$PWD\" = {0} ] && hello; next", folder.display());
    let launch = cloudpad::plugin::start::Launch { dir: folder, ..bench.launch(&bench.sh(&here)) };
    let start = cloudpad::plugin::session::Session::start;
    start(&launch, bench.limits, Default::default(), &Default::default())
        .unwrap_or_else(|failure| panic!("{failure}"));
}
