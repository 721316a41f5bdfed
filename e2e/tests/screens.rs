//! Every screen as every role, in Chromium's headless shell: `e2e/browser/screens.mjs` against one contract with a
//! simulated office and one whose every name is an attack. Pictures, a sheet of them and the figures are left in
//! `target/screenshots/screens`; afterwards the server's log is searched for names.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use mngntime_e2e::bus::short_directory;
use mngntime_e2e::server::{CONTRACT, LOGIN, PASSWORD, Server, mngntime, part, text};
use mngntime_e2e::terminal::Terminal;
use mngntime_e2e::{root, soak, target_dir};
use serde_json::{Value, json};

/// Roles beside the administrator, who is there already, and what else they need.
const ROLES: [(&str, &[&str]); 6] = [
    ("hr", &["--contract", CONTRACT]),
    ("it", &["--contract", CONTRACT]),
    ("approver", &["--contract", CONTRACT, "--department", "D1"]),
    ("auditor", &["--contract", CONTRACT, "--valid-until", "2099-12-31"]),
    ("employee", &["--contract", CONTRACT, "--employee", "E0001"]),
    ("operator", &[]),
];

/// Names that PCs may send: markup, something that turns the line round, something that bursts it.
const HOSTILE_NAMES: [&str; 7] = [
    "<script>globalThis.hacked=1</script>",
    "\"><img src=x onerror=globalThis.hacked=1>",
    "'><svg/onload=globalThis.hacked=1>",
    "\u{202e}gnp.exe\u{2066}",
    "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW",
    "👩‍👩‍👧‍👦🏴‍☠️ ﷽",
    "{{7*7}}${7*7}<%= 7*7 %>",
];

#[test]
fn every_screen_is_sound_for_every_role_and_no_name_gets_out_of_its_place() -> Result<()> {
    let (_directory, path) = short_directory()?;
    let mut server = Server::create(&path.join("server"), false)?;
    let log = path.join("server.log");
    server.log_to(&log);
    server.start()?;
    simulate(&server)?;
    server.link_account("E0001")?;
    server.submit("/departments", "code=D1&name=%E5%96%B6%E6%A5%AD%E9%83%A8&parent=")?;
    // The approver's people have a day, too.
    server.put_into_department("E0001", "D1")?;
    for (role, more) in ROLES {
        person(&server, role, role, more)?;
    }
    person(&server, "guarded", "hr", &["--contract", CONTRACT])?;
    somebody_is_suggested(&server)?;
    server.command(&["contract", "create", "--code", "empty", "--name", "株式会社はじめて"], None)?;
    server.command(&["contract", "create", "--code", "alone", "--name", "株式会社管理者なし"], None)?;
    person(&server, "newcomer", "administrator", &["--contract", "empty"])?;
    hostile_contract(&server)?;
    look(&server)?;
    server.stop()?;
    no_errors_in(&log)?;
    no_names_in(&log, &server)
}

/// Makes a person whose password is their login, twice over.
fn person(server: &Server, login: &str, role: &str, more: &[&str]) -> Result<()> {
    let mut words = vec!["admin", "create", "--login", login, "--role", role, "--password-stdin"];
    words.extend(["--name", "<b onclick=hacked=1>試験\u{202e}"]);
    words.extend(more);
    server.command(&words, Some(&password(login)))?;
    Ok(())
}

fn password(login: &str) -> String {
    format!("{login}-{PASSWORD}")
}

fn simulate(server: &Server) -> Result<()> {
    let simulated = Command::new(mngntime()?)
        .args(["sim", "--url", &server.url(), "--contract", CONTRACT, "--seed", "7"])
        .args(["--enrollment-key", &server.enrollment_key, "--terminals", "12", "--days", "10"])
        .output()?;
    ensure!(simulated.status.success(), "{}", String::from_utf8_lossy(&simulated.stderr));
    Ok(())
}

/// An employee whose code is the name of an account that waits, but not of the newest such punch: who is linked by
/// keyboard begins with an empty form.
fn somebody_is_suggested(server: &Server) -> Result<()> {
    let listed =
        ["punches", "--format", "jsonl", "--limit", "1000000", "--contract", CONTRACT, "--errors-only"];
    let listed = String::from_utf8(server.command(&listed, None)?.stdout)?;
    let waiting = listed.lines().filter(|line| line.contains("\"res\":7"));
    let waiting = waiting.map(serde_json::from_str).collect::<Result<Vec<Value>, _>>()?;
    let newest = waiting.first().map(|punch| text(punch, "account"));
    let other = waiting.iter().map(|punch| text(punch, "account")).find(|account| Some(*account) != newest);
    let name = other.and_then(|account| account.rsplit('\\').next()).context("too few wait")?;
    server.submit("/employees", &format!("code={name}&name=%E5%80%99%E8%A3%9C%20%E8%8A%B1%E5%AD%90"))
}

/// A contract of which nothing can be trusted but its code.
fn hostile_contract(server: &Server) -> Result<()> {
    let create = ["contract", "create", "--code", "hostile", "--name", HOSTILE_NAMES[1]];
    let created = String::from_utf8(server.command(&create, None)?.stdout)?;
    let key = part(&created, "enrollment-key=", "\n")?.trim().to_owned();
    person(server, "mallory", "administrator", &["--contract", "hostile"])?;
    for (seed, host) in (200..).zip(HOSTILE_NAMES) {
        let mut terminal = Terminal::enroll_in(server, seed, ("hostile", &key), host)?;
        for account in HOSTILE_NAMES {
            terminal.log_on_in(host, account)?;
        }
        terminal.deliver_all()?;
    }
    Ok(())
}

fn look(server: &Server) -> Result<()> {
    let mut people = json!({ "administrator": [LOGIN, PASSWORD] });
    for login in ROLES.map(|(role, _)| role).iter().chain(&["newcomer", "guarded"]) {
        people[*login] = json!([login, password(login)]);
    }
    let invite =
        ["admin", "create", "--login", "invited", "--role", "hr", "--contract", CONTRACT, "--setup-link"];
    let invited =
        String::from_utf8(server.command(&[&invite[..], &["--url", &server.url()]].concat(), None)?.stdout)?;
    let setup = part(&invited, "setup-link=", "\n")?.replace(&server.url(), "");
    let mut node = Command::new("node");
    // Figures and pictures of the documentation change only when somebody wants them to.
    let documented = std::env::var_os("MNGNTIME_SCREENS_DOCS").is_some();
    if documented {
        node.env("DOCS", root().join("docs"));
    }
    if documented || soak() > 1 {
        node.env("FORMS", "all");
    }
    // Printed as it comes: what was found before a test is stopped is not lost.
    let status = node
        .arg("screens.mjs")
        .current_dir(root().join("e2e/browser"))
        .env("MNGNTIME_URL", server.url())
        .env("MNGNTIME_PEOPLE", people.to_string())
        .env("MNGNTIME_HOSTILE", json!(["mallory", password("mallory")]).to_string())
        .env("MNGNTIME_GIVEN", json!({ "setup": setup }).to_string())
        .env("OUT", target_dir().join("screenshots/screens"))
        .status()?;
    ensure!(status.success(), "what is wrong is printed above");
    Ok(())
}

/// No page failed and no text was missing: whatever the server calls an error is a fault of a screen.
fn no_errors_in(log: &Path) -> Result<()> {
    let log = fs::read_to_string(log).with_context(|| format!("cannot read {}", log.display()))?;
    let errors: Vec<_> =
        log.lines().filter(|line| line.contains("ERROR") || line.contains("a text is missing")).collect();
    ensure!(errors.is_empty(), "the server logged errors:\n{}", errors.join("\n"));
    Ok(())
}

/// At `info`, what the server logged in all this names nobody.
fn no_names_in(log: &Path, server: &Server) -> Result<()> {
    let log = fs::read_to_string(log).with_context(|| format!("cannot read {}", log.display()))?;
    ensure!(log.contains("a page was refused"), "nothing was logged, so nothing is shown: {log}");
    let listed = ["punches", "--format", "jsonl", "--limit", "1000000", "--contract", CONTRACT];
    let listed = String::from_utf8(server.command(&listed, None)?.stdout)?;
    let punches = listed.lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>()?;
    let mut names: Vec<String> = punches.iter().map(|punch| text(punch, "account").into()).collect();
    names.sort_unstable();
    names.dedup();
    ensure!(names.len() > 5, "there are too few accounts: {names:?}");
    names.extend(names.clone().iter().filter_map(|name| Some(name.split_once('\\')?.1.to_owned())));
    names.extend(HOSTILE_NAMES.map(String::from));
    // What people typed: an employee, a wrong sign-in, and every password.
    names.extend(["試験", "hacked", "鍵盤 太郎", "無 花子", "nobody.at.all", PASSWORD].map(String::from));
    // Nor is whose day, whose terminal, or which punch was asked for in vain.
    names.extend(["/days/E", "/punches/x", "E0001", "E0002"].map(String::from));
    for name in names.iter().filter(|name| !name.is_empty()) {
        ensure!(!log.contains(name.as_str()), "the log names {name:?}");
    }
    Ok(())
}
