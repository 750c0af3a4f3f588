//! The journal: one file per run, its events as JSON lines. I/O: files.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::report::Event;

/// How many runs are kept.
const KEPT: usize = 100;

/// The file that a run's events go to. What cannot be written is dropped, since a full disk here must
/// not stop what happens elsewhere.
pub struct Journal {
    file: Option<File>,
}

impl Journal {
    /// Opens the journal of a run that begins at `time`, below `state_dir`, and removes the oldest of more than a hundred.
    pub fn open(state_dir: &Path, time: &str, command: &str) -> Self {
        let dir = state_dir.join("journal");
        let file = fs::create_dir_all(&dir).and_then(|()| {
            File::options()
                .create(true)
                .append(true)
                .mode(0o600)
                .open(dir.join(format!("{time}-{command}.jsonl")))
        });
        prune(&dir);
        Self { file: file.ok() }
    }

    /// A journal that keeps nothing, for commands that change nothing.
    pub fn none() -> Self {
        Self { file: None }
    }

    /// Adds an event.
    pub fn add(&mut self, event: &Event) {
        if let (Some(file), Ok(line)) = (&mut self.file, serde_json::to_string(event)) {
            let _ = writeln!(file, "{line}");
        }
    }
}

fn prune(dir: &Path) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    // Names begin with the time.
    files.sort();
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
            let mut journal = Journal::open(dir.path(), &format!("20260101T{run:06}Z"), "deploy");
            journal.add(&Event::Phase { phase: Phase::Apply, actions: run, notes: Vec::new() });
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
}
