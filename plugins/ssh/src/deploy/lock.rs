//! `deploy.lock` and `deploy.unlock`: a project's lock on a host. I/O: a shell there.
//!
//! The lock is flock(2) on a file in `/tmp`, the one folder in which every user may make one. A shell on the host holds it until its stdin
//! ends or is silent, which is when the connection or this process is gone, however that came.

use std::sync::Arc;
use std::time::Duration;

use cloudpad_plugin_api::stage::deploy::{Holder, Lock, Locked, Unlock};
use cloudpad_plugin_api::{Failure, FailureKind};
use cloudpad_transport::Stream;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{interval, timeout};

use crate::pool::Connection;

/// How often the shell is told that we are there. It gives the lock up after 30 s of silence, so that a host that has lost us
/// without being told, as when a network fails, is free soon.
const BEAT: Duration = Duration::from_secs(8);

/// How long the shell may take to answer.
const ANSWER: Duration = Duration::from_secs(30);

/// What begins each line of the shell that is for us: a login shell may print others.
const MARK: &str = "cloudpad-lock ";

/// What the shell runs; it is quoted nowhere, and what it is about comes on stdin. Each user writes who holds the lock into a file of their
/// own, made anew, since in `/tmp` nobody writes safely to a file of somebody else's; the process's number in it tells whether it is still so.
const SCRIPT: &str = concat!(
    r#"IFS= read -r name && IFS= read -r who || exit 64; f="/tmp/cloudpad-lock.$name"; "#,
    r#"for tool in flock timeout dd id; do command -v $tool >/dev/null || { echo "there is no $tool" >&2; exit 69; }; done; "#,
    r#"[ -e "$f" ] || (umask 022; set -C; : >"$f") 2>/dev/null; "#,
    r#"[ -f "$f" ] || { echo "$f is no file, or cannot be made" >&2; exit 73; }; "#,
    r#"exec 9<"$f"; "#,
    r#"if flock -n 9; then mine="$f@$(id -u)"; rm -f "$mine"; "#,
    r#"(umask 022; set -C; printf "%s %s\n" $$ "$who" >"$mine"); echo "cloudpad-lock held"; "#,
    r#"while [ -n "$(timeout 30 dd bs=1 count=1 2>/dev/null 9<&-)" ]; do :; done; rm -f "$mine"; "#,
    r#"else for o in "$f"@*; do [ -f "$o" ] && IFS= read -r line <"$o" && [ -d "/proc/${line%% *}" ] && "#,
    r#"printf "cloudpad-lock by %s\n" "${line#* }"; done; echo "cloudpad-lock busy"; fi"#,
);

/// A lock that this process holds.
pub(crate) struct Held {
    /// Who it was told is the holder.
    holder: Arc<Holder>,
    /// Dropping it gives the lock back.
    keep: watch::Sender<()>,
    watch: JoinHandle<()>,
}

impl Held {
    fn is_lost(&self) -> bool {
        self.watch.is_finished()
    }

    /// Who it was told is the holder.
    pub(super) fn holder(&self) -> Arc<Holder> {
        self.holder.clone()
    }

    /// Comes back when the host has given it up.
    pub(super) async fn release(self) {
        drop(self.keep);
        // It neither panics nor is aborted.
        let _ = self.watch.await;
    }
}

pub(super) async fn lock(host: &Connection, request: &Lock) -> Result<Locked, Failure> {
    let name = request.project.prefix();
    let mut locks = host.locks.lock().await;
    if locks.get(&name).is_some_and(|held| !held.is_lost()) {
        return Ok(Locked::default());
    }
    match take(host, &name, &request.holder).await? {
        Ok(held) => {
            locks.insert(name, held);
            Ok(Locked::default())
        }
        Err(holder) => Ok(Locked { held_by: Some(holder) }),
    }
}

pub(super) async fn unlock(host: &Connection, request: &Unlock) {
    let held = host.locks.lock().await.remove(&request.project.prefix());
    if let Some(held) = held {
        held.release().await;
    }
}

/// Takes what was lost of the host's locks again, before anything is changed without them.
///
/// # Errors
/// `stale` when somebody else has one by now.
pub(crate) async fn keep(host: &Connection) -> Result<(), Failure> {
    let mut locks = host.locks.lock().await;
    let lost: Vec<_> = locks.iter().filter(|(_, held)| held.is_lost()).collect();
    let lost: Vec<_> = lost.into_iter().map(|(name, held)| (name.clone(), held.holder.clone())).collect();
    for (name, holder) in lost {
        let again = take(host, &name, &holder).await?.map_err(|other| taken(&name, &other))?;
        locks.insert(name, again);
    }
    Ok(())
}

fn taken(name: &str, other: &Holder) -> Failure {
    let Holder { who, since, command } = other;
    let message =
        format!("the lock of `{name}` was lost while the connection was silent, and is somebody else's now");
    let failure = Failure::stale(message);
    if who.is_empty() {
        failure
    } else {
        failure.cause(format!("`{who}` has it since {since}, for `{command}`"))
    }
}

/// Takes the lock, or finds out who has it.
pub(super) async fn take(
    host: &Connection,
    name: &str,
    holder: &Arc<Holder>,
) -> Result<Result<Held, Holder>, Failure> {
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')) {
        return Err(Failure::invalid(format!("`{name}` cannot be the name of a lock")));
    }
    let who = serde_json::to_string(holder)
        .map_err(|error| Failure::invalid(format!("the holder of a lock cannot be written down: {error}")))?;
    let taken = timeout(ANSWER, ask(host, &format!("{name}\n{who}\n"))).await;
    let (stream, answer) = taken.map_err(|_| refused(name).cause("the shell has not answered in 30 s"))??;
    if answer.last().is_some_and(|line| line == "held") {
        let (keep, kept) = watch::channel(());
        let watch = tokio::spawn(beat(stream, kept));
        return Ok(Ok(Held { holder: holder.clone(), keep, watch }));
    }
    let by = answer.iter().find_map(|line| serde_json::from_str(line.strip_prefix("by ")?).ok());
    Ok(Err(by.unwrap_or_default()))
}

fn refused(name: &str) -> Failure {
    Failure::failed(format!("could not take the lock of `{name}`"))
        .hint("it needs a shell on the host, with `flock`, `timeout`, `dd` and `id`, and a folder `/tmp`")
}

/// Has a shell try, and returns what it answers, up to what it comes to.
async fn ask(host: &Connection, about: &str) -> Result<(BufReader<Stream>, Vec<String>), Failure> {
    let name = about.lines().next().unwrap_or_default();
    let stream = host.engine.transport().exec(&format!("sh -c '{SCRIPT}'")).await;
    let mut stream = BufReader::new(stream.map_err(|failure| match failure.kind {
        FailureKind::Unreachable => failure,
        _ => refused(name).cause(failure),
    })?);
    let broken = |error: std::io::Error| refused(name).cause(error);
    stream.write_all(about.as_bytes()).await.map_err(broken)?;
    stream.flush().await.map_err(broken)?;
    let mut answer = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.map_err(broken)? == 0 {
            return Err(refused(name).cause("the shell has ended without an answer"));
        }
        let Some(word) = line.trim_end().strip_prefix(MARK) else { continue };
        answer.push(word.to_owned());
        if matches!(word, "held" | "busy") {
            return Ok((stream, answer));
        }
    }
}

/// Keeps the lock until `kept` is dropped at its other end, and then gives it back. Ends sooner when it is lost.
async fn beat(mut stream: BufReader<Stream>, mut kept: watch::Receiver<()>) {
    let mut beats = interval(BEAT);
    let mut byte = [0];
    loop {
        tokio::select! {
            _ = kept.changed() => break,
            _ = stream.read(&mut byte) => return,
            _ = beats.tick() => {
                if stream.write_all(b".").await.is_err() || stream.flush().await.is_err() {
                    return;
                }
            }
        }
    }
    let give_back = async {
        stream.shutdown().await?;
        while stream.read(&mut byte).await? > 0 {}
        std::io::Result::Ok(())
    };
    // Where that does not work, the end of the connection gives it back.
    let _ = timeout(ANSWER, give_back).await;
}
