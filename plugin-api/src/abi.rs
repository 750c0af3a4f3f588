//! A plugin as a dynamic library: the one symbol that a host calls, and what it is given. I/O: the host's functions.
//!
//! Frozen as version 1; `include/cloudpad_plugin.h` says the same in C. A break would be another symbol. The
//! symbol is defined once, in here, so that several plugins can be linked into one program; in a `cdylib` it
//! is exported, and serves the plugin that is registered there.

#![expect(unsafe_code, reason = "the other side is C")]

use std::ffi::c_void;
use std::io;
use std::mem::{offset_of, size_of};
use std::panic::catch_unwind;

use crate::Plugin;
use crate::serve::{Incoming, Outgoing, serve};
use crate::wire::MAX_LINE;

/// The host has no more messages, and all calls have ended.
pub const FINISHED: i32 = 0;
/// It could not go on; standard error says why.
pub const FAILED: i32 = 1;
/// The host's struct is not understood.
pub const NOT_UNDERSTOOD: i32 = 2;
/// It panicked.
pub const PANICKED: i32 = 101;

/// What a host gives to a plugin: `cloudpad_host_v1` in C.
#[repr(C)]
pub struct HostV1 {
    /// The size of this struct as the host knows it, in bytes. A later host may have a larger one.
    pub size: u32,
    /// None so far; a plugin ignores those it does not know.
    pub flags: u32,
    /// The host's own, for the two functions.
    pub ctx: *mut c_void,
    /// The host's next message and its length; null when there are no more. The bytes are the host's, and
    /// stay until the next call. It is called on the thread that called the plugin.
    pub recv: Option<unsafe extern "C" fn(ctx: *mut c_void, len: *mut usize) -> *const u8>,
    /// Takes a copy of a message; not zero when the host is gone. It is called on any thread, by one at a
    /// time, and while another waits in `recv`.
    pub send: Option<unsafe extern "C" fn(ctx: *mut c_void, msg: *const u8, len: usize) -> i32>,
}

// The layout is frozen. The header asserts the same.
const _: () = {
    let pointer = size_of::<usize>();
    assert!(offset_of!(HostV1, size) == 0);
    assert!(offset_of!(HostV1, flags) == 4);
    assert!(offset_of!(HostV1, ctx) == 8);
    assert!(offset_of!(HostV1, recv) == 8 + pointer);
    assert!(offset_of!(HostV1, send) == 8 + 2 * pointer);
    assert!(size_of::<HostV1>() == 8 + 3 * pointer);
};

/// Serves the plugin of this library to `host`, until that has no more messages. A host calls it once, in
/// a process that it has started for this library.
///
/// # Safety
/// `host` is null, or leads to a struct whose `size` is true and whose functions are what they are
/// said to be, until this returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cloudpad_plugin_v1(host: *const HostV1) -> i32 {
    catch_unwind(|| {
        // SAFETY: the caller's promise is the same.
        match unsafe { functions(host) } {
            Some((from, to)) => finish(from, to),
            None => NOT_UNDERSTOOD,
        }
    })
    .unwrap_or(PANICKED)
}

fn finish(mut from: Messages, to: Host) -> i32 {
    let served = Plugin::only().and_then(|plugin| serve(plugin, &mut from, Box::new(to)));
    served.map_or(FAILED, |()| FINISHED)
}

/// The host's two functions, where there are both.
///
/// # Safety
/// As for [`cloudpad_plugin_v1`].
unsafe fn functions(host: *const HostV1) -> Option<(Messages, Host)> {
    if host.is_null() {
        return None;
    }
    // SAFETY: it is not null, and every version of the struct begins with its size.
    let size = unsafe { host.cast::<u32>().read() };
    if (size as usize) < size_of::<HostV1>() {
        return None;
    }
    // SAFETY: it is not null, and has at least the fields of this version.
    let HostV1 { ctx, recv, send, .. } = unsafe { host.read() };
    Some((Messages { ctx, recv: recv? }, Host { ctx, send: send? }))
}

/// Messages of the host.
struct Messages {
    ctx: *mut c_void,
    recv: unsafe extern "C" fn(*mut c_void, *mut usize) -> *const u8,
}

impl Incoming for Messages {
    fn recv(&mut self) -> Result<Option<&[u8]>, String> {
        let mut len = 0;
        // SAFETY: the function and its argument are the host's, and this is the thread that called us.
        let message = unsafe { (self.recv)(self.ctx, &raw mut len) };
        if message.is_null() {
            return Ok(None);
        }
        if len > MAX_LINE {
            return Err(format!("the host has sent a message of {len} bytes, more than {MAX_LINE}"));
        }
        // SAFETY: the host keeps that many bytes until the next call, and that needs `self` again.
        Ok(Some(unsafe { std::slice::from_raw_parts(message, len) }))
    }
}

/// The way to the host.
struct Host {
    ctx: *mut c_void,
    send: unsafe extern "C" fn(*mut c_void, *const u8, usize) -> i32,
}

// SAFETY: a host has to take messages from any thread, one at a time, and `&mut self` lets no two in.
unsafe impl Send for Host {}

impl Outgoing for Host {
    fn send(&mut self, message: &[u8]) -> io::Result<()> {
        // SAFETY: the function and its argument are the host's, and it only reads these bytes.
        match unsafe { (self.send)(self.ctx, message.as_ptr(), message.len()) } {
            0 => Ok(()),
            _ => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}
