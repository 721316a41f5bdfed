//! The real executable as a process, PCs that send to it, and its violent death.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use mngntime_wire::{Context, EnrollmentAnswer, Receipt, Signed};

use super::{self as support, Pc};

pub fn mngntime() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mngntime"));
    command.env_remove("MNGNTIME_AGENT").env("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent");
    // What a command says without --language is not to depend on who runs the tests.
    command.env("LC_ALL", "C");
    command
}

pub fn run(arguments: &[&str]) -> Output {
    mngntime().args(arguments).stdin(Stdio::null()).output().unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A running `serve` or `up`; killed when dropped.
pub struct Running {
    pub child: Child,
    pub ready: String,
}

impl Running {
    pub fn start(arguments: &[&str]) -> Self {
        Self::of(mngntime().args(arguments))
    }

    /// Runs `command` until it says that it is ready.
    pub fn of(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        assert!(ready.starts_with("ready url="), "{ready:?} {}", errors(&mut child));
        Self { child, ready }
    }

    pub fn value(&self, key: &str) -> String {
        let field = self.ready.split_whitespace().find_map(|word| word.strip_prefix(&format!("{key}=")));
        field.unwrap_or_else(|| panic!("{key} in {}", self.ready)).to_owned()
    }

    pub fn address(&self) -> String {
        self.value("url").trim_start_matches("http://").to_owned()
    }

    pub fn stop(mut self) -> (ExitStatus, String) {
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

pub fn errors(child: &mut Child) -> String {
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    text
}

/// A connection that asks one thing after the other.
pub struct Line(pub TcpStream);

impl Line {
    pub fn to(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        // Head and body are two writes: the second is not to wait until the first is confirmed.
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    /// The body of the answer; `None` when the server has gone away.
    pub fn post(&mut self, path: &str, body: &str) -> Option<String> {
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

    pub fn deliver(&mut self, batch: &Signed) -> Option<Receipt> {
        let answer = self.post("/api/v1/events", &batch.to_json().unwrap())?;
        Some(Signed::parse(answer.as_bytes()).unwrap().peek().unwrap())
    }
}

/// Enrols a PC; returns its id as a terminal.
pub fn enroll(line: &mut Line, pc: &Pc, key: &str) -> String {
    let answer = line.post("/api/v1/terminals", &pc.enrollment(key).to_json().unwrap()).unwrap();
    let envelope = Signed::parse(answer.as_bytes()).unwrap();
    let answer: EnrollmentAnswer = envelope.peek().unwrap();
    envelope.check(Context::EnrollmentAnswer, &support::public(&answer.server_key)).unwrap();
    answer.terminal.expect("enrolled")
}

pub fn enrolled(running: &Running, seed: u8) -> Pc {
    let pc = Pc::new(seed);
    let terminal = enroll(&mut Line::to(&running.address()), &pc, &running.value("enrollment-key"));
    Pc { terminal, ..pc }
}

/// A PC at work: what it has sent without a receipt it sends again to the next server.
pub struct AtWork {
    pub pc: Pc,
    pub waiting: Vec<String>,
    pub acknowledged: Vec<(String, u64)>,
}

impl AtWork {
    /// Sends logons until the server is gone.
    pub fn until_gone(mut self, mut line: Line) -> Self {
        while self.sends(&mut line) {}
        self
    }

    /// Sends what waits, or two new logons; whether a receipt came.
    pub fn sends(&mut self, line: &mut Line) -> bool {
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

/// The value that a command prints as `key=value`.
pub fn printed(output: &Output, key: &str) -> String {
    let told = text(&output.stdout);
    let value = told.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    value.unwrap_or_else(|| panic!("{key} in {told} {}", text(&output.stderr))).to_owned()
}

/// Kills `program up` on `data` in `rounds` rounds under load, at moments that a seed decides (MNGNTIME_SEED), and shows
/// that no event that was acknowledged is lost, and none doubled.
pub fn kill_under_load(data: &Path, rounds: u64, program: &dyn Fn() -> Command) {
    let number =
        |name, default: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    let (rounds, mut chance) = (rounds * number("MNGNTIME_SOAK", 1), number("MNGNTIME_SEED", 1));
    let data = data.to_str().unwrap();
    let up = || Running::of(program().args(["up", "--listen", "127.0.0.1:0", "--data", data]));
    let at_work = |pc| AtWork { pc, waiting: Vec::new(), acknowledged: Vec::new() };
    let mut pcs: Vec<_> = {
        let first = up();
        (1..=4).map(|seed| at_work(enrolled(&first, seed))).collect()
    };
    for _ in 0..rounds {
        let mut running = up();
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
    let last = up();
    for pc in &mut pcs {
        assert!(pc.sends(&mut Line::to(&last.address())), "what was left is taken");
    }
    drop(last);
    let list = ["punches", "--format", "jsonl", "--limit", "1000000", "--data", data];
    let listed = program().args(list).output().unwrap();
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
