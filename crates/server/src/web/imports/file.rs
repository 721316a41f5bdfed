//! An uploaded file as lines of links or employees.
//!
//! Spreadsheets in Japan save CSV as Shift_JIS and dates as `2026/6/1`; both are read. Columns are found by the words of
//! the first line, so their order is free and more of them do no harm.

use jiff::civil::Date;
use mngntime_store::typed::narrow;
use mngntime_store::{IMPORT_LINES_MAX, LinkLine, NewEmployee};

use super::super::employees::TEXT_MAX;

/// Largest file, in bytes.
pub const FILE_MAX: usize = 400 * 1024;

/// Why a file cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileProblem {
    /// Nothing was chosen, or it is empty.
    Empty,
    /// It is larger than [`FILE_MAX`].
    TooLarge,
    /// It is neither UTF-8 nor Shift_JIS.
    Encoding,
    /// The first line lacks a column, named here in Japanese and English.
    Column(&'static str),
    /// It has more than [`IMPORT_LINES_MAX`] lines.
    TooManyLines,
    /// Quotes are not closed, at this line.
    Quotes(u64),
}

/// Why a line cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CellProblem {
    /// A cell that is needed is empty: name of its column.
    Missing(&'static str),
    /// A cell is no date.
    Date(String),
    /// A cell is too long or has signs that no name has.
    Text(&'static str),
}

/// A line of the file: its number, from 1, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<T> {
    /// Number of the line in the file.
    pub number: u64,
    /// The line as it is shown.
    pub shown: String,
    /// What it says.
    pub content: Result<T, CellProblem>,
}

/// The text of an uploaded file and the name of its encoding.
///
/// # Errors
/// [`FileProblem::Encoding`] when it is in another one.
pub fn decode(bytes: &[u8]) -> Result<(String, &'static str), FileProblem> {
    let plain = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if let Ok(text) = std::str::from_utf8(plain) {
        let name = if plain.len() < bytes.len() { "UTF-8 (BOM)" } else { "UTF-8" };
        return Ok((text.to_owned(), name));
    }
    match encoding_rs::SHIFT_JIS.decode_without_bom_handling_and_without_replacement(bytes) {
        Some(text) => Ok((text.into_owned(), "Shift_JIS")),
        None => Err(FileProblem::Encoding),
    }
}

/// A column: the words of the first line that name it, Japanese first.
type Column = &'static [&'static str];

const DOMAIN: Column = &["ドメイン", "domain"];
const USER: Column = &["ユーザー", "ユーザー名", "user"];
const KEY: Column = &["SID", "sid", "key"];
const UPN: Column = &["UPN", "upn"];
const EMPLOYEE: Column = &["社員コード", "employee code", "employee_code"];
const FROM: Column = &["開始日", "入社日", "from"];
const TO: Column = &["終了日", "退職日", "to"];
const NAME: Column = &["氏名", "name"];
const KANA: Column = &["フリガナ", "kana"];
const DEPARTMENT: Column = &["所属", "department"];

/// First line of a file of links.
pub const LINKS_HEAD: [&str; 7] = ["ドメイン", "ユーザー", "SID", "UPN", "社員コード", "開始日", "終了日"];
/// First line of a file of employees.
pub const EMPLOYEES_HEAD: [&str; 6] = ["社員コード", "氏名", "フリガナ", "所属", "入社日", "退職日"];

struct Table {
    head: Vec<String>,
    rows: Vec<(u64, csv::StringRecord)>,
}

impl Table {
    fn read(text: &str) -> Result<Self, FileProblem> {
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
        let mut records = reader.records();
        let head = match records.next() {
            Some(Ok(head)) => head.iter().map(|cell| narrow(cell.trim()).to_lowercase()).collect(),
            Some(Err(_)) | None => return Err(FileProblem::Empty),
        };
        let mut rows = Vec::new();
        for record in records {
            let record = record.map_err(|error| FileProblem::Quotes(line_of(&error)))?;
            if record.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            if rows.len() >= IMPORT_LINES_MAX {
                return Err(FileProblem::TooManyLines);
            }
            rows.push((record.position().map_or(0, csv::Position::line), record));
        }
        Ok(Self { head, rows })
    }

    fn place(&self, column: Column) -> Option<usize> {
        self.head.iter().position(|cell| column.iter().any(|word| word.to_lowercase() == *cell))
    }

    fn needs(&self, column: Column) -> Result<(), FileProblem> {
        self.place(column).map(drop).ok_or(FileProblem::Column(column[0]))
    }

    fn cells<'a>(&'a self, record: &'a csv::StringRecord) -> impl Fn(Column) -> &'a str + 'a {
        move |column| self.place(column).and_then(|place| record.get(place)).unwrap_or_default().trim()
    }
}

fn line_of(error: &csv::Error) -> u64 {
    error.position().map_or(0, csv::Position::line)
}

/// The lines of a file of links.
///
/// # Errors
/// Why it cannot be read at all.
pub fn links(text: &str) -> Result<Vec<Line<LinkLine>>, FileProblem> {
    let table = Table::read(text)?;
    table.needs(EMPLOYEE)?;
    table.needs(FROM)?;
    if [USER, KEY, UPN].iter().all(|column| table.place(column).is_none()) {
        return Err(FileProblem::Column(USER[0]));
    }
    let line = |(number, record): &(u64, csv::StringRecord)| {
        let cell = table.cells(record);
        let code = narrow(cell(EMPLOYEE));
        let account = [cell(KEY), cell(USER), cell(UPN)].into_iter().find(|text| !text.is_empty());
        let shown = format!("{} → {code}", account.unwrap_or_default());
        Line { number: *number, shown, content: link(&cell, account.is_some(), code.clone()) }
    };
    Ok(table.rows.iter().map(line).collect())
}

fn link<'a>(cell: &impl Fn(Column) -> &'a str, named: bool, code: String) -> Result<LinkLine, CellProblem> {
    if !named {
        return Err(CellProblem::Missing(USER[0]));
    }
    let text = |column: Column| checked(&narrow(cell(column)), column);
    Ok(LinkLine {
        domain: text(DOMAIN)?,
        user: text(USER)?,
        key: text(KEY)?,
        upn: text(UPN)?,
        employee: needed(code, EMPLOYEE)?,
        from: date(cell(FROM))?.ok_or(CellProblem::Missing(FROM[0]))?,
        to: date(cell(TO))?,
    })
}

/// Which columns a file of employees has, beside code and name. One that it lacks says nothing of anybody.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Present {
    /// フリガナ
    pub kana: bool,
    /// 所属
    pub department: bool,
    /// 入社日
    pub from: bool,
    /// 退職日
    pub to: bool,
}

impl Present {
    /// `line`, with what the file says nothing of as it is `known`.
    #[must_use]
    pub fn filled(self, line: NewEmployee, known: &NewEmployee) -> NewEmployee {
        NewEmployee {
            kana: if self.kana { line.kana } else { known.kana.clone() },
            department: if self.department { line.department } else { known.department.clone() },
            active_from: if self.from { line.active_from } else { known.active_from },
            active_to: if self.to { line.active_to } else { known.active_to },
            ..line
        }
    }
}

/// The columns of a file of employees.
///
/// # Errors
/// Why it cannot be read at all.
pub fn employee_columns(text: &str) -> Result<Present, FileProblem> {
    let table = Table::read(text)?;
    let has = |column| table.place(column).is_some();
    Ok(Present { kana: has(KANA), department: has(DEPARTMENT), from: has(FROM), to: has(TO) })
}

/// The lines of a file of employees.
///
/// # Errors
/// Why it cannot be read at all.
pub fn employees(text: &str) -> Result<Vec<Line<NewEmployee>>, FileProblem> {
    let table = Table::read(text)?;
    table.needs(EMPLOYEE)?;
    table.needs(NAME)?;
    let line = |(number, record): &(u64, csv::StringRecord)| {
        let cell = table.cells(record);
        let code = narrow(cell(EMPLOYEE));
        let shown = format!("{code} {}", cell(NAME));
        Line { number: *number, shown, content: employee(&cell, code.clone()) }
    };
    Ok(table.rows.iter().map(line).collect())
}

fn employee<'a>(cell: &impl Fn(Column) -> &'a str, code: String) -> Result<NewEmployee, CellProblem> {
    let maybe = |column: Column| -> Result<Option<String>, CellProblem> {
        Ok(Some(checked(cell(column), column)?).filter(|text| !text.is_empty()))
    };
    Ok(NewEmployee {
        code: needed(code, EMPLOYEE)?,
        name: needed(cell(NAME).to_owned(), NAME)?,
        kana: maybe(KANA)?,
        department: maybe(DEPARTMENT)?,
        active_from: date(cell(FROM))?,
        active_to: date(cell(TO))?,
    })
}

fn needed(text: String, column: Column) -> Result<String, CellProblem> {
    if text.is_empty() { Err(CellProblem::Missing(column[0])) } else { checked(&text, column) }
}

fn checked(text: &str, column: Column) -> Result<String, CellProblem> {
    if text.chars().count() > TEXT_MAX * 2 || text.chars().any(char::is_control) {
        return Err(CellProblem::Text(column[0]));
    }
    Ok(text.to_owned())
}

/// First days of the eras, the latest first, with the words that name them and the year before their first.
const ERAS: [([&str; 2], i16, Date); 3] = [
    (["令和", "R"], 2018, jiff::civil::date(2019, 5, 1)),
    (["平成", "H"], 1988, jiff::civil::date(1989, 1, 8)),
    (["昭和", "S"], 1925, jiff::civil::date(1926, 12, 25)),
];

/// `2026-06-01`, `2026/6/1`, `R8.6.1`, with full-width digits too; nothing when empty.
fn date(text: &str) -> Result<Option<Date>, CellProblem> {
    if text.is_empty() {
        return Ok(None);
    }
    let wrong = || CellProblem::Date(text.to_owned());
    let narrow = narrow(text);
    let named = ERAS.iter().find_map(|(names, before, first)| {
        let rest = names.iter().find_map(|name| narrow.strip_prefix(name))?;
        Some((rest, *before, *first))
    });
    let (plain, before, first) = named.unwrap_or((&narrow, 0, Date::MIN));
    let digits = |part: &str| {
        let all = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<i16>().ok().filter(|_| all)
    };
    let parts: Option<Vec<i16>> = plain.split(['-', '/', '.']).map(digits).collect();
    let parts = parts.ok_or_else(wrong)?;
    let [year, month, day] = parts.as_slice() else { return Err(wrong()) };
    let year = year.checked_add(before).ok_or_else(wrong)?;
    let small = |number: i16| i8::try_from(number).map_err(|_| wrong());
    let date = Date::new(year, small(*month)?, small(*day)?).map_err(|_| wrong())?;
    let next = ERAS.iter().rev().map(|(_, _, next)| *next).find(|next| named.is_some() && first < *next);
    let within = first <= date && next.is_none_or(|next| date < next);
    if within && (1900..=9990).contains(&date.year()) { Ok(Some(date)) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date as day;

    #[test]
    fn both_encodings_are_found_and_others_refused() {
        let text = "社員コード,氏名\nE1,小川";
        let (shift_jis, _, _) = encoding_rs::SHIFT_JIS.encode(text);
        assert_eq!(decode(&shift_jis), Ok((text.to_owned(), "Shift_JIS")));
        assert_eq!(decode(text.as_bytes()), Ok((text.to_owned(), "UTF-8")));
        let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
        assert_eq!(decode(&marked), Ok((text.to_owned(), "UTF-8 (BOM)")));
        assert_eq!(decode(b"\xff\xfe\x3e\x79"), Err(FileProblem::Encoding), "UTF-16");
    }

    #[test]
    fn columns_are_found_by_name_in_any_order_and_dates_as_spreadsheets_write_them() {
        let text = "氏名,メモ,社員コード,入社日\n\"小川, 拓海\",x,Ｅ１,2026/6/1\n,,,\n佐藤,,E2,２０２６－０４－０１\n";
        let lines = employees(text).unwrap();
        let one = lines[0].content.as_ref().unwrap();
        assert_eq!((one.code.as_str(), one.name.as_str()), ("E1", "小川, 拓海"));
        assert_eq!(one.active_from, Some(day(2026, 6, 1)));
        let two = lines[1].content.as_ref().unwrap();
        assert_eq!((lines[1].number, two.active_from), (4, Some(day(2026, 4, 1))), "the empty line counts");
    }

    #[test]
    fn dates_are_whole_or_refused_and_eras_are_read() {
        for rubbish in [
            "2026-x-11-01",
            "2026--11-01",
            "-2026-11-01",
            "+2026-11-1",
            "2026-11",
            "R0.11.1",
            "H40.1.1",
            "R1.4.30",
        ] {
            assert_eq!(date(rubbish), Err(CellProblem::Date(rubbish.into())), "{rubbish}");
        }
        for text in ["2026/11/1", "R8.11.1", "Ｒ８．１１．１", "令和8/11/1"] {
            assert_eq!(date(text), Ok(Some(day(2026, 11, 1))), "{text}");
        }
        assert_eq!(date("H31.4.30"), Ok(Some(day(2019, 4, 30))));
        assert_eq!(date("S64.1.7"), Ok(Some(day(1989, 1, 7))));
    }

    #[test]
    fn a_column_that_is_not_there_is_known_from_one_that_is_empty() {
        let absent = employee_columns("社員コード,氏名\nE1,x").unwrap();
        assert_eq!(absent, Present::default());
        let some = employee_columns("社員コード,氏名,フリガナ,退職日\nE1,x,,").unwrap();
        assert_eq!(some, Present { kana: true, to: true, ..Present::default() });
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(employees("a,b\n1,2"), Err(FileProblem::Column("社員コード")));
        assert_eq!(links("社員コード,開始日\nE1,2026-01-01"), Err(FileProblem::Column("ユーザー")));
        assert_eq!(employees(""), Err(FileProblem::Empty));
        let long = format!("社員コード,氏名\n{}", "E1,n\n".repeat(IMPORT_LINES_MAX + 1));
        assert_eq!(employees(&long), Err(FileProblem::TooManyLines));
        let problem = |line: &str| {
            links(&format!("user,社員コード,開始日\n{line}")).unwrap()[0].content.clone().unwrap_err()
        };
        assert_eq!(problem(",E1,2026-01-01"), CellProblem::Missing("ユーザー"));
        assert_eq!(problem("u,,2026-01-01"), CellProblem::Missing("社員コード"));
        assert_eq!(problem("u,E1,"), CellProblem::Missing("開始日"));
        assert_eq!(problem("u,E1,2026-02-30"), CellProblem::Date("2026-02-30".into()));
        assert_eq!(problem("u,E1,300/1/1/1"), CellProblem::Date("300/1/1/1".into()));
        assert_eq!(problem(&format!("{},E1,2026-01-01", "u".repeat(300))), CellProblem::Text("ユーザー"));
    }
}
