//! An uploaded file as lines of links or employees.
//!
//! Spreadsheets in Japan save CSV as Shift_JIS and dates as `2026/6/1`, other systems write `20260601` and a time behind
//! dates; all are read. What stands in a column is found by the first line ([`super::columns`]), so a line that does not
//! have its cells says nothing of anybody: one cut short would clear what it lacks, and one with a comma too many would
//! put everything behind it into the next column.

use jiff::civil::Date;
use mngntime_store::typed::narrow;
use mngntime_store::{Directory, EMPLOYEE_LINES_MAX, EmployeeColumns, LINK_LINES_MAX, LinkLine, NewEmployee};

use super::super::fields::date_of;
use super::super::flaws::{self, Flaw, TEXT_MAX};
use super::super::sheet::as_meant;
use super::super::visible::cut;
use super::columns::{
    Column, DEPARTMENT, DOMAIN, EMPLOYEE, EMPLOYEES_HEAD, FROM, Head, JOINED, KANA, KEY, LEFT, LINKS_HEAD,
    NAME, SID, TO, Titles, UPN, USER,
};

/// Largest file, in bytes: a line of 200 for each of [`EMPLOYEE_LINES_MAX`] people.
pub const FILE_MAX: usize = 2 * 1024 * 1024;

/// Why a file cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileProblem {
    /// Nothing was chosen, or it is empty.
    Empty,
    /// It is larger than [`FILE_MAX`].
    TooLarge,
    /// It is a spreadsheet's own file.
    Spreadsheet,
    /// It is neither UTF-8 nor Shift_JIS.
    Encoding,
    /// Its cells lie between other signs than commas.
    Separator,
    /// The first line lacks this column.
    Column(&'static Column),
    /// The first line names this column more than once.
    Twice(&'static Column),
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
    /// The line ends before the columns that are read do: how many cells and columns there are.
    Few(usize, usize),
    /// Something stands behind the last column: how many cells and columns there are.
    Many(usize, usize),
    /// Shift_JIS could not hold these characters of the line.
    Replaced(String),
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

/// What the files of spreadsheets begin with: `.xlsx` and `.ods` are ZIP archives, `.xls` and whatever has a password a compound file.
const SPREADSHEETS: [&[u8]; 2] = [b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"];

/// The text of an uploaded file and the name of its encoding.
///
/// # Errors
/// [`FileProblem::Encoding`] when it is in another one, [`FileProblem::Spreadsheet`] when it is no text at all.
pub fn decode(bytes: &[u8]) -> Result<(String, &'static str), FileProblem> {
    if SPREADSHEETS.iter().any(|magic| bytes.starts_with(magic)) {
        return Err(FileProblem::Spreadsheet);
    }
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

/// A file that can be read: its lines, and what its first line names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read<T> {
    /// Lines.
    pub lines: Vec<Line<T>>,
    /// Columns.
    pub titles: Titles,
}

struct Table {
    head: Head,
    rows: Vec<(u64, csv::StringRecord)>,
}

/// Longest line that is shown as it stands in the file, in characters.
const SHOWN_MAX: usize = 100;

impl Table {
    fn read(text: &str, columns: &[&'static Column], lines_max: usize) -> Result<Self, FileProblem> {
        // With the line ends of Windows, the reader numbers each line like the one before it.
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let first = text.lines().next().unwrap_or_default();
        if !first.contains(',') && first.contains(['\t', ';']) {
            return Err(FileProblem::Separator);
        }
        if let Some(line) = stray_quote(&text) {
            return Err(FileProblem::Quotes(line));
        }
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
        let mut records = reader.records();
        let head: Vec<String> = match records.next() {
            Some(Ok(head)) => head.iter().map(str::to_owned).collect(),
            Some(Err(_)) | None => return Err(FileProblem::Empty),
        };
        let head = Head::read(&head, columns)?;
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
        Ok(Self { head, rows })
    }

    fn has(&self, column: &Column) -> bool {
        self.head.place(column).is_some()
    }

    fn needs(&self, column: &'static Column) -> Result<(), FileProblem> {
        if self.has(column) { Ok(()) } else { Err(FileProblem::Column(column)) }
    }

    fn cells<'a>(&'a self, record: &'a csv::StringRecord) -> impl Fn(&Column) -> &'a str + 'a {
        move |column| {
            let place = self.head.place(column);
            as_meant(place.and_then(|place| record.get(place)).unwrap_or_default().trim())
        }
    }

    /// What is wrong with a line before anything in it is read.
    fn misshapen(&self, record: &csv::StringRecord) -> Option<CellProblem> {
        let filled = record.iter().collect::<Vec<_>>();
        let filled = filled.iter().rposition(|cell| !cell.trim().is_empty()).map_or(0, |last| last + 1);
        if self.head.width < filled {
            return Some(CellProblem::Many(filled, self.head.width));
        }
        if record.len() < self.head.needed {
            return Some(CellProblem::Few(record.len(), self.head.width));
        }
        let replaced = self.head.replaced.and_then(|place| record.get(place)).unwrap_or_default().trim();
        (!replaced.is_empty()).then(|| CellProblem::Replaced(replaced.to_owned()))
    }

    /// Every line, as `line` reads it from its cells: how it is shown, and what it says.
    fn lines<T>(
        &self,
        line: impl Fn(&dyn Fn(&Column) -> String) -> (String, Result<T, CellProblem>),
    ) -> Vec<Line<T>> {
        let read = |(number, record): &(u64, csv::StringRecord)| {
            let (shown, content) = match self.misshapen(record) {
                Some(problem) => (as_it_stands(record), Err(problem)),
                None => line(&|column| self.cells(record)(column).to_owned()),
            };
            Line { number: *number, shown, content }
        };
        self.rows.iter().map(read).collect()
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

/// A line whose cells are not known to stand where they belong.
fn as_it_stands(record: &csv::StringRecord) -> String {
    cut(&record.iter().collect::<Vec<_>>().join(","), SHOWN_MAX)
}

fn line_of(error: &csv::Error) -> u64 {
    error.position().map_or(0, csv::Position::line)
}

/// The lines of a file of links.
///
/// # Errors
/// Why it cannot be read at all.
pub fn links(text: &str) -> Result<Read<LinkLine>, FileProblem> {
    let table = Table::read(text, &LINKS_HEAD, LINK_LINES_MAX)?;
    table.needs(&EMPLOYEE)?;
    table.needs(&FROM)?;
    if ![&USER, &KEY, &UPN].into_iter().any(|column| table.has(column)) {
        return Err(FileProblem::Column(&USER));
    }
    let lines = table.lines(|cell| {
        let code = narrow(&cell(&EMPLOYEE));
        let account = account(&cell(&DOMAIN), &cell(&USER), &cell(&UPN), &cell(&KEY));
        (format!("{account} → {code}"), link(cell, !account.is_empty(), code))
    });
    Ok(Read { lines, titles: table.head.titles })
}

/// An account as a reader knows it: by its name, else by its UPN, and by its key only where there is nothing else.
#[must_use]
pub fn account(domain: &str, user: &str, upn: &str, key: &str) -> String {
    let name = match (domain, user) {
        ("", user) | (_, user @ "") => user.to_owned(),
        (domain, user) => format!("{domain}\\{user}"),
    };
    [name.as_str(), upn, key].into_iter().find(|text| !text.is_empty()).unwrap_or_default().to_owned()
}

fn link(cell: &dyn Fn(&Column) -> String, named: bool, code: String) -> Result<LinkLine, CellProblem> {
    if !named {
        return Err(CellProblem::Missing(&USER));
    }
    let text = |column: &'static Column| checked(&narrow(&cell(column)), column, TEXT_MAX * 2);
    Ok(LinkLine {
        domain: text(&DOMAIN)?,
        user: text(&USER)?,
        key: text(&KEY)?,
        upn: text(&UPN)?,
        employee: sound(code.is_empty().then_some(Flaw::Missing), code, &EMPLOYEE)?,
        from: date(&cell(&FROM))?.ok_or(CellProblem::Missing(&FROM))?,
        to: date(&cell(&TO))?,
    })
}

/// The lines of a file of employees, and which columns it has.
///
/// # Errors
/// Why it cannot be read at all.
pub fn employees(text: &str) -> Result<(Read<NewEmployee>, EmployeeColumns), FileProblem> {
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
    let lines = table.lines(|cell| {
        let code = narrow(&cell(&EMPLOYEE));
        (format!("{code} {}", cell(&NAME)), employee(cell, code))
    });
    Ok((Read { lines, titles: table.head.titles }, columns))
}

fn employee(cell: &dyn Fn(&Column) -> String, code: String) -> Result<NewEmployee, CellProblem> {
    let maybe = |column: &'static Column, most: usize| -> Result<Option<String>, CellProblem> {
        Ok(Some(checked(&cell(column), column, most)?).filter(|text| !text.is_empty()))
    };
    let name = cell(&NAME);
    Ok(NewEmployee {
        code: sound(flaws::of_code(&code), code, &EMPLOYEE)?,
        name: sound(flaws::of_name(&name), name, &NAME)?,
        kana: maybe(&KANA, TEXT_MAX)?,
        department: maybe(&DEPARTMENT, TEXT_MAX * 2)?,
        active_from: date(&cell(&JOINED))?,
        active_to: date(&cell(&LEFT))?,
        directory: Directory {
            upn: flaws::upn(&cell(&UPN)).map_err(|flaw| CellProblem::Text(&UPN, flaw))?,
            sid: flaws::sid(&cell(&SID)).map_err(|flaw| CellProblem::Text(&SID, flaw))?,
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

/// A date, also as other systems write it: without signs between, and with the beginning of the day behind it.
fn date(text: &str) -> Result<Option<Date>, CellProblem> {
    let narrow = narrow(text);
    let plain = narrow.trim();
    let plain = match plain.split_once([' ', 'T']) {
        Some((day, "0:00" | "00:00" | "0:00:00" | "00:00:00")) => day,
        _ => plain,
    };
    let read = match plain.as_bytes() {
        digits if digits.len() == 8 && digits.iter().all(u8::is_ascii_digit) => {
            date_of(&format!("{}-{}-{}", &plain[..4], &plain[4..6], &plain[6..]))
        }
        _ => date_of(plain),
    };
    read.map_err(|_| CellProblem::Date(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date as day;
    use mngntime_model::Language;
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
        let lines = employees(text).unwrap().0.lines;
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
            let lines = employees(&text).unwrap().0.lines;
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
            let (Read { lines, .. }, columns) = employees(&format!("{head}\n{line}")).unwrap();
            let kana = head.starts_with("Employee");
            assert_eq!(columns, EmployeeColumns { kana, ..EmployeeColumns::ALL }, "{head}");
            let one = lines[0].content.as_ref().unwrap();
            assert_eq!((one.department.as_deref(), one.active_from), (Some("Sales"), Some(day(2026, 4, 1))));
            assert_eq!(one.directory.upn.as_ref().map(Upn::as_str), Some("o@x.jp"), "{head}");
            assert_eq!(one.directory.sid.as_ref().map(Sid::as_str), Some("S-1-5-21-1"), "{head}");
        }
        let all: Vec<_> = LINKS_HEAD.iter().map(|column| column.name(Language::English)).collect();
        let text = format!("{}\nD,u,,,E1,2026-06-01,2026-06-30", all.join(","));
        let line = links(&text).unwrap().lines.remove(0).content.unwrap();
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
            links(&format!("user,社員コード,開始日\n{line}")).unwrap().lines[0].content.clone().unwrap_err()
        };
        assert_eq!(problem(",E1,2026-01-01"), CellProblem::Missing(&USER));
        assert_eq!(problem("u,,2026-01-01"), CellProblem::Missing(&EMPLOYEE));
        assert_eq!(problem("u,E1,"), CellProblem::Missing(&FROM));
        assert_eq!(problem("u,E1,2026-02-30"), CellProblem::Date("2026-02-30".into()));
        assert_eq!(problem("u,E1,300/1/1/1"), CellProblem::Date("300/1/1/1".into()));
        let long = problem(&format!("{},E1,2026-01-01", "u".repeat(300)));
        assert_eq!(long, CellProblem::Text(&USER, Flaw::TooLong(200)));
    }

    #[test]
    fn a_line_of_other_length_than_the_head_says_nothing_of_anybody() {
        let problem = |line: &str| {
            let text = format!("社員コード,氏名,所属,退職日,候補,,\n{line}\n");
            employees(&text).unwrap().0.lines.remove(0).content.err()
        };
        assert_eq!(problem("N003,退職 三郎,D2"), Some(CellProblem::Few(3, 5)));
        assert_eq!(problem("X901,小川, 拓海,,,オガワ"), Some(CellProblem::Many(6, 5)));
        for fine in ["N003,退職 三郎,D2,,", "N003,退職 三郎,D2,", "N003,退職 三郎,D2,,,,,,"] {
            assert_eq!(problem(fine), None, "{fine}");
        }
        let long = format!("社員コード,氏名\nE1,{},x\n", "あ".repeat(200));
        let shown = employees(&long).unwrap().0.lines.remove(0).shown;
        assert!(shown.starts_with("E1,あ") && shown.chars().count() == SHOWN_MAX + 1, "{shown}");
    }

    #[test]
    fn dates_of_other_systems_are_read() {
        for text in ["20260401", "2026/4/1 0:00", "2026-04-01T00:00:00", "２０２６０４０１", "R8.4.1 00:00"]
        {
            assert_eq!(date(text), Ok(Some(day(2026, 4, 1))), "{text}");
        }
        for text in ["46113", "20260431", "2026/4/1 9:30", "2026040", "99999999"] {
            assert_eq!(date(text), Err(CellProblem::Date(text.into())), "{text}");
        }
        assert_eq!(date(""), Ok(None));
    }

    #[test]
    fn a_file_without_commas_is_called_that() {
        for text in ["社員コード\t氏名\nE1\ta", "社員コード;氏名\nE1;a", "\"社員コード\"\t\"氏名\"\n"]
        {
            assert_eq!(employees(text).unwrap_err(), FileProblem::Separator, "{text}");
        }
    }

    #[test]
    fn what_shift_jis_could_not_hold_is_not_taken_for_what_was_meant() {
        let text = "社員コード,氏名,置き換えた文字\nE1,〓野,U+20BB7\nE2,林,\n";
        let lines = employees(text).unwrap().0.lines;
        assert_eq!(lines[0].content, Err(CellProblem::Replaced("U+20BB7".into())));
        assert!(lines[1].content.is_ok());
    }
}
