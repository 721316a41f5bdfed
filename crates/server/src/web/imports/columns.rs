//! The first line of a file: which of its columns are read, which are not, and which are named twice.
//!
//! Columns are found by their words, in Japanese or English, so their order is free. A column that is passed over without a
//! word looks like one that was read: whoever writes 所属部署 for 所属 would take people in without a department. So the
//! report names both, and warns of those that mean nothing to us and that no file of ours has. Other usual words for a
//! column are taken as long as nothing else in the line could be meant.

use std::collections::HashMap;

use mngntime_model::Language;
use mngntime_store::typed::narrow;

use super::file::FileProblem;

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

    fn is_own_name(&self, word: &str) -> bool {
        [self.japanese, self.english].into_iter().any(|own| own.to_lowercase() == word)
    }

    fn is_another_word(&self, word: &str) -> bool {
        self.also.iter().any(|other| other.to_lowercase() == word)
    }
}

const fn column(japanese: &'static str, english: &'static str, also: &'static [&'static str]) -> Column {
    Column { japanese, english, also }
}

pub(super) static DOMAIN: Column = column("ドメイン", "Domain", &["ドメイン名", "Domain name"]);
pub(super) static USER: Column =
    column("ユーザー", "User", &["ユーザー名", "User name", "ユーザ", "ユーザ名"]);
pub(super) static KEY: Column = column("SID", "SID", &["Key", "objectSid"]);
pub(super) static UPN: Column = column("UPN", "UPN", &["userPrincipalName", "User principal name"]);
/// Of an employee; `Key` may be anything in a file of people.
pub(super) static SID: Column = column("SID", "SID", &["objectSid"]);
pub(super) static EMPLOYEE: Column = column(
    "社員コード",
    "Employee code",
    &["employee_code", "Code", "社員番号", "従業員コード", "従業員番号", "Employee number", "Employee ID"],
);
pub(super) static FROM: Column = column("開始日", "From", &["First day", "Start date", "開始", "開始年月日"]);
pub(super) static TO: Column = column("終了日", "To", &["Last day", "End date", "終了", "終了年月日"]);
pub(super) static NAME: Column =
    column("氏名", "Name", &["名前", "社員名", "社員氏名", "従業員名", "従業員氏名"]);
pub(super) static KANA: Column =
    column("フリガナ", "Reading", &["ふりがな", "カナ", "Kana", "氏名カナ", "カナ氏名", "氏名フリガナ"]);
pub(super) static DEPARTMENT: Column =
    column("所属", "Department", &["部署", "所属部署", "部門", "所属部門"]);
pub(super) static JOINED: Column = column(
    "入社日",
    "First day",
    &["開始日", "From", "Start date", "Joined", "入社年月日", "Hire date", "Date joined"],
);
pub(super) static LEFT: Column = column(
    "退職日",
    "Last day",
    &["終了日", "To", "End date", "Left", "退職年月日", "退社日", "Termination date", "Date left"],
);

/// First line of a file of links.
pub static LINKS_HEAD: [&Column; 7] = [&DOMAIN, &USER, &KEY, &UPN, &EMPLOYEE, &FROM, &TO];
/// First line of a file of employees.
pub static EMPLOYEES_HEAD: [&Column; 8] = [&EMPLOYEE, &NAME, &KANA, &DEPARTMENT, &JOINED, &LEFT, &UPN, &SID];

/// Of accounts that wait, who may be behind them.
pub static SUGGESTED: Column = column("候補", "Suggested", &[]);
/// Of an employee, whether they are here.
pub static STATE: Column = column("状態", "State", &[]);
/// What a file in Shift_JIS could not hold ([`super::super::sheet`]).
static REPLACED: Column = column("置き換えた文字", "Replaced characters", &[]);

/// Columns that only whoever reads a file of ours needs.
static FOR_READERS: [&Column; 4] = [&SUGGESTED, &STATE, &REPLACED, &NAME];

/// A column as the first line names it: its place, from 0, and its name, empty where it has none.
pub type Title = (usize, String);

/// What the first line names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Titles {
    /// Columns that are read.
    pub read: Vec<Title>,
    /// Columns that are not read and that files of ours have for their readers.
    pub left: Vec<Title>,
    /// Columns that are not read and mean nothing to us.
    pub unknown: Vec<Title>,
}

/// The first line.
pub(super) struct Head {
    /// Where each column stands that the file has, by its Japanese name.
    places: HashMap<&'static str, usize>,
    /// Where it says which characters of a line were replaced.
    pub(super) replaced: Option<usize>,
    /// How many columns it names.
    pub(super) width: usize,
    /// Cells that a line has to have: up to the last column that is read.
    pub(super) needed: usize,
    pub(super) titles: Titles,
}

impl Head {
    /// Reads the first line of a file with `columns`.
    pub(super) fn read(cells: &[String], columns: &[&'static Column]) -> Result<Self, FileProblem> {
        let words: Vec<String> = cells.iter().map(|cell| narrow(cell).trim().to_lowercase()).collect();
        let width = words.iter().rposition(|word| !word.is_empty()).map_or(0, |last| last + 1);
        let mut places = HashMap::new();
        for column in columns {
            if let Some(place) = place(&words, column)? {
                places.insert(column.japanese, place);
            }
        }
        let mut titles = Titles::default();
        for (place, (word, cell)) in words.iter().zip(cells).take(width).enumerate() {
            let group = if places.values().any(|read| *read == place) {
                &mut titles.read
            } else if FOR_READERS.iter().any(|column| column.is_own_name(word)) {
                &mut titles.left
            } else {
                &mut titles.unknown
            };
            group.push((place, cell.trim().to_owned()));
        }
        let replaced = words.iter().position(|word| REPLACED.is_own_name(word));
        let needed = places.values().max().map_or(0, |last| last + 1);
        Ok(Self { places, replaced, width, needed, titles })
    }

    pub(super) fn place(&self, column: &Column) -> Option<usize> {
        self.places.get(column.japanese).copied()
    }
}

/// Where the first line names the column: by one of its own names, else by another word for it.
fn place(words: &[String], column: &'static Column) -> Result<Option<usize>, FileProblem> {
    let among = |fits: &dyn Fn(&str) -> bool| -> Vec<usize> {
        words.iter().enumerate().filter(|(_, word)| fits(word)).map(|(place, _)| place).collect()
    };
    let own = among(&|word| column.is_own_name(word));
    let found = if own.is_empty() { among(&|word| column.is_another_word(word)) } else { own };
    match found.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(*one)),
        _ => Err(FileProblem::Twice(column)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(line: &str, columns: &[&'static Column]) -> Result<Head, FileProblem> {
        Head::read(&line.split(',').map(str::to_owned).collect::<Vec<_>>(), columns)
    }

    fn names(titles: &[Title]) -> Vec<&str> {
        titles.iter().map(|(_, name)| name.as_str()).collect()
    }

    #[test]
    fn usual_words_for_a_column_are_taken_and_what_means_nothing_is_named() {
        let line = "社員番号,社員名,所属部署,入社年月日,退職年月日,備考,,メモ,,";
        let titles = head(line, &EMPLOYEES_HEAD).unwrap().titles;
        assert_eq!(names(&titles.read), ["社員番号", "社員名", "所属部署", "入社年月日", "退職年月日"]);
        assert_eq!(titles.unknown, [(5, "備考".into()), (6, String::new()), (7, "メモ".into())]);
        let links = head("user,社員コード,開始日,終了,終了予定,氏名,候補", &LINKS_HEAD).unwrap().titles;
        assert_eq!(names(&links.read), ["user", "社員コード", "開始日", "終了"]);
        assert_eq!((names(&links.unknown), names(&links.left)), (vec!["終了予定"], vec!["氏名", "候補"]));
    }

    #[test]
    fn a_column_named_twice_is_refused_unless_one_of_the_words_is_its_own() {
        let twice = |line| head(line, &EMPLOYEES_HEAD).err();
        for line in ["社員コード,氏名,氏名", "社員コード,氏名,Ｎａｍｅ", "社員コード,名前,社員名"]
        {
            assert_eq!(twice(line), Some(FileProblem::Twice(&NAME)), "{line}");
        }
        let own = head("社員コード,社員名,氏名", &EMPLOYEES_HEAD).unwrap();
        assert_eq!((own.place(&NAME), names(&own.titles.unknown)), (Some(2), vec!["社員名"]));
        assert!(twice("社員コード,氏名,メモ,メモ").is_none(), "nobody reads these");
    }

    #[test]
    fn a_line_has_to_reach_up_to_the_last_column_that_is_read() {
        let head = head("社員コード,氏名,メモ,所属,候補,,", &EMPLOYEES_HEAD).unwrap();
        assert_eq!((head.width, head.needed), (5, 4));
    }
}
