//! The device key in the TPM or in the software key store, both through CNG.
//!
//! A key counts as made only when it has been opened again by its name and has signed something that its
//! public half verifies. So neither a TPM that only seems to be there nor a store that forgets (Wine's)
//! ever gets to keep a terminal's identity.

use anyhow::{Context, bail};
use data_encoding::BASE64;
use mngntime_ledger::Digest;
use mngntime_wire::PublicKey;
use windows_sys::Win32::Foundation::{NTE_DEVICE_NOT_FOUND, NTE_DEVICE_NOT_READY, TBS_E_TPM_NOT_FOUND};

use super::super::{KeyStore, MadeKey, StoreFailure};
use super::ffi::WindowsError;
use super::ffi::cng::{self, Cng};
use super::ffi::security;

/// Windows has one; whether it can be used is another matter.
pub const HAS_KEY_STORE: bool = true;
/// Full access for the system and for Administrators, nobody else.
const RIGHTS: &str = "D:P(A;;GA;;;SY)(A;;GA;;;BA)";
/// What the TPM's provider says where there is no TPM, or none that has been made ready.
const NO_TPM: [u32; 3] = [
    NTE_DEVICE_NOT_READY.cast_unsigned(),
    NTE_DEVICE_NOT_FOUND.cast_unsigned(),
    TBS_E_TPM_NOT_FOUND.cast_unsigned(),
];
/// What a new key has to sign.
const PROBE: &[u8] = b"MngnTime";

/// Makes the key `name` in the TPM, else in software. In neither when this process may not make keys of the
/// PC, which is no failure.
#[must_use]
pub fn make_stored_key(name: &str) -> MadeKey {
    let mut made = MadeKey::default();
    if !security::is_administrator().unwrap_or(false) {
        return made;
    }
    for store in [KeyStore::Tpm, KeyStore::Software] {
        match make(store, name) {
            Ok(public) => {
                made.key = Some((store, public));
                break;
            }
            Err(error) if store == KeyStore::Tpm && is_no_tpm(&error) => {}
            Err(error) => made.failures.push(StoreFailure { store, why: format!("{error:#}") }),
        }
    }
    made
}

/// Whether the error is that of a PC without a TPM that is in use.
fn is_no_tpm(error: &anyhow::Error) -> bool {
    let code = error.downcast_ref::<WindowsError>().and_then(WindowsError::code);
    code.is_some_and(|code| NO_TPM.contains(&code))
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
    use crate::identity::{self, DeviceKey, KeyClass};

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

    fn load(state_dir: &Path) -> DeviceKey {
        identity::load_or_make_key(state_dir, None).unwrap().key
    }

    fn marker(state_dir: &Path) -> String {
        fs::read_to_string(state_dir.join("device.key")).unwrap()
    }

    #[test]
    fn a_key_is_made_found_again_and_its_signature_verifies() {
        let _present = Present::stores(&[SOFTWARE]);
        let (store, public) = make_stored_key("made").key.unwrap();
        assert_eq!(store, KeyStore::Software);
        assert!(public.to_string().starts_with("p256:"));
        let signature = BASE64.encode(&sign_with_stored_key(store, "made", b"message").unwrap());
        assert!(public.verifies(b"message", &signature));
        assert!(!public.verifies(b"messagf", &signature));
    }

    #[test]
    fn a_taken_name_is_not_overwritten_and_a_deleted_key_is_gone() {
        let _present = Present::stores(&[SOFTWARE]);
        let (store, public) = make_stored_key("taken").key.unwrap();
        assert!(make_stored_key("taken").key.is_none());
        let signature = BASE64.encode(&sign_with_stored_key(store, "taken", b"message").unwrap());
        assert!(public.verifies(b"message", &signature));
        delete_stored_key(store, "taken").unwrap();
        let error = format!("{:#}", sign_with_stored_key(store, "taken", b"message").unwrap_err());
        assert!(error.starts_with("cannot open key \"taken\" in Microsoft Software Key"), "{error}");
    }

    #[test]
    fn the_tpm_comes_before_the_software_store() {
        let _present = Present::stores(&[SOFTWARE, TPM]);
        assert_eq!(make_stored_key("best").key.unwrap().0, KeyStore::Tpm);
    }

    #[test]
    fn a_tpm_that_is_there_and_fails_is_told_and_one_that_is_not_is_not() {
        let present = Present::stores(&[SOFTWARE, TPM]);
        assert!(make_stored_key("first").failures.is_empty());
        // The TPM holds a key of this name: there, and unable to make it.
        let made = make_stored_key("first");
        assert_eq!(made.key.unwrap().0, KeyStore::Software);
        let [failure] = &*made.failures else { panic!("{:?}", made.failures) };
        assert!(failure.store == KeyStore::Tpm && failure.why.contains("Platform"), "{failure:?}");
        drop(present);
        let present = Present::stores(&[SOFTWARE]);
        assert!(make_stored_key("second").failures.is_empty(), "no TPM is no failure");
        drop(present);
        let _present = Present::stores(&[]);
        let made = make_stored_key("third");
        assert!(made.key.is_none());
        assert!(matches!(&*made.failures, [StoreFailure { store: KeyStore::Software, .. }]), "{made:?}");
    }

    #[test]
    fn without_a_key_store_the_key_is_a_file_and_stays_one() {
        let directory = tempfile::tempdir().unwrap();
        let present = Present::stores(&[]);
        let file = load(directory.path());
        assert_eq!(file.class(), KeyClass::File);
        drop(present);
        let _present = Present::stores(&[SOFTWARE, TPM]);
        let again = load(directory.path());
        assert_eq!((again.class(), again.public()), (KeyClass::File, file.public()));
    }

    #[test]
    fn a_terminal_keeps_the_key_it_has_in_the_tpm() {
        let _present = Present::stores(&[TPM]);
        let directory = tempfile::tempdir().unwrap();
        assert!(identity::find_key(directory.path(), None).unwrap().is_none());
        let made = load(directory.path());
        let again = load(directory.path());
        assert_eq!((again.class(), again.public()), (KeyClass::Tpm, made.public()));
        assert!(made.public().verifies(b"message", &again.sign(b"message").unwrap()));
        let other = tempfile::tempdir().unwrap();
        assert_ne!(load(other.path()).public(), made.public());
    }

    #[test]
    fn a_key_that_is_gone_or_exchanged_signs_nothing_and_is_not_replaced() {
        let _present = Present::stores(&[TPM]);
        let directory = tempfile::tempdir().unwrap();
        let made = load(directory.path());
        let before = marker(directory.path());
        let name = before.split(':').nth(2).unwrap();
        delete_stored_key(KeyStore::Tpm, name).unwrap();
        let key = load(directory.path());
        let error = format!("{:#}", anyhow::Error::from(key.sign(b"message").unwrap_err()));
        assert!(error.contains("run enroll") && error.contains(name), "{error}");

        make_stored_key(name).key.unwrap();
        let error = format!("{:#}", anyhow::Error::from(key.sign(b"message").unwrap_err()));
        assert!(error.contains("another key has this name"), "{error}");
        assert_eq!((marker(directory.path()), key.public()), (before, made.public()));
    }
}
