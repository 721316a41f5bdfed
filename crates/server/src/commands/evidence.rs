//! `mngntime export evidence` and `mngntime verify`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::civil::Date;
use mngntime_evidence::words;
use mngntime_evidence::{Report, Seal};
use mngntime_model::Language;
use mngntime_store::Store;
use mngntime_wire::{PublicKey, SecretKey};

use super::administrators::choose_contract;
use super::{BadUse, act, block_on, open_existing, print};
use crate::app::system_clock;
use crate::evidence::lettering::FontFile;
use crate::evidence::pack::{self, CheckError, PackError};
use crate::evidence::record::{RecordError, Request};
use crate::log_heads::LogHeads;
use crate::server_key;
use crate::web::times;

/// Largest pack that is read: far more than a contract makes in five years.
const PACK_BYTES_MAX: u64 = 4 << 30;

/// What to export.
#[derive(Debug, clap::Args)]
pub struct Export {
    /// The server's data directory. The server may be running.
    #[arg(long)]
    data: PathBuf,
    /// Code of the contract; needed when there are several.
    #[arg(long)]
    contract: Option<String>,
    /// Code of one employee.
    #[arg(long, required_unless_present = "all", conflicts_with = "all")]
    employee: Option<String>,
    /// Everybody and everything of the contract.
    #[arg(long)]
    all: bool,
    /// First date, such as 2026-11-01.
    #[arg(long, required_unless_present = "all", requires = "to")]
    from: Option<Date>,
    /// Last date.
    #[arg(long, required_unless_present = "all", requires = "from")]
    to: Option<Date>,
    /// The file to write; it must not exist.
    #[arg(long)]
    out: PathBuf,
    /// Where to write the server's public key. Hand it over by another way than the file.
    #[arg(long)]
    public_key_out: PathBuf,
    /// A font with Japanese letters for summary.pdf.
    #[arg(long)]
    font: Option<PathBuf>,
}

/// What to check.
#[derive(Debug, clap::Args)]
pub struct Verify {
    /// The evidence pack.
    file: PathBuf,
    /// The file with the server's public key.
    #[arg(long)]
    key: PathBuf,
    /// `ja` or `en`.
    #[arg(long, default_value = "ja", value_parser = language)]
    language: Language,
}

fn language(tag: &str) -> Result<Language, String> {
    Language::from_tag(tag).ok_or_else(|| "only ja and en are known".to_owned())
}

/// Writes an evidence pack.
pub fn export(arguments: &Export) -> anyhow::Result<()> {
    if arguments.from.zip(arguments.to).is_some_and(|(from, to)| to < from) {
        return Err(BadUse("--to lies before --from".to_owned()).into());
    }
    let taken = |path: &Path| path.symlink_metadata().is_ok();
    if taken(&arguments.out) {
        let text = format!("{} exists already; name another file with --out", arguments.out.display());
        return Err(BadUse(text).into());
    }
    let font = FontFile::read(arguments.font.as_deref()).map_err(|error| BadUse(error.to_string()))?;
    let store = open_existing(&arguments.data)?;
    let key = server_key::load(&arguments.data)?;
    write_public_key(&arguments.public_key_out, &key.public())?;
    block_on(write(arguments, &*store, &key, &font))
}

async fn write(
    arguments: &Export,
    store: &dyn Store,
    key: &SecretKey,
    font: &FontFile,
) -> anyhow::Result<()> {
    let id = choose_contract(store, arguments.contract.as_deref()).await?;
    let contract = store.list_contracts().await?.into_iter().find(|contract| contract.id == id);
    let contract = contract.context("the contract is gone")?;
    let clock = system_clock();
    LogHeads::default().sign_all(store, key, || clock()).await.context("could not sign the log")?;
    let request = Request {
        contract,
        employee: arguments.employee.clone(),
        dates: arguments.from.zip(arguments.to),
        server_key: key.public().to_string(),
        made_at: clock(),
    };
    let written =
        pack::write(store, &request, key, font, &arguments.out).await.map_err(|error| match error {
            PackError::Record { source: RecordError::NoEmployee(code), .. } => {
                BadUse(format!("there is no employee {code} in this contract")).into()
            }
            PackError::Record { .. }
            | PackError::Contradicts { .. }
            | PackError::Write { .. }
            | PackError::Summary(_)
            | PackError::Seal { .. } => anyhow::Error::from(error),
        })?;
    store.note(Some(id), "export_evidence".into(), subject(arguments), act()).await?;
    let events: u64 = written.terminals.iter().map(|terminal| terminal.events).sum();
    println!("pack={} terminals={} events={events}", arguments.out.display(), written.terminals.len());
    eprintln!(
        "The public key is in {}. Hand it over by another way than the pack; check with: mngntime verify {} --key {}",
        arguments.public_key_out.display(),
        arguments.out.display(),
        arguments.public_key_out.display(),
    );
    Ok(())
}

/// What was exported, for the audit log.
fn subject(arguments: &Export) -> String {
    let whose = arguments.employee.as_ref().map_or("all".to_owned(), |code| format!("employee {code}"));
    match arguments.from.zip(arguments.to) {
        Some((from, to)) => format!("{whose} from {from} to {to}"),
        None => whose,
    }
}

/// The key's file is written over only by the same key.
fn write_public_key(path: &Path, key: &PublicKey) -> anyhow::Result<()> {
    let text = format!("{key}\n");
    match std::fs::read_to_string(path) {
        Ok(found) if found == text => Ok(()),
        Ok(_) => Err(BadUse(format!("{} holds something else; name another file", path.display())).into()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            std::fs::write(path, text).with_context(|| format!("could not write {}", path.display()))
        }
        Err(error) => Err(error).with_context(|| format!("could not read {}", path.display())),
    }
}

/// Checks an evidence pack and says in words what is proven.
pub fn verify(arguments: &Verify) -> anyhow::Result<()> {
    let (path, language) = (&arguments.file, arguments.language);
    let key = read_public_key(&arguments.key)?;
    let bytes = std::fs::metadata(path).map(|found| found.len());
    let bytes = bytes.map_err(|error| BadUse(format!("{} cannot be read: {error}", path.display())))?;
    if bytes > PACK_BYTES_MAX {
        return Err(BadUse(format!("{} has {bytes} bytes: that is no evidence pack", path.display())).into());
    }
    let file = std::fs::read(path).with_context(|| format!("could not read {}", path.display()))?;
    match pack::check(&file, &key) {
        Ok((seal, report)) => say(&seal, &report, language),
        Err(CheckError::Seal(fault)) => {
            print(|out| {
                writeln!(out, "{}: {}", verdict(false, language), words::seal_fault(fault, language))
            })?;
            Err(NotProven.into())
        }
        Err(error @ (CheckError::NoPack | CheckError::Record(_))) => {
            print(|out| writeln!(out, "{}: {error}", verdict(false, language)))?;
            Err(NotProven.into())
        }
    }
}

/// The pack is not what it claims to be: exit status 1.
#[derive(Debug, thiserror::Error)]
#[error("the pack proves nothing")]
struct NotProven;

fn read_public_key(path: &Path) -> anyhow::Result<PublicKey> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| BadUse(format!("the key file {} cannot be read: {error}", path.display())))?;
    let key = PublicKey::parse(text.trim());
    Ok(key.map_err(|error| BadUse(format!("the key file {} holds no public key: {error}", path.display())))?)
}

fn verdict(authentic: bool, language: Language) -> &'static str {
    match (authentic, language) {
        (true, Language::Japanese) => "真正",
        (true, Language::English) => "AUTHENTIC",
        (false, Language::Japanese) => "不正",
        (false, Language::English) => "NOT AUTHENTIC",
    }
}

fn say(seal: &Seal, report: &Report, language: Language) -> anyhow::Result<()> {
    let headings = match language {
        Language::Japanese => {
            ["証明されたこと", "記録が示すこと", "このファイルでは証明できないこと", "封印"]
        }
        Language::English => ["Proven", "What the record shows", "Not proven by this file", "sealed"],
    };
    print(|out| {
        let sealed_at = times::full(mngntime_model::UtcMillis(seal.sealed_at));
        let verdict = verdict(report.is_authentic(), language);
        writeln!(out, "{verdict} ({} {sealed_at} JST, {})", headings[3], seal.contract)?;
        if let Some(pack) = &report.pack {
            writeln!(out, "{}", words::subject(pack, language))?;
        }
        for fault in &report.faults {
            writeln!(out, "  {}", words::fault(fault, language))?;
        }
        let more = report.fault_count - report.faults.len() as u64;
        if more > 0 {
            writeln!(out, "  … +{more}")?;
        }
        if !report.is_authentic() {
            return Ok(());
        }
        let parts = [
            words::proven(report, language),
            words::to_be_known(report, language),
            words::not_proven(report, language),
        ];
        for (heading, statements) in headings.iter().zip(parts) {
            writeln!(out, "{heading}:")?;
            statements.iter().try_for_each(|statement| writeln!(out, "  - {statement}"))?;
        }
        Ok(())
    })?;
    if report.is_authentic() { Ok(()) } else { Err(NotProven.into()) }
}
