//! The real executable on a real PostgreSQL, from nothing to a sealed record that a stranger can check.

use crate::cluster;
use crate::support;

use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::cluster::Cluster;
use crate::support::Pc;
use crate::support::process::{AtWork, Line, Running, enroll, kill_under_load, mngntime, printed, text};
use mngntime_wire::{Receipt, Signed};

/// An empty database, and commands that use it.
struct Site {
    cluster: Cluster,
    directory: tempfile::TempDir,
}

impl Site {
    fn new() -> Self {
        let cluster = Cluster::start(&[]);
        cluster.create("office", None);
        Self { cluster, directory: tempfile::tempdir().unwrap() }
    }

    fn data(&self) -> String {
        self.directory.path().join("data").to_str().unwrap().to_owned()
    }

    fn command(&self) -> Command {
        let mut command = mngntime();
        command.env("MNGNTIME_DATABASE_URL", self.cluster.url("office")).stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let output = self.command().args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        output
    }

    fn serve(&self) -> Running {
        let config = self.directory.path().join("server.toml");
        std::fs::write(&config, format!("listen = \"127.0.0.1:0\"\ndata_dir = \"{}\"\n", self.data()))
            .unwrap();
        Running::of(self.command().args(["serve", "--config"]).arg(config))
    }

    fn ask(&self, sql: &str) -> String {
        self.cluster.ask("office", sql)
    }
}

#[test]
fn from_enrolment_to_a_sealed_record_everything_is_in_postgresql() {
    let site = Site::new();
    let data = site.data();
    let made =
        site.run(&["contract", "create", "--data", &data, "--code", "acme", "--name", "株式会社アクメ"]);
    let key = printed(&made, "enrollment-key");
    let password = printed(&site.run(&["admin", "create", "--data", &data, "--login", "kimura"]), "password");
    let running = site.serve();
    let url = running.value("url");
    let office = ["--terminals", "3", "--days", "3", "--seed", "7"];
    let sim = ["sim", "--url", &url, "--contract", "acme", "--enrollment-key", &key];
    let told = text(&site.run(&[&sim[..], &office].concat()).stdout);
    let events = told.split_whitespace().find_map(|word| word.strip_prefix("events=")).unwrap();
    assert_eq!(site.ask("SELECT count(*) FROM events"), events, "{told}");
    assert!(told.contains(&format!("receipted={events} ")), "{told}");

    let listed = site.run(&["punches", "--format", "jsonl", "--limit", "100000", "--data", &data]);
    let punches = text(&listed.stdout).lines().count().to_string();
    assert_eq!(site.ask("SELECT count(*) FROM punches"), punches);
    let mut asked = site.command();
    asked.args(["punches", "--format", "jsonl", "--limit", "100000", "--url", &url, "--login", "kimura"]);
    let by_url = with_input(asked.arg("--password-stdin"), &password);
    assert_eq!(text(&by_url.stdout).lines().count().to_string(), punches, "{}", text(&by_url.stderr));
    assert_eq!(running.stop().0.code(), Some(0));

    let (pack, public) = (site.directory.path().join("pack.zip"), site.directory.path().join("key.pub"));
    let (pack, public) = (pack.to_str().unwrap(), public.to_str().unwrap());
    site.run(&["export", "evidence", "--all", "--data", &data, "--out", pack, "--public-key-out", public]);
    let verified = text(&site.run(&["verify", pack, "--key", public, "--language", "en"]).stdout);
    assert!(verified.contains("AUTHENTIC"), "{verified}");
}

fn with_input(command: &mut Command, input: &str) -> Output {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn a_server_that_has_outgrown_its_file_is_moved_while_it_runs_and_loses_nothing() {
    let site = Site::new();
    let data = site.data();
    let own = |arguments: &[&str]| {
        let done = mngntime().args(arguments).output().unwrap();
        assert!(done.status.success(), "{arguments:?}: {}", text(&done.stderr));
        done
    };
    let made = own(&["contract", "create", "--data", &data, "--code", "acme", "--name", "株式会社アクメ"]);
    let key = printed(&made, "enrollment-key");
    let config = site.directory.path().join("server.toml");
    std::fs::write(&config, format!("listen = \"127.0.0.1:0\"\ndata_dir = \"{data}\"\n")).unwrap();
    let old = Running::of(mngntime().args(["serve", "--config"]).arg(&config));
    let url = old.value("url");
    own(&[
        "sim",
        "--url",
        &url,
        "--contract",
        "acme",
        "--enrollment-key",
        &key,
        "--terminals",
        "2",
        "--days",
        "3",
        "--seed",
        "5",
    ]);
    let mut pc = Pc { contract: "acme".into(), ..Pc::new(200) };
    pc.terminal = enroll(&mut Line::to(&old.address()), &pc, &key);
    let before = [pc.logon("hanako")];
    assert!(support::all_stored(&Line::to(&old.address()).deliver(&pc.batch(&before)).unwrap()));

    let from = format!("sqlite://{data}");
    let wrong = site.command().args(["migrate-store", "--from", &data]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(2), "{}", text(&wrong.stderr));
    let moved = site.run(&["migrate-store", "--from", &from]);
    assert!(text(&moved.stderr).contains("Restart the server"));
    let late = [pc.logon("taro")];
    let batch = pc.batch(&late);
    let refused = ureq::post(format!("{url}/api/v1/events"))
        .config()
        .http_status_as_error(false)
        .build()
        .content_type("application/json")
        .send(batch.to_json().unwrap())
        .unwrap();
    assert!(refused.status().is_server_error(), "the old server takes nothing: {}", refused.status());
    assert_eq!(old.stop().0.code(), Some(0));
    let forgotten = mngntime().args(["serve", "--config"]).arg(&config).output().unwrap();
    assert!(text(&forgotten.stderr).contains("set MNGNTIME_DATABASE_URL"), "{}", text(&forgotten.stderr));

    let new = Running::of(site.command().args(["serve", "--config"]).arg(&config));
    let receipt = Line::to(&new.address()).deliver(&pc.batch(&late)).unwrap();
    assert!(support::all_stored(&receipt), "the PC's event is there now");
    let again = Line::to(&new.address()).deliver(&pc.batch(&before)).unwrap();
    assert!(support::all_stored(&again), "and what had a receipt is known");
    drop(new);
    let (pack, public) = (site.directory.path().join("pack.zip"), site.directory.path().join("key.pub"));
    let (pack, public) = (pack.to_str().unwrap(), public.to_str().unwrap());
    site.run(&["export", "evidence", "--all", "--data", &data, "--out", pack, "--public-key-out", public]);
    let verified = text(&site.run(&["verify", pack, "--key", public, "--language", "en"]).stdout);
    assert!(verified.contains("AUTHENTIC"), "{verified}");
}

#[test]
fn what_was_recorded_is_refused_to_be_changed_or_deleted_by_the_database_itself() {
    let site = Site::new();
    site.run(&["contract", "create", "--data", &site.data(), "--code", "acme", "--name", "A"]);
    for (table, column) in [
        ("events", "json"),
        ("audit", "detail"),
        ("log_leaves", "month"),
        ("log_hashes", "month"),
        ("log_heads", "month"),
        ("remarks", "text"),
        ("remark_withdrawals", "withdrawn_by"),
    ] {
        // A row goes past the guard only while the guards are off, which is for the test to do.
        let triggers = "SELECT string_agg(tgname, ' ' ORDER BY tgname) FROM pg_trigger WHERE NOT tgisinternal AND tgrelid";
        let guards = site.ask(&format!("{triggers} = '{table}'::regclass"));
        // Of these, rows may go with their retired month.
        let goes = if ["events", "log_leaves"].contains(&table) {
            format!("{table}_go_when_retired ")
        } else {
            String::new()
        };
        assert_eq!(guards, format!("{goes}{table}_is_frozen {table}_is_not_emptied"), "{column}");
    }
    for sql in ["UPDATE audit SET detail = '{}'", "DELETE FROM audit", "TRUNCATE audit CASCADE"] {
        let refusal = format!(
            "DO $$ BEGIN {sql}; EXCEPTION WHEN integrity_constraint_violation THEN RAISE NOTICE 'refused'; RETURN; END $$;
             SELECT count(*) FROM audit"
        );
        assert_eq!(site.ask(&refusal).lines().last(), Some("1"), "{sql}");
        let bare = format!(
            "DO $$ BEGIN {sql}; RAISE EXCEPTION 'not refused'; EXCEPTION WHEN integrity_constraint_violation THEN NULL; END $$"
        );
        site.ask(&bare);
    }
}

#[test]
fn the_server_goes_on_when_its_database_has_been_restarted() {
    let mut site = Site::new();
    let made = site.run(&["contract", "create", "--data", &site.data(), "--code", "acme", "--name", "A"]);
    let key = printed(&made, "enrollment-key");
    let running = site.serve();
    let mut pc = Pc { contract: "acme".into(), ..Pc::new(1) };
    pc.terminal = enroll(&mut Line::to(&running.address()), &pc, &key);
    let deliver = |pc: &mut Pc| {
        let events = [pc.logon("hanako")];
        let receipt = Line::to(&running.address()).deliver(&pc.batch(&events)).unwrap();
        assert!(support::all_stored(&receipt));
    };
    deliver(&mut pc);
    site.cluster.crash();
    let events = [pc.logon("taro")];
    let batch = pc.batch(&events);
    let answer = ureq::post(format!("http://{}/api/v1/events", running.address()))
        .config()
        .http_status_as_error(false)
        .build()
        .content_type("application/json")
        .send(batch.to_json().unwrap());
    let answer = answer.unwrap();
    assert_eq!(answer.status().as_u16(), 503);
    assert!(answer.headers().contains_key("retry-after"), "PCs are told when to come back");
    site.cluster.restart();
    assert!(
        support::all_stored(&Line::to(&running.address()).deliver(&batch).unwrap()),
        "the very same is taken"
    );
    deliver(&mut pc);
    assert_eq!(site.ask("SELECT count(*) FROM punches"), "3");
}

#[test]
fn the_way_to_the_database_is_encrypted_and_its_certificate_is_checked() {
    let (files, own) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let made = |name: &str| {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let certificate = own.path().join(name);
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        (made, certificate)
    };
    let ((server, trusted), (_, other)) = (made("server.pem"), made("other.pem"));
    let (certificate, key) = (files.path().join("server.pem"), files.path().join("server.key"));
    std::fs::write(&certificate, server.cert.pem()).unwrap();
    std::fs::write(&key, server.signing_key.serialize_pem()).unwrap();
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    cluster::give_away(files.path());
    let setting = |name: &str, path: &Path| format!("{name}={}", path.display());
    let tls = [setting("ssl_cert_file", &certificate), setting("ssl_key_file", &key)];
    let cluster = Cluster::start(&["ssl=on", &tls[0], &tls[1]]);
    cluster.create("office", None);
    let site = Site { cluster, directory: tempfile::tempdir().unwrap() };
    let url = |authorities: &Path, host: &str| {
        let (port, authorities) = (site.cluster.port(), authorities.display());
        format!("postgres://tester@{host}:{port}/office?sslmode=verify-full&sslrootcert={authorities}")
    };
    let create = |url: &str, code: &str| {
        let mut create = site.command();
        let name = ["contract", "create", "--data", &site.data(), "--name", "A", "--code", code];
        create.env("MNGNTIME_DATABASE_URL", url).args(name).output().unwrap()
    };
    assert!(create(&url(&trusted, "localhost"), "acme").status.success());
    for (authorities, host) in [(&other, "localhost"), (&trusted, "127.0.0.1")] {
        let refused = create(&url(authorities, host), "other");
        let said = text(&refused.stderr);
        assert!(!refused.status.success() && said.contains("certificate"), "{host}: {said}");
    }
    let config = site.directory.path().join("server.toml");
    std::fs::write(&config, format!("listen = \"127.0.0.1:0\"\ndata_dir = \"{}\"\n", site.data())).unwrap();
    let mut serve = site.command();
    serve.env("MNGNTIME_DATABASE_URL", url(&trusted, "localhost")).args(["serve", "--config"]).arg(config);
    let _running = Running::of(&mut serve);
    let ours = "FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'mngntime'";
    assert_eq!(site.ask(&format!("SELECT count(*) > 0 AND bool_and(ssl) {ours}")), "t");
}

#[test]
fn a_failed_statement_spoils_no_more_than_its_judgement() {
    let site = Site::new();
    let made = site.run(&["contract", "create", "--data", &site.data(), "--code", "acme", "--name", "A"]);
    let key = printed(&made, "enrollment-key");
    let running = site.serve();
    let mut pc = Pc { contract: "acme".into(), ..Pc::new(1) };
    let mut line = Line::to(&running.address());
    pc.terminal = enroll(&mut line, &pc, &key);
    let before = [pc.logon("hanako")];
    assert_eq!(support::results(&line.deliver(&pc.batch(&before)).unwrap()), [Some(7)]);
    site.ask("ALTER TABLE account_links RENAME TO away");
    let meanwhile = [pc.logon("hanako"), pc.logon("taro")];
    let receipt = line.deliver(&pc.batch(&meanwhile)).unwrap();
    assert!(support::all_stored(&receipt));
    assert_eq!(support::results(&receipt), [Some(9), Some(9)]);
    site.ask("ALTER TABLE away RENAME TO account_links");
    let again = line.deliver(&pc.batch(&meanwhile)).unwrap();
    assert_eq!(support::results(&again), [Some(7), Some(7)], "judged with the next receipt");
    assert_eq!(site.ask("SELECT count(*) FROM judgements WHERE res = 9"), "2", "and the history keeps it");
}

#[test]
fn killed_under_load_on_postgresql_it_loses_no_event_it_has_acknowledged() {
    let site = Site::new();
    kill_under_load(Path::new(&site.data()), 3, &|| site.command());
}

#[test]
fn the_database_is_never_mistaken() {
    let site = Site::new();
    let data = site.data();
    site.run(&["contract", "create", "--data", &data, "--code", "acme", "--name", "A"]);
    let forgotten = mngntime().args(["terminal", "list", "--data", &data]).output().unwrap();
    assert_eq!(forgotten.status.code(), Some(2));
    assert!(text(&forgotten.stderr).contains("set MNGNTIME_DATABASE_URL"), "{}", text(&forgotten.stderr));
    let backup = site.command().args(["backup", "--data", &data, "--out", "/nonexistent"]).output().unwrap();
    assert_eq!(backup.status.code(), Some(2));
    assert!(text(&backup.stderr).contains("pg_dump"), "{}", text(&backup.stderr));
    let nobody = "postgres://u:secret@127.0.0.1:1/d";
    let mut unreachable = mngntime();
    unreachable.env("MNGNTIME_DATABASE_URL", nobody).args(["terminal", "list", "--data", &data]);
    let unreachable = unreachable.output().unwrap();
    let said = text(&unreachable.stderr);
    assert!(
        said.contains("could not connect to the PostgreSQL database") && !said.contains("secret"),
        "{said}"
    );
}

/// PCs that send during the fail-over, and what each has had acknowledged before and after it.
const FAIL_OVER_PCS: u8 = 3;
const FAIL_OVER_RECEIPTS: usize = 10;

/// Sends until there are `count` receipts more; what fails is sent again, as the agent does.
fn sends_through(mut pc: AtWork, address: &str, count: usize) -> AtWork {
    let wanted = pc.acknowledged.len() + count;
    while pc.acknowledged.len() < wanted {
        if pc.waiting.is_empty() {
            pc.waiting = vec![pc.pc.logon("hanako")];
        }
        let batch = pc.pc.batch(&pc.waiting);
        let answer = Line::to(address).post("/api/v1/events", &batch.to_json().unwrap());
        let receipt = answer.and_then(|answer| Signed::parse(answer.as_bytes()).ok()?.peek::<Receipt>().ok());
        let Some(receipt) = receipt else { continue };
        assert!(support::all_stored(&receipt));
        pc.waiting.clear();
        pc.acknowledged.extend(receipt.items.iter().map(|item| (pc.pc.terminal.clone(), item.seq)));
    }
    pc
}

#[test]
fn a_standby_takes_over_under_load_and_has_every_event_that_was_acknowledged() {
    let mut site = Site::new();
    let standby = site.cluster.with_standby();
    let both = format!(
        "postgres://tester@127.0.0.1:{},127.0.0.1:{}/office?target_session_attrs=read-write",
        site.cluster.port(),
        standby.port()
    );
    let made = site.run(&["contract", "create", "--data", &site.data(), "--code", "acme", "--name", "A"]);
    let key = printed(&made, "enrollment-key");
    let config = site.directory.path().join("server.toml");
    std::fs::write(&config, format!("listen = \"127.0.0.1:0\"\ndata_dir = \"{}\"\n", site.data())).unwrap();
    let node = Running::of(
        site.command().env("MNGNTIME_DATABASE_URL", &both).args(["serve", "--config"]).arg(config),
    );
    let address = node.address();
    let (through, is_through) = std::sync::mpsc::channel();
    let sending: Vec<_> = (1..=FAIL_OVER_PCS)
        .map(|seed| {
            let mut pc = Pc { contract: "acme".into(), ..Pc::new(seed) };
            pc.terminal = enroll(&mut Line::to(&address), &pc, &key);
            let pc = AtWork { pc, waiting: Vec::new(), acknowledged: Vec::new() };
            let (address, through) = (address.clone(), through.clone());
            std::thread::spawn(move || {
                let pc = sends_through(pc, &address, FAIL_OVER_RECEIPTS);
                through.send(()).unwrap();
                // The first of these meet the crash.
                sends_through(pc, &address, FAIL_OVER_RECEIPTS)
            })
        })
        .collect();
    (1..=FAIL_OVER_PCS).for_each(|_| is_through.recv().unwrap());
    site.cluster.crash();
    standby.ask("postgres", "SELECT pg_promote()");
    let pcs: Vec<AtWork> = sending.into_iter().map(|pc| pc.join().unwrap()).collect();
    let made: u64 = pcs.iter().map(|pc| pc.pc.sequence).sum();
    assert_eq!(
        standby.ask("office", "SELECT count(*) FROM events"),
        made.to_string(),
        "none lost, none doubled"
    );
    let whole = standby.ask("office", "SELECT count(*) = max(leaf) + 1 FROM log_leaves");
    assert_eq!(whole, "t", "leaves are numbered without gaps");
}

/// What each of some PCs sends to a node that lives.
const SENT_TO_THE_LIVING: usize = 25;

#[test]
fn of_two_nodes_on_one_database_one_is_killed_and_no_event_is_lost_or_doubled() {
    let site = Site::new();
    let made = site.run(&["contract", "create", "--data", &site.data(), "--code", "acme", "--name", "A"]);
    let key = printed(&made, "enrollment-key");
    let (mut dying, living) = (site.serve(), site.serve());
    let at_work = |seed: u8, node: &Running| {
        let mut pc = Pc { contract: "acme".into(), ..Pc::new(seed) };
        pc.terminal = enroll(&mut Line::to(&node.address()), &pc, &key);
        AtWork { pc, waiting: Vec::new(), acknowledged: Vec::new() }
    };
    let to_the_dying: Vec<_> = (1..=2).map(|seed| at_work(seed, &dying)).collect();
    let to_the_living: Vec<_> = (3..=4).map(|seed| at_work(seed, &living)).collect();
    let address = dying.address();
    let orphans: Vec<_> = to_the_dying
        .into_iter()
        .map(|pc| (pc, Line::to(&address)))
        .map(|(pc, line)| std::thread::spawn(move || pc.until_gone(line)))
        .collect();
    let mut pcs = Vec::new();
    for mut pc in to_the_living {
        let mut line = Line::to(&living.address());
        (0..SENT_TO_THE_LIVING).for_each(|_| assert!(pc.sends(&mut line)));
        pcs.push(pc);
    }
    dying.child.kill().unwrap();
    for orphan in orphans {
        let mut pc = orphan.join().unwrap();
        assert!(pc.sends(&mut Line::to(&living.address())), "the other node takes what was left");
        pcs.push(pc);
    }
    let made: u64 = pcs.iter().map(|pc| pc.pc.sequence).sum();
    assert_eq!(site.ask("SELECT count(*) FROM events"), made.to_string());
    assert_eq!(
        site.ask("SELECT count(*) FROM events JOIN log_leaves USING (contract_id, terminal_id, seq)"),
        made.to_string()
    );
    assert_eq!(
        site.ask("SELECT count(*) = max(leaf) + 1 FROM log_leaves"),
        "t",
        "leaves are numbered without gaps"
    );
    assert!(pcs.iter().all(|pc| !pc.acknowledged.is_empty()), "each has had receipts");
}

/// The answer to a request for a page: its head and its body.
fn page(address: &str, path: &str, cookie: &str) -> String {
    use std::io::{Read as _, Write as _};
    let mut line = std::net::TcpStream::connect(address).unwrap();
    let head = "host: localhost\r\nconnection: close\r\naccept-language: en";
    write!(line, "GET {path} HTTP/1.1\r\n{head}\r\ncookie: {cookie}\r\n\r\n").unwrap();
    let mut text = String::new();
    line.read_to_string(&mut text).unwrap();
    text
}

/// Signs in through the form; the session's cookie.
fn signed_in(address: &str, login: &str, password: &str) -> String {
    let answer = ureq::post(format!("http://{address}/login"))
        .config()
        .max_redirects(0)
        .build()
        .send_form([("user", login), ("password", password)])
        .unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

/// A running server with somebody who has signed in, and a PC.
fn with_people(site: &Site) -> (Running, String, Pc) {
    let data = site.data();
    let made = site.run(&["contract", "create", "--data", &data, "--code", "acme", "--name", "A"]);
    let key = printed(&made, "enrollment-key");
    let made = ["admin", "create", "--data", &data, "--login", "kimura", "--contract", "acme"];
    let password = printed(&site.run(&made), "password");
    let running = site.serve();
    let cookie = signed_in(&running.address(), "kimura", &password);
    let mut pc = Pc { contract: "acme".into(), ..Pc::new(1) };
    pc.terminal = enroll(&mut Line::to(&running.address()), &pc, &key);
    (running, cookie, pc)
}

const AWAY: &str = "The database cannot be reached";

/// What people and PCs hear while the database does not answer.
fn hears_that_it_is_away(address: &str, cookie: &str, batch: &Signed) {
    for path in ["/punches", "/login", "/me/security"] {
        let begun = std::time::Instant::now();
        let told = page(address, path, cookie);
        let took = begun.elapsed();
        assert!(told.starts_with("HTTP/1.1 503 "), "{path}: {told}");
        assert!(told.to_lowercase().contains("\r\nretry-after: "), "{path}: {told}");
        assert!(told.contains(AWAY) && told.contains("Punches are kept on the PCs"), "{path}: {told}");
        assert!(took < std::time::Duration::from_secs(20), "{path}: {took:?}");
    }
    let request = ureq::post(format!("http://{address}/api/v1/events")).config().http_status_as_error(false);
    let answer = request.build().content_type("application/json").send(batch.to_json().unwrap()).unwrap();
    assert_eq!(answer.status().as_u16(), 503);
    assert!(answer.headers().contains_key("retry-after"), "PCs are told when to come back");
}

#[test]
fn while_the_database_is_stopped_every_page_says_so() {
    let mut site = Site::new();
    let (running, cookie, mut pc) = with_people(&site);
    assert!(page(&running.address(), "/punches", &cookie).starts_with("HTTP/1.1 200 "));
    let batch = pc.logon("hanako");
    let batch = pc.batch(&[batch]);
    site.cluster.crash();
    hears_that_it_is_away(&running.address(), &cookie, &batch);
    site.cluster.restart();
    assert!(support::all_stored(&Line::to(&running.address()).deliver(&batch).unwrap()));
    assert!(page(&running.address(), "/punches", &cookie).starts_with("HTTP/1.1 200 "));
}

#[test]
fn while_the_database_hangs_nobody_waits_without_end_and_what_was_sent_is_there_once() {
    let site = Site::new();
    let (running, cookie, mut pc) = with_people(&site);
    let batch = pc.logon("hanako");
    let batch = pc.batch(&[batch]);
    let hanging = site.cluster.hangs();
    hears_that_it_is_away(&running.address(), &cookie, &batch);
    drop(hanging);
    assert!(support::all_stored(&Line::to(&running.address()).deliver(&batch).unwrap()));
    assert_eq!(site.ask("SELECT count(*) FROM events"), "1", "sent twice, and stored once");
    assert!(page(&running.address(), "/punches", &cookie).starts_with("HTTP/1.1 200 "));
}

/// Starts `serve` on another data directory and waits for its end; what it says.
fn refused_to_serve(site: &Site, data: &Path) -> String {
    let mut serve = site.command();
    serve.arg("serve").env("MNGNTIME_LISTEN", "127.0.0.1:0").env("MNGNTIME_DATA_DIR", data);
    let mut child = serve.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut ready = String::new();
    let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut out, &mut ready).unwrap();
    // One that is ready would go on for ever.
    if !ready.is_empty() {
        child.kill().unwrap();
    }
    let output = child.wait_with_output().unwrap();
    assert!(ready.is_empty() && !output.status.success(), "{ready}");
    text(&output.stderr)
}

#[test]
fn a_node_with_another_key_than_the_others_is_refused_and_signs_nothing() {
    let site = Site::new();
    let (running, _, mut pc) = with_people(&site);
    let batch = pc.logon("hanako");
    Line::to(&running.address()).deliver(&pc.batch(&[batch])).unwrap();
    let stray = site.directory.path().join("stray");
    let said = refused_to_serve(&site, &stray);
    assert!(said.contains("is not there") && said.contains("copy server-key from"), "{said}");
    assert!(!stray.join("server-key").exists(), "no key was made");
    // A key of another server.
    std::fs::copy(Path::new(&site.data()).join("server-key"), stray.join("server-key")).unwrap();
    let good = std::fs::read(stray.join("server-key")).unwrap();
    std::fs::write(stray.join("server-key"), [7; 32]).unwrap();
    let said = refused_to_serve(&site, &stray);
    assert!(said.contains("is another than") && said.contains("copy server-key from"), "{said}");
    let (pack, public) = (site.directory.path().join("pack.zip"), site.directory.path().join("key.pub"));
    let (pack, public) = (pack.to_str().unwrap(), public.to_str().unwrap());
    let export = |data: &str, language: &str| {
        let what = ["export", "evidence", "--all", "--data", data, "--out", pack, "--public-key-out", public];
        site.command().args(what).args(["--language", language]).output().unwrap()
    };
    for (language, words) in [("en", "is another than"), ("ja", "署名した鍵ではありません")] {
        let refused = export(stray.to_str().unwrap(), language);
        assert!(!refused.status.success(), "{language}");
        assert!(text(&refused.stderr).contains(words), "{}", text(&refused.stderr));
        assert!(!Path::new(pack).exists() && !Path::new(public).exists(), "{language}");
    }
    // With the key of the others it is one of them.
    std::fs::write(stray.join("server-key"), good).unwrap();
    let mut serve = site.command();
    serve.arg("serve").env("MNGNTIME_LISTEN", "127.0.0.1:0").env("MNGNTIME_DATA_DIR", &stray);
    assert_eq!(Running::of(&mut serve).stop().0.code(), Some(0));
    assert!(export(&site.data(), "en").status.success(), "and nothing was signed with another one");
    assert_eq!(running.stop().0.code(), Some(0));
}

#[test]
fn a_store_that_knows_no_key_takes_the_one_of_its_newest_head() {
    let site = Site::new();
    let (running, ..) = with_people(&site);
    let heads = "SELECT count(*) > 0 FROM log_heads";
    assert_eq!(running.stop().0.code(), Some(0));
    let (pack, public) = (site.directory.path().join("pack.zip"), site.directory.path().join("key.pub"));
    let (pack, public) = (pack.to_str().unwrap(), public.to_str().unwrap());
    let data = site.data();
    site.run(&["export", "evidence", "--all", "--data", &data, "--out", pack, "--public-key-out", public]);
    assert_eq!(site.ask(heads), "t", "a head was signed");
    // As a version left it that remembered none.
    site.ask("DELETE FROM signing_key");
    let key = Path::new(&data).join("server-key");
    let good = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    assert!(refused_to_serve(&site, Path::new(&data)).contains("is not there"));
    std::fs::write(&key, [7; 32]).unwrap();
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    assert!(refused_to_serve(&site, Path::new(&data)).contains("is another than"));
    assert_eq!(site.ask("SELECT count(*) FROM signing_key"), "0", "a stranger is not remembered");
    std::fs::write(&key, good).unwrap();
    assert_eq!(site.serve().stop().0.code(), Some(0));
    assert_eq!(site.ask("SELECT count(*) FROM signing_key"), "1");
}
