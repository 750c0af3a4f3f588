//! A cache of file times: the sums of files whose size, times and inode are as they were when they
//! were last read. Reads and writes one file per context, in the provider's own directory.
//!
//! A time is only as fine as the clock of the file system. A file that was changed in the same tick in
//! which it was read could be changed once more and look the same; so an entry counts only if its file
//! was last changed before the run that read it began, by the clock of the file system itself.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::walk::Stamp;
use crate::hex;

/// The first line of the file; another one is another format, and is ignored.
const HEADER: &str = "cloudpad file times 1";

/// File systems that keep whole seconds only are given two of them.
const COARSE: i64 = 2_000_000_000;

/// The sum of a file's content.
pub type Sum = [u8; 32];

/// What is known of the files of one context.
pub struct Times {
    file: PathBuf,
    known: HashMap<String, (Stamp, Sum)>,
    seen: Vec<(String, Stamp, Sum)>,
    fresh: Option<tempfile::NamedTempFile>,
    began: i64,
    /// How many files had to be read.
    pub read: usize,
}

impl Times {
    /// Opens the cache in `dir` for the context at `root`. A file that is not there, of another format
    /// or damaged is an empty one, and a directory that cannot be written to costs time and no more.
    pub fn open(dir: &Path, root: &Path) -> Self {
        let name = hex(&Sha256::digest(root.as_os_str().as_encoded_bytes()));
        let file = dir.join(format!("times-{}", &name[..16]));
        let fresh = std::fs::create_dir_all(dir).and_then(|()| tempfile::NamedTempFile::new_in(dir)).ok();
        let began = fresh.as_ref().and_then(|fresh| fresh.as_file().metadata().ok());
        let known = std::fs::read_to_string(&file).ok().and_then(|text| parse(&text)).unwrap_or_default();
        Self {
            file,
            known,
            seen: Vec::new(),
            fresh,
            began: began.map_or(0, |m| Stamp::of(&m).mtime),
            read: 0,
        }
    }

    /// A cache that knows nothing and keeps nothing.
    pub fn none() -> Self {
        Self { file: PathBuf::new(), known: HashMap::new(), seen: Vec::new(), fresh: None, began: 0, read: 0 }
    }

    /// The sum of the file at `path` within its context, which `read` finds out where it is not known.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn sum<E>(
        &mut self,
        path: &str,
        stamp: Stamp,
        read: impl FnOnce() -> Result<Sum, E>,
    ) -> Result<Sum, E> {
        let sum = match self.known.get(path) {
            Some((known, sum)) if *known == stamp => *sum,
            _ => {
                self.read += 1;
                read()?
            }
        };
        self.seen.push((path.to_owned(), stamp, sum));
        Ok(sum)
    }

    /// Writes what is known now, in one step. It is a cache: if that fails, the next run reads more.
    pub fn save(mut self) {
        let Some(mut fresh) = self.fresh.take() else { return };
        let began = self.began;
        self.seen.retain(|(path, stamp, _)| is_settled(*stamp, began) && !path.contains('\n'));
        if fresh.write_all(render(&self.seen).as_bytes()).is_ok() {
            let _ = fresh.persist(&self.file);
        }
    }
}

/// Whether any later change must show in the stamp.
fn is_settled(stamp: Stamp, began: i64) -> bool {
    let coarse = stamp.mtime % 1_000_000_000 == 0 && stamp.ctime % 1_000_000_000 == 0;
    stamp.mtime.max(stamp.ctime) < if coarse { began - COARSE } else { began }
}

fn render(entries: &[(String, Stamp, Sum)]) -> String {
    let mut text = format!("{HEADER}\n");
    for (path, stamp, sum) in entries {
        let Stamp { size, mtime, ctime, inode } = stamp;
        let _ = writeln!(text, "{} {size} {mtime} {ctime} {inode} {path}", hex(sum));
    }
    let check = hex(&Sha256::digest(text.as_bytes()));
    text + &check
}

/// The entries; none where a single bit of the text is not as it was written.
fn parse(text: &str) -> Option<HashMap<String, (Stamp, Sum)>> {
    let (body, check) = text.split_at_checked(text.rfind('\n')? + 1)?;
    if hex(&Sha256::digest(body.as_bytes())) != check {
        return None;
    }
    let mut lines = body.lines();
    (lines.next()? == HEADER).then_some(())?;
    lines.map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<(String, (Stamp, Sum))> {
    let mut fields = line.splitn(6, ' ');
    let sum = unhex(fields.next()?)?;
    let stamp = Stamp {
        size: fields.next()?.parse().ok()?,
        mtime: fields.next()?.parse().ok()?,
        ctime: fields.next()?.parse().ok()?,
        inode: fields.next()?.parse().ok()?,
    };
    Some((fields.next()?.to_owned(), (stamp, sum)))
}

fn unhex(text: &str) -> Option<Sum> {
    let mut sum = Sum::default();
    let text = text.as_bytes();
    if text.len() != 2 * sum.len() {
        return None;
    }
    for (byte, pair) in sum.iter_mut().zip(text.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(sum)
}
