//! The report on a file: what would become of each line, one kind of fate and one page at a time.

use std::collections::HashMap;

use jiff::civil::Date;
use mngntime_store::{
    ContractId, DepartmentProblem, DirectoryField, EmployeeChange, ImportId, ImportPreview, LineFate,
    LineProblem, NewEmployee, Rejudging, StagedFile,
};

use super::super::WebState;
use super::super::chrome::Chrome;
use super::super::departments::naming;
use super::super::employees::held;
use super::super::errors::WebError;
use super::super::fields::Fields;
use super::super::pages::{ROWS, Turns};
use super::super::views::{self, Segment};
use super::file::{self, CellProblem, Line};
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
}

/// What would happen to the whole file.
pub(super) struct Look {
    lines: Vec<Verdict>,
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
            let lines = file::links(&file.content).map_err(|_| WebError::BadForm)?;
            let found = store.check_links(contract, right(&lines)).await?;
            Ok(Look::of(lines, found))
        }
        Kind::Employees => {
            let (lines, columns) = file::employees(&file.content).map_err(|_| WebError::BadForm)?;
            let found = store.check_employees(contract, right(&lines), columns, today).await?;
            Ok(Look::of(lines, found))
        }
    }
}

/// Which lines are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Show {
    Wrong,
    Written,
    Same,
    All,
}

impl Show {
    const ALL: [(Self, &'static str, &'static str); 4] = [
        (Self::Wrong, "wrong", "import-show-wrong"),
        (Self::Written, "written", "import-show-written"),
        (Self::Same, "same", "import-show-same"),
        (Self::All, "all", "import-show-all"),
    ];

    fn holds(self, line: &Verdict) -> bool {
        match self {
            Self::Wrong => line.is_wrong(),
            Self::Written => matches!(line.fate, Ok(LineFate::New | LineFate::Changed(_))),
            Self::Same => line.fate == Ok(LineFate::Unchanged),
            Self::All => true,
        }
    }
}

impl Verdict {
    fn is_wrong(&self) -> bool {
        matches!(self.fate, Err(_) | Ok(LineFate::Wrong(_)))
    }
}

impl Look {
    fn of<T>(lines: Vec<Line<T>>, found: ImportPreview) -> Self {
        let judged = lines.iter().filter(|line| line.content.is_ok()).map(|line| line.number).collect();
        let ImportPreview { fates, rejudging, with_departments } = found;
        let mut fates = fates.into_iter();
        let verdict = |line: Line<T>| {
            let fate = match line.content {
                Err(problem) => Err(problem),
                Ok(_) => Ok(fates.next().unwrap_or(LineFate::Unchanged)),
            };
            Verdict { number: line.number, shown: line.shown, fate }
        };
        Self { lines: lines.into_iter().map(verdict).collect(), judged, rejudging, with_departments }
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
            LineFate::Unchanged => c.t("line-unchanged"),
            LineFate::Wrong(problem) => match problem {
                LineProblem::NoAccount => c.t("line-no-account"),
                LineProblem::SeveralAccounts => c.t("line-several-accounts"),
                LineProblem::NoEmployee(code) => c.v("line-no-employee", "code", code),
                LineProblem::Overlaps(code) => c.v("line-overlaps", "code", code),
                LineProblem::Contradicts(line) => c.n("line-contradicts", number(*line)),
                LineProblem::DatesReversed => c.t("filter-dates-reversed"),
                LineProblem::Held(field, code) => held(*field, code, c),
                LineProblem::Department(text, problem) => naming::in_words(text, problem, c),
            },
        }
    }
}

fn cell_in_words(problem: &CellProblem, c: &Chrome) -> String {
    match problem {
        CellProblem::Missing(column) => c.v("line-missing", "column", column.name(c.language())),
        CellProblem::Date(text) => c.v("filter-bad-date", "text", text),
        CellProblem::Text(column, flaw) => {
            let problem = flaw.in_words("", c);
            c.words().with("line-text", &[("column", column.name(c.language())), ("problem", &problem)])
        }
    }
}

/// Each field that changes, with its old and new value.
fn changes(change: &EmployeeChange, c: &Chrome) -> String {
    let (known, new) = (&change.before, &change.after);
    let date = |date: Option<Date>| date.map(|date| date.to_string());
    let said = |field: DirectoryField, of: &NewEmployee| field.of(&of.directory).map(str::to_owned);
    let fields = [
        ("col-name", Some(known.name.clone()), Some(new.name.clone())),
        ("col-kana", known.kana.clone(), new.kana.clone()),
        ("col-department", known.department.clone(), new.department.clone()),
        ("employee-from", date(known.active_from), date(new.active_from)),
        ("employee-to", date(known.active_to), date(new.active_to)),
        ("col-upn", said(DirectoryField::Upn, known), said(DirectoryField::Upn, new)),
        ("account-key", said(DirectoryField::Sid, known), said(DirectoryField::Sid, new)),
    ];
    let value = |text: Option<String>| text.unwrap_or_else(|| c.t("line-empty"));
    let changed = fields.into_iter().filter(|(_, old, new)| old != new);
    let words = changed.map(|(key, old, new)| format!("{} {} → {}", c.t(key), value(old), value(new)));
    words.collect::<Vec<_>>().join(" / ")
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
    let first = (number - 1) * ROWS + 1;
    views::ImportReport {
        title: c.t(kind.title()),
        back: format!("/{}/import", kind.name()),
        encoding: c.v("import-read-as", "encoding", &file.encoding),
        segments: Show::ALL.into_iter().map(segment).collect(),
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
        shown: c.words().numbers(
            "import-shown",
            &[
                ("first", if rows.is_empty() { 0 } else { first as u64 }),
                ("last", (first - 1 + rows.len()) as u64),
                ("all", chosen.len() as u64),
            ],
        ),
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
    let new = look.count(|line| line.fate == Ok(LineFate::New));
    let changed = look.count(|line| matches!(line.fate, Ok(LineFate::Changed(_))));
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
