//! The token that `/metrics` asks for, where one is set: figures name nobody, and still tell how busy a server is and when
//! it was last backed up.

use std::io;
use std::path::{Path, PathBuf};

use subtle::ConstantTimeEq as _;

/// Shortest token, in characters.
const CHARS_MIN: usize = 16;

/// Why a file holds no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It could not be read.
    #[error("could not read the token for /metrics from {} (metrics_token_file)", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is too short, or more than a line.
    #[error(
        "{} (metrics_token_file) must hold one line of at least {CHARS_MIN} characters without blanks, such as the \
         output of: openssl rand -hex 32",
        path.display()
    )]
    Unfit {
        /// The file.
        path: PathBuf,
    },
}

/// A token; never shown.
pub struct MetricsToken(String);

impl std::fmt::Debug for MetricsToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MetricsToken")
    }
}

impl MetricsToken {
    /// Reads it from a file.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn read(path: &Path) -> Result<Self, TokenError> {
        let read = std::fs::read_to_string(path);
        let text = read.map_err(|source| TokenError::Read { path: path.to_owned(), source })?;
        let token = text.trim();
        let fits = token.len() >= CHARS_MIN && token.chars().all(|c| c.is_ascii_graphic());
        if fits { Ok(Self(token.to_owned())) } else { Err(TokenError::Unfit { path: path.to_owned() }) }
    }

    /// Whether this is it.
    #[must_use]
    pub fn is(&self, given: &str) -> bool {
        self.0.as_bytes().ct_eq(given.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_long_word_of_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        assert!(matches!(MetricsToken::read(&path), Err(TokenError::Read { .. })));
        for unfit in ["", "short\n", "0123456789 abcdefgh", "0123456789\nabcdefgh"] {
            std::fs::write(&path, unfit).unwrap();
            assert!(matches!(MetricsToken::read(&path), Err(TokenError::Unfit { .. })), "{unfit}");
        }
        std::fs::write(&path, "0123456789abcdef\n").unwrap();
        let token = MetricsToken::read(&path).unwrap();
        assert!(token.is("0123456789abcdef") && !token.is("0123456789abcdeg") && !token.is(""));
    }
}
