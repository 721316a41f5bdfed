//! What goes wrong, and the page that says so.
//!
//! A handler returns a [`WebError`]; its response carries only a status and the error. The outermost layer
//! ([`pages`]) turns every failed response that has no page yet into one, whoever made it (a handler, the
//! CSRF layer, axum's own extractors; what a handler tells its page's script goes through as it is), with a reference that also stands in the log. What a person typed is
//! never logged.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use mngntime_store::{Refusal, StoreError};

use super::WebState;
use super::chrome::Chrome;
use super::views::Oops;
use crate::access::{Denied, Rule};
use crate::invitation::InviteError;
use crate::packages::PackagesError;
use crate::passwords::PasswordError;
use crate::second_factor::ceremony::CeremonyError;
use crate::second_factor::seal::SealError;
use crate::sessions::Trouble;
use crate::tries::TryError;

/// When a page that cannot be shown just now is worth another try, in seconds: a database takes about as long to be started
/// again, or for another to take its place.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("10");

/// Why a request got no proper answer.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// Nobody is signed in.
    #[error("nobody is signed in")]
    SignInFirst {
        /// Where the person wanted to go.
        wanted: String,
        /// What there was before.
        before: Before,
    },
    /// The person's role does not allow this.
    #[error("the role does not allow this")]
    Forbidden(Need),
    /// The page before is the first one, which has this address.
    #[error("the first page of a list has another address")]
    FirstPage {
        /// Its address.
        address: String,
    },
    /// There is no such thing, at least not in this contract.
    #[error("not found")]
    NotFound,
    /// A form holds more than is allowed.
    #[error("the form is too large")]
    TooLarge,
    /// A form holds what no page of ours sends.
    #[error("the form cannot be understood")]
    BadForm,
    /// The store said no or failed.
    #[error("the store did not answer")]
    Store(#[source] StoreError),
    /// The session could not be read or written.
    #[error("the session could not be kept")]
    Session(#[from] tower_sessions::session::Error),
    /// A workbook could not be written.
    #[error("the workbook could not be written")]
    Workbook(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A page could not be written.
    #[error("the page could not be written")]
    Render(#[from] askama::Error),
    /// No secret could be made.
    #[error("no random bytes for a secret")]
    Random(#[from] getrandom::Error),
    /// The agent's packages could not be read.
    #[error("the packages cannot be offered")]
    Packages(#[from] PackagesError),
    /// A set-up link could not be made.
    #[error(transparent)]
    Invite(InviteError),
    /// A change of what somebody signs in with, in a session that is not fresh.
    #[error("the password has to be given again")]
    ConfirmFirst,
    /// The person's role must have a second factor and there is none.
    #[error("a second factor has to be set up first")]
    SecondFactorFirst,
    /// A secret could not be drawn, sealed, opened or shown.
    #[error("a second factor could not be handled")]
    Means(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What this process knows of itself could not be gathered.
    #[error("the condition of the server could not be read")]
    Condition,
    /// A password could not be checked.
    #[error("the password could not be checked")]
    Password(#[from] PasswordError),
}

/// What there was before somebody has to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// Nothing that is known.
    Nothing,
    /// A session, which is over.
    Session,
    /// A session, which was over when a form was sent: nothing of it was kept.
    Form,
    /// A session in which nobody did anything for too long.
    Idle,
    /// The same, and a form was sent.
    IdleForm,
    /// A session that somebody has ended, or that ended with a new password or with its person.
    Ended,
    /// The same, and a form was sent.
    EndedForm,
    /// A first step whose second took too long, or was ended.
    Second,
}

impl Before {
    /// Its word in the address of the sign-in page; none for nothing.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Nothing => None,
            Self::Session => Some("session"),
            Self::Form => Some("form"),
            Self::Idle => Some("idle"),
            Self::IdleForm => Some("idle-form"),
            Self::Ended => Some("ended"),
            Self::EndedForm => Some("ended-form"),
            Self::Second => Some("second"),
        }
    }

    /// The same when a form was sent.
    #[must_use]
    pub fn with_form(self) -> Self {
        match self {
            Self::Nothing | Self::Second => self,
            Self::Session | Self::Form => Self::Form,
            Self::Idle | Self::IdleForm => Self::IdleForm,
            Self::Ended | Self::EndedForm => Self::EndedForm,
        }
    }

    /// The one with this word.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        let known = [
            Self::Session,
            Self::Form,
            Self::Idle,
            Self::IdleForm,
            Self::Ended,
            Self::EndedForm,
            Self::Second,
        ];
        known.into_iter().find(|before| before.name() == Some(name)).unwrap_or(Self::Nothing)
    }
}

/// What somebody lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// To see or change punches and people.
    Attendance,
    /// To see or change terminals.
    Terminals,
    /// To see or change who signs in, settings, the audit log.
    Administration,
    /// To run the server.
    Operation,
    /// To be set down as an employee.
    Record,
    /// A form from another site.
    SameSite,
}

impl Need {
    /// Key of the text that says what to do.
    #[must_use]
    pub fn next_step(self) -> &'static str {
        match self {
            Self::Attendance => "oops-403-next-hr",
            Self::Terminals => "oops-403-next-it",
            Self::Administration => "oops-403-next-administrator",
            Self::Operation => "oops-403-next-operator",
            Self::Record => "oops-403-next-record",
            Self::SameSite => "oops-403-next-site",
        }
    }
}

impl From<Denied> for WebError {
    fn from(denied: Denied) -> Self {
        Self::Forbidden(match denied {
            Denied::Role(rule) => need(rule),
            Denied::NoRecord => Need::Record,
            Denied::Disabled | Denied::TooEarly | Denied::TooLate | Denied::TooFar => Need::Administration,
        })
    }
}

fn need(rule: Rule) -> Need {
    match rule {
        Rule::ReadPeople | Rule::AnswerPeople | Rule::ReadContract | Rule::ChangeAttendance => {
            Need::Attendance
        }
        Rule::ReadTerminals | Rule::ChangeTerminals | Rule::ReadHealth => Need::Terminals,
        Rule::Operate => Need::Operation,
        Rule::OwnRecord => Need::Record,
        Rule::Public
        | Rule::SignedIn
        | Rule::ReadSigners
        | Rule::ChangeSigners
        | Rule::ReadAdministration
        | Rule::Administer
        | Rule::ReadAudit => Need::Administration,
    }
}

impl From<InviteError> for WebError {
    fn from(error: InviteError) -> Self {
        match error {
            InviteError::Store(error) => error.into(),
            InviteError::Random(_) => Self::Invite(error),
        }
    }
}

impl From<TryError> for WebError {
    fn from(error: TryError) -> Self {
        match error {
            TryError::Store(error) => error.into(),
            TryError::Password(error) => error.into(),
        }
    }
}

impl From<SealError> for WebError {
    fn from(error: SealError) -> Self {
        Self::Means(error.into())
    }
}

impl From<CeremonyError> for WebError {
    fn from(error: CeremonyError) -> Self {
        match error {
            CeremonyError::Store(error) => error.into(),
            CeremonyError::Random(_) | CeremonyError::Form(_) => Self::Means(error.into()),
        }
    }
}

impl From<StoreError> for WebError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Refused(Refusal::Missing { .. }) => Self::NotFound,
            StoreError::Refused(Refusal::TooMany { .. }) => Self::TooLarge,
            other @ (StoreError::Overloaded
            | StoreError::Closed
            | StoreError::Away { .. }
            | StoreError::Refused(_)
            | StoreError::Failed { .. }) => Self::Store(other),
        }
    }
}

impl WebError {
    fn status(&self) -> StatusCode {
        match self {
            Self::SignInFirst { .. }
            | Self::ConfirmFirst
            | Self::SecondFactorFirst
            | Self::FirstPage { .. } => StatusCode::SEE_OTHER,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BadForm => StatusCode::BAD_REQUEST,
            Self::Store(StoreError::Overloaded | StoreError::Closed | StoreError::Away { .. })
            | Self::Password(PasswordError::Busy) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Session(error) => match Trouble::of(error) {
                Trouble::Away | Trouble::Busy => StatusCode::SERVICE_UNAVAILABLE,
                Trouble::Failed => StatusCode::INTERNAL_SERVER_ERROR,
            },
            Self::Store(_)
            | Self::Workbook(_)
            | Self::Render(_)
            | Self::Random(_)
            | Self::Packages(_)
            | Self::Invite(_)
            | Self::Means(_)
            | Self::Condition
            | Self::Password(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl WebError {
    /// Whether the database cannot be reached, so that nobody can say what became of what was asked.
    fn is_away(&self) -> bool {
        match self {
            Self::Store(error) => matches!(error, StoreError::Away { .. }),
            Self::Session(error) => Trouble::of(error) == Trouble::Away,
            Self::SignInFirst { .. }
            | Self::Forbidden(_)
            | Self::FirstPage { .. }
            | Self::NotFound
            | Self::TooLarge
            | Self::BadForm
            | Self::Workbook(_)
            | Self::Render(_)
            | Self::Random(_)
            | Self::Packages(_)
            | Self::Invite(_)
            | Self::ConfirmFirst
            | Self::SecondFactorFirst
            | Self::Means(_)
            | Self::Condition
            | Self::Password(_) => false,
        }
    }
}

impl IntoResponse for WebError {
    fn into_response(self) -> Response {
        if let Self::SignInFirst { wanted, before } = &self {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.append_pair("next", wanted).extend_pairs(before.name().map(|before| ("over", before)));
            return Redirect::to(&format!("/login?{}", query.finish())).into_response();
        }
        if let Self::FirstPage { address } = &self {
            return Redirect::to(address).into_response();
        }
        if matches!(self, Self::ConfirmFirst) {
            return Redirect::to("/me/security?confirm=1").into_response();
        }
        if matches!(self, Self::SecondFactorFirst) {
            return Redirect::to("/me/security").into_response();
        }
        let mut response = self.status().into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

/// Layer that gives every failed response its page.
pub async fn pages(State(state): State<WebState>, request: Request, next: Next) -> Response {
    let chrome = Chrome::anonymous(&state, request.uri(), request.headers());
    let route = loggable(request.extensions().get());
    let response = next.run(request).await;
    let failed = response.status().is_client_error() || response.status().is_server_error();
    if failed && !has_page(&response) && !is_for_script(&response) {
        page(&chrome, &route, response)
    } else {
        response
    }
}

/// Layer around the sessions: the answer to a request whose session could not be written at its end is an error like that of
/// any other failing store, and not the bare 500 of what writes it.
pub async fn sessions(request: Request, next: Next) -> Response {
    let (response, failed) = crate::sessions::watched(next.run(request)).await;
    let is_bare = response.status() == StatusCode::INTERNAL_SERVER_ERROR
        && response.extensions().get::<Arc<WebError>>().is_none();
    match failed {
        Some(error) if is_bare => WebError::Session(error).into_response(),
        Some(_) | None => response,
    }
}

/// The route as it may stand in a log: what people put into an address (a set-up link, whose day) is not for it.
fn loggable(matched: Option<&MatchedPath>) -> String {
    matched.map_or("no such route", MatchedPath::as_str).to_owned()
}

/// Whether this is a page, for a person to read.
pub(super) fn has_page(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

/// Whether this says in words what a page's script shows to the person.
fn is_for_script(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
}

fn page(chrome: &Chrome, route: &str, failed: Response) -> Response {
    let status = failed.status();
    let error = failed.extensions().get::<Arc<WebError>>();
    let reference = reference();
    log(status, error, route, &reference);
    let need = match error.map(AsRef::as_ref) {
        Some(WebError::Forbidden(need)) => *need,
        _ => Need::SameSite,
    };
    let away = error.is_some_and(|error| error.is_away());
    match Oops::new(chrome.clone(), (status, away), need, reference).render_page() {
        Ok(page) => {
            let mut response = (status, page).into_response();
            if status == StatusCode::SERVICE_UNAVAILABLE {
                response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER_SECONDS);
            }
            response
        }
        Err(error) => {
            tracing::error!(error = %error, "the error page could not be written");
            status.into_response()
        }
    }
}

fn log(status: StatusCode, error: Option<&Arc<WebError>>, route: &str, reference: &str) {
    let reason = error.map_or_else(|| status.to_string(), |error| crate::problem::chain(error.as_ref()));
    if status.is_server_error() {
        tracing::error!(reference, route, reason, "a page failed");
    } else {
        tracing::info!(reference, route, reason, "a page was refused");
    }
}

/// A number to quote, such as `01JXV7C2-9QK4-4D1E`: 80 random bits.
fn reference() -> String {
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut bytes = [0_u8; 16];
    if getrandom::fill(&mut bytes).is_err() {
        return "-".to_owned();
    }
    let digits: String = bytes.iter().map(|byte| char::from(DIGITS[usize::from(byte & 31)])).collect();
    format!("{}-{}-{}", &digits[..8], &digits[8..12], &digits[12..])
}
