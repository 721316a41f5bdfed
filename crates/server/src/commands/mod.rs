//! The executable's commands, one file each.

mod administrators;
mod backup;
mod backup_words;
mod child;
mod config;
mod contracts;
mod evidence;
mod files;
mod migrate_store;
mod people;
mod punches;
mod retention;
mod serve;
mod sim;
mod terminals;
mod up;

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use mngntime_store::{Store, TerminalStatus};

use crate::app::system_clock;
use crate::backup::restore::refuse_unfinished;
use crate::database::{self, DatabaseError, DatabaseUrl};

/// Data directory of `up` when none is named.
const UP_DIRECTORY: &str = "./mngntime-data";

/// The MngnTime server: records when people log on to and log off from their PCs.
#[derive(Debug, Parser)]
#[command(name = "mngntime", version, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Try it on this PC: server, demo contract, administrator and agent in one command.
    Up {
        /// Where to keep everything.
        #[arg(long, default_value = UP_DIRECTORY)]
        data: PathBuf,
        /// Address and port; port 0 lets the system choose.
        #[arg(long)]
        listen: Option<String>,
    },
    /// Run the server.
    Serve(ConfigFile),
    /// Look at the configuration.
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Contracts (customers).
    Contract {
        #[command(subcommand)]
        command: ContractCommand,
    },
    /// People who sign in.
    Admin {
        #[command(subcommand)]
        command: AdminCommand,
    },
    /// Enrolled PCs.
    Terminal {
        #[command(subcommand)]
        command: TerminalCommand,
    },
    /// List punches, newest first.
    Punches(punches::Arguments),
    /// Drive a running server with a simulated office: demonstration data, or load.
    Sim(sim::Arguments),
    /// Export what the server keeps.
    Export {
        #[command(subcommand)]
        command: ExportCommand,
    },
    /// Check an evidence pack, without a server and without a network.
    Verify(evidence::Verify),
    /// Copy everything the server keeps, while it runs, and check the copy.
    Backup(backup::BackupArguments),
    /// Put a backup into a new data directory.
    Restore(backup::RestoreArguments),
    /// Move everything from SQLite's file into a new PostgreSQL database.
    MigrateStore(migrate_store::Arguments),
    /// Say which months are deleted next, when, and what keeps them. Deletes nothing.
    Retention(retention::Arguments),
    /// Print the description of the HTTP API.
    Openapi,
    /// Print who may do what, as a page of text.
    Access,
}

#[derive(Debug, clap::Args)]
struct ConfigFile {
    /// The configuration file; without one, defaults and environment variables hold.
    #[arg(long)]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Check it, and print every value with its origin.
    Check(ConfigFile),
}

#[derive(Debug, Subcommand)]
enum ContractCommand {
    /// Make a contract and print its enrolment key, once.
    Create {
        /// The server's data directory; made when it is not there.
        #[arg(long)]
        data: PathBuf,
        /// 契約主コード: 1 to 64 of letters, digits, '.', '_' and '-'.
        #[arg(long)]
        code: String,
        /// Name of the customer.
        #[arg(long)]
        name: String,
    },
}

#[derive(Debug, Subcommand)]
enum AdminCommand {
    /// Make somebody who can sign in.
    Create(administrators::Arguments),
    /// One line for each: login, role, contract, whether they sign in.
    List(people::ListArguments),
    /// Let somebody sign in no more, at once: ends their sessions, tokens and set-up link.
    Disable(people::One),
    /// Let somebody sign in again.
    Enable(people::One),
    /// Print a link, good once and for 72 hours, with which somebody chooses a new password.
    SetupLink(people::LinkArguments),
    /// Take second factors and tokens from somebody who has lost them, and end their sessions. The password stays.
    ResetMeans(people::One),
}

#[derive(Debug, Subcommand)]
enum TerminalCommand {
    /// One line for each: id, name, status, highest number, waiting events, last contact.
    List(terminals::Place),
    /// Block one: its events are kept, its punches get res=6.
    Block(terminals::One),
    /// Unblock one: its punches are judged again at once.
    Unblock(terminals::One),
}

#[derive(Debug, Subcommand)]
enum ExportCommand {
    /// One sealed file with which a stranger can check the record.
    Evidence(evidence::Export),
}

/// Where a server on this PC is reached, as it listens when nothing is said.
const OWN_URL: &str = "http://127.0.0.1:8320";

/// A failure whose cause is how the program was called or configured: exit status 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct BadUse(pub(crate) String);

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    // Everything this program writes is for its own user only: the database holds names and times.
    rustix::process::umask(rustix::fs::Mode::from_bits_truncate(0o077));
    let arguments = Arguments::parse();
    match run(arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mngntime: {error:#}");
            ExitCode::from(if is_bad_use(&error) { 2 } else { 1 })
        }
    }
}

fn is_bad_use(error: &anyhow::Error) -> bool {
    error.is::<BadUse>()
        || error.is::<crate::settings::SettingsError>()
        || error.downcast_ref().is_some_and(DatabaseError::is_bad_use)
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Up { data, listen } => up::run(&data, listen),
        Command::Serve(file) => serve::run(file.config.as_deref()),
        Command::Config { command: ConfigCommand::Check(file) } => config::check(file.config.as_deref()),
        Command::Contract { command: ContractCommand::Create { data, code, name } } => {
            contracts::create(&data, &code, &name)
        }
        Command::Admin { command } => match command {
            AdminCommand::Create(arguments) => administrators::create(&arguments),
            AdminCommand::List(arguments) => people::list(&arguments),
            AdminCommand::Disable(one) => people::set_disabled(&one, true),
            AdminCommand::Enable(one) => people::set_disabled(&one, false),
            AdminCommand::SetupLink(arguments) => people::setup_link(&arguments),
            AdminCommand::ResetMeans(one) => people::reset_means(&one),
        },
        Command::Terminal { command } => match command {
            TerminalCommand::List(place) => terminals::list(&place),
            TerminalCommand::Block(one) => terminals::set(&one, TerminalStatus::Blocked),
            TerminalCommand::Unblock(one) => terminals::set(&one, TerminalStatus::Active),
        },
        Command::Sim(arguments) => sim::run(&arguments),
        Command::Punches(arguments) => punches::run(&arguments),
        Command::Export { command: ExportCommand::Evidence(arguments) } => evidence::export(&arguments),
        Command::Verify(arguments) => evidence::verify(&arguments),
        Command::Backup(arguments) => backup::backup(&arguments),
        Command::Restore(arguments) => backup::restore(&arguments),
        Command::MigrateStore(arguments) => migrate_store::run(&arguments),
        Command::Retention(arguments) => retention::run(&arguments),
        Command::Access => print(|out| out.write_all(crate::access::matrix::page().as_bytes())),
        Command::Openapi => print(|out| out.write_all(crate::api::openapi_json().as_bytes())),
    }
}

/// Opens the store of an existing data directory, for commands that work beside a running server.
fn open_existing(directory: &Path) -> anyhow::Result<Arc<dyn Store>> {
    let url = database_url()?;
    if !database::is_there(directory) {
        let expected = database::expected_file(directory, url.as_ref());
        return Err(BadUse(format!(
            "{} is no data directory of a server: {} is not there. Name the data_dir of the server with --data; \
             a new one begins with `mngntime contract create`.",
            directory.display(),
            expected.display()
        ))
        .into());
    }
    refuse_unfinished(directory)?;
    Ok(database::open(directory, url.as_ref())?)
}

/// Opens the store of a data directory and makes what is missing, for the command that comes first.
fn open_or_make(directory: &Path) -> anyhow::Result<Arc<dyn Store>> {
    files::make_private_directory(directory)?;
    refuse_unfinished(directory)?;
    Ok(database::open(directory, database_url()?.as_ref())?)
}

/// The PostgreSQL database that this process is to use.
fn database_url() -> Result<Option<DatabaseUrl>, BadUse> {
    let found = DatabaseUrl::of_environment();
    found.map_err(|error| BadUse(format!("{} cannot be used: {error}", database::VARIABLE)))
}

/// A runtime for commands that ask the store a few things.
fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// What a person does on the command line, now.
fn act() -> mngntime_store::Act {
    mngntime_store::Act::command_line(system_clock()())
}

/// Writes to standard output. Somebody who has read enough (`| head`) is no failure.
fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("could not write to standard output"),
    }
}

/// Decides the TLS of this process, once.
fn install_tls_provider() -> anyhow::Result<()> {
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .map_err(|_| anyhow::anyhow!("a TLS provider has been installed already"))
}

/// Logs to standard error, so that standard output stays what a command promises.
fn start_logging(filter: &str) -> anyhow::Result<()> {
    let filter = config::log_filter(filter)?;
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).init();
    Ok(())
}
