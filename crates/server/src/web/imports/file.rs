//! An uploaded file as lines of links or employees.
//!
//! Spreadsheets in Japan save CSV as Shift_JIS and dates as `2026/6/1`; both are read. Columns are found by the words of
//! the first line, in Japanese or English, so their order is free and more of them do no harm.

use std::collections::HashMap;

use jiff::civil::Date;
use mngntime_model::Language;
use mngntime_store::typed::narrow;
use mngntime_store::{Directory, EMPLOYEE_LINES_MAX, EmployeeColumns, LINK_LINES_MAX, LinkLine, NewEmployee};

use super::super::fields::date_of;
use super::super::flaws::{self, Flaw, TEXT_MAX};
use super::super::sheet::as_meant;

/// Largest file, in bytes: a line of 200 for each of [`EMPLOYEE_LINES_MAX`] people.
pub const FILE_MAX: usize = 2 * 1024 * 1024;

/// A column: the words of the first line that name it.
#[derive(Debug, PartialEq, Eq)]
pub struct Column {
    japanese: &'static str,
    english: &'static str,
    /// Other words for it.
    also: &'static [&'static str],
}

impl Column {
    /// Its name for a reader.
    #[must_use]
    pub fn name(&self, language: Language) -> &'static str {
        match language {
            Language::Japanese => self.japanese,
            Language::English => self.english,
        }
    }
}

const fn column(japanese: &'static str, english: &'static str, also: &'static [&'static str]) -> Column {
    Column { japanese, english, also }
}

static DOMAIN: Column = column("ドメイン", "Domain", &[]);
static USER: Column = column("ユーザー", "User", &["ユーザー名", "User name"]);
static KEY: Column = column("SID", "SID", &["Key", "objectSid"]);
static UPN: Column = column("UPN", "UPN", &["userPrincipalName", "User principal name"]);
/// Of an employee; `Key` may be anything in a file of people.
static SID: Column = column("SID", "SID", &["objectSid"]);
static EMPLOYEE: Column = column("社員コード", "Employee code", &["employee_code", "Code"]);
static FROM: Column = column("開始日", "From", &["First day", "Start date"]);
static TO: Column = column("終了日", "To", &["Last day", "End date"]);
static NAME: Column = column("氏名", "Name", &["名前"]);
static KANA: Column = column("フリガナ", "Reading", &["ふりがな", "カナ", "Kana"]);
static DEPARTMENT: Column = column("所属", "Department", &["部署"]);
static JOINED: Column = column("入社日", "First day", &["開始日", "From", "Start date", "Joined"]);
static LEFT: Column = column("退職日", "Last day", &["終了日", "To", "End date", "Left"]);

/// First line of a file of links.
pub static LINKS_HEAD: [&Column; 7] = [&DOMAIN, &USER, &KEY, &UPN, &EMPLOYEE, &FROM, &TO];
/// First line of a file of employees.
pub static EMPLOYEES_HEAD: [&Column; 8] = [&EMPLOYEE, &NAME, &KANA, &DEPARTMENT, &JOINED, &LEFT, &UPN, &SID];

/// Why a file cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileProblem {
    /// Nothing was chosen, or it is empty.
    Empty,
    /// It is larger than [`FILE_MAX`].
    TooLarge,
    /// It is neither UTF-8 nor Shift_JIS.
    Encoding,
    /// The first line lacks this column.
    Column(&'static Column),
    /// It has more than this many lines.
    TooManyLines(usize),
    /// A quote encloses no whole cell; it stands in this line.
    Quotes(u64),
}

/// Why a line cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CellProblem {
    /// A cell of this column is needed and empty.
    Missing(&'static Column),
    /// A cell is no date.
    Date(String),
    /// A cell of this column has this wrong with it.
    Text(&'static Column, Flaw),
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

struct Table {
    /// Where each column stands that the file has, by its Japanese name.
    places: HashMap<&'static str, usize>,
    rows: Vec<(u64, csv::StringRecord)>,
}

impl Table {
    fn read(text: &str, columns: &[&'static Column], lines_max: usize) -> Result<Self, FileProblem> {
        // With the line ends of Windows, the reader numbers each line like the one before it.
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        if let Some(line) = stray_quote(&text) {
            return Err(FileProblem::Quotes(line));
        }
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
        let mut records = reader.records();
        let head: Vec<String> = match records.next() {
            Some(Ok(head)) => head.iter().map(|cell| narrow(cell).trim().to_lowercase()).collect(),
            Some(Err(_)) | None => return Err(FileProblem::Empty),
        };
        let places = columns.iter().filter_map(|column| Some((column.japanese, place(&head, column)?)));
        let places = places.collect();
        let mut rows = Vec::new();
        for record in records {
            let record = record.map_err(|error| FileProblem::Quotes(line_of(&error)))?;
            if record.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            if rows.len() >= lines_max {
                return Err(FileProblem::TooManyLines(lines_max));
            }
            rows.push((record.position().map_or(0, csv::Position::line), record));
        }
        Ok(Self { places, rows })
    }

    fn has(&self, column: &Column) -> bool {
        self.places.contains_key(column.japanese)
    }

    fn needs(&self, column: &'static Column) -> Result<(), FileProblem> {
        if self.has(column) { Ok(()) } else { Err(FileProblem::Column(column)) }
    }

    fn cells<'a>(&'a self, record: &'a csv::StringRecord) -> impl Fn(&Column) -> &'a str + 'a {
        move |column| {
            let place = self.places.get(column.japanese);
            as_meant(place.and_then(|place| record.get(*place)).unwrap_or_default().trim())
        }
    }
}

/// Where in a cell a sign of a file stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InCell {
    /// At its beginning.
    Start,
    /// Among signs without quotes around them.
    Bare,
    /// Within quotes.
    Quoted,
    /// Right after a quote that ends the cell, or is the first of two that stand for one.
    Closed,
    /// In the space behind the quote that has ended the cell.
    Behind,
}

/// Line of the first quote that does not enclose a whole cell. The reader would not mind it: it would take everything up to
/// the next quote, or to the end of the file, for one cell, and the people in there would be missing without a word.
fn stray_quote(text: &str) -> Option<u64> {
    let (mut place, mut line, mut opened) = (InCell::Start, 1, 1);
    for c in text.chars() {
        place = match (place, c) {
            (InCell::Quoted, '"') => InCell::Closed,
            (InCell::Quoted, _) | (InCell::Closed, '"') => InCell::Quoted,
            (_, ',' | '\n') => InCell::Start,
            (InCell::Closed | InCell::Behind, ' ') => InCell::Behind,
            (InCell::Closed | InCell::Behind, _) => return Some(opened),
            (InCell::Bare, '"') => return Some(line),
            (InCell::Start, '"') => {
                opened = line;
                InCell::Quoted
            }
            (InCell::Start | InCell::Bare, _) => InCell::Bare,
        };
        line += u64::from(c == '\n');
    }
    (place == InCell::Quoted).then_some(opened)
}

/// Where the first line names the column: by one of its own names, else by another word for it.
fn place(head: &[String], column: &Column) -> Option<usize> {
    let mut words = [column.japanese, column.english].into_iter().chain(column.also.iter().copied());
    words.find_map(|word| head.iter().position(|cell| *cell == word.to_lowercase()))
}

fn line_of(error: &csv::Error) -> u64 {
    error.position().map_or(0, csv::Position::line)
}

/// The lines of a file of links.
///
/// # Errors
/// Why it cannot be read at all.
pub fn links(text: &str) -> Result<Vec<Line<LinkLine>>, FileProblem> {
    let table = Table::read(text, &LINKS_HEAD, LINK_LINES_MAX)?;
    table.needs(&EMPLOYEE)?;
    table.needs(&FROM)?;
    if ![&USER, &KEY, &UPN].into_iter().any(|column| table.has(column)) {
        return Err(FileProblem::Column(&USER));
    }
    let line = |(number, record): &(u64, csv::StringRecord)| {
        let cell = table.cells(record);
        let code = narrow(cell(&EMPLOYEE));
        let account = [cell(&KEY), cell(&USER), cell(&UPN)].into_iter().find(|text| !text.is_empty());
        let shown = format!("{} → {code}", account.unwrap_or_default());
        Line { number: *number, shown, content: link(&cell, account.is_some(), code.clone()) }
    };
    Ok(table.rows.iter().map(line).collect())
}

fn link<'a>(cell: &impl Fn(&Column) -> &'a str, named: bool, code: String) -> Result<LinkLine, CellProblem> {
    if !named {
        return Err(CellProblem::Missing(&USER));
    }
    let text = |column: &'static Column| checked(&narrow(cell(column)), column, TEXT_MAX * 2);
    Ok(LinkLine {
        domain: text(&DOMAIN)?,
        user: text(&USER)?,
        key: text(&KEY)?,
        upn: text(&UPN)?,
        employee: sound(code.is_empty().then_some(Flaw::Missing), code, &EMPLOYEE)?,
        from: date(cell(&FROM))?.ok_or(CellProblem::Missing(&FROM))?,
        to: date(cell(&TO))?,
    })
}

/// The lines of a file of employees, and which columns it has.
///
/// # Errors
/// Why it cannot be read at all.
pub fn employees(text: &str) -> Result<(Vec<Line<NewEmployee>>, EmployeeColumns), FileProblem> {
    let table = Table::read(text, &EMPLOYEES_HEAD, EMPLOYEE_LINES_MAX)?;
    table.needs(&EMPLOYEE)?;
    table.needs(&NAME)?;
    let columns = EmployeeColumns {
        kana: table.has(&KANA),
        department: table.has(&DEPARTMENT),
        from: table.has(&JOINED),
        to: table.has(&LEFT),
        upn: table.has(&UPN),
        sid: table.has(&SID),
    };
    let line = |(number, record): &(u64, csv::StringRecord)| {
        let cell = table.cells(record);
        let code = narrow(cell(&EMPLOYEE));
        let shown = format!("{code} {}", cell(&NAME));
        Line { number: *number, shown, content: employee(&cell, code.clone()) }
    };
    Ok((table.rows.iter().map(line).collect(), columns))
}

fn employee<'a>(cell: &impl Fn(&Column) -> &'a str, code: String) -> Result<NewEmployee, CellProblem> {
    let maybe = |column: &'static Column, most: usize| -> Result<Option<String>, CellProblem> {
        Ok(Some(checked(cell(column), column, most)?).filter(|text| !text.is_empty()))
    };
    let name = cell(&NAME).to_owned();
    Ok(NewEmployee {
        code: sound(flaws::of_code(&code), code, &EMPLOYEE)?,
        name: sound(flaws::of_name(&name), name, &NAME)?,
        kana: maybe(&KANA, TEXT_MAX)?,
        department: maybe(&DEPARTMENT, TEXT_MAX * 2)?,
        active_from: date(cell(&JOINED))?,
        active_to: date(cell(&LEFT))?,
        directory: Directory {
            upn: flaws::upn(cell(&UPN)).map_err(|flaw| CellProblem::Text(&UPN, flaw))?,
            sid: flaws::sid(cell(&SID)).map_err(|flaw| CellProblem::Text(&SID, flaw))?,
        },
    })
}

/// The text, if nothing is wrong with it.
fn sound(flaw: Option<Flaw>, text: String, column: &'static Column) -> Result<String, CellProblem> {
    match flaw {
        None => Ok(text),
        Some(Flaw::Missing) => Err(CellProblem::Missing(column)),
        Some(flaw) => Err(CellProblem::Text(column, flaw)),
    }
}

fn checked(text: &str, column: &'static Column, most: usize) -> Result<String, CellProblem> {
    sound(flaws::of_text(text, most), text.to_owned(), column)
}

fn date(text: &str) -> Result<Option<Date>, CellProblem> {
    date_of(text).map_err(CellProblem::Date)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date as day;
    use mngntime_store::{Sid, Upn};

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
        let (lines, _) = employees(text).unwrap();
        let one = lines[0].content.as_ref().unwrap();
        assert_eq!((one.code.as_str(), one.name.as_str()), ("E1", "小川, 拓海"));
        assert_eq!(one.active_from, Some(day(2026, 6, 1)));
        let two = lines[1].content.as_ref().unwrap();
        assert_eq!((lines[1].number, two.active_from), (4, Some(day(2026, 4, 1))), "the empty line counts");
    }

    #[test]
    fn lines_are_numbered_as_a_spreadsheet_does_whatever_ends_them() {
        for end in ["\n", "\r\n"] {
            let text = ["社員コード,氏名", "E1,a", "", ",,", "E2,\"b", "c\"", "E3,d", ""].join(end);
            let (lines, _) = employees(&text).unwrap();
            assert_eq!(lines.iter().map(|line| line.number).collect::<Vec<_>>(), [2, 5, 7], "{end:?}");
        }
    }

    #[test]
    fn a_quote_that_encloses_no_cell_is_refused_with_its_line() {
        let problem = |text: &str| {
            ["\n", "\r\n", "\r"].map(|end| {
                let text = format!("社員コード,氏名,メモ\n{text}").replace('\n', end);
                match employees(&text) {
                    Err(FileProblem::Quotes(line)) => Some(line),
                    Err(other) => panic!("{other:?}"),
                    Ok(_) => None,
                }
            })
        };
        for (text, line) in [
            ("E1,a,\nE2,b,\"\nE3,c,\nE4,d,", Some(3)),
            ("E1,a,\"x\ny\"\nE2,b,\"\nE3,c,\n", Some(4)),
            ("E1,a,\nE2,b,24\" 画面\nE3,c,", Some(3)),
            ("E1,a, \"x\"\n", Some(2)),
            // The quote of the next line ends the cell, and what stands behind it tells.
            ("E1,a,\"\nE2,\"b\",\n", Some(2)),
            ("E1,a,\"x\" \"y\"\n", Some(2)),
            ("E1,a,\"", Some(2)),
            ("E1,a,\"x\"\"", Some(2)),
            ("E1,\"a, \"\"b\"\"\",\"x\n\ny\" \nE2,\"\",\"\"\"\"\n", None),
        ] {
            assert_eq!(problem(text), [line; 3], "{text}");
        }
        let head = employees("社員コード,\"氏名\nE1,a\n").unwrap_err();
        assert_eq!(head, FileProblem::Quotes(1));
    }

    #[test]
    fn the_first_line_may_be_in_english_or_mixed_and_in_any_case() {
        let all: Vec<_> = EMPLOYEES_HEAD.iter().map(|column| column.name(Language::English)).collect();
        assert_eq!(all[..6], ["Employee code", "Name", "Reading", "Department", "First day", "Last day"]);
        assert_eq!(all[6..], ["UPN", "SID"]);
        let mixed = "EMPLOYEE CODE,氏名,ﾌﾘｶﾞﾅ,Department,入社日,Last day,UserPrincipalName,ＯＢＪＥＣＴＳＩＤ";
        for head in [all.join(","), mixed.into()] {
            let line = "E1,Ogawa,,Sales,2026-04-01,,O@x.jp,S-1-5-21-1";
            let (lines, columns) = employees(&format!("{head}\n{line}")).unwrap();
            let kana = head.starts_with("Employee");
            assert_eq!(columns, EmployeeColumns { kana, ..EmployeeColumns::ALL }, "{head}");
            let one = lines[0].content.as_ref().unwrap();
            assert_eq!((one.department.as_deref(), one.active_from), (Some("Sales"), Some(day(2026, 4, 1))));
            assert_eq!(one.directory.upn.as_ref().map(Upn::as_str), Some("o@x.jp"), "{head}");
            assert_eq!(one.directory.sid.as_ref().map(Sid::as_str), Some("S-1-5-21-1"), "{head}");
        }
        let all: Vec<_> = LINKS_HEAD.iter().map(|column| column.name(Language::English)).collect();
        let text = format!("{}\nD,u,,,E1,2026-06-01,2026-06-30", all.join(","));
        let line = links(&text).unwrap().remove(0).content.unwrap();
        assert_eq!((line.domain.as_str(), line.user.as_str(), line.to), ("D", "u", Some(day(2026, 6, 30))));
    }

    #[test]
    fn a_column_that_is_not_there_is_known_from_one_that_is_empty() {
        let columns = |text: &str| employees(text).unwrap().1;
        assert_eq!(columns("社員コード,氏名\nE1,x"), EmployeeColumns::default());
        let some = columns("社員コード,氏名,フリガナ,退職日\nE1,x,,");
        assert_eq!(some, EmployeeColumns { kana: true, to: true, ..EmployeeColumns::default() });
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(employees("a,b\n1,2").unwrap_err(), FileProblem::Column(&EMPLOYEE));
        assert_eq!(links("社員コード,開始日\nE1,2026-01-01"), Err(FileProblem::Column(&USER)));
        assert_eq!(employees("").unwrap_err(), FileProblem::Empty);
        let long = |max: usize| format!("社員コード,氏名,user,開始日\n{}", "E1,n\n".repeat(max + 1));
        let too_many = FileProblem::TooManyLines(EMPLOYEE_LINES_MAX);
        assert_eq!(employees(&long(EMPLOYEE_LINES_MAX)).unwrap_err(), too_many);
        assert_eq!(links(&long(LINK_LINES_MAX)), Err(FileProblem::TooManyLines(LINK_LINES_MAX)));
        let problem = |line: &str| {
            links(&format!("user,社員コード,開始日\n{line}")).unwrap()[0].content.clone().unwrap_err()
        };
        assert_eq!(problem(",E1,2026-01-01"), CellProblem::Missing(&USER));
        assert_eq!(problem("u,,2026-01-01"), CellProblem::Missing(&EMPLOYEE));
        assert_eq!(problem("u,E1,"), CellProblem::Missing(&FROM));
        assert_eq!(problem("u,E1,2026-02-30"), CellProblem::Date("2026-02-30".into()));
        assert_eq!(problem("u,E1,300/1/1/1"), CellProblem::Date("300/1/1/1".into()));
        let long = problem(&format!("{},E1,2026-01-01", "u".repeat(300)));
        assert_eq!(long, CellProblem::Text(&USER, Flaw::TooLong(200)));
    }
}
