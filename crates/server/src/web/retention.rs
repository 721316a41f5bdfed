//! 保存期間と削除: whether records are deleted when their time is over, which months are next, and what is kept longer.
//!
//! Deleting is off until somebody switches it on and says that this is meant; a shorter retention period switches it off
//! again (`settings`), so that nobody's records go by a slip in a list.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::civil::Date;
use mngntime_store::{
    ContractId, ContractSettings, HOLD_REASON_CHARS_MAX, Hold, HoldId, NewHold, RetiredMonth, local_date,
};

use super::WebState;
use super::audit::words::person;
use super::chrome::{Banner, Chrome, Place, Tone};
use super::errors::WebError;
use super::fields::{Fields, is_line};
use super::session::Visit;
use super::views;
use crate::access::Action;
use crate::retention::{Next, PLANNED_MAX, Planned, plan};

/// Where it all is.
const ADDRESS: &str = "/settings/retention";

/// A month, ready to be written.
#[derive(Debug, Clone)]
pub struct MonthRow {
    /// The month.
    pub month: String,
    /// What becomes of it.
    pub text: String,
}

/// A hold, ready to be written.
#[derive(Debug, Clone)]
pub struct HoldRow {
    /// Whom it is about.
    pub whom: String,
    /// Which days.
    pub days: String,
    /// Why.
    pub reason: String,
    /// Who set it, and when.
    pub set: String,
    /// Who released it, and when; empty while it stands.
    pub released: String,
    /// Address that releases it.
    pub release: String,
}

/// What somebody typed to set a hold, with what is wrong.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// Code of the employee; empty for the whole contract.
    pub employee: String,
    /// First day.
    pub from: String,
    /// Last day.
    pub to: String,
    /// Why.
    pub reason: String,
    /// What is wrong with the employee.
    pub employee_error: String,
    /// What is wrong with the days.
    pub date_error: String,
    /// What is wrong with the reason.
    pub reason_error: String,
    /// That it was not said that deletion is meant.
    pub sure_error: String,
}

/// `GET /settings/retention`
///
/// # Errors
/// [`WebError`] when the person may not see the settings or the store fails.
pub async fn page(State(state): State<WebState>, visit: Visit) -> Result<Response, WebError> {
    let contract = visit.permit(Action::SettingsRead)?.contract()?;
    Ok(view(&state, contract, visit, Draft::default()).await?.render_page()?.into_response())
}

/// `POST /settings/retention`
///
/// # Errors
/// [`WebError`] when the person may not change the settings or the store fails.
pub async fn switch(
    State(state): State<WebState>,
    visit: Visit,
    fields: Fields,
) -> Result<Response, WebError> {
    let contract = visit.permit(Action::SettingsChange)?.contract()?;
    let retires = fields.text("retires") == "1";
    if retires && fields.text("sure") != "1" {
        let draft = Draft { sure_error: visit.chrome.t("retention-sure-missing"), ..Draft::default() };
        return again(&state, contract, visit, draft).await;
    }
    let own = visit.own_contract().ok_or(WebError::NotFound)?;
    let (name, settings) = (own.name.clone(), ContractSettings { retires, ..own.settings });
    state.store.change_settings(contract, name, settings, visit.act()).await?;
    done(&visit, visit.chrome.t(if retires { "retention-is-on" } else { "retention-is-off" })).await
}

/// `POST /settings/retention/holds`
///
/// # Errors
/// [`WebError`] when the person may not change the settings or the store fails.
pub async fn hold(State(state): State<WebState>, visit: Visit, fields: Fields) -> Result<Response, WebError> {
    let contract = visit.permit(Action::SettingsChange)?.contract()?;
    let (mut draft, days) = check(&fields, &visit.chrome);
    let mut employee = None;
    if !draft.employee.is_empty() {
        let found = state.store.employee_by_code(contract.into(), draft.employee.clone()).await?;
        employee = found.map(|employee| employee.id);
        if employee.is_none() {
            draft.employee_error = visit.chrome.v("retention-no-employee", "code", &draft.employee);
        }
    }
    let fine = draft.employee_error.is_empty() && draft.reason_error.is_empty();
    let Some((from, to)) = days.filter(|_| fine) else {
        return again(&state, contract, visit, draft).await;
    };
    let new = NewHold { employee, from, to, reason: draft.reason };
    state.store.set_hold(contract, new, visit.act()).await?;
    done(&visit, visit.chrome.t("retention-held")).await
}

/// `POST /settings/retention/holds/{hold}/release`
///
/// # Errors
/// [`WebError`] when the person may not, there is no such hold, or the store fails.
pub async fn release(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let contract = visit.permit(Action::SettingsChange)?.contract()?;
    let id = HoldId::parse(&id).ok_or(WebError::NotFound)?;
    state.store.release_hold(contract, id, visit.act()).await?;
    done(&visit, visit.chrome.t("retention-released")).await
}

async fn done(visit: &Visit, text: String) -> Result<Response, WebError> {
    visit.leave(Banner::new(Tone::Ok, visit.chrome.t("settings-saved"), text)).await?;
    Ok(Redirect::to(ADDRESS).into_response())
}

/// The page once more, with what is wrong.
async fn again(
    state: &WebState,
    contract: ContractId,
    visit: Visit,
    draft: Draft,
) -> Result<Response, WebError> {
    let page = view(state, contract, visit, draft).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page.render_page()?).into_response())
}

/// First and last day of a hold, each of them open when it is absent.
type HoldDays = (Option<Date>, Option<Date>);

/// The form, and its days when nothing is wrong with them.
fn check(fields: &Fields, c: &Chrome) -> (Draft, Option<HoldDays>) {
    let text = |name| fields.text(name).to_owned();
    let mut draft = Draft {
        employee: fields.code("employee"),
        from: text("from"),
        to: text("to"),
        reason: text("reason"),
        ..Draft::default()
    };
    if draft.reason.is_empty() {
        draft.reason_error = c.t("retention-reason-missing");
    } else if !is_line(&draft.reason, HOLD_REASON_CHARS_MAX) {
        draft.reason_error = c.n("text-too-long", HOLD_REASON_CHARS_MAX);
    }
    let days = match (fields.date("from"), fields.date("to")) {
        (Err(text), _) | (_, Err(text)) => Err(c.v("filter-bad-date", "text", text)),
        (Ok(Some(from)), Ok(Some(to))) if to < from => Err(c.t("filter-dates-reversed")),
        (Ok(from), Ok(to)) => Ok((from, to)),
    };
    match days {
        Ok(days) => (draft, Some(days)),
        Err(error) => {
            draft.date_error = error;
            (draft, None)
        }
    }
}

async fn view(
    state: &WebState,
    contract: ContractId,
    visit: Visit,
    draft: Draft,
) -> Result<views::Retention, WebError> {
    let settings = visit.own_contract().ok_or(WebError::NotFound)?.settings;
    let may_change = visit.may(Action::SettingsChange);
    let today = local_date(visit.act().at);
    let c = visit.chrome.at(Place::Settings);
    let (months, holds) =
        (state.store.retention_months(contract).await?, state.store.list_holds(contract).await?);
    let planned = plan(&months, &holds, settings.retention_years, today);
    Ok(views::Retention {
        retires: settings.retires,
        years: c.n("settings-retention-years", u64::from(settings.retention_years)),
        planned: planned
            .iter()
            .take(PLANNED_MAX)
            .map(|month| planned_row(month, settings.retires, &c))
            .collect(),
        more: planned.len().saturating_sub(PLANNED_MAX) as u64,
        retired: months.retired.iter().rev().map(|month| retired_row(month, &c)).collect(),
        holds: holds.iter().map(|hold| hold_row(hold, &c)).collect(),
        may_change,
        draft,
        c,
    })
}

fn planned_row(planned: &Planned, retires: bool, c: &Chrome) -> MonthRow {
    let due = planned.due.map_or_else(|| c.t("none"), |due| c.long_date(due));
    let text = match planned.next {
        Next::Held(_) => c.v("retention-next-held", "date", due),
        Next::Open => c.v("retention-next-open", "date", due),
        Next::Due if retires => c.t("retention-next-due"),
        Next::Due => c.v("retention-next-over", "date", due),
        Next::Later => c.v("retention-next-later", "date", due),
    };
    MonthRow { month: planned.month.clone(), text }
}

fn retired_row(retired: &RetiredMonth, c: &Chrome) -> MonthRow {
    let on = c.long_date(local_date(retired.retired_at));
    let key = if retired.emptied_at.is_some() { "retention-gone" } else { "retention-going" };
    MonthRow { month: retired.month.clone(), text: c.v(key, "date", on) }
}

fn hold_row(hold: &Hold, c: &Chrome) -> HoldRow {
    let by = |at, by: &str| format!("{} {}", c.long_date(local_date(at)), person(by, c));
    let day = |day: Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
    let days = match (hold.data.from, hold.data.to) {
        (None, None) => c.t("retention-all-days"),
        (from, to) => format!("{} – {}", day(from), day(to)),
    };
    HoldRow {
        whom: hold
            .employee
            .as_ref()
            .map_or_else(|| c.t("retention-everybody"), |(code, name)| format!("{code} {name}")),
        days,
        reason: hold.data.reason.clone(),
        set: by(hold.set_at, &hold.set_by),
        released: hold.released.as_ref().map(|(at, whose)| by(*at, whose)).unwrap_or_default(),
        release: format!("{ADDRESS}/holds/{}/release", hold.id),
    }
}
