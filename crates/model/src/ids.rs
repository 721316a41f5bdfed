//! Typed identities. A value of one of these types has been validated once and need not be checked again.

use std::fmt;

use uuid::Uuid;

/// Why a text is not an identity of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} must be {rule}, but is {found:?}")]
pub struct InvalidId {
    /// Which identity was wanted, for example `contract code`.
    pub what: &'static str,
    /// The rule that was broken, in words.
    pub rule: &'static str,
    /// The rejected text, shortened to 64 characters.
    pub found: String,
}

impl InvalidId {
    fn new(what: &'static str, rule: &'static str, found: &str) -> Self {
        Self { what, rule, found: found.chars().take(64).collect() }
    }
}

/// 契約主コード: names a customer in the agent's configuration. 1 to 64 of `A-Z a-z 0-9 . _ -`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContractCode(String);

impl ContractCode {
    /// Validates `text`.
    ///
    /// # Errors
    /// [`InvalidId`] when it is empty, longer than 64 characters or holds another character.
    pub fn new(text: &str) -> Result<Self, InvalidId> {
        let rule = "1 to 64 letters, digits, '.', '_' or '-'";
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if text.is_empty() || text.len() > 64 || !text.chars().all(allowed) {
            return Err(InvalidId::new("contract code", rule, text));
        }
        Ok(Self(text.to_owned()))
    }

    /// The code as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ContractCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An enrolled PC. Given by the server at enrolment; a PC whose state is wiped enrols anew and gets another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TerminalId(Uuid);

impl TerminalId {
    /// Makes an id from random bytes the caller has drawn.
    #[must_use]
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }

    /// Reads the hyphenated form.
    ///
    /// # Errors
    /// [`InvalidId`] when `text` is no UUID.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        Uuid::try_parse(text).map(Self).map_err(|_| InvalidId::new("terminal id", "a UUID", text))
    }
}

impl fmt::Display for TerminalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.as_hyphenated())
    }
}

/// One run of the operating system, from power-on to power-off.
///
/// Linux: `/proc/sys/kernel/random/boot_id`. Windows: boot counter, boot time and a random part, kept in a
/// registry key that does not outlive the boot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BootId(String);

impl BootId {
    /// Validates `text`: 1 to 64 printable ASCII characters.
    ///
    /// # Errors
    /// [`InvalidId`] otherwise.
    pub fn new(text: &str) -> Result<Self, InvalidId> {
        if text.is_empty() || text.len() > 64 || !text.chars().all(|c| c.is_ascii_graphic()) {
            return Err(InvalidId::new("boot id", "1 to 64 printable ASCII characters", text));
        }
        Ok(Self(text.to_owned()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BootId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contract_code_keeps_to_its_alphabet_and_length() {
        assert!(ContractCode::new("demo-2026.A_1").is_ok());
        assert!(ContractCode::new(&"a".repeat(64)).is_ok());
        for bad in ["", "a b", "契約", "a/b", &"a".repeat(65)] {
            assert!(ContractCode::new(bad).is_err(), "{bad:?} must be refused");
        }
    }

    #[test]
    fn a_terminal_id_survives_its_text_form() {
        let id = TerminalId::from_random([7; 16]);
        assert_eq!(TerminalId::parse(&id.to_string()), Ok(id));
        assert!(TerminalId::parse("PC-0231").is_err());
    }

    #[test]
    fn a_refused_text_is_quoted_shortened() {
        let error = ContractCode::new(&"x y".repeat(100)).unwrap_err();
        assert_eq!(error.found.chars().count(), 64);
    }
}
