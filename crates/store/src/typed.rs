//! What a person types, as it is compared. Pure.

use unicode_normalization::UnicodeNormalization as _;

/// Full-width letters, digits and signs as narrow ones, and the wide space as a space. Input methods leave them wide, and
/// make one of several dashes of what was meant as a hyphen.
#[must_use]
pub fn narrow(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{ff01}'..='\u{ff5e}' => {
                char::from_u32(u32::from(c) - 0xfee0).filter(char::is_ascii).unwrap_or(c)
            }
            '\u{3000}' => ' ',
            '￥' => '\\',
            '−' | '‐' | '―' => '-',
            _ => c,
        })
        .collect()
}

/// A text as it is told from others that read alike: full-width letters, half-width kana and other forms that are only
/// another shape (NFKC) as the plain ones, in lower case.
#[must_use]
pub fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfkc().flat_map(char::to_lowercase).nfkc().collect()
}

/// ひらがな as カタカナ: readings are kept in katakana and typed in either.
#[must_use]
pub fn katakana(text: &str) -> String {
    let up = |c: char| match c {
        'ぁ'..='ゖ' => char::from_u32(u32::from(c) + 0x60).unwrap_or(c),
        _ => c,
    };
    text.chars().map(up).collect()
}

/// カタカナ as half-width ｶﾅ, which files from old systems have. Their marks are letters of their own: ガ is ｶﾞ.
#[must_use]
pub fn half_width(text: &str) -> String {
    text.nfd().map(half_width_letter).collect()
}

/// The reverse of [`narrow`] for letters, digits, signs and the space: files from old systems have names in wide letters.
fn wide(text: &str) -> String {
    let up = |c: char| match c {
        '!'..='~' => char::from_u32(u32::from(c) + 0xfee0).unwrap_or(c),
        ' ' => '\u{3000}',
        _ => c,
    };
    text.chars().map(up).collect()
}

/// The forms in which a text may be kept that somebody types: as typed, with narrow letters, in plain forms (NFKC), those with
/// ひらがな as カタカナ, and what files from old systems have, half-width ｶﾅ and wide letters. Each once. What is kept in several
/// widths at once is not among them.
#[must_use]
pub fn forms(typed: &str) -> Vec<String> {
    let narrow = narrow(typed);
    let plain: String = narrow.nfkc().collect();
    let kana = katakana(&plain);
    let mut all = vec![typed.to_owned(), half_width(&kana), wide(&plain), wide(&kana), kana, plain, narrow];
    all.sort();
    all.dedup();
    all
}

/// A reading as it is compared, in katakana of full width.
#[must_use]
pub fn reading(text: &str) -> String {
    katakana(&narrow(text).nfkc().collect::<String>())
}

/// The half-width letters from U+FF61 on stand in this order.
const FULL_WIDTH: &str = "。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン";

fn half_width_letter(c: char) -> char {
    match c {
        '\u{3099}' => 'ﾞ',
        '\u{309a}' => 'ﾟ',
        c => {
            let place = FULL_WIDTH.chars().position(|full| full == c);
            let half = place.and_then(|place| char::from_u32(0xff61 + u32::try_from(place).ok()?));
            half.unwrap_or(c)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_alike_is_folded_to_one() {
        for text in ["BetaAdmin", "ｂｅｔａadmin", "betaadmin", "ＢＥＴＡＡＤＭＩＮ"] {
            assert_eq!(folded(text), "betaadmin");
        }
        assert_eq!(folded("ｻｰﾊﾞｰ"), "サーバー");
        assert_ne!(folded("花子"), folded("華子"));
    }

    #[test]
    fn wide_input_becomes_narrow_and_hiragana_katakana() {
        assert_eq!(narrow("Ｅ０３４１　小川"), "E0341 小川");
        assert_eq!(narrow("ＤＯＭＡＩＮ￥ｕｓｅｒ"), "DOMAIN\\user");
        assert_eq!(narrow("Ａ－１２３ ２０２６−０６‐１７"), "A-123 2026-06-17");
        assert_eq!(narrow("花子・ｶﾅ ー〜"), "花子・ｶﾅ ー〜", "only what has a narrow self");
        assert_eq!(katakana("やまだ ハナコ"), "ヤマダ ハナコ");
    }

    #[test]
    fn a_text_is_looked_for_in_each_form_in_which_it_may_be_kept() {
        for typed in ["ﾀﾅｶ A-1", "たなか　Ａ－１", "タナカ A-1"] {
            let all = forms(typed);
            for form in ["ﾀﾅｶ A-1", "タナカ A-1", "タナカ　Ａ－１"] {
                assert!(all.contains(&form.to_owned()), "{form}: {all:?}");
            }
            assert!(all.contains(&typed.to_owned()) && all.contains(&"ﾀﾅｶ A-1".to_owned()), "{all:?}");
        }
        assert_eq!(forms("花子"), ["花子"], "what has one form is looked for once");
        assert_eq!((reading("ﾔﾏﾀﾞ").as_str(), reading("やまだ").as_str()), ("ヤマダ", "ヤマダ"));
    }

    #[test]
    fn katakana_has_a_half_width_self() {
        assert_eq!(half_width("タナカ　ギンパチロー・ヴァッ"), "ﾀﾅｶ　ｷﾞﾝﾊﾟﾁﾛｰ･ｳﾞｧｯ");
        let all = half_width(FULL_WIDTH);
        assert!(all.chars().all(|c| ('\u{ff61}'..='\u{ff9d}').contains(&c)), "{all}");
        assert_eq!(all.nfkc().collect::<String>(), FULL_WIDTH, "and comes back as what it was");
        assert_eq!(half_width("Tanaka 田中"), "Tanaka 田中");
    }
}
