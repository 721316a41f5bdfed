//! One-time codes (RFC 6238): SHA-1, six digits, 30 seconds, one step of tolerance to both sides. Every authenticator
//! knows these and many silently ignore others.

use fast_qr::{ECL, QRBuilder};
use mngntime_model::UtcMillis;
use totp_rs::{Builder, Totp, TotpError};

use super::codes::drawn;

/// Length of a secret, in bytes (RFC 4226, R6 recommends 160 bits).
const SECRET_BYTES: usize = 20;

/// White space around the drawing, in modules (ISO/IEC 18004).
const QUIET: usize = 4;

/// A drawing for an authenticator's camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawing {
    /// Width and height with the white space, in modules.
    pub side: usize,
    /// Path of the dark modules.
    pub path: String,
}

/// A new secret.
///
/// # Errors
/// When the OS gives no random bytes.
pub fn draw_secret() -> Result<Vec<u8>, getrandom::Error> {
    drawn::<SECRET_BYTES>().map(Vec::from)
}

fn totp(secret: &[u8], issuer: &str, login: &str) -> Result<Totp, TotpError> {
    // Neither may have a colon in the address.
    let plain = |text: &str| text.replace(':', " ");
    Builder::new()
        .with_secret(secret.to_vec())
        .with_issuer(Some(plain(issuer)))
        .with_account_name(plain(login))
        .build()
}

/// The step whose code this is, if any near `now`.
///
/// # Errors
/// When the secret is too short: not one of ours.
pub fn step_of(secret: &[u8], code: &str, now: UtcMillis) -> Result<Option<u64>, TotpError> {
    let seconds = u64::try_from(now.0 / 1000).unwrap_or(0);
    Ok(totp(secret, "MngnTime", "x")?.check(code, seconds))
}

/// The code of the step at `at`; what an authenticator shows.
///
/// # Errors
/// When the secret is too short: not one of ours.
#[cfg(test)]
pub fn code_at(secret: &[u8], at: UtcMillis) -> Result<String, TotpError> {
    let seconds = u64::try_from(at.0 / 1000).unwrap_or(0);
    Ok(totp(secret, "MngnTime", "x")?.generate(seconds).to_string())
}

/// The secret as people type it: groups of four.
#[must_use]
pub fn secret_text(secret: &[u8]) -> String {
    let text = data_encoding::BASE32_NOPAD.encode(secret);
    let groups: Vec<_> = text.as_bytes().chunks(4).map(String::from_utf8_lossy).collect();
    groups.join(" ")
}

/// The drawing of the address that brings secret and names into an authenticator.
///
/// # Errors
/// When the secret is too short or the names too long.
pub fn drawing(secret: &[u8], issuer: &str, login: &str) -> Result<Drawing, DrawError> {
    let address = totp(secret, issuer, login)?.to_url()?;
    let code = QRBuilder::new(address).ecl(ECL::M).build().map_err(|_| DrawError::TooLong)?;
    let mut path = String::new();
    for y in 0..code.size {
        for x in (0..code.size).filter(|x| code[y][*x].value()) {
            path.push_str(&format!("M{} {}h1v1h-1z", x + QUIET, y + QUIET));
        }
    }
    Ok(Drawing { side: code.size + 2 * QUIET, path })
}

/// Why there is no drawing.
#[derive(Debug, thiserror::Error)]
pub enum DrawError {
    /// The address cannot be made.
    #[error("the address for an authenticator cannot be made")]
    Address(#[from] TotpError),
    /// The address has more letters than a drawing holds.
    #[error("the address for an authenticator is too long to be drawn")]
    TooLong,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B: the secret and the last six of the eight digits.
    #[test]
    fn the_codes_are_those_of_the_standard() {
        let secret = b"12345678901234567890";
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            let at = UtcMillis(seconds * 1000);
            assert_eq!(code_at(secret, at).unwrap(), code);
            assert_eq!(step_of(secret, code, at).unwrap(), Some(seconds as u64 / 30));
        }
    }

    #[test]
    fn a_code_counts_one_step_early_and_late_and_not_two() {
        let secret = draw_secret().unwrap();
        let at = UtcMillis(1_781_655_871_000);
        let code = code_at(&secret, at).unwrap();
        let step = step_of(&secret, &code, at).unwrap();
        for steps in [-1, 1] {
            assert_eq!(step_of(&secret, &code, at.plus(steps * 30_000)).unwrap(), step);
        }
        // Another step has the same six digits once in a million: then it is another step.
        for steps in [-2, 2] {
            assert_ne!(step_of(&secret, &code, at.plus(steps * 30_000)).unwrap(), step);
        }
    }

    #[test]
    fn the_secret_is_readable_and_the_drawing_is_square_with_white_around() {
        assert_eq!(secret_text(&[0xff; 20]), "7777 7777 7777 7777 7777 7777 7777 7777");
        let drawing = drawing(&[7; 20], "MINAGINE: x", "花子@example.jp").unwrap();
        assert!(drawing.side >= 21 + 8 && drawing.path.starts_with("M4 4h1v1h-1z"), "{drawing:?}");
    }
}
