//! The device key in the TPM or in the software key store, both through CNG.
//!
//! A key counts as made only when it has been opened again by its name and has signed something that its
//! public half verifies. So neither a TPM that only seems to be there nor a store that forgets (Wine's)
//! ever gets to keep a terminal's identity.

use anyhow::{Context, bail};
use data_encoding::BASE64;
use mngntime_ledger::Digest;
use mngntime_wire::PublicKey;

use super::super::KeyStore;
use super::ffi::cng::{self, Cng};
use super::ffi::security;

/// Full access for the system and for Administrators, nobody else.
const RIGHTS: &str = "D:P(A;;GA;;;SY)(A;;GA;;;BA)";
/// What a new key has to sign.
const PROBE: &[u8] = b"MngnTime";

/// Makes the key `name` in the TPM, else in software. `None` when neither does it, or when this process may
/// not make keys of the PC.
#[must_use]
pub fn make_stored_key(name: &str) -> Option<(KeyStore, PublicKey)> {
    if !security::is_administrator().unwrap_or(false) {
        return None;
    }
    [KeyStore::Tpm, KeyStore::Software]
        .into_iter()
        .find_map(|store| make(store, name).ok().map(|public| (store, public)))
}

/// ECDSA P-256 with SHA-256 over `message`: `r` and `s`, 32 bytes each, big-endian.
///
/// # Errors
/// When the store does not open, has no such key (any more), or refuses to sign.
pub fn sign_with_stored_key(store: KeyStore, name: &str, message: &[u8]) -> anyhow::Result<[u8; 64]> {
    let digest = Digest::of(message);
    let cng = functions()?;
    Ok(cng.provider(provider(store))?.open_key(name)?.sign(digest.as_bytes())?)
}

/// Deletes the key `name`.
///
/// # Errors
/// When the store has no such key or refuses.
pub fn delete_stored_key(store: KeyStore, name: &str) -> anyhow::Result<()> {
    let cng = functions()?;
    Ok(cng.provider(provider(store))?.open_key(name)?.delete()?)
}

fn make(store: KeyStore, name: &str) -> anyhow::Result<PublicKey> {
    let cng = functions()?;
    let point = cng.provider(provider(store))?.create_key(name, RIGHTS)?.public_point()?;
    let proven = prove(store, name, &point);
    if proven.is_err() {
        // What cannot be deleted is left behind under a name that nothing knows.
        let _ = delete_stored_key(store, name);
    }
    proven
}

fn prove(store: KeyStore, name: &str, point: &[u8]) -> anyhow::Result<PublicKey> {
    let public = PublicKey::from_p256_point(point).context("the key store gives no P-256 point")?;
    let signature = BASE64.encode(&sign_with_stored_key(store, name, PROBE)?);
    if !public.verifies(PROBE, &signature) {
        bail!("the key store signs with another key");
    }
    Ok(public)
}

fn functions() -> anyhow::Result<Cng> {
    Cng::load().context("this Windows has no key store (ncrypt.dll)")
}

fn provider(store: KeyStore) -> cng::ProviderName {
    match store {
        KeyStore::Tpm => cng::ProviderName::Platform,
        KeyStore::Software => cng::ProviderName::Software,
    }
}

/// Against `e2e/wine/ncrypt.c`, which `e2e/wine/setup.sh` puts into the prefix. That a real TPM or key store
/// keeps its secret to itself is seen on a real PC only.
#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use mngntime_wire::Signer as _;

    use super::*;
    use crate::identity::{KeyClass, key_class, load_or_make_key};

    const SOFTWARE: &str = r"C:\mngntime-test-cng";
    const TPM: &str = r"C:\mngntime-test-tpm";
    const KEYS: &str = r"C:\mngntime-test-keys";
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

    /// What the PC has, as long as this lives.
    struct Present {
        _turn: MutexGuard<'static, ()>,
    }

    impl Present {
        fn stores(stores: &[&str]) -> Self {
            let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
            // Of a run that was cut off.
            let _ = fs::remove_dir_all(KEYS);
            [SOFTWARE, TPM].into_iter().for_each(|store| drop(fs::remove_file(store)));
            stores.iter().for_each(|store| fs::write(store, b"").unwrap());
            Self { _turn: turn }
        }
    }

    impl Drop for Present {
        fn drop(&mut self) {
            [SOFTWARE, TPM].into_iter().for_each(|store| drop(fs::remove_file(store)));
        }
    }

    fn marker(state_dir: &Path) -> String {
        fs::read_to_string(state_dir.join("device.key")).unwrap()
    }

    #[test]
    fn a_key_is_made_found_again_and_its_signature_verifies() {
        let _present = Present::stores(&[SOFTWARE]);
        let (store, public) = make_stored_key("made").unwrap();
        assert_eq!(store, KeyStore::Software);
        assert!(public.to_string().starts_with("p256:"));
        let signature = BASE64.encode(&sign_with_stored_key(store, "made", b"message").unwrap());
        assert!(public.verifies(b"message", &signature));
        assert!(!public.verifies(b"messagf", &signature));
    }

    #[test]
    fn a_taken_name_is_not_overwritten_and_a_deleted_key_is_gone() {
        let _present = Present::stores(&[SOFTWARE]);
        let (store, public) = make_stored_key("taken").unwrap();
        assert_eq!(make_stored_key("taken"), None);
        let signature = BASE64.encode(&sign_with_stored_key(store, "taken", b"message").unwrap());
        assert!(public.verifies(b"message", &signature));
        delete_stored_key(store, "taken").unwrap();
        let error = format!("{:#}", sign_with_stored_key(store, "taken", b"message").unwrap_err());
        assert!(error.starts_with("cannot open key \"taken\" in Microsoft Software Key"), "{error}");
    }

    #[test]
    fn the_tpm_comes_before_the_software_store() {
        let _present = Present::stores(&[SOFTWARE, TPM]);
        assert_eq!(make_stored_key("best").unwrap().0, KeyStore::Tpm);
    }

    #[test]
    fn without_a_key_store_the_key_is_a_file_and_stays_one() {
        let directory = tempfile::tempdir().unwrap();
        let present = Present::stores(&[]);
        let file = load_or_make_key(directory.path()).unwrap();
        assert_eq!(file.class(), KeyClass::File);
        drop(present);
        let _present = Present::stores(&[SOFTWARE, TPM]);
        let again = load_or_make_key(directory.path()).unwrap();
        assert_eq!((again.class(), again.public()), (KeyClass::File, file.public()));
    }

    #[test]
    fn a_terminal_keeps_the_key_it_has_in_the_tpm() {
        let _present = Present::stores(&[TPM]);
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(key_class(directory.path()).unwrap(), None);
        let made = load_or_make_key(directory.path()).unwrap();
        let again = load_or_make_key(directory.path()).unwrap();
        assert_eq!((again.class(), again.public()), (KeyClass::Tpm, made.public()));
        assert_eq!(key_class(directory.path()).unwrap(), Some(KeyClass::Tpm));
        assert!(made.public().verifies(b"message", &again.sign(b"message").unwrap()));
        let other = tempfile::tempdir().unwrap();
        assert_ne!(load_or_make_key(other.path()).unwrap().public(), made.public());
    }

    #[test]
    fn a_key_that_is_gone_or_exchanged_signs_nothing_and_is_not_replaced() {
        let _present = Present::stores(&[TPM]);
        let directory = tempfile::tempdir().unwrap();
        let made = load_or_make_key(directory.path()).unwrap();
        let before = marker(directory.path());
        let name = before.split(':').nth(2).unwrap();
        delete_stored_key(KeyStore::Tpm, name).unwrap();
        let key = load_or_make_key(directory.path()).unwrap();
        let error = format!("{:#}", anyhow::Error::from(key.sign(b"message").unwrap_err()));
        assert!(error.contains("run enroll") && error.contains(name), "{error}");

        make_stored_key(name).unwrap();
        let error = format!("{:#}", anyhow::Error::from(key.sign(b"message").unwrap_err()));
        assert!(error.contains("another key has this name"), "{error}");
        assert_eq!((marker(directory.path()), key.public()), (before, made.public()));
    }
}
