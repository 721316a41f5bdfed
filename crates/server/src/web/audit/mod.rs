//! 監査ログ: who saw, changed and took out what, with each entry's place in the evidence log.
//!
//! Operators see what belongs to no contract; everybody else who may look sees their contract's. Looks at somebody's
//! record are noted by [`Visit::looked_at`], once an hour for each page, so the log tells who saw whose record without
//! growing with every click.

pub mod csv;
pub mod words;

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse as _, Response};
use jiff::civil::Date;
use mngntime_model::TerminalId;
use mngntime_store::{AuditFilter, AuditKey, AuditPage, AuditRow, Beside, ContractId, Store, StoreError};

use super::WebState;
use super::asks;
use super::chrome::{Banner, Chrome, Place, Tone};
use super::errors::WebError;
use super::fields::Fields;
use super::pages::{PLACES, ROWS, Turns, beside};
use super::session::Visit;
use super::sheet::Encoding;
use super::times;
use super::views::{self, Choice};
use crate::access::Action;

/// What an address may ask for.
const KNOWN: [&str; 9] = ["from", "to", "who", "by", "action", "object", "after", "before", "encoding"];

/// An entry, ready to be written.
#[derive(Debug, Clone)]
pub struct Row {
    /// Day in machine form and in words, when it differs from the row's before.
    pub day: Option<(String, String)>,
    /// When, for machines.
    pub machine: String,
    /// When, for people.
    pub clock: String,
    /// Who.
    pub who: String,
    /// Drawing of what is nobody who signs in; empty for people.
    pub drawing: &'static str,
    /// What.
    pub action: String,
    /// Kind of the thing it was done to, empty when it has none.
    pub kind: String,
    /// Its name.
    pub object: String,
    /// Address of all that was done to it.
    pub object_href: String,
    /// Words and values.
    pub details: Vec<(String, String)>,
    /// Place in the evidence log; empty without one.
    pub place: String,
    /// Whether a signed head covers it.
    pub signed: bool,
}

/// What somebody asked to see, understood.
#[derive(Debug, Clone)]
pub struct Asked {
    /// As typed.
    pub fields: Fields,
    /// For the store.
    pub filter: AuditFilter,
    /// Dates of the period.
    pub dates: (Option<Date>, Option<Date>),
    /// Where the page begins.
    pub at: Option<Beside<AuditKey>>,
    /// What could not be understood, in words.
    pub problems: Vec<String>,
}

impl Asked {
    /// Understands `fields`.
    #[must_use]
    pub fn read(fields: Fields, c: &Chrome) -> Self {
        let mut problems = Vec::new();
        let mut date = |name| {
            fields.date(name).unwrap_or_else(|text| {
                problems.push(c.v("filter-bad-date", "text", text));
                None
            })
        };
        let dates = (date("from"), date("to"));
        if matches!(dates, (Some(from), Some(to)) if to < from) {
            problems.push(c.t("filter-dates-reversed"));
        }
        problems.extend(asks::told(&fields, &KNOWN, c));
        let encoding = Encoding::strange(&fields);
        problems.extend(encoding.map(|text| c.v("filter-bad-encoding", "text", text)));
        let action = fields.filled("action").map(str::to_owned);
        if action.as_ref().is_some_and(|text| words::ACTIONS.iter().all(|(known, _)| known != text)) {
            problems.push(c.v("audit-bad-action", "text", fields.text("action")));
        }
        let by = by(&fields, c).unwrap_or_else(|problem| {
            problems.push(problem);
            None
        });
        let at = beside(&fields, AuditKey::parse);
        problems.extend(at.is_err().then(|| c.t("filter-bad-page")));
        let filter = AuditFilter {
            from: dates.0.and_then(times::start_of),
            until: dates.1.and_then(times::end_of),
            by,
            actions: action.into_iter().collect(),
            objects: fields.filled("object").map(words::objects_of).unwrap_or_default(),
            ..AuditFilter::default()
        };
        Self { fields, filter, dates, at: at.unwrap_or_default(), problems }
    }

    /// Address of the list with this query and `more` (already encoded).
    #[must_use]
    pub fn address(&self, more: &str) -> String {
        let query = self.fields.query_without(&["after"]);
        let and = if query.is_empty() || more.is_empty() { "" } else { "&" };
        let mark = if query.is_empty() && more.is_empty() { "" } else { "?" };
        format!("/audit{mark}{query}{and}{more}")
    }
}

/// Who it is about: a login that was typed, or one of the choices that are no logins. Both together are nobody.
fn by(fields: &Fields, c: &Chrome) -> Result<Option<String>, String> {
    match (fields.filled("who"), fields.filled("by")) {
        (Some(_), Some(_)) => Err(c.t("audit-who-twice")),
        (Some(login), None) => Ok(Some(words::by_of(login))),
        (None, None) => Ok(None),
        (None, Some(by)) => {
            let known = words::OURS.iter().any(|(ours, ..)| *ours == by);
            if known { Ok(Some(by.to_owned())) } else { Err(c.v("audit-bad-by", "text", by)) }
        }
    }
}

/// The choices that are no logins.
fn ours(chosen: &str, c: &Chrome) -> Vec<Choice> {
    let all = words::OURS.iter().map(|(by, key, _)| Choice::new(by, c.t(key), chosen == *by));
    std::iter::once(Choice::new("", c.t("audit-by-anybody"), chosen.is_empty())).chain(all).collect()
}

/// `GET /audit`
///
/// # Errors
/// [`WebError`] when the person may not see the audit log or the store fails.
pub async fn page(State(state): State<WebState>, mut visit: Visit, uri: Uri) -> Result<Response, WebError> {
    let contract = visit.permit(Action::AuditRead)?.contract_or_server()?;
    visit.chrome = visit.chrome.at(Place::Audit);
    let asked = Asked::read(Fields::of_query(&uri)?, &visit.chrome);
    let mut found = AuditPage::empty();
    if asked.problems.is_empty() {
        found = state.store.search_audit(contract, asked.filter.clone(), asked.at, ROWS).await?;
    } else {
        let title = visit.chrome.t("filter-bad");
        visit.chrome.banner = Some(Banner::new(Tone::Error, title, asked.problems.join(" ")));
    }
    let mut hosts = Hosts::new();
    add_hosts(state.store.as_ref(), contract, &found.rows, &mut hosts).await?;
    let c = visit.chrome;
    let view = views::Audit {
        rows: rows(&found.rows, &hosts, &c),
        turns: Turns::of("/audit", &asked.fields, &found, asked.at.as_ref())?,
        shown: c.n("shown", found.rows.len()),
        csv: format!("/audit.csv?{}", asked.fields.query_without(&PLACES)),
        conditions: conditions(&asked, &c),
        actions: actions(asked.fields.text("action"), &c),
        who: asked.fields.text("who").to_owned(),
        by: ours(asked.fields.text("by"), &c),
        object: asked.fields.text("object").to_owned(),
        from: asked.dates.0.map(|date| date.to_string()).unwrap_or_default(),
        to: asked.dates.1.map(|date| date.to_string()).unwrap_or_default(),
        of_server: contract.is_none(),
        c,
    };
    Ok(view.render_page()?.into_response())
}

/// What was asked for, in words.
fn conditions(asked: &Asked, c: &Chrome) -> String {
    let short = |date: Date| times::short_date(date, c.today(), c.language());
    let mut all = vec![match asked.dates {
        (None, None) => c.t("filter-all-time"),
        (from, to) => {
            format!("{}〜{}", from.map(short).unwrap_or_default(), to.map(short).unwrap_or_default())
        }
    }];
    all.extend(asked.fields.filled("who").map(str::to_owned));
    all.extend(asked.fields.filled("by").map(|by| words::person(by, c)));
    all.extend(asked.filter.actions.iter().map(|action| words::action(action, c)));
    all.extend(asked.fields.filled("object").map(str::to_owned));
    all.join(" · ")
}

/// The actions to choose from, each text once.
fn actions(chosen: &str, c: &Chrome) -> Vec<Choice> {
    let mut all = vec![Choice::new("", c.t("kind-all"), chosen.is_empty())];
    let mut last = "";
    for (action, key) in words::ACTIONS {
        if key != last {
            all.push(Choice::new(action, c.t(key), chosen == action));
        }
        last = key;
    }
    all
}

/// PC names of terminals, by what the log calls them.
type Hosts = BTreeMap<String, String>;

/// Adds the PC names of the terminals on a page to those that are known.
async fn add_hosts(
    store: &dyn Store,
    contract: Option<ContractId>,
    rows: &[AuditRow],
    hosts: &mut Hosts,
) -> Result<(), StoreError> {
    let Some(contract) = contract else { return Ok(()) };
    for object in rows.iter().map(|row| &row.entry.object) {
        let id = object.strip_prefix("terminal ").and_then(|id| TerminalId::parse(id).ok());
        if let Some(id) = id.filter(|_| !hosts.contains_key(object))
            && let Some(found) = store.terminal(contract, id).await?
        {
            hosts.insert(object.clone(), found.host_name);
        }
    }
    Ok(())
}

fn rows(found: &[AuditRow], hosts: &Hosts, c: &Chrome) -> Vec<Row> {
    let mut day = None;
    let mut rows = Vec::with_capacity(found.len());
    for entry in found {
        let date = times::tokyo(entry.entry.at).date();
        let mut row = row(entry, hosts, c);
        if day != Some(date) {
            row.day = Some((date.to_string(), c.long_date(date)));
            day = Some(date);
        }
        rows.push(row);
    }
    rows
}

fn row(found: &AuditRow, hosts: &Hosts, c: &Chrome) -> Row {
    let entry = &found.entry;
    let (kind, name) = words::object(&entry.object, c);
    let mut query = form_urlencoded::Serializer::new(String::new());
    Row {
        day: None,
        machine: times::machine(entry.at),
        clock: times::clock(entry.at),
        who: words::person(&entry.by, c),
        drawing: words::drawing(&entry.by),
        action: words::action(&entry.action, c),
        kind,
        object: hosts.get(&entry.object).cloned().unwrap_or(name),
        object_href: format!("/audit?{}", query.append_pair("object", &entry.object).finish()),
        details: words::details(&entry.detail, c),
        place: found
            .place
            .as_ref()
            .map(|place| format!("{} #{}", place.month, place.leaf))
            .unwrap_or_default(),
        signed: found.signed,
    }
}
