//! What a terminal says about numbers that it cannot answer for.
//!
//! A [`crate::EventKind::Gap`] names them in its cause, in one of the fixed forms below. The server reads the
//! same forms: a number that is missing there and named here is explained, any other is not.

use std::fmt;

/// Numbers that the terminal declares. Each range is inclusive, and `first <= last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Declared {
    /// `unreadable:F-L`: they were recorded here and cannot be read any more.
    Unreadable {
        /// First number.
        first: u64,
        /// Last number.
        last: u64,
    },
    /// `not_held:F-L`: the server misses them and the terminal does not have them (any more).
    NotHeld {
        /// First number.
        first: u64,
        /// Last number.
        last: u64,
    },
    /// `earlier_enrollment:F-L`: the terminal used them before it was enrolled as what it is now.
    EarlierEnrollment {
        /// First number.
        first: u64,
        /// Last number.
        last: u64,
    },
    /// `rolled_back:F-L;after=N`: the server has them from a life of this PC that the PC's memory does not
    /// know: its image was rolled back, or another PC uses its identity. The gap's own number follows `L`;
    /// the event before it in the PC's own history has number `N`.
    RolledBack {
        /// First number.
        first: u64,
        /// Last number.
        last: u64,
        /// Highest number of the PC's own history before the gap.
        after: u64,
    },
}

impl Declared {
    const UNREADABLE: &str = "unreadable";
    const NOT_HELD: &str = "not_held";
    const EARLIER_ENROLLMENT: &str = "earlier_enrollment";
    const ROLLED_BACK: &str = "rolled_back";

    /// What the cause of a gap declares; `None` for a cause of another form.
    #[must_use]
    pub fn parse(cause: &str) -> Option<Self> {
        let (word, rest) = cause.split_once(':')?;
        let (range, after) = match rest.split_once(";after=") {
            Some((range, after)) => (range, Some(after.parse().ok()?)),
            None => (rest, None),
        };
        let (first, last) = range.split_once('-')?;
        let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
        if first == 0 || first > last {
            return None;
        }
        match (word, after) {
            (Self::UNREADABLE, None) => Some(Self::Unreadable { first, last }),
            (Self::NOT_HELD, None) => Some(Self::NotHeld { first, last }),
            (Self::EARLIER_ENROLLMENT, None) => Some(Self::EarlierEnrollment { first, last }),
            (Self::ROLLED_BACK, Some(after)) => Some(Self::RolledBack { first, last, after }),
            _ => None,
        }
    }

    /// The word before the colon.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Unreadable { .. } => Self::UNREADABLE,
            Self::NotHeld { .. } => Self::NOT_HELD,
            Self::EarlierEnrollment { .. } => Self::EARLIER_ENROLLMENT,
            Self::RolledBack { .. } => Self::ROLLED_BACK,
        }
    }

    /// First and last number.
    #[must_use]
    pub fn range(self) -> (u64, u64) {
        match self {
            Self::Unreadable { first, last }
            | Self::NotHeld { first, last }
            | Self::EarlierEnrollment { first, last }
            | Self::RolledBack { first, last, .. } => (first, last),
        }
    }

    /// Whether the terminal thereby says that it will never send these numbers.
    #[must_use]
    pub fn gives_up(self) -> bool {
        !matches!(self, Self::RolledBack { .. })
    }
}

impl fmt::Display for Declared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = self.range();
        write!(f, "{}:{first}-{last}", self.word())?;
        if let Self::RolledBack { after, .. } = self {
            write!(f, ";after={after}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_comes_back() {
        let forms = [
            Declared::Unreadable { first: 4, last: 4 },
            Declared::NotHeld { first: 1, last: u64::MAX },
            Declared::EarlierEnrollment { first: 1, last: 56 },
            Declared::RolledBack { first: 6, last: 10, after: 7 },
        ];
        for form in forms {
            assert_eq!(Declared::parse(&form.to_string()), Some(form));
        }
        assert_eq!(forms[3].to_string(), "rolled_back:6-10;after=7");
    }

    #[test]
    fn nothing_else_is_read_as_one() {
        for other in [
            "could_not_store:3",
            "not_held:5-4",
            "not_held:0-4",
            "not_held:1-2;after=3",
            "rolled_back:1-2",
            "",
        ] {
            assert_eq!(Declared::parse(other), None, "{other}");
        }
    }
}
