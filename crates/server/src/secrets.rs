//! Secrets that people copy.

use data_encoding::BASE32_NOPAD;

/// A secret of 160 random bits in 32 letters and digits, easy to copy by hand.
///
/// # Errors
/// When the operating system gives no random bytes.
pub fn new_secret() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 20];
    getrandom::fill(&mut bytes)?;
    Ok(BASE32_NOPAD.encode(&bytes).to_lowercase())
}
