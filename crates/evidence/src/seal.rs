//! The seal: the comment of the ZIP file.

use mngntime_ledger::Digest;
use mngntime_wire::{Context, PublicKey, Signed};
use serde::{Deserialize, Serialize};

/// What the server signs about a pack ([`Context::EvidenceSeal`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    /// Always 1.
    pub v: u32,
    /// 契約主コード.
    pub contract: String,
    /// When the pack was sealed, UTC milliseconds by the server's clock.
    pub sealed_at: i64,
    /// Bytes of the file before the comment.
    pub bytes: u64,
    /// SHA-256 of them.
    pub sha256: String,
}

/// How a seal is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealFault {
    /// There is none.
    #[error("the file has no seal: it is no evidence pack, or its end is missing")]
    Missing,
    /// It is signed by another key.
    #[error("the seal is not signed by the key that was given")]
    WrongSignature,
    /// It is about other bytes.
    #[error("the file has been changed since it was sealed")]
    Changed,
}

/// The fixed part of a ZIP file's end, whose last two bytes are the length of the comment
/// (APPNOTE 4.3.16).
const END_BYTES: usize = 22;
const END_SIGNATURE: [u8; 4] = *b"PK\x05\x06";

/// Splits a pack into the bytes that are sealed and the seal's text.
#[must_use]
pub fn split(file: &[u8]) -> Option<(&[u8], &str)> {
    let longest = file.len().saturating_sub(END_BYTES).min(usize::from(u16::MAX));
    // The shortest comment first: a seal holds no end of a ZIP file.
    let comment_bytes = (0..=longest).find(|length| {
        let end = &file[file.len() - length - END_BYTES.min(file.len())..];
        end.starts_with(&END_SIGNATURE)
            && end.get(END_BYTES - 2..END_BYTES)
                == u16::try_from(*length).ok().map(u16::to_le_bytes).as_ref().map(<[u8; 2]>::as_slice)
    })?;
    let (body, comment) = file.split_at(file.len() - comment_bytes);
    std::str::from_utf8(comment).ok().map(|comment| (body, comment))
}

/// Checks the seal of a whole file.
///
/// # Errors
/// [`SealFault`].
pub fn check(file: &[u8], key: &PublicKey) -> Result<Seal, SealFault> {
    let (body, text) = split(file).ok_or(SealFault::Missing)?;
    let envelope = Signed::parse(text.as_bytes()).map_err(|_| SealFault::Missing)?;
    let seal: Seal = envelope.peek().map_err(|_| SealFault::Missing)?;
    envelope.check(Context::EvidenceSeal, key).map_err(|_| SealFault::WrongSignature)?;
    // One seal has one text: nothing can be written between its parts.
    if envelope.to_json().ok().as_deref() != Some(text) {
        return Err(SealFault::Changed);
    }
    let same = seal.bytes == body.len() as u64 && seal.sha256 == Digest::of(body).to_string();
    if same { Ok(seal) } else { Err(SealFault::Changed) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mngntime_wire::SecretKey;

    fn key() -> SecretKey {
        SecretKey::from_seed(&[1; 32])
    }

    /// An empty ZIP file with a seal.
    fn sealed() -> Vec<u8> {
        let seal = |bytes: &[u8]| {
            let seal = Seal {
                v: 1,
                contract: "demo".into(),
                sealed_at: 5,
                bytes: bytes.len() as u64,
                sha256: Digest::of(bytes).to_string(),
            };
            Signed::seal(Context::EvidenceSeal, &seal, &key()).unwrap().to_json().unwrap()
        };
        let mut body = [&END_SIGNATURE[..], &[0; END_BYTES - 4]].concat();
        let length = u16::try_from(seal(&body).len()).unwrap();
        body[END_BYTES - 2..].copy_from_slice(&length.to_le_bytes());
        let comment = seal(&body);
        assert_eq!(comment.len(), usize::from(length), "signatures and digests have one length");
        [body, comment.into_bytes()].concat()
    }

    #[test]
    fn a_sealed_file_is_as_it_was_sealed() {
        assert_eq!(check(&sealed(), &key().public()).unwrap().contract, "demo");
        let other = SecretKey::from_seed(&[2; 32]).public();
        assert_eq!(check(&sealed(), &other), Err(SealFault::WrongSignature));
    }

    #[test]
    fn no_flipped_bit_and_no_cut_goes_unseen() {
        let file = sealed();
        for bit in 0..file.len() * 8 {
            let mut flipped = file.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(check(&flipped, &key().public()).is_err(), "bit {bit}");
        }
        for length in 0..file.len() {
            assert!(check(&file[..length], &key().public()).is_err(), "cut to {length}");
        }
        assert!(check(&[&file[..], b" "].concat(), &key().public()).is_err());
    }
}
