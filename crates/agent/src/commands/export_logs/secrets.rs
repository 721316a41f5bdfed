//! What must not leave the PC with a zip: the enrolment key, passwords in addresses, the device key.
//!
//! No report prints a secret; this is the second lock. It also covers what is not ours to word: lines that an
//! older version wrote to the OS's log, or the text of an error.

use std::fs;

use crate::config::{Config, ProxySetting};

/// Holds the device key, in hexadecimal, unless the key is in a key store.
const DEVICE_KEY_FILE: &str = "device.key";
/// Begins the content of [`DEVICE_KEY_FILE`] that only names a key in a key store.
const STORED_KEY_PREFIX: &str = "cng:";
/// What stands in a secret's place.
const INSTEAD: &str = "(secret)";
/// A shorter secret is not searched for: it would be found in ordinary words.
const LENGTH_MIN: usize = 6;

/// The secrets of this PC, as texts.
pub struct Secrets(Vec<String>);

impl Secrets {
    /// Those of the configuration in force and of the state directory, as far as they may be read.
    pub fn of(config: &Config) -> Self {
        let mut secrets: Vec<String> = config.enrollment_key.iter().cloned().collect();
        if let ProxySetting::Explicit(address) = &config.proxy {
            secrets.extend(password(address));
        }
        secrets.extend(config.server_url.as_deref().into_iter().flat_map(password));
        let key = fs::read_to_string(config.state_dir.join(DEVICE_KEY_FILE)).unwrap_or_default();
        if !key.starts_with(STORED_KEY_PREFIX) {
            secrets.push(key.trim().to_owned());
        }
        secrets.retain(|secret| secret.len() >= LENGTH_MIN);
        // The longest first: one may be a part of another.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self(secrets)
    }

    /// The file without secrets, or `None` when it is no text and holds one: then it cannot be had at all.
    pub fn taken_out_of(&self, bytes: Vec<u8>) -> Option<Vec<u8>> {
        if !self.0.iter().any(|secret| holds(&bytes, secret)) {
            return Some(bytes);
        }
        let text = String::from_utf8(bytes).ok()?;
        let clean = self.0.iter().fold(text, |text, secret| text.replace(secret, INSTEAD)).into_bytes();
        // In UTF-16 it would still be there.
        (!self.0.iter().any(|secret| holds(&clean, secret))).then_some(clean)
    }
}

/// Whether the bytes hold the text in UTF-8 or UTF-16, as Windows writes its logs.
fn holds(bytes: &[u8], text: &str) -> bool {
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    [text.as_bytes(), &wide].iter().any(|needle| bytes.windows(needle.len()).any(|part| part == *needle))
}

/// The password in `scheme://user:password@host`, as written and with its `%41` resolved.
fn password(address: &str) -> Vec<String> {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let Some((user_and_password, _)) = authority.rsplit_once('@') else { return Vec::new() };
    let Some((_, password)) = user_and_password.split_once(':') else { return Vec::new() };
    vec![password.to_owned(), resolved(password)]
}

fn resolved(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let number = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
        match after.get(..2).filter(|_| *first == b'%').and_then(number) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_found_in_addresses_only() {
        assert_eq!(password("http://bob:p%40ss-word@proxy:8080/x"), ["p%40ss-word", "p@ss-word"]);
        assert_eq!(password("http://b:a@b@proxy"), ["a@b", "a@b"]);
        for none in ["http://proxy:8080", "https://a/b:c@d", "http://bob@proxy", "", "100%"] {
            assert!(password(none).is_empty(), "{none}");
        }
        assert_eq!(resolved("100%"), "100%");
        assert_eq!(resolved("%4"), "%4");
    }

    #[test]
    fn a_text_loses_its_secrets_and_a_binary_file_is_not_given_out() {
        let secrets = Secrets(vec!["geheim-lang".to_owned(), "geheim".to_owned()]);
        let clean = secrets.taken_out_of("a geheim-lang b geheim".into()).unwrap();
        assert_eq!(clean, b"a (secret) b (secret)");
        let wide: Vec<u8> = "x geheim".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(secrets.taken_out_of(wide), None);
        assert_eq!(secrets.taken_out_of([b"\xff\x00geheim".as_slice()].concat()), None);
        assert_eq!(secrets.taken_out_of(vec![0xff, 0]), Some(vec![0xff, 0]));
    }
}
