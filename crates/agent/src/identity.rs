//! The terminal's key.
//!
//! Made once, on the PC, and never sent anywhere: the server pins its public half at enrolment. A key that
//! is there is used for ever, whatever better place there may be by now: another key is another terminal.
//!
//! `device.key` in the state directory says where it is:
//!
//! | content | class | the secret |
//! |---|---|---|
//! | `cng:tpm:NAME:PUBLIC KEY` | `tpm` | in the PC's TPM |
//! | `cng:software:NAME:PUBLIC KEY` | `software` | in the key store of Windows, which does not give it out |
//! | 64 hexadecimal digits | `file` | the file itself: an Ed25519 seed that only the system may read |
//!
//! The name ends in a random number, so that two state directories on one PC never share a key. The public
//! key stands in the file so that recording can start while the TPM is not ready yet, and so that another
//! key under the same name is noticed. What a stored key cannot sign is not sent; it is kept and reported.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use data_encoding::{BASE64, HEXLOWER};
use mngntime_ledger::Digest;
use mngntime_wire::{PublicKey, SecretKey, Signer, SigningFailed};

use crate::platform::{self, Host, KeyStore};

const FILE: &str = "device.key";
/// Begins the content that names a key in the OS's key store.
const STORED_PREFIX: &str = "cng:";
/// Begins the name of a stored key; a random number follows.
const NAME_PREFIX: &str = "MngnTime device key ";

/// How the secret is kept: a word of the wire contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyClass {
    /// In the PC's TPM.
    Tpm,
    /// In the OS's key store, which does not give it out.
    Software,
    /// In a file that only the system may read.
    File,
}

impl KeyClass {
    /// The word, as told at enrolment.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Tpm => "tpm",
            Self::Software => "software",
            Self::File => "file",
        }
    }
}

/// The terminal's key, wherever its secret is.
#[derive(Debug)]
pub struct DeviceKey(Place);

#[derive(Debug)]
enum Place {
    File(SecretKey),
    Store(StoredKey),
}

/// A key in the OS's key store. It is opened for each signature: a handle that is kept would outlive a
/// restart of the store's service or a reset of the TPM.
#[derive(Debug)]
struct StoredKey {
    store: KeyStore,
    name: String,
    public: PublicKey,
    /// The file that names it, for the texts of errors.
    file: PathBuf,
}

impl DeviceKey {
    /// How the secret is kept.
    #[must_use]
    pub fn class(&self) -> KeyClass {
        match &self.0 {
            Place::File(_) => KeyClass::File,
            Place::Store(StoredKey { store: KeyStore::Tpm, .. }) => KeyClass::Tpm,
            Place::Store(StoredKey { store: KeyStore::Software, .. }) => KeyClass::Software,
        }
    }
}

impl Signer for DeviceKey {
    fn public(&self) -> PublicKey {
        match &self.0 {
            Place::File(key) => key.public(),
            Place::Store(key) => key.public,
        }
    }

    fn sign(&self, message: &[u8]) -> Result<String, SigningFailed> {
        match &self.0 {
            Place::File(key) => key.sign(message),
            Place::Store(key) => key.sign(message),
        }
    }
}

impl StoredKey {
    fn sign(&self, message: &[u8]) -> Result<String, SigningFailed> {
        self.signature(message).map_err(|error| SigningFailed {
            key: format!("the key \"{}\" in the key store ({})", self.name, self.store.name()),
            source: error.into(),
        })
    }

    fn signature(&self, message: &[u8]) -> anyhow::Result<String> {
        let bytes = platform::sign_with_stored_key(self.store, &self.name, message)
            .map_err(|error| anyhow!("{error:#}; {}", self.advice()))?;
        let signature = BASE64.encode(&bytes);
        if !self.public.verifies(message, &signature) {
            bail!("another key has this name by now; {}", self.advice());
        }
        Ok(signature)
    }

    fn advice(&self) -> String {
        format!(
            "if this lasts, the disk was copied to this PC from another one, the TPM was cleared or the \
             mainboard replaced: stop the service, remove {} and run enroll, which makes this PC a new \
             terminal",
            self.file.display()
        )
    }

    fn marker(&self) -> String {
        format!("{STORED_PREFIX}{}:{}:{}\n", self.store.name(), self.name, self.public)
    }

    fn parse(text: &str, file: &Path) -> Option<Self> {
        let (store, rest) = text.strip_prefix(STORED_PREFIX)?.split_once(':')?;
        let (name, public) = rest.split_once(':')?;
        let number = name.strip_prefix(NAME_PREFIX)?;
        HEXLOWER.decode(number.as_bytes()).ok().filter(|number| !number.is_empty())?;
        Some(Self {
            store: KeyStore::parse(store)?,
            name: name.to_owned(),
            public: PublicKey::parse(public).ok()?,
            file: file.to_owned(),
        })
    }
}

/// Reads which key the terminal has, or makes one: in the TPM, else in the OS's key store, else as a file.
///
/// # Errors
/// When the file cannot be read or made, or holds something else. A stored key is not opened here.
pub fn load_or_make_key(state_dir: &Path) -> anyhow::Result<DeviceKey> {
    match load_key(state_dir)? {
        Some(key) => Ok(key),
        None => make_key(state_dir),
    }
}

/// How the terminal's key is kept; `None` when there is none yet. Reads only.
///
/// # Errors
/// When the file cannot be read, or holds something else.
pub fn key_class(state_dir: &Path) -> anyhow::Result<Option<KeyClass>> {
    Ok(load_key(state_dir)?.map(|key| key.class()))
}

fn load_key(state_dir: &Path) -> anyhow::Result<Option<DeviceKey>> {
    let path = state_dir.join(FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    if text.is_empty() {
        // Made by a run that a power cut ended before it wrote: nobody has seen that key.
        return Ok(None);
    }
    match parse(text.trim(), &path) {
        Some(place) => Ok(Some(DeviceKey(place))),
        None => bail!(
            "{} is damaged; restore it from a backup, or remove it to enrol this PC as a new terminal",
            path.display()
        ),
    }
}

fn parse(text: &str, path: &Path) -> Option<Place> {
    if let Some(key) = StoredKey::parse(text, path) {
        return Some(Place::Store(key));
    }
    let seed = <[u8; 32]>::try_from(HEXLOWER.decode(text.as_bytes()).ok()?).ok()?;
    Some(Place::File(SecretKey::from_seed(&seed)))
}

fn make_key(state_dir: &Path) -> anyhow::Result<DeviceKey> {
    let file = state_dir.join(FILE);
    let name = format!("{NAME_PREFIX}{}", HEXLOWER.encode(&random::<16>()?));
    let Some((store, public)) = platform::make_stored_key(&name) else {
        return make_key_file(&file, state_dir);
    };
    let key = StoredKey { store, name, public, file };
    if let Err(error) = write_durably(&key.file, key.marker().as_bytes(), state_dir) {
        // Nothing names this key; should it stay behind, it only takes up room in the key store.
        let _ = platform::delete_stored_key(store, &key.name);
        return Err(error);
    }
    Ok(DeviceKey(Place::Store(key)))
}

fn make_key_file(path: &Path, state_dir: &Path) -> anyhow::Result<DeviceKey> {
    let seed = random::<32>()?;
    write_durably(path, format!("{}\n", HEXLOWER.encode(&seed)).as_bytes(), state_dir)?;
    Ok(DeviceKey(Place::File(SecretKey::from_seed(&seed))))
}

fn random<const BYTES: usize>() -> anyhow::Result<[u8; BYTES]> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).context("the OS gives no random numbers")?;
    Ok(bytes)
}

fn write_durably(path: &Path, bytes: &[u8], state_dir: &Path) -> anyhow::Result<()> {
    write_secret(path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    platform::sync_directory(state_dir).context("cannot make the key file durable")
}

fn write_secret(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Digest of what the PC is made of: another digest at a later contact means another PC or a new OS.
#[must_use]
pub fn makeup(host: &Host) -> String {
    Digest::of(host.makeup.join("\n").as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6979, A.2.5.
    const PUBLIC: &str =
        "p256:BGD+1LolWp0xyWHrdMY1bWjASbiSO2H6bOZpYi5g8p+2eQP+EAi4vJmkGunpVii8ZPLxsgwtfp9Rd6PClNRGIpk=";

    #[test]
    fn the_key_stays_the_same_and_a_damaged_one_is_not_replaced() {
        let temp = tempfile::tempdir().unwrap();
        let made = load_or_make_key(temp.path()).unwrap();
        let again = load_or_make_key(temp.path()).unwrap();
        assert_eq!((again.public(), again.class()), (made.public(), made.class()));
        let half_a_marker = format!("cng:tpm:{NAME_PREFIX}0a1b:p256:BGD");
        for damaged in ["abc", "cng:", "cng:cloud:x:y", &half_a_marker] {
            fs::write(temp.path().join(FILE), damaged).unwrap();
            let error = load_or_make_key(temp.path()).unwrap_err().to_string();
            assert!(error.contains("device.key is damaged"), "{error}");
            assert_eq!(fs::read_to_string(temp.path().join(FILE)).unwrap(), damaged);
        }
    }

    #[test]
    fn a_key_file_that_a_power_cut_left_empty_is_made_anew() {
        let temp = tempfile::tempdir().unwrap();
        fs::write(temp.path().join(FILE), "").unwrap();
        assert_eq!(key_class(temp.path()).unwrap(), None);
        assert!(load_or_make_key(temp.path()).is_ok());
    }

    #[test]
    fn a_pc_with_a_key_file_keeps_it_wherever_new_keys_are_made() {
        let temp = tempfile::tempdir().unwrap();
        fs::write(temp.path().join(FILE), format!("{}\n", "07".repeat(32))).unwrap();
        let key = load_or_make_key(temp.path()).unwrap();
        assert_eq!(key.class(), KeyClass::File);
        assert_eq!(key.public(), SecretKey::from_seed(&[7; 32]).public());
    }

    #[test]
    fn a_stored_key_that_does_not_open_signs_nothing_says_what_to_do_and_is_not_replaced() {
        let temp = tempfile::tempdir().unwrap();
        let marker = format!("cng:tpm:{NAME_PREFIX}00112233445566778899aabbccddeeff:{PUBLIC}\n");
        fs::write(temp.path().join(FILE), &marker).unwrap();
        let key = load_or_make_key(temp.path()).unwrap();
        assert_eq!((key.class(), key.public().to_string()), (KeyClass::Tpm, PUBLIC.to_owned()));
        let error = format!("{:#}", anyhow::Error::from(key.sign(b"message").unwrap_err()));
        for part in ["00112233445566778899aabbccddeeff", "copied to this PC", "device.key", "run enroll"] {
            assert!(error.contains(part), "{part}: {error}");
        }
        assert_eq!(fs::read_to_string(temp.path().join(FILE)).unwrap(), marker);
    }

    #[test]
    fn two_state_directories_have_two_keys() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let keys = [load_or_make_key(one.path()).unwrap(), load_or_make_key(other.path()).unwrap()];
        assert_ne!(keys[0].public(), keys[1].public());
        for key in keys {
            assert!(key.public().verifies(b"message", &key.sign(b"message").unwrap()));
        }
    }
}
