//! Enrolling many terminals.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail};
use mngntime_model::TerminalId;
use mngntime_wire::{Context, EnrollmentAnswer, PublicKey, Signed};

use super::Step;
use super::http::{Connection, Server, Trouble};
use super::terminal::Terminal;

/// Connections at the same time.
const CONNECTIONS: usize = 32;

/// Terminals of one connection. A server takes a few hundred from one address at once.
const PORTION: usize = 250;

/// How often it is told how far it is.
const PROGRESS: Duration = Duration::from_millis(250);

/// With what to enrol.
#[derive(Debug, Clone)]
pub struct Enrolling {
    /// The contract.
    pub contract: String,
    /// Its enrolment key.
    pub enrollment_key: String,
    /// Number of terminals.
    pub terminals: usize,
    /// Decides their keys. Terminals of the same seed are the same ones, with another story: each run needs its own.
    pub seed: u64,
}

/// Makes the terminals and enrols them; afterwards `server` has the key that receipts are checked with.
///
/// # Errors
/// When the server cannot be reached, does not take the key, or answers like no server of ours.
pub fn enroll(
    server: &mut Server,
    enrolling: &Enrolling,
    progress: &(dyn Fn(Step) + Sync),
) -> anyhow::Result<Vec<Terminal>> {
    let Enrolling { contract, enrollment_key, terminals, seed } = enrolling;
    let new: Vec<Terminal> = (0..*terminals)
        .map(|number| Terminal::new(*seed, number, contract))
        .collect::<anyhow::Result<_>>()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().thread_name("enrol").enable_all().build()?;
    let asked = server.clone().with_path("/api/v1/terminals");
    let (enrolled, key) = runtime.block_on(all(asked, new, enrollment_key.clone(), progress))?;
    server.key = key;
    Ok(enrolled)
}

async fn all(
    server: Server,
    new: Vec<Terminal>,
    enrollment_key: String,
    progress: &(dyn Fn(Step) + Sync),
) -> anyhow::Result<(Vec<Terminal>, Option<PublicKey>)> {
    let count = new.len();
    let done = Arc::new(AtomicUsize::new(0));
    let tell = |done: usize| progress(Step { what: "enrolling", done, all: count });
    let mut waiting = portions(new).into_iter().enumerate();
    let (mut working, mut finished, mut key) = (tokio::task::JoinSet::new(), Vec::new(), None);
    let mut ticks = tokio::time::interval(PROGRESS);
    loop {
        while working.len() < CONNECTIONS
            && let Some((number, portion)) = waiting.next()
        {
            let work = Portion { server: server.clone(), number, done: done.clone() };
            let enrollment_key = enrollment_key.clone();
            working.spawn(async move { work.enroll(portion, &enrollment_key).await.map(|it| (number, it)) });
        }
        tokio::select! {
            portion = working.join_next() => {
                let Some(portion) = portion else { break };
                let (number, (terminals, of_server)) = portion.context("an enrolment has panicked")??;
                key = Some(of_server);
                finished.push((number, terminals));
            }
            _ = ticks.tick() => tell(done.load(Ordering::Relaxed)),
        }
    }
    tell(count);
    finished.sort_unstable_by_key(|(number, _)| *number);
    Ok((finished.into_iter().flat_map(|(_, terminals)| terminals).collect(), key))
}

fn portions(new: Vec<Terminal>) -> Vec<Vec<Terminal>> {
    let mut portions: Vec<Vec<Terminal>> = Vec::new();
    for terminal in new {
        match portions.last_mut() {
            Some(last) if last.len() < PORTION => last.push(terminal),
            Some(_) | None => portions.push(vec![terminal]),
        }
    }
    portions
}

/// Terminals that enrol one after the other, from one address.
struct Portion {
    server: Server,
    number: usize,
    done: Arc<AtomicUsize>,
}

impl Portion {
    async fn enroll(
        self,
        mut terminals: Vec<Terminal>,
        enrollment_key: &str,
    ) -> anyhow::Result<(Vec<Terminal>, PublicKey)> {
        let mut connection = Connection::open(&self.server, self.number).await?;
        let mut key = None;
        for terminal in &mut terminals {
            key = Some(self.one(&mut connection, terminal, enrollment_key).await?);
            self.done.fetch_add(1, Ordering::Relaxed);
        }
        connection.close().await;
        Ok((terminals, key.context("nobody was enrolled")?))
    }

    async fn one(
        &self,
        connection: &mut Connection,
        terminal: &mut Terminal,
        enrollment_key: &str,
    ) -> anyhow::Result<PublicKey> {
        let request = terminal.enrollment(enrollment_key);
        let envelope = Signed::seal(Context::EnrollmentRequest, &request, terminal.key())?;
        let body = envelope.to_json()?;
        let bytes = format!("{}{}\r\n\r\n{body}", self.server.head(false), body.len()).into_bytes();
        loop {
            let answer = match connection.ask(&bytes).await {
                Ok(body) => Signed::parse(body)?,
                // The limit on enrolments from one address: whoever is patient is let in.
                Err(Trouble::Status { code: 429 | 503, retry_after: Some(pause) }) => {
                    tokio::time::sleep(pause).await;
                    *connection = Connection::open(&self.server, self.number).await?;
                    continue;
                }
                Err(trouble) => return Err(trouble).context("an enrolment failed"),
            };
            let told: EnrollmentAnswer = answer.peek()?;
            let key = PublicKey::parse(&told.server_key)?;
            answer.check(Context::EnrollmentAnswer, &key)?;
            let Some(id) = told.terminal else {
                let (res, reason) = (told.res.unwrap_or_default(), told.reason.unwrap_or_default());
                bail!(
                    "the server does not enrol (res={res} {reason}); check --contract and --enrollment-key"
                );
            };
            terminal.enrolled_as(TerminalId::parse(&id)?);
            return Ok(key);
        }
    }
}
