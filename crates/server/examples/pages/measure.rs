//! The server in a process of its own, one person after the other at it, and a clock.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use mngntime_store::Role;

use super::pages::Page;
use super::people;
use super::progress::Progress;
use super::table::Figures;
use super::world::World;

/// Answers that are described when they are wrong.
const FAILURES_SHOWN: usize = 3;

/// Processor time of a server that nobody asks, in a second.
const QUIET: Duration = Duration::from_millis(20);

/// Seconds that it must have been quiet for.
const QUIET_SECONDS: u32 = 3;

/// Seconds that are waited for it: a log of eleven million leaves is compared in a few minutes.
const QUIET_SECONDS_MAX: u32 = 1_800;

/// Unit of the times in `/proc`: fixed by the kernel's interface (`USER_HZ`).
const TICKS_PER_SECOND: u64 = 100;

/// The server of this very program, with the settings that everybody has.
pub struct Server {
    process: Child,
    url: String,
    log: PathBuf,
}

impl Server {
    pub fn start(directory: &Path) -> Result<Self> {
        let log = directory.join("server.log");
        let mut process = Command::new(std::env::current_exe()?)
            .arg("serve")
            .env("MNGNTIME_DATA_DIR", directory)
            .env("MNGNTIME_LISTEN", "127.0.0.1:0")
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?)
            .spawn()
            .context("could not start the server")?;
        let mut line = String::new();
        let out = process.stdout.take().context("the server has no output")?;
        BufReader::new(out).read_line(&mut line)?;
        let url = line.trim().strip_prefix("ready url=").map(str::to_owned);
        let url = url.with_context(|| format!("the server did not start; see {}", log.display()))?;
        let server = Self { process, url, log };
        server.wait_until_quiet()?;
        Ok(server)
    }

    /// A server that has just started compares its whole log with what is stored, once: that is not what is measured.
    fn wait_until_quiet(&self) -> Result<()> {
        let (mut quiet, mut used) = (0, self.cpu()?);
        for _ in 0..QUIET_SECONDS_MAX {
            std::thread::sleep(Duration::from_secs(1));
            let now = self.cpu()?;
            quiet = if now - used <= QUIET { quiet + 1 } else { 0 };
            used = now;
            if quiet == QUIET_SECONDS {
                return Ok(());
            }
        }
        bail!(
            "the server was at work for {QUIET_SECONDS_MAX} s without anybody at it; see {}",
            self.log.display()
        )
    }

    /// Processor time of the server so far.
    fn cpu(&self) -> Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        // The name, in brackets, may hold anything; what follows it has numbers only.
        let (_, numbers) = stat.rsplit_once(')').context("unreadable /proc/…/stat")?;
        let field =
            |place: usize| numbers.split_whitespace().nth(place).and_then(|text| text.parse::<u64>().ok());
        let (user, system) = field(11).zip(field(12)).context("unreadable /proc/…/stat")?;
        Ok(Duration::from_millis((user + system) * 1000 / TICKS_PER_SECOND))
    }

    /// Ends it, and says where it complained.
    pub fn stop(mut self) -> Result<()> {
        let pid = rustix::process::Pid::from_child(&self.process);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        self.process.wait()?;
        let log = std::fs::read_to_string(&self.log)?;
        let complaints = log.lines().filter(|line| line.contains("ERROR") || line.contains(" WARN "));
        for line in complaints.take(5) {
            eprintln!("server: {line}");
        }
        Ok(())
    }
}

/// Somebody at the server, on one connection.
struct Visitor {
    agent: ureq::Agent,
    url: String,
    cookie: String,
}

impl Visitor {
    fn sign_in(server: &Server, role: Role) -> Result<Self> {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(120)))
            .build();
        let agent: ureq::Agent = config.into();
        let form = [("user", people::login(role)), ("password", people::PASSWORD.to_owned())];
        let answer = agent
            .post(format!("{}/login", server.url))
            .header("sec-fetch-site", "same-origin")
            .send_form(form.iter().map(|(name, value)| (*name, value.as_str())))?;
        ensure!(answer.status() == 303, "{} could not sign in: {}", role.name(), answer.status());
        let cookie = answer.headers().get("set-cookie").context("no cookie came")?.to_str()?;
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        Ok(Self { agent, url: server.url.clone(), cookie })
    }

    /// Milliseconds, bytes, and what was wrong.
    fn ask(&self, address: &str, first_byte: bool) -> Result<(f64, usize, Option<String>)> {
        let begun = Instant::now();
        let mut answer = self
            .agent
            .get(format!("{}{address}", self.url))
            .header("cookie", &self.cookie)
            .header("accept-encoding", "gzip")
            .header("accept-language", "ja")
            .call()?;
        let mut body = Vec::new();
        if first_byte {
            body.resize(1, 0);
            answer.body_mut().as_reader().read_exact(&mut body)?;
        } else {
            answer.body_mut().as_reader().read_to_end(&mut body)?;
        }
        let millis = begun.elapsed().as_secs_f64() * 1000.0;
        // A page that has nothing to show may lead elsewhere; to the sign-in it leads only whom the server does not know.
        let away = answer.headers().get("location").is_some_and(|to| to.as_bytes().starts_with(b"/login"));
        let wrong =
            (answer.status().as_u16() >= 400 || away).then(|| format!("{} {address}", answer.status()));
        Ok((millis, body.len(), wrong))
    }
}

/// Asks every page `requests` times, with other arguments each time.
pub fn measure(server: &Server, world: &World, pages: &[Page], requests: usize) -> Result<Vec<Figures>> {
    let mut progress = Progress::new("measuring");
    let mut visitors = Vec::new();
    for role in Role::ALL {
        visitors.push((role, Visitor::sign_in(server, role)?));
    }
    let mut all = Vec::new();
    for (number, page) in pages.iter().enumerate() {
        let visitor = visitors.iter().find(|(role, _)| *role == page.role);
        let (_, visitor) = visitor.context("nobody plays this role")?;
        all.push(one(server, visitor, world, page, requests)?);
        progress.show(number as u64 + 1, pages.len() as u64);
    }
    Ok(all)
}

fn one(server: &Server, visitor: &Visitor, world: &World, page: &Page, requests: usize) -> Result<Figures> {
    // A file goes on after its first byte; the server notices that nobody reads it.
    let requests = if page.file { requests.div_ceil(10) } else { requests };
    let mut figures = Figures {
        page: page.name,
        role: page.role.name(),
        millis: Vec::with_capacity(requests),
        cpu_millis: 0.0,
        bytes_max: 0,
        failures: Vec::new(),
        first_byte: page.file,
    };
    let before = server.cpu()?;
    for number in 0..requests {
        let (millis, bytes, wrong) = visitor.ask(&(page.address)(world, number), page.file)?;
        figures.millis.push(millis);
        figures.bytes_max = figures.bytes_max.max(bytes);
        figures.failures.extend(wrong);
    }
    figures.cpu_millis = (server.cpu()? - before).as_secs_f64() * 1000.0 / requests.max(1) as f64;
    figures.millis.sort_by(f64::total_cmp);
    Ok(figures)
}

/// Fails when a page did not answer as it should: its time would say nothing.
pub fn refuse_failures(all: &[Figures]) -> Result<()> {
    let wrong: Vec<String> =
        all.iter().flat_map(|figures| figures.failures.iter().take(FAILURES_SHOWN)).cloned().collect();
    if !wrong.is_empty() {
        bail!("these answers were none to measure:\n{}", wrong.join("\n"));
    }
    Ok(())
}
