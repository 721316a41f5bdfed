//! The one table of pages: method, path, action, handler.
//!
//! The router is built from it, so that a route without an [`Action`] cannot be written. Before a handler runs, the
//! guard finds out who asks and whether they may do the action at all; the handler then asks [`Visit::permit`] how
//! far. A new page is a line here, an action in `access`, and a sample in `tests::matrix`.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::handler::Handler;
use axum::http::{Method, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{self, MethodRouter};

use super::asks::{Asks, Checked};
use super::errors::{self, WebError};
use super::session::{self, Visit};
use super::terminals::{change, keys};
use super::{
    WebState, account, accounts, administrators, assets, audit, contracts, days, departments, employee,
    employees, evidence, fields, first_administrator, health, imports, letting_in, link, login, me, passkey,
    provider, punches, quarantine, retention, second, security, settings, setup, start, staying, terminals,
};
use crate::access::Action;
use crate::access::matrix::Entry;

/// One line of the table.
struct Route {
    method: &'static str,
    path: &'static str,
    action: Action,
    handler: MethodRouter<WebState>,
    /// What its address may ask for, where that is checked before the handler.
    asks: Option<Asks>,
    /// Most bytes of a body.
    body_max: usize,
}

impl Route {
    /// A list, whose address may ask for this.
    fn asking(self, known: &'static [&'static str]) -> Self {
        Self { asks: Some(Asks::page(known)), ..self }
    }

    /// A file, whose address may ask for this; `page` leads to it.
    fn of_page(self, page: &'static str, known: &'static [&'static str]) -> Self {
        Self { asks: Some(Asks::file(known, page)), ..self }
    }
}

/// What a list with choices and a search may be asked for.
const LIST: &[&str] = &["show", "q", "after", "before"];
/// What a list with a search may be asked for.
const SEARCHED: &[&str] = &["q", "after", "before"];
/// What a list with choices may be asked for.
const CHOSEN: &[&str] = &["show", "after", "before"];
/// What a list without either may be asked for.
const PAGED: &[&str] = &["after", "before"];
/// What the report of an import may be asked for.
const REPORT: &[&str] = &["show", "page"];
/// What a file may be asked for that is always the whole.
const WHOLE: &[&str] = &["encoding"];
/// What the list of a month's people may be asked for, the month of one of them, and the file of either.
const DAYS: &[&str] = &["month", "employee", "show", "q", "after", "before", "encoding"];
/// What the list of terminals may be asked for, and its file.
const TERMINALS: &[&str] = &["show", "q", "sort", "terminal", "after", "before", "encoding"];

fn get<H, T>(path: &'static str, action: Action, handler: H) -> Route
where
    H: Handler<T, WebState>,
    T: 'static,
{
    Route {
        method: "GET",
        path,
        action,
        handler: routing::get(handler),
        asks: None,
        body_max: fields::BODY_MAX,
    }
}

fn post<H, T>(path: &'static str, action: Action, handler: H) -> Route
where
    H: Handler<T, WebState>,
    T: 'static,
{
    Route {
        method: "POST",
        path,
        action,
        handler: routing::post(handler),
        asks: None,
        body_max: fields::BODY_MAX,
    }
}

/// A form that brings a file: its body may be larger than others.
fn upload<H, T>(path: &'static str, action: Action, handler: H) -> Route
where
    H: Handler<T, WebState>,
    T: 'static,
{
    let body_max = imports::BODY_MAX;
    let handler = routing::post(handler).layer(DefaultBodyLimit::max(body_max));
    Route { method: "POST", path, action, handler, asks: None, body_max }
}

/// Signing in, and what one signs in with.
fn sign_in_table() -> Vec<Route> {
    use Action as A;
    vec![
        get("/login", A::PublicSignIn, login::form),
        post("/login", A::PublicSignIn, login::sign_in),
        post("/logout", A::SignOut, login::sign_out),
        get("/session", A::OwnSession, staying::left),
        post("/session", A::OwnSession, staying::stay),
        get("/login/second", A::PublicSignIn, second::form),
        post("/login/second", A::PublicSignIn, second::answer),
        post("/login/passkey/start", A::PublicSignIn, passkey::start),
        post("/login/passkey/finish", A::PublicSignIn, passkey::finish),
        get("/login/provider", A::PublicSignIn, provider::away),
        get("/login/provider/back", A::PublicSignIn, provider::back),
        get("/me/security", A::OwnSignInMeans, security::page),
        post("/me/security/confirm", A::OwnSignInMeans, security::confirm::with_password),
        post("/me/security/confirm/passkey", A::OwnSignInMeans, security::confirm::with_passkey),
        post("/me/security/password", A::OwnSignInMeans, security::password::change),
        get("/me/security/totp", A::OwnSignInMeans, security::totp::page),
        post("/me/security/totp/start", A::OwnSignInMeans, security::totp::start),
        post("/me/security/totp", A::OwnSignInMeans, security::totp::set_up),
        post("/me/security/totp/remove", A::OwnSignInMeans, security::totp::remove),
        get("/me/security/recovery-codes", A::OwnSignInMeans, security::recovery::page),
        post("/me/security/recovery-codes", A::OwnSignInMeans, security::recovery::make),
        post("/me/security/passkeys/start", A::OwnSignInMeans, security::passkeys::start),
        post("/me/security/passkeys/finish", A::OwnSignInMeans, security::passkeys::finish),
        post("/me/security/passkeys/{id}/rename", A::OwnSignInMeans, security::passkeys::rename),
        post("/me/security/passkeys/{id}/remove", A::OwnSignInMeans, security::passkeys::remove),
        post("/me/security/provider/remove", A::OwnSignInMeans, security::provider::remove),
        post("/me/security/tokens", A::OwnSignInMeans, security::tokens::make),
        post("/me/security/tokens/{id}/remove", A::OwnSignInMeans, security::tokens::remove),
        post("/me/security/sessions/end", A::OwnSignInMeans, security::sessions::end),
        post("/me/security/sessions/end-others", A::OwnSignInMeans, security::sessions::end_others),
    ]
}

/// Everything.
fn table() -> Vec<Route> {
    let parts =
        [sign_in_table(), records(), people(), terminals_table(), administrators_table(), administration()];
    parts.into_iter().flatten().collect()
}

/// The start, and what the record says.
fn records() -> Vec<Route> {
    use Action as A;
    vec![
        get("/", A::Start, start),
        get("/language", A::PublicLanguage, login::language),
        get("/assets/{digest}/{name}", A::PublicAssets, assets::file),
        get("/setup/{token}", A::PublicSetUp, setup::form),
        post("/setup/{token}", A::PublicSetUp, setup::choose),
        get("/punches", A::PunchesRead, punches::list::page),
        get("/punches.csv", A::PunchesExport, punches::csv::file),
        get("/punches.xlsx", A::PunchesExport, punches::excel::file),
        get("/punches/newer", A::PunchesRead, punches::newer::page),
        post("/punches/columns", A::SavedSearches, punches::searches::columns),
        post("/punches/searches", A::SavedSearches, punches::searches::save),
        post("/punches/searches/{search}/delete", A::SavedSearches, punches::searches::delete),
        get("/punches/{terminal}/{sequence}", A::PunchesRead, punches::detail::page),
        get("/days", A::DaysOfPerson, days::month::page).asking(DAYS),
        get("/days.csv", A::DaysExport, days::csv::file).of_page("/days", DAYS),
        get("/days/remarks", A::DaysOfPerson, days::remarks::page).asking(CHOSEN),
        post("/days/remarks/{remark}/read", A::RemarksRead, days::remarks::read),
        get("/days/{employee}/{date}", A::DaysOfPerson, days::day::page),
        get("/days/{employee}/{date}/events/{terminal}/{sequence}", A::DaysOfPerson, days::event::page),
    ]
}

/// People, departments and accounts.
fn people() -> Vec<Route> {
    use Action as A;
    vec![
        get("/employees", A::EmployeesRead, employees::page).asking(LIST),
        post("/employees", A::EmployeesChange, employees::add),
        get("/employees.csv", A::EmployeesChange, imports::master::file).of_page("/employees/import", WHOLE),
        get("/employees/offered", A::EmployeesRead, employees::offered),
        get("/employees/self-service", A::EmployeesLetIn, letting_in::ask).asking(&letting_in::KEPT),
        post("/employees/self-service", A::EmployeesLetIn, letting_in::make),
        get("/employees/import", A::EmployeesChange, imports::page).asking(WHOLE),
        upload("/employees/import", A::EmployeesChange, imports::upload),
        get("/employees/import.csv", A::EmployeesChange, imports::template)
            .of_page("/employees/import", WHOLE),
        get("/employees/import/{import}", A::EmployeesChange, imports::report).asking(REPORT),
        post("/employees/import/{import}", A::EmployeesChange, imports::decide),
        get("/employees/{employee}", A::EmployeesRead, employee::page),
        post("/employees/{employee}", A::EmployeesChange, employee::change),
        get("/employees/{employee}/evidence", A::EvidenceExport, evidence::page),
        post("/employees/{employee}/evidence", A::EvidenceExport, evidence::make),
        get("/employees/{employee}/evidence/pack", A::EvidenceExport, evidence::pack),
        get("/evidence-key", A::ServerKeyRead, evidence::key),
        get("/departments", A::DepartmentsRead, departments::page).asking(&["name"]),
        post("/departments", A::DepartmentsChange, departments::add),
        post("/departments/{department}/rename", A::DepartmentsChange, departments::rename),
        post("/departments/{department}/move", A::DepartmentsChange, departments::place),
        get("/departments/{department}/close", A::DepartmentsChange, departments::closing::page),
        post("/departments/{department}/close", A::DepartmentsChange, departments::closing::submit),
        get("/accounts", A::AccountsRead, accounts::page).asking(LIST),
        get("/accounts.csv", A::AccountsImport, imports::master::file).of_page("/accounts/import", WHOLE),
        get("/accounts/link", A::AccountsLink, link::form),
        post("/accounts/link", A::AccountsLink, link::submit),
        get("/accounts/suggested", A::AccountsLink, link::suggested),
        get("/accounts/import", A::AccountsImport, imports::page).asking(WHOLE),
        upload("/accounts/import", A::AccountsImport, imports::upload),
        get("/accounts/import.csv", A::AccountsImport, imports::template).of_page("/accounts/import", WHOLE),
        get("/accounts/waiting.csv", A::AccountsImport, imports::waiting::file)
            .of_page("/accounts/import", WHOLE),
        get("/accounts/import/{import}", A::AccountsImport, imports::report).asking(REPORT),
        post("/accounts/import/{import}", A::AccountsImport, imports::decide),
        get("/accounts/{account}", A::AccountsRead, account::page),
        post("/accounts/{account}/change", A::AccountsLink, account::change),
    ]
}

/// PCs and enrolment keys.
fn terminals_table() -> Vec<Route> {
    use Action as A;
    vec![
        get("/terminals", A::TerminalsRead, terminals::board::page).asking(TERMINALS),
        get("/terminals.csv", A::TerminalsRead, terminals::csv::file).of_page("/terminals", TERMINALS),
        get("/terminals/bulk", A::TerminalsBlock, change::confirm_bulk),
        post("/terminals/bulk", A::TerminalsBlock, change::bulk),
        get("/terminals/enroll", A::TerminalsRead, terminals::rollout::page),
        get("/terminals/packages/{name}", A::TerminalsRead, terminals::rollout::package),
        get("/terminals/keys", A::EnrolmentKeysRead, keys::page),
        post("/terminals/keys", A::EnrolmentKeysChange, keys::make),
        get("/terminals/keys/{number}/rotate", A::EnrolmentKeysChange, keys::rotate_form),
        post("/terminals/keys/{number}/rotate", A::EnrolmentKeysChange, keys::rotate),
        get("/terminals/keys/{number}/revoke", A::EnrolmentKeysChange, keys::confirm_revoke),
        post("/terminals/keys/{number}/revoke", A::EnrolmentKeysChange, keys::revoke),
        get("/terminals/{terminal}", A::TerminalsRead, terminals::detail::page),
        get("/terminals/{terminal}/days", A::DaysOfTerminal, terminals::days::page),
        get("/terminals/{terminal}/block", A::TerminalsBlock, change::confirm),
        post("/terminals/{terminal}/block", A::TerminalsBlock, change::apply),
        get("/terminals/{terminal}/unblock", A::TerminalsUnblock, change::confirm),
        post("/terminals/{terminal}/unblock", A::TerminalsUnblock, change::apply),
        get("/terminals/{terminal}/retire", A::TerminalsRetire, change::confirm),
        post("/terminals/{terminal}/retire", A::TerminalsRetire, change::apply),
        get("/terminals/{terminal}/unretire", A::TerminalsRetire, change::confirm),
        post("/terminals/{terminal}/unretire", A::TerminalsRetire, change::apply),
        get("/terminals/{terminal}/clear-conflict", A::TerminalsNote, change::confirm),
        post("/terminals/{terminal}/clear-conflict", A::TerminalsNote, change::apply),
        get("/terminals/{terminal}/reenroll", A::TerminalsReenrol, change::confirm),
        post("/terminals/{terminal}/reenroll", A::TerminalsReenrol, change::apply),
        post("/terminals/{terminal}/note", A::TerminalsNote, change::apply),
    ]
}

/// Who signs in.
fn administrators_table() -> Vec<Route> {
    use Action as A;
    vec![
        get("/administrators", A::AdministratorsRead, administrators::page).asking(SEARCHED),
        post("/administrators", A::AdministratorsChange, administrators::add),
        get("/administrators/{person}", A::AdministratorsChange, administrators::one::page),
        post("/administrators/{person}", A::AdministratorsChange, administrators::one::change),
        post("/administrators/{person}/disable", A::AdministratorsChange, administrators::one::disable),
        post("/administrators/{person}/enable", A::AdministratorsChange, administrators::one::enable),
        post("/administrators/{person}/setup-link", A::AdministratorsChange, administrators::one::set_up),
        post("/administrators/second-factor", A::SecondFactorsRequire, administrators::means::require),
        post("/administrators/{person}/reset-means", A::AdministratorsChange, administrators::means::reset),
        post(
            "/administrators/{person}/end-sessions",
            A::AdministratorsChange,
            administrators::means::end_sessions,
        ),
        post(
            "/administrators/{person}/end-tokens",
            A::AdministratorsChange,
            administrators::means::end_tokens,
        ),
    ]
}

/// What is set, what was done, how it all is, and what everybody sees of themselves.
fn administration() -> Vec<Route> {
    use Action as A;
    vec![
        get("/audit", A::AuditRead, audit::page),
        get("/audit.csv", A::AuditExport, audit::csv::file),
        get("/health", A::HealthRead, health::page),
        get("/settings", A::SettingsRead, settings::page),
        post("/settings", A::SettingsChange, settings::change),
        get("/settings/retention", A::SettingsRead, retention::page),
        post("/settings/retention", A::SettingsChange, retention::switch),
        post("/settings/retention/holds", A::SettingsChange, retention::hold),
        post("/settings/retention/holds/{hold}/release", A::SettingsChange, retention::release),
        get("/contracts", A::ContractsRead, contracts::page).asking(SEARCHED),
        post("/contracts", A::ContractsChange, contracts::make),
        get("/contracts/quarantine", A::QuarantineRead, quarantine::page).asking(PAGED),
        post("/contracts/quarantine", A::QuarantineEmpty, quarantine::empty),
        post("/contracts/{contract}", A::ContractsChange, contracts::change),
        get("/contracts/{contract}/administrator", A::ContractsChange, first_administrator::page),
        post("/contracts/{contract}/administrator", A::ContractsChange, first_administrator::invite),
        post("/contracts/{contract}/suspend", A::ContractsChange, contracts::suspend),
        post("/contracts/{contract}/resume", A::ContractsChange, contracts::resume),
        get("/me", A::OwnRecordRead, me::page).asking(&["month", "date", "encoding"]),
        get("/me/recorded", A::OwnRecordRead, me::recorded::page),
        get("/me/looks", A::OwnRecordRead, me::looks::page).asking(PAGED),
        get("/me/days", A::OwnRecordRead, me::own_days::month_page).asking(&["month"]),
        get("/me/days/{date}", A::OwnRecordRead, me::own_days::day_page),
        get("/me/punches/{terminal}/{sequence}", A::OwnRecordRead, me::punch),
        get("/me.csv", A::OwnRecordExport, me::file::csv).of_page("/me", WHOLE),
        get("/me/events.csv", A::OwnRecordExport, me::own_events::csv).of_page("/me", WHOLE),
        get("/me/evidence", A::OwnRecordExport, evidence::own_page),
        post("/me/evidence", A::OwnRecordExport, evidence::own_make),
        get("/me/evidence/pack", A::OwnRecordExport, evidence::own_pack),
        get("/me.json", A::OwnRecordExport, me::file::file).of_page("/me", &[]),
        post("/me/remarks", A::OwnRecordRemark, me::remarks::add),
        post("/me/remarks/{remark}/withdraw", A::OwnRecordRemark, me::remarks::withdraw),
    ]
}

/// All routes, each behind its guard.
pub(super) fn router(state: &WebState) -> Router<WebState> {
    let all = table().into_iter().fold(Router::new(), |all, route| {
        let (action, asks, body_max) = (route.action, route.asks, route.body_max);
        let guard = move |State(state): State<WebState>, request: Request, next: Next| {
            admit(state, action, asks, request, next)
        };
        let guard = middleware::from_fn_with_state(state.clone(), guard);
        let handler = route.handler.route_layer(middleware::from_fn(move |request: Request, next: Next| {
            refuse_early(body_max, request, next)
        }));
        all.route(route.path, handler.route_layer(guard))
    });
    all.method_not_allowed_fallback(wrong_method)
}

/// The address of a form is no page: whoever opens it, be it after signing in anew, gets the nearest page above. What else
/// cannot be done there stays refused.
async fn wrong_method(method: Method, uri: Uri, matched: MatchedPath) -> Response {
    if matches!(method, Method::GET | Method::HEAD) {
        return Redirect::to(&page_above(matched.as_str(), uri.path())).into_response();
    }
    StatusCode::METHOD_NOT_ALLOWED.into_response()
}

/// The nearest page above `path`, an address of the route `template`.
fn page_above(template: &str, path: &str) -> String {
    static PAGES: LazyLock<Vec<&str>> = LazyLock::new(|| {
        table().into_iter().filter(|route| route.method == "GET").map(|route| route.path).collect()
    });
    let (mut template, mut path) = (template, path);
    while let Some((above, here)) = template.rsplit_once('/').zip(path.rsplit_once('/')) {
        (template, path) = (above.0, here.0);
        if PAGES.contains(&template) {
            return path.to_owned();
        }
    }
    "/".to_owned()
}

/// Whoever asks before sending (`Expect: 100-continue`) is told at once where the length alone is too much: the handler
/// would let them send it first. Others get the handler's own words, when they have sent it.
async fn refuse_early(body_max: usize, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let announced: Option<usize> = announced.and_then(|length| length.parse().ok());
    if headers.contains_key(header::EXPECT) && announced.is_some_and(|bytes| bytes > body_max) {
        return WebError::TooLarge.into_response();
    }
    next.run(request).await
}

/// Every route with its action.
#[must_use]
pub fn entries() -> Vec<Entry> {
    let entry = |route: Route| Entry {
        path: route.path.to_owned(),
        method: route.method.to_owned(),
        action: route.action,
    };
    table().into_iter().map(entry).collect()
}

/// Lets a request through to its handler, with the visit it belongs to.
async fn admit(
    state: WebState,
    action: Action,
    asks: Option<Asks>,
    request: Request,
    next: Next,
) -> Response {
    if action.is_public() {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let passed = match visit(&state, action, &parts).await {
        Ok(visit) => pass(visit, asks, Request::from_parts(parts, body), next).await,
        Err(error) => Err(error),
    };
    passed.unwrap_or_else(WebError::into_response)
}

/// Checks what the address asks for, and hands the request on.
async fn pass(
    mut visit: Visit,
    asks: Option<Asks>,
    request: Request,
    next: Next,
) -> Result<Response, WebError> {
    let (mut parts, body) = request.into_parts();
    let mut shown = visit.chrome.banner.is_some().then(|| visit.session().clone());
    if let Some(asks) = asks {
        match asks.check(&mut parts, &mut visit).await? {
            Checked::Known => {}
            // The message of the page before waits for the next one.
            Checked::Told => shown = None,
            Checked::Elsewhere(response) => return Ok(response),
        }
    }
    parts.extensions.insert(visit);
    let response = next.run(Request::from_parts(parts, body)).await;
    // Somebody now sees a page, and on it the message of the page before.
    let seen = response.status() == StatusCode::OK && errors::has_page(&response);
    if let Some(session) = shown.filter(|_| seen) {
        session::forget_banner(&session).await?;
    }
    Ok(response)
}

async fn visit(
    state: &WebState,
    action: Action,
    parts: &axum::http::request::Parts,
) -> Result<Visit, WebError> {
    let mut visit = Visit::read(parts, state).await?;
    visit.note_use(state, parts).await?;
    visit.permit(action)?;
    if parts.method == Method::GET {
        visit.pick_up(&parts.headers).await?;
    }
    visit.check_second_factor(state, action).await?;
    Ok(visit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_form_leads_to_the_nearest_page_above() {
        assert_eq!(page_above("/accounts/{account}/change", "/accounts/7/change"), "/accounts/7");
        assert_eq!(
            page_above("/me/security/tokens/{id}/remove", "/me/security/tokens/7/remove"),
            "/me/security"
        );
        assert_eq!(page_above("/punches/searches/{search}/delete", "/punches/searches/7/delete"), "/punches");
        assert_eq!(page_above("/logout", "/logout"), "/");
    }
}
