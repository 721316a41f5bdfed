//! 設定: what a contract chooses for itself. What the operator decides (the option of logon punches, how often PCs give a
//! sign of life) is shown beside it, with who can change it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::ToSpan as _;
use jiff::civil::Date;
use mngntime_model::{EventKind, Language, TerminalId, UtcMillis};
use mngntime_store::{
    Beside, Contract, ContractId, ContractSettings, ContractStatus, DAY_BOUNDARY_MAX_MINUTES, PageKey,
    PunchFilter, Scope, StoreError, local_date,
};

use super::WebState;
use super::audit::words::language_name;
use super::chrome::{Banner, Chrome, Place, Tone};
use super::day_time;
use super::errors::WebError;
use super::fields::Fields;
use super::flaws::name_error;
use super::idle;
use super::session::Visit;
use super::times;
use super::views::{self, Choice};
use crate::access::Action;

/// How long records may be kept, in years (労働基準法第109条 and 附則第143条).
const RETENTION_YEARS: [u8; 2] = [3, 5];

/// How "never" is sent where minutes could be.
const NEVER: u16 = 0;

/// Latest end of a night, in minutes after midnight.
pub(super) const DAY_BEGINS_MAX: u16 = DAY_BOUNDARY_MAX_MINUTES as u16;

/// How long an answer waits for the dates of nights when the day boundary changes, in milliseconds: on SQLite more than a
/// hundred thousand logoffs are put right by then. The server does the rest by itself.
const PATIENCE_MS: i64 = 2_000;

/// Days before today whose logoffs are counted to show how much a change moves: about a month, which takes milliseconds.
const LATELY_DAYS: i32 = 30;

/// Logoffs of one of these days that are counted at most.
const LATELY_MAX: usize = 100_000;

/// What somebody typed, with what is wrong.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// Name of the contract.
    pub name: String,
    /// Until when a night belongs to the day before.
    pub day: String,
    /// Whether dates are written in 和暦.
    pub japanese_years: bool,
    /// Years records are kept.
    pub retention: String,
    /// Whether accounts are linked by themselves to the employees who have their SIDs.
    pub links_by_sid: bool,
    /// Tag of the language, empty for the browser's.
    pub language: String,
    /// Minutes without use after which people are signed out, zero for never.
    pub idle: String,
    /// What has to be agreed to first: another beginning of days changes those of the past, too.
    pub asks: Option<Asks>,
    /// Whether dates of nights are still put right for the boundary.
    pub redating: bool,
    /// What is wrong with the name.
    pub name_error: String,
    /// What is wrong with the beginning of the day.
    pub day_error: String,
    /// What is wrong with a choice that no page of ours offers.
    pub choice_error: String,
}

/// The question before a change that the past follows.
#[derive(Debug, Clone)]
pub struct Asks {
    /// What is asked.
    pub title: String,
    /// What will be different, and since when.
    pub text: String,
    /// How much of the last month lies in question.
    pub lately: String,
    /// What the form says when it is agreed to: the new time. Typing another one asks again.
    pub agreed: String,
}

/// What has to be agreed to before the settings are changed as `chosen`, where it has not been: nights are judged anew
/// whenever somebody looks, those of the past as well.
async fn asks(
    state: &WebState,
    visit: &Visit,
    fields: &Fields,
    chosen: &ContractSettings,
) -> Result<Option<Asks>, WebError> {
    let (old, c) = (visit.day_begins_minutes(), &visit.chrome);
    let Some(new) = chosen.day_begins_minutes.filter(|new| u32::from(*new) != old) else { return Ok(None) };
    let agreed = day_time::text(new);
    let scope = visit.permit(Action::SettingsChange)?.scope()?;
    // What comes before nothing in a list of the newest first is the oldest.
    let nothing =
        PageKey { occurred_at: UtcMillis(i64::MIN), terminal: TerminalId::from_random([0; 16]), sequence: 0 };
    let oldest =
        state.store.list_punches(scope, PunchFilter::default(), Some(Beside::Before(nothing)), 1).await?;
    let Some(oldest) = oldest.rows.first().filter(|_| fields.text("agreed") != agreed) else {
        return Ok(None);
    };
    let first = local_date(oldest.occurred_at).first_of_month();
    let today = c.today();
    let months = i32::from(today.year() - first.year()) * 12 + i32::from(today.month() - first.month()) + 1;
    let old = day_time::text(u16::try_from(old).unwrap_or(DAY_BEGINS_MAX));
    let (from, to) = (old.clone().min(agreed.clone()), old.clone().max(agreed.clone()));
    let (since, months) = (c.long_month(first), months.max(1).to_string());
    let values = [("from", from.as_str()), ("to", &to), ("since", &since), ("months", &months)];
    let times = [&from, &to].map(|text| day_time::parse(text).unwrap_or(0));
    let lately = c.n("settings-day-asks-lately", logoffs_between(state, scope, times, today).await?);
    Ok(Some(Asks {
        title: c.words().with("settings-day-asks", &[("old", &old), ("new", &agreed)]),
        text: c.words().with("settings-day-asks-text", &values),
        lately,
        agreed,
    }))
}

/// How many logoffs of the last days lie between two times of day: of these, those that ended a night move to another date.
async fn logoffs_between(
    state: &WebState,
    scope: Scope,
    [from, to]: [u16; 2],
    today: Date,
) -> Result<u64, WebError> {
    let mut all = 0;
    let oldest = today.checked_sub(LATELY_DAYS.days()).unwrap_or(today);
    for start in oldest.series(1.day()).take_while(|date| *date <= today).filter_map(times::start_of) {
        let [from, until] = [from, to].map(|minutes| Some(start.plus(i64::from(minutes) * 60_000)));
        let filter = PunchFilter { from, until, kind: Some(EventKind::Logoff), ..PunchFilter::default() };
        all += state.store.count_punches(scope, filter, LATELY_MAX).await?;
    }
    Ok(all)
}

impl Draft {
    fn of(contract: &Contract, day_begins: u16) -> Self {
        let settings = contract.settings;
        Self {
            name: contract.name.clone(),
            day: day_time::text(day_begins),
            japanese_years: settings.japanese_years,
            links_by_sid: settings.links_by_sid,
            retention: settings.retention_years.to_string(),
            language: settings.language.map(|language| language.tag().to_owned()).unwrap_or_default(),
            idle: settings.idle_minutes.unwrap_or(NEVER).to_string(),
            ..Self::default()
        }
    }

    /// The form, and what it chooses when nothing is wrong with it.
    fn check(fields: &Fields, c: &Chrome) -> (Self, Option<ContractSettings>) {
        let text = |name| fields.text(name).to_owned();
        let mut draft = Self {
            name: text("name"),
            day: text("day"),
            japanese_years: fields.text("years") == "1",
            links_by_sid: fields.text("links_by_sid") == "1",
            retention: text("retention"),
            language: text("language"),
            idle: text("idle"),
            name_error: name_error(fields.text("name"), "settings-name-missing", c),
            ..Self::default()
        };
        let day = day_time::parse(&draft.day).filter(|minutes| *minutes <= DAY_BEGINS_MAX);
        if day.is_none() {
            draft.day_error = c.t("settings-day-wrong");
        }
        let retention = RETENTION_YEARS.into_iter().find(|years| years.to_string() == draft.retention);
        let language = Some(draft.language.as_str()).filter(|tag| !tag.is_empty()).map(Language::from_tag);
        let idle = idle_choices().find(|minutes| minutes.to_string() == draft.idle);
        if retention.is_none() || language == Some(None) || idle.is_none() {
            draft.choice_error = c.t("settings-choice-wrong");
        }
        let fine = draft.name_error.is_empty() && draft.choice_error.is_empty();
        let chosen = day.zip(retention).filter(|_| fine).map(|(day, retention)| ContractSettings {
            idle_minutes: idle.filter(|minutes| *minutes != NEVER),
            day_begins_minutes: Some(day),
            japanese_years: draft.japanese_years,
            retention_years: retention,
            retires: false,
            links_by_sid: draft.links_by_sid,
            language: language.flatten(),
        });
        (draft, chosen)
    }
}

/// `GET /settings`
///
/// # Errors
/// [`WebError`] when the person may not see the settings or the store fails.
pub async fn page(State(state): State<WebState>, visit: Visit) -> Result<Response, WebError> {
    let contract = visit.permit(Action::SettingsRead)?.contract()?;
    let left = state.store.contracts_to_redate(state.day_boundary_minutes).await?.contains(&contract);
    let day_begins = u16::try_from(visit.day_begins_minutes()).unwrap_or(DAY_BEGINS_MAX);
    let draft = Draft::of(visit.own_contract().ok_or(WebError::NotFound)?, day_begins);
    let draft = Draft { redating: left, ..draft };
    Ok(view(&state, visit, draft)?.render_page()?.into_response())
}

/// `POST /settings`
///
/// # Errors
/// [`WebError`] when the person may not change the settings or the store fails.
pub async fn change(
    State(state): State<WebState>,
    visit: Visit,
    fields: Fields,
) -> Result<Response, WebError> {
    let contract = visit.permit(Action::SettingsChange)?.contract()?;
    let (draft, chosen) = Draft::check(&fields, &visit.chrome);
    let Some(chosen) = chosen else {
        let page = view(&state, visit, draft)?;
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page.render_page()?).into_response());
    };
    if let Some(asks) = asks(&state, &visit, &fields, &chosen).await? {
        let page = view(&state, visit, Draft { asks: Some(asks), ..draft })?;
        return Ok(page.render_page()?.into_response());
    }
    // What is deleted is decided on a page of its own; a shorter period must be said to be meant there.
    let before = visit.settings();
    let retires = before.retires && chosen.retention_years >= before.retention_years;
    let chosen = ContractSettings { retires, ..chosen };
    state.store.change_settings(contract, draft.name, chosen, visit.act()).await?;
    let is_done = redated(&state, contract).await?;
    let text = visit.chrome.t(if is_done { "settings-saved-text" } else { "settings-redating" });
    visit.leave(Banner::new(Tone::Ok, visit.chrome.t("settings-saved"), text)).await?;
    Ok(Redirect::to("/settings").into_response())
}

/// Puts the dates of nights right for another boundary, as far as nobody has to wait for it; whether nothing is left.
async fn redated(state: &WebState, contract: ContractId) -> Result<bool, StoreError> {
    let until = (state.clock)().plus(PATIENCE_MS);
    loop {
        let now = (state.clock)();
        if state.store.redate_some(contract, state.day_boundary_minutes, now).await? {
            return Ok(true);
        }
        if now >= until {
            return Ok(false);
        }
    }
}

/// Minutes without use to choose from, zero for never.
fn idle_choices() -> impl Iterator<Item = u16> {
    std::iter::once(NEVER).chain(idle::CHOICES)
}

/// Minutes without use in words; zero is never.
#[must_use]
pub fn idle_text(minutes: u64, c: &Chrome) -> String {
    if minutes == 0 { c.t("settings-idle-never") } else { c.n("settings-idle-minutes", minutes) }
}

fn view(state: &WebState, visit: Visit, draft: Draft) -> Result<views::Settings, WebError> {
    let contract = visit.own_contract().ok_or(WebError::NotFound)?.clone();
    let may_change = visit.may(Action::SettingsChange);
    let c = visit.chrome.at(Place::Settings);
    let retention = RETENTION_YEARS.map(|years| {
        let value = years.to_string();
        Choice::new(&value, c.n("settings-retention-years", u64::from(years)), draft.retention == value)
    });
    let languages = [("", c.t("settings-language-browser"))].into_iter().chain(
        [Language::Japanese, Language::English].map(|language| (language.tag(), language_name(language))),
    );
    let language = |(tag, text): (&str, String)| Choice::new(tag, text, draft.language == tag);
    let idle = idle_choices().map(|minutes| {
        let value = minutes.to_string();
        Choice::new(&value, idle_text(minutes.into(), &c), draft.idle == value)
    });
    let status =
        if contract.status == ContractStatus::Active { "contract-active" } else { "contract-suspended" };
    Ok(views::Settings {
        retention: retention.to_vec(),
        languages: languages.map(language).collect(),
        idle: idle.collect(),
        code: contract.code,
        status: c.t(status),
        option: c.t(if contract.logon_punch_option { "yes" } else { "no" }),
        contact: c.v("seconds", "n", state.contact_seconds.to_string()),
        may_change,
        draft,
        c,
    })
}
