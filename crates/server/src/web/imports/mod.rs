//! `/accounts/import`, `/employees/import`: files with links or employees.
//!
//! Upload → report, line by line, of what would happen → decision. The file waits in the store, so that the decision is
//! about the very lines that were looked at; they are checked anew when they are taken in. Nothing is written while a
//! line is wrong, unless the person asks for the right ones.

mod columns;
mod file;
pub mod master;
mod report;
pub mod waiting;

use axum::extract::multipart::{Multipart, MultipartRejection};
use axum::extract::{OriginalUri, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use mngntime_model::Language;
use mngntime_store::{
    ContractId, EMPLOYEE_LINES_MAX, ImportId, ImportOutcome, LINK_LINES_MAX, LineFate, StagedFile,
};

use super::WebState;
use super::chrome::{Banner, Chrome, Place, Tone};
use super::errors::WebError;
use super::fields::Fields;
use super::session::Visit;
use super::sheet::Encoding;
use super::views;
use crate::access::Action;
use columns::Column;
use file::{FileProblem, Line};

pub use report::{NewNames, Reported};

/// Uploaded files are kept this long, in milliseconds.
const KEPT_MS: i64 = 86_400_000;
/// Largest body of an upload, in bytes: the file, and what a browser puts around it.
pub const BODY_MAX: usize = file::FILE_MAX + 64 * 1024;

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
        if path.starts_with("/accounts") { Self::Accounts } else { Self::Employees }
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

    fn columns(self) -> &'static [&'static Column] {
        match self {
            Self::Accounts => &columns::LINKS_HEAD,
            Self::Employees => &columns::EMPLOYEES_HEAD,
        }
    }

    fn head(self, language: Language, between: &str) -> String {
        self.columns().iter().map(|column| column.name(language)).collect::<Vec<_>>().join(between)
    }

    fn lines_max(self) -> usize {
        match self {
            Self::Accounts => LINK_LINES_MAX,
            Self::Employees => EMPLOYEE_LINES_MAX,
        }
    }
}

/// `GET /accounts/import`, `GET /employees/import`
///
/// # Errors
/// [`WebError`] when the person may not take in files or the store fails.
pub async fn page(
    State(_): State<WebState>,
    mut visit: Visit,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, WebError> {
    let kind = Kind::of(&format!("{}/", uri.path()));
    visit.permit(kind.action())?.contract()?;
    let complaint = Encoding::complaint(&Fields::of_query(&uri)?, &visit.chrome);
    visit.chrome.banner = complaint.or(visit.chrome.banner.take());
    Ok(form(visit.chrome, kind).render_page()?.into_response())
}

fn form(chrome: Chrome, kind: Kind) -> views::Import {
    let c = chrome.at(kind.place()).reached_by(&format!("/{}/import", kind.name()));
    let limits = [("lines", kind.lines_max() as u64), ("kilobytes", file::FILE_MAX as u64 / 1024)];
    views::Import {
        title: c.t(kind.title()),
        back: format!("/{}", kind.name()),
        back_text: c.t(if kind == Kind::Accounts { "nav-accounts" } else { "nav-employees" }),
        address: format!("/{}/import", kind.name()),
        template: format!("/{}/import.csv", kind.name()),
        master: format!("/{}.csv", kind.name()),
        columns: kind.head(c.language(), if c.japanese() { "、" } else { ", " }),
        limits: c.words().numbers("import-limits", &limits),
        waiting: (kind == Kind::Accounts).then(|| c.n("waiting-file-text", LINK_LINES_MAX)),
        absent: if kind == Kind::Employees { c.t("import-absent") } else { String::new() },
        directory: if kind == Kind::Employees { c.t("import-directory") } else { String::new() },
        c,
    }
}

/// `GET /accounts/import.csv`, `GET /employees/import.csv`: an empty file with the first line in the reader's language.
///
/// # Errors
/// [`WebError`] when the person may not take in files.
pub async fn template(visit: Visit, OriginalUri(uri): OriginalUri) -> Result<Response, WebError> {
    let kind = Kind::of(uri.path());
    visit.permit(kind.action())?.contract()?;
    let fields = Fields::of_query(&uri)?;
    let encoding = Encoding::asked(&fields);
    let disposition = format!("attachment; filename=\"{}.csv\"", kind.name());
    let headers = [
        (header::CONTENT_TYPE, encoding.content_type().to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    let line = format!("{}\r\n", kind.head(visit.chrome.language(), ","));
    let bytes = match encoding {
        Encoding::Utf8 => format!("\u{feff}{line}").into_bytes(),
        Encoding::ShiftJis => encoding_rs::SHIFT_JIS.encode(&line).0.into_owned(),
    };
    Ok((headers, bytes).into_response())
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
    let bytes = match form {
        Ok(form) => bytes_of(form).await,
        Err(_) => Err(FileProblem::Empty),
    };
    let read = bytes.and_then(|bytes| file::decode(&bytes));
    let read = read.and_then(|(text, encoding)| readable(kind, &text).map(|()| (text, encoding)));
    let (content, encoding) = match read {
        Ok(read) => read,
        Err(problem) => return again(visit.chrome, kind, &problem),
    };
    let staged = StagedFile { kind: kind.name().to_owned(), encoding: encoding.to_owned(), content };
    let now = visit.chrome.now;
    let id = state.store.stage_import(contract, visit.person().id, staged, now, now.plus(-KEPT_MS)).await?;
    Ok(Redirect::to(&format!("/{}/import/{id}", kind.name())).into_response())
}

/// The form again, with what is wrong with the file.
fn again(chrome: Chrome, kind: Kind, problem: &FileProblem) -> Result<Response, WebError> {
    let text = in_words(problem, &chrome);
    let mut page = form(chrome, kind);
    page.c.banner = Some(Banner::new(Tone::Error, page.c.t("import-unread"), text));
    let status = match problem {
        FileProblem::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        FileProblem::Empty
        | FileProblem::Spreadsheet
        | FileProblem::Encoding
        | FileProblem::Separator
        | FileProblem::Column(_)
        | FileProblem::Twice(_)
        | FileProblem::TooManyLines(_)
        | FileProblem::Quotes(_) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    Ok((status, page.render_page()?).into_response())
}

async fn bytes_of(mut form: Multipart) -> Result<Vec<u8>, FileProblem> {
    let problem = |error: axum::extract::multipart::MultipartError| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => FileProblem::TooLarge,
        _ => FileProblem::Empty,
    };
    while let Some(field) = form.next_field().await.map_err(problem)? {
        if field.name() == Some("file") {
            let bytes = field.bytes().await.map_err(problem)?;
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
        FileProblem::Spreadsheet => c.t("import-spreadsheet"),
        FileProblem::Encoding => c.t("import-encoding"),
        FileProblem::Separator => c.t("import-separator"),
        FileProblem::Twice(column) => c.v("import-column-twice", "name", column.name(c.language())),
        FileProblem::Column(column) => c.v("import-column", "name", column.name(c.language())),
        FileProblem::TooManyLines(most) => c.n("import-too-many", *most),
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
    let (id, file) = match staged(&state, contract, kind, &import).await {
        Err(WebError::NotFound) if visit.has_taken(&import).await? => {
            return Ok(Redirect::to(&format!("/{}", kind.name())).into_response());
        }
        found => found?,
    };
    let look = report::look(&state, contract, kind, &file, visit.chrome.today()).await?;
    let fields = Fields::of_query(&uri)?;
    Ok(report::page(visit.chrome, kind, id, &file, &look, &fields).render_page()?.into_response())
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
    let (id, file) = match staged(&state, contract, kind, &import).await {
        Err(WebError::NotFound) if visit.has_taken(&import).await? => {
            let c = &visit.chrome;
            let done = Banner::new(Tone::Ok, c.t("import-taken-already"), c.t("import-taken-already-text"));
            visit.leave(done).await?;
            return Ok(Redirect::to(&format!("/{}", kind.name())).into_response());
        }
        found => found?,
    };
    let right_only = fields.text("take") == "right";
    let new_departments = fields.text("departments") == "1" && visit.may(Action::DepartmentsChange);
    let taken = take(&state, contract, kind, &file, (right_only, new_departments), &visit).await?;
    let wrong = |outcome: &ImportOutcome| outcome.fates.iter().any(|fate| matches!(fate, LineFate::Wrong(_)));
    // Somebody else may have changed what a line says, after the file had been looked at.
    let partly = !right_only && taken.as_ref().is_some_and(|outcome| outcome.written && wrong(outcome));
    let Some(outcome) = taken.filter(|outcome| outcome.written && !partly) else {
        let look = report::look(&state, contract, kind, &file, visit.chrome.today()).await?;
        let mut page = report::page(visit.chrome, kind, id, &file, &look, &Fields::default());
        let [title, text] = if partly {
            ["import-partly", "import-partly-text"]
        } else {
            ["import-not-taken", "import-not-taken-text"]
        };
        page.c.banner = Some(Banner::new(Tone::Error, page.c.t(title), page.c.t(text)));
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page.render_page()?).into_response());
    };
    state.store.drop_import(contract, id).await?;
    visit.note_taken(&id.to_string()).await?;
    let count =
        |counts: fn(&LineFate) -> bool| outcome.fates.iter().filter(|fate| counts(fate)).count() as u64;
    let numbers = [
        ("new", count(|fate| *fate == LineFate::New)),
        ("changed", count(|fate| matches!(fate, LineFate::Changed(_) | LineFate::HandedOver { .. }))),
        ("same", count(|fate| *fate == LineFate::Unchanged)),
    ];
    let c = &visit.chrome;
    let title = c.words().numbers("import-taken", &numbers);
    visit.leave(Banner::new(Tone::Ok, title, c.n("rejudged", outcome.rejudged))).await?;
    Ok(Redirect::to(&format!("/{}", kind.name())).into_response())
}

/// Lines that can be read.
fn right<T: Clone>(lines: &[Line<T>]) -> Vec<T> {
    lines.iter().filter_map(|line| line.content.as_ref().ok().cloned()).collect()
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
    let (store, act) = (state.store.as_ref(), visit.act());
    Ok(match kind {
        Kind::Accounts => {
            let all = file::links(&file.content).map_err(|_| WebError::BadForm)?.lines;
            let lines = right(&all);
            if lines.len() < all.len() && !right_only {
                return Ok(None);
            }
            Some(store.import_links(contract, lines, right_only, act).await?)
        }
        Kind::Employees => {
            let (file::Read { lines: all, .. }, columns) =
                file::employees(&file.content).map_err(|_| WebError::BadForm)?;
            let lines = right(&all);
            if lines.len() < all.len() && !right_only {
                return Ok(None);
            }
            Some(store.import_employees(contract, lines, columns, right_only, new_departments, act).await?)
        }
    })
}
