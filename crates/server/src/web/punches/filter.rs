//! What the person asked to see: the query of the list and of the CSV file.
//!
//! Values that mean nothing (2026-13-45, a terminal that is not there) become messages; the list then shows
//! no rows rather than rows of something else.

use jiff::civil::Date;
use mngntime_model::{EventKind, TerminalId};
use mngntime_store::{
    Beside, Employee, EmployeeId, ErrorCause, NAMED_MAX, NamedTerminal, PageKey, PunchFilter, Scope, Store,
    StoreError, TerminalStatus,
};

use super::super::asks;
use super::super::chrome::Chrome;
use super::super::fields::Fields;
use super::super::lookup::{self, Alike, Found};
use super::super::pages::beside;
use super::super::sheet::Encoding;
use super::super::texts::Words;
use super::super::times;
use super::period::{self, Period, Quick};
use crate::access::Action;

/// What an address may ask for.
const KNOWN: [&str; 15] = [
    "period", "from", "to", "employee", "account", "terminal", "kind", "how", "errors", "cause", "after",
    "before", "open", "encoding", "print",
];

/// The one way to know of a punch that can be asked for: the estimates are what somebody has to look at.
const HOW_INFERRED: &str = "inferred";

/// A query, understood.
#[derive(Debug, Clone)]
pub struct Asked {
    /// As typed, to be shown again.
    pub fields: Fields,
    /// For the store.
    pub filter: PunchFilter,
    /// Dates of the period.
    pub dates: (Option<Date>, Option<Date>),
    /// The period's name, where it has one.
    pub period: Option<Period>,
    /// Where the page begins.
    pub at: Option<Beside<PageKey>>,
    /// What could not be understood, in words.
    pub problems: Vec<String>,
    /// What the field shows for the account, and so on; ids become names.
    pub account: String,
    /// As [`Self::account`].
    pub terminal: String,
    /// As [`Self::account`].
    pub employee: String,
    /// Whose punches are asked for by a name: the employee, or everybody the account is or was linked to.
    pub whose: Vec<EmployeeId>,
    /// What a text may mean that means nothing in particular.
    pub offers: Vec<Offer>,
}

/// Whom or what a text may mean.
#[derive(Debug, Clone)]
pub struct Offer {
    /// What is to be chosen.
    pub title: String,
    /// Addresses and names.
    pub links: Vec<(String, String)>,
    /// That there are more; empty when there are none.
    pub more: String,
}

impl Asked {
    /// Understands `fields`.
    ///
    /// # Errors
    /// What the store says.
    pub async fn read(
        store: &dyn Store,
        scope: Scope,
        fields: Fields,
        c: &Chrome,
    ) -> Result<Self, StoreError> {
        let words = c.words();
        let mut asked = Self::plain(period::settled(fields), c);
        asked.read_employee(store, scope, c).await?;
        asked.read_account(store, scope, words).await?;
        asked.read_terminal(store, scope, c).await?;
        Ok(asked)
    }

    /// Everything that needs no store.
    fn plain(fields: Fields, c: &Chrome) -> Self {
        let words = c.words();
        let mut problems = Vec::new();
        let mut date = |name| {
            fields.date(name).unwrap_or_else(|text| {
                problems.push(words.v("filter-bad-date", "text", text));
                None
            })
        };
        let mut dates = (date("from"), date("to"));
        let (period, strange) = period::read(&fields);
        problems.extend(strange.map(|text| words.v("filter-bad-period", "text", text)));
        if let Some(period) = period {
            let (from, to) = period.dates(c.today());
            dates = (Some(from), Some(to));
        }
        if let (Some(from), Some(to)) = dates
            && to < from
        {
            problems.push(words.t("filter-dates-reversed"));
        }
        problems.extend(asks::told(&fields, &KNOWN, c));
        let errors = fields.filled("errors").filter(|text| !["0", "1"].contains(text));
        problems.extend(errors.map(|text| words.v("filter-bad-errors", "text", text)));
        let encoding = Encoding::strange(&fields);
        problems.extend(encoding.map(|text| words.v("filter-bad-encoding", "text", text)));
        let print = fields.filled("print").filter(|text| *text != "1");
        problems.extend(print.map(|text| words.v("filter-bad-print", "text", text)));
        let kind = kind(&fields).unwrap_or_else(|text| {
            problems.push(words.v("filter-bad-kind", "text", text));
            None
        });
        let cause = cause(&fields).unwrap_or_else(|text| {
            problems.push(words.v("filter-bad-cause", "text", text));
            None
        });
        let how = fields.filled("how").filter(|text| *text != HOW_INFERRED);
        problems.extend(how.map(|text| words.v("filter-bad-how", "text", text)));
        let at = beside(&fields, PageKey::parse);
        problems.extend(at.is_err().then(|| words.t("filter-bad-page")));
        let at = at.unwrap_or_default();
        let filter = PunchFilter {
            from: dates.0.and_then(times::start_of),
            until: dates.1.and_then(times::end_of),
            kind,
            errors_only: fields.text("errors") == "1",
            cause,
            inferred_only: fields.text("how") == HOW_INFERRED,
            ..PunchFilter::default()
        };
        let [employee, account] = ["employee", "account"].map(|name| fields.text(name).to_owned());
        let terminal = fields.code("terminal");
        Self {
            fields,
            filter,
            dates,
            period,
            at,
            problems,
            account,
            terminal,
            employee,
            whose: Vec::new(),
            offers: Vec::new(),
        }
    }

    /// Whoever is meant exactly; else the only one whose name, reading or code begins so; else those to choose from.
    async fn read_employee(&mut self, store: &dyn Store, scope: Scope, c: &Chrome) -> Result<(), StoreError> {
        if self.employee.is_empty() {
            return Ok(());
        }
        let mut found = store.find_employees(scope, self.employee.clone()).await?;
        let mut alike = Alike::default();
        if found.len() != 1 {
            alike = Alike::find(store, scope, &self.employee).await?;
            found.clone_from(&alike.people);
        }
        match Found::of(found.drain(..)) {
            Found::One(employee) => {
                self.filter.employee = Some(employee.id);
                self.whose.push(employee.id);
                self.employee = format!("{} {}", employee.data.code, employee.data.name);
            }
            Found::Nothing | Found::Several => {
                self.problems.push(alike.says(&self.employee, c));
                let link =
                    |one: &Employee| (self.asking_for("employee", &one.data.code), lookup::choice(one).1);
                let links: Vec<_> = alike.people.iter().map(link).collect();
                let more = if alike.more > 0 { c.n("choose-more", alike.more) } else { String::new() };
                let offer = Offer { title: c.t("choose-employee"), links, more };
                self.offers.extend(Some(offer).filter(|offer| !offer.links.is_empty()));
            }
        }
        Ok(())
    }

    /// Address of the list with another value of one field.
    fn asking_for(&self, name: &str, value: &str) -> String {
        let mut field = form_urlencoded::Serializer::new(String::new());
        field.append_pair(name, value);
        self.address(&[name], &field.finish())
    }

    async fn read_account(
        &mut self,
        store: &dyn Store,
        scope: Scope,
        words: Words,
    ) -> Result<(), StoreError> {
        if self.account.is_empty() {
            return Ok(());
        }
        let mut found = store.find_accounts(scope, self.account.clone()).await?;
        match Found::of(found.drain(..)) {
            Found::One(account) => {
                self.filter.account = Some(account.id);
                self.whose.extend(account.links.iter().map(|link| link.employee));
                self.account = format!("{}\\{}", account.domain, account.name);
            }
            Found::Nothing => self.problems.push(words.v("filter-no-account", "text", &self.account)),
            Found::Several => self.problems.push(words.v("filter-accounts", "text", &self.account)),
        }
        Ok(())
    }

    /// A name, an id, or both as the field shows them where the name is not one terminal's alone. Which terminals there
    /// are is the whole contract's business: of a narrower scope only those with punches of its people are found.
    async fn read_terminal(&mut self, store: &dyn Store, scope: Scope, c: &Chrome) -> Result<(), StoreError> {
        if self.terminal.is_empty() {
            return Ok(());
        }
        let last = self.terminal.rsplit_once(' ').map_or(self.terminal.as_str(), |(_, last)| last);
        let id = TerminalId::parse(last).is_ok();
        let typed = if id { last } else { self.terminal.as_str() };
        let found = store.find_terminals(scope, typed.to_owned()).await?;
        match found.as_slice() {
            [one] => {
                self.filter.terminal = Some(one.id);
                let alone = !id || store.find_terminals(scope, one.host_name.clone()).await?.len() == 1;
                self.terminal =
                    if alone { one.host_name.clone() } else { format!("{} {}", one.host_name, one.id) };
            }
            [] => {
                let key =
                    if scope.is_whole() { "filter-no-terminal" } else { "filter-no-terminal-of-theirs" };
                self.problems.push(c.v(key, "text", &self.terminal));
            }
            several => {
                self.problems.push(c.v("filter-terminals", "text", &self.terminal));
                let (shown, rest) = several.split_at(several.len().min(NAMED_MAX - 1));
                let link =
                    |one: &NamedTerminal| (self.asking_for("terminal", &one.id.to_string()), told(one, c));
                let links = shown.iter().map(link).collect();
                let more = if rest.is_empty() { String::new() } else { c.t("choose-more-terminals") };
                self.offers.push(Offer { title: c.t("choose-terminal"), links, more });
            }
        }
        Ok(())
    }

    /// Whether nothing was asked for in particular.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.filter == PunchFilter::default() && self.problems.is_empty() && self.at.is_none()
    }

    /// Whether errors are asked for, of nobody and nothing in particular.
    #[must_use]
    pub fn is_of_errors(&self) -> bool {
        let PunchFilter {
            from: _,
            until: _,
            employee,
            account,
            terminal,
            kind: _,
            errors_only,
            cause,
            inferred_only,
        } = &self.filter;
        let named = employee.is_some() || account.is_some() || terminal.is_some() || *inferred_only;
        (*errors_only || cause.is_some()) && !named
    }

    /// Whether only the period (and errors) were asked for, so that the store's counts fit.
    #[must_use]
    pub fn is_only_a_period(&self) -> bool {
        let PunchFilter {
            from,
            until,
            employee,
            account,
            terminal,
            kind,
            cause,
            inferred_only,
            errors_only: _,
        } = &self.filter;
        let named = employee.is_some() || account.is_some() || terminal.is_some() || kind.is_some();
        let named = named || cause.is_some() || *inferred_only;
        !named && from.is_some() && until.is_some()
    }

    /// The query without place in the list, with `more` in front of nothing else.
    #[must_use]
    pub fn query(&self, without: &[&str]) -> String {
        let mut left_out = vec!["after", "before", "open", "print"];
        left_out.extend(without);
        self.fields.query_without(&left_out)
    }

    /// Address of the list with this query and `more` (already encoded).
    #[must_use]
    pub fn address(&self, without: &[&str], more: &str) -> String {
        let query = self.query(without);
        match (query.is_empty(), more.is_empty()) {
            (true, true) => "/punches".to_owned(),
            (true, false) => format!("/punches?{more}"),
            (false, true) => format!("/punches?{query}"),
            (false, false) => format!("/punches?{query}&{more}"),
        }
    }

    /// The period in words.
    #[must_use]
    pub fn period(&self, today: Date, words: Words) -> String {
        let dates = between(self.dates, today, words);
        self.period.map_or(dates.clone(), |period| period::in_words(period, &dates, words))
    }

    /// The choices of periods that move with the day, for this query.
    #[must_use]
    pub fn quick(&self, c: &Chrome) -> Vec<Quick> {
        let dates = self.period(c.today(), c.words());
        period::quick(self.period, &dates, |more| self.address(&["from", "to", "period"], more), c)
    }

    /// The query as the audit log keeps it: the dates that were meant, not a name that means others tomorrow.
    #[must_use]
    pub fn noted(&self, left_out: &[&str], c: &Chrome) -> String {
        let fields = period::resolved(&self.fields, c.today());
        fields.query_without(&[&["after", "before", "open", "print"], left_out].concat())
    }

    /// Everything asked for, in words.
    #[must_use]
    pub fn conditions(&self, today: Date, words: Words) -> Vec<String> {
        let mut all = vec![self.period(today, words)];
        all.extend(self.filter.errors_only.then(|| words.t("filter-errors")));
        all.extend(self.filter.cause.map(|cause| words.t(cause_key(cause))));
        all.extend(self.filter.inferred_only.then(|| words.t("filter-inferred")));
        all.extend(self.filter.kind.map(|kind| words.t(super::row::kind_key(kind))));
        all.extend(
            [&self.employee, &self.account, &self.terminal]
                .into_iter()
                .filter(|text| !text.is_empty())
                .cloned(),
        );
        all
    }
}

/// Dates in words.
fn between(dates: (Option<Date>, Option<Date>), today: Date, words: Words) -> String {
    let short = |date: Date| times::short_date(date, today, words.0);
    match dates {
        (None, None) => words.t("filter-all-time"),
        (Some(from), Some(to)) if from == to => short(from),
        (from, to) => {
            format!("{}〜{}", from.map(short).unwrap_or_default(), to.map(short).unwrap_or_default())
        }
    }
}

/// A terminal as a person tells it from others of its name: the beginning of its id and, for whoever may see terminals,
/// when it was heard of.
#[must_use]
pub fn told(terminal: &NamedTerminal, c: &Chrome) -> String {
    let id = terminal.id.to_string();
    let id = id.get(..8).unwrap_or(&id).to_owned();
    if !c.may(Action::TerminalsRead) {
        return format!("{} {id}", terminal.host_name);
    }
    let at = terminal.last_contact_at.map(times::day_clock);
    let heard = at.map_or_else(|| c.t("terminal-never"), |at| c.v("terminal-heard", "at", at));
    let heard = match terminal.status {
        TerminalStatus::Retired => c.t("state-retired"),
        TerminalStatus::Blocked => format!("{} {heard}", c.t("state-blocked")),
        TerminalStatus::Active => heard,
    };
    format!("{} {id} {heard}", terminal.host_name)
}

/// Key of the words of a cause.
#[must_use]
pub fn cause_key(cause: ErrorCause) -> &'static str {
    match cause {
        ErrorCause::Unlinked => "cause-unlinked",
        ErrorCause::OutsideLink => "cause-outside",
        ErrorCause::Contract => "cause-contract",
        ErrorCause::Terminal => "cause-terminal",
        ErrorCause::Reenrolment => "cause-reenrolment",
        ErrorCause::Failure => "cause-failure",
    }
}

fn cause(fields: &Fields) -> Result<Option<ErrorCause>, String> {
    let Some(text) = fields.filled("cause") else {
        return Ok(None);
    };
    ErrorCause::ALL.into_iter().find(|cause| cause.name() == text).map(Some).ok_or_else(|| text.to_owned())
}

/// Only logons and logoffs are punches.
fn kind(fields: &Fields) -> Result<Option<EventKind>, String> {
    let Some(text) = fields.filled("kind") else {
        return Ok(None);
    };
    EventKind::from_name(text).filter(|kind| kind.is_punch()).map(Some).ok_or_else(|| text.to_owned())
}
