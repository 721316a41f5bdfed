//! How the database goes about the lists: never through a whole table of punches or people.
//!
//! Every query that runs on this thread while a test looks is explained, so that a query cannot be forgotten here.

use std::cell::RefCell;

use jiff::civil::date;
use mngntime_model::{EventKind, TerminalId, UtcMillis};
use uuid::Uuid;

use super::{
    administrators, alike, changing, contracts, day_summaries, days, department_texts, employee_lines,
    link_lines, links_by_sid, lists, punches, remarks, schema, suggesting, terminal_names,
};
use crate::ports::{
    AccountKey, AccountShow, Beside, Day, Directory, EmployeeChoice, EmployeeColumns, EmployeeShow,
    ErrorCause, LinkLine, LinkRequest, NewEmployee, PageKey, PunchFilter, Reason, RemarkKey, RemarkShow,
    Scope, ScopedPeople, Sid, Upn,
};
use crate::sql::Connection;
use crate::{AccountId, ContractId, DepartmentId, EmployeeId, RemarkId};

thread_local! {
    static SEEN: RefCell<Option<Vec<(String, String)>>> = const { RefCell::new(None) };
}

/// Explains `sql`, while somebody looks.
pub(super) fn note(connection: &Connection, sql: &str) {
    SEEN.with_borrow_mut(|seen| {
        if let Some(seen) = seen {
            let mut plan =
                connection.sqlite().unwrap().prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            // Values are not needed for a plan.
            let mut lines = plan.raw_query();
            while let Some(line) = lines.next().unwrap() {
                seen.push((line.get(3).unwrap(), sql.to_owned()));
            }
        }
    });
}

/// The steps of every query of `work`, each with its query.
fn look(work: impl FnOnce(&Connection)) -> Vec<(String, String)> {
    let directory = tempfile::tempdir().unwrap();
    let connection = schema::open_for_writing(&directory.path().join("x.db")).unwrap();
    let connection = Connection::from(connection);
    connection
        .execute_batch(
            "INSERT INTO contracts VALUES (1, 'a', 'a', 'active', 1, 0);
             INSERT INTO terminals (contract_id, id, public_key, host_name, os, makeup, key_class, agent_version,
                 status, enrolled_at) VALUES (1, x'02020202020242028202020202020202', 'k', 'h', 'o', 'm', 'file', 'v',
                 'active', 0);
             INSERT INTO employees (contract_id, id, code, name) VALUES
                 (1, x'01010101010101010101010101010101', 'E1', 'n');
             INSERT INTO accounts (contract_id, id, key, domain, name, first_seen_at, last_seen_at) VALUES
                 (1, x'01010101010101010101010101010101', 's1', 'D', 'hanako.yamada', 0, 0),
                 (1, x'03030303030303030303030303030303', 's2', 'D', 'taro.sato', 0, 0);
             UPDATE accounts SET key = 'S-1-5-21-1', upn = 'n@example.com' WHERE key = 's1';
             INSERT INTO account_links (contract_id, id, account_id, employee_id, from_date, created_at, created_by)
                 VALUES (1, x'01010101010101010101010101010101', x'03030303030303030303030303030303',
                 x'01010101010101010101010101010101', '2026-01-01', 0, 'x');
             INSERT INTO events VALUES (1, x'02020202020242028202020202020202', 1, x'00', '{}', 5, 5, 0, 0, NULL);
             INSERT INTO punches (contract_id, occurred_at, terminal_id, seq, kind, evidence, received_at, resent,
                 account_id, local_date, makeup_changed, res) VALUES (1, 5, x'02020202020242028202020202020202', 1,
                 'logon', 'notice', 5, 0, x'01010101010101010101010101010101', '2026-06-17', 0, 7);",
        )
        .unwrap();
    SEEN.set(Some(Vec::new()));
    work(&connection);
    SEEN.take().unwrap()
}

const CONTRACT: ContractId = ContractId(1);

/// The pages on both sides of a row.
fn both(key: &str) -> [Option<Beside<String>>; 2] {
    [Some(Beside::After(key.to_owned())), Some(Beside::Before(key.to_owned()))]
}

fn account() -> AccountId {
    AccountId(Uuid::from_bytes([1; 16]))
}

fn employee() -> EmployeeId {
    EmployeeId(Uuid::from_bytes([1; 16]))
}

fn terminal() -> TerminalId {
    TerminalId::from_random([2; 16])
}

/// Tables that grow with the contract, by every name they have in queries.
const BIG: [&str; 16] = [
    "punches",
    "punched",
    "named",
    "events",
    "accounts",
    "a",
    "o",
    "w",
    "employees",
    "e",
    "account_links",
    "l",
    "terminals",
    "judgements",
    "remarks",
    "r",
];

fn assert_no_scan(steps: &[(String, String)]) {
    assert!(!steps.is_empty());
    for (step, sql) in steps {
        let scans = BIG
            .iter()
            .any(|table| *step == format!("SCAN {table}") || step.starts_with(&format!("SCAN {table} ")));
        assert!(!scans, "{step}: {sql}");
    }
}

fn filters() -> Vec<PunchFilter> {
    let (from, until) = (Some(UtcMillis(0)), Some(UtcMillis(9)));
    let plain = PunchFilter::default();
    let mut all = vec![
        plain.clone(),
        PunchFilter { from, until, ..plain.clone() },
        PunchFilter { employee: Some(employee()), ..plain.clone() },
        PunchFilter { account: Some(account()), ..plain.clone() },
        PunchFilter { terminal: Some(terminal()), ..plain.clone() },
        PunchFilter { kind: Some(EventKind::Logoff), ..plain.clone() },
        PunchFilter { errors_only: true, ..plain.clone() },
        PunchFilter { cause: Some(ErrorCause::OutsideLink), ..plain.clone() },
        PunchFilter { cause: Some(ErrorCause::Unlinked), from, until, ..plain.clone() },
        PunchFilter { cause: Some(ErrorCause::Terminal), ..plain.clone() },
        PunchFilter { errors_only: true, from, until, kind: Some(EventKind::Logon), ..plain },
    ];
    let errors: Vec<_> =
        all.iter().map(|filter| PunchFilter { errors_only: true, ..filter.clone() }).collect();
    all.extend(errors);
    let inferred: Vec<_> =
        all.iter().map(|filter| PunchFilter { inferred_only: true, ..filter.clone() }).collect();
    all.extend(inferred);
    all
}

fn scopes() -> [Scope; 3] {
    let of = |people| Scope { contract: CONTRACT, people };
    [
        of(ScopedPeople::Everybody),
        of(ScopedPeople::Below(DepartmentId(Uuid::from_bytes([1; 16])))),
        of(ScopedPeople::One(employee())),
    ]
}

#[test]
fn pages_and_counts_of_punches_go_by_an_index_at_any_depth() {
    let place = PageKey { occurred_at: UtcMillis(5), terminal: terminal(), sequence: 1 };
    let steps = look(|connection| {
        for scope in scopes() {
            for filter in filters() {
                for at in [None, Some(Beside::After(place)), Some(Beside::Before(place))] {
                    punches::list(connection, &scope, &filter, at, 50).unwrap();
                }
                punches::count(connection, &scope, &filter, 1000).unwrap();
            }
            punches::day_figures(connection, &scope, UtcMillis(0)).unwrap();
            punches::summary(connection, &scope, UtcMillis(0), UtcMillis(9), UtcMillis(0)).unwrap();
        }
    });
    assert_no_scan(&steps);
    let by = |index: &str| steps.iter().filter(|(step, _)| step.contains(index)).count();
    for index in [
        "punches_by_account",
        "punches_by_terminal",
        "punches_errors ",
        "punches_errors_by_account",
        "punches_inferred ",
        "punches_inferred_by_account",
        "accounts_waiting",
    ] {
        assert!(by(index) > 0, "{index}");
    }
    // A page is picked in the order of its index: only what was picked is sorted.
    let picked = |sql: &str| sql.starts_with("SELECT p.terminal_id");
    let sorts = steps.iter().filter(|(step, sql)| picked(sql) && step.starts_with("USE TEMP B-TREE"));
    let pages = steps.iter().filter(|(step, sql)| picked(sql) && step.starts_with("CO-ROUTINE")).count();
    assert!(sorts.count() <= pages, "the inner query sorts nothing");
}

const INDEXES_OF_LISTS: [&str; 9] = [
    "accounts_in_order (contract_id=? AND <expr>=?)",
    "employees_by_reading",
    "remarks_as_made",
    "remarks_by_date",
    "employees_by_name",
    "SEARCH employees USING INDEX employees_by_sid (contract_id=? AND sid=?)",
    "SEARCH employees USING INDEX employees_by_upn (contract_id=? AND upn=?)",
    "accounts_by_name",
    "SEARCH punched EXISTS USING INDEX punches_by_terminal (contract_id=? AND terminal_id=?)",
];

#[test]
fn lists_of_people_and_what_is_typed_go_by_an_index() {
    let day = Day { date: date(2026, 6, 17), from: UtcMillis(0), until: UtcMillis(9) };
    let steps = look(|connection| {
        for show in [AccountShow::All, AccountShow::Waiting, AccountShow::Limited, AccountShow::Ended] {
            let key = AccountKey { waited: true, account: account() };
            for at in [None, Some(Beside::After(key)), Some(Beside::Before(key))] {
                for search in ["", "やまだ"] {
                    lists::account_page(connection, CONTRACT, show, search, at, day.date, 50).unwrap();
                }
            }
        }
        lists::account_counts(connection, CONTRACT, day.date).unwrap();
        lists::same_names(connection, CONTRACT, account()).unwrap();
        for scope in scopes() {
            for show in
                [EmployeeShow::Active, EmployeeShow::Alone, EmployeeShow::Gone, EmployeeShow::Remarked]
            {
                for at in both("E0") {
                    lists::employee_page(connection, &scope, show, "山田", at, day, 50).unwrap();
                }
            }
            for search in ["", "山田"] {
                lists::employee_counts(connection, &scope, search, day.date).unwrap();
            }
            let place = RemarkKey { made_at: UtcMillis(9), remark: RemarkId(Uuid::from_bytes([1; 16])) };
            for at in [None, Some(Beside::After(place)), Some(Beside::Before(place))] {
                for show in [RemarkShow::Open, RemarkShow::All] {
                    remarks::page(connection, &scope, show, at, 50).unwrap();
                }
            }
            let month = (date(2026, 6, 1), date(2026, 6, 30));
            remarks::count_open(connection, &scope, Some(month), 50).unwrap();
            remarks::counts(connection, CONTRACT, &[employee()], month.0, month.1).unwrap();
            alike::find(connection, &scope, "山田 花子").unwrap();
            alike::employees(connection, &scope, "やまだ", 20).unwrap();
            lists::find_accounts(connection, &scope, "D\\nobody").unwrap();
            lists::find_accounts(connection, &scope, "nobody@example.com").unwrap();
        }
        for scope in scopes() {
            terminal_names::find(connection, &scope, "PC-1").unwrap();
        }
        days::punched(connection, CONTRACT, &[employee()], (UtcMillis(0), UtcMillis(9)), 300).unwrap();
        for scope in scopes() {
            let dates = (date(1970, 1, 1), date(2026, 6, 30));
            day_summaries::page(connection, &scope, Some("E0".into()), 50, dates).unwrap();
        }
        terminal_names::counts(connection, CONTRACT, &["PC-1".to_owned()]).unwrap();
        suggesting::of(connection, CONTRACT, account(), day.date).unwrap();
        suggesting::any(connection, CONTRACT, "", day.date, 50).unwrap();
        for reason in Reason::ALL {
            suggesting::all(connection, CONTRACT, reason, day.date, 50).unwrap();
        }
    });
    assert_no_scan(&steps);
    let by_name = "SEARCH named USING INDEX terminals_by_host_name (contract_id=? AND host_name=?)";
    let named = steps.iter().filter(|(step, _)| step.starts_with("SEARCH named"));
    assert!(named.clone().count() > 0 && named.clone().all(|(step, _)| step == by_name), "{steps:#?}");
    let all_links = "SEARCH l USING PRIMARY KEY (contract_id=?)";
    assert!(steps.iter().all(|(step, _)| step != all_links), "{steps:#?}");
    for index in INDEXES_OF_LISTS {
        assert!(steps.iter().any(|(step, _)| step.contains(index)), "{index}: {steps:#?}");
    }
}

#[test]
fn accounts_to_link_by_their_sids_are_found_by_one_statement_that_looks_into_indexes_alone() {
    let steps = look(|connection| drop(links_by_sid::all(connection, date(2026, 6, 17)).unwrap()));
    let statements: std::collections::BTreeSet<_> = steps.iter().map(|(_, sql)| sql).collect();
    assert_eq!(statements.len(), 1, "{statements:#?}");
    let steps: Vec<_> = steps.iter().map(|(step, _)| step.as_str()).collect();
    let expected = [
        "SCAN s USING INDEX contract_settings_links_by_sid",
        "SEARCH a USING INDEX accounts_waiting (contract_id=? AND waiting>?)",
        "CORRELATED SCALAR SUBQUERY 1",
        "SEARCH l USING COVERING INDEX account_links_by_account (contract_id=? AND account_id=?)",
        "SEARCH e USING COVERING INDEX employees_by_sid (contract_id=? AND sid=?)",
    ];
    assert_eq!(steps, expected);
    // Whoever is found is judged by indexes, too.
    let steps = look(|connection| {
        let sid = "UPDATE accounts SET key = 'S-1-12-1-1-2-3-4' WHERE key = 'S-1-5-21-1';
            UPDATE employees SET sid = 'S-1-12-1-1-2-3-4'";
        connection.execute_batch(sid).unwrap();
        let found = links_by_sid::request(connection, CONTRACT, account(), date(2026, 6, 17)).unwrap();
        assert_eq!(found.unwrap().from, date(2026, 6, 17));
    });
    assert_no_scan(&steps);
}

#[test]
fn people_who_sign_in_and_contracts_are_walked_in_the_order_of_an_index() {
    let steps = look(|connection| {
        for contract in [Some(CONTRACT), None] {
            for search in ["", "やまだ"] {
                for at in both("a") {
                    administrators::page(connection, contract, search, at, 50).unwrap();
                }
            }
            administrators::count(connection, contract).unwrap();
        }
        for search in ["", "やまだ"] {
            for at in both("a") {
                contracts::page(connection, search, at, 50).unwrap();
            }
        }
    });
    assert_no_scan(&steps);
    assert!(
        !steps.iter().any(|(step, _)| step.starts_with("SCAN") || step.contains("TEMP B-TREE")),
        "{steps:#?}"
    );
    let logins = ["administrators_in_order (contract_id=? AND login>?)", "(contract_id=? AND login<?)"];
    for index in logins.into_iter().chain(["(code>?)", "(code<?)"]) {
        assert!(steps.iter().any(|(step, _)| step.contains(index)), "{index}: {steps:#?}");
    }
}

#[test]
fn what_a_file_names_is_looked_up_at_once_by_an_index() {
    let directory = Directory { upn: Upn::parse("n@example.com"), sid: Sid::parse("S-1-5-21-1") };
    let employee =
        |active_to| NewEmployee { active_to, directory: directory.clone(), ..NewEmployee::named("E1", "n") };
    let line = |user: &str| LinkLine {
        domain: String::new(),
        user: user.into(),
        key: String::new(),
        upn: String::new(),
        employee: "E1".into(),
        from: date(2026, 1, 1),
        to: None,
    };
    let steps = look(|connection| {
        let lines = [employee(Some(date(2026, 6, 16)))];
        let mut tree = department_texts::Tree::read(connection, CONTRACT, date(2026, 6, 17)).unwrap();
        let plans = employee_lines::plan(connection, CONTRACT, &lines, EmployeeColumns::ALL, &mut tree);
        let gone = plans.unwrap().remove(0).write.unwrap();
        let [known, data] = [employee(Some(date(2026, 6, 16))), employee(None)];
        let back = employee_lines::Write { known: Some((self::employee(), known)), data, department: None };
        employee_lines::rejudging(connection, CONTRACT, &[&gone, &back]).unwrap();
        let lines: Vec<_> = (0..100).map(|n| line(&format!("user{n}"))).collect();
        let plans = link_lines::plan(connection, CONTRACT, &[&lines[..], &[line("hanako.yamada")]].concat());
        assert_eq!(link_lines::rejudging(connection, CONTRACT, &plans.unwrap().0).unwrap().cured, 1);
        let made = (0..100).map(|place| (place, NewEmployee::named(format!("N{place}"), "x"))).collect();
        employee_lines::alike(connection, CONTRACT, &made).unwrap();
    });
    assert_no_scan(&steps);
    let statements: std::collections::BTreeSet<_> = steps.iter().map(|(_, sql)| sql).collect();
    assert_eq!(statements.len(), 12, "however many lines there are: {statements:#?}");
    for step in [
        "SEARCH e USING INDEX sqlite_autoindex_employees_2 (contract_id=? AND code=?)",
        "SEARCH e USING INDEX employees_by_upn (contract_id=? AND upn=?)",
        "SEARCH e USING INDEX employees_by_sid (contract_id=? AND sid=?)",
        "SEARCH a USING INDEX sqlite_autoindex_accounts_2 (contract_id=? AND key=?)",
        "SEARCH a USING INDEX accounts_by_name (contract_id=? AND name=?)",
        "SEARCH a USING INDEX accounts_by_upn (contract_id=? AND upn=?)",
        "SEARCH w USING COVERING INDEX punches_waiting (contract_id=? AND account_id=? AND local_date>? AND local_date<?)",
    ] {
        assert!(steps.iter().any(|(found, _)| found == step), "{step}: {steps:#?}");
    }
    // The departments of a contract are read once for all lines.
    let whole = |step: &str| step.ends_with("(contract_id=?)") && !step.starts_with("SEARCH departments ");
    assert!(!steps.iter().any(|(step, _)| whole(step)), "a whole contract: {steps:#?}");
}

#[test]
fn previews_look_at_the_punches_of_their_accounts_only() {
    let change = crate::ports::LinkChange::Assign { employee: employee(), from: date(2026, 6, 1), to: None };
    let new = NewEmployee::named("E2", "n");
    let request = LinkRequest {
        account: account(),
        employee: EmployeeChoice::New(new),
        from: date(2026, 6, 1),
        to: None,
    };
    let steps = look(|connection| {
        assert_eq!(changing::preview(connection, CONTRACT, account(), change).unwrap().cured, 1);
        assert_eq!(changing::preview_link(connection, CONTRACT, &request).unwrap().punches, 1);
    });
    assert_no_scan(&steps);
    assert!(steps.iter().any(|(step, _)| step.contains("punches_waiting")));
}
