//! `GET /punches`

use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse as _, Response};
use jiff::civil::Date;
use mngntime_model::{PunchResult, TerminalId};
use mngntime_store::{EmployeeId, ErrorCause, Punch, PunchPage, Scope};

use super::super::WebState;
use super::super::chrome::{Banner, Chrome, Place, Tone};
use super::super::days;
use super::super::errors::WebError;
use super::super::fields::Fields;
use super::super::me;
use super::super::pages::{ROWS, Turns};
use super::super::session::Visit;
use super::super::views::{self, Choice};
use super::cause;
use super::columns::{CHOICES, Columns};
use super::detail::{Detail, links_of};
use super::filter::{Asked, cause_key};
use super::print;
use super::receipt::Checked;
use super::row;
use super::searches;
use super::strip::Strip;
use crate::access::Action;

/// Punches of a period are counted up to this number.
const COUNT_MAX: usize = 10_000;

/// The same where others' punches stand between those of a department and have to be passed over.
const COUNT_MAX_OF_SOME: usize = 3_000;

/// The list.
///
/// # Errors
/// [`WebError`] when the person may not see it or the store fails.
pub async fn page(State(state): State<WebState>, mut visit: Visit, uri: Uri) -> Result<Response, WebError> {
    let scope = visit.permit(Action::PunchesRead)?.scope()?;
    visit.chrome = visit.chrome.at(Place::Punches);
    let words = visit.chrome.words();
    let asked = Asked::read(state.store.as_ref(), scope, Fields::of_query(&uri)?, &visit.chrome).await?;
    if !asked.problems.is_empty() {
        visit.chrome.banner = Some(Banner::new(Tone::Error, words.t("filter-bad"), asked.problems.join(" ")));
    }
    let found = find(&state, scope, &asked).await?;
    if asked.problems.is_empty() && asked.fields.text("print") == "1" {
        for employee in whose(&asked, &found) {
            visit.looked_at(&state, scope.contract, Some(employee), "punches").await?;
        }
        return print::page(state, visit, asked, scope).await;
    }
    note(&state, scope, &visit, &asked, &found).await?;
    let (store, errors) = (state.store.as_ref(), asked.filter.errors_only);
    let strip = Strip::read(store, scope, &visit.chrome, state.contact_seconds, errors).await?;
    if scope.is_whole() && found.rows.is_empty() && asked.is_everything() {
        let steps = views::Steps::new(&state, visit.contract_code());
        return Ok(views::PunchesBlank { c: visit.chrome, strip, steps }.render_page()?.into_response());
    }
    let view = view(&state, scope, visit, asked, found, strip).await?;
    Ok(view.render_page()?.into_response())
}

pub(super) async fn find(state: &WebState, scope: Scope, asked: &Asked) -> Result<PunchPage, WebError> {
    if !asked.problems.is_empty() {
        return Ok(PunchPage::empty());
    }
    Ok(state.store.list_punches(scope, asked.filter.clone(), asked.at, ROWS).await?)
}

/// Notes what the list shows: that it was opened with these conditions, and each person whose record it is (asked for by
/// their name or account, or the only one on a page of a PC). What cannot be noted is not shown.
pub(super) async fn note(
    state: &WebState,
    scope: Scope,
    visit: &Visit,
    asked: &Asked,
    found: &PunchPage,
) -> Result<(), WebError> {
    if !asked.problems.is_empty() {
        return Ok(());
    }
    let conditions = asked.noted(&["encoding"], &visit.chrome);
    visit.opened(state, scope.contract, "punches", conditions).await?;
    for employee in whose(asked, found) {
        visit.looked_at(state, scope.contract, Some(employee), "punches").await?;
    }
    Ok(())
}

/// Whose record the list is.
fn whose(asked: &Asked, found: &PunchPage) -> Vec<EmployeeId> {
    let mut whose = asked.whose.clone();
    if asked.filter.terminal.is_some() {
        let mut shown: Vec<_> = found.rows.iter().filter_map(|punch| punch.employee).collect();
        shown.dedup();
        whose.extend(Some(shown).filter(|shown| shown.len() == 1).into_iter().flatten());
    }
    whose.sort_unstable();
    whose.dedup();
    whose
}

/// Address of this page of the list.
fn list_address(asked: &Asked) -> String {
    let here = asked.at.map(|beside| beside.to_string()).unwrap_or_default();
    asked.address(&[], &here)
}

/// Where the script asks for what has changed; only the first page does.
fn live(asked: &Asked, open: Option<&str>) -> Option<String> {
    let mut query = form_urlencoded::Serializer::new(asked.query(&[]));
    query.extend_pairs(open.map(|open| ("open", open)));
    asked.at.is_none().then(|| format!("/punches/newer?{}", query.finish()))
}

/// The rows of this page, ready to be written.
pub(super) async fn rows(
    state: &WebState,
    scope: Scope,
    visit: &Visit,
    asked: &Asked,
    found: &PunchPage,
) -> Result<Vec<row::Row>, WebError> {
    let list = list_address(asked);
    let separator = if list.contains('?') { '&' } else { '?' };
    let open = asked.fields.filled("open");
    let mut rows = row::rows(&found.rows, &visit.chrome, &format!("{list}{separator}"), open);
    me::mark_remarks(state, scope.contract, visit, &found.rows, &mut rows).await?;
    mark_causes(state, scope, visit, &found.rows, &mut rows).await?;
    Ok(rows)
}

/// Says in each row that nobody gets (res=7) why that is, where links of the account tell.
async fn mark_causes(
    state: &WebState,
    scope: Scope,
    visit: &Visit,
    punches: &[Punch],
    rows: &mut [row::Row],
) -> Result<(), WebError> {
    let waits = |punch: &&Punch| punch.result == PunchResult::UserUnusable;
    let mut accounts: Vec<_> = punches.iter().filter(waits).map(|punch| punch.account).collect();
    accounts.sort_unstable();
    accounts.dedup();
    if accounts.is_empty() || !scope.is_whole() {
        return Ok(());
    }
    let links = state.store.links_in_full(scope.contract, accounts.clone()).await?;
    for (punch, row) in punches.iter().zip(rows).filter(|(punch, _)| waits(punch)) {
        if let Some(links) = accounts.binary_search(&punch.account).ok().and_then(|place| links.get(place)) {
            row.cause = cause::cause(punch.date, links).brief(&visit.chrome);
        }
    }
    Ok(())
}

async fn view(
    state: &WebState,
    scope: Scope,
    visit: Visit,
    asked: Asked,
    found: PunchPage,
    strip: Strip,
) -> Result<views::Punches, WebError> {
    let c = visit.chrome.clone();
    let open = asked.fields.filled("open").map(str::to_owned);
    let drawer = match &open {
        Some(open) => drawer(state, scope, &visit, open).await?,
        None => None,
    };
    let list = list_address(&asked);
    let rows = rows(state, scope, &visit, &asked, &found).await?;
    let conditions = asked.conditions(c.today(), c.words());
    let query = asked.query(&[]);
    let columns = Columns::parse(state.store.punch_columns(visit.person().id).await?.as_deref());
    // Dates that a name stands for are not typed: sent by the form, they would take its place.
    let dated = asked.period.is_none();
    let typed = |date: Option<Date>| date.filter(|_| dated).map(|date| date.to_string()).unwrap_or_default();
    Ok(views::Punches {
        // One line for whoever is to read them: nobody looks for what they do not know of.
        open_remarks: match visit.permit(Action::RemarksRead) {
            Ok(reach) => days::open_remarks(state, reach.scope()?).await?,
            Err(_) => String::new(),
        },
        chips: searches::chips(state, scope, &visit, &query).await?,
        may_share: visit.may(Action::AccountsLink),
        choices: choices(&columns, &c),
        live: live(&asked, open.as_deref()),
        again: asked.address(&[], ""),
        xlsx: format!("/punches.xlsx?{query}"),
        print: asked.address(&[], "print=1"),
        columns,
        query,
        count: count(state, scope, &asked, &found, &visit).await?,
        turns: Turns::of("/punches", &asked.fields, &found, asked.at.as_ref())?,
        close: open.map_or_else(|| list.clone(), |open| format!("{list}#r-{open}")),
        csv: format!("/punches.csv?{}", asked.query(&[])),
        conditions_dots: conditions.join(" · "),
        conditions_list: conditions.join(c.words().t("list-comma").as_str()),
        kinds: kinds(&asked, &visit),
        causes: causes(&asked, &visit),
        without_errors: (asked.filter.errors_only || asked.filter.cause.is_some())
            .then(|| asked.address(&["errors", "cause"], "")),
        without_how: asked.filter.inferred_only.then(|| asked.address(&["how"], "")),
        without_period: (asked.dates != (None, None)).then(|| asked.address(&["from", "to", "period"], "")),
        may_link: visit.may(Action::AccountsLink),
        from: typed(asked.dates.0),
        to: typed(asked.dates.1),
        quick: asked.quick(&c),
        c,
        asked,
        rows,
        strip,
        drawer,
    })
}

/// Columns that can be left out.
fn choices(columns: &Columns, c: &Chrome) -> Vec<Choice> {
    CHOICES.iter().map(|(name, key)| Choice::new(name, c.t(key), columns.has(name))).collect()
}

fn kinds(asked: &Asked, visit: &Visit) -> Vec<Choice> {
    let chosen = asked.fields.text("kind");
    let choice = |value: &str, key| Choice::new(value, visit.chrome.t(key), chosen == value);
    vec![choice("", "kind-all"), choice("logon", "kind-logon"), choice("logoff", "kind-logoff")]
}

fn causes(asked: &Asked, visit: &Visit) -> Vec<Choice> {
    let chosen = asked.fields.text("cause");
    let all = [("", "cause-all")].into_iter();
    let all = all.chain(ErrorCause::ALL.map(|cause| (cause.name(), cause_key(cause))));
    all.map(|(value, key)| Choice::new(value, visit.chrome.t(key), chosen == value)).collect()
}

/// How many there are, where that is known without counting row by row; empty otherwise.
pub(super) async fn count(
    state: &WebState,
    scope: Scope,
    asked: &Asked,
    found: &PunchPage,
    visit: &Visit,
) -> Result<String, WebError> {
    let words = visit.chrome.words();
    if !asked.problems.is_empty() {
        return Ok(String::new());
    }
    let errors = asked.filter.errors_only || asked.filter.cause.is_some();
    let most = if scope.is_whole() { COUNT_MAX } else { COUNT_MAX_OF_SOME };
    let number = if asked.at.is_none() && found.next.is_none() {
        found.rows.len() as u64
    } else if is_counted(asked, scope) {
        state.store.count_punches(scope, asked.filter.clone(), most).await?
    } else {
        return Ok(String::new());
    };
    let more = number >= most as u64;
    if errors && number > 0 && !more {
        return Ok(words.n("count-errors", number));
    }
    let number = match (errors, more) {
        (true, true) => words.n("count-errors-more", number),
        (false, true) => words.n("count-more", number),
        (_, false) => words.n("count", number),
    };
    if found.rows.is_empty() || asked.dates == (None, None) {
        return Ok(number);
    }
    let period = asked.period(visit.chrome.today(), words);
    Ok(words.with("count-in-period", &[("period", &period), ("count", &number)]))
}

/// Whether an index alone says how many there are: of a period, or of the errors, which have one of their own. Of some people's
/// errors only within a period: others' stand between them and have to be passed over.
fn is_counted(asked: &Asked, scope: Scope) -> bool {
    let ended = asked.filter.from.is_some() && asked.filter.until.is_some();
    (asked.is_only_a_period() && ended) || (asked.is_of_errors() && (ended || scope.is_whole()))
}

/// The punch named by `open`; nothing when there is none (any more).
async fn drawer(
    state: &WebState,
    scope: Scope,
    visit: &Visit,
    open: &str,
) -> Result<Option<Detail>, WebError> {
    let parts = open.split_once('.').and_then(|(terminal, sequence)| {
        Some((TerminalId::parse(terminal).ok()?, super::detail::sequence(sequence)?))
    });
    let Some((terminal, sequence)) = parts else {
        return Ok(None);
    };
    let Some(found) = state.store.punch(scope, terminal, sequence).await? else {
        return Ok(None);
    };
    visit.looked_at(state, scope.contract, found.punch.employee, "punch").await?;
    let (date, remarks) = me::remarks_of(state, scope, &found.punch, visit).await?;
    let links = links_of(state, scope, &found).await?;
    let receipt = Checked::look(state, scope.contract, visit, &found).await?;
    Ok(Some(Detail { remarks, ..Detail::of(found, &links, receipt, &visit.chrome) }.of_day(date)))
}
