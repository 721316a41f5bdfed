//! The real executable: what it prints, how it ends, and what survives its death.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use mngntime_model::UtcMillis;
use mngntime_store::sqlite::SqliteStore;
use mngntime_store::{Act, KeyHash, NewToken, Operators as _, SignIn as _};
use mngntime_wire::{Context, EnrollmentAnswer, Receipt, Signed};
use support::Pc;

fn mngntime() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mngntime"));
    command.env_remove("MNGNTIME_AGENT").env("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent");
    command
}

fn run(arguments: &[&str]) -> Output {
    mngntime().args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A running `serve` or `up`; killed when dropped.
struct Running {
    child: Child,
    ready: String,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let mut child =
            mngntime().args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        assert!(ready.starts_with("ready url="), "{ready:?} {}", errors(&mut child));
        Self { child, ready }
    }

    fn value(&self, key: &str) -> String {
        let field = self.ready.split_whitespace().find_map(|word| word.strip_prefix(&format!("{key}=")));
        field.unwrap_or_else(|| panic!("{key} in {}", self.ready)).to_owned()
    }

    fn address(&self) -> String {
        self.value("url").trim_start_matches("http://").to_owned()
    }

    fn stop(mut self) -> (ExitStatus, String) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        let status = self.child.wait().unwrap();
        (status, errors(&mut self.child))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn errors(child: &mut Child) -> String {
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    text
}

/// A connection that asks one thing after the other.
struct Line(TcpStream);

impl Line {
    fn to(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        // Head and body are two writes: the second is not to wait until the first is confirmed.
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    /// The body of the answer; `None` when the server has gone away.
    fn post(&mut self, path: &str, body: &str) -> Option<String> {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        self.0.write_all(head.as_bytes()).ok()?;
        self.0.write_all(body.as_bytes()).ok()?;
        let mut reader = BufReader::new(&self.0);
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        Some(text(&body))
    }

    fn deliver(&mut self, batch: &Signed) -> Option<Receipt> {
        let answer = self.post("/api/v1/events", &batch.to_json().unwrap())?;
        Some(Signed::parse(answer.as_bytes()).unwrap().peek().unwrap())
    }
}

/// Enrols a PC; returns its id as a terminal.
fn enroll(line: &mut Line, pc: &Pc, key: &str) -> String {
    let answer = line.post("/api/v1/terminals", &pc.enrollment(key).to_json().unwrap()).unwrap();
    let envelope = Signed::parse(answer.as_bytes()).unwrap();
    let answer: EnrollmentAnswer = envelope.peek().unwrap();
    envelope.check(Context::EnrollmentAnswer, &support::public(&answer.server_key)).unwrap();
    answer.terminal.expect("enrolled")
}

fn enrolled(running: &Running, seed: u8) -> Pc {
    let pc = Pc::new(seed);
    let terminal = enroll(&mut Line::to(&running.address()), &pc, &running.value("enrollment-key"));
    Pc { terminal, ..pc }
}

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

/// A PC at work: what it has sent without a receipt it sends again to the next server.
struct AtWork {
    pc: Pc,
    waiting: Vec<String>,
    acknowledged: Vec<(String, u64)>,
}

impl AtWork {
    /// Sends logons until the server is gone.
    fn until_gone(mut self, mut line: Line) -> Self {
        while self.sends(&mut line) {}
        self
    }

    /// Sends what waits, or two new logons; whether a receipt came.
    fn sends(&mut self, line: &mut Line) -> bool {
        if self.waiting.is_empty() {
            self.waiting = vec![self.pc.logon("hanako"), self.pc.logon("taro")];
        }
        let Some(receipt) = line.deliver(&self.pc.batch(&self.waiting)) else { return false };
        assert!(support::all_stored(&receipt));
        self.waiting.clear();
        self.acknowledged.extend(receipt.items.iter().map(|item| (self.pc.terminal.clone(), item.seq)));
        true
    }
}

/// The server is killed at moments that a seed decides (MNGNTIME_SEED); `cargo xtask soak faults` does it more
/// often (MNGNTIME_SOAK).
#[test]
fn killed_under_load_it_loses_no_event_it_has_acknowledged() {
    let number =
        |name, default: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    let (rounds, mut chance) = (6 * number("MNGNTIME_SOAK", 1), number("MNGNTIME_SEED", 1));
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let at_work = |pc| AtWork { pc, waiting: Vec::new(), acknowledged: Vec::new() };
    let mut pcs: Vec<_> = {
        let first = up(&data);
        (1..=4).map(|seed| at_work(enrolled(&first, seed))).collect()
    };
    for _ in 0..rounds {
        let mut running = up(&data);
        let address = running.address();
        let sending: Vec<_> = pcs
            .into_iter()
            .map(|pc| (pc, Line::to(&address)))
            .map(|(pc, line)| std::thread::spawn(move || pc.until_gone(line)))
            .collect();
        // Knuth's MMIX generator: any spread of moments will do, as long as it can be had again.
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        std::thread::sleep(Duration::from_millis(5 + (chance >> 33) % 400));
        running.child.kill().unwrap();
        pcs = sending.into_iter().map(|sender| sender.join().unwrap()).collect();
    }
    let last = up(&data);
    for pc in &mut pcs {
        assert!(pc.sends(&mut Line::to(&last.address())), "what was left is taken");
    }
    drop(last);
    let listed =
        run(&["punches", "--format", "jsonl", "--limit", "1000000", "--data", data.to_str().unwrap()]);
    let lines: Vec<serde_json::Value> =
        text(&listed.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut stored: Vec<_> = lines
        .iter()
        .map(|line| (line["terminal"].as_str().unwrap().to_owned(), line["seq"].as_u64().unwrap()))
        .collect();
    stored.sort();
    assert!(stored.windows(2).all(|pair| pair[0] != pair[1]), "one row for each event");
    let acknowledged: Vec<_> = pcs.iter().flat_map(|pc| pc.acknowledged.iter()).collect();
    assert!(acknowledged.len() > 30, "{} acknowledged", acknowledged.len());
    for event in &acknowledged {
        assert!(stored.binary_search(event).is_ok(), "{event:?} was acknowledged and is lost");
    }
    let made: u64 = pcs.iter().map(|pc| pc.pc.sequence).sum();
    assert_eq!(stored.len() as u64, made, "every event that was made is there, and no other");
    println!("killed {rounds} times: {made} events, {} acknowledged, lost 0, doubled 0", acknowledged.len());
}

/// The value that a command prints as `key=value`.
fn printed(output: &Output, key: &str) -> String {
    let told = text(&output.stdout);
    let value = told.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    value.unwrap_or_else(|| panic!("{key} in {told} {}", text(&output.stderr))).to_owned()
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
    assert!(text(&output.stderr).contains("could not make the server's key"), "{}", text(&output.stderr));
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
