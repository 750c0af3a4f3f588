//! Whether what is written below `/run` of a host stays in its memory. I/O: a command on the host.

use cloudpad_plugin_api::{Context, Failure, Level};
use cloudpad_transport::Transport;
use tokio::io::AsyncReadExt;
use tokio::sync::OnceCell;

use super::files::DIR;

/// What a host has said, asked once for each connection.
#[derive(Default)]
pub(crate) struct Memory(OnceCell<Verdict>);

enum Verdict {
    InMemory,
    OnDisk(String),
    Unknown,
}

impl Memory {
    /// # Errors
    /// `failed` when it would be written to a disk.
    pub(super) async fn check(&self, cx: &Context, transport: &dyn Transport) -> Result<(), Failure> {
        let ask = async || match mounts(transport).await {
            Ok(mounts) => verdict(&mounts),
            Err(failure) => {
                cx.log(Level::Warn, format!("could not see whether `{DIR}` is in memory: {failure}"));
                Verdict::Unknown
            }
        };
        match self.0.get_or_init(ask).await {
            Verdict::InMemory | Verdict::Unknown => Ok(()),
            Verdict::OnDisk(kind) => Err(Failure::failed(format!(
                "secrets cannot be given as files: `{DIR}` of the host is not in memory, but of the type `{kind}`"
            ))
            .hint("mount a `tmpfs` at `/run`, as distributions do, or give the secrets as variables")),
        }
    }
}

async fn mounts(transport: &dyn Transport) -> Result<String, Failure> {
    let mut printed = Vec::new();
    let mut command = transport.exec("cat /proc/mounts").await?;
    command.read_to_end(&mut printed).await.map_err(|error| Failure::failed(error.to_string()))?;
    Ok(String::from_utf8_lossy(&printed).into_owned())
}

/// By the list of mounts: what is mounted last at the deepest folder above.
fn verdict(mounts: &str) -> Verdict {
    let above = |at: &str| {
        at == "/" || DIR.strip_prefix(at).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let mount = |line: &str| {
        let mut words = line.split(' ').skip(1);
        Some((words.next()?.to_owned(), words.next()?.to_owned()))
    };
    let all = mounts.lines().filter_map(mount).filter(|(at, _)| above(at));
    match all.max_by_key(|(at, _)| at.len()) {
        Some((_, kind)) if matches!(kind.as_str(), "tmpfs" | "ramfs") => Verdict::InMemory,
        Some((_, kind)) => Verdict::OnDisk(kind),
        None => Verdict::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(mounts: &str) -> String {
        match verdict(mounts) {
            Verdict::InMemory => "memory".into(),
            Verdict::OnDisk(kind) => kind,
            Verdict::Unknown => "?".into(),
        }
    }

    #[test]
    fn the_deepest_mount_decides_and_of_two_the_later() {
        let root = "/dev/sda / ext4 rw 0 0\n";
        assert_eq!(kind(root), "ext4");
        assert_eq!(
            kind(&format!("{root}tmpfs /run tmpfs rw 0 0\ntmpfs /run/user/0 tmpfs rw 0 0\n")),
            "memory"
        );
        assert_eq!(kind(&format!("{root}tmpfs /ru tmpfs rw 0 0\n")), "ext4");
        assert_eq!(kind(&format!("tmpfs /run tmpfs rw 0 0\n{root}/dev/b /run/cloudpad xfs rw 0 0\n")), "xfs");
        assert_eq!(kind(&format!("{root}tmpfs /run tmpfs rw 0 0\n/dev/sdb /run btrfs rw 0 0\n")), "btrfs");
        assert_eq!(kind(""), "?");
    }
}
