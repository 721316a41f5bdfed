//! The seal of an evidence pack: `seal::split` and `seal::check` on any file.

use std::sync::OnceLock;

use mngntime_evidence::seal;
use mngntime_wire::{Context, PublicKey, SecretKey, Signed};

const END_BYTES: usize = 22;

/// The bytes are the file. The one that was sealed is accepted, and no other.
pub fn run(data: &[u8]) {
    if let Some((body, comment)) = seal::split(data) {
        assert_eq!([body, comment.as_bytes()].concat(), data);
    }
    assert_eq!(
        seal::check(data, &key()).is_ok(),
        data == sealed(),
        "only the sealed file is as it was sealed"
    );
}

fn key() -> PublicKey {
    static KEY: OnceLock<PublicKey> = OnceLock::new();
    *KEY.get_or_init(|| SecretKey::from_seed(&[1; 32]).public())
}

/// An empty ZIP file with a seal: what the corpus begins with.
pub fn sealed() -> &'static [u8] {
    static FILE: OnceLock<Vec<u8>> = OnceLock::new();
    FILE.get_or_init(make)
}

fn make() -> Vec<u8> {
    let seal = |bytes: &[u8]| {
        let seal = seal::Seal {
            v: 1,
            contract: "demo".into(),
            sealed_at: 5,
            bytes: bytes.len() as u64,
            sha256: mngntime_ledger::Digest::of(bytes).to_string(),
        };
        let signed = Signed::seal(Context::EvidenceSeal, &seal, &SecretKey::from_seed(&[1; 32]));
        signed.expect("a key in memory").to_json().expect("JSON")
    };
    let mut body = [&b"PK\x05\x06"[..], &[0; END_BYTES - 4]].concat();
    // Digests and signatures have one length.
    let length = u16::try_from(seal(&body).len()).expect("short");
    body[END_BYTES - 2..].copy_from_slice(&length.to_le_bytes());
    let comment = seal(&body);
    [body, comment.into_bytes()].concat()
}
