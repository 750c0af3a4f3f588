//! How a registry is reached: by which scheme, and whom one believes there. I/O: the engine's rules, certificates, one request.
//!
//! It is as the engine does it (<https://docs.docker.com/engine/security/certificates/>), so that what works for a push works here.

use std::collections::BTreeMap;
use std::net::{IpAddr, ToSocketAddrs};
use std::path::Path;
use std::time::Duration;
use std::{fs, io};

use cloudpad_engine::bollard::models::RegistryServiceConfig;
use cloudpad_engine::{Engine, Reference};
use cloudpad_plugin_api::Failure;
use ureq::Agent;
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

/// Where the engine looks for certificates, in a folder for each registry.
const CERTIFICATES: &str = "/etc/docker/certs.d";

/// How long a connection and a whole request may take.
const CONNECT: Duration = Duration::from_secs(10);
const REQUEST: Duration = Duration::from_secs(60);

/// The way to a registry.
pub struct Reach {
    /// `SCHEME://HOST`.
    pub base: String,
    /// What makes requests.
    pub agent: Agent,
}

/// Finds the way to `registry`, as in [`Reference::registry`].
///
/// # Errors
/// `invalid` for certificates that cannot be read.
pub async fn reach(registry: &str) -> Result<Reach, Failure> {
    let host = if registry == Reference::HUB { "registry-1.docker.io" } else { registry }.to_owned();
    // Without an engine nobody pushes from here, but looking is possible.
    let rules = match Engine::local().await {
        Ok(engine) => rules(&engine).await.unwrap_or_default(),
        Err(_) => RegistryServiceConfig::default(),
    };
    let found = tokio::task::spawn_blocking(move || way(&host, &rules)).await;
    found.map_err(|error| Failure::failed(error.to_string()))?
}

async fn rules(engine: &Engine) -> Option<RegistryServiceConfig> {
    engine.docker().await.ok()?.info().await.ok()?.registry_config
}

fn way(host: &str, rules: &RegistryServiceConfig) -> Result<Reach, Failure> {
    let own = Own::read(&Path::new(CERTIFICATES).join(host))?;
    if !is_insecure(host, &addresses(host), rules) {
        return Ok(Reach { base: format!("https://{host}"), agent: agent(own, true) });
    }
    let agent = agent(own, false);
    let base = format!("https://{host}");
    // Whoever answers speaks TLS, whatever the answer is.
    let speaks_tls = agent.get(format!("{base}/v2/")).call().is_ok();
    Ok(Reach { base: if speaks_tls { base } else { format!("http://{host}") }, agent })
}

fn agent(own: Own, verifies: bool) -> Agent {
    let roots = match own.authorities.is_empty() {
        true => RootCerts::PlatformVerifier,
        false => {
            let known = rustls_native_certs::load_native_certs().certs;
            let known = known.iter().map(|der| Certificate::from_der(der).to_owned());
            let all: Vec<_> = known.chain(own.authorities).collect();
            RootCerts::new_with_certs(&all)
        }
    };
    let tls = TlsConfig::builder().root_certs(roots).client_cert(own.client).disable_verification(!verifies);
    let config = Agent::config_builder().http_status_as_error(false).tls_config(tls.build());
    config.timeout_connect(Some(CONNECT)).timeout_global(Some(REQUEST)).build().into()
}

/// Whether the engine would go on without TLS, or whoever answers. It does so on loopback, and where it is told.
fn is_insecure(host: &str, addresses: &[IpAddr], rules: &RegistryServiceConfig) -> bool {
    let named = rules.index_configs.as_ref().and_then(|named| named.get(host)?.secure);
    if let Some(is_secure) = named {
        return !is_secure;
    }
    let ranges = rules.insecure_registry_cidrs.iter().flatten();
    let is_in =
        |address: &IpAddr| address.is_loopback() || ranges.clone().any(|range| is_in(*address, range));
    addresses.iter().any(is_in)
}

fn addresses(host: &str) -> Vec<IpAddr> {
    let found = host.to_socket_addrs().or_else(|_| (host.trim_matches(['[', ']']), 443).to_socket_addrs());
    found.map(|all| all.map(|address| address.ip()).collect()).unwrap_or_default()
}

/// Whether an address is of a range such as `10.0.0.0/8`.
fn is_in(address: IpAddr, range: &str) -> bool {
    let parsed = range
        .split_once('/')
        .and_then(|(first, bits)| Some((first.parse().ok()?, bits.parse::<u32>().ok()?)));
    let (whole, first, length, bits) = match (address, parsed) {
        (IpAddr::V4(address), Some((IpAddr::V4(first), bits))) => {
            (u128::from(address.to_bits()), u128::from(first.to_bits()), 32, bits)
        }
        (IpAddr::V6(address), Some((IpAddr::V6(first), bits))) => {
            (address.to_bits(), first.to_bits(), 128, bits)
        }
        _ => return false,
    };
    let Some(rest) = u32::checked_sub(length, bits) else { return false };
    whole.checked_shr(rest).unwrap_or_default() == first.checked_shr(rest).unwrap_or_default()
}

/// What the engine's folder has for a registry.
#[derive(Default)]
struct Own {
    authorities: Vec<Certificate<'static>>,
    client: Option<ClientCert>,
}

impl Own {
    fn read(folder: &Path) -> Result<Self, Failure> {
        let unreadable = |path: &Path, error: &dyn std::fmt::Display| {
            Failure::invalid(format!(
                "`{}`, which is for this registry, cannot be used: {error}",
                path.display()
            ))
        };
        let files = match fs::read_dir(folder) {
            Ok(files) => files,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(unreadable(folder, &error)),
        };
        let mut texts = BTreeMap::new();
        for path in files.map_while(Result::ok).map(|file| file.path()) {
            let is_one = path.extension().is_some_and(|end| end == "crt" || end == "cert" || end == "key");
            if is_one {
                let text = fs::read(&path).map_err(|error| unreadable(&path, &error))?;
                texts.insert(path, text);
            }
        }
        let mut own = Self::default();
        for (path, text) in &texts {
            match path.extension().and_then(|end| end.to_str()) {
                Some("crt") => own.authorities.extend(certificates(text)),
                Some("cert") => {
                    let key = texts.get(&path.with_extension("key"));
                    let key = key.ok_or_else(|| unreadable(path, &"there is no `.key` beside it"))?;
                    let key = PrivateKey::from_pem(key).map_err(|error| unreadable(path, &error))?;
                    own.client = Some(ClientCert::new_with_certs(&certificates(text), key));
                }
                _ => {}
            }
        }
        Ok(own)
    }
}

fn certificates(pem: &[u8]) -> Vec<Certificate<'static>> {
    let one = |item| match item {
        PemItem::Certificate(certificate) => Some(certificate),
        _ => None,
    };
    parse_pem(pem).filter_map(Result::ok).filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use cloudpad_engine::bollard::models::IndexInfo;

    use super::*;

    #[test]
    fn tls_is_done_without_only_where_the_engine_would() {
        let named = |secure| IndexInfo { secure: Some(secure), ..IndexInfo::default() };
        let rules = RegistryServiceConfig {
            insecure_registry_cidrs: Some(vec![
                "10.1.0.0/16".into(),
                "fd00::/8".into(),
                "odd".into(),
                "1.2.3.4/99".into(),
            ]),
            index_configs: Some(
                [("plain:5000".to_owned(), named(false)), ("safe".to_owned(), named(true))].into(),
            ),
            ..RegistryServiceConfig::default()
        };
        let cases = [
            ("r.io", "192.0.2.1", false),
            ("r.io", "10.1.2.3", true),
            ("r.io", "10.2.2.3", false),
            ("r.io", "fd12::1", true),
            ("r.io", "fe80::1", false),
            ("r.io", "127.0.0.10", true),
            ("r.io", "::1", true),
            ("plain:5000", "192.0.2.1", true),
            ("plain", "192.0.2.1", false),
            ("safe", "127.0.0.1", false),
        ];
        for (host, address, expected) in cases {
            assert_eq!(is_insecure(host, &[address.parse().unwrap()], &rules), expected, "{host} {address}");
        }
        assert!(!is_insecure("r.io", &[], &rules));
        assert_eq!(addresses("127.0.0.1:5000"), ["127.0.0.1".parse::<IpAddr>().unwrap()]);
        assert_eq!(addresses("[::1]"), ["::1".parse::<IpAddr>().unwrap()]);
    }

    #[test]
    fn certificates_that_are_not_whole_are_told() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Own::read(&folder.path().join("none")).is_ok_and(|own| own.authorities.is_empty()));
        fs::write(folder.path().join("client.cert"), "").unwrap();
        let why = |own: Result<Own, Failure>| own.err().unwrap().message;
        assert!(why(Own::read(folder.path())).ends_with("there is no `.key` beside it"));
        fs::write(folder.path().join("client.key"), "nonsense").unwrap();
        assert!(why(Own::read(folder.path())).contains("client.cert`"));
    }
}
