//! Account names read as Japanese. Pure.
//!
//! `hanako.yamada`, `sato_k` … An account's name in Latin letters becomes the katakana that it may stand for, so that
//! it can be looked up among フリガナ. Latin spelling drops long vowels (`sato` is サトウ as well as サト), therefore one
//! name gives several readings; they are bounded by [`READINGS_MAX`]. Hepburn and Kunrei spellings are read.

use std::collections::BTreeSet;

/// Readings of one name at most.
pub const READINGS_MAX: usize = 96;

/// Longest part of a name that is read, in letters.
const PART_MAX: usize = 24;

const SYLLABLES: &str = "
a ア i イ u ウ e エ o オ ka カ ki キ ku ク ke ケ ko コ sa サ si シ shi シ su ス se セ so ソ ta タ ti チ chi チ tu ツ tsu ツ te テ
to ト na ナ ni ニ nu ヌ ne ネ no ノ ha ハ hi ヒ hu フ fu フ he ヘ ho ホ ma マ mi ミ mu ム me メ mo モ ya ヤ yu ユ yo ヨ ra ラ
ri リ ru ル re レ ro ロ wa ワ wo ヲ ga ガ gi ギ gu グ ge ゲ go ゴ za ザ zi ジ ji ジ zu ズ ze ゼ zo ゾ da ダ di ヂ du ヅ de デ
do ド ba バ bi ビ bu ブ be ベ bo ボ pa パ pi ピ pu プ pe ペ po ポ kya キャ kyu キュ kyo キョ sya シャ syu シュ syo ショ sha シャ
shu シュ sho ショ tya チャ tyu チュ tyo チョ cha チャ chu チュ cho チョ nya ニャ nyu ニュ nyo ニョ hya ヒャ hyu ヒュ hyo ヒョ
mya ミャ myu ミュ myo ミョ rya リャ ryu リュ ryo リョ gya ギャ gyu ギュ gyo ギョ zya ジャ zyu ジュ zyo ジョ ja ジャ ju ジュ
jo ジョ bya ビャ byu ビュ byo ビョ pya ピャ pyu ピュ pyo ピョ";

/// What the two parts of an account's name may read like, joined in both orders; empty when it has not two parts or
/// they are no Japanese.
#[must_use]
pub fn readings(name: &str) -> Vec<String> {
    let name = name.to_ascii_lowercase();
    let parts: Vec<&str> = name.split(['.', '_', '-', ' ']).filter(|part| !part.is_empty()).collect();
    let [one, other] = parts.as_slice() else { return Vec::new() };
    let (one, other) = (part(one), part(other));
    let pairs = |first: &[String], second: &[String]| -> Vec<String> {
        first.iter().flat_map(|a| second.iter().map(move |b| format!("{a}{b}"))).collect()
    };
    let all: BTreeSet<String> = pairs(&one, &other).into_iter().chain(pairs(&other, &one)).collect();
    all.into_iter().take(READINGS_MAX).collect()
}

/// Family names and the given name's first letter that an account's name of two parts may mean, one of them a single
/// letter: `h.yamada` and `yamada-h` are ヤマダ and `h`. Empty for every other name.
#[must_use]
pub fn initials(name: &str) -> Vec<(String, char)> {
    let name = name.to_ascii_lowercase();
    let parts: Vec<&str> = name.split(['.', '_', '-', ' ']).filter(|part| !part.is_empty()).collect();
    let [one, other] = parts.as_slice() else { return Vec::new() };
    let (initial, family) = match (one.len(), other.len()) {
        (1, 2..) => (one, other),
        (2.., 1) => (other, one),
        _ => return Vec::new(),
    };
    let Some(letter) = initial.chars().next().filter(char::is_ascii_lowercase) else { return Vec::new() };
    part(family).into_iter().map(|reading| (reading, letter)).collect()
}

/// A name without the digits at its end, by which people of one name are told apart (`sato.hanako1`); none for a name that
/// ends in no digit, or is nothing else.
#[must_use]
pub fn unnumbered(name: &str) -> Option<&str> {
    let plain = name.trim_end_matches(|c: char| c.is_ascii_digit());
    (!plain.is_empty() && plain.len() < name.len()).then_some(plain)
}

/// Whether `katakana` begins with a syllable that is spelled with `letter` first.
#[must_use]
pub fn begins_with(katakana: &str, letter: char) -> bool {
    let mut table = SYLLABLES.split_whitespace();
    let first = katakana.chars().next();
    while let (Some(latin), Some(kana)) = (table.next(), table.next()) {
        if latin.starts_with(letter) && first.is_some() && kana.chars().next() == first {
            return true;
        }
    }
    false
}

/// Readings of one part, the shortest first; at most seven, so that two parts stay within the limit.
fn part(text: &str) -> Vec<String> {
    if text.len() > PART_MAX || !text.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Vec::new();
    }
    let Some(syllables) = syllables(text) else { return Vec::new() };
    let mut all = vec![String::new()];
    for (kana, vowel) in syllables {
        let long: &[&str] = match vowel {
            'o' => &["", "ウ", "オ"],
            'u' => &["", "ウ"],
            _ => &[""],
        };
        let ends: Vec<String> = long.iter().map(|end| format!("{kana}{end}")).collect();
        all = all.iter().flat_map(|start| ends.iter().map(move |end| format!("{start}{end}"))).collect();
        all.sort_by_key(|text| text.chars().count());
        all.truncate(7);
    }
    all
}

/// The syllables of `text` with their vowels; `None` when it cannot be read to its end.
fn syllables(text: &str) -> Option<Vec<(String, char)>> {
    let mut table = SYLLABLES.split_whitespace();
    let mut known = Vec::new();
    while let (Some(latin), Some(kana)) = (table.next(), table.next()) {
        known.push((latin, kana));
    }
    let (mut rest, mut found) = (text, Vec::new());
    while !rest.is_empty() {
        let bytes = rest.as_bytes();
        let next = bytes.get(1).copied();
        let doubled = next == Some(bytes[0]) && !b"aiueon".contains(&bytes[0]);
        if doubled || rest.starts_with("tch") {
            found.push(("ッ".to_owned(), ' '));
            rest = &rest[1..];
            continue;
        }
        let best =
            known.iter().filter(|(latin, _)| rest.starts_with(latin)).max_by_key(|(latin, _)| latin.len());
        if let Some((latin, kana)) = best {
            found.push(((*kana).to_owned(), latin.chars().last().unwrap_or(' ')));
            rest = &rest[latin.len()..];
        } else if let Some(after) = rest.strip_prefix('n').or_else(|| rest.strip_prefix('m')) {
            found.push(("ン".to_owned(), ' '));
            rest = after.strip_prefix('\'').unwrap_or(after);
        } else {
            return None;
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_in_both_orders() {
        assert!(readings("hanako.yamada").contains(&"ヤマダハナコ".to_owned()));
        assert!(readings("yamada_hanako").contains(&"ヤマダハナコ".to_owned()));
    }

    #[test]
    fn long_vowels_are_tried_with_and_without() {
        let all = readings("taro.sato");
        for reading in ["サトウタロウ", "サトタロ", "サトウタロ"] {
            assert!(all.contains(&reading.to_owned()), "{reading} {all:?}");
        }
        assert!(readings("ryo.ohno").is_empty(), "oh is no spelling that is read");
        assert!(readings("kenta.hattori").contains(&"ハットリケンタ".to_owned()));
        assert!(readings("jun.shimbo").contains(&"シンボジュン".to_owned()));
    }

    #[test]
    fn what_is_no_japanese_name_has_no_reading() {
        for name in ["yamada", "svc-backup2", "john.smith", "a.b.c", "", ".", "x.y", "ヤマダ.ハナコ"] {
            assert_eq!(readings(name), Vec::<String>::new(), "{name}");
        }
    }

    #[test]
    fn a_family_name_with_an_initial_is_read_in_both_orders() {
        for name in ["h.yamada", "yamada-h", "Yamada_H"] {
            assert_eq!(initials(name), [("ヤマダ".to_owned(), 'h')], "{name}");
        }
        assert!(initials("t.sato").contains(&("サトウ".to_owned(), 't')));
        for name in ["yamada", "h.y", "hanako.yamada", "1.yamada", "h.smith", "a.b.yamada", ""] {
            assert!(initials(name).is_empty(), "{name}");
        }
        assert!(begins_with("ハナコ", 'h') && begins_with("ジュン", 'j') && begins_with("シゲル", 's'));
        assert!(!begins_with("ハナコ", 't') && !begins_with("", 'h'));
    }

    #[test]
    fn digits_at_the_end_of_a_name_are_left_out() {
        for (name, plain) in [("sato.hanako1", "sato.hanako"), ("h.yamada02", "h.yamada")] {
            assert_eq!(unnumbered(name), Some(plain));
            assert!(readings(name).is_empty() && initials(name).is_empty(), "{name} as it stands");
        }
        for name in ["sato.hanako", "sato1.hanako", "0341", ""] {
            assert_eq!(unnumbered(name), None, "{name}");
        }
    }

    #[test]
    fn readings_are_bounded() {
        assert!(readings("kotorotomosuzu.kosoyukotorotomo").len() <= READINGS_MAX);
        assert!(readings(&format!("{}.o", "o".repeat(100))).is_empty());
    }
}
