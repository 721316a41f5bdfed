//! Evidence packs that people ask for on the web.
//!
//! # Promises
//! - One at a time for each person and two in all: making one reads whole terminals and checks the finished file.
//! - It is the pack that `mngntime export evidence --employee` writes, made and checked in the same way.
//! - The finished file has no name: it is removed from the directory as soon as it is open, so that nothing is left of it
//!   when the server ends. It is there for whoever asked, for [`KEPT_MS`], and goes when they ask for another.
//! - That it was made stands in the audit log before anybody can have it.
//!
//! A server that is killed while it makes one leaves `.mngntime-….unfinished` in the data directory, as
//! [`super::new_file`] says.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mngntime_model::UtcMillis;
use mngntime_store::{Act, AdministratorId, Contract, Employee, EmployeeId, Store, StoreError};
use mngntime_wire::{PublicKey, SecretKey};
use serde_json::json;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::Dates;
use super::lettering::{FontError, FontFile};
use super::pack::{self, PackError};
use super::record::Request;
use crate::app::Clock;
use crate::log_heads::{LogHeads, SigningError};
use crate::problem::chain;

/// How long a finished pack is kept for whoever asked, in milliseconds: a quarter of an hour.
pub const KEPT_MS: i64 = 15 * 60_000;

/// Packs that are made at the same time: each may take a processor and the memory of its terminal.
const AT_ONCE_MAX: usize = 2;

/// What somebody asks for.
pub struct Wish {
    /// Who asks.
    pub person: AdministratorId,
    /// The contract.
    pub contract: Contract,
    /// Whose record.
    pub employee: Employee,
    /// Which dates.
    pub dates: Dates,
    /// For the audit log.
    pub act: Act,
}

/// What became of it.
#[derive(Debug, Clone)]
pub struct Job {
    /// Whose record.
    pub employee: EmployeeId,
    /// Which dates.
    pub dates: Dates,
    /// How far it is.
    pub state: State,
}

/// How far a pack is.
#[derive(Debug, Clone)]
pub enum State {
    /// Being made.
    Running,
    /// Finished.
    Ready(Arc<Ready>),
    /// There is none.
    Failed(Failure),
}

/// Why there is none, as far as the person who asks is concerned; the rest is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The server has no font with Japanese letters.
    Font,
    /// What is stored contradicts what was signed.
    Contradicts,
    /// Something else.
    Other,
}

/// A finished pack.
#[derive(Debug)]
pub struct Ready {
    file: File,
    /// Its length.
    pub bytes: u64,
    /// How a browser is to call it.
    pub name: String,
    /// When it goes.
    pub until: UtcMillis,
}

impl Ready {
    /// The next bytes from `offset` on; empty at the end.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn read(&self, offset: u64) -> std::io::Result<Vec<u8>> {
        let mut bytes = vec![0; 1 << 16];
        let read = self.file.read_at(&mut bytes, offset)?;
        bytes.truncate(read);
        Ok(bytes)
    }
}

/// Why a pack was not made.
#[derive(Debug, thiserror::Error)]
enum MakeError {
    #[error(transparent)]
    Font(#[from] FontError),
    #[error("the log could not be signed")]
    Signing(#[from] SigningError),
    #[error(transparent)]
    Pack(#[from] PackError),
    #[error("the export could not be noted")]
    Note(#[from] StoreError),
    #[error("the finished pack cannot be read")]
    Read(#[from] std::io::Error),
}

impl From<&MakeError> for Failure {
    fn from(error: &MakeError) -> Self {
        match error {
            MakeError::Font(_) => Self::Font,
            MakeError::Pack(PackError::Contradicts { .. } | PackError::Gap(_)) => Self::Contradicts,
            MakeError::Signing(error) if error.fault().is_some() => Self::Contradicts,
            MakeError::Signing(_) | MakeError::Pack(_) | MakeError::Note(_) | MakeError::Read(_) => {
                Self::Other
            }
        }
    }
}

/// One is being made for this person already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("another evidence pack is being made for this person")]
pub struct Busy;

/// The packs that are being made or kept.
pub struct Packs {
    store: Arc<dyn Store>,
    key: SecretKey,
    clock: Clock,
    directory: PathBuf,
    heads: Arc<LogHeads>,
    room: Arc<Semaphore>,
    patience: Duration,
    day_boundary_minutes: u32,
    jobs: Mutex<BTreeMap<AdministratorId, Job>>,
}

impl fmt::Debug for Packs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packs").field("directory", &self.directory).finish_non_exhaustive()
    }
}

impl Packs {
    /// None yet. `heads` are those of the server, which has compared the log already; unfinished packs lie in `directory`;
    /// `patience` is how long a form waits for one; a night ends `day_boundary_minutes` after midnight where a contract has
    /// chosen nothing.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        heads: Arc<LogHeads>,
        key: SecretKey,
        clock: Clock,
        directory: PathBuf,
        patience: Duration,
        day_boundary_minutes: u32,
    ) -> Self {
        Self {
            patience,
            day_boundary_minutes,
            store,
            key,
            clock,
            directory,
            heads,
            room: Arc::new(Semaphore::new(AT_ONCE_MAX)),
            jobs: Mutex::default(),
        }
    }

    /// The server's public key, as `mngntime verify --key` takes it.
    #[must_use]
    pub fn public_key(&self) -> String {
        format!("{}\n", self.key.public())
    }

    /// The same, to check with.
    #[must_use]
    pub fn key(&self) -> PublicKey {
        self.key.public()
    }

    /// How long a form waits for a pack.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// Every turn: while it is held, no pack is being made and none is begun.
    #[cfg(test)]
    pub(crate) async fn hold(&self) -> tokio::sync::OwnedSemaphorePermit {
        self.room.clone().acquire_many_owned(AT_ONCE_MAX as u32).await.expect("never closed")
    }

    fn jobs(&self) -> MutexGuard<'_, BTreeMap<AdministratorId, Job>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What became of the last wish of this person; nothing when its time is over.
    #[must_use]
    pub fn job(&self, person: AdministratorId) -> Option<Job> {
        let now = (self.clock)();
        let mut jobs = self.jobs();
        jobs.retain(|_, job| !matches!(&job.state, State::Ready(ready) if ready.until.0 <= now.0));
        jobs.get(&person).cloned()
    }

    /// Begins to make a pack. The handle ends when it is made or has failed; it may be dropped.
    ///
    /// # Errors
    /// [`Busy`] while one is being made for this person.
    pub fn begin(self: &Arc<Self>, wish: Wish) -> Result<JoinHandle<()>, Busy> {
        let person = wish.person;
        let job = Job { employee: wish.employee.id, dates: wish.dates, state: State::Running };
        {
            let mut jobs = self.jobs();
            if jobs.get(&person).is_some_and(|job| matches!(job.state, State::Running)) {
                return Err(Busy);
            }
            jobs.insert(person, job);
        }
        let packs = self.clone();
        Ok(tokio::spawn(async move {
            // Never closed; without a turn there would only be less order.
            let _turn = packs.room.clone().acquire_owned().await.ok();
            let state = packs.clone().run(wish).await;
            let kept = matches!(state, State::Ready(_));
            packs.jobs().entry(person).and_modify(|job| job.state = state);
            if kept {
                // The file goes when its time is over, whether or not anybody looks.
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(KEPT_MS.unsigned_abs())).await;
                    let _forgotten = packs.job(person);
                });
            }
        }))
    }

    async fn run(self: Arc<Self>, wish: Wish) -> State {
        let runtime = Handle::current();
        let made = tokio::task::spawn_blocking(move || runtime.block_on(self.make(&wish))).await;
        match made {
            Ok(Ok(ready)) => State::Ready(Arc::new(ready)),
            Ok(Err(error)) => {
                tracing::error!(error = chain(&error), "an evidence pack could not be made");
                State::Failed(Failure::from(&error))
            }
            Err(error) => {
                tracing::error!(%error, "making an evidence pack ended early");
                State::Failed(Failure::Other)
            }
        }
    }

    async fn make(&self, wish: &Wish) -> Result<Ready, MakeError> {
        let (store, (from, to)) = (self.store.as_ref(), wish.dates);
        let font = FontFile::read(None)?;
        self.heads.sign_contract(store, &self.key, || (self.clock)(), &wish.contract).await?;
        let request = Request {
            contract: wish.contract.clone(),
            employee: Some(wish.employee.data.code.clone()),
            dates: Some(wish.dates),
            server_key: self.key.public().to_string(),
            made_at: (self.clock)(),
            day_boundary_minutes: self.day_boundary_minutes,
        };
        let code: String = wish.employee.data.code.chars().filter(char::is_ascii_alphanumeric).collect();
        let name = format!("evidence-{code}-{}-{}.zip", from.strftime("%Y%m%d"), to.strftime("%Y%m%d"));
        let finished = pack::make(store, &request, &self.key, &font, &self.directory.join(&name)).await?;
        let (object, detail) = (
            format!("employee {}", wish.employee.data.code),
            json!({ "from": from.to_string(), "to": to.to_string() }),
        );
        let contract = Some(wish.contract.id);
        // When it is noted, and not when it was asked for: the log's times go forward.
        let act = Act { at: (self.clock)(), ..wish.act.clone() };
        store.note_with(contract, "export_evidence", object, detail, act).await?;
        let file = finished.into_file()?;
        let bytes = file.metadata()?.len();
        Ok(Ready { file, bytes, name, until: (self.clock)().plus(KEPT_MS) })
    }
}
