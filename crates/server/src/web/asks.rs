//! What the address of a list, or of its file, may ask for, and what becomes of a name that means nothing there.
//!
//! A slip of the hand in a name (`/days.csv?employe=E01`) asks for everybody, and nobody would notice. So names are checked
//! in one place, before the handler: the page says which name means nothing and is otherwise as without it; a file leads to
//! its page, which says so. The punch log and the audit log have the message among those of wrong values
//! ([`told`]): like these they show no rows then. A name is told whether it has a value or not: our own forms send none that
//! means nothing, so whoever sends one has typed it.

use axum::http::Uri;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Redirect, Response};

use super::chrome::{Banner, Chrome, Tone};
use super::errors::WebError;
use super::fields::Fields;
use super::session::Visit;
use super::sheet::Encoding;
use super::visible::cut;

/// Names that a message tells; an address with more of them is mended step by step.
const TOLD_MAX: usize = 3;

/// Characters of a name that a message tells: enough to find it in the address.
const NAME_CHARS_MAX: usize = 30;

/// What an address may ask for.
#[derive(Debug, Clone, Copy)]
pub struct Asks {
    known: &'static [&'static str],
    /// Of a file, the page that leads to it.
    page: Option<&'static str>,
}

/// What has become of an address.
pub(super) enum Checked {
    /// Every name in it is known.
    Known,
    /// The page has a message, and the address is without what means nothing.
    Told,
    /// The page of the file has.
    Elsewhere(Response),
}

impl Asks {
    /// A page.
    #[must_use]
    pub const fn page(known: &'static [&'static str]) -> Self {
        Self { known, page: None }
    }

    /// A file, to which `page` leads.
    #[must_use]
    pub const fn file(known: &'static [&'static str], page: &'static str) -> Self {
        Self { known, page: Some(page) }
    }

    /// Looks for names that mean nothing.
    ///
    /// # Errors
    /// [`WebError::TooLarge`] for more than an address may hold, and when the session cannot be written.
    pub(super) async fn check(self, parts: &mut Parts, visit: &mut Visit) -> Result<Checked, WebError> {
        let fields = Fields::of_query(&parts.uri)?;
        let strange = fields.others(self.known);
        if strange.is_empty() {
            // Which encodings there are is said by the page, too, which finds the wrong one in its address.
            let page = self.page.filter(|_| Encoding::strange(&fields).is_some());
            return Ok(page.map_or(Checked::Known, |page| elsewhere(page, &fields.query_without(&[]))));
        }
        let c = &visit.chrome;
        let text = [told(&fields, self.known, c), vec![c.t("filter-left-out")]].concat().join(" ");
        let banner = Banner::new(Tone::Error, c.t("filter-bad"), text);
        let query = fields.query_without(&strange);
        if let Some(page) = self.page {
            visit.leave(banner).await?;
            return Ok(elsewhere(page, &query));
        }
        visit.chrome.banner = Some(banner);
        parts.uri = without(&parts.uri, &query);
        Ok(Checked::Told)
    }
}

/// What to say of names in `fields` that are none of `known`; nothing where all are.
#[must_use]
pub fn told(fields: &Fields, known: &[&str], c: &Chrome) -> Vec<String> {
    let strange = fields.others(known).into_iter().take(TOLD_MAX);
    strange.map(|name| c.v("filter-unknown", "name", cut(name, NAME_CHARS_MAX))).collect()
}

fn elsewhere(page: &str, query: &str) -> Checked {
    Checked::Elsewhere(Redirect::to(&with_query(page, query)).into_response())
}

fn with_query(path: &str, query: &str) -> String {
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// The same address with this query.
fn without(uri: &Uri, query: &str) -> Uri {
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = with_query(uri.path(), query).parse().ok();
    Uri::from_parts(parts).unwrap_or_else(|_| uri.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use mngntime_model::Language;

    #[test]
    fn few_names_are_told_each_of_them_once_and_not_at_any_length() {
        let told = |query: &str| {
            let fields = Fields::parse(query.as_bytes()).unwrap();
            told(&fields, &["q"], &Chrome::bare(Language::Japanese))
        };
        assert_eq!(told("q=x"), Vec::<String>::new());
        assert_eq!(told("foo=1&q=x&foo=2"), ["「foo」という条件はありません。"]);
        assert_eq!(
            told("foo=&q="),
            ["「foo」という条件はありません。"],
            "a slip is one without a value, too"
        );
        assert_eq!(told("q="), Vec::<String>::new(), "an empty field of a form asks for nothing");
        assert_eq!(told("a=1&b=1&c=1&d=1").len(), TOLD_MAX);
        let long = told(&format!("{}=1", "あ".repeat(40)));
        assert_eq!(long, [format!("「{}…」という条件はありません。", "あ".repeat(30))]);
    }

    #[test]
    fn an_address_is_the_same_without_what_means_nothing() {
        let uri: Uri = "https://time.example/days?foo=1&q=a%26".parse().unwrap();
        assert_eq!(without(&uri, "q=a%26").to_string(), "https://time.example/days?q=a%26");
        assert_eq!(without(&"/days?foo=1".parse().unwrap(), "").to_string(), "/days");
    }
}
