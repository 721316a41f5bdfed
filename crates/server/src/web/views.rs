//! One struct for each template: what it shows and nothing else.

mod people;

use askama::Template;
use axum::http::StatusCode;
use axum::response::Html;

use super::chrome::{Chrome, Place};
use super::errors::{Need, WebError};
use super::pages::Turns;
use super::punches::columns::Columns;
use super::punches::detail::Detail;
use super::punches::event::EventView;
use super::punches::filter::Asked;
use super::punches::period::Quick;
use super::punches::row::Row;
use super::punches::searches::Chip;
use super::punches::strip::Strip;
use super::{WebState, administrators, days, departments, me, terminals};
use crate::access::Action;
pub use people::{
    Account, AccountChange, Accounts, Employee, Employees, Import, ImportReport, LetIn, LinkConfirm, LinkForm,
};

macro_rules! page {
    ($($name:ident),*) => {$(
        impl $name {
            /// Writes the page.
            ///
            /// # Errors
            /// When the template fails.
            pub fn render_page(&self) -> Result<Html<String>, WebError> {
                Ok(Html(self.render()?))
            }
        }
    )*};
}

mod evidence;
mod sign_in;

pub use evidence::Evidence;

pub use sign_in::{Login, Second, Security, SecurityCodes, SecurityTotp, Setup, SetupGone};

page!(
    Departments,
    DepartmentClose,
    Administrators,
    OneAdministrator,
    Elsewhere,
    Oops,
    Punches,
    PunchesBlank,
    PunchesNewer,
    Punch,
    Event,
    DaysPeople,
    DaysRemarks,
    DaysMonth,
    DaysDay,
    Employees,
    Employee,
    Accounts,
    Account,
    AccountChange,
    Import,
    ImportReport,
    LetIn,
    TerminalDays,
    LinkForm,
    LinkConfirm,
    Looks
);

mod administration;

pub use administration::{
    Audit, Contracts, FirstAdministrator, Health, Looks, Me, Quarantine, Recorded, Retention, Settings,
};

/// One choice of a list.
#[derive(Debug, Clone)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What is shown.
    pub text: String,
    /// Whether it is chosen.
    pub chosen: bool,
}

impl Choice {
    /// A choice.
    #[must_use]
    pub fn new(value: &str, text: String, chosen: bool) -> Self {
        Self { value: value.to_owned(), text, chosen }
    }
}

/// A tab above a list.
#[derive(Debug, Clone)]
pub struct Segment {
    /// Where it leads.
    pub href: String,
    /// What it shows.
    pub text: String,
    /// How many rows that are; absent where that is not known.
    pub number: Option<usize>,
    /// Whether it is the one shown.
    pub current: bool,
    /// Last part of the drawing's name, empty for none.
    pub icon: &'static str,
}

impl Segment {
    /// The tab `value` of the list at `path`, which shows `show` and searches for `q`.
    #[must_use]
    pub fn new(path: &str, show: &str, value: &str, q: &str, text: String, number: usize) -> Self {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in [("show", value), ("q", q)] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        let query = query.finish();
        let href = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
        Self { href, text, number: Some(number), current: show == value, icon: "" }
    }

    /// The same without a number.
    #[must_use]
    pub fn uncounted(mut self) -> Self {
        self.number = None;
        self
    }

    /// Where else in a list of people a search finds somebody: address and words of each other tab that is not empty.
    #[must_use]
    pub fn elsewhere(segments: &[Self], c: &Chrome) -> Vec<(String, String)> {
        let found = |segment: &Self| {
            let number = segment.number.filter(|number| *number > 0 && !segment.current)?;
            let values = [("where", segment.text.as_str()), ("n", &number.to_string())];
            Some((segment.href.clone(), c.words().with("found-elsewhere", &values)))
        };
        segments.iter().filter_map(found).collect()
    }

    /// The same with a drawing.
    #[must_use]
    pub fn with_icon(mut self, icon: &'static str) -> Self {
        self.icon = icon;
        self
    }
}

/// How to get the first PC going.
#[derive(Debug, Clone)]
pub struct Steps {
    /// The server's address as PCs see it.
    pub url: String,
    /// 契約主コード.
    pub contract: String,
    /// Where the packages are.
    pub downloads: Option<String>,
}

impl Steps {
    /// The steps for a contract.
    #[must_use]
    pub fn new(state: &WebState, contract: String) -> Self {
        Self { url: state.public_url.clone(), contract, downloads: state.foot.downloads.clone() }
    }
}

/// 部署
#[derive(Debug, Clone, Template)]
#[template(path = "departments.html")]
pub struct Departments {
    /// Surroundings.
    pub c: Chrome,
    /// Rows, each after what it stands below.
    pub rows: Vec<departments::Row>,
    /// Departments there are.
    pub total: usize,
    /// Departments as a field takes them.
    pub choices: Vec<String>,
    /// Whether the forms are shown.
    pub may_change: bool,
    /// What was typed before.
    pub draft: departments::Draft,
}

/// Closing a 部署
#[derive(Debug, Clone, Template)]
#[template(path = "department-close.html")]
pub struct DepartmentClose {
    /// Surroundings.
    pub c: Chrome,
    /// The department.
    pub what: String,
    /// Its last date, when it has one.
    pub closed_on: Option<String>,
    /// Its people, those who have left last.
    pub people: Vec<departments::closing::Member>,
    /// How many more there are.
    pub left_out: usize,
    /// How many are still employed.
    pub staying: u64,
    /// Open departments right below it.
    pub below: usize,
    /// Where the form goes.
    pub address: String,
    /// The last date, as typed.
    pub last: String,
    /// What is wrong with it.
    pub last_error: String,
}

/// 利用者と権限
#[derive(Debug, Clone, Template)]
#[template(path = "administrators.html")]
pub struct Administrators {
    /// Surroundings.
    pub c: Chrome,
    /// Rows.
    pub rows: Vec<administrators::Row>,
    /// People there are.
    pub total: u64,
    /// How many are shown, in words.
    pub shown: String,
    /// The pages around it.
    pub turns: Turns,
    /// What is searched for.
    pub q: String,
    /// What the fields offer.
    pub choices: administrators::Choices,
    /// Roles, chosen when they must have a second factor; none for operators, for whom the server is set so.
    pub second_factor: Vec<Choice>,
    /// Whether these are the server's own people.
    pub of_server: bool,
    /// Whether the form is shown.
    pub may_change: bool,
    /// What was typed before.
    pub draft: administrators::Draft,
    /// A set-up link that has just been made.
    pub link: Option<administrators::Link>,
}

/// One person who signs in
#[derive(Debug, Clone, Template)]
#[template(path = "administrator.html")]
pub struct OneAdministrator {
    /// Surroundings.
    pub c: Chrome,
    /// Login.
    pub login: String,
    /// Address of this page.
    pub address: String,
    /// Whether it is the one who looks.
    pub myself: bool,
    /// What they sign in with besides the password, in words.
    pub means: String,
    /// Tokens of programs that count.
    pub tokens: usize,
    /// Whether there is anything to reset.
    pub has_means: bool,
    /// Whether they are disabled.
    pub disabled: bool,
    /// Whether a date is missing that the role needs.
    pub endless: bool,
    /// Class and drawing of the state.
    pub state: &'static str,
    /// The state in words.
    pub state_text: String,
    /// Until when the login has to wait, in words; empty when it need not.
    pub waits: String,
    /// What the fields offer.
    pub choices: administrators::Choices,
    /// The person, or what was typed.
    pub draft: administrators::Draft,
    /// A set-up link that has just been made.
    pub link: Option<administrators::Link>,
}

/// For people whose role opens no page.
#[derive(Debug, Clone, Template)]
#[template(path = "elsewhere.html")]
pub struct Elsewhere {
    /// Surroundings.
    pub c: Chrome,
}

/// A failure.
#[derive(Debug, Clone, Template)]
#[template(path = "error.html")]
pub struct Oops {
    /// Surroundings.
    pub c: Chrome,
    /// Number.
    pub status: u16,
    /// What happened.
    pub title: String,
    /// In a sentence.
    pub text: String,
    /// What to do.
    pub next: String,
    /// Number to quote.
    pub reference: String,
    /// Whether to offer signing in as somebody else.
    pub other_user: bool,
    /// Whether trying again may help.
    pub reload: bool,
}

impl Oops {
    /// The page of `status`; `away` when the database cannot be reached.
    #[must_use]
    pub fn new(c: Chrome, (status, away): (StatusCode, bool), need: Need, reference: String) -> Self {
        let kind = match status {
            StatusCode::SERVICE_UNAVAILABLE if away => "away",
            StatusCode::FORBIDDEN => "403",
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => "404",
            StatusCode::PAYLOAD_TOO_LARGE => "413",
            StatusCode::SERVICE_UNAVAILABLE => "503",
            status if status.is_client_error() => "400",
            _ => "500",
        };
        let text = |part: &str| c.t(&format!("oops-{kind}{part}"));
        let next = if kind == "403" { c.t(need.next_step()) } else { text("-next") };
        Self {
            status: status.as_u16(),
            title: text(""),
            text: text("-text"),
            next,
            reference,
            other_user: kind == "403",
            reload: status.is_server_error(),
            c,
        }
    }
}

/// 打刻ログ
#[derive(Debug, Clone, Template)]
#[template(path = "punches.html")]
pub struct Punches {
    /// Surroundings.
    pub c: Chrome,
    /// How many remarks wait to be read by whoever looks; empty for none.
    pub open_remarks: String,
    /// Strip above the list.
    pub strip: Strip,
    /// The query.
    pub asked: Asked,
    /// First date, empty for none.
    pub from: String,
    /// Last date, empty for none.
    pub to: String,
    /// Periods that move with the day.
    pub quick: Vec<Quick>,
    /// Kinds to choose from.
    pub kinds: Vec<Choice>,
    /// Causes of errors to choose from.
    pub causes: Vec<Choice>,
    /// Rows.
    pub rows: Vec<Row>,
    /// How many there are, empty when not known.
    pub count: String,
    /// The query in words.
    pub conditions_dots: String,
    /// The same, as a sentence.
    pub conditions_list: String,
    /// The pages around it.
    pub turns: Turns,
    /// Address of the file.
    pub csv: String,
    /// Address of the workbook.
    pub xlsx: String,
    /// Address of everything on one page, for paper.
    pub print: String,
    /// The query of the address, without the place.
    pub query: String,
    /// Saved searches.
    pub chips: Vec<Chip>,
    /// Whether a search can be shared.
    pub may_share: bool,
    /// Columns shown.
    pub columns: Columns,
    /// Columns to choose from.
    pub choices: Vec<Choice>,
    /// Where to ask for newer punches; absent below the first page.
    pub live: Option<String>,
    /// Address of the first page with this query.
    pub again: String,
    /// Address of the list without the drawer.
    pub close: String,
    /// Address with errors and others, when only errors are shown.
    pub without_errors: Option<String>,
    /// The list with what was seen, too, when only estimates were asked for.
    pub without_how: Option<String>,
    /// Address without a period, when there is one.
    pub without_period: Option<String>,
    /// Whether rows can be linked.
    pub may_link: bool,
    /// The punch in the drawer.
    pub drawer: Option<Detail>,
}

/// What has changed of 打刻ログ since somebody opened it: the first page again, without what stands around it.
#[derive(Debug, Clone, Template)]
#[template(path = "punches-newer.html")]
pub struct PunchesNewer {
    /// Surroundings.
    pub c: Chrome,
    /// Strip above the list.
    pub strip: Strip,
    /// Rows.
    pub rows: Vec<Row>,
    /// How many there are, empty when not known.
    pub count: String,
    /// Whether there are more behind these.
    pub more: bool,
    /// Columns shown.
    pub columns: Columns,
    /// Whether rows can be linked.
    pub may_link: bool,
}

/// 打刻ログ before the first punch
#[derive(Debug, Clone, Template)]
#[template(path = "punches-blank.html")]
pub struct PunchesBlank {
    /// Surroundings.
    pub c: Chrome,
    /// Strip above the list.
    pub strip: Strip,
    /// What to do.
    pub steps: Steps,
}

/// 打刻の詳細
#[derive(Debug, Clone, Template)]
#[template(path = "punch.html")]
pub struct Punch {
    /// Surroundings.
    pub c: Chrome,
    /// The punch.
    pub d: Detail,
    /// Address and name of the list that it stands in.
    pub back: (String, String),
}

/// イベントの詳細
#[derive(Debug, Clone, Template)]
#[template(path = "event.html")]
pub struct Event {
    /// Surroundings.
    pub c: Chrome,
    /// The event.
    pub e: EventView,
    /// Address and name of the page that it stands in.
    pub back: (String, String),
}

/// 日別記録: whose
#[derive(Debug, Clone, Template)]
#[template(path = "days-people.html")]
pub struct DaysPeople {
    /// Surroundings.
    pub c: Chrome,
    /// The month in words.
    pub month: String,
    /// Ways to other months.
    pub ways: days::month::Ways,
    /// Address of the month as a file; empty for none.
    pub csv: String,
    /// Whether it is the current month.
    pub current: bool,
    /// Tabs.
    pub segments: Vec<Segment>,
    /// Address and words of each other tab that has somebody whom this one has not.
    pub elsewhere: Vec<(String, String)>,
    /// What a search carries along.
    pub hidden: Vec<(&'static str, String)>,
    /// People.
    pub rows: Vec<days::PersonRow>,
    /// How many are shown, in words.
    pub shown: String,
    /// The pages around it.
    pub turns: Turns,
    /// What is searched for.
    pub q: String,
    /// How many remarks nobody has read yet, and how many of them are about days of other months; empty for none.
    pub remarked: (String, String),
}

/// 申告 of employees
#[derive(Debug, Clone, Template)]
#[template(path = "days-remarks.html")]
pub struct DaysRemarks {
    /// Surroundings.
    pub c: Chrome,
    /// Tabs.
    pub segments: Vec<Segment>,
    /// The choice, as the forms send it; empty for those that nobody has read.
    pub show: &'static str,
    /// Remarks, the newest first.
    pub rows: Vec<days::remarks::Row>,
    /// Where this page lies, as the forms send it: name and value; absent on the first.
    pub here: Option<(&'static str, String)>,
    /// How many are shown, in words.
    pub shown: String,
    /// The pages around it.
    pub turns: Turns,
}

/// 日別記録: a month
#[derive(Debug, Clone, Template)]
#[template(path = "days-month.html")]
pub struct DaysMonth {
    /// Surroundings.
    pub c: Chrome,
    /// Who.
    pub whose: days::Whose,
    /// The month in words.
    pub month: String,
    /// Ways to other months.
    pub ways: days::month::Ways,
    /// Address of the month as a file; empty for none.
    pub csv: String,
    /// Address and words of the page above.
    pub up: (String, String),
    /// Ways to other people.
    pub people: days::month::Besides,
    /// Lines of the hours.
    pub hours: Vec<days::picture::Hour>,
    /// Class and key of every kind of band.
    pub kinds: Vec<(&'static str, &'static str)>,
    /// Class and words of every state in the month.
    pub states: Vec<(&'static str, String)>,
    /// What the days come to.
    pub total: days::total::Total,
    /// That the day boundary cuts nights of the month.
    pub cut: Option<days::nights::CutNights>,
    /// Remarks of the month that hold.
    pub remarks: usize,
    /// Days.
    pub rows: Vec<days::month::Row>,
    /// Whether everything was read.
    pub whole: bool,
}

/// 日別記録: a day
#[derive(Debug, Clone, Template)]
#[template(path = "days-day.html")]
pub struct DaysDay {
    /// Surroundings.
    pub c: Chrome,
    /// Who.
    pub whose: days::Whose,
    /// Ways to other days.
    pub ways: days::day::Ways,
    /// Where something can be said about one's own day.
    pub remark: Option<String>,
    /// Class and key of every kind of band.
    pub kinds: Vec<(&'static str, &'static str)>,
    /// The day.
    pub day: days::day::DayView,
    /// What the employee said about the day.
    pub remarks: Vec<me::Said>,
    /// Whether everything was read.
    pub whole: bool,
}

/// What is known of the days of a terminal.
#[derive(Debug, Clone, Template)]
#[template(path = "terminal-days.html")]
pub struct TerminalDays {
    /// Surroundings.
    pub c: Chrome,
    /// Id of the terminal.
    pub id: String,
    /// PC name.
    pub host: String,
    /// Days, the newest first.
    pub rows: Vec<terminals::days::DayRow>,
}
