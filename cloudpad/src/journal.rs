//! The journal: one file per run, its events as JSON lines. I/O: files.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::report::Event;

/// How many runs are kept.
const KEPT: usize = 100;

/// The file that a run's events go to. Once it cannot be written any more nothing is added, since a full disk here must
/// not stop what happens elsewhere.
pub struct Journal {
    /// It is locked for as long as the run goes on, whatever ends that.
    file: Option<File>,
}

/// A journal that was found.
pub struct Found {
    /// Its file.
    pub file: PathBuf,
    /// What stands in it, or why that cannot be read.
    pub text: io::Result<String>,
    /// Whether its run goes on.
    pub under_way: bool,
}

impl Journal {
    /// Opens the journal of a run that begins at `time`, below `state_dir`, and removes the oldest of more than a hundred.
    ///
    /// # Errors
    /// When there can be no such file.
    pub fn open(state_dir: &Path, time: &str, command: &str) -> io::Result<Self> {
        let dir = state_dir.join("journal");
        fs::create_dir_all(&dir)?;
        let file = create(&dir, &format!("{time}-{}", command.replace(' ', "-")))?;
        // A file system without locks has all runs that were broken off and those under way look alike.
        let _ = file.lock();
        prune(&dir);
        Ok(Self { file: Some(file) })
    }

    /// A journal that keeps nothing, for commands that change nothing.
    pub fn none() -> Self {
        Self { file: None }
    }

    /// Adds an event.
    ///
    /// # Errors
    /// When it cannot be written. That is told once: the journal ends there.
    pub fn add(&mut self, event: &Event) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let line = serde_json::to_string(event)? + "\n";
        let written = file.write_all(line.as_bytes());
        if written.is_err() {
            self.file = None;
        }
        written
    }
}

/// A file of that name, or where the same second has had one already, of that name and a number.
fn create(dir: &Path, name: &str) -> io::Result<File> {
    let mut number = 1;
    loop {
        let number_part = if number == 1 { String::new() } else { format!(".{number}") };
        let file = dir.join(format!("{name}{number_part}.jsonl"));
        match File::options().create_new(true).append(true).mode(0o600).open(file) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
            made => return made,
        }
    }
}

/// The journals below `state_dir`, the oldest first, with those lines that `keep` is for.
pub fn found(state_dir: &Path, keep: fn(&str) -> bool) -> Vec<Found> {
    let journals = files(&state_dir.join("journal")).into_iter();
    let is_one = |file: &PathBuf| file.extension().is_some_and(|extension| extension == "jsonl");
    journals.filter(is_one).map(|file| read(file, keep)).collect()
}

fn read(path: PathBuf, keep: fn(&str) -> bool) -> Found {
    let read = |mut file: File| {
        // Asked before it is read: a run that ends in between has its end in the text.
        let under_way = matches!(file.try_lock_shared(), Err(fs::TryLockError::WouldBlock));
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        // What was cut off may end within a letter.
        let text = String::from_utf8_lossy(&bytes);
        Ok((text.split_inclusive('\n').filter(|line| keep(line)).collect(), under_way))
    };
    // A pipe would be waited for.
    let open = |path| match fs::metadata(path)?.is_file() {
        true => File::open(path),
        false => Err(io::Error::other("it is no file")),
    };
    match open(&path).and_then(read) {
        Ok((text, under_way)) => Found { file: path, text: Ok(text), under_way },
        Err(error) => Found { file: path, text: Err(error), under_way: false },
    }
}

/// What is in a directory, sorted: names begin with the time.
fn files(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    files
}

fn prune(dir: &Path) {
    let files = files(dir);
    let surplus = files.len().saturating_sub(KEPT);
    for file in &files[..surplus] {
        let _ = fs::remove_file(file);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Phase;

    #[test]
    fn a_run_is_a_file_of_lines_and_the_oldest_runs_go() {
        let dir = tempfile::tempdir().unwrap();
        for run in 0..103 {
            let mut journal = Journal::open(dir.path(), &format!("20260101T{run:06}Z"), "deploy").unwrap();
            journal.add(&Event::Phase { phase: Phase::Apply, actions: run, notes: Vec::new() }).unwrap();
        }
        let mut names: Vec<_> = fs::read_dir(dir.path().join("journal"))
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!((names.len(), names[0].as_str()), (100, "20260101T000003Z-deploy.jsonl"));
        let text = fs::read_to_string(dir.path().join("journal").join(&names[99])).unwrap();
        assert_eq!(text, "{\"event\":\"phase\",\"phase\":\"apply\",\"actions\":102}\n");
    }

    #[test]
    fn each_run_has_a_file_of_its_own_and_is_known_to_go_on_until_it_ends() {
        let dir = tempfile::tempdir().unwrap();
        let open = || Journal::open(dir.path(), "20260101T000000Z", "deploy").unwrap();
        let (mut first, second) = (open(), open());
        first.add(&Event::Phase { phase: Phase::Apply, actions: 1, notes: Vec::new() }).unwrap();
        drop(first);
        let told = |found: Found| {
            let name = found.file.file_name().unwrap().to_string_lossy().into_owned();
            (name, found.text.unwrap().lines().count(), found.under_way)
        };
        let all = || found(dir.path(), |_| true).into_iter().map(told).collect::<Vec<_>>();
        let row = |name: &str, lines, under_way| (format!("20260101T000000Z-{name}"), lines, under_way);
        // A program that another test is starting has our files, and their locks, for a moment.
        let becomes = |expected: &[_]| {
            (0..10_000).any(|_| {
                all() == *expected || {
                    std::thread::yield_now();
                    false
                }
            })
        };
        let expected = [row("deploy.2.jsonl", 0, true), row("deploy.jsonl", 1, false)];
        assert!(becomes(&expected), "{:?}", all());
        drop(second);
        let expected = [row("deploy.2.jsonl", 0, false), row("deploy.jsonl", 1, false)];
        assert!(becomes(&expected), "{:?}", all());
        let texts =
            found(dir.path(), |line| line.contains("undo")).into_iter().map(|found| found.text.unwrap());
        assert!(texts.eq(["", ""]), "only what is asked for");
    }

    #[test]
    fn what_cannot_be_written_is_told_once_and_what_is_no_file_is_not_waited_for() {
        let full = File::options().append(true).open("/dev/full").unwrap();
        let mut journal = Journal { file: Some(full) };
        let event = Event::Phase { phase: Phase::Apply, actions: 1, notes: Vec::new() };
        assert_eq!(journal.add(&event).unwrap_err().kind(), ErrorKind::StorageFull);
        journal.add(&event).unwrap();
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("journal"), "").unwrap();
        assert!(Journal::open(dir.path(), "20260101T000000Z", "deploy").is_err());
        let pipe = dir.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        assert_eq!(read(pipe, |_| true).text.unwrap_err().to_string(), "it is no file");
    }
}
