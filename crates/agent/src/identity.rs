//! The terminal's key.
//!
//! Made once, on the PC, and never sent anywhere: the server pins its public half at enrolment. A key that
//! is there is used for ever, whatever better place there may be by now: another key is another terminal.
//! For the same reason no key is made in place of one that the journal says the terminal was enrolled with;
//! only a person who runs `enroll` does that. A terminal without its key records and does not send.
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
use mngntime_agent_core::{Message, MessageId};
use mngntime_ledger::Digest;
use mngntime_wire::{PublicKey, SecretKey, Signer, SigningFailed};

use crate::journal::Enrollment;
use crate::platform::{self, Host, KeyStore, StoreFailure};

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

/// Why the terminal has no key to sign with.
#[derive(Debug, thiserror::Error)]
pub enum KeyTrouble {
    /// It can be neither read nor made.
    #[error("{0:#}")]
    Unusable(anyhow::Error),
    /// The terminal is enrolled with a key that is not here.
    #[error(
        "the key that this terminal was enrolled with is missing: {0}; restore it from a backup, or run \
         enroll, which makes this PC a new terminal"
    )]
    Missing(String),
}

impl KeyTrouble {
    /// The line for the event log.
    #[must_use]
    pub fn message(&self) -> Message {
        match self {
            Self::Unusable(error) => Message::new(MessageId::KeyUnusable, vec![format!("{error:#}")]),
            Self::Missing(what) => Message::new(MessageId::KeyMissing, vec![what.clone()]),
        }
    }
}

/// A key that can be used, and what there is to say of its making.
#[derive(Debug)]
pub struct Loaded {
    /// The key.
    pub key: DeviceKey,
    /// The line for the event log when it has just been made in a lesser place than the PC might offer.
    pub warning: Option<Message>,
}

/// The key of the terminal that `enrollment` is of. Makes one (in the TPM, else in the OS's key store, else
/// as a file) when there is none and none is known to have been enrolled.
///
/// # Errors
/// [`KeyTrouble`]. A stored key is not opened here.
pub fn load_or_make_key(state_dir: &Path, enrollment: Option<&Enrollment>) -> Result<Loaded, KeyTrouble> {
    match find_key(state_dir, enrollment)? {
        Some(key) => Ok(Loaded { key, warning: None }),
        None => make_key(state_dir).map_err(KeyTrouble::Unusable),
    }
}

/// The same without ever making one; `None` when none has been made yet.
///
/// # Errors
/// [`KeyTrouble`].
pub fn find_key(state_dir: &Path, enrollment: Option<&Enrollment>) -> Result<Option<DeviceKey>, KeyTrouble> {
    let key = load_key(state_dir).map_err(KeyTrouble::Unusable)?;
    let Some(enrolled) = enrollment.and_then(|enrollment| enrollment.public_key.as_deref()) else {
        return Ok(key);
    };
    let path = state_dir.join(FILE);
    match key {
        Some(key) if key.public().to_string() == enrolled => Ok(Some(key)),
        Some(_) => Err(KeyTrouble::Missing(format!("{} holds another key", path.display()))),
        None => Err(KeyTrouble::Missing(format!("{} is not there or empty", path.display()))),
    }
}

fn load_key(state_dir: &Path) -> anyhow::Result<Option<DeviceKey>> {
    let path = state_dir.join(FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    if text.is_empty() {
        // Before the first enrolment: made by a run that a power cut ended before it wrote; nobody has seen
        // that key.
        return Ok(None);
    }
    match parse(text.trim(), &path) {
        Some(place) => Ok(Some(DeviceKey(place))),
        None => bail!(
            "{} is damaged; restore it from a backup, or remove it and run enroll, which makes this PC a new \
             terminal",
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

fn make_key(state_dir: &Path) -> anyhow::Result<Loaded> {
    let file = state_dir.join(FILE);
    let name = format!("{NAME_PREFIX}{}", HEXLOWER.encode(&random::<16>()?));
    let made = platform::make_stored_key(&name);
    let key = match made.key {
        Some((store, public)) => name_stored_key(StoredKey { store, name, public, file }, state_dir)?,
        None => make_key_file(&file, state_dir)?,
    };
    let warning = lesser_place(key.class(), &made.failures);
    Ok(Loaded { key, warning })
}

fn name_stored_key(key: StoredKey, state_dir: &Path) -> anyhow::Result<DeviceKey> {
    if let Err(error) = write_durably(&key.file, key.marker().as_bytes(), state_dir) {
        // Nothing names this key; should it stay behind, it only takes up room in the key store.
        let _ = platform::delete_stored_key(key.store, &key.name);
        return Err(error);
    }
    Ok(DeviceKey(Place::Store(key)))
}

/// What to say of better places that failed.
fn lesser_place(class: KeyClass, failures: &[StoreFailure]) -> Option<Message> {
    let each = failures.iter().map(|failure| format!("{}: {}", failure.store.name(), failure.why));
    let why = each.collect::<Vec<_>>().join("; ");
    let text = format!("{why}; the key is kept as: {}", class.name());
    (!failures.is_empty()).then(|| Message::new(MessageId::KeyStoreUnavailable, vec![text]))
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

    fn made(state_dir: &Path) -> DeviceKey {
        load_or_make_key(state_dir, None).unwrap().key
    }

    fn enrollment(public_key: Option<String>) -> Enrollment {
        let text = String::new;
        Enrollment {
            contract: text(),
            server_url: text(),
            terminal: text(),
            server_key: text(),
            display_name: text(),
            public_key,
        }
    }

    #[test]
    fn the_key_stays_the_same_and_a_damaged_one_is_not_replaced() {
        let temp = tempfile::tempdir().unwrap();
        let first = made(temp.path());
        let again = made(temp.path());
        assert_eq!((again.public(), again.class()), (first.public(), first.class()));
        let half_a_marker = format!("cng:tpm:{NAME_PREFIX}0a1b:p256:BGD");
        for damaged in ["abc", "cng:", "cng:cloud:x:y", &half_a_marker] {
            fs::write(temp.path().join(FILE), damaged).unwrap();
            let error = load_or_make_key(temp.path(), None).unwrap_err().to_string();
            assert!(error.contains("device.key is damaged"), "{error}");
            assert_eq!(fs::read_to_string(temp.path().join(FILE)).unwrap(), damaged);
        }
    }

    #[test]
    fn a_key_file_that_a_power_cut_left_empty_is_made_anew() {
        let temp = tempfile::tempdir().unwrap();
        fs::write(temp.path().join(FILE), "").unwrap();
        assert!(find_key(temp.path(), None).unwrap().is_none());
        assert_eq!(made(temp.path()).class(), KeyClass::File);
    }

    #[test]
    fn a_pc_with_a_key_file_keeps_it_wherever_new_keys_are_made() {
        let temp = tempfile::tempdir().unwrap();
        fs::write(temp.path().join(FILE), format!("{}\n", "07".repeat(32))).unwrap();
        let key = made(temp.path());
        assert_eq!(key.class(), KeyClass::File);
        assert_eq!(key.public(), SecretKey::from_seed(&[7; 32]).public());
    }

    #[test]
    fn a_stored_key_that_does_not_open_signs_nothing_says_what_to_do_and_is_not_replaced() {
        let temp = tempfile::tempdir().unwrap();
        let marker = format!("cng:tpm:{NAME_PREFIX}00112233445566778899aabbccddeeff:{PUBLIC}\n");
        fs::write(temp.path().join(FILE), &marker).unwrap();
        let key = made(temp.path());
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
        let keys = [made(one.path()), made(other.path())];
        assert_ne!(keys[0].public(), keys[1].public());
        for key in keys {
            assert!(key.public().verifies(b"message", &key.sign(b"message").unwrap()));
        }
    }

    #[test]
    fn no_key_is_made_in_place_of_the_one_that_was_enrolled() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join(FILE);
        let key = made(temp.path());
        let backup = fs::read_to_string(&file).unwrap();
        let enrolled = enrollment(Some(key.public().to_string()));
        let load = || load_or_make_key(temp.path(), Some(&enrolled));
        assert_eq!(load().unwrap().key.public(), key.public());

        let another = format!("{}\n", "07".repeat(32));
        for (content, what) in [(None, "not there"), (Some(""), "empty"), (Some(&*another), "another key")] {
            fs::remove_file(&file).unwrap();
            content.iter().for_each(|content| fs::write(&file, content).unwrap());
            let trouble = load().unwrap_err();
            assert_eq!(trouble.message().id(), MessageId::KeyMissing);
            assert!(trouble.to_string().contains(what), "{trouble}");
            assert_eq!(fs::read_to_string(&file).ok().as_deref(), content);
            fs::write(&file, &backup).unwrap();
        }
        assert_eq!(load().unwrap().key.public(), key.public(), "restored");
    }

    #[test]
    fn a_person_who_enrols_gets_a_new_key_and_so_does_an_old_journal() {
        let temp = tempfile::tempdir().unwrap();
        let old = enrollment(None);
        assert!(find_key(temp.path(), Some(&old)).unwrap().is_none(), "looking makes nothing");
        assert!(!temp.path().join(FILE).exists());
        let key = load_or_make_key(temp.path(), Some(&old)).unwrap().key;
        assert_eq!(made(temp.path()).public(), key.public());
    }

    #[test]
    fn a_better_place_that_failed_is_told_with_its_reason() {
        assert_eq!(lesser_place(KeyClass::File, &[]), None, "there is none better here");
        let failure = StoreFailure { store: KeyStore::Tpm, why: "locked out".to_owned() };
        let message = lesser_place(KeyClass::Software, &[failure]).unwrap();
        assert_eq!(message.id(), MessageId::KeyStoreUnavailable);
        assert_eq!(message.inserts(), ["tpm: locked out; the key is kept as: software"]);
    }
}
