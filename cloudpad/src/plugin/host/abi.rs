//! Version 1 of the C interface between a host and a library: the struct that the library gets, and the two
//! functions in it. I/O: through the stream.

use std::ffi::c_void;
use std::mem::size_of;
use std::ptr;

use super::stream::Stream;

/// What a library exports as `cloudpad_plugin_v1`.
pub type Plugin = unsafe extern "C" fn(host: *const HostV1) -> i32;

type Receive = unsafe extern "C" fn(ctx: *mut c_void, len: *mut usize) -> *const u8;
type Send = unsafe extern "C" fn(ctx: *mut c_void, message: *const u8, len: usize) -> i32;

/// What a host gives to a library. The layout is frozen.
#[repr(C)]
pub struct HostV1 {
    size: u32,
    flags: u32,
    ctx: *mut c_void,
    receive: Receive,
    send: Send,
}

impl HostV1 {
    /// A host that speaks over `stream`.
    pub fn new(stream: &'static Stream) -> Self {
        Self {
            // Some forty bytes.
            size: size_of::<Self>() as u32,
            flags: 0,
            ctx: ptr::from_ref(stream).cast_mut().cast(),
            receive,
            send,
        }
    }
}

/// The next message, and null when there is none. The bytes stay until the next call.
unsafe extern "C" fn receive(ctx: *mut c_void, len: *mut usize) -> *const u8 {
    // SAFETY: `ctx` is the stream that `HostV1::new` was given, if the library has kept to the contract.
    let Some(stream) = (unsafe { ctx.cast_const().cast::<Stream>().as_ref() }) else { return ptr::null() };
    let Some((message, length)) = stream.receive() else { return ptr::null() };
    if !len.is_null() {
        // SAFETY: it is not null, and so leads to where the library wants the length.
        unsafe { len.write(length) };
    }
    message
}

/// Takes a copy of a message; not zero when it could not be sent.
unsafe extern "C" fn send(ctx: *mut c_void, message: *const u8, len: usize) -> i32 {
    // SAFETY: as for `receive`.
    let stream = unsafe { ctx.cast_const().cast::<Stream>().as_ref() };
    let (Some(stream), false) = (stream, message.is_null()) else { return 1 };
    if isize::try_from(len).is_err() {
        return 1;
    }
    // SAFETY: it is not null, and the library says that so many bytes are there.
    let message = unsafe { std::slice::from_raw_parts(message, len) };
    i32::from(stream.send(message).is_err())
}
