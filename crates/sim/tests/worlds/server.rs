//! The real server for a world: its router in this process, its store in a scratch directory in memory.
//!
//! Requests are answered one at a time on a runtime of one thread, so the same requests give the same answers.
//! What the checker asks is read by a connection of its own, past all of the server's code.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};

use anyhow::Context;
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use mngntime_agent::transport::Reply;
use mngntime_model::{ContractCode, TerminalId, UtcMillis};
use mngntime_server::app::{App, router};
use mngntime_server::evidence::record::{Request as PackRequest, Writer};
use mngntime_server::passwords::Passwords;
use mngntime_server::settings::Settings;
use mngntime_sim::world::{ServerSide, Site};
use mngntime_store::sqlite::{DATABASE_FILE, SqliteStore};
use mngntime_store::{Act, KeyHash, NewContract};
use mngntime_wire::SecretKey;
use rusqlite::{Connection, params};
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

const CONTRACT: &str = "demo";
const ENROLLMENT_KEY: &str = "the-key-of-demo";
/// Far more than any answer has.
const BODY_BYTES_MAX: usize = 10_000_000;

/// A server that runs.
struct Running {
    app: Arc<App>,
    router: Router,
    looker: Connection,
}

/// The server of one world.
pub struct RealServer {
    runtime: Runtime,
    directory: tempfile::TempDir,
    copy: Option<tempfile::TempDir>,
    clock: Arc<AtomicI64>,
    running: Option<Running>,
}

impl RealServer {
    /// Starts a server with one contract.
    pub fn start() -> anyhow::Result<Self> {
        let directory = scratch()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut server = Self { runtime, directory, copy: None, clock: Arc::default(), running: None };
        server.restart()?;
        let app = server.running()?.app.clone();
        let code = ContractCode::new(CONTRACT)?;
        let contract = NewContract { code, name: CONTRACT.into(), key: KeyHash::of(ENROLLMENT_KEY) };
        let act = Act::command_line(UtcMillis(0));
        server.runtime.block_on(app.store.create_contract(contract, act))?;
        Ok(server)
    }

    fn running(&self) -> anyhow::Result<&Running> {
        self.running.as_ref().context("the server does not run")
    }

    /// Writes the record of a pack about everything, as an export does, and holds it against its own check.
    pub fn prove(&self) -> anyhow::Result<()> {
        let app = &self.running()?.app;
        let proven = async {
            app.log_heads.sign_all(&*app.store, &app.key, || app.now()).await?;
            let request = PackRequest {
                contract: app.store.contract(CONTRACT).await?.context("the contract is gone")?,
                employee: None,
                dates: None,
                server_key: app.key.public().to_string(),
                made_at: app.now(),
                day_boundary_minutes: 300,
            };
            let written = Writer::new(&*app.store, &request, std::io::sink()).await?.write().await?;
            anyhow::ensure!(written.report.is_authentic(), "{:?}", written.report.faults);
            anyhow::Ok(())
        };
        self.runtime.block_on(proven)
    }

    fn passwords() -> Passwords {
        static PASSWORDS: OnceLock<Passwords> = OnceLock::new();
        PASSWORDS.get_or_init(|| Passwords::new().unwrap()).clone()
    }
}

impl ServerSide for RealServer {
    fn site(&self) -> Site {
        Site { contract: CONTRACT.to_owned(), enrollment_key: ENROLLMENT_KEY.to_owned() }
    }

    fn post(&mut self, path: &str, body: &str, now: UtcMillis) -> anyhow::Result<Reply> {
        self.clock.store(now.0, Ordering::Relaxed);
        let router = self.running()?.router.clone();
        let request = Request::post(path).header("content-type", "application/json");
        let request = request.body(Body::from(body.to_owned()))?;
        let (status, headers, body) = self.runtime.block_on(async {
            let response = router.oneshot(request).await?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            let body = axum::body::to_bytes(response.into_body(), BODY_BYTES_MAX).await?;
            anyhow::Ok((status, headers, body))
        })?;
        let header = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
        Reply::of(status, header, body.to_vec()).map_err(|trouble| anyhow::anyhow!("{trouble:?}"))
    }

    fn restart(&mut self) -> anyhow::Result<()> {
        drop(self.running.take());
        let store = Arc::new(SqliteStore::open(self.directory.path())?);
        let clock = self.clock.clone();
        let app = App::new(
            store,
            SecretKey::from_seed(&[42; 32]),
            Settings::for_directory(self.directory.path())?,
            Self::passwords(),
            Arc::new(move || UtcMillis(clock.load(Ordering::Relaxed))),
        );
        let looker = Connection::open(self.directory.path().join(DATABASE_FILE))?;
        looker.pragma_update(None, "query_only", true)?;
        self.running = Some(Running { router: router(app.clone()), app, looker });
        Ok(())
    }

    fn keep_copy(&mut self) -> anyhow::Result<()> {
        // What is not running has its whole database in its files.
        drop(self.running.take());
        let copy = scratch()?;
        copy_files(self.directory.path(), copy.path())?;
        self.copy = Some(copy);
        self.restart()
    }

    fn put_back(&mut self) -> anyhow::Result<()> {
        drop(self.running.take());
        let directory = scratch()?;
        copy_files(self.copy.as_ref().context("no copy was made")?.path(), directory.path())?;
        self.directory = directory;
        self.restart()
    }

    fn stored(&mut self, terminal: &str, first: u64, last: u64) -> anyhow::Result<Vec<(u64, String)>> {
        let id = uuid_bytes(terminal)?;
        let sql =
            "SELECT seq, json FROM events WHERE terminal_id = ?1 AND seq BETWEEN ?2 AND ?3 ORDER BY seq";
        let mut statement = self.running()?.looker.prepare_cached(sql)?;
        let rows = statement.query_map(params![id, i64::try_from(first)?, i64::try_from(last)?], |row| {
            Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get(1)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn is_marked(&mut self, terminal: &str) -> anyhow::Result<bool> {
        let id = uuid_bytes(terminal)?;
        let sql = "SELECT conflict OR rolled_back_at IS NOT NULL OR cloned_at IS NOT NULL FROM terminals WHERE id = ?1";
        Ok(self.running()?.looker.query_row(sql, [id], |row| row.get(0))?)
    }
}

/// A directory in memory, where there is one.
fn scratch() -> anyhow::Result<tempfile::TempDir> {
    let memory = Path::new("/dev/shm");
    Ok(if memory.is_dir() { tempfile::tempdir_in(memory)? } else { tempfile::tempdir()? })
}

fn copy_files(from: &Path, to: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

fn uuid_bytes(terminal: &str) -> anyhow::Result<Vec<u8>> {
    let hex: String = TerminalId::parse(terminal)?.to_string().chars().filter(|c| *c != '-').collect();
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16);
    Ok((0..hex.len()).step_by(2).map(byte).collect::<Result<_, _>>()?)
}
