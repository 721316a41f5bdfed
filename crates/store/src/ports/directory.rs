//! What a company's directory (Active Directory, Entra ID) says of a person.
//!
//! Both are kept in the one form in which they are compared, so that equal ones are equal to the letter, in either
//! database: a UPN narrow and in small letters, a SID with a capital S.

use mngntime_model::AccountIdentity;

use crate::typed::narrow;

/// Parts of a SID behind `S-1-`: its authority, and one to fifteen below that.
const SID_PARTS: std::ops::RangeInclusive<usize> = 2..=16;

/// Longest of these parts, in digits: an authority has 48 bits.
const SID_DIGITS_MAX: usize = 15;

/// Last part of the SIDs that a domain gives out; below are those that each has from the beginning.
const GIVEN_OUT_MIN: u64 = 1_000;

/// A user principal name, `name@domain` (`userPrincipalName`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Upn(String);

impl Upn {
    /// What `text` says, full-width or in capitals as it may be; none when that is no UPN.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = narrow(text).trim().to_lowercase();
        let (name, domain) = text.split_once('@')?;
        let is_whole = !name.is_empty() && !domain.is_empty() && !domain.contains('@');
        let is_odd = |c: char| c.is_whitespace() || c.is_control();
        let fits = text.chars().count() <= AccountIdentity::TEXT_MAX && !text.contains(is_odd);
        (is_whole && fits).then_some(Self(text))
    }

    /// It, as it is kept.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A security identifier, `S-1-5-21-…` (`objectSid`): what decides in Windows who somebody is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sid(String);

impl Sid {
    /// What `text` says, full-width or in small letters as it may be; none when that is no SID.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = narrow(text).trim().to_ascii_uppercase();
        let parts: Vec<&str> = text.strip_prefix("S-1-")?.split('-').collect();
        let is_number = |part: &&str| {
            let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            digits && part.len() <= SID_DIGITS_MAX && (*part == "0" || !part.starts_with('0'))
        };
        (SID_PARTS.contains(&parts.len()) && parts.iter().all(is_number)).then_some(Self(text))
    }

    /// It, as it is kept.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is of the form of a person's account: `S-1-5-21-…` (a domain, or a PC by itself) with a number that was
    /// given out, or `S-1-12-1-…` (Entra ID). What every Windows has (`S-1-5-18`) and what every domain has
    /// (`Administrator`, `Guest`) is nobody's.
    #[must_use]
    pub fn is_of_a_person(&self) -> bool {
        let parts: Vec<&str> = self.0.split('-').skip(2).collect();
        match parts.as_slice() {
            ["5", "21", _, _, _, number] => number.parse::<u64>().is_ok_and(|number| number >= GIVEN_OUT_MIN),
            ["12", "1", _, _, _, _] => true,
            _ => false,
        }
    }
}

/// What a directory says of somebody, as far as it was entered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directory {
    /// Their UPN. Nobody else of the contract has it.
    pub upn: Option<Upn>,
    /// The SID of their account. Nobody else of the contract has it.
    pub sid: Option<Sid>,
}

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DirectoryField {
    /// [`Directory::upn`]
    Upn,
    /// [`Directory::sid`]
    Sid,
}

impl DirectoryField {
    /// Both; the one that decides in Windows first.
    pub const ALL: [Self; 2] = [Self::Sid, Self::Upn];

    /// Its name for a reader.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Upn => "UPN",
            Self::Sid => "SID",
        }
    }

    /// What `directory` has of it.
    #[must_use]
    pub fn of(self, directory: &Directory) -> Option<&str> {
        match self {
            Self::Upn => directory.upn.as_ref().map(Upn::as_str),
            Self::Sid => directory.sid.as_ref().map(Sid::as_str),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_upn_is_a_name_in_a_domain_in_either_case_and_width() {
        let of = |text: &str| Upn::parse(text).map(|upn| upn.0);
        for text in
            ["hanako@example.co.jp", " Hanako@EXAMPLE.co.jp ", "ｈａｎａｋｏ＠ｅｘａｍｐｌｅ．ｃｏ．ｊｐ"]
        {
            assert_eq!(of(text).as_deref(), Some("hanako@example.co.jp"), "{text}");
        }
        assert_eq!(of("Ü@x").as_deref(), Some("ü@x"), "letters of any alphabet");
        for text in
            ["", "hanako", "@x", "hanako@", "a@b@c", "a b@c", "a@b\tc", &format!("{}@x", "a".repeat(320))]
        {
            assert_eq!(of(text), None, "{text}");
        }
    }

    #[test]
    fn a_person_s_sid_was_given_out_by_a_domain_or_a_tenant() {
        let is = |text: &str| Sid::parse(text).unwrap().is_of_a_person();
        assert!(is("S-1-5-21-1004336348-1177238915-682003330-1000"));
        assert!(is("S-1-12-1-1943430372-1249052806-2496021943-3034400218"));
        for text in [
            "S-1-5-21-1004336348-1177238915-682003330-999",
            "S-1-5-21-1004336348-1177238915-682003330-500",
            "S-1-5-21-1004336348-1177238915-682003330",
            "S-1-5-21-1004336348-1177238915-682003330-1001-1",
            "S-1-5-18",
            "S-1-5-32-544",
            "S-1-12-1-1943430372-1249052806-2496021943",
            "S-1-12-2-1943430372-1249052806-2496021943-3034400218",
        ] {
            assert!(!is(text), "{text}");
        }
    }

    #[test]
    fn a_sid_is_numbers_in_a_row() {
        let of = |text: &str| Sid::parse(text).map(|sid| sid.0);
        let longest = format!("S-1-5{}", "-4294967295".repeat(15));
        for text in ["S-1-5-21-1004336348-1177238915-682003330-512", "S-1-12-1-1-2-3-4", "S-1-5-18", &longest]
        {
            assert_eq!(of(text).as_deref(), Some(text));
        }
        assert_eq!(of(" ｓ－１－５－２１－１ ").as_deref(), Some("S-1-5-21-1"));
        let too_long = format!("{longest}-1");
        for text in [
            "",
            "S-1-",
            "S-1-5",
            "S-1-5-",
            "S-1--5",
            "S-2-5-21",
            "1-5-21",
            "S-1-5-x",
            "S-1-5-021",
            "S-1-5-1234567890123456",
            "uid:1000@m",
            &too_long,
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
