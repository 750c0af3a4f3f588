//! Starts a plugin's process. I/O: processes, files.
//!
//! Where a file has to have a certain sum, a program is executed through the very file that was read for the
//! sum, so that nothing can be put in its place. An interpreter and a loader open the file by its name: there,
//! the name is looked at again right before the start, and must still lead to the unchanged file.

use std::ffi::{CString, OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::io::{self, PipeReader, PipeWriter, Read, Seek};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::{env, ptr};

use cloudpad_plugin_api::{Failure, FailureKind};

use super::find::Carrier;
use super::head::{self, Head};
use super::listener::Listener;
use super::session::Who;
use super::sum::Sum;
use crate::project::file;

/// How deep plugins have started Cloudpad, which has started plugins.
pub const DEPTH: &str = "CLOUDPAD_PLUGIN_DEPTH";

/// All that is needed to start a plugin.
#[derive(Clone, Debug)]
pub struct Launch {
    /// Who it is.
    pub who: Who,
    /// Its file, absolute.
    pub path: PathBuf,
    /// How it runs.
    pub carrier: Carrier,
    /// The sums that its file has to have, each with the failure where it has another; the failure's cause is
    /// filled in here.
    pub sums: Vec<(Sum, Failure)>,
    /// Where it is started: the project's folder.
    pub dir: PathBuf,
    /// The program that loads libraries: this one.
    pub loader: PathBuf,
    /// How deep in plugins this process is.
    pub depth: u32,
    /// How deep it may be.
    pub deepest: u32,
    /// Who hears what it writes to standard error.
    pub listener: Listener,
}

/// A plugin that runs.
pub struct Started {
    /// The leader of its own session and process group.
    pub child: Child,
    /// Its standard input.
    pub stdin: PipeWriter,
    /// Its standard output.
    pub stdout: PipeReader,
    /// Its standard error.
    pub stderr: PipeReader,
}

/// Starts a plugin in a session of its own: the terminal's signals do not reach it, and all that it starts
/// can be ended with it.
///
/// # Errors
/// `invalid`, saying what is wrong with the file and what to do.
pub fn start(launch: &Launch) -> Result<Started, Failure> {
    if launch.depth >= launch.deepest {
        return Err(Failure::invalid(format!(
            "{} is not started: plugins have started cloudpad {} times within each other (`{DEPTH}`)",
            launch.who, launch.depth
        ))
        .hint("a plugin that runs `cloudpad` must not lead back to itself"));
    }
    let cannot = |error: io::Error| {
        Failure::new(FailureKind::Invalid, format!("{} cannot be started: {error}", launch.who))
    };
    let head = head_of(&launch.path);
    let program = Program::of(launch, head.as_ref())?;
    let pipes = || Ok((io::pipe()?, io::pipe()?, io::pipe()?));
    let ((child_in, stdin), (stdout, child_out), (stderr, child_err)) = pipes().map_err(cannot)?;
    let exec = Exec::of_plugin(launch, program).map_err(cannot)?;
    let mut command = Command::new(&launch.path);
    command.current_dir(&launch.dir).stdin(child_in).stdout(child_out).stderr(child_err);
    // SAFETY: between fork and exec only `setsid` and the exec itself are called, which are
    // async-signal-safe, and nothing is allocated.
    unsafe {
        command.pre_exec(move || {
            rustix::process::setsid()?;
            Err(exec.run())
        });
    }
    let child = command.spawn().map_err(|error| not_started(launch, head.as_ref(), &error))?;
    Ok(Started { child, stdin, stdout, stderr })
}

/// Becomes the plugin as a command of its own: with these arguments, and with all that this process has.
///
/// # Errors
/// It comes back only with why it has not: `invalid`, saying what is wrong with the file and what to do.
pub fn become_command(launch: &Launch, arguments: &[OsString]) -> Failure {
    let head = head_of(&launch.path);
    let program = match Program::of(launch, head.as_ref()) {
        Ok(program) => program,
        Err(failure) => return failure,
    };
    let exec = match Exec::of_command(launch, program, arguments) {
        Ok(exec) => exec,
        Err(error) => return not_started(launch, head.as_ref(), &error),
    };
    let mut command = Command::new(&launch.path);
    // SAFETY: nothing is forked; the exec itself is all that happens, once the signals are as they were.
    unsafe { command.pre_exec(move || Err(exec.run())) };
    not_started(launch, head.as_ref(), &command.exec())
}

/// Compares the file with the sums that it has to have, and returns its sum.
///
/// # Errors
/// `invalid`, when it cannot be read or has another.
pub fn check(launch: &Launch) -> Result<Sum, Failure> {
    check_sums(launch).map(|(_, sum)| sum)
}

fn not_started(launch: &Launch, head: Option<&Head>, error: &io::Error) -> Failure {
    let head = if launch.carrier == Carrier::Library { None } else { head };
    let (why, hint) = Head::not_started(head, error);
    let failure = Failure::invalid(format!("{} cannot be started: {why}", launch.who));
    Failure { hint, ..failure }
}

/// What the file is; none where it may be executed and not read.
pub fn head_of(path: &Path) -> Option<Head> {
    let mut bytes = Vec::new();
    file::open(path).ok()?.take(head::LENGTH as u64).read_to_end(&mut bytes).ok()?;
    Some(Head::of(&bytes))
}

/// Opens the file and compares its sum with those that it has to have.
fn check_sums(launch: &Launch) -> Result<(File, Sum), Failure> {
    let path = launch.path.display();
    let unread =
        |error| Failure::invalid(format!("{} cannot be read to compare its sum: {error}", launch.who));
    let mut file = file::open(&launch.path).map_err(unread)?;
    let before = file.metadata().map_err(unread)?;
    let sum = Sum::of(&mut file).map_err(unread)?;
    for (expected, failure) in &launch.sums {
        if sum != *expected {
            return Err(failure.clone().cause(format!("expected {expected}")).cause(format!("found {sum}")));
        }
    }
    file.rewind().map_err(unread)?;
    let now = fs::metadata(&launch.path).map_err(unread)?;
    if same(&before, &now) {
        Ok((file, sum))
    } else {
        Err(Failure::invalid(format!("`{path}` was changed while its sum was made")).hint("try again"))
    }
}

/// Whether a file is the same, with the same content, as far as its file system can tell.
fn same(a: &Metadata, b: &Metadata) -> bool {
    let of = |meta: &Metadata| {
        (
            meta.dev(),
            meta.ino(),
            meta.size(),
            meta.mtime(),
            meta.mtime_nsec(),
            meta.ctime(),
            meta.ctime_nsec(),
        )
    };
    of(a) == of(b)
}

enum Program {
    Path,
    File(File),
}

impl Program {
    fn of(launch: &Launch, head: Option<&Head>) -> Result<Self, Failure> {
        let checked = if launch.sums.is_empty() { None } else { Some(check_sums(launch)?.0) };
        Ok(match (head, checked) {
            (Some(Head::Elf(_)), Some(file)) if launch.carrier == Carrier::Executable => Program::File(file),
            _ => Program::Path,
        })
    }
}

/// The arguments of an exec, made before the fork. The standard library's own exec would hand a file that is
/// no program to a shell.
struct Exec {
    program: Program,
    path: CString,
    arguments: Pointers,
    environment: Pointers,
}

/// Strings, and an array of pointers to them that ends with a null pointer.
struct Pointers {
    array: Vec<*const libc::c_char>,
    _strings: Vec<CString>,
}

// SAFETY: the pointers lead to the strings beside them, which never change.
unsafe impl Send for Pointers {}
// SAFETY: as above.
unsafe impl Sync for Pointers {}

impl Pointers {
    fn new(strings: Vec<CString>) -> Self {
        let array = strings.iter().map(|string| string.as_ptr()).chain([ptr::null()]).collect();
        Self { array, _strings: strings }
    }
}

impl Exec {
    /// A plugin that is spoken to.
    fn of_plugin(launch: &Launch, program: Program) -> io::Result<Self> {
        let plugin = launch.path.as_os_str();
        let (path, arguments) = match launch.carrier {
            Carrier::Library => {
                let loader = launch.loader.as_os_str();
                (loader, vec![c_string(loader)?, c_string(OsStr::new(super::HOST))?, c_string(plugin)?])
            }
            _ => (plugin, vec![c_string(plugin)?, c_string(OsStr::new("--cloudpad-plugin"))?]),
        };
        let depth = (launch.depth + 1).to_string();
        let ours = [(DEPTH.into(), depth.into()), ("PWD".into(), launch.dir.clone().into())];
        let variables = env::vars_os().filter(|(name, _)| name != DEPTH && name != "PWD");
        let variables = variables.chain(ours);
        Ok(Self {
            program,
            path: c_string(path)?,
            arguments: Pointers::new(arguments),
            environment: Pointers::new(variables.map(variable).collect::<io::Result<_>>()?),
        })
    }

    /// A plugin that is a command.
    fn of_command(launch: &Launch, program: Program, arguments: &[OsString]) -> io::Result<Self> {
        let path = launch.path.as_os_str();
        let all = std::iter::once(path).chain(arguments.iter().map(OsString::as_os_str));
        Ok(Self {
            program,
            path: c_string(path)?,
            arguments: Pointers::new(all.map(c_string).collect::<io::Result<_>>()?),
            environment: Pointers::new(env::vars_os().map(variable).collect::<io::Result<_>>()?),
        })
    }

    /// Becomes the plugin, or says why not.
    fn run(&self) -> io::Error {
        let (arguments, environment) = (self.arguments.array.as_ptr(), self.environment.array.as_ptr());
        // SAFETY: both arrays end with a null pointer, and their strings live as long as `self`.
        unsafe {
            match &self.program {
                Program::Path => libc::execve(self.path.as_ptr(), arguments, environment),
                Program::File(file) => libc::fexecve(file.as_raw_fd(), arguments, environment),
            }
        };
        io::Error::last_os_error()
    }
}

fn c_string(text: &OsStr) -> io::Result<CString> {
    Ok(CString::new(text.as_bytes())?)
}

fn variable((name, value): (OsString, OsString)) -> io::Result<CString> {
    let mut both = name.into_vec();
    both.push(b'=');
    both.extend_from_slice(value.as_bytes());
    Ok(CString::new(both)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_changed_or_replaced_is_another() {
        let dir = tempfile::tempdir().unwrap();
        let (path, other) = (dir.path().join("a"), dir.path().join("b"));
        let of = |path: &Path| fs::metadata(path).unwrap();
        fs::write(&path, "one").unwrap();
        let before = of(&path);
        assert!(same(&before, &of(&path)));
        fs::write(&other, "one").unwrap();
        fs::rename(&other, &path).unwrap();
        let replaced = of(&path);
        assert!(!same(&before, &replaced), "another file of that name");
        fs::write(&path, "longer").unwrap();
        assert!(!same(&replaced, &of(&path)), "another content");
    }
}
