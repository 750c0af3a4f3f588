//! What can be told of a private key file without opening the key. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

/// What a private key file tells to everyone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PrivateKey {
    /// Whether it takes a passphrase to use it.
    pub encrypted: bool,
    /// The public key's blob; OpenSSH's own format has it in the clear, the others have not.
    pub public: Option<Vec<u8>>,
}

/// Reads a private key file: OpenSSH's format (`PROTOCOL.key`) or PEM. None for anything else.
pub(crate) fn private_key(text: &str) -> Option<PrivateKey> {
    let body = text.trim_start().strip_prefix("-----BEGIN ")?;
    let (label, body) = body.split_once("-----")?;
    if label != "OPENSSH PRIVATE KEY" {
        let encrypted = label.starts_with("ENCRYPTED ") || body.contains("Proc-Type: 4,ENCRYPTED");
        return label.ends_with("PRIVATE KEY").then_some(PrivateKey { encrypted, public: None });
    }
    let (body, _) = body.split_once("-----END")?;
    let packed: String = body.split_whitespace().collect();
    let bytes = BASE64.decode(packed).ok()?;
    let (cipher, rest) = string(bytes.strip_prefix(b"openssh-key-v1\0")?)?;
    let (_kdf, rest) = string(rest)?;
    let (_kdf_options, rest) = string(rest)?;
    let (_count, rest) = rest.split_first_chunk::<4>()?;
    let (public, _) = string(rest)?;
    Some(PrivateKey { encrypted: cipher != b"none", public: Some(public.to_vec()) })
}

/// The blob in a public key file (`type base64 comment`).
pub(crate) fn public_key(text: &str) -> Option<Vec<u8>> {
    let mut words = text.split_whitespace();
    let key_type = words.next()?;
    let blob = BASE64.decode(words.next()?).ok()?;
    (crate::known_hosts::key_type(&blob) == Some(key_type)).then_some(blob)
}

fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_be_bytes(*length) as usize)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// Has `ssh-keygen` make a key pair.
    fn keygen(args: &[&str]) -> (String, String) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let made = Command::new("ssh-keygen").args(["-q", "-C", "c", "-f"]).arg(&path).args(args).status();
        assert!(made.unwrap().success(), "{args:?}");
        let read = |path| std::fs::read_to_string(path).unwrap();
        (read(path.clone()), read(path.with_extension("pub")))
    }

    #[test]
    fn each_format_is_read() {
        for (args, encrypted, has_public) in [
            (["-N", "", "-t", "ed25519", "-b", "256"].as_slice(), false, true),
            (&["-N", "secret", "-t", "ed25519"], true, true),
            (&["-N", "", "-t", "ecdsa"], false, true),
            (&["-N", "", "-t", "rsa", "-b", "2048", "-m", "PEM"], false, false),
            (&["-N", "secret", "-t", "rsa", "-b", "2048", "-m", "PEM"], true, false),
            (&["-N", "secret", "-t", "ecdsa", "-m", "PKCS8"], true, false),
        ] {
            let (private, public) = keygen(args);
            let expected = public_key(&public).unwrap();
            let key = private_key(&private).unwrap();
            assert_eq!(key, PrivateKey { encrypted, public: has_public.then_some(expected) }, "{args:?}");
        }
    }

    #[test]
    fn other_files_are_no_keys() {
        for text in ["", "hello", "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"] {
            assert_eq!(private_key(text), None);
            assert_eq!(public_key(text), None);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..80), cut in 0..60usize) {
            let mut packed = b"openssh-key-v1\0\0\0\0\x04none\0\0\0\x04none\0\0\0\0\0\0\0\x01".to_vec();
            packed.truncate(cut);
            packed.extend(bytes);
            let text = format!(
                "-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n-----END OPENSSH PRIVATE KEY-----\n",
                BASE64.encode(packed)
            );
            let _ = private_key(&text);
        }
    }
}
