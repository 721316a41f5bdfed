//! Linux has no key store that every PC has and that works without a person: the device key is a file that
//! only root may read.

use anyhow::bail;

use super::super::{KeyStore, MadeKey};

/// Keys are files.
pub const HAS_KEY_STORE: bool = false;

/// Never makes one; that is no failure.
#[must_use]
pub fn make_stored_key(_name: &str) -> MadeKey {
    MadeKey::default()
}

/// There is no such key here.
///
/// # Errors
/// Always: the state directory came from a Windows PC.
pub fn sign_with_stored_key(_store: KeyStore, _name: &str, _message: &[u8]) -> anyhow::Result<[u8; 64]> {
    bail!("the key is in the key store of a Windows PC");
}

/// There is no such key here.
///
/// # Errors
/// Always, as above.
pub fn delete_stored_key(_store: KeyStore, _name: &str) -> anyhow::Result<()> {
    bail!("the key is in the key store of a Windows PC");
}
