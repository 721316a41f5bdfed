//! Several nodes on one PostgreSQL behind a plain balancer, HAProxy as Debian has it: what it is told here is what
//! `docs/operating/scale-out.en.md` says.

use crate::support;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::cluster::Cluster;
use crate::support::Pc;
use crate::support::process::{AtWork, Line, Running, enroll, mngntime, printed, text};
use mngntime_wire::{Receipt, Signed};

const GUIDE: &str = include_str!("../../../docs/operating/scale-out.en.md");

/// What the guide says in its block of this kind.
fn block(kind: &str) -> &'static str {
    let head = format!("```{kind}\n");
    let begin = GUIDE.find(&head).unwrap() + head.len();
    &GUIDE[begin..begin + GUIDE[begin..].find("```").unwrap()]
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The balancer with the guide's own configuration, its addresses aside.
struct Balancer {
    child: Child,
    port: u16,
    control: std::path::PathBuf,
}

impl Balancer {
    fn start(directory: &Path, nodes: [u16; 2]) -> Self {
        let (port, control) = (free_port(), directory.join("haproxy.sock"));
        let away = directory.join("503.http");
        std::fs::write(&away, block("http").replace('\n', "\r\n")).unwrap();
        let own = block("haproxy")
            .replace("/etc/haproxy/errors/mngntime-503.http", away.to_str().unwrap())
            .replace("*:80", &format!("127.0.0.1:{port}"))
            .replace("192.0.2.11:8320", &format!("127.0.0.1:{}", nodes[0]))
            .replace("192.0.2.12:8320", &format!("127.0.0.1:{}", nodes[1]))
            .replace("/run/haproxy/admin.sock", control.to_str().unwrap());
        let file = directory.join("haproxy.cfg");
        std::fs::write(&file, own).unwrap();
        let mut haproxy = Command::new("/usr/sbin/haproxy");
        let child = haproxy.arg("-db").arg("-f").arg(&file).stdin(Stdio::null()).spawn().unwrap();
        let balancer = Self { child, port, control };
        balancer.until(|state| state.iter().all(|node| node == "UP"));
        balancer
    }

    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Waits until its view of the nodes is as it should be.
    fn until(&self, wanted: impl Fn(&[String]) -> bool) {
        loop {
            let state = self.state();
            if state.len() == 2 && wanted(&state) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    /// What it thinks of each node.
    fn state(&self) -> Vec<String> {
        let Ok(mut socket) = std::os::unix::net::UnixStream::connect(&self.control) else {
            return Vec::new();
        };
        socket.write_all(b"show stat\n").unwrap();
        let lines = BufReader::new(socket).lines().map_while(Result::ok);
        let nodes = lines.filter(|line| line.starts_with("nodes,") && !line.starts_with("nodes,BACKEND"));
        nodes.map(|line| line.split(',').nth(17).unwrap().split(' ').next().unwrap().to_owned()).collect()
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A database, and two nodes with their ports.
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

    fn serve(&self, port: u16) -> Running {
        let config = self.directory.path().join(format!("server-{port}.toml"));
        // Passkeys need a host name, which browsers know the balancer by.
        let text = format!(
            "listen = \"127.0.0.1:{port}\"\ndata_dir = \"{}\"\npublic_url = \"http://localhost\"\n",
            self.data()
        );
        std::fs::write(&config, text).unwrap();
        Running::of(self.command().args(["serve", "--config"]).arg(config))
    }
}

/// Sends through the balancer until told to end; what fails is counted and sent again, as the agent does.
fn sends(mut pc: AtWork, address: &str, end: &AtomicBool, failed: &AtomicU64) -> AtWork {
    let mut line = Line::to(address);
    while !end.load(Ordering::Relaxed) || !pc.waiting.is_empty() {
        if pc.waiting.is_empty() {
            pc.waiting = vec![pc.pc.logon("hanako")];
        }
        let batch = pc.pc.batch(&pc.waiting);
        let answer = line.post("/api/v1/events", &batch.to_json().unwrap());
        let receipt = answer.and_then(|answer| Signed::parse(answer.as_bytes()).ok()?.peek::<Receipt>().ok());
        let Some(receipt) = receipt else {
            failed.fetch_add(1, Ordering::Relaxed);
            line = Line::to(address);
            continue;
        };
        assert!(support::all_stored(&receipt));
        pc.waiting.clear();
        pc.acknowledged.extend(receipt.items.iter().map(|item| (pc.pc.terminal.clone(), item.seq)));
    }
    pc
}

/// Ends what sends also when an assertion fails: whoever waits for it would wait for ever.
struct EndAtLast<'a>(&'a AtomicBool);

impl Drop for EndAtLast<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// PCs that send all the time.
const PCS: u8 = 3;

#[test]
fn nodes_are_restarted_one_after_the_other_and_one_is_killed_and_no_event_is_lost_or_doubled() {
    let site = Site::new();
    let mut create = site.command();
    let made = create.args(["contract", "create", "--data", &site.data(), "--code", "acme", "--name", "A"]);
    let key = printed(&made.output().unwrap(), "enrollment-key");
    let ports = [free_port(), free_port()];
    let mut nodes = ports.map(|port| Some(site.serve(port)));
    let balancer = Balancer::start(site.directory.path(), ports);
    let address = balancer.address();
    let (end, failed) = (AtomicBool::new(false), AtomicU64::new(0));
    let pcs: Vec<_> = (1..=PCS)
        .map(|seed| {
            let mut pc = Pc { contract: "acme".into(), ..Pc::new(seed) };
            pc.terminal = enroll(&mut Line::to(&address), &pc, &key);
            AtWork { pc, waiting: Vec::new(), acknowledged: Vec::new() }
        })
        .collect();
    let pcs = std::thread::scope(|scope| {
        let sending: Vec<_> =
            pcs.into_iter().map(|pc| scope.spawn(|| sends(pc, &address, &end, &failed))).collect();
        let at_last = EndAtLast(&end);
        for (index, port) in ports.into_iter().enumerate() {
            let (status, said) = nodes[index].take().unwrap().stop();
            assert_eq!(status.code(), Some(0), "{said}");
            balancer.until(|state| state[index] == "DOWN");
            nodes[index] = Some(site.serve(port));
            balancer.until(|state| state.iter().all(|node| node == "UP"));
        }
        assert_eq!(failed.load(Ordering::Relaxed), 0, "of a rolling restart no PC notices anything");
        drop(nodes[0].take());
        balancer.until(|state| state[0] == "DOWN");
        nodes[0] = Some(site.serve(ports[0]));
        balancer.until(|state| state.iter().all(|node| node == "UP"));
        drop(at_last);
        sending.into_iter().map(|pc| pc.join().unwrap()).collect::<Vec<_>>()
    });
    let made: u64 = pcs.iter().map(|pc| pc.pc.sequence).sum();
    let ask = |sql: &str| site.cluster.ask("office", sql);
    assert_eq!(ask("SELECT count(*) FROM events"), made.to_string(), "none lost, none doubled");
    assert_eq!(
        ask("SELECT count(*) = max(leaf) + 1 FROM log_leaves"),
        "t",
        "leaves are numbered without gaps"
    );
    println!("{made} events through a rolling restart and a killed node: lost 0, doubled 0");
}

/// An answer to one request on a connection of its own.
struct Answered {
    status: u16,
    /// Those that it sets, as `name=value`.
    cookies: Vec<String>,
    text: String,
}

impl Answered {
    /// The cookie that the pages know somebody by.
    fn session(&self) -> String {
        self.cookies.iter().find(|cookie| cookie.starts_with("mngntime_session=")).unwrap().clone()
    }
}

fn ask(address: &str, request: &str) -> Answered {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let lines: Vec<String> = BufReader::new(stream).lines().map_while(Result::ok).collect();
    let status = lines[0].split(' ').nth(1).unwrap().parse().unwrap();
    let cookies = lines.iter().filter_map(|line| line.strip_prefix("set-cookie: "));
    let cookies = cookies.map(|cookie| cookie.split(';').next().unwrap().to_owned()).collect();
    Answered { status, cookies, text: lines.join("\n") }
}

const HEAD: &str = "Host: localhost\r\nConnection: close\r\nSec-Fetch-Site: same-origin\r\n";

fn get(address: &str, path: &str, cookies: &str) -> Answered {
    ask(address, &format!("GET {path} HTTP/1.1\r\n{HEAD}Cookie: {cookies}\r\n\r\n"))
}

fn post(address: &str, path: &str, cookies: &str, (kind, body): (&str, &str)) -> Answered {
    let length = body.len();
    let head = format!("{HEAD}Cookie: {cookies}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n");
    ask(address, &format!("POST {path} HTTP/1.1\r\n{head}\r\n{body}"))
}

const FORM: &str = "application/x-www-form-urlencoded";

/// Somebody with a password, and two nodes behind a balancer.
struct Office {
    site: Site,
    balancer: Balancer,
    nodes: [Option<Running>; 2],
    ports: [u16; 2],
    password: String,
}

impl Office {
    fn new() -> Self {
        let site = Site::new();
        let run = |arguments: &[&str]| {
            let done = site.command().args(arguments).output().unwrap();
            assert!(done.status.success(), "{}", text(&done.stderr));
            done
        };
        let data = site.data();
        run(&["contract", "create", "--data", &data, "--code", "acme", "--name", "A"]);
        let made = ["admin", "create", "--data", &data, "--login", "kimura", "--contract", "acme"];
        let password = printed(&run(&made), "password");
        let ports = [free_port(), free_port()];
        let nodes = ports.map(|port| Some(site.serve(port)));
        let balancer = Balancer::start(site.directory.path(), ports);
        Self { site, balancer, nodes, ports, password }
    }

    fn sign_in(&self) -> Answered {
        let written: String = self.password.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let form = format!("user=kimura&password={written}");
        let answer = post(&self.balancer.address(), "/login", "", (FORM, &form));
        assert_eq!(answer.status, 303, "{}", answer.text);
        answer
    }
}

#[test]
fn who_is_signed_in_is_so_at_every_node() {
    let office = Office::new();
    let session = office.sign_in().session();
    // Without the balancer's cookie, requests go to the nodes in turns.
    for _ in 0..4 {
        assert_eq!(get(&office.balancer.address(), "/punches", &session).status, 200);
    }
    for port in office.ports {
        let at = format!("127.0.0.1:{port}");
        assert_eq!(get(&at, "/punches", &session).status, 200, "at each of them");
    }
}

#[test]
fn a_ceremony_that_one_node_has_begun_is_ended_at_the_other() {
    let office = Office::new();
    let begun = || office.site.cluster.ask("office", "SELECT count(*) FROM ceremonies");
    let address = office.balancer.address();
    for _ in 0..2 {
        let started = post(&address, "/login/passkey/start", "", ("application/json", "null"));
        assert_eq!((started.status, begun().as_str()), (200, "1"), "{}", started.text);
        let cookie = started.cookies.iter().find(|cookie| cookie.starts_with("mngntime_passkey=")).unwrap();
        // Nobody's passkey: what it began is taken all the same, at whichever node is next.
        let nobody = r#"{"credential":{"id":"AA","rawId":"AA","type":"public-key","response":
            {"authenticatorData":"AA","clientDataJSON":"AA","signature":"AA","userHandle":null}}}"#;
        let finished = post(&address, "/login/passkey/finish", cookie, ("application/json", nobody));
        assert_eq!((finished.status, begun().as_str()), (422, "0"), "{}", finished.text);
    }
}

#[test]
fn a_browser_stays_at_the_node_that_has_its_evidence_pack_and_is_told_when_no_node_is_there() {
    let mut office = Office::new();
    let address = office.balancer.address();
    let signed_in = office.sign_in();
    let mut cookies = signed_in.session();
    let added = post(&address, "/employees", &cookies, (FORM, "code=E-1&name=hanako"));
    assert_eq!(added.status, 303, "{}", added.text);
    let id = office.site.cluster.ask("office", "SELECT encode(id, 'hex')::uuid FROM employees");
    let page = format!("/employees/{id}/evidence");
    let node = get(&address, &page, &cookies).cookies;
    let node = node.iter().find(|cookie| cookie.starts_with("NODE=")).unwrap();
    cookies = format!("{cookies}; {node}");
    let made = post(&address, &page, &cookies, (FORM, "from=2026-11-01&to=2026-11-02"));
    assert_eq!(made.status, 303, "{}", made.text);
    for _ in 0..4 {
        let shown = get(&address, &page, &cookies);
        assert!(shown.status == 200 && shown.text.contains(&format!("{page}/pack")), "{}", shown.text);
    }
    for node in &mut office.nodes {
        drop(node.take());
    }
    office.balancer.until(|state| state.iter().all(|node| node == "DOWN"));
    let told = get(&address, &page, &cookies);
    assert_eq!(told.status, 503);
    assert!(
        told.text.contains("打刻はPCに保存されており") && told.text.contains("Punches are kept on the PCs")
    );
    assert!(told.text.to_lowercase().contains("retry-after: 10"), "{}", told.text);
}
