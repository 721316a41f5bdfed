//! Pages about one account, one employee, and files with them.

use askama::Template;

use super::super::chrome::{Chrome, Place};
use super::super::letting_in::Named;
use super::super::pages::Turns;
use super::super::{account, accounts, employees, imports, link};
use super::Segment;
use crate::access::Action;

/// One Windowsユーザー
#[derive(Debug, Clone, Template)]
#[template(path = "account.html")]
pub struct Account {
    /// Surroundings.
    pub c: Chrome,
    /// `DOMAIN\name`.
    pub name: String,
    /// SID or Linux key.
    pub key: String,
    /// UPN, empty when unknown.
    pub upn: String,
    /// When it was first seen.
    pub first: String,
    /// When it was last seen.
    pub last: String,
    /// Punches that wait.
    pub waiting: u64,
    /// Date of the first of them.
    pub since: String,
    /// Why they wait although it is linked, and what to do; empty where it is not.
    pub why: String,
    /// Address and words of each way out of that.
    pub ways: Vec<(String, String)>,
    /// Address of this page.
    pub address: String,
    /// Address of its punches.
    pub punches: String,
    /// Address of the form that links it.
    pub link: String,
    /// Names it has had: since when, and which.
    pub names: Vec<(String, String)>,
    /// Links, newest first.
    pub history: Vec<account::HistoryRow>,
    /// Accounts of the same name: address, name, whose.
    pub same: Vec<(String, String, String)>,
    /// Whether links can be changed.
    pub may_change: bool,
    /// What was typed before.
    pub draft: account::Draft,
}

/// What a change of links would do
#[derive(Debug, Clone, Template)]
#[template(path = "account-change.html")]
pub struct AccountChange {
    /// Surroundings.
    pub c: Chrome,
    /// `DOMAIN\name`.
    pub name: String,
    /// Address of the account, or the employee.
    pub back: String,
    /// Where the form goes.
    pub action: String,
    /// The change in words.
    pub what: String,
    /// Why somebody should think again; empty for nothing.
    pub warning: String,
    /// What happens to the punches.
    pub result: String,
    /// Punches that become errors.
    pub errors: u64,
    /// Employees whose days change.
    pub employees: Vec<account::Changed>,
    /// The form's fields.
    pub hidden: Vec<(String, String)>,
}

/// Windowsユーザー
#[derive(Debug, Clone, Template)]
#[template(path = "accounts.html")]
pub struct Accounts {
    /// Surroundings.
    pub c: Chrome,
    /// Tabs.
    pub segments: Vec<Segment>,
    /// Address of the whole as a file; empty where it is not given.
    pub csv: String,
    /// Rows.
    pub rows: Vec<accounts::Row>,
    /// How many are shown, in words.
    pub shown: String,
    /// The pages around it.
    pub turns: Turns,
    /// What is searched for.
    pub q: String,
    /// The tab shown.
    pub show: String,
    /// Whether links can be changed.
    pub may_change: bool,
    /// Whether files can be taken in.
    pub may_import: bool,
    /// Address and words of what takes all suggestions of one reason.
    pub reasons: Vec<(String, String)>,
    /// What is to be known of accounts that are linked by themselves.
    pub by_sid: accounts::BySid,
    /// Why the list is empty, where it is.
    pub blank: accounts::Blank,
    /// What is to be known of the list, in words; empty for nothing.
    pub note: String,
    /// Accounts that wait for a link.
    pub waiting: u64,
    /// Their punches.
    pub waiting_punches: u64,
}

/// Taking in a file
#[derive(Debug, Clone, Template)]
#[template(path = "import.html")]
pub struct Import {
    /// Surroundings.
    pub c: Chrome,
    /// Title.
    pub title: String,
    /// Address of the list.
    pub back: String,
    /// Its name.
    pub back_text: String,
    /// Where the file is sent.
    pub address: String,
    /// Address of the empty file.
    pub template: String,
    /// Address of what is registered, as such a file.
    pub master: String,
    /// What the file of accounts that wait is; absent for other files.
    pub waiting: Option<String>,
    /// Columns of the file.
    pub columns: String,
    /// How large it may be.
    pub limits: String,
    /// What a column that is not there means; empty where every one is needed.
    pub absent: String,
    /// What its columns of a directory are good for; empty where there are none.
    pub directory: String,
}

/// What taking in a file would do
#[derive(Debug, Clone, Template)]
#[template(path = "import-report.html")]
pub struct ImportReport {
    /// Surroundings.
    pub c: Chrome,
    /// Title.
    pub title: String,
    /// Address of the upload.
    pub back: String,
    /// Address of the decision.
    pub address: String,
    /// The encoding, in words.
    pub encoding: String,
    /// Which columns are read and which are not, in words.
    pub columns: Vec<String>,
    /// Title and text of what to look at first.
    pub warnings: Vec<(String, String)>,
    /// How many values would be lost, in words; empty for none.
    pub erases: String,
    /// Which lines can be looked at.
    pub segments: Vec<Segment>,
    /// How many lines of which fate.
    pub sums: String,
    /// What becomes of stored punches, in words.
    pub rejudging: String,
    /// Whether some of them become errors.
    pub breaks: bool,
    /// Wrong lines.
    pub wrong: usize,
    /// Departments that are not there yet.
    pub departments: imports::NewNames,
    /// Lines that would be written.
    pub writes: usize,
    /// Lines.
    pub rows: Vec<imports::Reported>,
    /// Which lines these are, in words.
    pub shown: String,
    /// The pages around it.
    pub turns: Turns,
}

/// 社員
#[derive(Debug, Clone, Template)]
#[template(path = "employees.html")]
pub struct Employees {
    /// Surroundings.
    pub c: Chrome,
    /// Tabs.
    pub segments: Vec<Segment>,
    /// Address of the whole as a file; empty where it is not given.
    pub csv: String,
    /// Address and words of each other tab that has somebody whom this one has not.
    pub elsewhere: Vec<(String, String)>,
    /// Rows.
    pub rows: Vec<employees::Row>,
    /// How many are shown, in words.
    pub shown: String,
    /// The pages around it.
    pub turns: Turns,
    /// Employees who have not left.
    pub active: usize,
    /// What is searched for.
    pub q: String,
    /// The tab shown.
    pub show: String,
    /// Departments there are.
    pub departments: Vec<String>,
    /// Whether the form is shown.
    pub may_change: bool,
    /// Whether employees can be let see their own records from here.
    pub may_let_in: bool,
    /// Whether the list has more pages than this.
    pub more: bool,
    /// What was typed before.
    pub draft: employees::Draft,
}

/// One 社員
#[derive(Debug, Clone, Template)]
#[template(path = "employee.html")]
pub struct Employee {
    /// Surroundings.
    pub c: Chrome,
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Reading.
    pub kana: String,
    /// Department.
    pub department: String,
    /// From when to when they are employed, in words.
    pub period: String,
    /// Whether they have left.
    pub gone: bool,
    /// Address of this page.
    pub address: String,
    /// Address of their punches.
    pub punches: String,
    /// Address of this month's.
    pub this_month: String,
    /// Address of their days of this month, for those who may see them.
    pub days: Option<String>,
    /// Links, newest first.
    pub history: Vec<account::HistoryRow>,
    /// Departments there are.
    pub departments: Vec<String>,
    /// Whether the pages of accounts can be opened.
    pub opens_accounts: bool,
    /// Whether the form is shown.
    pub may_change: bool,
    /// What was typed, or what is known.
    pub draft: employees::Draft,
}

/// Windowsユーザー名のマスタ登録
#[derive(Debug, Clone, Template)]
#[template(path = "link.html")]
pub struct LinkForm {
    /// Surroundings.
    pub c: Chrome,
    /// What was typed and what is known, for each account.
    pub rows: Vec<(link::Draft, link::Facts)>,
    /// Accounts.
    pub users: usize,
    /// Where it was opened.
    pub back: String,
    /// Words for that.
    pub back_text: String,
    /// Punches that wait.
    pub waiting: u64,
    /// Text before and after that number.
    pub around: (String, String),
    /// Employees to choose from.
    pub suggestions: Vec<String>,
    /// Address and words of each problem.
    pub wrong: Vec<(String, String)>,
}

/// 登録内容の確認
#[derive(Debug, Clone, Template)]
#[template(path = "link-confirm.html")]
pub struct LinkConfirm {
    /// Surroundings.
    pub c: Chrome,
    /// Lines.
    pub lines: Vec<link::Line>,
    /// Punches that are judged again.
    pub total: u64,
    /// Text before and after that number.
    pub around: (String, String),
    /// Punches that keep their error.
    pub left: u64,
    /// The form's fields.
    pub hidden: Vec<(String, String)>,
    /// Address of the form.
    pub back: String,
    /// Whether everything is left out.
    pub nothing: bool,
    /// That these are not all suggestions, in words.
    pub rest: Option<String>,
}

/// Letting employees see their own records
#[derive(Debug, Clone, Template)]
#[template(path = "let-in.html")]
pub struct LetIn {
    /// Surroundings.
    pub c: Chrome,
    /// What it does and to how many.
    pub text: String,
    /// Who they are.
    pub people: Named,
    /// What is to be known of those whose code is no login, and who they are.
    pub nameless: Option<(String, Named)>,
    /// Who is meant, as the list says it.
    pub hidden: Vec<(String, String)>,
    /// How long the links count, and that they are not shown again.
    pub hours: String,
}
