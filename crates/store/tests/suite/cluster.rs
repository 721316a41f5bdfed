//! A PostgreSQL of the tests' own: Debian's program, a new cluster in a temporary directory, gone with its owner.
//!
//! - It runs as the user `postgres` when the tests run as root, which PostgreSQL refuses to be.
//! - Its databases are sorted by ICU's Japanese rules, so that a text compared by the database's order instead of by
//!   its bytes is noticed.
//! - Nothing is synced to disk: what a power cut would do is not what these tests are about.
//! - It hears its starter's end, even a violent one (`--pdeathsig`): whoever starts it keeps the thread alive.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Where Debian keeps the programs of the version that the tests run with.
const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";

/// The database user of the tests; a superuser of the cluster.
const USER: &str = "tester";

/// A running cluster.
pub struct Cluster {
    directory: tempfile::TempDir,
    server: Child,
    port: u16,
    settings: Vec<String>,
}

impl Cluster {
    /// Makes and starts one; `settings` as in `wal_level=replica`.
    pub fn start(settings: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        give_away(directory.path());
        let data = directory.path().join("data");
        let made = command("initdb")
            .args(["--username", USER, "--auth=trust", "--no-sync", "--no-instructions", "--encoding=UTF8"])
            .args(["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=ja", "--pgdata"])
            .arg(&data)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let port = free_port();
        let settings: Vec<String> = settings.iter().map(|setting| (*setting).to_owned()).collect();
        let server = launch(directory.path(), port, &settings);
        Self { directory, server, port, settings }
    }

    /// Ends the server as an administrator does who cannot wait, unless it has crashed, and starts it again at the same
    /// address.
    #[allow(dead_code, reason = "not every test binary does")]
    pub fn restart(&mut self) {
        self.signal("-INT");
        self.server = launch(self.directory.path(), self.port, &self.settings);
    }

    /// Ends it with `signal`, unless it has ended.
    fn signal(&mut self, signal: &str) {
        if matches!(self.server.try_wait(), Ok(Some(_))) {
            return;
        }
        drop(Command::new("kill").args([signal, &self.server.id().to_string()]).status());
        drop(self.server.wait());
    }

    /// Makes a standby of this one, from whose confirmation on a commit counts.
    #[allow(dead_code, reason = "not every test binary does")]
    pub fn with_standby(&self) -> Self {
        let directory = tempfile::tempdir().unwrap();
        give_away(directory.path());
        let port = free_port();
        let mut copy = self.client("pg_basebackup");
        succeed(
            copy.args(["--write-recovery-conf", "--checkpoint=fast", "--pgdata"])
                .arg(directory.path().join("data")),
        );
        let server = launch(directory.path(), port, &self.settings);
        // From here on a commit waits for the standby. The standby does not inherit it: it was copied before.
        self.ask("postgres", "ALTER SYSTEM SET synchronous_standby_names = '*'");
        self.ask("postgres", "SELECT pg_reload_conf()");
        Self { directory, server, port, settings: self.settings.clone() }
    }

    /// Ends the server as a crash does.
    #[allow(dead_code, reason = "not every test binary does")]
    pub fn crash(&mut self) {
        self.signal("-QUIT");
    }

    /// Lets all of its processes stand still, as on a machine whose disk does not answer: connections stay, and nobody is at
    /// work. They go on when the answer is dropped.
    #[allow(dead_code, reason = "not every test binary does")]
    pub fn hangs(&self) -> Hanging {
        let server = self.server.id();
        let is_of_it = |id: &u32| {
            let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
            let parent = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1)?.parse().ok());
            *id == server || parent == Some(server)
        };
        // The first one makes no others meanwhile.
        send("-STOP", &[server]);
        let all = std::fs::read_dir("/proc").unwrap().map_while(Result::ok);
        let ids: Vec<u32> =
            all.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(is_of_it).collect();
        send("-STOP", &ids);
        Hanging(ids)
    }

    /// Its address on the loopback.
    #[allow(dead_code, reason = "not every test binary asks")]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address of one of its databases, over TCP on the loopback.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{database}", self.port)
    }

    /// Makes a database, as a copy of `template` when there is one.
    pub fn create(&self, database: &str, template: Option<&str>) {
        let mut create = self.client("createdb");
        if let Some(template) = template {
            create.args(["--template", template]);
        }
        succeed(create.arg(database));
    }

    /// Runs SQL as a superuser; answers what is printed, columns separated by `|`.
    #[allow(dead_code, reason = "not every test binary asks")]
    pub fn ask(&self, database: &str, sql: &str) -> String {
        let mut ask = self.client("psql");
        ask.args([
            "--no-psqlrc",
            "--tuples-only",
            "--no-align",
            "--set=ON_ERROR_STOP=1",
            "--dbname",
            database,
        ]);
        succeed(ask.args(["--command", sql])).trim().to_owned()
    }

    fn client(&self, program: &str) -> Command {
        let mut client = command(program);
        client.args(["--host", "127.0.0.1", "--username", USER, "--port"]).arg(self.port.to_string());
        client
    }
}

/// A cluster that stands still.
pub struct Hanging(Vec<u32>);

impl Drop for Hanging {
    fn drop(&mut self) {
        send("-CONT", &self.0);
    }
}

fn send(signal: &str, to: &[u32]) {
    drop(Command::new("kill").arg(signal).args(to.iter().map(u32::to_string)).status());
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // At once, without tidying up.
        self.signal("-QUIT");
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn succeed(command: &mut Command) -> String {
    let done = command.output().unwrap();
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

fn is_root() -> bool {
    std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap()) == 0
}

/// The directory, with what is in it, is the server's.
pub fn give_away(directory: &Path) {
    if is_root() {
        succeed(Command::new("chown").args(["-R", "postgres:postgres"]).arg(directory));
    }
}

/// A program of PostgreSQL, as a user that may run it.
fn command(program: &str) -> Command {
    let program = PathBuf::from(PROGRAMS).join(program);
    assert!(program.exists(), "{} is not there: apt-get install postgresql", program.display());
    let mut command = Command::new("setpriv");
    command.arg("--pdeathsig=KILL");
    if is_root() {
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
    }
    command.arg("--").arg(program).current_dir("/").env("LC_ALL", "C.UTF-8");
    command
}

/// Starts the server and reads what it says until it is ready.
fn launch(directory: &Path, port: u16, settings: &[String]) -> Child {
    let mut launch = command("postgres");
    launch.arg("-D").arg(directory.join("data")).arg("-k").arg(directory).args(["-p", &port.to_string()]);
    for setting in ["listen_addresses=127.0.0.1", "fsync=off", "max_connections=200"] {
        launch.args(["-c", setting]);
    }
    for setting in settings {
        launch.args(["-c", setting]);
    }
    let mut server =
        launch.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(server.stderr.take().unwrap());
    let mut all = String::new();
    // A standby is ready for read-only connections.
    while !all.contains("database system is ready to accept") {
        assert!(said.read_line(&mut all).unwrap() > 0, "PostgreSQL did not start: {all}");
    }
    // What it says later goes where the tests' own output goes.
    std::thread::spawn(move || {
        said.lines().map_while(Result::ok).for_each(|line| eprintln!("postgres: {line}"))
    });
    server
}
