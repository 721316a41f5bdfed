//! OS accounts.

use std::fmt;

/// An account of the operating system, as known on a PC.
///
/// `key` identifies; the names are for reading. A rename keeps the key (seed and `DOMAIN\name` stay the
/// words people know).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountIdentity {
    /// Windows: the SID (`S-1-5-21-…`). Linux: `uid:<uid>@<machine id>`, since a uid means nothing on
    /// another PC. At most [`AccountIdentity::TEXT_MAX`] characters, as all fields.
    pub key: String,
    /// Windows domain or PC name; on Linux the host name.
    pub domain: String,
    /// The short user name.
    pub name: String,
    /// User principal name (`name@example.co.jp`), where the OS knows it.
    pub upn: Option<String>,
}

impl AccountIdentity {
    /// Longest text in any field, in characters. Windows allows 256 for a UPN plus domain.
    pub const TEXT_MAX: usize = 320;

    /// Whether the identity can be stored: key and name present, nothing over length, no control
    /// characters (they would break log lines and tables).
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        let fits = |text: &str| text.chars().count() <= Self::TEXT_MAX && !text.chars().any(char::is_control);
        !self.key.is_empty()
            && !self.name.is_empty()
            && fits(&self.key)
            && fits(&self.domain)
            && fits(&self.name)
            && self.upn.as_deref().is_none_or(fits)
    }
}

/// `DOMAIN\name`, the way the event log shows it.
impl fmt::Display for AccountIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\\{}", self.domain, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(key: &str, name: &str) -> AccountIdentity {
        AccountIdentity { key: key.into(), domain: "EXAMPLE".into(), name: name.into(), upn: None }
    }

    #[test]
    fn shown_as_domain_and_name() {
        assert_eq!(account("S-1-5-21-1", "hanako").to_string(), "EXAMPLE\\hanako");
    }

    #[test]
    fn empty_long_and_control_texts_are_refused() {
        assert!(account("S-1-5-21-1", "花子").is_well_formed());
        assert!(!account("", "hanako").is_well_formed());
        assert!(!account("S-1-5-21-1", "").is_well_formed());
        assert!(!account("S-1-5-21-1", "a\nb").is_well_formed());
        assert!(!account("S-1-5-21-1", &"x".repeat(321)).is_well_formed());
    }
}
