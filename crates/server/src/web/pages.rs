//! Lists in pages: each is cut by the store, beside a row of the page that was looked at.
//!
//! The first page has the plain address of the list; a later one says beside which row it lies, so that it is found
//! by an index at any depth and stays where it is while rows come in above it. The way back ends at the plain
//! address, too: a page before a row that turns out to begin the list is answered with a redirect to it.

use std::fmt::Display;

use mngntime_store::{Beside, Page, StoreError};

use super::chrome::{Banner, Chrome, Tone};
use super::errors::WebError;
use super::fields::Fields;

/// Rows of a page, in every list.
pub const ROWS: usize = 50;

/// Fields of an address that say where a page lies.
pub const PLACES: [&str; 2] = ["after", "before"];

/// What stands in an address means no place in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoPlace;

/// Where the page lies that an address asks for.
///
/// # Errors
/// When `parse` makes nothing of what stands there.
pub fn beside<K>(fields: &Fields, parse: impl Fn(&str) -> Option<K>) -> Result<Option<Beside<K>>, NoPlace> {
    let [after, before] = PLACES.map(|name| fields.filled(name));
    match (after, before) {
        (None, None) => Ok(None),
        (Some(key), None) => parse(key).map(|key| Some(Beside::After(key))).ok_or(NoPlace),
        (None, Some(key)) => parse(key).map(|key| Some(Beside::Before(key))).ok_or(NoPlace),
        (Some(_), Some(_)) => Err(NoPlace),
    }
}

/// Where the page lies in a list whose keys are texts.
#[must_use]
pub fn beside_text(fields: &Fields) -> Option<Beside<String>> {
    beside(fields, |text| Some(text.to_owned())).unwrap_or_default()
}

/// The choice of a list that `show` asks for; the first of `all`, with a message, when it is none of them.
#[must_use]
pub fn shown<T: Copy>(all: &[(&'static str, T)], show: &str, c: &mut Chrome) -> (&'static str, T) {
    all.iter().find(|(word, _)| *word == show).copied().unwrap_or_else(|| {
        c.banner = Some(Banner::new(Tone::Error, c.t("filter-bad"), c.v("filter-bad-show", "text", show)));
        all[0]
    })
}

/// That the place in a list that an address asks for cannot be read.
#[must_use]
pub fn bad_place(c: &Chrome) -> Banner {
    Banner::new(Tone::Error, c.t("filter-bad"), c.t("filter-bad-page"))
}

/// The turns of a page of a list whose keys are texts, and what to say about an address that no list leads to: one with
/// two places, one with nothing on the page that it asks for, and one before a place behind which there is nothing. Any
/// text can be a key, so that is asked of the list itself: `read` finds a page of one row.
///
/// # Errors
/// As [`Turns::around`], and what the store says.
pub async fn turned<T>(
    path: &str,
    fields: &Fields,
    found: &Page<T, String>,
    at: Option<&Beside<String>>,
    read: impl AsyncFnOnce(Beside<String>, usize) -> Result<Page<T, String>, StoreError>,
    c: &Chrome,
) -> Result<(Turns, Option<Banner>), WebError> {
    let lost = match (at, &found.next) {
        (None, _) => false,
        (Some(_), _) if found.rows.is_empty() => true,
        (Some(Beside::Before(_)), Some(last)) => read(Beside::After(last.clone()), 1).await?.rows.is_empty(),
        (Some(_), _) => false,
    };
    if lost {
        // The way back must not end silently at the beginning.
        let first = Some(address::<String>(path, fields, None));
        return Ok((Turns { first, ..Turns::default() }, Some(bad_place(c))));
    }
    let two = beside(fields, |_| Some(())).is_err();
    Ok((Turns::of(path, fields, found, at)?, two.then(|| bad_place(c))))
}

/// Address of a page of the list at `path` that `fields` ask for.
#[must_use]
pub fn address<K: Display>(path: &str, fields: &Fields, beside: Option<&Beside<K>>) -> String {
    let mut query = form_urlencoded::Serializer::new(fields.query_without(&["after", "before", "open"]));
    match beside {
        Some(Beside::After(key)) => drop(query.append_pair("after", &key.to_string())),
        Some(Beside::Before(key)) => drop(query.append_pair("before", &key.to_string())),
        None => {}
    }
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// Addresses of the pages around one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Turns {
    /// The first page; absent on it.
    pub first: Option<String>,
    /// The page before; absent on the first.
    pub previous: Option<String>,
    /// The next page; absent on the last.
    pub next: Option<String>,
}

impl Turns {
    /// Those around `page`, which lies `at`; `address` makes each.
    ///
    /// # Errors
    /// [`WebError::FirstPage`] when it begins the list and has another address than the plain one.
    pub fn around<T, K: Clone>(
        page: &Page<T, K>,
        at: Option<&Beside<K>>,
        address: impl Fn(Option<&Beside<K>>) -> String,
    ) -> Result<Self, WebError> {
        if matches!(at, Some(Beside::Before(_))) && page.previous.is_none() {
            return Err(WebError::FirstPage { address: address(None) });
        }
        let previous = page.previous.clone().map(Beside::Before);
        let next = page.next.clone().map(Beside::After);
        Ok(Self {
            first: at.map(|_| address(None)),
            previous: previous.map(|beside| address(Some(&beside))),
            next: next.map(|beside| address(Some(&beside))),
        })
    }

    /// Those of a list at `path` that `fields` ask for.
    ///
    /// # Errors
    /// As [`Self::around`].
    pub fn of<T, K: Clone + Display>(
        path: &str,
        fields: &Fields,
        page: &Page<T, K>,
        at: Option<&Beside<K>>,
    ) -> Result<Self, WebError> {
        Self::around(page, at, |beside| address(path, fields, beside))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(query: &str) -> Fields {
        Fields::parse(query.as_bytes()).unwrap()
    }

    #[test]
    fn pages_keep_what_was_asked_for_and_the_first_has_the_plain_address() {
        let asked = fields("q=a%26b&show=&after=E-1&open=x.1");
        let at = beside_text(&asked);
        assert_eq!(at, Some(Beside::After("E-1".to_owned())));
        let page = |previous: Option<&str>, next: Option<&str>| Page::<(), _> {
            rows: vec![],
            previous: previous.map(str::to_owned),
            next: next.map(str::to_owned),
        };
        let turns = Turns::of("/employees", &asked, &page(Some("E 2&"), Some("E3")), at.as_ref()).unwrap();
        assert_eq!(turns.first.as_deref(), Some("/employees?q=a%26b"));
        assert_eq!(turns.previous.as_deref(), Some("/employees?q=a%26b&before=E+2%26"));
        assert_eq!(turns.next.as_deref(), Some("/employees?q=a%26b&after=E3"));
        let first = Turns::of("/employees", &fields(""), &page(None, Some("E3")), None).unwrap();
        let next = Some("/employees?after=E3".to_owned());
        assert_eq!(first, Turns { next, ..Turns::default() });
        assert_eq!(address::<String>("/me", &fields("after=x"), None), "/me");
    }

    #[test]
    fn the_way_back_ends_at_the_plain_address() {
        let asked = fields("q=x&before=E3");
        let page = Page::<(), String> { rows: vec![], previous: None, next: Some("E2".into()) };
        let moved = Turns::of("/employees", &asked, &page, beside_text(&asked).as_ref());
        let Err(WebError::FirstPage { address }) = moved else { panic!("{moved:?}") };
        assert_eq!(address, "/employees?q=x");
    }

    #[test]
    fn a_place_that_means_nothing_is_none() {
        let number = |query: &str| beside(&fields(query), |text| text.parse::<u8>().ok());
        assert_eq!(number("before=7"), Ok(Some(Beside::Before(7))));
        assert_eq!(number("after="), Ok(None));
        for wrong in ["after=x", "before=300", "after=1&before=2"] {
            assert_eq!(number(wrong), Err(NoPlace), "{wrong}");
        }
    }
}
