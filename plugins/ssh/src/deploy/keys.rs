//! `deploy.keys` and `deploy.trust`: the key by which a host is known. I/O.

use cloudpad_plugin_api::stage::deploy::{HostKey, Keys, Known, Trust};
use cloudpad_plugin_api::{Context, Failure};
use cloudpad_transport::{KeyState, shown_key, trust_key};

use crate::call::runtime;
use crate::config::Config;

pub(super) fn shown(cx: &Context, request: &Keys) -> Result<HostKey, Failure> {
    let options = Config::of(cx)?.options();
    let shown = runtime()?.block_on(shown_key(&request.host, &options, cx.cancel()))?;
    Ok(HostKey {
        server: shown.server,
        key_type: shown.key_type,
        fingerprint: shown.fingerprint,
        known: match shown.state {
            KeyState::Known => Known::Known,
            KeyState::Unknown => Known::Unknown,
            KeyState::Changed => Known::Changed,
            KeyState::Revoked => Known::Revoked,
        },
        place: shown.place,
    })
}

pub(super) fn trust(cx: &Context, request: &Trust) -> Result<(), Failure> {
    let options = Config::of(cx)?.options();
    let meant = (request.fingerprint.as_str(), request.replace);
    runtime()?.block_on(trust_key(&request.host, &options, meant, cx.cancel()))
}
