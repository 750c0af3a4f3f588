//! `[proxy]`. Pure.

use cloudpad_plugin_api::stage::deploy::Proxy;

use super::health::port;
use crate::config::grammar::{image, unit};
use crate::config::section::Section;
use crate::config::{Problem, ProxyChoice};

/// The image that is known to work.
const IMAGE: &str = "caddy:2.11.4";
const HTTP_PORT: u16 = 80;
const HTTPS_PORT: u16 = 443;
const DRAIN_MS: u64 = 30_000;

/// The proxy, where nothing is said the usual one.
pub(super) fn read(file: &Section<'_>) -> ProxyChoice {
    let section = file.section("proxy");
    let of = |key| section.as_ref().and_then(|section| port(section, key));
    let image = section.as_ref().and_then(|section| section.parse("image", image::reference));
    let made = Proxy {
        image: image.unwrap_or_else(|| IMAGE.to_owned()),
        http_port: of("http_port").unwrap_or(HTTP_PORT),
        https_port: of("https_port").unwrap_or(HTTPS_PORT),
    };
    if let (Some(section), true) = (&section, made.http_port == made.https_port) {
        section.problem("https_port", Problem::new("one port cannot serve HTTP and HTTPS"));
    }
    let drain = section.as_ref().and_then(|section| section.parse("drain", unit::millis));
    ProxyChoice { made: made.into(), drain_ms: drain.unwrap_or(DRAIN_MS) }
}
