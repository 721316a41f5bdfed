//! The report on a file: what would become of each line, one kind of fate and one page at a time.

use std::collections::HashMap;

use jiff::civil::Date;
use mngntime_store::{
    ContractId, DepartmentProblem, DirectoryField, EmployeeChange, ImportId, ImportPreview, LineFate,
    LineProblem, LinkLine, LinkSubject, NewEmployee, Rejudging, StagedFile,
};

use super::super::WebState;
use super::super::accounts::period;
use super::super::chrome::Chrome;
use super::super::departments::naming;
use super::super::employees::held;
use super::super::errors::WebError;
use super::super::fields::Fields;
use super::super::pages::{ROWS, Turns};
use super::super::punches::cause;
use super::super::views::{self, Segment};
use super::columns::{Title, Titles};
use super::file::{self, CellProblem, Line, Read};
use super::{Kind, right};
use crate::access::Action;

/// A line of the report.
#[derive(Debug, Clone)]
pub struct Reported {
    /// Number of the line in the file.
    pub number: u64,
    /// What it is about.
    pub shown: String,
    /// Whether it is wrong.
    pub wrong: bool,
    /// What would happen, or what is wrong.
    pub text: String,
    /// Where a way out leads; empty for none.
    pub making: String,
}

/// A department that lines name and that is not there yet.
#[derive(Debug, Clone)]
pub struct NewName {
    /// What the lines say.
    pub text: String,
    /// How many lines.
    pub lines: usize,
    /// What may have been meant, in words; empty for nothing near.
    pub near: String,
}

/// Departments that lines name and that are not there yet.
#[derive(Debug, Clone, Default)]
pub struct NewNames {
    /// Each once, in the order of the file.
    pub names: Vec<NewName>,
    /// Lines that nothing else is wrong with.
    pub lines: usize,
    /// What becomes of stored punches by these lines, in words; empty for nothing.
    pub rejudging: String,
}

impl NewNames {
    fn of(look: &Look, c: &Chrome) -> Self {
        let (mut all, mut places) = (Self::default(), HashMap::new());
        for line in &look.lines {
            let Ok(LineFate::Wrong(LineProblem::Department(text, DepartmentProblem::Unknown(near)))) =
                &line.fate
            else {
                continue;
            };
            let place = *places.entry(text.as_str()).or_insert_with(|| {
                let near = naming::places_in_words(near, c);
                all.names.push(NewName { text: text.clone(), lines: 0, near });
                all.names.len() - 1
            });
            all.names[place].lines += 1;
            all.lines += 1;
        }
        let more = look.with_departments.changed();
        if more > 0 {
            all.rejudging = c.n("import-departments-judges", more);
        }
        all
    }
}

/// What would become of a line.
struct Verdict {
    number: u64,
    shown: String,
    fate: Result<LineFate, CellProblem>,
    /// Whoever is added, as they will be stored.
    made: Option<NewEmployee>,
    /// Code of somebody from whom they differ in the case of letters only.
    alike: Option<String>,
}

/// What would happen to the whole file.
pub(super) struct Look {
    lines: Vec<Verdict>,
    titles: Titles,
    /// Numbers of the lines that the store has judged: it counts only those that can be read.
    judged: Vec<u64>,
    rejudging: Rejudging,
    with_departments: Rejudging,
}

/// Asks the store what would become of each line.
pub(super) async fn look(
    state: &WebState,
    contract: ContractId,
    kind: Kind,
    file: &StagedFile,
    today: Date,
) -> Result<Look, WebError> {
    let store = state.store.as_ref();
    match kind {
        Kind::Accounts => {
            let Read { lines, titles } = file::links(&file.content).map_err(|_| WebError::BadForm)?;
            let mut found = store.check_links(contract, right(&lines)).await?;
            let mut subjects = std::mem::take(&mut found.subjects).into_iter();
            let named = |line: Line<LinkLine>| {
                let shown = match &line.content {
                    Ok(link) => link_in_words(link, subjects.next().unwrap_or_default()),
                    Err(_) => line.shown,
                };
                Line { shown, ..line }
            };
            Ok(Look::of(Read { lines: lines.into_iter().map(named).collect(), titles }, found))
        }
        Kind::Employees => {
            let (read, columns) = file::employees(&file.content).map_err(|_| WebError::BadForm)?;
            let found = store.check_employees(contract, right(&read.lines), columns, today).await?;
            Ok(Look::of(read, found))
        }
    }
}

/// `DOMAIN\user → E1 小川 拓海 (2026-04-01〜)`: of what the file says, as far as it names somebody.
fn link_in_words(line: &LinkLine, subject: LinkSubject) -> String {
    let account = subject.account;
    let account = account.unwrap_or_else(|| file::account(&line.domain, &line.user, &line.upn, &line.key));
    let employee = subject.employee.map(|name| format!(" {name}")).unwrap_or_default();
    format!("{account} → {}{employee} ({})", line.employee, period(line.from, line.to))
}

/// Which lines are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Show {
    Wrong,
    Written,
    Erasing,
    Same,
    All,
}

impl Show {
    const ALL: [(Self, &'static str, &'static str); 5] = [
        (Self::Wrong, "wrong", "import-show-wrong"),
        (Self::Written, "written", "import-show-written"),
        (Self::Erasing, "erasing", "import-show-erasing"),
        (Self::Same, "same", "import-show-same"),
        (Self::All, "all", "import-show-all"),
    ];

    fn holds(self, line: &Verdict) -> bool {
        match self {
            Self::Wrong => line.is_wrong(),
            Self::Written => line.is_new() || line.is_change(),
            Self::Erasing => line.erases() > 0,
            Self::Same => line.fate == Ok(LineFate::Unchanged),
            Self::All => true,
        }
    }
}

impl Verdict {
    fn is_wrong(&self) -> bool {
        matches!(self.fate, Err(_) | Ok(LineFate::Wrong(_)))
    }

    fn is_new(&self) -> bool {
        self.fate == Ok(LineFate::New)
    }

    fn is_change(&self) -> bool {
        matches!(self.fate, Ok(LineFate::Changed(_) | LineFate::HandedOver { .. }))
    }

    /// How many values that are known of an employee would be known no more.
    fn erases(&self) -> usize {
        let Ok(LineFate::Changed(change)) = &self.fate else { return 0 };
        let pairs = values(&change.before).into_iter().zip(values(&change.after));
        pairs.filter(|((_, before), (_, after))| before.is_some() && after.is_none()).count()
    }
}

impl Look {
    fn of<T>(Read { lines, titles }: Read<T>, found: ImportPreview) -> Self {
        let judged = lines.iter().filter(|line| line.content.is_ok()).map(|line| line.number).collect();
        let ImportPreview { fates, rejudging, with_departments, mut made, mut alike, subjects: _ } = found;
        let mut fates = fates.into_iter().enumerate();
        let verdict = |line: Line<T>| {
            let (made, alike, fate) = match line.content {
                Err(problem) => (None, None, Err(problem)),
                Ok(_) => match fates.next() {
                    Some((place, fate)) => (made.remove(&place), alike.remove(&place), Ok(fate)),
                    None => (None, None, Ok(LineFate::Unchanged)),
                },
            };
            Verdict { number: line.number, shown: line.shown, fate, made, alike }
        };
        let lines = lines.into_iter().map(verdict).collect();
        Self { lines, titles, judged, rejudging, with_departments }
    }

    fn count(&self, holds: impl Fn(&Verdict) -> bool) -> usize {
        self.lines.iter().filter(|line| holds(line)).count()
    }

    /// What the reader asks for; else what there is to look at first.
    fn show(&self, fields: &Fields) -> Show {
        let asked = Show::ALL.into_iter().find(|(_, name, _)| *name == fields.text("show"));
        let first = [Show::Wrong, Show::Written];
        let first = || first.into_iter().find(|show| self.lines.iter().any(|line| show.holds(line)));
        asked.map(|(show, ..)| show).or_else(first).unwrap_or(Show::All)
    }

    fn reported(&self, line: &Verdict, c: &Chrome) -> Reported {
        let text = match &line.fate {
            Err(problem) => cell_in_words(problem, c),
            Ok(LineFate::New) => added(line, c),
            Ok(fate) => self.in_words(fate, c),
        };
        let making = match &line.fate {
            Ok(LineFate::Wrong(LineProblem::Department(text, problem))) => {
                naming::making(text, problem, c.may(Action::DepartmentsChange))
            }
            _ => String::new(),
        };
        Reported { number: line.number, shown: line.shown.clone(), wrong: line.is_wrong(), text, making }
    }

    fn in_words(&self, fate: &LineFate, c: &Chrome) -> String {
        let number = |line: usize| self.judged.get(line).copied().unwrap_or(0);
        match fate {
            LineFate::New => c.t("line-new"),
            LineFate::Changed(change) => c.v("line-changes", "changes", changes(change, c)),
            LineFate::HandedOver { code, rest } => {
                c.v("line-handed-over", "what", cause::stays(code, *rest, c))
            }
            LineFate::Unchanged => c.t("line-unchanged"),
            LineFate::Wrong(problem) => match problem {
                LineProblem::NoAccount => c.t("line-no-account"),
                LineProblem::SeveralAccounts => c.t("line-several-accounts"),
                LineProblem::NoEmployee(code) => c.v("line-no-employee", "code", code),
                LineProblem::Overlaps(code) => c.v("line-overlaps", "code", code),
                LineProblem::Contradicts(line) => c.n("line-contradicts", number(*line)),
                LineProblem::DatesReversed => c.t("filter-dates-reversed"),
                LineProblem::EmploymentReversed => c.t("employee-dates-reversed"),
                LineProblem::Held(field, code) => held(*field, code, c),
                LineProblem::Department(text, problem) => naming::in_words(text, problem, c),
            },
        }
    }
}

/// Which of the lines a page has; there are some.
fn shown(first: usize, rows: usize, all: usize, c: &Chrome) -> String {
    let numbers = [("first", first as u64), ("last", (first - 1 + rows) as u64), ("all", all as u64)];
    c.words().numbers("import-shown", &numbers)
}

fn cell_in_words(problem: &CellProblem, c: &Chrome) -> String {
    match problem {
        CellProblem::Missing(column) => c.v("line-missing", "column", column.name(c.language())),
        CellProblem::Date(text) => c.v("line-bad-date", "text", text),
        CellProblem::Few(cells, columns) => misshapen("line-few", *cells, *columns, c),
        CellProblem::Many(cells, columns) => misshapen("line-many", *cells, *columns, c),
        CellProblem::Replaced(text) => c.v("line-replaced", "text", text),
        CellProblem::Text(column, flaw) => {
            let problem = flaw.in_words("", c);
            c.words().with("line-text", &[("column", column.name(c.language())), ("problem", &problem)])
        }
    }
}

fn misshapen(key: &str, cells: usize, columns: usize, c: &Chrome) -> String {
    c.words().numbers(key, &[("cells", cells as u64), ("columns", columns as u64)])
}

/// What is known of an employee beside the code, with the key of each field's name.
fn values(of: &NewEmployee) -> [(&'static str, Option<String>); 7] {
    let date = |date: Option<Date>| date.map(|date| date.to_string());
    let said = |field: DirectoryField| field.of(&of.directory).map(str::to_owned);
    [
        ("col-name", Some(of.name.clone())),
        ("col-kana", of.kana.clone()),
        ("col-department", of.department.clone()),
        ("employee-from", date(of.active_from)),
        ("employee-to", date(of.active_to)),
        ("col-upn", said(DirectoryField::Upn)),
        ("account-key", said(DirectoryField::Sid)),
    ]
}

/// That a line adds something: of an employee, what will be stored.
fn added(line: &Verdict, c: &Chrome) -> String {
    let Some(made) = &line.made else { return c.t("line-new") };
    let known = values(made).into_iter().filter_map(|(key, value)| Some(format!("{} {}", c.t(key), value?)));
    let text = c.v("line-new-values", "values", known.collect::<Vec<_>>().join(" / "));
    match &line.alike {
        Some(code) => format!("{text} {}", c.v("line-alike", "code", code)),
        None => text,
    }
}

/// Each field that changes, with its old and new value.
fn changes(change: &EmployeeChange, c: &Chrome) -> String {
    let value = |text: Option<String>| text.unwrap_or_else(|| c.t("line-empty"));
    let pairs = values(&change.before).into_iter().zip(values(&change.after));
    let changed = pairs.filter(|((_, old), (_, new))| old != new);
    let words = changed.map(|((key, old), (_, new))| format!("{} {} → {}", c.t(key), value(old), value(new)));
    words.collect::<Vec<_>>().join(" / ")
}

/// Columns of the first line, as it names them.
fn named(titles: &[Title], c: &Chrome) -> String {
    let name = |(place, name): &Title| {
        if name.is_empty() { c.n("import-column-nameless", place + 1) } else { name.clone() }
    };
    titles.iter().map(name).collect::<Vec<_>>().join(&c.t("list-comma"))
}

/// Which columns are read, and which are not.
fn columns_in_words(titles: &Titles, c: &Chrome) -> Vec<String> {
    let mut left = [titles.left.as_slice(), titles.unknown.as_slice()].concat();
    left.sort_unstable();
    let mut all = vec![c.v("import-columns-read", "names", named(&titles.read, c))];
    all.extend((!left.is_empty()).then(|| c.v("import-columns-left", "names", named(&left, c))));
    all
}

/// What to look at before the file is taken in: title and text of each.
fn warnings(look: &Look, c: &Chrome) -> Vec<(String, String)> {
    let mut all = Vec::new();
    if !look.titles.unknown.is_empty() {
        let names = named(&look.titles.unknown, c);
        all.push((c.v("import-columns-unknown", "names", names), c.t("import-columns-unknown-text")));
    }
    let alike = look.count(|line| line.alike.is_some());
    if alike > 0 {
        all.push((c.n("import-alike", alike), c.t("import-alike-text")));
    }
    all
}

/// What becomes of stored punches, in words.
fn rejudging(found: Rejudging, c: &Chrome) -> String {
    match (found.cured, found.errors) {
        (0, 0) => c.t("import-judges-none"),
        (cured, 0) => c.n("import-cures", cured),
        (0, errors) => c.n("import-breaks", errors),
        (cured, errors) => format!("{} {}", c.n("import-cures", cured), c.n("import-breaks", errors)),
    }
}

/// The page that `fields` ask for.
pub(super) fn page(
    chrome: Chrome,
    kind: Kind,
    id: ImportId,
    file: &StagedFile,
    look: &Look,
    fields: &Fields,
) -> views::ImportReport {
    let address = format!("/{}/import/{id}", kind.name());
    let show = look.show(fields);
    let name = Show::ALL.iter().find(|(one, ..)| *one == show).map_or("", |(_, name, _)| name);
    let at = |page: usize| format!("{address}?show={name}&page={page}");
    let chosen: Vec<_> = look.lines.iter().filter(|line| show.holds(line)).collect();
    let last = chosen.len().div_ceil(ROWS).max(1);
    let number = fields.text("page").parse().unwrap_or(1).clamp(1, last);
    let c = chrome.at(kind.place()).reached_by(&at(number));
    let rows = chosen.iter().skip((number - 1) * ROWS).take(ROWS);
    let rows: Vec<_> = rows.map(|line| look.reported(line, &c)).collect();
    let (wrong, writes) = (look.count(Verdict::is_wrong), look.count(|line| Show::Written.holds(line)));
    let segment = |(one, name, key): (Show, &'static str, &'static str)| Segment {
        href: format!("{address}?show={name}"),
        text: c.t(key),
        number: Some(look.count(|line| one.holds(line))),
        current: one == show,
        icon: "",
    };
    let erases: usize = look.lines.iter().map(Verdict::erases).sum();
    let is_useful = |(one, ..): &(Show, &str, &str)| *one != Show::Erasing || erases > 0 || show == *one;
    let first = (number - 1) * ROWS + 1;
    views::ImportReport {
        title: c.t(kind.title()),
        back: format!("/{}/import", kind.name()),
        encoding: c.v("import-read-as", "encoding", &file.encoding),
        columns: columns_in_words(&look.titles, &c),
        warnings: warnings(look, &c),
        segments: Show::ALL.into_iter().filter(is_useful).map(segment).collect(),
        erases: if erases > 0 { c.n("import-erases", erases) } else { String::new() },
        sums: sums(look, &c),
        rejudging: rejudging(look.rejudging, &c),
        breaks: look.rejudging.errors > 0,
        departments: if c.may(Action::DepartmentsChange) {
            NewNames::of(look, &c)
        } else {
            NewNames::default()
        },
        wrong,
        writes,
        shown: if rows.is_empty() { String::new() } else { shown(first, rows.len(), chosen.len(), &c) },
        turns: Turns {
            first: (number > 1).then(|| at(1)),
            previous: (number > 1).then(|| at(number - 1)),
            next: (number < last).then(|| at(number + 1)),
        },
        rows,
        address,
        c,
    }
}

fn sums(look: &Look, c: &Chrome) -> String {
    let (new, changed) = (look.count(Verdict::is_new), look.count(Verdict::is_change));
    let (same, wrong) = (look.count(|line| Show::Same.holds(line)), look.count(Verdict::is_wrong));
    let numbers = [
        ("total", look.lines.len() as u64),
        ("new", new as u64),
        ("changed", changed as u64),
        ("same", same as u64),
        ("wrong", wrong as u64),
    ];
    c.words().numbers("import-sums", &numbers)
}
