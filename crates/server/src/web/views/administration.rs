//! The templates of settings, contracts, the audit log, health, and one's own record.

use askama::Template;
use axum::response::Html;

use super::super::administrators::Link;
use super::super::chrome::{Chrome, Place};
use super::super::errors::WebError;
use super::super::pages::Turns;
use super::super::{
    audit, contracts, days, first_administrator, health, me, quarantine, retention, settings,
};
use super::Choice;
use crate::access::Action;

page!(Audit, Health, Settings, Retention, Contracts, FirstAdministrator, Quarantine, Me, Recorded);

/// 監査ログ
#[derive(Debug, Clone, Template)]
#[template(path = "audit.html")]
pub struct Audit {
    /// Surroundings.
    pub c: Chrome,
    /// Rows.
    pub rows: Vec<audit::Row>,
    /// How many are shown, in words.
    pub shown: String,
    /// The pages around it.
    pub turns: Turns,
    /// Address of the file.
    pub csv: String,
    /// The query in words.
    pub conditions: String,
    /// Actions to choose from.
    pub actions: Vec<Choice>,
    /// Person as typed.
    pub who: String,
    /// What is no user, to choose from.
    pub by: Vec<Choice>,
    /// Object as typed.
    pub object: String,
    /// First date, empty for none.
    pub from: String,
    /// Last date, empty for none.
    pub to: String,
    /// Whether it is the log of what belongs to no contract.
    pub of_server: bool,
}

/// システム状態
#[derive(Debug, Clone, Template)]
#[template(path = "health.html")]
pub struct Health {
    /// Surroundings.
    pub c: Chrome,
    /// The worst of all lines.
    pub worst: health::Level,
    /// The same in words.
    pub worst_text: String,
    /// Lines.
    pub lines: Vec<health::Line>,
    /// Logs of the contracts; none for a contract's own people.
    pub logs: Vec<health::LogRow>,
}

/// 設定
#[derive(Debug, Clone, Template)]
#[template(path = "settings.html")]
pub struct Settings {
    /// Surroundings.
    pub c: Chrome,
    /// 契約主コード.
    pub code: String,
    /// Whether the contract may be used, in words.
    pub status: String,
    /// Whether it includes logon punches, in words.
    pub option: String,
    /// How often PCs give a sign of life, with its unit.
    pub contact: String,
    /// Years to choose from.
    pub retention: Vec<Choice>,
    /// Languages to choose from.
    pub languages: Vec<Choice>,
    /// Minutes without use to choose from.
    pub idle: Vec<Choice>,
    /// Whether the form can be sent.
    pub may_change: bool,
    /// What is chosen, or was typed.
    pub draft: settings::Draft,
}

/// 保存期間と削除
#[derive(Debug, Clone, Template)]
#[template(path = "retention.html")]
pub struct Retention {
    /// Surroundings.
    pub c: Chrome,
    /// Whether months are deleted when their time is over.
    pub retires: bool,
    /// How long records are kept, in words.
    pub years: String,
    /// Months that are there, the oldest ones.
    pub planned: Vec<retention::MonthRow>,
    /// How many more there are.
    pub more: u64,
    /// Months that are gone, the newest first.
    pub retired: Vec<retention::MonthRow>,
    /// Holds.
    pub holds: Vec<retention::HoldRow>,
    /// Whether the forms can be sent.
    pub may_change: bool,
    /// What was typed.
    pub draft: retention::Draft,
}

/// 契約
#[derive(Debug, Clone, Template)]
#[template(path = "contracts.html")]
pub struct Contracts {
    /// Surroundings.
    pub c: Chrome,
    /// Rows.
    pub rows: Vec<contracts::Row>,
    /// Contracts there are.
    pub total: u64,
    /// How many are shown, in words.
    pub shown: String,
    /// The pages around it.
    pub turns: Turns,
    /// What is searched for.
    pub q: String,
    /// Messages in quarantine.
    pub quarantined: u64,
    /// Whether the forms are shown.
    pub may_change: bool,
    /// What was typed before.
    pub draft: contracts::Draft,
    /// A contract that has just been made.
    pub made: Option<contracts::Made>,
}

/// The first administrator of a contract
#[derive(Debug, Clone, Template)]
#[template(path = "first-administrator.html")]
pub struct FirstAdministrator {
    /// Surroundings.
    pub c: Chrome,
    /// Code and name of the contract.
    pub contract: String,
    /// Where the form is sent.
    pub address: String,
    /// What was typed before.
    pub draft: first_administrator::Draft,
    /// The link that has just been made.
    pub link: Option<Link>,
}

/// 隔離
#[derive(Debug, Clone, Template)]
#[template(path = "quarantine.html")]
pub struct Quarantine {
    /// Surroundings.
    pub c: Chrome,
    /// Rows.
    pub rows: Vec<quarantine::Held>,
    /// Messages that are kept.
    pub kept: u64,
    /// How full it is.
    pub full_percent: u64,
    /// Messages that found no room.
    pub counted_only: u64,
    /// When the newest came, for whoever may empty it.
    pub last: Option<i64>,
    /// How many are shown, in words.
    pub shown: String,
    /// The pages around it.
    pub turns: Turns,
}

/// 自分の記録
#[derive(Debug, Clone, Template)]
#[template(path = "me.html")]
pub struct Me {
    /// Surroundings.
    pub c: Chrome,
    /// Code and name.
    pub owner: (String, String),
    /// Days, the newest first.
    pub days: Vec<me::Day>,
    /// What the days come to.
    pub total: days::total::Total,
    /// Address of the month as others see it.
    pub pictures: String,
    /// The month in words.
    pub month: String,
    /// The month as the field takes it.
    pub month_value: String,
    /// Address of the month before.
    pub before: Option<String>,
    /// Address of the month after.
    pub after: Option<String>,
    /// Until when a night belongs to the day before.
    pub begins: String,
    /// How long records are kept, in words.
    pub retention: String,
    /// Whether the files are offered.
    pub may_export: bool,
    /// Whether the form is shown.
    pub may_remark: bool,
    /// Whether all punches of the month are shown.
    pub complete: bool,
    /// What was typed before.
    pub draft: me::Draft,
    /// Who has looked at it lately.
    pub looks: Vec<me::looks::Look>,
}

/// 自分の記録を見た人
#[derive(Debug, Clone, Template)]
#[template(path = "looks.html")]
pub struct Looks {
    /// Surroundings.
    pub c: Chrome,
    /// Looks, the newest first.
    pub rows: Vec<me::looks::Look>,
    /// How many, in words.
    pub shown: String,
    /// The pages around this one.
    pub turns: Turns,
}

/// 記録される内容
#[derive(Debug, Clone, Template)]
#[template(path = "recorded.html")]
pub struct Recorded {
    /// Surroundings.
    pub c: Chrome,
    /// What each event says.
    pub parts: Vec<(String, String)>,
    /// What this server keeps besides.
    pub here: Vec<(String, String)>,
    /// Kinds of events.
    pub kinds: String,
    /// Ways of knowing.
    pub evidence: String,
    /// What is never recorded.
    pub never: Vec<String>,
    /// How long records are kept, in words.
    pub retention: String,
}
