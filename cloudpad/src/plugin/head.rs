//! What a file is by its first bytes, and why the system does not run it. Pure.

use std::io::{Error, ErrorKind};

/// How much of a file [`Head::of`] looks at, in bytes.
pub const LENGTH: usize = 256;

/// What a file is.
#[derive(Debug, PartialEq, Eq)]
pub enum Head {
    /// A script, and the program that is to run it.
    Script(String),
    /// An ELF program or library, for a machine of this number.
    Elf(Option<u16>),
    /// Neither.
    Other,
}

impl Head {
    /// What a file that begins like this is.
    pub fn of(bytes: &[u8]) -> Self {
        if let Some(line) = bytes.strip_prefix(b"#!") {
            let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
            let line = String::from_utf8_lossy(line);
            let line = line.trim_matches([' ', '\t']);
            return Head::Script(line.split([' ', '\t']).next().unwrap_or_default().to_owned());
        }
        if !bytes.starts_with(b"\x7fELF") {
            return Head::Other;
        }
        let machine = match (bytes.get(5), bytes.get(18..20)) {
            (Some(1), Some(&[low, high])) | (Some(2), Some(&[high, low])) => {
                Some(u16::from_be_bytes([high, low]))
            }
            _ => None,
        };
        Head::Elf(machine)
    }

    /// Whether it runs on every platform.
    pub fn is_script(&self) -> bool {
        matches!(self, Head::Script(_))
    }

    /// Why the system did not start it, and what to do about it. `None` where the file could not be read.
    pub fn not_started(head: Option<&Head>, error: &Error) -> (String, Option<String>) {
        let interpreter = match head {
            Some(Head::Script(interpreter)) => Some(interpreter.as_str()),
            _ => None,
        };
        match (error.kind(), interpreter, head) {
            (ErrorKind::NotFound, Some(program), _) if program.ends_with('\r') => (
                "its first line ends with a carriage return, which the system takes for a part of the \
                 interpreter's name"
                    .into(),
                Some("save it with the line ends of Unix".into()),
            ),
            (ErrorKind::NotFound, Some(program), _) => (
                format!("`{program}`, which its first line names, is not there"),
                Some(format!("install it, or begin the file with `#!/usr/bin/env {}`", base(program))),
            ),
            (ErrorKind::NotFound, None, Some(Head::Elf(_))) => (
                "the loader that it was linked for is not there".into(),
                Some("it was built for another system, as musl's or glibc's; build it for this one".into()),
            ),
            (ErrorKind::PermissionDenied, Some(program), _) => (
                format!("it or `{program}`, which its first line names, may not be executed"),
                Some("look at their modes, and whether their file systems are mounted `noexec`".into()),
            ),
            (ErrorKind::PermissionDenied, None, _) => (
                "it may not be executed".into(),
                Some("look at its mode, and whether its file system is mounted `noexec`".into()),
            ),
            (ErrorKind::ExecutableFileBusy, ..) => {
                ("somebody is still writing to it".into(), Some("try again once it is written".into()))
            }
            _ if error.raw_os_error() == Some(libc::ENOEXEC) => not_a_program(head),
            _ => (error.to_string(), None),
        }
    }
}

fn not_a_program(head: Option<&Head>) -> (String, Option<String>) {
    match head {
        Some(Head::Elf(Some(other))) if *other != MACHINE && MACHINE != 0 => (
            format!("it is a program for {}, and this machine is {}", machine(*other), machine(MACHINE)),
            Some("build or fetch it for this machine".into()),
        ),
        Some(Head::Elf(_)) => ("it is a damaged or incomplete program".into(), Some("fetch it again".into())),
        _ => (
            "it is neither a program nor a script".into(),
            Some("a script begins with the line `#!/bin/sh` or another interpreter's".into()),
        ),
    }
}

fn base(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

/// This machine's number in ELF files; 0 where we do not know it.
const MACHINE: u16 = if cfg!(target_arch = "x86_64") {
    62
} else if cfg!(target_arch = "aarch64") {
    183
} else if cfg!(target_arch = "riscv64") {
    243
} else {
    0
};

fn machine(number: u16) -> String {
    let known = [(3, "x86"), (20, "ppc"), (21, "ppc64"), (22, "s390"), (40, "arm"), (62, "x86_64")];
    let more = [(183, "aarch64"), (243, "riscv"), (258, "loongarch")];
    let name = known.iter().chain(&more).find(|(known, _)| *known == number);
    name.map_or_else(|| format!("another machine (ELF number {number})"), |(_, name)| format!("`{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elf(machine: u8) -> Vec<u8> {
        let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
        bytes.resize(20, 0);
        bytes[18] = machine;
        bytes
    }

    #[test]
    fn files_by_their_first_bytes() {
        let script = |program: &str| Head::Script(program.to_owned());
        let cases: [(&[u8], Head); 9] = [
            (b"#!/bin/sh\necho", script("/bin/sh")),
            (b"#! /usr/bin/env  python3 -u\n", script("/usr/bin/env")),
            (b"#!/bin/sh\r\n", script("/bin/sh\r")),
            (b"#!", script("")),
            (&elf(62), Head::Elf(Some(62))),
            (b"\x7fELF\x02\x02\x01\0\0\0\0\0\0\0\0\0\0\0\0\x16", Head::Elf(Some(22))),
            (b"\x7fELF", Head::Elf(None)),
            (b"echo hello", Head::Other),
            (b"", Head::Other),
        ];
        for (bytes, expected) in cases {
            assert_eq!(Head::of(bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn reasons_say_what_is_wrong() {
        let cases: [(&[u8], i32, &str); 11] = [
            (b"#!/no/python9\n", libc::ENOENT, "`/no/python9`, which its first line names, is not there"),
            (b"#!/bin/sh\r\n", libc::ENOENT, "its first line ends with a carriage return"),
            (&elf(62), libc::ENOENT, "the loader that it was linked for is not there"),
            (b"#!/etc/passwd\n", libc::EACCES, "it or `/etc/passwd`, which its first line names"),
            (&elf(62), libc::EACCES, "it may not be executed"),
            (&elf(62), libc::ETXTBSY, "somebody is still writing to it"),
            (
                &elf(8),
                libc::ENOEXEC,
                "it is a program for another machine (ELF number 8), and this machine is `",
            ),
            (b"\x7fELF", libc::ENOEXEC, "it is a damaged or incomplete program"),
            (b"echo hello", libc::ENOEXEC, "it is neither a program nor a script"),
            (b"", libc::ENOEXEC, "it is neither a program nor a script"),
            (b"", libc::ENOMEM, "Cannot allocate memory"),
        ];
        for (bytes, error, expected) in cases {
            let (why, _) = Head::not_started(Some(&Head::of(bytes)), &Error::from_raw_os_error(error));
            assert!(why.starts_with(expected), "{expected}: {why}");
        }
    }
}
