//! The conversation with a host: hello, calls, cancels, end. I/O.

use std::io::Write;
use std::sync::Arc;
use std::thread;

use super::desk::Desk;
use super::writer::Writer;
use super::{Incoming, Outgoing};
use crate::Plugin;
use crate::wire::{FromHost, FromPlugin, HostHello, PROTOCOL, Unreadable};

/// Speaks to a host until it has no more messages and all calls have ended.
///
/// # Errors
/// The host does not follow the protocol. It has been said on standard error by then.
pub(crate) fn serve(plugin: &Plugin, from: &mut dyn Incoming, to: Box<dyn Outgoing>) -> Result<(), String> {
    let writer = Arc::new(Writer::new(to));
    writer.send(&FromPlugin::Hello(plugin.hello()));
    let desk = Desk::new(plugin, writer.clone());
    thread::scope(|threads| {
        let ended = converse(from, &writer, |message| desk.take(threads, message));
        if let Err(why) = &ended {
            // Now, not when all calls have ended: one may take no notice of being cancelled.
            let _ = writeln!(std::io::stderr(), "{}: {why}", plugin.name);
        }
        desk.close();
        ended
    })
}

fn converse(
    from: &mut dyn Incoming,
    writer: &Writer,
    mut take: impl FnMut(FromHost) -> Result<(), String>,
) -> Result<(), String> {
    let Some(hello) = next_hello(from)? else { return Ok(()) };
    if hello.protocol != PROTOCOL {
        let chosen = hello.protocol;
        return Err(format!("the host has chosen protocol {chosen}, and this plugin has offered {PROTOCOL}"));
    }
    writer.limit(hello.max_line);
    while let Some(message) = next(from)? {
        match message {
            Ok(message) => take(message)?,
            Err((id, failure)) => {
                writer.send(&FromPlugin::Error { id, error: failure });
            }
        }
    }
    Ok(())
}

/// The host's hello; nothing when it went away, having seen the plugin's.
fn next_hello(from: &mut dyn Incoming) -> Result<Option<HostHello>, String> {
    loop {
        match next(from)? {
            None => return Ok(None),
            Some(Ok(FromHost::Hello(hello))) => return Ok(Some(hello)),
            Some(Ok(FromHost::Other)) => {}
            Some(_) => return Err("the host has sent something else before its hello".to_owned()),
        }
    }
}

/// The next message, or a call that cannot be read and the answer to it.
fn next(from: &mut dyn Incoming) -> Result<Option<Message>, String> {
    let Some(line) = from.recv()? else { return Ok(None) };
    match FromHost::read(line) {
        Ok(message) => Ok(Some(Ok(message))),
        Err(Unreadable::Call { id, failure }) => Ok(Some(Err((id, failure)))),
        Err(Unreadable::Line(why)) => Err(format!("the host has sent a line that is no message: {why}")),
    }
}

type Message = Result<FromHost, (u64, crate::Failure)>;
