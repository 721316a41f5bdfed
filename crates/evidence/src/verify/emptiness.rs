//! Packs that show no logon whatever happened. Whoever reads "no event" takes it for "was not there", unless told why.

use mngntime_model::UtcMillis;

use crate::{format, japan};

/// Why a pack shows no logon of anybody, whatever happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Emptiness {
    /// Its first date had not begun when it was made.
    Future,
    /// No account was ever linked to the employee whom it is about.
    NoLink,
    /// None was on its dates.
    NoLinkThen,
}

impl Emptiness {
    /// Why the pack shows no logon, if one of these is the case.
    pub(super) fn of(pack: &format::Pack, links: &[format::Link]) -> Option<Self> {
        let made = japan::date_at(UtcMillis(pack.made_at)).to_string();
        if pack.dates.as_ref().is_some_and(|[from, _]| *from > made) {
            return Some(Self::Future);
        }
        pack.employee.as_ref()?;
        let mut links = links.iter().filter(|link| !link.void).peekable();
        if links.peek().is_none() {
            return Some(Self::NoLink);
        }
        let overlaps = |link: &format::Link| {
            let (begins, ends) = &link.dates;
            let is_in =
                |[from, to]: &[String; 2]| begins <= to && ends.as_ref().is_none_or(|ends| from <= ends);
            pack.dates.as_ref().is_none_or(is_in)
        };
        (!links.any(overlaps)).then_some(Self::NoLinkThen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-23 09:00 in Japan.
    const MADE: i64 = 1_795_392_000_000;

    fn pack(employee: Option<&str>, dates: Option<[&str; 2]>) -> format::Pack {
        format::Pack {
            v: format::VERSION,
            contract: "demo".into(),
            contract_name: String::new(),
            server_key: String::new(),
            made_at: MADE,
            program: String::new(),
            employee: employee.map(str::to_owned),
            dates: dates.map(|dates| dates.map(str::to_owned)),
            night_minutes: None,
            rules: format::Rules { judging: 1, completeness: 1 },
        }
    }

    fn link(from: &str, to: Option<&str>, void: bool) -> format::Link {
        format::Link {
            id: "l".into(),
            account: "S-1".into(),
            employee: "E1".into(),
            dates: (from.into(), to.map(str::to_owned)),
            void,
            made: (0, String::new()),
            ended: None,
        }
    }

    #[test]
    fn a_pack_without_an_account_or_of_the_future_is_empty_and_says_why() {
        let november = Some(["2026-11-10", "2026-11-20"]);
        let one = pack(Some("E1"), november);
        assert_eq!(Emptiness::of(&one, &[]), Some(Emptiness::NoLink));
        assert_eq!(Emptiness::of(&one, &[link("2026-01-01", None, true)]), Some(Emptiness::NoLink), "void");
        for (from, to, expected) in [
            ("2026-01-01", None, None),
            ("2026-11-20", None, None),
            ("2026-11-21", None, Some(Emptiness::NoLinkThen)),
            ("2026-01-01", Some("2026-11-10"), None),
            ("2026-01-01", Some("2026-11-09"), Some(Emptiness::NoLinkThen)),
        ] {
            assert_eq!(Emptiness::of(&one, &[link(from, to, false)]), expected, "{from} {to:?}");
        }
        let ever = pack(Some("E1"), None);
        assert_eq!(Emptiness::of(&ever, &[link("2027-01-01", None, false)]), None, "of all time");
        assert_eq!(Emptiness::of(&pack(None, november), &[]), None, "about everybody");
        let links = [link("2026-01-01", None, false)];
        let from = |from| Emptiness::of(&pack(Some("E1"), Some([from, "2027-01-01"])), &links);
        assert_eq!((from("2026-11-23"), from("2026-11-24")), (None, Some(Emptiness::Future)));
    }
}
