//! Archives as an engine takes and gives them. Pure.

use std::io::Read;

use cloudpad_plugin_api::Secret;
use tar::{Archive, Builder, EntryType, Header};

use super::owner::Owner;

/// A file that is to be.
pub(super) struct File {
    pub(super) bytes: Secret,
    /// Permission bits.
    pub(super) mode: u32,
    pub(super) owner: Owner,
}

/// A folder that root alone may look into, with files that are called by their numbers.
pub(super) fn folder(name: &str, files: &[File]) -> Vec<u8> {
    let mut archive = Builder::new(Vec::new());
    let root = Owner { uid: 0, gid: 0 };
    add(&mut archive, &format!("{name}/"), (EntryType::Directory, 0o700, root), &[]);
    for (number, file) in files.iter().enumerate() {
        let head = (EntryType::Regular, file.mode, file.owner);
        add(&mut archive, &format!("{name}/{number}"), head, file.bytes.expose().as_bytes());
    }
    finished(archive)
}

/// An empty file: an engine that unpacks it where there is a folder removes that.
pub(super) fn nothing(name: &str) -> Vec<u8> {
    let mut archive = Builder::new(Vec::new());
    add(&mut archive, name, (EntryType::Regular, 0, Owner { uid: 0, gid: 0 }), &[]);
    finished(archive)
}

fn add(archive: &mut Builder<Vec<u8>>, path: &str, head: (EntryType, u32, Owner), bytes: &[u8]) {
    let (kind, mode, owner) = head;
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(bytes.len() as u64);
    header.set_mode(mode);
    header.set_uid(owner.uid.into());
    header.set_gid(owner.gid.into());
    // Into memory, this cannot fail.
    let _ = archive.append_data(&mut header, path, bytes);
}

fn finished(archive: Builder<Vec<u8>>) -> Vec<u8> {
    archive.into_inner().unwrap_or_default()
}

/// The text of the one file that an archive holds; empty where it holds none.
pub(super) fn only_file(archive: &[u8]) -> String {
    let mut archive = Archive::new(archive);
    let file = archive.entries().ok().and_then(|mut entries| entries.next()?.ok());
    let mut bytes = Vec::new();
    file.map(|mut file| file.read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_roots_and_its_files_are_as_said() {
        let owner = Owner { uid: 70_000, gid: 7 };
        let file = File { bytes: Secret::from("s3cr3t".to_owned()), mode: 0o440, owner };
        let bytes = folder(&"long-".repeat(30), &[file]);
        let mut archive = Archive::new(&bytes[..]);
        let entries: Vec<_> = archive.entries().unwrap().map(|entry| entry.unwrap()).collect();
        let heads = entries.iter().map(|entry| {
            let head = entry.header();
            (head.mode().unwrap(), head.uid().unwrap(), head.gid().unwrap(), head.size().unwrap())
        });
        assert_eq!(heads.collect::<Vec<_>>(), [(0o700, 0, 0, 0), (0o440, 70_000, 7, 6)]);
        assert!(entries[1].path().unwrap().ends_with("0"));
    }

    #[test]
    fn a_file_that_is_not_there_is_empty() {
        let file =
            File { bytes: Secret::from("root:x:0:0".to_owned()), mode: 0, owner: Owner { uid: 0, gid: 0 } };
        let mut archive = Builder::new(Vec::new());
        add(&mut archive, "passwd", (EntryType::Regular, 0, file.owner), file.bytes.expose().as_bytes());
        assert_eq!(only_file(&finished(archive)), "root:x:0:0");
        assert_eq!(only_file(b"no archive"), "");
    }
}
