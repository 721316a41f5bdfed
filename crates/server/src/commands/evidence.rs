//! `mngntime export evidence` and `mngntime verify`.

mod against;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use mngntime_evidence::against::Comparison;
use mngntime_evidence::words::against as words_of_comparison;
use mngntime_evidence::words::{
    clock_notes, contradiction, fault, not_proven, proven, punch, reservations_beside, subject, to_be_known,
    verdict_with,
};
use mngntime_evidence::{Report, Seal, Verifier};
use mngntime_model::Language;
use mngntime_store::{Contract, ContractId, Store};
use mngntime_wire::{PublicKey, SecretKey};

use super::{BadUse, act, block_on, open_existing, print};
use crate::app::system_clock;
use crate::evidence::lettering::FontFile;
use crate::evidence::new_file::{NewFile, directory};
use crate::evidence::pack::{self, PackError};
use crate::evidence::record::{RecordError, Request, Written};
use crate::evidence::words::{self, pick};
use crate::log_heads::{AheadMonth, LogHeads, SigningError, ahead_words};
use crate::server_key;
use crate::settings::day_boundary;
use crate::web::times;
use crate::web::visible::in_one_line;

/// Largest pack that is read: far more than a contract makes in five years.
const PACK_BYTES_MAX: u64 = 4 << 30;

/// Bytes of a key file that are read: a key has some fifty, a longer file holds something else.
const KEY_BYTES_MAX: u64 = 1_000;

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
    #[arg(long, required_unless_present = "all", requires = "to", value_parser = date)]
    from: Option<Date>,
    /// Last date.
    #[arg(long, required_unless_present = "all", requires = "from", value_parser = date)]
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
    /// Until when a night belongs to the day before in summary.pdf, unless the contract has chosen a time: the server's
    /// `day_boundary`.
    #[arg(long, value_name = "HH:MM", env = "MNGNTIME_DAY_BOUNDARY", default_value = "05:00", value_parser = day_boundary)]
    day_boundary: u32,
    /// Language of what this command says: `ja` or `en`. The pack is the same.
    #[arg(long, default_value = language_of_locale(), value_parser = language)]
    language: Language,
}

/// What to check.
#[derive(Debug, clap::Args)]
pub struct Verify {
    /// The evidence pack.
    file: PathBuf,
    /// The file with the server's public key.
    #[arg(long)]
    key: PathBuf,
    /// Another pack of the same server, such as an older one, or a file of receipts that a PC kept (one a line), with
    /// which the pack is compared: whatever both say must be the same.
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Also prints every logon and logoff that was verified, one a line.
    #[arg(long)]
    print: bool,
    /// `ja` or `en`.
    #[arg(long, default_value = language_of_locale(), value_parser = language)]
    language: Language,
}

/// The language of a tag on the command line.
pub(super) fn language(tag: &str) -> Result<Language, String> {
    Language::from_tag(tag).ok_or_else(|| "only ja and en are known".to_owned())
}

/// The language in which commands speak when nobody asks for another: that of the locale. Whatever is not Japanese is
/// English, `C` and none included, as what the other commands say is.
pub(super) fn language_of_locale() -> &'static str {
    language_of(["LC_ALL", "LC_MESSAGES", "LANG"].map(|name| std::env::var(name).unwrap_or_default()))
}

/// The first of the variables that is not empty decides (POSIX 8.2).
fn language_of(locales: [String; 3]) -> &'static str {
    let locale = locales.into_iter().find(|locale| !locale.is_empty()).unwrap_or_default();
    let tag = locale.split(['_', '.', '@', '-']).next().unwrap_or_default();
    if tag.eq_ignore_ascii_case("ja") || tag.eq_ignore_ascii_case("japanese") { "ja" } else { "en" }
}

/// A date as `YYYY-MM-DD`, of a year in which there can be records: no calendar's end is near, whatever is added.
fn date(text: &str) -> Result<Date, String> {
    let date = text.parse::<Date>().ok().filter(|date| date.to_string() == text);
    date.filter(|date| YEARS.contains(&date.year()))
        .ok_or_else(|| "a date is written like 2026-11-01, from 1970-01-01 to 2999-12-31".to_owned())
}

/// Years in which there can be records.
const YEARS: std::ops::RangeInclusive<i16> = 1970..=2999;

/// Writes an evidence pack.
pub fn export(arguments: &Export) -> anyhow::Result<()> {
    check_arguments(arguments)?;
    let (language, data) = (arguments.language, &arguments.data);
    let font = FontFile::read(arguments.font.as_deref());
    let font = font.map_err(|error| BadUse(words::font_error(&error, language)))?;
    // What lies below says why, in English.
    let what = |japanese: &'static str| {
        move |error: anyhow::Error| match language {
            Language::Japanese => error.context(japanese),
            Language::English => error,
        }
    };
    let store = open_existing(data).map_err(what("データフォルダーを開けませんでした"))?;
    let key = server_key::load(data).map_err(anyhow::Error::from);
    let key = key.map_err(what("サーバーの鍵を読み取れませんでした"))?;
    let key_file = KeyFile::make(&arguments.public_key_out, &key.public(), language)?;
    block_on(write(arguments, &*store, &key, &font, key_file))
}

fn check_arguments(arguments: &Export) -> Result<(), BadUse> {
    let (language, out) = (arguments.language, &arguments.out);
    let refuse = |japanese: String, english: String| Err(BadUse(pick(language, japanese, english)));
    if arguments.from.zip(arguments.to).is_some_and(|(from, to)| to < from) {
        return refuse("--to が --from より前です".to_owned(), "--to lies before --from".to_owned());
    }
    if *out == arguments.public_key_out {
        return refuse(
            "--out と --public-key-out に同じファイルは指定できません".to_owned(),
            "--out and --public-key-out name the same file".to_owned(),
        );
    }
    if out.symlink_metadata().is_ok() {
        let out = out.display();
        return refuse(
            format!("{out} はすでにあります。--out に別のファイルを指定してください"),
            format!("{out} exists already; name another file with --out"),
        );
    }
    for (option, path) in [("--out", out), ("--public-key-out", &arguments.public_key_out)] {
        let directory = directory(path);
        if !directory.is_dir() {
            let directory = directory.display();
            return refuse(
                format!(
                    "フォルダー {directory} がありません。作成するか、{option} に別の場所を指定してください"
                ),
                format!("there is no directory {directory}: make it, or name another place with {option}"),
            );
        }
    }
    let database = crate::database::expected_file(&arguments.data, super::database_url()?.as_ref());
    if !crate::database::is_there(&arguments.data) {
        let (data, database) = (arguments.data.display(), database.display());
        return refuse(
            format!(
                "{data} はサーバーのデータフォルダーではありません（{database} がありません）。--data にサーバーの data_dir を指定してください"
            ),
            format!(
                "{data} is no data directory of a server: {database} is not there. Name the data_dir of the server with --data"
            ),
        );
    }
    let key = arguments.data.join(server_key::FILE);
    if !key.exists() {
        let key = key.display();
        return refuse(
            format!(
                "サーバーの鍵 {key} がありません。鍵はサーバーの最初の起動（mngntime serve）で作られます。一度起動したことがあれば、バックアップから戻してください"
            ),
            format!(
                "the server's key {key} is not there: the first start of the server makes it (mngntime serve); if it has run before, restore the key from a backup"
            ),
        );
    }
    Ok(())
}

/// The contract that is asked for, or the only one there is.
async fn contract(arguments: &Export, store: &dyn Store) -> anyhow::Result<Contract> {
    let contracts = store.list_contracts().await?;
    let codes: Vec<_> = contracts.iter().map(|contract| contract.code.clone()).collect();
    let only = contracts.len() == 1;
    let asked = arguments.contract.as_deref();
    let is_asked = |contract: &Contract| asked.map_or(only, |code| contract.code == code);
    contracts.into_iter().find(is_asked).ok_or_else(|| {
        let (codes, code) = (codes.join(", "), asked.unwrap_or_default());
        let text = if asked.is_some() {
            pick(
                arguments.language,
                format!("契約主 {code} はありません（あるのは {codes}）"),
                format!("there is no contract {code}; there is {codes}"),
            )
        } else {
            pick(
                arguments.language,
                format!("契約主を --contract で指定してください（{codes}）"),
                format!("name the contract with --contract; there is {codes}"),
            )
        };
        BadUse(text).into()
    })
}

async fn write(
    arguments: &Export,
    store: &dyn Store,
    key: &SecretKey,
    font: &FontFile,
    key_file: KeyFile,
) -> anyhow::Result<()> {
    let (language, clock, heads) = (arguments.language, system_clock(), LogHeads::default());
    let own = server_key::check(&arguments.data, store, &key.public(), clock()).await;
    own.map_err(|error| match error.words(language) {
        Some(text) => BadUse(text).into(),
        None => anyhow::Error::from(error),
    })?;
    let contract = contract(arguments, store).await?;
    let id = contract.id;
    let signed = heads.sign_contract(store, key, || clock(), &contract).await;
    signed.map_err(|error| signing_failure(error, language))?;
    let request = Request {
        contract,
        employee: arguments.employee.clone(),
        dates: arguments.from.zip(arguments.to),
        server_key: key.public().to_string(),
        made_at: clock(),
        day_boundary_minutes: arguments.day_boundary,
    };
    let told = |error| pack_failure(&error, language);
    let finished = pack::make(store, &request, key, font, &arguments.out).await.map_err(told)?;
    // Noted before anybody can have it: nothing leaves unnoted, though something noted may fail to leave.
    heads.load(store).await?;
    let (object, detail) = exported(arguments);
    store.note_with(Some(id), "export_evidence", object, detail, act()).await?;
    let written = finished.publish().map_err(told)?;
    if let Err(error) = key_file.publish(language) {
        // The pack is ours: publishing never writes over another file. A pack without its key is no export.
        let _ = std::fs::remove_file(&arguments.out);
        return Err(error);
    }
    say_written(arguments, &written, &heads.ahead_of(request.made_at), id);
    for note in clock_notes(&written.report, language) {
        eprintln!("{}", in_one_line(&pick(language, format!("注意: {note}"), format!("Note: {note}"))));
    }
    Ok(())
}

/// A log that cannot be signed: what is wrong with it, and what to do.
fn signing_failure(error: SigningError, language: Language) -> anyhow::Error {
    let what = pick(language, "ログに署名できませんでした", "could not sign the log");
    match error.fault() {
        Some(fault) => anyhow::anyhow!("{what}: {}", words::log_fault(fault, language)),
        None => anyhow::Error::from(error).context(what),
    }
}

/// What was exported, for the audit log: whose record, as a page notes it, and of which dates.
fn exported(arguments: &Export) -> (String, serde_json::Value) {
    let whose = arguments.employee.as_ref().map_or("all".to_owned(), |code| format!("employee {code}"));
    let detail = match arguments.from.zip(arguments.to) {
        Some((from, to)) => serde_json::json!({ "from": from.to_string(), "to": to.to_string() }),
        None => serde_json::json!({}),
    };
    (whose, detail)
}

fn pack_failure(error: &PackError, language: Language) -> anyhow::Error {
    let text = words::pack_error(error, language);
    match error {
        PackError::Record { source: RecordError::NoEmployee(code), .. } => {
            BadUse(words::no_employee(code, language)).into()
        }
        PackError::Write { source, .. } if source.kind() == io::ErrorKind::AlreadyExists => {
            BadUse(text).into()
        }
        PackError::Record { .. }
        | PackError::Contradicts { .. }
        | PackError::Store(_)
        | PackError::Gap(_)
        | PackError::Write { .. }
        | PackError::Summary(_)
        | PackError::Seal { .. } => anyhow::anyhow!(text),
    }
}

fn say_written(arguments: &Export, written: &Written, ahead: &BTreeSet<AheadMonth>, contract: ContractId) {
    // A name may hold a line's end.
    let shown = |path: &Path| in_one_line(&path.display().to_string());
    let (pack, key) = (shown(&arguments.out), shown(&arguments.public_key_out));
    let events: u64 = written.terminals.iter().map(|terminal| terminal.events).sum();
    println!("pack={pack} terminals={} events={events}", written.terminals.len());
    let check = format!("mngntime verify {pack} --key {key}");
    eprintln!(
        "{}",
        pick(
            arguments.language,
            format!("公開鍵は {key} にあります。証拠ファイルとは別の経路で渡してください。検証: {check}"),
            format!(
                "The public key is in {key}. Hand it over by another way than the pack; check with: {check}"
            ),
        )
    );
    for found in ahead.iter().filter(|found| found.contract == contract) {
        let month = &found.month;
        eprintln!(
            "{}",
            pick(
                arguments.language,
                format!(
                    "注意: ログの最新の月（{month}）がサーバーの時計より先です。時計が一度進んだか、今遅れています。{month}までに届く記録はすべてこの月に入ります。時計と時刻同期を確認してください。"
                ),
                format!("Note: {}.", ahead_words(month)),
            )
        );
    }
}

/// The file with the public key, to be written or there already.
#[derive(Debug)]
struct KeyFile {
    path: PathBuf,
    text: String,
    new: Option<NewFile>,
}

impl KeyFile {
    /// A file that is there is written over only by the same key, and that is not necessary.
    fn make(path: &Path, key: &PublicKey, language: Language) -> anyhow::Result<Self> {
        let mut file = Self { path: path.to_owned(), text: format!("{key}\n"), new: None };
        if !file.is_there(language)? {
            let failed = |error| anyhow::anyhow!(words::written(path, &error, language));
            let mut new = NewFile::beside(path).map_err(failed)?;
            new.file().write_all(file.text.as_bytes()).map_err(failed)?;
            file.new = Some(new);
        }
        Ok(file)
    }

    fn is_there(&self, language: Language) -> anyhow::Result<bool> {
        let path = self.path.display();
        match std::fs::read(&self.path) {
            Ok(found) if found == self.text.as_bytes() => Ok(true),
            Ok(_) => Err(BadUse(pick(
                language,
                format!("{path} には別の内容があります。別のファイルを指定してください"),
                format!("{path} holds something else; name another file"),
            ))
            .into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(BadUse(unreadable(&self.path, &error, language)).into()),
        }
    }

    fn publish(mut self, language: Language) -> anyhow::Result<()> {
        match self.new.take().map_or(Ok(()), NewFile::publish) {
            Ok(()) => Ok(()),
            // Another export was quicker: with the same key, or with another server's.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && self.is_there(language)? => Ok(()),
            Err(error) => Err(anyhow::anyhow!(words::written(&self.path, &error, language))),
        }
    }
}

fn unreadable(path: &Path, error: &io::Error, language: Language) -> String {
    let (path, why) = (path.display(), words::reason(error, language));
    pick(language, format!("{path} を読み取れません: {why}"), format!("{path} cannot be read: {why}"))
}

/// Checks an evidence pack and says in words what is proven.
pub fn verify(arguments: &Verify) -> anyhow::Result<()> {
    let language = arguments.language;
    let key = read_public_key(&arguments.key, language)?;
    let file = read_pack(&arguments.file, language)?;
    let refused = |why: String| {
        let verdict = pick(language, "不正", "NOT AUTHENTIC");
        print(|out| writeln!(out, "{verdict}: {}", in_one_line(&why)))?;
        Err(NotProven(language).into())
    };
    if file.is_empty() {
        return refused(pick(language, "ファイルが空です。", "The file is empty."));
    }
    let mut verifier = Verifier::new(key);
    if arguments.print {
        verifier = verifier.keeping_punches();
    }
    if arguments.against.is_some() {
        verifier = verifier.keeping_contents();
    }
    let (seal, report) = match pack::check_with(&file, &key, verifier) {
        Ok(checked) => checked,
        Err(error) => return refused(words::check_error(&error, language)),
    };
    drop(file);
    let compared = match &arguments.against {
        Some(path) if report.is_authentic() => against::compared(&report, path, &key, language)?,
        Some(_) | None => None,
    };
    say(&seal, &report, compared.as_ref(), arguments)
}

/// The pack is not what it claims to be: exit status 1.
#[derive(Debug, thiserror::Error)]
#[error("{}", pick(*.0, "この証拠ファイルは何も証明しません", "the pack proves nothing"))]
struct NotProven(Language);

/// The bytes of what may be a pack. What is no file, or cannot be read, proves nothing and disproves nothing.
fn read_pack(path: &Path, language: Language) -> Result<Vec<u8>, BadUse> {
    let failed = |error: io::Error| BadUse(unreadable(path, &error, language));
    let found = std::fs::metadata(path).map_err(failed)?;
    let shown = path.display();
    if !found.is_file() {
        return Err(BadUse(pick(
            language,
            format!("{shown} はファイルではありません。証拠ファイルを指定してください"),
            format!("{shown} is no file; name the evidence pack"),
        )));
    }
    let bytes = found.len();
    if bytes > PACK_BYTES_MAX {
        return Err(BadUse(pick(
            language,
            format!("{shown} は {bytes} バイトあり、証拠ファイルではありません"),
            format!("{shown} has {bytes} bytes: that is no evidence pack"),
        )));
    }
    std::fs::read(path).map_err(failed)
}

fn read_public_key(path: &Path, language: Language) -> Result<PublicKey, BadUse> {
    let mut text = Vec::new();
    let shown = path.display();
    // A pipe would be waited for.
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(BadUse(pick(
            language,
            format!("鍵ファイル {shown} はファイルではありません"),
            format!("the key file {shown} is no file"),
        )));
    }
    let read = File::open(path).and_then(|file| file.take(KEY_BYTES_MAX).read_to_end(&mut text));
    read.map_err(|error| {
        let why = words::reason(&error, language);
        BadUse(pick(
            language,
            format!("鍵ファイル {shown} を読み取れません: {why}"),
            format!("the key file {shown} cannot be read: {why}"),
        ))
    })?;
    let key = std::str::from_utf8(&text)
        .ok()
        .and_then(|text| PublicKey::parse(text.trim_start_matches(against::BYTE_ORDER_MARK).trim()).ok());
    key.ok_or_else(|| {
        BadUse(pick(
            language,
            format!("鍵ファイル {shown} に公開鍵がありません。mngntime export evidence の --public-key-out が書いたファイルを指定してください"),
            format!("the key file {shown} holds no public key; name the file that --public-key-out of mngntime export evidence wrote"),
        ))
    })
}

const fn headings(language: Language) -> [&'static str; 6] {
    match language {
        Language::Japanese => [
            "証明されたこと",
            "記録が示すこと",
            "このファイルでは証明できないこと",
            "封印",
            "照合の結果",
            "打刻（検証した record.jsonl の内容）",
        ],
        Language::English => [
            "Proven",
            "What the record shows",
            "Not proven by this file",
            "sealed",
            "Comparison",
            "Punches (of the record.jsonl that was verified)",
        ],
    }
}

fn say(
    seal: &Seal,
    report: &Report,
    compared: Option<&Comparison>,
    arguments: &Verify,
) -> anyhow::Result<()> {
    let (language, headings) = (arguments.language, headings(arguments.language));
    let is_contradicted = compared.is_some_and(|found| found.contradiction_count > 0);
    print(|out| {
        let sealed_at = times::full(mngntime_model::UtcMillis(seal.sealed_at));
        let verdict = match is_contradicted {
            true => pick(language, "矛盾あり", "CONTRADICTED"),
            false => {
                let beside = compared.map(|found| reservations_beside(found, language));
                verdict_with(report, beside.unwrap_or_default(), language)
            }
        };
        // Whoever has the server's key can put anything into these texts, and into the months that the first line names.
        let (verdict, contract) = (in_one_line(&verdict), in_one_line(&seal.contract));
        writeln!(out, "{verdict} ({} {sealed_at} JST, {contract})", headings[3])?;
        if let Some(pack) = &report.pack {
            writeln!(out, "{}", in_one_line(&subject(pack, language)))?;
        }
        say_faults(out, report, language)?;
        if let Some(found) = compared {
            writeln!(out, "{}:", headings[4])?;
            let contradictions = found.contradictions.iter().map(|it| contradiction(found, it, language));
            say_list(out, &contradictions.collect::<Vec<_>>())?;
            say_more(out, found.unnamed)?;
            say_list(out, &words_of_comparison(found, language))?;
        }
        if !report.is_authentic() {
            return Ok(());
        }
        let parts = [proven(report, language), to_be_known(report, language), not_proven(report, language)];
        for (heading, statements) in headings.iter().zip(parts) {
            writeln!(out, "{heading}:")?;
            say_list(out, &statements)?;
        }
        if arguments.print {
            writeln!(out, "{}:", headings[5])?;
        }
        let punches = report.punches.iter().map(|it| punch(report, it, language));
        punches.into_iter().try_for_each(|line| writeln!(out, "  {}", in_one_line(&line)))
    })?;
    if is_contradicted {
        return Err(against::Contradicted(language).into());
    }
    if report.is_authentic() { Ok(()) } else { Err(NotProven(language).into()) }
}

fn say_faults(out: &mut dyn io::Write, report: &Report, language: Language) -> io::Result<()> {
    for found in &report.faults {
        writeln!(out, "  {}", in_one_line(&fault(found, language)))?;
    }
    say_more(out, report.fault_count - report.faults.len() as u64)
}

fn say_list(out: &mut dyn io::Write, statements: &[String]) -> io::Result<()> {
    statements.iter().try_for_each(|statement| writeln!(out, "  - {}", in_one_line(statement)))
}

fn say_more(out: &mut dyn io::Write, more: u64) -> io::Result<()> {
    if more > 0 { writeln!(out, "  … +{more}") } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locale_chooses_the_language() {
        let of =
            |all: &str, messages: &str, lang: &str| language_of([all, messages, lang].map(str::to_owned));
        for japanese in ["ja", "ja_JP", "ja_JP.UTF-8", "ja.utf8", "JA_JP.eucJP", "japanese"] {
            assert_eq!(of("", "", japanese), "ja", "{japanese}");
        }
        for english in ["", "C", "C.UTF-8", "POSIX", "en_US.UTF-8", "jam_JM"] {
            assert_eq!(of("", "", english), "en", "{english}");
        }
        assert_eq!(
            (of("C", "ja_JP", "ja_JP"), of("", "ja_JP", "C"), of("", "C", "ja_JP")),
            ("en", "ja", "en")
        );
    }
}
