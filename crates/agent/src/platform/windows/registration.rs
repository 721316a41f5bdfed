//! How the service and its event source shall be registered, and bringing them there.
//!
//! Three users: `install` sets everything, the service looks at its own registration at every start and
//! repairs what is wrong (an installer, a clean-up program or a hand may have changed it), `doctor` only
//! tells. What an administrator decides is left alone: a start type other than automatic, restarts with
//! waits of his own, a longer time at shutdown.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use mngntime_agent_core::{Message, MessageId};
use windows_sys::Win32::System::Services::{SERVICE_AUTO_START, SERVICE_SID_TYPE_UNRESTRICTED};

use super::ffi::WindowsError;
use super::ffi::registry::{self, Lifetime, WritableKey};
use super::ffi::service_manager::{ServiceEntry, ServiceManager};
use super::ffi::service_settings::is_unknown_level;
use super::service::{ARGUMENT, EVENT_SOURCE, NAME};
use crate::runtime::chain;

/// Where event sources of the Application log are registered.
const EVENT_SOURCES_KEY: &str = r"SYSTEM\CurrentControlSet\Services\EventLog\Application";
/// Our message file, beside the program.
const MESSAGE_FILE: &str = "MngnTimeMsg1.dll";
/// Windows' own message file for ids 1 to 1000, each "the insert and nothing else".
const FALLBACK_MESSAGE_FILE: &str = r"%SystemRoot%\System32\EventCreate.exe";
/// Information, warning and error (winnt.h, `EVENTLOG_…_TYPE`).
const TYPES_SUPPORTED: u32 = 1 | 2 | 4;
/// Waits before the first, second and every later restart.
const RESTART_DELAYS_MS: [u32; 3] = [5_000, 30_000, 60_000];
/// A day without failure begins the counting anew.
const FAILURE_RESET_S: u32 = 86_400;
/// How long Windows waits for the service when it goes down: the last records and one attempt to send. The
/// default is 10 s since Windows 10 1703.
const PRESHUTDOWN_MS: u32 = 20_000;
/// What the service keeps of `LocalSystem`'s privileges; the service manager takes away the others, so that
/// a fault in the agent cannot load drivers or debug other processes.
const PRIVILEGES: [&str; 4] = [
    // `WTSQueryUserToken`: who a session belongs to.
    "SeTcbPrivilege",
    // Reading the Security log: logons while the service was not running.
    "SeSecurityPrivilege",
    // Walking through folders; every process has it, and without it paths below closed folders fail.
    "SeChangeNotifyPrivilege",
    // WinHTTP looks proxy settings up in the name of a user.
    "SeImpersonatePrivilege",
];

/// One thing the service manager keeps, with its name in both languages.
pub(super) struct Setting {
    japanese: &'static str,
    english: &'static str,
    is_wrong: fn(&ServiceEntry) -> Result<bool, WindowsError>,
    set: fn(&ServiceEntry) -> Result<(), WindowsError>,
}

const SETTINGS: [Setting; 6] = [
    Setting {
        japanese: "自動開始の遅延",
        english: "delayed start",
        is_wrong: |entry| Ok(entry.start_settings()?.kind == SERVICE_AUTO_START && entry.is_delayed()?),
        set: ServiceEntry::start_undelayed,
    },
    Setting {
        japanese: "異常終了後の再起動",
        english: "restart after a crash",
        is_wrong: |entry| Ok(!entry.restarts_after_crash()?),
        set: |entry| entry.restart_after_crash(RESTART_DELAYS_MS, FAILURE_RESET_S),
    },
    Setting {
        japanese: "エラー終了後の再起動",
        english: "restart after an error",
        is_wrong: |entry| Ok(!entry.restarts_after_error()?),
        set: ServiceEntry::restart_after_error,
    },
    Setting {
        japanese: "シャットダウン時の待ち時間",
        english: "time at shutdown",
        is_wrong: |entry| Ok(entry.preshutdown_ms()? < PRESHUTDOWN_MS),
        set: |entry| entry.set_preshutdown_ms(PRESHUTDOWN_MS),
    },
    Setting {
        japanese: "特権の一覧",
        english: "list of privileges",
        is_wrong: |entry| Ok(!is_same_set(&entry.privileges()?, &PRIVILEGES)),
        set: |entry| entry.require_privileges(&PRIVILEGES),
    },
    Setting {
        japanese: "サービスSID",
        english: "service SID",
        is_wrong: |entry| Ok(entry.sid_type()? != SERVICE_SID_TYPE_UNRESTRICTED),
        set: |entry| entry.set_sid_type(SERVICE_SID_TYPE_UNRESTRICTED),
    },
];
/// The names of what is no [`Setting`].
const COMMAND_LINE: (&str, &str) = ("プログラムのパスの引用符", "quotation marks around the program's path");
const SOURCE: (&str, &str) = ("イベントソース", "event source");

impl Setting {
    fn names(&self) -> (&'static str, &'static str) {
        (self.japanese, self.english)
    }

    /// Whether it is not as it shall be; a setting that this Windows does not know cannot be wrong.
    fn is_wrong_in(&self, entry: &ServiceEntry) -> Result<bool, WindowsError> {
        match (self.is_wrong)(entry) {
            Err(error) if is_unknown_level(&error) => Ok(false),
            result => result,
        }
    }
}

/// Sets everything but the start, for `install`.
pub(super) fn set_all(entry: &ServiceEntry) -> anyhow::Result<()> {
    for setting in SETTINGS {
        match (setting.set)(entry) {
            Err(error) if !is_unknown_level(&error) => return Err(error.into()),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// English names of the settings that are not as they shall be.
pub(super) fn wrong_settings(entry: &ServiceEntry) -> Result<Vec<&'static str>, WindowsError> {
    let mut wrong = Vec::new();
    for setting in &SETTINGS {
        if setting.is_wrong_in(entry)? {
            wrong.push(setting.english);
        }
    }
    Ok(wrong)
}

/// Repairs the registration of this program as the service; the lines for the event log that tell what was
/// repaired and what could not be.
pub(super) fn repair(program: &Path) -> Vec<Message> {
    let mut repaired = Vec::new();
    let mut refused = Vec::new();
    if is_source_wrong(program) {
        note(SOURCE, register_event_source(program), &mut repaired, &mut refused);
    }
    match ServiceManager::connect(false).and_then(|manager| manager.open(NAME)) {
        Ok(entry) => repair_service(&entry, program, &mut repaired, &mut refused),
        Err(error) => refused.push(chain(&error)),
    }
    told(&repaired, &refused)
}

type Names = (&'static str, &'static str);

fn repair_service(
    entry: &ServiceEntry,
    program: &Path,
    repaired: &mut Vec<Names>,
    refused: &mut Vec<String>,
) {
    match entry.start_settings() {
        Ok(start) if !is_quoted(&start.command_line) => {
            let result = quoted(&start.command_line, program)
                .and_then(|line| entry.set_command_line(&line).map_err(Into::into));
            note(COMMAND_LINE, result, repaired, refused);
        }
        Ok(_) => {}
        Err(error) => refused.push(chain(&error)),
    }
    for setting in &SETTINGS {
        match setting.is_wrong_in(entry) {
            Ok(false) => {}
            Ok(true) => match (setting.set)(entry) {
                Err(error) if is_unknown_level(&error) => {}
                result => note(setting.names(), result.map_err(Into::into), repaired, refused),
            },
            Err(error) => refused.push(chain(&error)),
        }
    }
}

fn note(names: Names, result: anyhow::Result<()>, repaired: &mut Vec<Names>, refused: &mut Vec<String>) {
    match result {
        Ok(()) => repaired.push(names),
        Err(error) => refused.push(format!("{}: {error:#}", names.1)),
    }
}

/// The lines for the event log. An event is read in the language of its reader, so a name stands there in both.
fn told(repaired: &[Names], refused: &[String]) -> Vec<Message> {
    let names: Vec<String> =
        repaired.iter().map(|(japanese, english)| format!("{japanese} ({english})")).collect();
    let line = |id, parts: &[String]| (!parts.is_empty()).then(|| Message::new(id, vec![parts.join("; ")]));
    [line(MessageId::RegistrationRepaired, &names), line(MessageId::RegistrationNotRepaired, refused)]
        .into_iter()
        .flatten()
        .collect()
}

/// `"C:\Program Files\MngnTime\MngnTimeCliSvc.exe" service`.
pub(super) fn command_line_of(program: &Path) -> anyhow::Result<String> {
    let text = text_of(program)?;
    ensure!(!text.contains('"'), "the path of this program holds a quotation mark: {text}");
    Ok(format!("\"{text}\" {ARGUMENT}"))
}

/// Whether the program's path stands in quotation marks, without which Windows would try
/// `C:\Program.exe` first.
pub(super) fn is_quoted(command_line: &str) -> bool {
    command_line.trim_start().starts_with('"')
}

/// `command_line`, whose program is `program`, with quotation marks; the arguments stay.
fn quoted(command_line: &str, program: &Path) -> anyhow::Result<String> {
    let text = text_of(program)?;
    let line = command_line.trim();
    let begins = line.get(..text.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(text));
    ensure!(begins, "the command line does not begin with this program: {line}");
    Ok(format!("\"{text}\"{}", &line[text.len()..]))
}

/// Without a registered message file Event Viewer shows an apology instead of our text.
pub(super) fn register_event_source(program: &Path) -> anyhow::Result<()> {
    let own = program.with_file_name(MESSAGE_FILE);
    let message_file = if own.exists() { text_of(&own)? } else { FALLBACK_MESSAGE_FILE };
    let key = WritableKey::create(&source_key(), Lifetime::Lasting)?;
    key.set_expandable("EventMessageFile", message_file)?;
    Ok(key.set_dword("TypesSupported", TYPES_SUPPORTED)?)
}

/// The message file that is registered for our source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum MessageFileState {
    /// Ours, or another that exists.
    Found(PathBuf),
    /// Windows' own, as `install` registers where ours is missing.
    Fallback,
    /// Something is wrong, in words.
    Wrong(String),
}

/// What is registered for our source, beside `program`.
pub(super) fn message_file(program: &Path) -> MessageFileState {
    let place = format!(r"HKLM\{}", source_key());
    let raw = match registry::expandable_text(&source_key(), "EventMessageFile") {
        Ok(Some(raw)) => raw,
        Ok(None) => return MessageFileState::Wrong(format!("{place} has no EventMessageFile")),
        Err(error) => {
            let error = chain(&error);
            return MessageFileState::Wrong(format!("EventMessageFile must be a REG_EXPAND_SZ: {error}"));
        }
    };
    let own = program.with_file_name(MESSAGE_FILE);
    let is_own = text_of(&own).is_ok_and(|own| raw.eq_ignore_ascii_case(own));
    match registry::text(&source_key(), "EventMessageFile").ok().flatten().map(PathBuf::from) {
        _ if own.exists() && !is_own => {
            MessageFileState::Wrong(format!("{place} names {raw}, not {}", own.display()))
        }
        _ if raw.eq_ignore_ascii_case(FALLBACK_MESSAGE_FILE) => MessageFileState::Fallback,
        Some(path) if path.exists() => MessageFileState::Found(path),
        Some(_) | None => MessageFileState::Wrong(format!("{place} names {raw}, which does not exist")),
    }
}

fn is_source_wrong(program: &Path) -> bool {
    matches!(message_file(program), MessageFileState::Wrong(_))
}

fn source_key() -> String {
    format!(r"{EVENT_SOURCES_KEY}\{EVENT_SOURCE}")
}

fn text_of(path: &Path) -> anyhow::Result<&str> {
    path.to_str().with_context(|| format!("the path {} is no valid Unicode", path.display()))
}

fn is_same_set(found: &[String], wanted: &[&str]) -> bool {
    found.len() == wanted.len() && wanted.iter().all(|name| found.iter().any(|found| found == name))
}

#[cfg(test)]
mod tests {
    use mngntime_model::Language;

    use super::super::ffi::service_manager::Registration;
    use super::*;

    const PROGRAM: &str = r"C:\Program Files\MngnTime\MngnTimeCliSvc.exe";

    #[test]
    fn the_program_is_quoted_in_the_command_line() {
        let line = command_line_of(Path::new(PROGRAM)).unwrap();
        assert_eq!(line, r#""C:\Program Files\MngnTime\MngnTimeCliSvc.exe" service"#);
        assert!(is_quoted(&line));
        assert!(command_line_of(Path::new("C:\\a\"b.exe")).is_err());
    }

    #[test]
    fn missing_quotation_marks_are_added_and_the_arguments_stay() {
        let line = r"c:\program files\mngntime\mngntimeclisvc.exe service --config D:\x.toml";
        assert!(!is_quoted(line));
        let mended = quoted(line, Path::new(PROGRAM)).unwrap();
        assert_eq!(mended, format!(r#""{PROGRAM}" service --config D:\x.toml"#));
        assert!(quoted(r"D:\other.exe service", Path::new(PROGRAM)).is_err(), "not ours to repair");
    }

    #[test]
    fn what_was_repaired_is_one_line_in_either_language_and_nothing_when_all_was_well() {
        assert_eq!(told(&[], &[]), []);
        let text =
            |messages: &[Message], language| messages.iter().map(|m| m.text(language)).collect::<Vec<_>>();
        assert_eq!(
            text(&told(&[SOURCE, COMMAND_LINE], &[]), Language::Japanese),
            [
                "サービス MngnTimeCliSvc の登録を修復しました: イベントソース (event source); プログラムのパスの引用符 (quotation marks around the program's path)"
            ]
        );
        let refused = ["service SID: access denied".to_owned()];
        let told = text(&told(&[SOURCE], &refused), Language::English);
        assert!(told.len() == 2 && told[1].contains("Run MngnTimeCliSvc.exe install"), "{told:?}");
    }

    #[test]
    fn privileges_are_a_set() {
        let found = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert!(is_same_set(&found(&["b", "a"]), &["a", "b"]));
        assert!(!is_same_set(&found(&[]), &["a"]), "none named means all");
        assert!(!is_same_set(&found(&["a", "b", "SeDebugPrivilege"]), &["a", "b"]));
    }

    /// A service that nobody starts, removed when dropped.
    struct Scratch(ServiceEntry);

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = self.0.delete();
        }
    }

    #[test]
    fn a_registration_is_repaired_once_and_told() {
        let wanted = Registration {
            name: "MngnTimeUnitTest",
            display_name: "MngnTimeUnitTest",
            description: "",
            command_line: &format!("{PROGRAM} service --config x"),
        };
        let entry = Scratch(ServiceManager::connect(true).unwrap().create(&wanted).unwrap());
        let (mut repaired, mut refused) = (Vec::new(), Vec::new());
        repair_service(&entry.0, Path::new(PROGRAM), &mut repaired, &mut refused);
        assert!(repaired.contains(&COMMAND_LINE), "{repaired:?} {refused:?}");
        assert_eq!(refused, Vec::<String>::new());
        let line = entry.0.start_settings().unwrap().command_line;
        assert_eq!(line, format!(r#""{PROGRAM}" service --config x"#));
        assert_eq!(wrong_settings(&entry.0).unwrap(), Vec::<&str>::new());
        repaired.clear();
        repair_service(&entry.0, Path::new(PROGRAM), &mut repaired, &mut refused);
        assert_eq!((repaired.len(), refused.len()), (0, 0), "the second time all is well");
    }
}
