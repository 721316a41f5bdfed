//! CSV files as spreadsheets and the programs of personnel offices take them: every cell in quotes (RFC 4180), nothing
//! that a spreadsheet would run, in one of two encodings.
//!
//! UTF-8 comes with a byte order mark, because spreadsheets take it for another encoding otherwise. Shift_JIS (as
//! Windows has it, code page 932) is for programs that read nothing else. It does not hold every character: 𠮷 and 😀
//! have no place in it. Nothing is lost unseen: what it cannot hold is written 〓, as such programs are used to, and the
//! last column of that line, which only these files have, says which characters stood there (`U+20BB7`), in their order.
//!
//! A cell that a spreadsheet would run as a formula gets an apostrophe in front (OWASP, CSV injection): user and PC names
//! come from PCs and may be anything.

use std::fmt::Write as _;

use encoding_rs::SHIFT_JIS;

use super::chrome::{Banner, Chrome, Tone};
use super::fields::Fields;

/// The field of an address that asks for another encoding than UTF-8.
const FIELD: &str = "encoding";
/// Its value for Shift_JIS.
const NAME: &str = "shift_jis";

/// 〓 in Shift_JIS.
const GETA: [u8; 2] = [0x81, 0xac];

/// How the characters of a file are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// With a byte order mark.
    Utf8,
    /// As Windows has it.
    ShiftJis,
}

impl Encoding {
    /// What an address asks for; UTF-8 when it asks for nothing that is known.
    #[must_use]
    pub fn asked(fields: &Fields) -> Self {
        if fields.text(FIELD).eq_ignore_ascii_case(NAME) { Self::ShiftJis } else { Self::Utf8 }
    }

    /// What an address asks for that is no encoding of ours.
    #[must_use]
    pub fn strange(fields: &Fields) -> Option<&str> {
        let known = ["utf-8", "utf8", NAME];
        fields.filled(FIELD).filter(|text| !known.iter().any(|known| known.eq_ignore_ascii_case(text)))
    }

    /// What to say about an address that asks for no encoding of ours, on the page that leads to the file.
    #[must_use]
    pub fn complaint(fields: &Fields, c: &Chrome) -> Option<Banner> {
        let text = Self::strange(fields)?;
        Some(Banner::new(Tone::Error, c.t("filter-bad"), c.v("filter-bad-encoding", "text", text)))
    }

    /// The header of a file.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Utf8 => "text/csv; charset=utf-8",
            Self::ShiftJis => "text/csv; charset=Shift_JIS",
        }
    }

    /// What the audit log calls a CSV file in it.
    #[must_use]
    pub fn form(self) -> &'static str {
        match self {
            Self::Utf8 => "csv",
            Self::ShiftJis => "csv, Shift_JIS",
        }
    }

    /// The beginning of a file: the names of its columns.
    #[must_use]
    pub fn head(self, cells: &[String], c: &Chrome) -> Vec<u8> {
        match self {
            Self::Utf8 => format!("\u{feff}{}", line(cells)).into_bytes(),
            Self::ShiftJis => {
                let more = [c.t("csv-replaced")];
                encoded(&line(&[cells, &more].concat())).0
            }
        }
    }

    /// A line of a file.
    #[must_use]
    pub fn line(self, cells: &[String]) -> Vec<u8> {
        let text = line(cells);
        match self {
            Self::Utf8 => text.into_bytes(),
            Self::ShiftJis => {
                let (mut bytes, replaced) = encoded(text.trim_end_matches("\r\n"));
                let names: Vec<String> =
                    replaced.iter().map(|c| format!("U+{:04X}", u32::from(*c))).collect();
                bytes.extend(format!(",\"{}\"\r\n", names.join(" ")).bytes());
                bytes
            }
        }
    }
}

/// The address of the same file in Shift_JIS.
#[must_use]
pub fn in_shift_jis(address: &str) -> String {
    let join = match address.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    format!("{address}{join}{FIELD}={NAME}")
}

/// A text in Shift_JIS, and the characters in whose place 〓 stands.
fn encoded(text: &str) -> (Vec<u8>, Vec<char>) {
    let text: String = text.chars().map(as_windows_has_it).collect();
    let (bytes, _, lossy) = SHIFT_JIS.encode(&text);
    if !lossy {
        return (bytes.into_owned(), Vec::new());
    }
    let (mut all, mut replaced) = (Vec::with_capacity(text.len()), Vec::new());
    let mut one = [0; 4];
    for c in text.chars() {
        let (bytes, _, lossy) = SHIFT_JIS.encode(c.encode_utf8(&mut one));
        if lossy {
            all.extend(GETA);
            replaced.push(c);
        } else {
            all.extend(bytes.iter());
        }
    }
    (all, replaced)
}

/// The same sign where JIS and Windows have given it different code points (JIS X 0208 row 1; Unicode's SHIFTJIS.TXT
/// beside CP932.TXT), and signs that would come back as another one.
fn as_windows_has_it(c: char) -> char {
    match c {
        '〜' => '～',
        '—' => '―',
        '‖' => '∥',
        '−' => '－',
        '¢' => '￠',
        '£' => '￡',
        '¬' => '￢',
        '¥' => '￥',
        '‾' => '￣',
        other => other,
    }
}

/// One line: every cell in quotes, as RFC 4180 has it.
#[must_use]
pub fn line(cells: &[String]) -> String {
    let mut line = String::new();
    for (place, cell) in cells.iter().enumerate() {
        let comma = if place == 0 { "" } else { "," };
        // Writing to a String cannot fail.
        let _ = write!(line, "{comma}\"{}\"", harmless(cell).replace('"', "\"\""));
    }
    line.push_str("\r\n");
    line
}

/// Signs with which a spreadsheet takes a cell for a formula. Full-width ones count: Japanese input methods make them, and
/// some spreadsheets read them.
const SIGNS: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// Whether a cell of a file of ours has an apostrophe in front of this text.
#[must_use]
pub fn looks_like_a_formula(cell: &str) -> bool {
    cell.trim_start_matches(' ').starts_with(SIGNS)
}

/// What a cell of a file of ours says when it comes back: the apostrophe of [`harmless`] is none of it.
#[must_use]
pub fn as_meant(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| looks_like_a_formula(rest)).unwrap_or(cell)
}

/// The cell as no spreadsheet takes it for a formula.
fn harmless(cell: &str) -> String {
    if looks_like_a_formula(cell) { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_defused_and_quotes_doubled() {
        let cells = ["=1+1", "+1", "-1", "@x", " =1", "＝1", "a\"b", "普通"].map(str::to_owned);
        assert_eq!(
            line(&cells),
            "\"'=1+1\",\"'+1\",\"'-1\",\"'@x\",\"' =1\",\"'＝1\",\"a\"\"b\",\"普通\"\r\n"
        );
    }

    #[test]
    fn what_comes_back_is_what_was_meant() {
        for cell in ["=1+1", " -1", "＠x", "普通", "'quoted'", ""] {
            assert_eq!(as_meant(&harmless(cell)), cell);
        }
    }

    fn shift_jis(cells: &[&str]) -> String {
        let cells: Vec<String> = cells.iter().map(|cell| (*cell).to_owned()).collect();
        let bytes = Encoding::ShiftJis.line(&cells);
        SHIFT_JIS.decode_without_bom_handling_and_without_replacement(&bytes).expect("Shift_JIS").into_owned()
    }

    #[test]
    fn what_shift_jis_cannot_hold_is_marked_and_named() {
        assert_eq!(
            shift_jis(&["髙橋 﨑", "①㈱ｱ"]),
            "\"髙橋 﨑\",\"①㈱ｱ\",\"\"\r\n",
            "Windows' own characters"
        );
        assert_eq!(
            shift_jis(&["𠮷野", "a", "é𠮷"]),
            "\"〓野\",\"a\",\"〓〓\",\"U+20BB7 U+00E9 U+20BB7\"\r\n"
        );
        assert_eq!(shift_jis(&["〓"]), "\"〓\",\"\"\r\n", "a real 〓 is no replacement");
    }

    #[test]
    fn signs_with_two_code_points_stay_what_they_look_like() {
        assert_eq!(shift_jis(&["9:00〜18:00 −1 ¥5 D\\u"]), "\"9:00～18:00 －1 ￥5 D\\u\",\"\"\r\n");
    }

    /// Every character of the basic plane either comes back or is named.
    #[test]
    fn no_character_is_lost_unseen() {
        for c in ('\u{20}'..='\u{ffff}').filter(|c| as_windows_has_it(*c) == *c) {
            let (bytes, replaced) = encoded(&c.to_string());
            let back = SHIFT_JIS.decode_without_bom_handling(&bytes).0.into_owned();
            assert!(back == c.to_string() || replaced == [c], "U+{:04X} became {back}", u32::from(c));
        }
    }

    #[test]
    fn the_address_of_the_other_encoding_keeps_the_query() {
        for (address, wanted) in [
            ("/me.csv", "/me.csv?encoding=shift_jis"),
            ("/punches.csv?", "/punches.csv?encoding=shift_jis"),
            ("/punches.csv?errors=1", "/punches.csv?errors=1&encoding=shift_jis"),
        ] {
            assert_eq!(in_shift_jis(address), wanted);
            let query = wanted.split_once('?').unwrap().1;
            assert_eq!(Encoding::asked(&Fields::parse(query.as_bytes()).unwrap()), Encoding::ShiftJis);
        }
        assert_eq!(Encoding::asked(&Fields::parse(b"encoding=latin1").unwrap()), Encoding::Utf8);
    }
}
