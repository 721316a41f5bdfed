//! The terminal's key.
//!
//! Made once, on the PC, and never sent anywhere: the server pins its public half at enrolment. Kept as a
//! file for now (`key_class` `software`); the Windows key store takes it over in its own module.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};
use data_encoding::HEXLOWER;
use mngntime_ledger::Digest;
use mngntime_wire::SecretKey;

use crate::platform::{self, Host};

const FILE: &str = "device.key";

/// Reads the terminal's key, or makes it.
///
/// # Errors
/// When the file cannot be read or made, or holds something else.
pub fn load_or_make_key(state_dir: &Path) -> anyhow::Result<SecretKey> {
    let path = state_dir.join(FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    if text.is_empty() {
        // Not there, or made by a run that a power cut ended before it wrote: nobody has seen that key.
        return make_key(&path, state_dir);
    }
    let seed =
        HEXLOWER.decode(text.trim().as_bytes()).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    match seed {
        Some(seed) => Ok(SecretKey::from_seed(&seed)),
        None => bail!(
            "{} is damaged; restore it from a backup, or remove it to enrol this PC as a new terminal",
            path.display()
        ),
    }
}

fn make_key(path: &Path, state_dir: &Path) -> anyhow::Result<SecretKey> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).context("the OS gives no random numbers")?;
    let key = SecretKey::from_seed(&seed);
    write_secret(path, format!("{}\n", HEXLOWER.encode(&seed)).as_bytes())
        .with_context(|| format!("cannot write {}", path.display()))?;
    platform::sync_directory(state_dir).context("cannot make the key file durable")?;
    Ok(key)
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

    #[test]
    fn the_key_stays_the_same_and_a_damaged_one_is_not_replaced() {
        let temp = tempfile::tempdir().unwrap();
        let made = load_or_make_key(temp.path()).unwrap().public();
        assert_eq!(load_or_make_key(temp.path()).unwrap().public(), made);
        fs::write(temp.path().join(FILE), "abc").unwrap();
        let error = load_or_make_key(temp.path()).unwrap_err().to_string();
        assert!(error.contains("device.key is damaged"), "{error}");
        assert_eq!(fs::read_to_string(temp.path().join(FILE)).unwrap(), "abc");
    }

    #[test]
    fn a_key_file_that_a_power_cut_left_empty_is_made_anew() {
        let temp = tempfile::tempdir().unwrap();
        fs::write(temp.path().join(FILE), "").unwrap();
        assert!(load_or_make_key(temp.path()).is_ok());
    }
}
