//! Where the form that links was opened: whoever has saved it, or gives it up, is led back there.
//!
//! The place comes with the form (`back`) and out of the browser again, so it is looked at: it is a list or a page of ours
//! from which the form is reached, or it is the punch log.

use super::super::chrome::{Chrome, Place};
use super::super::fields::Fields;

/// The field of the form.
const FIELD: &str = "back";

/// Lists from which the form is reached, with the words of their links.
const LISTS: [(&str, Place, &str); 3] = [
    ("/punches", Place::Punches, "nav-punches"),
    ("/accounts", Place::Accounts, "nav-accounts"),
    ("/days", Place::Days, "nav-days"),
];

/// Pages below these that are forms themselves.
const FORMS: [&str; 3] = ["/accounts/link", "/accounts/suggested", "/accounts/import"];

/// Where the form was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin<'a> {
    /// Its address.
    pub address: &'a str,
    /// Its place in the menu.
    pub place: Place,
    /// Key of its list's name.
    pub name: &'static str,
}

impl<'a> Origin<'a> {
    /// What the form says.
    #[must_use]
    pub fn of(fields: &'a Fields) -> Self {
        let asked = fields.text(FIELD);
        let path = asked.split(['?', '#']).next().unwrap_or_default();
        let within =
            |list: &str| path == list || path.strip_prefix(list).is_some_and(|rest| rest.starts_with('/'));
        let plain = asked.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        let is_form = FORMS.into_iter().any(within);
        let found = LISTS.into_iter().find(|(list, ..)| plain && !is_form && within(list));
        match found {
            Some((_, place, name)) => Self { address: asked, place, name },
            None => Self { address: LISTS[0].0, place: LISTS[0].1, name: LISTS[0].2 },
        }
    }
}

/// Address of the form for the accounts and further fields of `pairs`, which leads back to the page that `c` surrounds.
#[must_use]
pub fn form_address(pairs: &[(&str, &str)], c: &Chrome) -> String {
    address_with_back("/accounts/link", pairs, c)
}

/// Address of `path` with `pairs`, for a form that leads back to the page that `c` surrounds.
#[must_use]
pub fn address_with_back(path: &str, pairs: &[(&str, &str)], c: &Chrome) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs).append_pair(FIELD, c.here());
    format!("{path}?{}", query.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_places_of_ours_are_led_back_to() {
        let of = |back: &str| {
            let fields = Fields::of_pairs(vec![(FIELD.to_owned(), back.to_owned())]);
            Origin::of(&fields).address.to_owned()
        };
        for ours in [
            "/punches",
            "/punches?errors=1&after=1.2.3",
            "/punches/0190/7",
            "/accounts?show=waiting&q=%E6%9E%97",
            "/accounts/0190",
            "/days/E1/2026-06-17#x",
        ] {
            assert_eq!(of(ours), ours);
        }
        for other in [
            "",
            "/",
            "/punchesX",
            "/employees",
            "//evil.example/punches",
            "https://evil.example/accounts",
            "/accounts\\@evil.example",
            "/accounts?q=\r\nset-cookie: a=b",
            "/accounts?q=林",
            "/accounts/link?account=1",
            "/accounts/suggested?reason=code",
            "/logout",
        ] {
            assert_eq!(of(other), "/punches", "{other}");
        }
    }
}
