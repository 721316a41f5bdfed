//! Remarks: what employees say about an interval of one of their days, and where others see it.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::ToSpan as _;
use jiff::civil::Date;
use mngntime_ledger::Digest;
use mngntime_model::UtcMillis;
use mngntime_store::{
    EmployeeId, NewRemark, Punch, REMARK_CHARS_MAX, REMARK_MINUTES_MAX, Refusal, Remark, RemarkId, Scope,
    StoreError, local_date,
};

use super::super::WebState;
use super::super::audit::words::person;
use super::super::chrome::{Banner, Chrome, Tone};
use super::super::errors::WebError;
use super::super::fields::{Fields, date_of};
use super::super::session::Visit;
use super::super::{day_time, days, once, times};
use crate::access::Action;
use crate::person_days::day_of_punch;

/// A remark, ready to be written.
#[derive(Debug, Clone)]
pub struct Said {
    /// `09:00〜10:30`.
    pub interval: String,
    /// What is said.
    pub text: String,
    /// When it was made.
    pub made: String,
    /// When it was withdrawn, in a sentence; empty while it holds.
    pub withdrawn: String,
    /// Who has read it and when, in a sentence; empty while nobody has.
    pub read: String,
    /// What they answered; empty for nothing.
    pub answer: String,
    /// Address that withdraws it; absent when that cannot be done.
    pub withdraw: Option<String>,
    /// Address that says it has been read; absent when that cannot be done.
    pub reading: Option<String>,
}

impl Said {
    /// `remark` in the words of `c`; with the means to withdraw it, where that is offered.
    #[must_use]
    pub fn of(remark: &Remark, may_withdraw: bool, c: &Chrome) -> Self {
        let data = &remark.data;
        let withdrawn =
            remark.withdrawn_at.map(|at| c.v("remark-withdrawn-at", "time", times::day_clock(at)));
        let offered = may_withdraw && withdrawn.is_none();
        Self {
            interval: format!("{}〜{}", day_time::text(data.from_minutes), day_time::text(data.to_minutes)),
            text: data.text.clone(),
            made: times::day_clock(remark.made_at),
            withdrawn: withdrawn.unwrap_or_default(),
            read: remark.read.as_ref().map(|read| read_by(read.at, &read.by, c)).unwrap_or_default(),
            answer: remark.read.as_ref().and_then(|read| read.answer.clone()).unwrap_or_default(),
            reading: None,
            withdraw: offered.then(|| format!("/me/remarks/{}/withdraw", remark.id)),
        }
    }
}

fn read_by(at: UtcMillis, by: &str, c: &Chrome) -> String {
    c.words().with("remark-read-at", &[("time", &times::day_clock(at)), ("who", &person(by, c))])
}

/// The day that a punch is of, and what its employee said about it, for whoever may see the punch.
///
/// # Errors
/// What the store says.
pub async fn remarks_of(
    state: &WebState,
    scope: Scope,
    punch: &Punch,
    visit: &Visit,
) -> Result<(Date, Vec<Said>), StoreError> {
    let Some(employee) = punch.employee else { return Ok((local_date(punch.occurred_at), Vec::new())) };
    let (store, begins, now) = (state.store.as_ref(), visit.day_begins_minutes(), visit.chrome.now);
    let date = day_of_punch(store, scope.contract, employee, punch, begins, now).await?;
    Ok((date, remarks_on(state, scope, employee, date, visit).await?))
}

/// What an employee said about a day, for whoever may see the day.
///
/// # Errors
/// What the store says.
pub async fn remarks_on(
    state: &WebState,
    scope: Scope,
    employee: EmployeeId,
    date: Date,
    visit: &Visit,
) -> Result<Vec<Said>, StoreError> {
    let found = state.store.list_remarks(scope, employee, date, date).await?;
    let may_read = visit.may(Action::RemarksRead) && visit.employee() != Some(employee);
    let said = |remark: &Remark| {
        let open = remark.read.is_none() && remark.withdrawn_at.is_none();
        let reading = (may_read && open).then(|| days::remarks::reading(remark.id));
        Said { reading, ..Said::of(remark, false, &visit.chrome) }
    };
    Ok(found.iter().map(said).collect())
}

/// Whether a text may be said about a day, or answered: not too long, a break of the line being one character as the field
/// counts it, and no control characters else.
#[must_use]
pub fn is_remark_text(text: &str) -> bool {
    let mut chars = text.chars().filter(|c| *c != '\r');
    chars.clone().count() <= REMARK_CHARS_MAX && chars.all(|c| c == '\n' || !c.is_control())
}

/// The minute that is not over is of the past, too: nobody types seconds.
const MINUTE_MS: i64 = 60_000;

/// What somebody typed to add a remark, with what is wrong.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// Day.
    pub date: String,
    /// Beginning.
    pub from: String,
    /// End.
    pub to: String,
    /// Text.
    pub text: String,
    /// The sealed secret of the form; empty while none is drawn.
    pub once: String,
    /// What is wrong with the day.
    pub date_error: String,
    /// What is wrong with the times.
    pub times_error: String,
    /// What is wrong with the text.
    pub text_error: String,
}

impl Draft {
    /// The form, and the parts of the remark when nothing is wrong with it. Nobody says anything about a time that has
    /// not come, or is so old that its record need not be kept (`kept_years`, as the contract has chosen).
    fn check(fields: &Fields, today: Date, kept_years: u8, c: &Chrome) -> (Self, Option<(Date, u16, u16)>) {
        let text = |name| fields.text(name).to_owned();
        let mut draft = Self {
            date: fields.code("date"),
            from: text("from"),
            to: text("to"),
            text: text("text"),
            ..Self::default()
        };
        let date = date_of(&draft.date).ok().flatten();
        if date.is_none() {
            draft.date_error = c.v("filter-bad-date", "text", &draft.date);
        } else if date > Some(today) {
            draft.date_error = c.t("remark-future");
        } else if date < Some(today.saturating_sub(i64::from(kept_years).years())) {
            draft.date_error = c.n("remark-too-old", u64::from(kept_years));
        }
        let interval = day_time::parse(&draft.from).zip(day_time::parse(&draft.to));
        let interval = interval.filter(|(from, to)| from < to);
        if interval.is_none() {
            draft.times_error = c.v("remark-times-wrong", "limit", day_time::text(REMARK_MINUTES_MAX));
        } else if let (true, Some(date), Some((_, to))) = (draft.date_error.is_empty(), date, interval)
            && times::start_of(date)
                .is_some_and(|day| day.plus(i64::from(to) * MINUTE_MS) > c.now.plus(MINUTE_MS))
        {
            draft.times_error = c.t("remark-times-future");
        }
        if draft.text.is_empty() {
            draft.text_error = c.t("remark-text-missing");
        } else if !is_remark_text(&draft.text) {
            draft.text_error = c.n("text-too-long", REMARK_CHARS_MAX);
        }
        let errors = [&draft.date_error, &draft.times_error, &draft.text_error];
        let fine = errors.iter().all(|error| error.is_empty());
        let parts = date.zip(interval).filter(|_| fine).map(|(date, (from, to))| (date, from, to));
        (draft, parts)
    }

    /// How much is wrong, with the way to the first of it.
    fn faults(&self, c: &Chrome) -> Banner {
        let all = [("r-date", &self.date_error), ("r-from", &self.times_error), ("r-text", &self.text_error)];
        let wrong: Vec<_> = all.into_iter().filter(|(_, text)| !text.is_empty()).collect();
        let text = wrong.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join(" ");
        let link = wrong.first().map(|(field, _)| (format!("#{field}"), c.t("faults-go")));
        Banner { link, ..Banner::new(Tone::Error, c.n("remark-faults", wrong.len()), text) }
    }
}

/// The id of the remark that a form makes, by the secret that was drawn with it: sent twice, it makes one.
fn remark_id(secret: &str) -> RemarkId {
    let digest = Digest::of(format!("remark {secret}").as_bytes());
    let mut drawn = [0; 16];
    drawn.copy_from_slice(&digest.as_bytes()[..16]);
    RemarkId::of(drawn)
}

/// `POST /me/remarks`
///
/// # Errors
/// [`WebError`] when the person is no employee or the store fails.
pub async fn add(
    State(state): State<WebState>,
    mut visit: Visit,
    fields: Fields,
) -> Result<Response, WebError> {
    let (contract, employee) = visit.permit(Action::OwnRecordRemark)?.own()?;
    let c = visit.chrome.clone();
    let today = c.today();
    let (mut draft, parts) = Draft::check(&fields, today, visit.settings().retention_years, &c);
    // The day may be written in any way that dates are: the month is that of the date, not of its letters.
    let month = date_of(&draft.date).ok().flatten().map(days::month_text).unwrap_or_default();
    if let Some((date, from_minutes, to_minutes)) = parts {
        let new = NewRemark { employee, date, from_minutes, to_minutes, text: draft.text.clone() };
        let id = remark_id(&once::secret(&state, &visit, &fields)?);
        match state.store.add_remark(contract, Some(id), new, visit.act()).await {
            Ok(_) => {
                let text = c.t("remark-added-text");
                visit.leave(Banner::new(Tone::Ok, c.t("remark-added"), text)).await?;
                return Ok(Redirect::to(&super::month_address(date)).into_response());
            }
            Err(StoreError::Refused(Refusal::TooMany { limit, .. })) => {
                draft.date_error = c.n("remark-too-many", limit);
            }
            Err(error) => return Err(error.into()),
        }
    }
    visit.chrome.banner = Some(draft.faults(&c));
    draft.once = once::again(&state, &visit, &fields)?;
    let page = super::view(&state, visit, employee, &month, draft).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page.render_page()?).into_response())
}

/// `POST /me/remarks/{remark}/withdraw`
///
/// # Errors
/// [`WebError::NotFound`] when the person has no such remark.
pub async fn withdraw(
    State(state): State<WebState>,
    visit: Visit,
    Path(remark): Path<String>,
) -> Result<Response, WebError> {
    let (contract, employee) = visit.permit(Action::OwnRecordRemark)?.own()?;
    let remark = RemarkId::parse(&remark).ok_or(WebError::NotFound)?;
    let found = state.store.withdraw_remark(contract, employee, remark, visit.act()).await?;
    let (title, text) = (visit.chrome.t("remark-withdrawn"), visit.chrome.t("remark-withdrawn-text"));
    visit.leave(Banner::new(Tone::Ok, title, text)).await?;
    Ok(Redirect::to(&super::month_address(found.data.date)).into_response())
}
