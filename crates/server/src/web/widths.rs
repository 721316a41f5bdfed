//! 全角 to 半角, where codes, dates and times are typed: Japanese input methods make either.

/// The text with full-width letters, digits and signs in their narrow form, without space around it.
#[must_use]
pub fn halved(text: &str) -> String {
    let narrow = |c: char| match c {
        '！'..='～' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
        '　' => ' ',
        '−' | '‐' | '―' => '-',
        c => c,
    };
    text.chars().map(narrow).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_narrow_form_gets_it_and_the_rest_stays() {
        assert_eq!(halved("　Ａ－１２３　"), "A-123");
        assert_eq!(halved("２０２６−０６−１７"), "2026-06-17");
        assert_eq!(halved("花子・ｶﾅ"), "花子・ｶﾅ");
    }
}
