//! Passwords of administrators: argon2id in PHC form.
//!
//! One check takes 19 MiB and tens of milliseconds on purpose. It runs on a blocking thread behind a
//! semaphore, so that a flood of sign-ins cannot take the server's memory, and takes the same work for a
//! login that does not exist, so that the time tells nothing about logins.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use tokio::sync::Semaphore;

/// Checks at the same time: 2 × 19 MiB, and as many cores as the smallest server has.
const CHECKS_AT_ONCE: usize = 2;

/// Checks that may wait. Beyond, a sign-in is refused at once instead of after half a minute.
const CHECKS_WAITING_MAX: usize = 64;

/// Shortest password accepted for a person's account, in characters (NIST SP 800-63B asks for 8; these
/// accounts read everybody's attendance).
pub const PASSWORD_CHARS_MIN: usize = 10;

/// Longest password, in bytes: hashing time grows with length.
pub const PASSWORD_BYTES_MAX: usize = 1024;

/// Why a password could not be hashed or checked.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Fewer than [`PASSWORD_CHARS_MIN`] characters.
    #[error("a password needs at least {PASSWORD_CHARS_MIN} characters")]
    TooShort,
    /// More than [`PASSWORD_BYTES_MAX`] bytes.
    #[error("a password may have at most {PASSWORD_BYTES_MAX} bytes")]
    TooLong,
    /// One that is tried first by whoever guesses: see [`is_guessable`].
    #[error("this password is common or much like the login; choose one that is hard to guess")]
    Guessable,
    /// Too many checks are waiting.
    #[error("too many sign-ins are waiting; try again in a moment")]
    Busy,
    /// argon2 failed.
    #[error("could not hash a password")]
    Hash(#[source] argon2::password_hash::Error),
    /// The blocking thread died.
    #[error("the password check did not finish")]
    Unfinished(#[source] tokio::task::JoinError),
}

/// Hashes and checks passwords.
#[derive(Debug, Clone)]
pub struct Passwords {
    checking: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    /// Hash of a password nobody knows: what unknown logins are checked against.
    decoy: Arc<str>,
}

impl Passwords {
    /// Makes the checker.
    ///
    /// # Errors
    /// [`PasswordError::Hash`] when the OS gives no random bytes.
    pub fn new() -> Result<Self, PasswordError> {
        Ok(Self {
            checking: Arc::new(Semaphore::new(CHECKS_AT_ONCE)),
            waiting: Arc::new(Semaphore::new(CHECKS_WAITING_MAX)),
            decoy: hash("a password nobody has")?.into(),
        })
    }

    /// Whether `password` has `stored` as its hash; `None` for a login that does not exist takes as long and
    /// is never right.
    ///
    /// # Errors
    /// [`PasswordError::Busy`] when too many checks wait.
    pub async fn check(&self, password: String, stored: Option<String>) -> Result<bool, PasswordError> {
        if password.len() > PASSWORD_BYTES_MAX {
            return Ok(false);
        }
        let _waiting = self.waiting.try_acquire().map_err(|_| PasswordError::Busy)?;
        let permit = self.checking.clone().acquire_owned().await.map_err(|_| PasswordError::Busy)?;
        let exists = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.decoy.to_string());
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            verifies(&password, &stored) && exists
        })
        .await
        .map_err(PasswordError::Unfinished)
    }
}

impl Passwords {
    /// [`hash_new`] behind the same semaphores as checks, on a blocking thread.
    ///
    /// # Errors
    /// [`PasswordError`] naming what is wrong with it, or that too many checks wait.
    pub async fn hash(&self, password: String, login: &str) -> Result<String, PasswordError> {
        check_length(&password)?;
        if is_guessable(&password, login) {
            return Err(PasswordError::Guessable);
        }
        let _waiting = self.waiting.try_acquire().map_err(|_| PasswordError::Busy)?;
        let permit = self.checking.clone().acquire_owned().await.map_err(|_| PasswordError::Busy)?;
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            hash_new(&password)
        })
        .await
        .map_err(PasswordError::Unfinished)?
    }
}

/// Words that passwords are made of most often, with what is put behind them left out (NIST SP 800-63B, 5.1.1.2:
/// commonly used and context-specific words are refused).
const COMMON: [&str; 40] = [
    "password",
    "passw0rd",
    "p@ssw0rd",
    "p@ssword",
    "qwerty",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1qaz2wsx",
    "q1w2e3r4",
    "qazwsxedc",
    "1q2w3e4r5t",
    "iloveyou",
    "welcome",
    "letmein",
    "administrator",
    "admin",
    "sunshine",
    "princess",
    "football",
    "baseball",
    "superman",
    "dragon",
    "monkey",
    "master",
    "michael",
    "changeme",
    "default",
    "secret",
    "testtest",
    "test",
    "user",
    "guest",
    "root",
    "mngntime",
    "minagine",
    "sakura",
    "doraemon",
    "pokemon",
    "arigatou",
];

/// Whether `password` is one of the first to be tried: a common word with little around it, a run or a repetition of
/// signs, or the login with little around it.
#[must_use]
pub fn is_guessable(password: &str, login: &str) -> bool {
    let plain = password.to_lowercase();
    let letters = |text: &str| text.trim_matches(|sign: char| !sign.is_alphabetic()).to_owned();
    let core = letters(&plain);
    let login = login.to_lowercase();
    let around = |word: &str| word.chars().count() >= 3 && plain.replace(word, "").chars().count() < 6;
    COMMON.iter().any(|word| letters(word) == core)
        || COMMON.iter().any(|word| word.len() >= 6 && plain.replace(word, "").chars().count() < 4)
        || around(&login)
        || is_run(&plain)
}

/// `1234567890`, `abcdefghij`, `aaaaaaaaaa`, `1212121212`, `abcabcabcabc`: fewer than five signs that are not given by
/// those before.
fn is_run(password: &str) -> bool {
    let signs: Vec<u32> = password.chars().map(u32::from).collect();
    let repeats = |length: usize| signs.iter().zip(signs.iter().skip(length)).filter(|(a, b)| a == b).count();
    let free = |given: usize| signs.len() - given < 5;
    let steps = signs.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) == 1 || pair == &[57, 48]).count();
    free(steps) || (1..=4).any(|length| signs.len() > 2 * length && free(repeats(length)))
}

/// Hashes a new password, after checking its length.
///
/// # Errors
/// [`PasswordError`] naming what is wrong with it.
pub fn hash_new(password: &str) -> Result<String, PasswordError> {
    check_length(password)?;
    hash(password)
}

fn check_length(password: &str) -> Result<(), PasswordError> {
    if password.chars().count() < PASSWORD_CHARS_MIN {
        return Err(PasswordError::TooShort);
    }
    if password.len() > PASSWORD_BYTES_MAX {
        return Err(PasswordError::TooLong);
    }
    Ok(())
}

fn hash(password: &str) -> Result<String, PasswordError> {
    let hash: PasswordHash =
        Argon2::default().hash_password(password.as_bytes()).map_err(PasswordError::Hash)?;
    Ok(hash.to_string())
}

fn verifies(password: &str, stored: &str) -> bool {
    let hash = PasswordHash::new(stored);
    hash.is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_of_an_existing_login_passes() {
        let passwords = Passwords::new().unwrap();
        let stored = hash_new("correct horse").unwrap();
        assert!(stored.starts_with("$argon2id$"));
        assert!(passwords.check("correct horse".into(), Some(stored.clone())).await.unwrap());
        assert!(!passwords.check("correct horsf".into(), Some(stored)).await.unwrap());
        assert!(!passwords.check("a password nobody has".into(), None).await.unwrap());
    }

    #[test]
    fn what_is_tried_first_is_refused() {
        for bad in [
            "1234567890",
            "0987654321",
            "abcdefghij",
            "aaaaaaaaaaaa",
            "1212121212",
            "abcabcabcabc",
            "Password123",
            "password2026!",
            "1qaz2wsx2026",
            "P@ssw0rd!!1",
            "qwertyuiop1",
            "1q2w3e4r5t",
            "administrator1",
            "taro.yamada",
            "Taro.Yamada1",
            "MngnTime2026",
            "2026sakura!",
        ] {
            assert!(is_guessable(bad, "taro.yamada"), "{bad}");
        }
        for good in [
            "correct horse",
            "auditor-correct horse battery",
            "一二三四五六七八九十",
            "kx7#vRm2qLw9",
            "my sakura tree blooms",
            "blue whale 77 lamp",
            "taro.yamada likes trains",
        ] {
            assert!(!is_guessable(good, "taro.yamada"), "{good}");
        }
        assert!(!is_guessable("kx7#vRm2qLw9", "k") && !is_guessable("kx7#vRm2qLw9", ""));
    }

    #[test]
    fn short_and_endless_passwords_are_refused() {
        assert!(matches!(hash_new("123456789"), Err(PasswordError::TooShort)));
        assert!(hash_new("一二三四五六七八九十").is_ok());
        assert!(matches!(hash_new(&"x".repeat(1025)), Err(PasswordError::TooLong)));
    }
}
