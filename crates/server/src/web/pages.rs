//! Lists in pages: each is cut by the store, behind the key of the row before.

use super::fields::Fields;

/// Rows of a page, in every list.
pub const ROWS: usize = 50;

/// Address of the page of the list at `path` that begins behind `after`.
#[must_use]
pub fn next_after(path: &str, fields: &Fields, after: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(fields.query_without(&["after"]));
    format!("{path}?{}", query.append_pair("after", after).finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_keeps_what_was_asked_for() {
        let fields = Fields::parse("q=山田&show=&after=E-1".as_bytes()).unwrap();
        assert_eq!(next_after("/employees", &fields, "E 2&"), "/employees?q=%E5%B1%B1%E7%94%B0&after=E+2%26");
    }
}
