//! Cutting lists into pages.
//!
//! Lists that can grow are cut by the store, behind a key ([`next_after`]); [`Cut`] is for those that are in memory.

use super::fields::Fields;

/// Rows of a page, in every list.
pub const ROWS: usize = 50;

/// Address of the page of the list at `path` that begins behind `after`.
#[must_use]
pub fn next_after(path: &str, fields: &Fields, after: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(fields.query_without(&["after", "page"]));
    format!("{path}?{}", query.append_pair("after", after).finish())
}

/// A page of a list that is in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// First row.
    pub from: usize,
    /// Rows of the whole list.
    pub total: usize,
}

impl Cut {
    /// The page with the number `text` (from 1); the first for any other text.
    #[must_use]
    pub fn of(text: &str, total: usize) -> Self {
        let number =
            text.parse::<usize>().ok().filter(|number| (1..=1_000_000).contains(number)).unwrap_or(1);
        let from = (number - 1) * ROWS;
        Self { from: if from < total { from } else { 0 }, total }
    }

    /// Rows on this page.
    #[must_use]
    pub fn shown(&self) -> usize {
        ROWS.min(self.total - self.from)
    }

    /// Number of the next page, if there is one.
    #[must_use]
    pub fn next(&self) -> Option<usize> {
        (self.from + ROWS < self.total).then_some(self.from / ROWS + 2)
    }

    /// The rows of this page.
    #[must_use]
    pub fn slice<'a, T>(&self, rows: &'a [T]) -> &'a [T] {
        &rows[self.from..self.from + self.shown()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_cover_the_list_once() {
        let rows: Vec<usize> = (0..120).collect();
        assert_eq!(Cut::of("", 120).slice(&rows), &rows[..50]);
        assert_eq!(Cut::of("3", 120).slice(&rows), &rows[100..]);
        assert_eq!((Cut::of("2", 120).next(), Cut::of("3", 120).next()), (Some(3), None));
    }

    #[test]
    fn a_page_that_is_not_there_is_the_first() {
        for text in ["0", "-1", "x", "9", "99999999999999999999"] {
            assert_eq!(Cut::of(text, 120).from, 0, "{text}");
        }
        assert_eq!(Cut::of("1", 0).shown(), 0);
    }
}
