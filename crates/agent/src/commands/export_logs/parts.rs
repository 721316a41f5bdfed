//! What goes into the zip, and what could not be had.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use data_encoding::HEXLOWER;
use mngntime_model::{Moment, UtcMillis};

use super::secrets::Secrets;
use super::texts;
use crate::commands::{doctor, fsck, status};
use crate::config::Config;
use crate::journal::disk::Directory;
use crate::journal::{Heartbeat, Journal};
use crate::platform::{self, ByHand, ExportProblem, ExportedPart};

/// Largest file that is packed, in bytes: three times what Windows keeps in a log by default.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Texts are made for old Notepads, too.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// A file of the zip.
pub struct PackedFile {
    /// Its name; `/` stands between folders.
    pub name: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// Everything there is.
pub struct Contents {
    /// In the order of the zip.
    pub files: Vec<PackedFile>,
    /// What is missing.
    pub problems: Vec<ExportProblem>,
}

/// Collects all parts. `os_logs` puts the OS's logs into a folder that exists while it is called.
pub fn collect(
    config: &Config,
    now: &Moment,
    since: UtcMillis,
    os_logs: impl FnOnce(&Path) -> Vec<ExportedPart>,
) -> Contents {
    let mut collector = Collector {
        config,
        secrets: Secrets::of(config),
        contents: Contents { files: Vec::new(), problems: Vec::new() },
    };
    collector.report("versions.txt", |out| versions(config, now, since, out));
    collector.reports();
    collector.os_logs(os_logs);
    let Contents { files, problems } = collector.contents;
    let mut all = vec![text_file("README.txt", texts::readme(now.wall, since))];
    if !problems.is_empty() {
        // What an error says is scrubbed like every other text.
        let text = collector.secrets.taken_out_of(texts::problems(&problems).into_bytes());
        all.push(text_file("problems.txt", String::from_utf8(text.unwrap_or_default()).unwrap_or_default()));
    }
    all.extend(files);
    Contents { files: all, problems }
}

/// How much of the agent's state can be seen.
enum State {
    /// The journal can be read.
    Readable,
    /// There is a state directory without a journal, or nothing at all.
    NothingRecorded { directory_exists: bool },
    /// Somebody else's, most often the system's.
    Unreadable(std::io::Error),
}

fn state(state_dir: &Path) -> State {
    match fs::read_dir(state_dir.join("journal")) {
        Ok(_) => State::Readable,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            State::NothingRecorded { directory_exists: state_dir.is_dir() }
        }
        Err(error) => State::Unreadable(error),
    }
}

struct Collector<'a> {
    config: &'a Config,
    secrets: Secrets,
    contents: Contents,
}

impl Collector<'_> {
    /// What `status`, `doctor` and `fsck` say, and the spool in numbers.
    fn reports(&mut self) {
        let config = self.config;
        // One that is missing is told by status, unless the registry makes it needless.
        if let Err(error) = fs::File::open(&config.path)
            && error.kind() != ErrorKind::NotFound
        {
            let what = anyhow!(error).context(format!("cannot read {}", config.path.display()));
            self.problem("status.txt (configuration)", &what);
        }
        match state(&config.state_dir) {
            State::Readable => {
                self.report("status.txt", |out| full_status(config, out));
                self.report("doctor.txt", |out| doctor::doctor(config, out).map(|_| ()));
                self.report("fsck.txt", |out| fsck::fsck(config, out).map(|_| ()));
                self.report("spool-summary.json", |out| spool_summary(&config.state_dir, out));
            }
            State::NothingRecorded { directory_exists } => {
                self.report("status.txt", |out| full_status(config, out));
                self.report("doctor.txt", |out| doctor_without_traces(config, directory_exists, out));
                let what = anyhow!("nothing has been recorded yet in {}", config.state_dir.display());
                ["fsck.txt", "spool-summary.json"].iter().for_each(|part| self.problem(part, &what));
            }
            State::Unreadable(error) => {
                self.report("status.txt", |out| configuration_only(config, &error, out));
                self.report("doctor.txt", |out| doctor::doctor(config, out).map(|_| ()));
                let what = anyhow!(error).context(format!("cannot read {}", config.state_dir.display()));
                let parts = ["status.txt (spool)", "fsck.txt", "spool-summary.json"];
                parts.iter().for_each(|part| self.problem(part, &what));
            }
        }
    }

    fn report(&mut self, name: &str, write: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>) {
        let mut bytes = Vec::new();
        let done = write(&mut bytes);
        if !bytes.is_empty() {
            self.file(name, bytes);
        }
        if let Err(error) = done {
            self.problem(name, &error);
        }
    }

    fn os_logs(&mut self, os_logs: impl FnOnce(&Path) -> Vec<ExportedPart>) {
        let folder = match WorkFolder::make() {
            Ok(folder) => folder,
            Err(error) => return self.problem("the logs of the operating system", &error),
        };
        for part in os_logs(&folder.0) {
            match part {
                ExportedPart::Problem(problem) => self.contents.problems.push(problem),
                ExportedPart::File(name) => match read(&folder.0.join(&name)) {
                    Ok(bytes) => self.file(&name, bytes),
                    Err(error) => self.missing(&name, &error, ByHand::Nothing),
                },
            }
        }
    }

    fn file(&mut self, name: &str, bytes: Vec<u8>) {
        let Some(bytes) = self.secrets.taken_out_of(bytes) else {
            let what = anyhow!("it holds a secret of this PC (enrolment key or password) and is left out");
            return self.missing(name, &what, ByHand::Nothing);
        };
        self.contents.files.push(match String::from_utf8(bytes) {
            Ok(text) if name.ends_with(".txt") => text_file(name, text),
            Ok(text) => PackedFile { name: name.to_owned(), bytes: text.into_bytes() },
            Err(error) => PackedFile { name: name.to_owned(), bytes: error.into_bytes() },
        });
    }

    fn problem(&mut self, part: &str, error: &anyhow::Error) {
        self.missing(part, error, ByHand::Doctor);
    }

    /// Notes what is missing; where the reason is a lack of rights, having them is the way.
    fn missing(&mut self, part: &str, error: &anyhow::Error, otherwise: ByHand) {
        let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>());
        let denied = causes.any(|cause| cause.kind() == ErrorKind::PermissionDenied);
        let by_hand = if denied { ByHand::Administrator } else { otherwise };
        let why = format!("{error:#}");
        self.contents.problems.push(ExportProblem { part: part.to_owned(), why, by_hand });
    }
}

fn text_file(name: &str, text: String) -> PackedFile {
    let text = text.replace("\r\n", "\n").replace('\n', "\r\n");
    PackedFile { name: name.to_owned(), bytes: format!("{BYTE_ORDER_MARK}{text}").into_bytes() }
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let length = fs::metadata(path).with_context(|| format!("cannot look at {}", path.display()))?.len();
    if length > FILE_BYTES_MAX {
        bail!("it has {length} bytes, more than {FILE_BYTES_MAX}; export fewer days");
    }
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// `status` and, since there is no standard error here, what is wrong with the configuration.
fn full_status(config: &Config, out: &mut dyn Write) -> anyhow::Result<()> {
    let done = status::status(config, out);
    configuration_problems(config, out);
    done
}

fn configuration_only(config: &Config, error: &std::io::Error, out: &mut dyn Write) -> anyhow::Result<()> {
    status::print_configuration(config, out);
    say!(to out, "{:<18} cannot be read in {}: {error}", "journal", config.state_dir.display());
    configuration_problems(config, out);
    Ok(())
}

fn configuration_problems(config: &Config, out: &mut dyn Write) {
    for problem in &config.problems {
        say!(to out, "WRONG {}", problem.text(config.language));
    }
}

/// `doctor` makes a missing state directory, which is not for an export to do: made by the wrong account, it
/// would keep the service out.
fn doctor_without_traces(config: &Config, directory_exists: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    if !directory_exists {
        bail!(
            "{} does not exist, so the agent has never run with the configuration {}",
            config.state_dir.display(),
            config.path.display()
        );
    }
    doctor::doctor(config, out).map(|_| ())
}

fn versions(config: &Config, now: &Moment, since: UtcMillis, out: &mut dyn Write) -> anyhow::Result<()> {
    let host = platform::host();
    let hours = f64::from(now.offset_seconds) / 3600.0;
    let asleep_ms = now.biased_ms.saturating_sub(now.unbiased_ms);
    say!(to out, "{:<18} {}", "agent", env!("CARGO_PKG_VERSION"));
    say!(to out, "{:<18} {}", "os", host.os);
    say!(to out, "{:<18} {}", "pc", host.name);
    say!(to out, "{:<18} {}", "exported", status::rfc3339(now.wall.0));
    say!(to out, "{:<18} {}", "logs since", status::rfc3339(since.0));
    say!(to out, "{:<18} UTC{hours:+}", "local time");
    say!(to out, "{:<18} {}", "booted", status::rfc3339(now.boot_began().0));
    say!(to out, "{:<18} {} s, {} s of it asleep", "uptime", now.biased_ms / 1000, asleep_ms / 1000);
    say!(to out, "{:<18} {}", "language", config.language.tag());
    let boot = platform::boot_id()?;
    say!(to out, "{:<18} {}", "boot", boot.as_str());
    Ok(())
}

/// The spool in numbers and times, without names.
fn spool_summary(state_dir: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let disk = Directory::new(&state_dir.join("journal"));
    let (journal, reading) = Journal::open_to_read(disk.clone())?;
    let recovered = journal.recovered(Some(&Heartbeat::open(&disk)));
    let mut waiting_by_kind: BTreeMap<&str, u64> = BTreeMap::new();
    for event in journal.pending() {
        *waiting_by_kind.entry(event.kind.name()).or_default() += 1;
    }
    let seen = recovered.last_seen.as_ref();
    let summary = serde_json::json!({
        "terminal": journal.enrollment().map(|enrollment| &enrollment.terminal),
        "segments": reading.segments,
        "events": reading.events,
        "receipts": reading.receipts,
        "last_sequence": journal.chain().sequence,
        "head": journal.chain().head.to_string(),
        "waiting": journal.pending().count(),
        "waiting_by_kind": waiting_by_kind,
        "waiting_first_sequence": journal.pending().next().map(|event| event.sequence),
        "last_receipt_at": reading.last_receipt_at.map(status::rfc3339),
        "last_seen_at": seen.map(|seen| status::rfc3339(seen.moment.wall.0)),
        "last_seen_boot": seen.map(|seen| seen.boot.as_str()),
        "logged_on": recovered.stays.iter().count(),
        "ended_in_order": recovered.ended_in_order,
        "findings": reading.findings.len(),
    });
    serde_json::to_writer_pretty(&mut *out, &summary).context("cannot write the numbers")?;
    say!(to out, "");
    Ok(())
}

/// A folder for the OS's logs, closed to others, gone when dropped.
struct WorkFolder(PathBuf);

impl WorkFolder {
    fn make() -> anyhow::Result<Self> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|error| anyhow!("the OS gives no random numbers: {error}"))?;
        let name = format!("mngntime-export-{}", HEXLOWER.encode(&random));
        let folder = Self(std::env::temp_dir().join(name));
        platform::protect_directory(&folder.0)?;
        Ok(folder)
    }
}

impl Drop for WorkFolder {
    fn drop(&mut self) {
        // In the folder for temporary files, it does no harm if it stays.
        let _ = fs::remove_dir_all(&self.0);
    }
}
