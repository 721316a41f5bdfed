//! The real executable: what it prints, how it ends, and what survives its death.

use crate::support;

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::support::Pc;
use crate::support::process::{
    Line, Running, enroll, enrolled, kill_under_load, mngntime, printed, run, text,
};
use mngntime_model::UtcMillis;
use mngntime_store::sqlite::SqliteStore;
use mngntime_store::{Act, KeyHash, NewToken, Operators as _, SignIn as _};

fn up(directory: &Path) -> Running {
    Running::start(&["up", "--listen", "127.0.0.1:0", "--data", directory.to_str().unwrap()])
}

#[test]
fn a_second_start_of_up_prints_the_same_secrets() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let first = up(&data);
    let told = |running: &Running| {
        (running.value("password"), running.value("enrollment-key"), running.value("admin"))
    };
    let secrets = told(&first);
    let (status, log) = first.stop();
    assert_eq!(status.code(), Some(0));
    assert_eq!(log.lines().count(), 1, "one line about the missing agent: {log}");
    let second = up(&data);
    assert_eq!(told(&second), secrets);
    assert_eq!(second.stop().0.code(), Some(0));
    std::fs::remove_file(data.join("credentials")).unwrap();
    let third = up(&data);
    assert_ne!(told(&third), secrets, "who lost the credentials gets new ones");
    enrolled(&third, 1);
}

#[test]
fn a_server_whose_key_is_gone_makes_no_other_one() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    assert_eq!(up(&data).stop().0.code(), Some(0));
    let key = data.join("server-key");
    let good = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    let started = ["up", "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()];
    let output = run(&started);
    assert!(!output.status.success() && output.stdout.is_empty(), "{}", text(&output.stdout));
    let said = text(&output.stderr);
    assert!(said.contains("from the backup") && !key.exists(), "{said}");
    std::fs::write(&key, good).unwrap();
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    assert_eq!(up(&data).stop().0.code(), Some(0));
}

/// Starts `serve` and reads the first two lines of what it prints, the second only where there is one to wait for.
fn first_lines(data: &Path, two: bool) -> (Child, String, String) {
    let mut command = mngntime();
    command.arg("serve").env("MNGNTIME_LISTEN", "127.0.0.1:0").env("MNGNTIME_DATA_DIR", data);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let ready = lines.next().unwrap().unwrap();
    let link = if two { lines.next().unwrap().unwrap() } else { String::new() };
    (child, ready, link)
}

/// The answer to a request for `path`, whole.
fn answer(ready: &str, path: &str) -> String {
    let address = ready.strip_prefix("ready url=http://").unwrap();
    let mut line = std::net::TcpStream::connect(address).unwrap();
    write!(line, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    line.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn a_server_that_nobody_can_sign_in_to_makes_one_set_up_link_at_each_start() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let (mut child, ready, link) = first_lines(&data, true);
    let url = ready.strip_prefix("ready url=").unwrap();
    let path = |link: &str, url: &str| link.strip_prefix(&format!("setup-link={url}")).unwrap().to_owned();
    let first = path(&link, url);
    assert!(answer(&ready, &first).starts_with("HTTP/1.1 200"), "{first}");
    assert!(answer(&ready, "/login").contains("setup-link="), "the sign-in page says where it is");
    child.kill().unwrap();
    child.wait().unwrap();
    let (mut child, ready, link) = first_lines(&data, true);
    let second = path(&link, ready.strip_prefix("ready url=").unwrap());
    assert_ne!(first, second);
    assert!(!answer(&ready, &first).starts_with("HTTP/1.1 200"), "the one before counts no more");
    assert!(answer(&ready, &second).starts_with("HTTP/1.1 200"));
    child.kill().unwrap();
    child.wait().unwrap();
    let data_text = data.to_str().unwrap();
    let made = run(&["contract", "create", "--data", data_text, "--code", "c1", "--name", "C"]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let made = run(&["admin", "create", "--data", data_text, "--login", "admin", "--contract", "c1"]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let (mut child, ready, _) = first_lines(&data, false);
    assert!(!answer(&ready, "/login").contains("setup-link="), "somebody can");
    child.kill().unwrap();
    child.wait().unwrap();
}

/// A slip in the path would otherwise make a contract that no server has.
#[test]
fn a_contract_in_a_new_data_directory_says_that_it_is_new() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("not/there");
    let data = data.to_str().unwrap();
    let create = |code| run(&["contract", "create", "--data", data, "--code", code, "--name", "C"]);
    let first = create("c1");
    assert!(first.status.success(), "{}", text(&first.stderr));
    let told = text(&first.stderr);
    assert!(told.contains("a new one has been made") && told.contains(data), "{told}");
    assert!(
        text(&first.stdout).starts_with("contract=c1\nenrollment-key="),
        "lines for programs are the same"
    );
    assert!(!text(&create("c2").stderr).contains("a new one"), "it is there now");
}

#[test]
fn every_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let _running = up(&data);
    let mut waiting = vec![data];
    while let Some(path) = waiting.pop() {
        let mode = path.metadata().unwrap().permissions().mode() & 0o077;
        assert_eq!(mode, 0, "{}", path.display());
        if path.is_dir() {
            waiting.extend(path.read_dir().unwrap().map(|entry| entry.unwrap().path()));
        }
    }
}

/// The server is killed at moments that a seed decides (MNGNTIME_SEED); `cargo xtask soak faults` does it more
/// often (MNGNTIME_SOAK).
#[test]
fn killed_under_load_it_loses_no_event_it_has_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    kill_under_load(&directory.path().join("data"), 6, &mngntime);
}

/// A contract `acme`, an administrator `kimura` and a running server; enrolment key and password.
fn set_up(directory: &Path) -> (Running, String, String) {
    let data = directory.join("data");
    let data = data.to_str().unwrap();
    let key = printed(
        &run(&["contract", "create", "--data", data, "--code", "acme", "--name", "株式会社アクメ"]),
        "enrollment-key",
    );
    let password = printed(&run(&["admin", "create", "--data", data, "--login", "kimura"]), "password");
    let config = directory.join("server.toml");
    std::fs::write(&config, format!("listen = \"127.0.0.1:0\"\ndata_dir = \"{data}\"\n")).unwrap();
    (Running::start(&["serve", "--config", config.to_str().unwrap()]), key, password)
}

#[test]
fn a_set_up_link_instead_of_a_password_is_printed_once_and_opens_the_page() {
    let directory = tempfile::tempdir().unwrap();
    let (running, ..) = set_up(directory.path());
    let data = directory.path().join("data");
    let data = data.to_str().unwrap();
    let url = running.value("url");
    let create = ["admin", "create", "--data", data, "--login", "sato", "--setup-link", "--url", &url];
    let made = run(&create);
    let link = printed(&made, "setup-link");
    assert!(link.starts_with(&format!("{url}/setup/")) && !text(&made.stdout).contains("password="));
    let page = ureq::get(&link).call().unwrap().body_mut().read_to_string().unwrap();
    assert!(page.contains("sato"), "{page}");
    for wrong in [vec!["--role", "approver"], vec!["--role", "employee"], vec!["--department", "X"]] {
        let again = ["admin", "create", "--data", data, "--login", "kato"];
        let refused = run(&[&again[..], &wrong].concat());
        assert_eq!(refused.status.code(), Some(2), "{wrong:?}: {}", text(&refused.stderr));
    }
    let auditor = ["admin", "create", "--data", data, "--login", "audit", "--role", "auditor"];
    let refused = run(&auditor);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("--valid-until YYYY-MM-DD"), "{}", text(&refused.stderr));
    let made = run(&[&auditor[..], &["--valid-until", "2099-03-31"]].concat());
    assert!(made.status.success(), "{}", text(&made.stderr));
}

#[test]
fn a_server_is_set_up_by_commands_and_serves_beside_them() {
    let directory = tempfile::tempdir().unwrap();
    let (running, key, password) = set_up(directory.path());
    let mut pc = Pc { contract: "acme".into(), ..Pc::new(1) };
    let mut line = Line::to(&running.address());
    pc.terminal = enroll(&mut line, &pc, &key);
    let event = pc.logon("hanako");
    assert!(support::all_stored(&line.deliver(&pc.batch(&[event])).unwrap()));

    let data = directory.path().join("data");
    let terminal =
        |word| run(&["terminal", word, "--data", data.to_str().unwrap(), "--terminal", &pc.terminal]);
    assert_eq!(printed(&terminal("block"), "terminal"), format!("{} status=blocked rejudged=0", pc.terminal));
    let terminal_id = pc.terminal.clone();
    let event = pc.logon("hanako");
    let receipt = line.deliver(&pc.batch(&[event])).unwrap();
    assert_eq!(support::results(&receipt), [Some(6)], "the running server sees what the command did");
    let unblock = run(&["terminal", "unblock", "--data", data.to_str().unwrap(), "--terminal", &terminal_id]);
    assert_eq!(printed(&unblock, "terminal"), format!("{terminal_id} status=active rejudged=1"));

    let url = running.value("url");
    let listed = punches_by_url(&url, "kimura", &password);
    assert_eq!(text(&listed.stdout).lines().count(), 2, "{}", text(&listed.stderr));
    let refused = punches_by_url(&url, "kimura", "a wrong password");
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("does not know this login"));

    // With a second factor the password opens nothing here; a token does, from a file or the environment.
    let token = "mngntime_of-a-test";
    tokio::runtime::Runtime::new().unwrap().block_on(give_second_factor_and_token(&data, "kimura", token));
    let refused = punches_by_url(&url, "kimura", &password);
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        text(&refused.stderr).contains("second factor") && text(&refused.stderr).contains("--token-file")
    );
    let file = directory.path().join("token");
    std::fs::write(&file, format!("{token}\n")).unwrap();
    let list = ["punches", "--format", "jsonl", "--url", &url];
    let by_file = mngntime().args(list).arg("--token-file").arg(&file).output().unwrap();
    assert_eq!(text(&by_file.stdout).lines().count(), 2, "{}", text(&by_file.stderr));
    let by_variable = mngntime().args(list).env("MNGNTIME_TOKEN", token).output().unwrap();
    assert_eq!(text(&by_variable.stdout), text(&by_file.stdout));
    let wrong = mngntime().args(list).env("MNGNTIME_TOKEN", "mngntime_wrong").output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("does not take this token"), "{}", text(&wrong.stderr));
    assert_eq!(running.stop().0.code(), Some(0));
}

async fn give_second_factor_and_token(data: &Path, login: &str, token: &str) {
    let store = SqliteStore::open(data).unwrap();
    let person = store.administrator(login).await.unwrap().unwrap().id;
    let at = UtcMillis(jiff::Timestamp::now().as_millisecond());
    let new = NewToken { name: "t".into(), hash: KeyHash::of(token), expires_at: at.plus(3_600_000) };
    store.add_token(person, new, Act::server(at)).await.unwrap();
    store.set_totp(person, vec![1], 1, None, Act::server(at)).await.unwrap();
}

fn punches_by_url(url: &str, login: &str, password: &str) -> Output {
    let mut child = mngntime()
        .args(["punches", "--format", "jsonl", "--url", url, "--login", login, "--password-stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{password}").unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn wrong_use_says_what_to_do_and_ends_with_2() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    let file = |name: &str, content: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let unknown = file("unknown.toml", "listen = \"127.0.0.1:0\"\nlissten = \"x\"\n");
    let bad = file("bad.toml", "contact_seconds = 5\n");
    let syntax = file("syntax.toml", "listen =\n");
    let open = file("open.toml", "listen = \"0.0.0.0:0\"\n");
    let missing = directory.path().join("missing.toml");
    for (arguments, hint) in [
        (vec!["punches", "--data", path], "is no data directory"),
        (vec!["admin", "create", "--data", path, "--login", "x"], "mngntime contract create"),
        (vec!["contract", "create", "--data", path, "--code", "a b", "--name", "x"], "1 to 64 letters"),
        (vec!["serve", "--config", &unknown], "unknown key `lissten` (value x, file, line 2)"),
        (vec!["serve", "--config", &bad], "contact_seconds = 5 (file, line 1)"),
        (vec!["config", "check", "--config", &syntax], "not TOML"),
        (vec!["config", "check", "--config", missing.to_str().unwrap()], "could not read"),
        (vec!["serve", "--config", &open], "there is no TLS"),
        (vec!["up", "--data", path, "--listen", "nonsense"], "--listen nonsense"),
        (vec!["punches", "--url", "http://127.0.0.1:1"], "--login"),
        (vec!["punch"], "punches"),
        (vec![], "Usage"),
    ] {
        let output = run(&arguments);
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {told}");
        assert!(told.contains(hint), "{arguments:?}: {told}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn what_cannot_be_done_here_is_told_and_ends_with_1() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a-file");
    std::fs::write(&file, "x").unwrap();
    let below_a_file = run(&["up", "--data", file.join("data").to_str().unwrap(), "--listen", "127.0.0.1:0"]);
    assert_eq!(below_a_file.status.code(), Some(1));
    assert!(
        text(&below_a_file.stderr).contains("could not make the directory"),
        "{}",
        text(&below_a_file.stderr)
    );
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let data = directory.path().join("data");
    let in_use = run(&["up", "--data", data.to_str().unwrap(), "--listen", &address]);
    assert_eq!(in_use.status.code(), Some(1));
    assert!(
        text(&in_use.stderr).contains(&format!("could not listen on {address}")),
        "{}",
        text(&in_use.stderr)
    );
    assert!(in_use.stdout.is_empty(), "not ready, so not said");
}

/// Root may write anywhere, so read-only is made by a directory that is none: a mount would need privileges.
#[test]
fn a_database_that_cannot_be_written_is_found_at_start() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    assert_eq!(up(&data).stop().0.code(), Some(0));
    for name in ["mngntime.db-wal", "mngntime.db-shm"] {
        drop(std::fs::remove_file(data.join(name)));
    }
    // A directory where the write-ahead log must be: SQLite cannot write, whoever runs it.
    std::fs::create_dir(data.join("mngntime.db-wal")).unwrap();
    let output = run(&["up", "--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("is the directory"), "{}", text(&output.stderr));
    assert!(output.stdout.is_empty());
}

#[test]
fn a_read_only_directory_is_found_at_start() {
    use std::os::unix::fs::PermissionsExt;
    if rustix::process::geteuid().is_root() && !drops_privileges() {
        eprintln!("skipped: root writes everywhere and setpriv is not here");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o555)).unwrap();
    let data = directory.path().to_str().unwrap();
    let arguments = ["up", "--data", data, "--listen", "127.0.0.1:0"];
    let output = if rustix::process::geteuid().is_root() {
        let copy = std::env::temp_dir().join(format!("mngntime-{}", std::process::id()));
        std::fs::copy(env!("CARGO_BIN_EXE_mngntime"), &copy).unwrap();
        let output = Command::new("setpriv")
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(&copy)
            .args(arguments)
            .output()
            .unwrap();
        std::fs::remove_file(copy).unwrap();
        output
    } else {
        run(&arguments)
    };
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("is the directory there and writable"), "{}", text(&output.stderr));
}

fn drops_privileges() -> bool {
    Command::new("setpriv").arg("--version").output().is_ok_and(|output| output.status.success())
}

#[test]
fn config_check_tells_every_value_and_its_origin() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("server.toml");
    std::fs::write(&config, "display_name = \"勤怠\"\n").unwrap();
    let output = mngntime()
        .args(["config", "check", "--config", config.to_str().unwrap()])
        .env("MNGNTIME_LISTEN", "127.0.0.1:9")
        .output()
        .unwrap();
    let told = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(told.contains("display_name = 勤怠\n    from: file, line 1"), "{told}");
    assert!(told.contains("listen = 127.0.0.1:9\n    from: environment variable MNGNTIME_LISTEN"), "{told}");
    assert!(told.contains("contact_seconds = 900\n    from: default"), "{told}");
}

#[test]
fn config_check_finds_what_serve_would_fail_on_all_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("server.toml");
    let at = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let check = |toml: &str| {
        std::fs::write(&config, toml).unwrap();
        run(&["config", "check", "--config", config.to_str().unwrap()])
    };
    let provider = "oidc_issuer = \"https://id.example\"\noidc_client_id = \"m\"\noidc_contract = \"demo\"\n\
                    public_url = \"https://time.example\"\n";
    let files = format!(
        "{provider}tls_certificate = \"{}\"\ntls_key = \"{}\"\npackages_dir = \"{}\"\n\
         oidc_client_secret_file = \"{}\"\nmetrics_token_file = \"{}\"\n",
        at("c.pem"),
        at("k.pem"),
        at("packages"),
        at("secret"),
        at("token")
    );
    let failed = check(&format!("log = \"bogus=x=y\"\n{files}"));
    let told = text(&failed.stderr);
    assert_eq!(failed.status.code(), Some(2), "{told}");
    assert!(!text(&failed.stdout).contains("can be used"));
    for hint in
        ["log = bogus=x=y", "c.pem", "packages_dir = ", "oidc_client_secret_file = ", "metrics_token_file"]
    {
        assert!(told.contains(hint), "{hint}: {told}");
    }
    let made = rcgen::generate_simple_self_signed(vec!["time.example".to_owned()]).unwrap();
    std::fs::write(at("c.pem"), made.cert.pem()).unwrap();
    std::fs::write(at("k.pem"), rcgen::KeyPair::generate().unwrap().serialize_pem()).unwrap();
    std::fs::write(at("secret"), "s").unwrap();
    std::fs::write(at("token"), "0123456789abcdef").unwrap();
    std::fs::create_dir(at("packages")).unwrap();
    let other_key = check(&files);
    assert!(text(&other_key.stderr).contains("could not use the certificate"), "{}", text(&other_key.stderr));
    std::fs::write(at("k.pem"), made.signing_key.serialize_pem()).unwrap();
    let right = check(&files);
    let told = text(&right.stdout);
    assert!(right.status.success(), "{}", text(&right.stderr));
    assert!(
        told.contains("Not checked: whether https://id.example answers") && told.contains("can be used"),
        "{told}"
    );
}

#[test]
fn an_agent_that_dies_is_started_again_and_stops_with_its_server() {
    let directory = tempfile::tempdir().unwrap();
    let (data, bus, trace) =
        (directory.path().join("data"), directory.path().join("bus"), directory.path().join("trace"));
    std::fs::write(&bus, "").unwrap();
    let script = format!(
        "#!/bin/sh\necho \"started $*\" >> {trace}\n[ $(grep -c started {trace}) = 1 ] && exit 3\n\
         trap 'echo stopped >> {trace}; exit 0' TERM\nwhile :; do sleep 0.05; done\n",
        trace = trace.display()
    );
    let agent = directory.path().join("agent.sh");
    std::fs::write(&agent, script).unwrap();
    std::fs::set_permissions(&agent, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut child = mngntime()
        .args(["up", "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()])
        .env("MNGNTIME_AGENT", &agent)
        .env("DBUS_SYSTEM_BUS_ADDRESS", format!("unix:path={}", bus.display()))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ready = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    let running = Running { child, ready };
    let traced = || std::fs::read_to_string(&trace).unwrap_or_default();
    let deadline = Instant::now() + Duration::from_secs(20);
    while traced().matches("started").count() < 2 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(50));
    }
    let config = data.join("agent/config.toml");
    assert!(traced().contains(&format!("started --config {} run", config.display())), "{}", traced());
    let written = std::fs::read_to_string(config).unwrap();
    for key in ["server_url", "contract_code", "enrollment_key", "state_dir"] {
        assert!(written.contains(&format!("{key} = ")), "{written}");
    }
    // The shell needs a moment from its first line to its trap.
    std::thread::sleep(Duration::from_millis(300));
    let (status, log) = running.stop();
    assert_eq!(status.code(), Some(0));
    assert!(log.contains("the agent ended with exit status: 3; it is started again in 1 s"), "{log}");
    assert!(traced().ends_with("stopped\n"), "{}", traced());
}

#[test]
fn operators_are_listed_disabled_and_given_a_new_password_beside_a_running_server() {
    let directory = tempfile::tempdir().unwrap();
    let (_running, _, _) = set_up(directory.path());
    let data = directory.path().join("data");
    let admin = |command: &str, more: &[&str]| {
        run(&[&["admin", command, "--data", data.to_str().unwrap()], more].concat())
    };
    for refused in ["サーバー", "Server", "betaadmin\u{200b}", ".", "ＫＩＭＵＲＡ"] {
        let made = admin("create", &["--login", refused, "--role", "operator"]);
        assert_eq!(made.status.code(), Some(2), "{refused} {}", text(&made.stdout));
    }
    for login in ["root1", "ｒｏｏｔ２"] {
        let made = admin("create", &["--login", login, "--role", "operator"]);
        assert!(made.status.success(), "{}", text(&made.stderr));
    }
    let listed = text(&admin("list", &[]).stdout);
    let lines = [
        "root1 role=operator contract=- state=active",
        "root2 role=operator contract=- state=active",
        "kimura role=administrator contract=acme state=active",
    ];
    assert_eq!(listed.lines().collect::<Vec<_>>(), lines);
    assert_eq!(text(&admin("list", &["--contract", "acme"]).stdout).lines().count(), 1);
    assert_eq!(admin("list", &["--contract", "none"]).status.code(), Some(2));
    assert_eq!(text(&admin("disable", &["--login", "root1"]).stdout), "disabled=root1\n");
    let last = admin("disable", &["--login", "root2"]);
    assert!(
        last.status.code() == Some(2) && text(&last.stderr).contains("make somebody else operator first")
    );
    let refused = admin("setup-link", &["--login", "root1"]);
    assert!(refused.status.code() == Some(2) && text(&refused.stderr).contains("is disabled"));
    assert!(admin("enable", &["--login", "root1"]).status.success());
    let link =
        printed(&admin("setup-link", &["--login", "root1", "--url", "https://t.example/"]), "setup-link");
    assert!(link.starts_with("https://t.example/setup/"), "{link}");
    assert!(text(&admin("reset-means", &["--login", "root1"]).stderr).contains("The password stays"));
    assert_eq!(admin("disable", &["--login", "nobody"]).status.code(), Some(2));
}
