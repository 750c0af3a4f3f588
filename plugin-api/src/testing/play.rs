//! The host's part of one call. Pure but for its channels.

use serde::Serialize;
use serde_json::Value;

use super::Played;
use crate::serve::memory::HostSide;
use crate::stage::secrets::Values;
use crate::wire::{Call, FromHost, FromPlugin, HostHello, MAX_LINE, PROTOCOL, PluginHello};
use crate::{Event, Reply, Request};

/// How a call under way is stopped.
pub struct Stop<'a>(&'a HostSide);

impl Stop<'_> {
    /// Cancels the call, as a host does when the user interrupts it.
    pub fn cancel(&self) {
        send(self.0, &FromHost::Cancel { id: 1, reason: "the test says so".to_owned() });
    }
}

/// Plays a whole session with one call.
pub(super) fn call(
    host: HostSide,
    (provider, config, secrets): (String, Value, Values),
    request: Request,
    mut on_event: impl FnMut(&Event, &Stop),
) -> Played {
    let Some(FromPlugin::Hello(hello)) = next(&host) else { panic!("the plugin did not begin with a hello") };
    assert!(
        offers(&hello, &provider, &request),
        "`{provider}` with `{}` is not in {hello:?}",
        request.method()
    );
    let version = env!("CARGO_PKG_VERSION").to_owned();
    send(&host, &FromHost::Hello(HostHello { protocol: PROTOCOL, version, max_line: MAX_LINE }));
    let key = format!("test/{}", request.method());
    send(&host, &FromHost::Call(Call { id: 1, provider, config, key, secrets, request: request.clone() }));
    let mut events = Vec::new();
    let end = loop {
        match next(&host) {
            Some(FromPlugin::Event { id: 1, event }) => {
                on_event(&event, &Stop(&host));
                events.push(event);
            }
            Some(FromPlugin::Result { id: 1, ok }) => break Ok(reply(&request, &ok)),
            Some(FromPlugin::Error { id: 1, error }) => break Err(error),
            Some(other) => panic!("the call has no end, but {other:?}"),
            None => panic!("the plugin has ended, and the call has not"),
        }
    };
    // No more is to come: the plugin ends when the host has no more to say.
    drop(host.to);
    let more: Vec<_> = host.from.iter().map(|line| String::from_utf8_lossy(&line).into_owned()).collect();
    assert!(more.is_empty(), "this came after the end of the call: {more:?}");
    Played { events, end }
}

fn offers(hello: &PluginHello, provider: &str, request: &Request) -> bool {
    assert!(hello.protocols.contains(&PROTOCOL), "protocol {PROTOCOL} is not in {hello:?}");
    hello.provides.iter().any(|offer| {
        offer.provider == provider
            && offer.stage == request.stage()
            && offer.methods.iter().any(|method| method == request.method())
    })
}

fn send(host: &HostSide, message: &FromHost) {
    let line = to_json(message).to_string().into_bytes();
    assert_eq!(
        FromHost::read(&line).as_ref(),
        Ok(message),
        "it is not the same once it has been through JSON"
    );
    // A plugin that has ended already is found by what it does not answer.
    let _ = host.to.send(line);
}

fn next(host: &HostSide) -> Option<FromPlugin> {
    let line = host.from.recv().ok()?;
    match serde_json::from_slice(&line) {
        Ok(message) => Some(message),
        Err(error) => panic!("{error} in {}", String::from_utf8_lossy(&line)),
    }
}

fn reply(request: &Request, ok: &Value) -> Reply {
    let reply = request.reply(ok.clone()).unwrap_or_else(|error| panic!("{error} in {ok}"));
    let again = request.reply(to_json(&reply)).ok();
    assert_eq!(again.as_ref(), Some(&reply), "it is not the same once it has been through JSON");
    reply
}

fn to_json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_else(|error| panic!("it cannot be sent: {error}"))
}
