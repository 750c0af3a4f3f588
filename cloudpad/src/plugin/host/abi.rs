//! Version 1 of the C interface between a host and a library, from the host's side: the two functions in the struct that
//! the library gets. I/O: through the stream.

use std::ffi::c_void;
use std::mem::size_of;
use std::ptr;

use cloudpad_plugin_api::abi::HostV1;

use super::stream::Stream;

/// What a library exports as `cloudpad_plugin_v1`.
pub type Plugin = unsafe extern "C" fn(host: *const HostV1) -> i32;

/// A host that speaks over `stream`.
pub fn host(stream: &'static Stream) -> HostV1 {
    HostV1 {
        // Some forty bytes.
        size: size_of::<HostV1>() as u32,
        flags: 0,
        ctx: ptr::from_ref(stream).cast_mut().cast(),
        recv: Some(receive),
        send: Some(send),
    }
}

/// The next message, and null when there is none. The bytes stay until the next call.
unsafe extern "C" fn receive(ctx: *mut c_void, len: *mut usize) -> *const u8 {
    // SAFETY: `ctx` is the stream that `host` was given, if the library has kept to the contract.
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
