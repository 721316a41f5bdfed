//! Codes that people write down and tokens that programs keep: random, shown once, kept as hashes.
//!
//! They are read back from paper, so what is typed may have spaces, hyphens, large letters and full width.

use data_encoding::BASE32_NOPAD;
use mngntime_store::RECOVERY_CODES;
use sha2::{Digest as _, Sha256};

/// What a token begins with: leaked ones are found by it.
pub const TOKEN_PREFIX: &str = "mngntime_";

/// Random bytes.
///
/// # Errors
/// When the OS gives none.
pub fn drawn<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// The recovery codes of a secret of at least 128 bits, each of 128 bits, as they are shown: `abcd-efgh-…`. None tells
/// anything about another.
#[must_use]
pub fn recovery_codes(secret: &str) -> Vec<String> {
    let code = |number: usize| Sha256::digest(format!("recovery code {number} {secret}"));
    (0..RECOVERY_CODES).map(|number| grouped(&BASE32_NOPAD.encode(&code(number)[..16]))).collect()
}

fn grouped(text: &str) -> String {
    let lower = text.to_lowercase();
    let groups: Vec<_> = lower.as_bytes().chunks(4).map(String::from_utf8_lossy).collect();
    groups.join("-")
}

/// A new token of 160 bits for a program.
///
/// # Errors
/// When the OS gives no random bytes.
pub fn token() -> Result<String, getrandom::Error> {
    Ok(format!("{TOKEN_PREFIX}{}", BASE32_NOPAD.encode(&drawn::<20>()?).to_lowercase()))
}

/// A code as it is compared: half width, small letters, no spaces and hyphens.
#[must_use]
pub fn plain(typed: &str) -> String {
    let narrow = typed.chars().map(half_width);
    let dashes = ['-', 'ー', '‐', '−', '–', '—'];
    narrow.filter(|c| !c.is_whitespace() && !dashes.contains(c)).collect::<String>().to_lowercase()
}

/// The half-width form of a full-width letter, digit or sign.
fn half_width(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        '\u{3000}' => ' ',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_different_and_read_back_however_they_are_typed() {
        let codes = recovery_codes("secret");
        assert_eq!(codes, recovery_codes("secret"));
        let both = codes.iter().chain(&recovery_codes("another")).map(|code| plain(code)).collect::<Vec<_>>();
        let plain_codes: std::collections::BTreeSet<_> = both.iter().collect();
        assert_eq!(plain_codes.len(), 2 * RECOVERY_CODES);
        assert!(plain_codes.iter().all(|code| code.len() == 26), "128 bits in 26 letters");
        assert_eq!(plain(" ａＢｃ２－d e−f "), "abc2def");
        assert_eq!(plain("１２３　４５６"), "123456");
    }

    #[test]
    fn a_token_is_known_by_its_beginning() {
        let (one, other) = (token().unwrap(), token().unwrap());
        assert!(one.starts_with(TOKEN_PREFIX) && one.len() == TOKEN_PREFIX.len() + 32);
        assert_ne!(one, other);
    }
}
