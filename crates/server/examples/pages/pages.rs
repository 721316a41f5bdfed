//! The pages that are measured, with arguments that are different each time.

use jiff::civil::Date;
use mngntime_model::UtcMillis;
use mngntime_store::{Role, local_date};

use super::company::{department_name, employee_code};
use super::world::{Place, World, account_key, page_key};

/// One page with one way of asking.
pub struct Page {
    pub name: &'static str,
    pub role: Role,
    /// The address of the request with this number.
    pub address: fn(&World, usize) -> String,
    /// A file that is made while it is sent: its first byte is waited for.
    pub file: bool,
}

const fn page(name: &'static str, role: Role, address: fn(&World, usize) -> String) -> Page {
    Page { name, role, address, file: false }
}

const fn file(name: &'static str, role: Role, address: fn(&World, usize) -> String) -> Page {
    Page { name, role, address, file: true }
}

fn nth<T>(all: &[T], n: usize) -> &T {
    &all[n % all.len()]
}

fn date_of(place: &Place) -> Date {
    local_date(UtcMillis(place.occurred_at))
}

fn month_of(place: &Place) -> String {
    date_of(place).to_string()[..7].to_owned()
}

fn today(w: &World) -> Date {
    local_date(UtcMillis(w.span.1))
}

/// A text as a value in an address.
fn value(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Names and readings as people type them.
const TYPED: [&str; 8] = ["佐藤", "やまだ", "ハナコ", "E0012", "tanaka", "いちろう", "高橋 翔", "nobody"];

fn typed(n: usize) -> String {
    value(TYPED[n % TYPED.len()])
}

/// Employees of whom PCs tell of locks and sleeps; with 10,000 there are 200.
fn dense(n: usize, w: &World) -> String {
    let most = w.counts.iter().find(|(word, _)| *word == "employees").map_or(1, |(_, count)| *count);
    let groups = (most.unsigned_abs() / 50).max(1);
    employee_code((n as u64 % groups) * 50 + 1)
}

fn days_before(w: &World, n: usize) -> Date {
    let days = jiff::Span::new().days(i64::try_from(n % 80).unwrap_or(0));
    today(w).checked_sub(days).unwrap_or(Date::MIN)
}

/// Everything that is measured.
pub fn pages() -> Vec<Page> {
    [punches(), punches_of(), days(), people(), accounts(), terminals(), administration(), own(), others()]
        .into_iter()
        .flatten()
        .collect()
}

fn punches() -> Vec<Page> {
    use Role::Administrator as A;
    vec![
        page("punches, newest", A, |_, _| "/punches".into()),
        page("punches, any depth", A, |w, n| format!("/punches?after={}", page_key(nth(&w.punches, n)))),
        page("punches of a day", A, |w, n| {
            let day = date_of(nth(&w.punches, n));
            format!("/punches?from={day}&to={day}")
        }),
        page("punches of a month", A, |w, n| {
            let day = date_of(nth(&w.punches, n));
            format!("/punches?from={}&to={}", day.first_of_month(), day.last_of_month())
        }),
        page("punches, errors", A, |_, _| "/punches?errors=1".into()),
        page("punches, errors, any depth", A, |w, n| {
            format!("/punches?errors=1&after={}", page_key(nth(&w.errors, n)))
        }),
        page("punches, errors of a month", A, |w, n| {
            let day = date_of(nth(&w.errors, n));
            format!("/punches?errors=1&from={}&to={}", day.first_of_month(), day.last_of_month())
        }),
        page("punches, estimates", A, |_, _| "/punches?how=inferred".into()),
        page("punches, estimates of an employee's month", A, |w, n| {
            let day = date_of(nth(&w.punches, n));
            let (from, to) = (day.first_of_month(), day.last_of_month());
            format!("/punches?employee={}&how=inferred&from={from}&to={to}", nth(&w.employees, n).1)
        }),
        page("punches, logoffs, any depth", A, |w, n| {
            format!("/punches?kind=logoff&after={}", page_key(nth(&w.punches, n)))
        }),
        page("punches, errors at logoff", A, |_, _| "/punches?errors=1&kind=logoff".into()),
    ]
}

fn punches_of() -> Vec<Page> {
    use Role::Administrator as A;
    vec![
        page("punches of an employee", A, |w, n| format!("/punches?employee={}", nth(&w.employees, n).1)),
        page("punches of an employee, any depth", A, |w, n| {
            let after = page_key(nth(&w.punches, n));
            format!("/punches?employee={}&after={after}", nth(&w.employees, n).1)
        }),
        page("punches, errors of an employee", A, |w, n| {
            format!("/punches?errors=1&employee={}", nth(&w.employees, n).1)
        }),
        page("punches of an account", A, |w, n| {
            format!("/punches?account={}", value(&nth(&w.accounts, n).1))
        }),
        page("punches of an account nobody knows", A, |w, n| {
            format!("/punches?account={}", value(&nth(&w.strangers, n).1))
        }),
        page("punches of a terminal", A, |w, n| format!("/punches?terminal={}", nth(&w.hosts, n))),
        page("punches of a terminal, errors of a month", A, |w, n| {
            let day = date_of(nth(&w.punches, n));
            let (from, to) = (day.first_of_month(), day.last_of_month());
            format!("/punches?terminal={}&errors=1&from={from}&to={to}", nth(&w.hosts, n))
        }),
        page("punches, with one open", A, |w, n| {
            let place = nth(&w.punches, n);
            format!("/punches?after={}&open={}.{}", page_key(place), place.terminal, place.sequence)
        }),
        page("punches, what is new", A, |w, n| {
            format!("/punches/newer?than={}", page_key(nth(&w.punches, n)))
        }),
        page("one punch", A, |w, n| {
            let place = nth(&w.punches, n);
            format!("/punches/{}/{}", place.terminal, place.sequence)
        }),
        page("one punch with an error", A, |w, n| {
            let place = nth(&w.errors, n);
            format!("/punches/{}/{}", place.terminal, place.sequence)
        }),
        file("punches as CSV, all", A, |_, _| "/punches.csv".into()),
        file("punches as CSV, an employee", A, |w, n| {
            format!("/punches.csv?employee={}", nth(&w.employees, n).1)
        }),
        // A workbook is made whole before its first byte is sent.
        file("punches as Excel, an employee", A, |w, n| {
            format!("/punches.xlsx?employee={}", nth(&w.employees, n).1)
        }),
    ]
}

fn days() -> Vec<Page> {
    use Role::Administrator as A;
    vec![
        page("people of the days", A, |_, _| "/days".into()),
        page("people of the days, next page", A, |w, n| format!("/days?after={}", nth(&w.employees, n).1)),
        page("people of the days, a month", A, |w, n| {
            format!("/days?month={}&after={}", month_of(nth(&w.punches, n)), nth(&w.employees, n).1)
        }),
        file("days of a month as CSV", A, |w, n| format!("/days.csv?month={}", month_of(nth(&w.punches, n)))),
        page("people of the days, search", A, |_, n| format!("/days?q={}", typed(n))),
        page("a month, PC tells of locks", A, |w, n| {
            let month = days_before(w, n * 7).to_string();
            format!("/days?employee={}&month={}", dense(n, w), &month[..7])
        }),
        page("a month", A, |w, n| {
            format!("/days?employee={}&month={}", nth(&w.employees, n).1, month_of(nth(&w.punches, n)))
        }),
        page("a day, PC tells of locks", A, |w, n| {
            format!("/days/{}/{}", dense(n, w), days_before(w, n * 7))
        }),
        page("a day", A, |w, n| format!("/days/{}/{}", nth(&w.employees, n).1, date_of(nth(&w.punches, n)))),
    ]
}

fn people() -> Vec<Page> {
    use Role::Administrator as A;
    vec![
        page("employees", A, |_, _| "/employees".into()),
        page("employees, next page", A, |w, n| format!("/employees?after={}", nth(&w.employees, n).1)),
        page("employees, search", A, |_, n| format!("/employees?q={}", typed(n))),
        page("employees without an account", A, |_, _| "/employees?show=alone".into()),
        page("employees who have left", A, |_, _| "/employees?show=gone".into()),
        page("one employee", A, |w, n| format!("/employees/{}", nth(&w.employees, n).0)),
        page("employees to choose from", A, |_, n| format!("/employees/offered?q={}", typed(n))),
        page("evidence of an employee", A, |w, n| format!("/employees/{}/evidence", nth(&w.employees, n).0)),
        page("employees, upload", A, |_, _| "/employees/import".into()),
        page("employees, report of an upload of 1,000 lines", A, |w, _| import(w, "employees")),
        page("departments", A, |_, _| "/departments".into()),
    ]
}

fn import(w: &World, kind: &str) -> String {
    let id = w.imports.iter().find(|(_, known)| known == kind).map_or("", |(id, _)| id.as_str());
    format!("/{kind}/import/{id}")
}

fn accounts() -> Vec<Page> {
    use Role::Administrator as A;
    vec![
        page("accounts", A, |_, _| "/accounts".into()),
        page("accounts, next page", A, |w, n| {
            format!("/accounts?after={}", account_key(&nth(&w.accounts, n).0, false))
        }),
        page("accounts that wait", A, |_, _| "/accounts?show=waiting".into()),
        page("accounts that wait, next page", A, |w, n| {
            format!("/accounts?show=waiting&after={}", account_key(&nth(&w.strangers, n).0, true))
        }),
        page("accounts with a last date", A, |_, _| "/accounts?show=limited".into()),
        page("accounts that have ended", A, |_, _| "/accounts?show=ended".into()),
        page("accounts, search", A, |_, n| format!("/accounts?q={}", typed(n))),
        page("one account", A, |w, n| format!("/accounts/{}", nth(&w.accounts, n).0)),
        page("one account that waits", A, |w, n| format!("/accounts/{}", nth(&w.strangers, n).0)),
        page("link an account", A, |w, n| format!("/accounts/link?account={}", nth(&w.strangers, n).0)),
        page("link ten accounts", A, |w, n| {
            let all = (0..10).map(|more| format!("account={}", nth(&w.strangers, n * 10 + more).0));
            format!("/accounts/link?{}", all.collect::<Vec<_>>().join("&"))
        }),
        page("accounts suggested by code", A, |_, _| "/accounts/suggested?reason=code".into()),
        page("accounts suggested by an earlier link", A, |_, _| "/accounts/suggested?reason=earlier".into()),
        page("accounts suggested by reading", A, |_, _| "/accounts/suggested?reason=reading".into()),
        page("accounts, report of an upload of 1,000 lines", A, |w, _| import(w, "accounts")),
    ]
}

fn terminals() -> Vec<Page> {
    use Role::Administrator as A;
    vec![
        page("terminals", A, |_, _| "/terminals".into()),
        page("terminals, each filter", A, |_, n| {
            let shows = [
                "ok",
                "late",
                "silent",
                "silent-7",
                "silent-30",
                "blocked",
                "duplicate",
                "missing",
                "old",
                "clock",
                "spool",
                "makeup",
                "retired",
            ];
            format!("/terminals?show={}", nth(&shows, n))
        }),
        page("terminals, each order", A, |_, n| {
            format!("/terminals?sort={}", nth(&["name", "contact", "waiting"], n))
        }),
        page("terminals, next page", A, |w, n| format!("/terminals?after=9.{}", nth(&w.terminals, n))),
        page("terminals, search", A, |w, n| {
            format!("/terminals?q={}", if n % 2 == 0 { "debian" } else { &nth(&w.hosts, n)[..6] })
        }),
        page("one terminal", A, |w, n| format!("/terminals/{}", nth(&w.terminals, n))),
        page("days of a terminal", A, |w, n| format!("/terminals/{}/days", nth(&w.terminals, n))),
        page("ask before blocking", A, |w, n| format!("/terminals/{}/block", nth(&w.terminals, n))),
        page("ask before blocking twenty", A, |w, n| {
            let all = (0..20).map(|more| format!("terminal={}", nth(&w.terminals, n * 20 + more)));
            format!("/terminals/bulk?do=block&{}", all.collect::<Vec<_>>().join("&"))
        }),
        page("roll-out", A, |_, _| "/terminals/enroll".into()),
        page("enrolment keys", A, |_, _| "/terminals/keys".into()),
        file("terminals as CSV", A, |_, _| "/terminals.csv".into()),
    ]
}

fn administration() -> Vec<Page> {
    use Role::Administrator as A;
    vec![
        page("people who sign in", A, |_, _| "/administrators".into()),
        page("people who sign in, next page", A, |w, n| {
            format!("/administrators?after={}", nth(&w.employees, n).1.to_lowercase())
        }),
        page("people who sign in, search", A, |w, n| {
            format!("/administrators?q={}", nth(&w.employees, n).1.to_lowercase())
        }),
        page("one who signs in", A, |w, n| format!("/administrators/{}", nth(&w.administrators, n))),
        page("audit log", A, |_, _| "/audit".into()),
        page("audit log, any depth", A, |w, n| format!("/audit?after={}", nth(&w.audit, n))),
        page("audit log of a person", A, |_, n| format!("/audit?who=officer{}", n % 20)),
        page("audit log of an action", A, |_, n| {
            format!(
                "/audit?action={}",
                nth(&["view_record", "link_account", "enroll_terminal", "sign_in"], n)
            )
        }),
        page("audit log of a person and an action", A, |_, n| {
            format!("/audit?who=officer{}&action={}", n % 20, nth(&["link_account", "block_terminal"], n))
        }),
        page("audit log of an object, a month", A, |w, n| {
            let day = date_of(nth(&w.punches, n));
            let (from, to) = (day.first_of_month(), day.last_of_month());
            format!("/audit?object={}&from={from}&to={to}", nth(&w.employees, n).1)
        }),
        file("audit log as CSV", A, |_, _| "/audit.csv".into()),
        page("settings", A, |_, _| "/settings".into()),
        page("sign-in means", A, |_, _| "/me/security".into()),
    ]
}

fn own() -> Vec<Page> {
    use Role::Employee as E;
    vec![
        page("own record", E, |_, _| "/me".into()),
        page("own record, a month", E, |w, n| format!("/me?month={}", month_of(nth(&w.punches, n)))),
        page("what is recorded", E, |_, _| "/me/recorded".into()),
        file("own record as CSV", E, |_, _| "/me.csv".into()),
        file("own record as JSON", E, |_, _| "/me.json".into()),
    ]
}

/// The same pages for those who see less, and those that others see.
fn others() -> Vec<Page> {
    use Role::{Approver, Auditor, HumanResources, InformationTechnology, Operator};
    vec![
        page("punches, newest", HumanResources, |_, _| "/punches".into()),
        page("punches, newest", Auditor, |_, _| "/punches".into()),
        page("punches, newest", Approver, |_, _| "/punches".into()),
        page("punches, any depth", Approver, |w, n| {
            format!("/punches?after={}", page_key(nth(&w.punches, n)))
        }),
        page("punches, errors", Approver, |_, _| "/punches?errors=1".into()),
        page("punches of a month", Approver, |w, n| {
            let day = date_of(nth(&w.punches, n));
            format!("/punches?from={}&to={}", day.first_of_month(), day.last_of_month())
        }),
        page("people of the days", Approver, |_, _| "/days".into()),
        page("people of the days, search", Approver, |_, n| format!("/days?q={}", typed(n))),
        page("terminals", InformationTechnology, |_, _| "/terminals".into()),
        page("health", InformationTechnology, |_, _| "/health".into()),
        page("health", Operator, |_, _| "/health".into()),
        page("contracts", Operator, |_, _| "/contracts".into()),
        page("contracts, next page", Operator, |_, n| format!("/contracts?after=C-{:04}", n % 300)),
        page("contracts, search", Operator, |_, n| format!("/contracts?q={}", n % 300)),
        page("quarantine", Operator, |_, _| "/contracts/quarantine".into()),
        page("audit log", Operator, |_, _| "/audit".into()),
    ]
}

/// A department of the approver, for the heading of the table.
pub fn approver_of() -> String {
    department_name(20)
}
