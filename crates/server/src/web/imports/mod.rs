//! `/accounts/import`, `/employees/import`: files with links or employees.
//!
//! Upload → report, line by line, of what would happen → decision. The file waits in the store, so that the decision is
//! about the very lines that were looked at; they are checked anew when they are taken in. Nothing is written while a
//! line is wrong, unless the person asks for the right ones.

mod file;

use std::collections::HashMap;

use axum::extract::multipart::{Multipart, MultipartRejection};
use axum::extract::{OriginalUri, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::civil::Date;
use mngntime_store::{
    ContractId, DepartmentProblem, IMPORT_LINES_MAX, ImportId, ImportOutcome, LineFate, LineProblem,
    NewEmployee, StagedFile, StoreError,
};

use super::WebState;
use super::chrome::{Banner, Chrome, Place, Tone};
use super::departments::naming;
use super::errors::WebError;
use super::fields::Fields;
use super::session::Visit;
use super::views;
use crate::access::Action;
use file::{CellProblem, FileProblem, Line};

/// Uploaded files are kept this long, in milliseconds.
const KEPT_MS: i64 = 86_400_000;
/// Wrong lines and other lines shown.
const SHOWN: (usize, usize) = (200, 50);

/// What a file is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Links of accounts.
    Accounts,
    /// Employees.
    Employees,
}

impl Kind {
    fn of(path: &str) -> Self {
        if path.starts_with("/accounts/") { Self::Accounts } else { Self::Employees }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Employees => "employees",
        }
    }

    fn action(self) -> Action {
        match self {
            Self::Accounts => Action::AccountsImport,
            Self::Employees => Action::EmployeesChange,
        }
    }

    fn place(self) -> Place {
        match self {
            Self::Accounts => Place::Accounts,
            Self::Employees => Place::Employees,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Accounts => "import-accounts-title",
            Self::Employees => "import-employees-title",
        }
    }

    fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Accounts => &file::LINKS_HEAD,
            Self::Employees => &file::EMPLOYEES_HEAD,
        }
    }
}

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
}

impl NewNames {
    fn of(lines: &[(Reported, Option<LineFate>)], c: &Chrome) -> Self {
        let (mut all, mut places) = (Self::default(), HashMap::new());
        for (_, fate) in lines {
            let Some(LineFate::Wrong(LineProblem::Department(text, DepartmentProblem::Unknown(near)))) = fate
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
        all
    }
}

/// `GET /accounts/import`, `GET /employees/import`
///
/// # Errors
/// [`WebError`] when the person may not take in files or the store fails.
pub async fn page(
    State(_): State<WebState>,
    visit: Visit,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, WebError> {
    let kind = Kind::of(&format!("{}/", uri.path()));
    visit.permit(kind.action())?.contract()?;
    let c = visit.chrome.at(kind.place());
    let page = views::Import {
        title: c.t(kind.title()),
        back: format!("/{}", kind.name()),
        back_text: c.t(if kind == Kind::Accounts { "nav-accounts" } else { "nav-employees" }),
        address: format!("/{}/import", kind.name()),
        template: format!("/{}/import.csv", kind.name()),
        columns: kind.columns().join(", "),
        limits: c.words().numbers(
            "import-limits",
            &[("lines", IMPORT_LINES_MAX as u64), ("kilobytes", file::FILE_MAX as u64 / 1024)],
        ),
        absent: if kind == Kind::Employees { c.t("import-absent") } else { String::new() },
        c,
    };
    Ok(page.render_page()?.into_response())
}

/// `GET /accounts/import.csv`, `GET /employees/import.csv`: an empty file with the first line.
///
/// # Errors
/// [`WebError`] when the person may not take in files.
pub async fn template(visit: Visit, OriginalUri(uri): OriginalUri) -> Result<Response, WebError> {
    let kind = Kind::of(uri.path());
    visit.permit(kind.action())?.contract()?;
    let disposition = format!("attachment; filename=\"{}.csv\"", kind.name());
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, format!("\u{feff}{}\r\n", kind.columns().join(","))).into_response())
}

/// `POST /accounts/import`, `POST /employees/import`: the upload.
///
/// # Errors
/// [`WebError`] when the person may not take in files or the store fails.
pub async fn upload(
    State(state): State<WebState>,
    visit: Visit,
    OriginalUri(uri): OriginalUri,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Response, WebError> {
    let kind = Kind::of(uri.path());
    let contract = visit.permit(kind.action())?.contract()?;
    let c = &visit.chrome;
    let bytes = match form {
        Ok(form) => bytes_of(form).await,
        Err(_) => Err(FileProblem::Empty),
    };
    let read = bytes.and_then(|bytes| file::decode(&bytes));
    let read = read.and_then(|(text, encoding)| readable(kind, &text).map(|()| (text, encoding)));
    let (content, encoding) = match read {
        Ok(read) => read,
        Err(problem) => {
            let text = in_words(&problem, c);
            visit.leave(Banner::new(Tone::Error, c.t("import-unread"), text)).await?;
            return Ok(Redirect::to(&format!("/{}/import", kind.name())).into_response());
        }
    };
    let staged = StagedFile { kind: kind.name().to_owned(), encoding: encoding.to_owned(), content };
    let old = c.now.plus(-KEPT_MS);
    let id = state.store.stage_import(contract, visit.person().id, staged, c.now, old).await?;
    Ok(Redirect::to(&format!("/{}/import/{id}", kind.name())).into_response())
}

async fn bytes_of(mut form: Multipart) -> Result<Vec<u8>, FileProblem> {
    while let Some(field) = form.next_field().await.map_err(|_| FileProblem::TooLarge)? {
        if field.name() == Some("file") {
            let bytes = field.bytes().await.map_err(|_| FileProblem::TooLarge)?;
            return match bytes.len() {
                0 => Err(FileProblem::Empty),
                length if length > file::FILE_MAX => Err(FileProblem::TooLarge),
                _ => Ok(bytes.to_vec()),
            };
        }
    }
    Err(FileProblem::Empty)
}

fn readable(kind: Kind, text: &str) -> Result<(), FileProblem> {
    match kind {
        Kind::Accounts => file::links(text).map(drop),
        Kind::Employees => file::employees(text).map(drop),
    }
}

fn in_words(problem: &FileProblem, c: &Chrome) -> String {
    match problem {
        FileProblem::Empty => c.t("import-empty"),
        FileProblem::TooLarge => c.n("import-too-large", file::FILE_MAX / 1024),
        FileProblem::Encoding => c.t("import-encoding"),
        FileProblem::Column(name) => c.v("import-column", "name", *name),
        FileProblem::TooManyLines => c.n("import-too-many", IMPORT_LINES_MAX),
        FileProblem::Quotes(line) => c.n("import-quotes", *line),
    }
}

/// A staged file of the kind that the address names.
async fn staged(
    state: &WebState,
    contract: ContractId,
    kind: Kind,
    id: &str,
) -> Result<(ImportId, StagedFile), WebError> {
    let id = ImportId::parse(id).ok_or(WebError::NotFound)?;
    let file = state.store.staged_import(contract, id).await?.ok_or(WebError::NotFound)?;
    if file.kind == kind.name() { Ok((id, file)) } else { Err(WebError::NotFound) }
}

/// `GET /accounts/import/{import}`, `GET /employees/import/{import}`: what would happen.
///
/// # Errors
/// [`WebError`] when the person may not take in files, there is no such file, or the store fails.
pub async fn report(
    State(state): State<WebState>,
    visit: Visit,
    OriginalUri(uri): OriginalUri,
    Path(import): Path<String>,
) -> Result<Response, WebError> {
    let kind = Kind::of(uri.path());
    let contract = visit.permit(kind.action())?.contract()?;
    let (id, file) = staged(&state, contract, kind, &import).await?;
    let reported = look(&state, contract, kind, &file, &visit.chrome).await?;
    Ok(report_page(visit, kind, id, &file, reported).render_page()?.into_response())
}

/// `POST /accounts/import/{import}`, `POST /employees/import/{import}`: `take` is `all` or `right`.
///
/// # Errors
/// [`WebError`] when the person may not take in files, there is no such file, or the store fails.
pub async fn decide(
    State(state): State<WebState>,
    visit: Visit,
    OriginalUri(uri): OriginalUri,
    Path(import): Path<String>,
    fields: Fields,
) -> Result<Response, WebError> {
    let kind = Kind::of(uri.path());
    let contract = visit.permit(kind.action())?.contract()?;
    let (id, file) = staged(&state, contract, kind, &import).await?;
    let right_only = fields.text("take") == "right";
    let new_departments = fields.text("departments") == "1" && visit.may(Action::DepartmentsChange);
    let taken = take(&state, contract, kind, &file, (right_only, new_departments), &visit).await?;
    let Some(outcome) = taken.filter(|outcome| outcome.written) else {
        let reported = look(&state, contract, kind, &file, &visit.chrome).await?;
        let mut page = report_page(visit, kind, id, &file, reported);
        page.c.banner =
            Some(Banner::new(Tone::Error, page.c.t("import-not-taken"), page.c.t("import-not-taken-text")));
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page.render_page()?).into_response());
    };
    state.store.drop_import(contract, id).await?;
    let count = |fate: &LineFate| outcome.fates.iter().filter(|one| *one == fate).count() as u64;
    let numbers = [
        ("new", count(&LineFate::New)),
        ("changed", count(&LineFate::Changed)),
        ("same", count(&LineFate::Unchanged)),
    ];
    let c = &visit.chrome;
    let title = c.words().numbers("import-taken", &numbers);
    visit.leave(Banner::new(Tone::Ok, title, c.n("rejudged", outcome.rejudged))).await?;
    Ok(Redirect::to(&format!("/{}", kind.name())).into_response())
}

/// Lines that can be read, with their places among all.
fn right<T: Clone>(lines: &[Line<T>]) -> (Vec<usize>, Vec<T>) {
    let readable = |(place, line): (usize, &Line<T>)| Some((place, line.content.as_ref().ok()?.clone()));
    lines.iter().enumerate().filter_map(readable).unzip()
}

/// Takes the file in; `None` when a line cannot even be read and all were asked for.
async fn take(
    state: &WebState,
    contract: ContractId,
    kind: Kind,
    file: &StagedFile,
    (right_only, new_departments): (bool, bool),
    visit: &Visit,
) -> Result<Option<ImportOutcome>, WebError> {
    let store = state.store.as_ref();
    Ok(match kind {
        Kind::Accounts => {
            let all = file::links(&file.content).map_err(|_| WebError::BadForm)?;
            let (_, lines) = right(&all);
            if lines.len() < all.len() && !right_only {
                return Ok(None);
            }
            Some(store.import_links(contract, lines, right_only, visit.act()).await?)
        }
        Kind::Employees => {
            let all = file::employees(&file.content).map_err(|_| WebError::BadForm)?;
            let (_, lines) = right(&all);
            if lines.len() < all.len() && !right_only {
                return Ok(None);
            }
            let (lines, _) = filled(state, contract, file, lines).await?;
            Some(store.import_employees(contract, lines, right_only, new_departments, visit.act()).await?)
        }
    })
}

/// The lines with what the file says nothing of as it is, and the employees as they are.
async fn filled(
    state: &WebState,
    contract: ContractId,
    file: &StagedFile,
    lines: Vec<NewEmployee>,
) -> Result<(Vec<NewEmployee>, Vec<Option<NewEmployee>>), WebError> {
    let present = file::employee_columns(&file.content).map_err(|_| WebError::BadForm)?;
    let (mut all, mut before) = (Vec::with_capacity(lines.len()), Vec::with_capacity(lines.len()));
    for line in lines {
        let known = state.store.employee_by_code(contract.into(), line.code.clone()).await?;
        let known = known.map(|employee| employee.data);
        all.push(match &known {
            Some(known) => present.filled(line, known),
            None => line,
        });
        before.push(known);
    }
    Ok((all, before))
}

/// Each field that changes, with its old and new value.
fn changes(known: &NewEmployee, new: &NewEmployee, c: &Chrome) -> String {
    let date = |date: Option<Date>| date.map(|date| date.to_string());
    let fields = [
        ("col-name", Some(known.name.clone()), Some(new.name.clone())),
        ("col-kana", known.kana.clone(), new.kana.clone()),
        ("col-department", known.department.clone(), new.department.clone()),
        ("employee-from", date(known.active_from), date(new.active_from)),
        ("employee-to", date(known.active_to), date(new.active_to)),
    ];
    let value = |text: Option<String>| text.unwrap_or_else(|| c.t("line-empty"));
    let changed = fields.into_iter().filter(|(_, old, new)| old != new);
    let words = changed.map(|(key, old, new)| format!("{} {} → {}", c.t(key), value(old), value(new)));
    words.collect::<Vec<_>>().join(" / ")
}

/// What would happen to each line of the file.
async fn look(
    state: &WebState,
    contract: ContractId,
    kind: Kind,
    file: &StagedFile,
    c: &Chrome,
) -> Result<Vec<(Reported, Option<LineFate>)>, WebError> {
    let store = state.store.as_ref();
    match kind {
        Kind::Accounts => {
            let lines = file::links(&file.content).map_err(|_| WebError::BadForm)?;
            let (places, right) = right(&lines);
            Ok(reported(&lines, &places, store.check_links(contract, right).await?, c))
        }
        Kind::Employees => {
            let lines = file::employees(&file.content).map_err(|_| WebError::BadForm)?;
            let (places, right) = right(&lines);
            let (right, known) = filled(state, contract, file, right).await?;
            let fates: Result<Vec<LineFate>, StoreError> =
                store.check_employees(contract, right.clone(), c.today()).await;
            let mut all = reported(&lines, &places, fates?, c);
            for ((place, new), known) in places.iter().zip(&right).zip(&known) {
                if let (Some((line, Some(LineFate::Changed))), Some(known)) = (all.get_mut(*place), known) {
                    line.text = c.v("line-changes", "changes", changes(known, new, c));
                }
            }
            Ok(all)
        }
    }
}

fn reported<T>(
    lines: &[Line<T>],
    places: &[usize],
    fates: Vec<LineFate>,
    c: &Chrome,
) -> Vec<(Reported, Option<LineFate>)> {
    let number =
        |right: usize| places.get(right).and_then(|place| lines.get(*place)).map_or(0, |line| line.number);
    let mut fates = fates.into_iter();
    let report = |line: &Line<T>| {
        let (text, fate) = match &line.content {
            Err(problem) => (cell_in_words(problem, c), None),
            Ok(_) => {
                let fate = fates.next();
                (fate.as_ref().map(|fate| fate_in_words(fate, number, c)).unwrap_or_default(), fate)
            }
        };
        let wrong = !matches!(fate, Some(LineFate::New | LineFate::Changed | LineFate::Unchanged));
        let making = match &fate {
            Some(LineFate::Wrong(LineProblem::Department(text, problem))) => {
                naming::making(text, problem, c.may(Action::DepartmentsChange))
            }
            _ => String::new(),
        };
        (Reported { number: line.number, shown: line.shown.clone(), wrong, text, making }, fate)
    };
    lines.iter().map(report).collect()
}

fn cell_in_words(problem: &CellProblem, c: &Chrome) -> String {
    match problem {
        CellProblem::Missing(column) => c.v("line-missing", "column", *column),
        CellProblem::Date(text) => c.v("filter-bad-date", "text", text),
        CellProblem::Text(column) => c.v("line-text", "column", *column),
    }
}

fn fate_in_words(fate: &LineFate, number: impl Fn(usize) -> u64, c: &Chrome) -> String {
    match fate {
        LineFate::New => c.t("line-new"),
        LineFate::Changed => c.t("line-changed"),
        LineFate::Unchanged => c.t("line-unchanged"),
        LineFate::Wrong(problem) => match problem {
            LineProblem::NoAccount => c.t("line-no-account"),
            LineProblem::SeveralAccounts => c.t("line-several-accounts"),
            LineProblem::NoEmployee(code) => c.v("line-no-employee", "code", code),
            LineProblem::Overlaps(code) => c.v("line-overlaps", "code", code),
            LineProblem::Contradicts(line) => c.n("line-contradicts", number(*line)),
            LineProblem::DatesReversed => c.t("filter-dates-reversed"),
            LineProblem::Department(text, problem) => naming::in_words(text, problem, c),
        },
    }
}

fn report_page(
    visit: Visit,
    kind: Kind,
    id: ImportId,
    file: &StagedFile,
    lines: Vec<(Reported, Option<LineFate>)>,
) -> views::ImportReport {
    let c = visit.chrome.at(kind.place()).reached_by(&format!("/{}/import/{id}", kind.name()));
    let count = |fate: &LineFate| lines.iter().filter(|(_, one)| one.as_ref() == Some(fate)).count() as u64;
    let (new, changed, same) =
        (count(&LineFate::New), count(&LineFate::Changed), count(&LineFate::Unchanged));
    let total = lines.len();
    let departments =
        if c.may(Action::DepartmentsChange) { NewNames::of(&lines, &c) } else { NewNames::default() };
    let (wrong, right): (Vec<_>, Vec<_>) =
        lines.into_iter().map(|(line, _)| line).partition(|line| line.wrong);
    let wrong_count = wrong.len();
    let rows: Vec<_> = wrong.into_iter().take(SHOWN.0).chain(right.into_iter().take(SHOWN.1)).collect();
    views::ImportReport {
        title: c.t(kind.title()),
        back: format!("/{}/import", kind.name()),
        address: format!("/{}/import/{id}", kind.name()),
        encoding: c.v("import-read-as", "encoding", &file.encoding),
        sums: c.words().numbers(
            "import-sums",
            &[
                ("total", total as u64),
                ("new", new),
                ("changed", changed),
                ("same", same),
                ("wrong", wrong_count as u64),
            ],
        ),
        departments,
        wrong: wrong_count,
        writes: new + changed,
        left_out: total - rows.len(),
        rows,
        c,
    }
}
