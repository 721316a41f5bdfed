//! The command line. Exit codes are stable: 0 done (a punch: accepted), 1 failed, 2 bad use or
//! configuration, 3 the server answered a punch with a result, 4 a punch is kept for later.

/// Prints a line; `say!(to out, …)` writes it to `out` instead, for reports that `export-logs` keeps too. A
/// reader that has seen enough (`| head`) is no failure, and no reason to stop recording.
macro_rules! say {
    (to $out:expr, $($part:tt)*) => {{
        let _ = writeln!($out, $($part)*);
    }};
    ($($part:tt)*) => {{
        use std::io::Write;
        let _ = writeln!(std::io::stdout(), $($part)*);
    }};
}

mod doctor;
mod enroll;
mod export_logs;
mod fsck;
mod punch;
mod receipts;
mod run;
mod status;

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use crate::config::Config;
use crate::journal::disk::Directory;
use crate::journal::{Enrollment, Journal};
use crate::platform;

/// Bad use or configuration.
const BAD_USE: u8 = 2;
const FAILED: u8 = 1;

/// Records the logons and logoffs of this PC and sends them to the MngnTime server.
#[derive(Debug, Parser)]
#[command(name = "mngntime-agent", version, arg_required_else_help = true)]
struct Arguments {
    /// Configuration file
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Watch this PC in the foreground until told to stop
    Run,
    /// Enrol this PC with the contract of the configuration
    Enroll,
    /// Record one punch from a logon or logoff script (PCs without the service)
    Punch {
        /// Which punch
        kind: punch::PunchKind,
    },
    /// Show configuration with its origin, spool, last contact
    Status {
        /// List every field that is ever recorded
        #[arg(long)]
        schema: bool,
    },
    /// Check every stage from the configuration to a test exchange and say what to do
    Doctor,
    /// Verify the journal and its chain; changes nothing
    Fsck,
    /// Write every receipt that this PC keeps to a file, one a line, as the server signed it
    Receipts(receipts::Options),
    /// Pack event log, status, doctor report and spool summary into one zip for support; no secrets
    ExportLogs(export_logs::Options),
    /// Register the service and the event source
    #[cfg(windows)]
    Install,
    /// Remove the service; records stay
    #[cfg(windows)]
    Uninstall,
    /// How the service control manager starts the program
    #[cfg(windows)]
    #[command(hide = true)]
    Service,
}

/// Runs the program.
pub fn main() -> ExitCode {
    match platform::harden_process().and_then(|()| dispatch(&Arguments::parse())) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("mngntime-agent: {error:#}");
            ExitCode::from(FAILED)
        }
    }
}

fn dispatch(arguments: &Arguments) -> anyhow::Result<u8> {
    let path = arguments.config.clone().unwrap_or_else(platform::default_config_path);
    let config = || Config::load(&path);
    match &arguments.command {
        Command::Run => run::run(config()),
        Command::Enroll => enroll::enroll(&config()),
        Command::Punch { kind } => punch::punch(config(), *kind),
        Command::Status { schema: true } => status::schema(),
        Command::Status { schema: false } => {
            let config = config();
            let code = told(&mut stdout(), |out| status::status(&config, out).map(|()| 0))?;
            Ok(if print_problems(&config) { BAD_USE } else { code })
        }
        Command::Doctor => told(&mut stdout(), |out| doctor::doctor(&config(), out)),
        Command::ExportLogs(options) => export_logs::export_logs(&config(), options),
        Command::Receipts(options) => {
            with_records(&config(), arguments, |config| receipts::receipts(config, options))
        }
        Command::Fsck => {
            with_records(&config(), arguments, |config| told(&mut stdout(), |out| fsck::fsck(config, out)))
        }
        #[cfg(windows)]
        Command::Install => platform::install().map(|()| 0),
        #[cfg(windows)]
        Command::Uninstall => platform::uninstall().map(|()| 0),
        #[cfg(windows)]
        Command::Service => platform::service::run(service_body).map(|()| 0),
    }
}

/// What remembers the first thing that went wrong with what is written through it.
struct Remembering<'a> {
    out: &'a mut dyn Write,
    failed: Option<io::Error>,
}

impl Remembering<'_> {
    fn note<T>(&mut self, done: io::Result<T>, otherwise: T) -> io::Result<T> {
        done.or_else(|error| {
            let _first = self.failed.get_or_insert(error);
            Ok(otherwise)
        })
    }
}

impl Write for Remembering<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes);
        if written.as_ref().is_err_and(|error| error.kind() == ErrorKind::Interrupted) {
            return written;
        }
        self.note(written, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.out.flush();
        self.note(flushed, ())
    }
}

/// Runs a command whose answer is what it writes to `out`: one that could not be written is no good answer. Whoever stopped
/// reading has seen enough, and has the exit code.
fn told(out: &mut dyn Write, work: impl FnOnce(&mut dyn Write) -> anyhow::Result<u8>) -> anyhow::Result<u8> {
    let mut out = Remembering { out, failed: None };
    let code = work(&mut out)?;
    out.flush()?;
    match out.failed {
        Some(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(anyhow::Error::from(error).context("the answer could not be written"))
        }
        _ => Ok(code),
    }
}

/// Runs a command on the records, unless the configuration leaves open where they are: those of another place would be
/// taken for this one's.
fn with_records(
    config: &Config,
    arguments: &Arguments,
    work: impl FnOnce(&Config) -> anyhow::Result<u8>,
) -> anyhow::Result<u8> {
    match config.where_records_are_unknown(arguments.config.is_some()) {
        Some(why) => {
            eprintln!(
                "mngntime-agent: the configuration cannot be read, so that it is not known where the records are: {why}"
            );
            Ok(BAD_USE)
        }
        None => work(config),
    }
}

/// The service's body: the same as `run`, with the arguments that the SCM's command line holds.
#[cfg(windows)]
fn service_body() -> anyhow::Result<()> {
    let path = Arguments::parse().config.unwrap_or_else(platform::default_config_path);
    let config = Config::load(&path);
    platform::service::repair_registration(config.language);
    run::run(config).map(|_| ())
}

/// The enrolment as the journal has it; `None` also where the journal cannot be read, which others tell.
fn known_enrollment(state_dir: &Path) -> Option<Enrollment> {
    let (journal, _) = Journal::open_to_read(Directory::new(&state_dir.join("journal"))).ok()?;
    journal.enrollment().cloned()
}

/// Whether something is there. Who may not look is told so, and not that nothing is.
fn is_there(path: &Path) -> anyhow::Result<bool> {
    path.try_exists().with_context(|| {
        format!("cannot look into {}; run it as root or as an administrator", path.display())
    })
}

/// Prints what is wrong with the configuration; whether something is.
fn print_problems(config: &Config) -> bool {
    for problem in &config.problems {
        eprintln!("mngntime-agent: {}", problem.text(config.language));
    }
    !config.problems.is_empty()
}

/// Makes the file, for us alone: it may name accounts. Never over another one.
fn make_file(path: &Path) -> Result<File, String> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| cannot_make(path, &error))
}

fn cannot_make(path: &Path, error: &io::Error) -> String {
    let shown = path.display();
    if error.kind() == ErrorKind::AlreadyExists {
        return format!("{shown} exists already and is left as it is; name another file with --out");
    }
    if error.kind() == ErrorKind::NotFound {
        return format!("cannot make {shown}: its folder does not exist; name another place with --out");
    }
    format!("cannot make {shown}: {error}; name a place you may write to with --out")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk without room, or a reader that has gone.
    struct Refusing(ErrorKind);

    impl Write for Refusing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_answer_that_nobody_got_is_no_good_answer() {
        let answer = |out: &mut dyn Write, code| {
            told(out, |out| {
                say!(to out, "all is well");
                say!(to out, "really");
                Ok(code)
            })
        };
        let mut out = Vec::new();
        assert_eq!(answer(&mut out, 0).unwrap(), 0);
        assert_eq!(out, b"all is well\nreally\n");
        let error = answer(&mut Refusing(ErrorKind::StorageFull), 0).unwrap_err();
        assert!(error.to_string().contains("could not be written"), "{error}");
        assert_eq!(
            answer(&mut Refusing(ErrorKind::BrokenPipe), 1).unwrap(),
            1,
            "who read enough has the code"
        );
    }

    #[test]
    fn records_are_not_looked_for_in_another_place_than_the_one_that_was_meant() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let run = |arguments: &[&str]| {
            let arguments = Arguments::parse_from(["mngntime-agent", "fsck"].iter().chain(arguments));
            with_records(&Config::load(&path), &arguments, |_| Ok(0)).unwrap()
        };
        let named = ["--config", path.to_str().unwrap()];
        assert_eq!(
            (run(&named), run(&[])),
            (BAD_USE, 0),
            "no file that was named, and none where none need be"
        );
        for (text, code) in [
            ("nonsense = [", BAD_USE),
            ("state_dir = 7", BAD_USE),
            ("state_dir = 'here'", BAD_USE),
            ("server_url = 7", 0),
            ("", 0),
        ] {
            std::fs::write(&path, text).unwrap();
            assert_eq!((run(&named), run(&[])), (code, code), "{text}");
        }
    }
}
