//! Query strings and form bodies as lists of fields.
//!
//! Forms of this interface repeat fields and number them, so nothing is deserialized into structs. Bounds
//! are kept here: more fields than [`FIELDS_MAX`] or longer texts than [`TEXT_MAX`] are refused as a whole.

use axum::extract::{FromRequest, Request};
use jiff::civil::Date;
use mngntime_store::typed::narrow;

use super::era;
use super::errors::WebError;

/// Most fields of one form: 500 accounts with nine fields each, and some.
pub const FIELDS_MAX: usize = 5_000;
/// Longest text of one field, in characters; addresses to come back to are the longest.
pub const TEXT_MAX: usize = 2_000;
/// Longest body of a form, in bytes.
pub const BODY_MAX: usize = 512 * 1024;

/// Fields with passwords: every character of one counts, spaces at its ends too (NIST SP 800-63B, 3.1.1.2), as on the
/// command line.
const AS_TYPED: [&str; 3] = ["password", "new", "again"];

/// Fields in the order in which they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads the `a=b&c=d` form. Surrounding space counts in passwords only ([`AS_TYPED`]).
    ///
    /// # Errors
    /// [`WebError::TooLarge`] beyond the bounds.
    pub fn parse(text: &[u8]) -> Result<Self, WebError> {
        let mut fields = Vec::new();
        for (name, value) in form_urlencoded::parse(text) {
            if fields.len() >= FIELDS_MAX || value.chars().count() > TEXT_MAX || name.len() > TEXT_MAX {
                return Err(WebError::TooLarge);
            }
            let value = if AS_TYPED.contains(&name.as_ref()) { value.as_ref() } else { value.trim() };
            fields.push((name.to_string(), value.to_owned()));
        }
        Ok(Self(fields))
    }

    /// Fields that nobody sent.
    #[must_use]
    pub fn of_pairs(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// These fields and one more.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    /// These fields without those of this name.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.0.retain(|(key, _)| key != name);
        self
    }

    /// The fields of a query string.
    ///
    /// # Errors
    /// [`WebError::TooLarge`] beyond the bounds.
    pub fn of_query(uri: &axum::http::Uri) -> Result<Self, WebError> {
        Self::parse(uri.query().unwrap_or_default().as_bytes())
    }

    /// First value of `name`, empty when absent.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// First value of `name` as a code: what an input method left full-width is narrow.
    #[must_use]
    pub fn code(&self, name: &str) -> String {
        narrow(self.text(name)).trim().to_owned()
    }

    /// First value of `name`; `None` when absent or empty.
    #[must_use]
    pub fn filled(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// All values of `name`.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Every field.
    pub fn iter(&self) -> impl Iterator<Item = &(String, String)> {
        self.0.iter()
    }

    /// Names of fields that are none of `known`, filled or not: an address that asks for what there is not.
    #[must_use]
    pub fn others(&self, known: &[&str]) -> Vec<&str> {
        let strange = |(name, _): &&(String, String)| !known.contains(&name.as_str());
        let mut others: Vec<_> = self.0.iter().filter(strange).map(|(name, _)| name.as_str()).collect();
        others.sort_unstable();
        others.dedup();
        others
    }

    /// These fields as a query string, without the ones named and the empty ones.
    #[must_use]
    pub fn query_without(&self, left_out: &[&str]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in &self.0 {
            if !value.is_empty() && !left_out.contains(&name.as_str()) {
                query.append_pair(name, value);
            }
        }
        query.finish()
    }

    /// A date in `name`: `Ok(None)` when empty, `Err` with the text when it is none.
    ///
    /// # Errors
    /// The text, when it is no date of the calendar.
    pub fn date(&self, name: &str) -> Result<Option<Date>, String> {
        date_of(self.text(name))
    }
}

/// Whether `text` may stand in a line of at most `max` characters, such as a name: no line ends, no other signs that
/// steer something.
#[must_use]
pub fn is_line(text: &str, max: usize) -> bool {
    text.chars().count() <= max && !text.chars().any(char::is_control)
}

/// The date in `text`, in any way that [`era::read`] knows, full-width too: `Ok(None)` when empty.
///
/// # Errors
/// The text, when it is no date of the calendar.
pub fn date_of(text: &str) -> Result<Option<Date>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    era::read(narrow(text).trim()).map(Some).ok_or_else(|| text.to_owned())
}

/// A form body is read whole, up to the router's body limit.
impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = WebError;

    async fn from_request(request: Request, state: &S) -> Result<Self, WebError> {
        let body = axum::body::Bytes::from_request(request, state).await;
        Self::parse(&body.map_err(|_| WebError::TooLarge)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn dates_are_strict() {
        let fields = Fields::parse(b"a=2026-06-17&b=2026-13-45&c=&d=20260617&e=2026-06-17T00:00").unwrap();
        assert_eq!(fields.date("a"), Ok(Some(date(2026, 6, 17))));
        assert_eq!(fields.date("b"), Err("2026-13-45".into()));
        assert_eq!(fields.date("c"), Ok(None));
        assert!(fields.date("d").is_err() && fields.date("e").is_err());
        assert_eq!(date_of("２０２６／０６／１７"), Ok(Some(date(2026, 6, 17))));
    }

    #[test]
    fn what_was_typed_full_width_is_a_code_all_the_same() {
        assert_eq!(narrow("Ｅ０１２－３　ｘ（山田）"), "E012-3 x(山田)");
        assert_eq!(narrow("ｶﾅ ー〜"), "ｶﾅ ー〜", "only what has a narrow self");
        let fields = Fields::parse("a=２０２６－０６－１７&c=　Ｅ１　&w=２０２６".as_bytes()).unwrap();
        assert_eq!((fields.date("a"), fields.code("c")), (Ok(Some(date(2026, 6, 17))), "E1".to_owned()));
        assert_eq!(fields.date("w"), Err("２０２６".into()), "a message says what was typed");
    }

    #[test]
    fn every_character_of_a_password_counts_and_space_around_anything_else_does_not() {
        let fields = Fields::parse("password=+a+b+&new=x%E3%80%80&again=+&user=+hanako+".as_bytes()).unwrap();
        assert_eq!(
            (fields.text("password"), fields.text("new"), fields.text("again")),
            (" a b ", "x\u{3000}", " ")
        );
        assert_eq!(fields.text("user"), "hanako");
    }

    #[test]
    fn too_much_is_refused() {
        assert!(Fields::parse("a=1&".repeat(FIELDS_MAX + 1).as_bytes()).is_err());
        assert!(Fields::parse(format!("a={}", "x".repeat(TEXT_MAX + 1)).as_bytes()).is_err());
    }

    #[test]
    fn a_query_can_be_written_again() {
        let fields = Fields::parse("account=%3Cx%3E&after=1&to=".as_bytes()).unwrap();
        assert_eq!(fields.query_without(&["after"]), "account=%3Cx%3E");
    }
}
