//! `mngntime serve` as a process, over TLS, with an office in its store.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, Result, ensure};
use mngntime_server::server_key;
use mngntime_sim::load::{Figures, Plan, Report, Server, Shape, Terminal, run};
use mngntime_store::sqlite::SqliteStore;
use mngntime_store::{Store, postgres};

use super::office;
use super::processor;
use super::setting::{Bench, Kind};

/// Where the data of a store is.
pub struct Place {
    pub directory: tempfile::TempDir,
    /// Name and address of the database, when it is one of PostgreSQL's.
    pub database: Option<(String, String)>,
}

impl Place {
    /// A new and empty one.
    pub fn new(bench: &Bench, kind: Kind) -> Result<Self> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let directory = bench.scratch()?;
        let database = (kind == Kind::Postgres).then(|| {
            let name = format!("bench_{}", MADE.fetch_add(1, Ordering::Relaxed));
            bench.cluster().create(&name, None);
            let url = bench.cluster().url(&name);
            (name, url)
        });
        Ok(Self { directory, database })
    }

    pub fn open(&self) -> Result<Arc<dyn Store>> {
        Ok(match &self.database {
            Some((_, url)) => Arc::new(postgres::open(url)?),
            None => Arc::new(SqliteStore::open(self.directory.path())?),
        })
    }

    /// Gives the disk back.
    pub fn drop_database(self, bench: &Bench) {
        if let Some((name, _)) = &self.database {
            bench.cluster().ask("postgres", &format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}

/// A server that runs; it is killed with this.
pub struct Served {
    child: Child,
    /// Given back by [`Self::stop`].
    place: Option<Place>,
    pub server: Server,
    pub url: String,
    pub certificate: PathBuf,
}

impl Served {
    /// Makes the office and starts the server on it.
    pub fn start(bench: &Bench, kind: Kind, terminals: usize) -> Result<(Self, Vec<Terminal>)> {
        let place = Place::new(bench, kind)?;
        bench.say(&format!("{} terminals into {}", terminals, kind.name()));
        let terminals = office::make(place.open()?.as_ref(), terminals)?;
        Ok((Self::on(bench, place)?, terminals))
    }

    /// The same with a program that is read from the disk, as after a start of the machine. Pages of a file that was just
    /// written, as by a build, lie together in memory and count all at once: 28 MB become 36.
    pub fn start_cold(bench: &Bench, kind: Kind, terminals: usize) -> Result<(Self, Vec<Terminal>)> {
        let program = File::open(&bench.program)?;
        program.sync_all()?;
        rustix::fs::fadvise(&program, 0, None, rustix::fs::Advice::DontNeed)?;
        Self::start(bench, kind, terminals)
    }

    /// Starts the server on what is there.
    pub fn on(bench: &Bench, place: Place) -> Result<Self> {
        let data = place.directory.path();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
        let (certificate, key) = (data.join("cert.pem"), data.join("key.pem"));
        std::fs::write(&certificate, made.cert.pem())?;
        std::fs::write(&key, made.signing_key.serialize_pem())?;
        let config = data.join("server.toml");
        let lines = [("data_dir", data), ("tls_certificate", &certificate), ("tls_key", &key)];
        let text: String =
            lines.iter().map(|(name, path)| format!("{name} = \"{}\"\n", path.display())).collect();
        std::fs::write(&config, format!("listen = \"127.0.0.1:0\"\nlog = \"warn\"\n{text}"))?;
        let mut command = Command::new(&bench.program);
        command.arg("serve").arg("--config").arg(&config).stdout(Stdio::piped()).stdin(Stdio::null());
        match &place.database {
            Some((_, url)) => command.env("MNGNTIME_DATABASE_URL", url),
            None => command.env_remove("MNGNTIME_DATABASE_URL"),
        };
        let mut child =
            command.spawn().with_context(|| format!("could not start {}", bench.program.display()))?;
        let mut ready = String::new();
        let output = child.stdout.take().context("standard output is a pipe")?;
        BufReader::new(output).read_line(&mut ready)?;
        let found = ready.split_whitespace().find_map(|word| word.strip_prefix("url="));
        let url = found.with_context(|| format!("the server did not become ready: {ready:?}"))?.to_owned();
        let mut server = Server::at(&url, Some(&certificate))?;
        server.key = Some(server_key::load(data)?.public());
        Ok(Self { child, place: Some(place), server, url, certificate })
    }

    /// A load that must not lose anything.
    pub fn load(&self, terminals: &mut [Terminal], plan: &Plan) -> Result<Report> {
        let report = run(&self.server, terminals, plan, &|_| {})?;
        for figures in [Some(&report.main), report.fresh.as_ref()].into_iter().flatten() {
            refuse_lost(figures)?;
        }
        Ok(report)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A line of `/proc/PID/status` in MB, such as `VmRSS` or `VmHWM`.
    pub fn memory_mb(&self, line: &str) -> Result<f64> {
        processor::memory_mb(self.pid(), line)
    }

    pub fn place(&self) -> Result<&Place> {
        self.place.as_ref().context("it runs")
    }

    /// Ends it in order; where its data is.
    pub fn stop(mut self) -> Result<Place> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        let status = self.child.wait()?;
        ensure!(status.success(), "the server ended with {status}");
        self.place.take().context("it ran")
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Already ended, when it was stopped in order.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A rate with losses would be the rate of something else.
fn refuse_lost(figures: &Figures) -> Result<()> {
    ensure!(
        figures.without_receipt() == 0,
        "{} events have no receipt: {:?}",
        figures.without_receipt(),
        figures.failures
    );
    Ok(())
}

/// As much as goes.
pub fn maximum(bench: &Bench, connections: usize, batch: usize) -> Plan {
    let shape = Shape::Maximum { seconds: bench.seconds() };
    Plan { shape, connections, connection_for_each: false, batch, seed: 1 }
}

/// What makes a figure less than it seems.
pub fn doubts(reports: &[Report]) -> Option<String> {
    let limited = reports.iter().filter(|report| report.generator.was_the_limit()).count();
    let late = reports.iter().map(|report| report.generator.late_p99_ms).fold(0.0, f64::max);
    (limited > 0).then(|| {
        format!(
            "the generator was a limit in {limited} of {} runs (late p99 up to {late:.0} ms)",
            reports.len()
        )
    })
}
