//! `/employees/self-service`: many employees get to see their own records at once.
//!
//! An office of thousands cannot be invited one by one. Whoever may say who signs in chooses people in the list, or all
//! that a search holds, and gets one file with a set-up link for each, to be handed out. The file is the only place where
//! the links ever stand: the server keeps their hashes, and a second file has none of them again. Links count three days;
//! whoever has let theirs pass gets a new one by the same way, when asked for. A login is the employee's code or, where
//! somebody else on the server has that, the code at the contract's. What stands in the file is handed out as it stands, so a
//! code that a spreadsheet would run (`-E1`), and that has an apostrophe in front there, makes no login.
//!
//! The page that asks stays where it is while a browser takes the file. The next page says what was made, once.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use mngntime_store::{Beside, ContractId, Employee, EmployeeId, KeyHash, LET_IN_MAX, LetIn, LetInOutcome};

use super::WebState;
use super::administrators::Link;
use super::chrome::{Banner, Chrome, Place, Tone};
use super::employees::{SHOWS, day_of};
use super::errors::WebError;
use super::fields::Fields;
use super::session::Visit;
use super::sheet::{Encoding, looks_like_a_formula};
use super::times;
use super::views;
use crate::access::Action;
use crate::invitation::{self, Invitation};
use crate::logins;

/// Employees that one file may hold: more of them are chosen in parts.
const PEOPLE_MAX: usize = 10_000;

/// Names on the page that asks.
const NAMED: usize = 20;

/// `GET /employees/self-service`: whom it is about, before anything is done.
///
/// # Errors
/// [`WebError`] when the person may not say who signs in or the store fails.
pub async fn ask(State(state): State<WebState>, mut visit: Visit, uri: Uri) -> Result<Response, WebError> {
    let contract = visit.permit(Action::EmployeesLetIn)?.contract()?;
    let fields = Fields::of_query(&uri)?;
    let people = chosen(&state, contract, &fields, &visit.chrome).await?;
    visit.chrome = visit.chrome.at(Place::Employees);
    if people.is_empty() || people.len() > PEOPLE_MAX {
        let key = if people.is_empty() { "let-in-nobody" } else { "let-in-too-many" };
        visit.leave(Banner::new(Tone::Error, visit.chrome.n(key, PEOPLE_MAX), String::new())).await?;
        return Ok(Redirect::to("/employees").into_response());
    }
    let (c, code) = (&visit.chrome, visit.contract_code());
    let nameless: Vec<_> =
        people.iter().filter(|one| logins(&one.data.code, &code).is_empty()).cloned().collect();
    let page = views::LetIn {
        text: c.n("let-in-text", people.len()),
        people: Named::of(&people, c),
        nameless: (!nameless.is_empty())
            .then(|| (c.n("let-in-nameless", nameless.len()), Named::of(&nameless, c))),
        hidden: fields.iter().filter(|(name, _)| KEPT.contains(&name.as_str())).cloned().collect(),
        hours: c.n("let-in-once", invitation::HOURS.unsigned_abs()),
        c: visit.chrome,
    };
    Ok(page.render_page()?.into_response())
}

/// People by their names, as many as somebody reads.
#[derive(Debug, Clone)]
pub struct Named {
    /// The first of them.
    pub names: Vec<String>,
    /// How many more there are; empty for none.
    pub more: String,
}

impl Named {
    fn of(people: &[Employee], c: &Chrome) -> Self {
        let more = people.len().saturating_sub(NAMED);
        Self {
            names: people.iter().take(NAMED).map(name).collect(),
            more: if more > 0 { c.n("let-in-more", more) } else { String::new() },
        }
    }
}

/// Fields of the list that say who is meant.
pub(super) const KEPT: [&str; 4] = ["employee", "do", "show", "q"];

/// `POST /employees/self-service`: does it and gives the links, this once.
///
/// # Errors
/// [`WebError`] when the person may not say who signs in or the store fails before anybody has a link.
pub async fn make(
    State(state): State<WebState>,
    visit: Visit,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, WebError> {
    let contract = visit.permit(Action::EmployeesLetIn)?.contract()?;
    let people = chosen(&state, contract, &fields, &visit.chrome).await?;
    if people.is_empty() || people.len() > PEOPLE_MAX {
        return Err(WebError::BadForm);
    }
    let lines = lines(&state, &visit, contract, &people, fields.text("again") == "1").await?;
    if !lines.iter().any(|line| line.link.is_some()) {
        let c = &visit.chrome;
        visit.leave(Banner::new(Tone::Warn, c.t("let-in-none"), c.t("let-in-none-text"))).await?;
        return Ok(Redirect::to("/employees").into_response());
    }
    if let Some(banner) = given(&lines, &visit) {
        visit.leave(banner).await?;
    }
    Ok(file(&state, &headers, &lines, &visit.chrome))
}

/// What the next page says of the file, which the browser takes without a page of its own; none for no link.
fn given(lines: &[Line<'_>], visit: &Visit) -> Option<Banner> {
    let c = &visit.chrome;
    let until = lines.iter().find_map(|line| line.link.as_ref()).map(|link| link.expires_at)?;
    let made = lines.iter().filter(|line| line.link.is_some()).count().to_string();
    let failed = lines.iter().filter(|line| line.outcome == FAILED).count();
    let title = c.words().with("let-in-given", &[("at", &times::clock_short(c.now)), ("n", &made)]);
    let mut text = c.v("let-in-given-text", "until", times::day_clock(until));
    if failed > 0 {
        text = format!("{} {text}", c.n("let-in-left", failed));
    }
    let link = ("/audit?action=make_setup_link".to_owned(), c.t("let-in-given-log"));
    let link = visit.may(Action::AuditRead).then_some(link);
    let tone = if failed > 0 { Tone::Warn } else { Tone::Ok };
    Some(Banner { link, ..Banner::new(tone, title, text) })
}

/// Key of what became of somebody whom a failure left out.
const FAILED: &str = "let-in-failed";

/// Somebody in the file.
struct Line<'a> {
    employee: &'a Employee,
    /// Key of what became of them.
    outcome: &'static str,
    login: String,
    link: Option<Invitation>,
}

/// Does it in steps, each whole. Links of steps that are done count and are nowhere else, so a later failure ends the
/// file with those who are left instead of taking it away.
async fn lines<'a>(
    state: &WebState,
    visit: &Visit,
    contract: ContractId,
    people: &'a [Employee],
    again: bool,
) -> Result<Vec<Line<'a>>, WebError> {
    let mut lines = Vec::with_capacity(people.len());
    for step in people.chunks(LET_IN_MAX) {
        match let_in(state, visit, contract, step, again).await {
            Ok(done) => lines.extend(done),
            Err(error) if lines.is_empty() => return Err(error),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "could not let all employees in");
                let left = |employee| Line { employee, outcome: FAILED, login: String::new(), link: None };
                lines.extend(people.iter().skip(lines.len()).map(left));
                break;
            }
        }
    }
    Ok(lines)
}

async fn let_in<'a>(
    state: &WebState,
    visit: &Visit,
    contract: ContractId,
    people: &'a [Employee],
    again: bool,
) -> Result<Vec<Line<'a>>, WebError> {
    let act = visit.act();
    let links = people.iter().map(|_| invitation::draw(&act)).collect::<Result<Vec<_>, _>>()?;
    let code = visit.contract_code();
    let asked = people.iter().zip(&links).map(|(employee, link)| LetIn {
        employee: employee.id,
        logins: logins(&employee.data.code, &code),
        token: KeyHash::of(&link.token),
    });
    let Some(expires_at) = links.first().map(|link| link.expires_at) else { return Ok(Vec::new()) };
    let done = state.store.let_employees_in(contract, asked.collect(), again, expires_at, act).await?;
    let line = |((employee, outcome), link)| match outcome {
        LetInOutcome::Made { login } => Line { employee, outcome: "let-in-made", login, link: Some(link) },
        LetInOutcome::There { login } => Line { employee, outcome: "let-in-there", login, link: None },
        LetInOutcome::NoLogin => {
            Line { employee, outcome: "let-in-no-login", login: String::new(), link: None }
        }
    };
    Ok(people.iter().zip(done).zip(links).map(line).collect())
}

/// Logins that an employee may get, the best first: a code that can be none ([`logins::flaw`]) makes none.
fn logins(code: &str, contract: &str) -> Vec<String> {
    let code = logins::meant(code);
    let all = [code.clone(), format!("{code}@{contract}")];
    all.into_iter().filter(|login| logins::flaw(&code).or_else(|| logins::flaw(login)).is_none()).collect()
}

/// What became of somebody, and, where they had a login before that has an apostrophe in the file, that this is no part of it.
fn result(line: &Line<'_>, c: &Chrome) -> String {
    let outcome = c.t(line.outcome);
    if looks_like_a_formula(&line.login) {
        format!("{outcome} {}", c.t("let-in-apostrophe"))
    } else {
        outcome
    }
}

/// The file.
fn file(state: &WebState, headers: &HeaderMap, lines: &[Line<'_>], c: &Chrome) -> Response {
    let head = ["col-code", "col-name", "login-user", "let-in-link", "let-in-until", "let-in-result"];
    let mut text = Encoding::Utf8.head(&head.map(|key| c.t(key)), c);
    for line in lines {
        let link = line.link.as_ref().map(|made| Link::new(state, headers, &line.login, made));
        let (address, until) = link.map(|link| (link.address, link.until)).unwrap_or_default();
        let data = &line.employee.data;
        let cells = [&data.code, &data.name, &line.login, &address, &until, &result(line, c)];
        text.extend(Encoding::Utf8.line(&cells.map(Clone::clone)));
    }
    let name = format!("set-up-links-{}.csv", c.today().strftime("%Y%m%d"));
    let headers = [
        (header::CONTENT_TYPE, Encoding::Utf8.content_type().to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    (headers, text).into_response()
}

fn name(employee: &Employee) -> String {
    super::departments::shown(&employee.data.code, &employee.data.name)
}

/// Whom the form means: those who are picked, or all that the list holds. Who has left has no record to look at any more.
async fn chosen(
    state: &WebState,
    contract: ContractId,
    fields: &Fields,
    c: &Chrome,
) -> Result<Vec<Employee>, WebError> {
    let mut people = match fields.text("do") {
        "all" => all(state, contract, fields, c).await?,
        _ => picked(state, contract, fields).await?,
    };
    people.retain(|employee| employee.data.active_to.is_none_or(|last| last >= c.today()));
    Ok(people)
}

async fn picked(state: &WebState, contract: ContractId, fields: &Fields) -> Result<Vec<Employee>, WebError> {
    let ids = fields.all("employee").map(|id| EmployeeId::parse(id).ok_or(WebError::NotFound));
    let ids = ids.collect::<Result<BTreeSet<_>, _>>()?;
    if ids.len() > LET_IN_MAX {
        return Err(WebError::BadForm);
    }
    let mut people = Vec::with_capacity(ids.len());
    for id in ids {
        people.push(state.store.employee(contract.into(), id).await?.ok_or(WebError::NotFound)?);
    }
    people.sort_by(|one, other| one.data.code.cmp(&other.data.code));
    Ok(people)
}

/// One more than [`PEOPLE_MAX`] at most.
async fn all(
    state: &WebState,
    contract: ContractId,
    fields: &Fields,
    c: &Chrome,
) -> Result<Vec<Employee>, WebError> {
    let asked = fields.text("show");
    // Whom nobody has seen in a list nobody means.
    let (_, show) = *SHOWS.iter().find(|(word, _)| *word == asked).ok_or(WebError::BadForm)?;
    let (mut people, mut at) = (Vec::new(), None);
    while people.len() <= PEOPLE_MAX {
        let q = fields.text("q").to_owned();
        let day = day_of(c.today());
        let page = state.store.employee_page(contract.into(), show, q, at, day, LET_IN_MAX).await?;
        people.extend(page.rows.into_iter().map(|row| row.employee));
        match page.next {
            Some(next) => at = Some(Beside::After(next)),
            None => break,
        }
    }
    Ok(people)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_can_be_a_login_is_one() {
        assert_eq!(logins("E012", "A-1"), ["E012", "E012@A-1"]);
        assert_eq!(logins("E 1", "A-1"), Vec::<String>::new());
        assert_eq!(logins("x:y", "A-1"), Vec::<String>::new());
        for code in ["-E1", "+1", "=1", "@x"] {
            assert_eq!(
                logins(code, "A-1"),
                Vec::<String>::new(),
                "{code} would have an apostrophe in the file"
            );
        }
        assert_eq!(logins("サーバー", "A-1"), Vec::<String>::new(), "the server's own name");
        assert_eq!(logins("Ｅ０１", "A-1"), ["E01", "E01@A-1"], "as it is typed");
        assert_eq!(logins(&"9".repeat(64), "A-1"), ["9".repeat(64)], "a login has an end");
    }
}
