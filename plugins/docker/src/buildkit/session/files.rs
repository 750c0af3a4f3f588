//! Sends BuildKit the build context and the Dockerfile. Reads the files that BuildKit asks for.
//!
//! The protocol is fsutil's (tonistiigi/fsutil, `send.go`): we list everything with its attributes, then
//! BuildKit asks by number for the files that it does not have, and we send them in pieces. Not more
//! than a few pieces are in memory at any time.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use bollard_buildkit_proto::fsutil::types::packet::PacketType;
use bollard_buildkit_proto::fsutil::types::{Packet, Stat};
use bollard_buildkit_proto::moby::filesync::packet::file_sync_server::FileSync;
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::mpsc;
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status, Streaming};

use super::Broken;
use crate::context::walk::{Entry, Kind, Stamp};
use crate::context::{Context, IGNORE_FILE};
use crate::unreadable;

/// How much of a file one packet holds, in bytes.
const PIECE: usize = 128 * 1024;

/// How many packets wait to be sent.
const WAITING: usize = 8;

/// The directories of which BuildKit asks for files.
pub struct Files {
    context: Arc<Directory>,
    dockerfile_dir: PathBuf,
    broken: Broken,
}

/// A directory and what of it is sent.
struct Directory {
    root: PathBuf,
    entries: Arc<Vec<Entry>>,
}

impl Files {
    /// Serves `entries` of `context`, and says in `broken` which of them could not be read.
    pub fn new(context: &Context, entries: Arc<Vec<Entry>>, broken: Broken) -> Self {
        Self {
            context: Arc::new(Directory { root: context.root.clone(), entries }),
            dockerfile_dir: context.dockerfile_dir.clone(),
            broken,
        }
    }

    /// What a request means by its name and its paths. The frontend asks for the Dockerfile and for the
    /// ignore file by name. When it wants the context, it says which paths the Dockerfile mentions and what
    /// the ignore file leaves out; the second we know, and the first would save only what is sent once.
    fn directory(&self, metadata: &MetadataMap) -> Result<Arc<Directory>, Status> {
        let paths = [values(metadata, "include-patterns"), values(metadata, "followpaths")].concat();
        let of_ignore_file = paths == [IGNORE_FILE] && !metadata.contains_key("exclude-patterns");
        match values(metadata, "dir-name").first().map(String::as_str) {
            Some("context") if of_ignore_file => Ok(Arc::new(only(&self.context.root, &paths))),
            Some("context") => Ok(self.context.clone()),
            Some("dockerfile") => Ok(Arc::new(only(&self.dockerfile_dir, &paths))),
            other => Err(Status::not_found(format!("there is no directory `{}`", other.unwrap_or_default()))),
        }
    }
}

/// All values of a key. Those that are not ASCII come encoded, with a note that they are.
fn values(metadata: &MetadataMap, key: &str) -> Vec<String> {
    let encoded = metadata.contains_key(format!("{key}-encoded"));
    let all = metadata.get_all(key).iter().filter_map(|value| value.to_str().ok());
    all.map(|value| if encoded { decoded(value) } else { value.to_owned() }).collect()
}

fn decoded(value: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = value.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The files of a directory that are there and go by one of these names.
fn only(root: &std::path::Path, names: &[String]) -> Directory {
    let mut names: Vec<&String> = names.iter().filter(|name| !name.contains('/')).collect();
    names.sort();
    let entry = |name: &String| {
        let metadata = std::fs::metadata(root.join(name)).ok().filter(std::fs::Metadata::is_file)?;
        let stamp = Stamp::of(&metadata);
        Some(Entry { path: name.clone(), kind: Kind::File, mode: 0o644, stamp })
    };
    Directory { root: root.to_owned(), entries: Arc::new(names.into_iter().filter_map(entry).collect()) }
}

#[tonic::async_trait]
impl FileSync for Files {
    type DiffCopyStream = Pin<Box<dyn Stream<Item = Result<Packet, Status>> + Send>>;
    type TarStreamStream = Self::DiffCopyStream;

    async fn diff_copy(
        &self,
        request: Request<Streaming<Packet>>,
    ) -> Result<Response<Self::DiffCopyStream>, Status> {
        let directory = self.directory(request.metadata())?;
        let (packets, answers) = mpsc::channel(WAITING);
        let (asked, to_send) = mpsc::unbounded_channel();
        tokio::spawn(listen(request.into_inner(), asked));
        let broken = self.broken.clone();
        tokio::task::spawn_blocking(move || {
            let sent = directory.send(to_send, &packets);
            if let Err(Broke::Unreadable(failure)) = sent {
                let _ = packets.blocking_send(Err(Status::aborted(failure.to_string())));
                broken.set(failure);
            }
        });
        let answers = stream::unfold(answers, |mut answers| async {
            answers.recv().await.map(|packet| (packet, answers))
        });
        Ok(Response::new(answers.boxed()))
    }

    async fn tar_stream(
        &self,
        _: Request<Streaming<Packet>>,
    ) -> Result<Response<Self::TarStreamStream>, Status> {
        Err(Status::unimplemented("tar_stream"))
    }
}

/// Passes on the numbers of files that are asked for, until nothing more is wanted.
async fn listen(mut requests: Streaming<Packet>, asked: mpsc::UnboundedSender<u32>) {
    while let Ok(Some(packet)) = requests.message().await {
        let wanted = packet.r#type() == PacketType::PacketReq;
        if !wanted || asked.send(packet.id).is_err() {
            return;
        }
    }
}

/// Why sending ended early.
enum Broke {
    /// BuildKit wants nothing more.
    Gone,
    /// A file could not be read.
    Unreadable(cloudpad_plugin_api::Failure),
}

type Packets = mpsc::Sender<Result<Packet, Status>>;

impl Directory {
    /// Lists everything, then sends the files that are asked for.
    fn send(&self, mut asked: mpsc::UnboundedReceiver<u32>, packets: &Packets) -> Result<(), Broke> {
        for entry in self.entries.iter() {
            put(packets, PacketType::PacketStat, 0, Some(stat(entry)), Vec::new())?;
        }
        put(packets, PacketType::PacketStat, 0, None, Vec::new())?;
        while let Some(id) = asked.blocking_recv() {
            self.send_file(id, packets)?;
        }
        put(packets, PacketType::PacketFin, 0, None, Vec::new())
    }

    fn send_file(&self, id: u32, packets: &Packets) -> Result<(), Broke> {
        let Some(entry) = self.entries.get(id as usize) else { return Err(Broke::Gone) };
        let path = self.root.join(&entry.path);
        let failed = |error: std::io::Error| Broke::Unreadable(unreadable(&path, &error));
        let mut file = File::open(&path).map_err(failed)?;
        loop {
            let mut piece = vec![0; PIECE];
            let count = match file.read(&mut piece) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                read => read.map_err(failed)?,
            };
            piece.truncate(count);
            // The packet without data says that the file ends.
            put(packets, PacketType::PacketData, id, None, piece)?;
            if count == 0 {
                return Ok(());
            }
        }
    }
}

fn put(packets: &Packets, kind: PacketType, id: u32, stat: Option<Stat>, data: Vec<u8>) -> Result<(), Broke> {
    let packet = Packet { r#type: kind.into(), stat, id, data };
    packets.blocking_send(Ok(packet)).map_err(|_| Broke::Gone)
}

/// An entry's attributes, the mode in the bits of Go's `os.FileMode`. Everything belongs to root, as
/// Docker's clients have it.
fn stat(entry: &Entry) -> Stat {
    let (kind, linkname) = match &entry.kind {
        Kind::File => (0, String::new()),
        Kind::Directory => (1 << 31, String::new()),
        Kind::Symlink(target) => (1 << 27, target.clone()),
        Kind::Fifo => (1 << 25, String::new()),
    };
    let special = [(0o4000, 1 << 23), (0o2000, 1 << 22), (0o1000, 1 << 20)];
    let special = special.iter().filter(|(bit, _)| entry.mode & bit != 0).fold(0, |mode, (_, go)| mode | go);
    let size = if entry.kind == Kind::File { entry.stamp.size } else { linkname.len() as u64 };
    Stat {
        path: entry.path.clone(),
        mode: kind | special | (entry.mode & 0o777),
        size: i64::try_from(size).unwrap_or(i64::MAX),
        mod_time: marked_time(entry.stamp),
        linkname,
        ..Stat::default()
    }
}

/// The time of change with its fraction of a second replaced by a mark of all that a change must touch.
///
/// BuildKit asks only for files whose size or time differ from those of last time, and anybody can set
/// a file's time back: an image under a content's tag could then hold other content. The time of the
/// last change of attributes cannot be set, so it goes into the mark. Layers hold whole seconds.
fn marked_time(stamp: Stamp) -> i64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut mark = DefaultHasher::new();
    (stamp.mtime, stamp.ctime, stamp.inode).hash(&mut mark);
    // Never 0, which BuildKit takes for a time whose fraction was lost.
    let fraction = 1 + (mark.finish() % 999_999_999) as i64;
    stamp.mtime.div_euclid(1_000_000_000) * 1_000_000_000 + fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_shows_in_the_time_even_when_the_time_was_set_back() {
        let before = Stamp { size: 1, mtime: 5_000_000_000, ctime: 7, inode: 1 };
        let after = Stamp { ctime: 8, ..before };
        assert_ne!(marked_time(before), marked_time(after));
        assert_eq!(marked_time(before) / 1_000_000_000, 5);
    }

    #[test]
    fn encoded_names_are_decoded() {
        assert_eq!(decoded("D%C3%A4%2x"), "Dä%2x");
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named_and_nothing_is_made_up_for_it() {
        let root = tempfile::tempdir().unwrap();
        let stamp = Stamp { size: 3, mtime: 0, ctime: 0, inode: 0 };
        let entry = |path: &str| Entry { path: path.into(), kind: Kind::File, mode: 0o644, stamp };
        std::fs::write(root.path().join("there"), "abc").unwrap();
        let entries = Arc::new(vec![entry("there"), entry("gone")]);
        let directory = Directory { root: root.path().to_owned(), entries };
        let (packets, mut sent) = mpsc::channel(64);
        let (ask, asked) = mpsc::unbounded_channel();
        ask.send(0).unwrap();
        ask.send(1).unwrap();
        let Err(Broke::Unreadable(failure)) = directory.send(asked, &packets) else { panic!("it was sent") };
        assert!(failure.message.contains("/gone`"), "{failure}");
        drop(packets);
        let sent = std::iter::from_fn(|| sent.blocking_recv()).map(|packet| packet.unwrap());
        let sent: Vec<_> = sent.map(|packet| (packet.r#type(), packet.id, packet.data)).collect();
        use PacketType::{PacketData as Data, PacketStat as Listed};
        let want = [(Listed, ""), (Listed, ""), (Listed, ""), (Data, "abc"), (Data, "")];
        assert_eq!(sent, want.map(|(kind, data)| (kind, 0, data.as_bytes().to_vec())));
    }
}
