//! Copies of the event log for support: as `.evtx` with the texts inside, and as `.txt` in the columns of
//! Event Viewer's own export.
//!
//! From Application only the events of our source, from System only those that say when the PC ran, slept,
//! went down or had its clock set, and what became of our service. Everything goes through structured
//! queries of several short expressions: Windows refuses one expression with more than about twenty
//! conditions (EvtExportLog).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use mngntime_model::{Language, UtcMillis};

use super::ffi::clock;
use super::ffi::wevtapi::Owned;
use super::ffi::wevtapi_export::{EventLogCopies, FoundEvents, SystemValues, Wording};
use super::service::{EVENT_SOURCE, NAME};
use crate::platform::{ByHand, ExportProblem, ExportedPart, WindowsLog};
use crate::runtime::chain;

/// Newest events that are taken from one log: at a hundred a day more than a year.
const EVENTS_MAX: usize = 50_000;
/// The languages whose texts are put beside an .evtx (`LANGID`): ja-JP, en-US.
const LANGUAGES: [u32; 2] = [0x411, 0x409];
/// The language of the user who runs the command.
const OWN_LANGUAGE: u32 = 0;
/// Name under which Services shows the service (`install`).
const SERVICE_DISPLAY_NAME: &str = "MngnTime";
/// What is taken from System: provider and event ids (`reference`: Microsoft's pages of each provider).
const SYSTEM_EVENTS: [(&str, &[u16]); 6] = [
    // The clock was set; Windows began; Windows ended.
    ("Microsoft-Windows-Kernel-General", &[1, 12, 13]),
    // No clean end before; sleep; wake; end of sleep; lid or button; Modern Standby in and out.
    ("Microsoft-Windows-Kernel-Power", &[41, 42, 107, 109, 506, 507]),
    // How it began: cold, Fast Startup, hibernation.
    ("Microsoft-Windows-Kernel-Boot", &[27]),
    // The log began and ended; unexpected end before; version; uptime.
    ("EventLog", &[6005, 6006, 6008, 6009, 6013]),
    // Who or what asked for the shutdown.
    ("User32", &[1074]),
    ("USER32", &[1074]),
];
/// Ended unexpectedly; began and ended; start type changed.
const SERVICE_EVENTS: &[u16] = &[7031, 7034, 7036, 7040];
/// Installed.
const SERVICE_INSTALLED: &[u16] = &[7045];

/// Writes `Application` and `System` into `folder`, each as `.evtx` (with `LocaleMetaData`) and `.txt`.
pub fn export_os_logs(since: UtcMillis, language: Language, folder: &Path) -> Vec<ExportedPart> {
    let logs = EventLogCopies::load();
    let mut parts = Vec::new();
    for log in [WindowsLog::Application, WindowsLog::System] {
        match logs {
            Some(logs) => export(logs, log, &query(log, since), language, folder, &mut parts),
            None => parts.extend(["evtx", "txt"].map(|kind| {
                problem(
                    log,
                    &format!("{}.{kind}", channel(log)),
                    "this Windows has no functions for it".to_owned(),
                )
            })),
        }
    }
    parts
}

fn export(
    logs: EventLogCopies,
    log: WindowsLog,
    query: &str,
    language: Language,
    folder: &Path,
    parts: &mut Vec<ExportedPart>,
) {
    let name = format!("{}.evtx", channel(log));
    match copy(logs, log, query, &folder.join(&name)) {
        Ok(()) => parts.push(ExportedPart::File(name.clone())),
        Err(why) => parts.push(problem(log, &name, why)),
    }
    if parts.contains(&ExportedPart::File(name.clone())) {
        add_texts(logs, log, &name, folder, parts);
    }
    let name = format!("{}.txt", channel(log));
    let text = match rows(logs, log, query, language) {
        Ok(rows) => {
            if rows.is_cut {
                parts.push(problem(log, &name, format!("only the newest {EVENTS_MAX} events are in it")));
            }
            rows.text
        }
        Err(why) => return parts.push(problem(log, &name, why)),
    };
    match std::fs::write(folder.join(&name), text) {
        Ok(()) => parts.push(ExportedPart::File(name)),
        Err(error) => {
            parts.push(problem(log, &name, format!("cannot write it to {}: {error}", folder.display())));
        }
    }
}

fn copy(logs: EventLogCopies, log: WindowsLog, query: &str, target: &Path) -> Result<(), String> {
    logs.export(channel(log), query, target).map_err(|error| chain(&error))?;
    // Believed only when it is there: the answer alone is not the file.
    match std::fs::metadata(target) {
        Ok(metadata) if metadata.len() > 0 => Ok(()),
        Ok(_) => Err("Windows wrote an empty file".to_owned()),
        Err(error) => Err(format!("Windows says that it wrote {}, but: {error}", target.display())),
    }
}

/// Puts the messages' texts beside the file, as Event Viewer expects them. Without them the file can be read
/// on this PC and on others that have the agent.
fn add_texts(
    logs: EventLogCopies,
    log: WindowsLog,
    name: &str,
    folder: &Path,
    parts: &mut Vec<ExportedPart>,
) {
    const FOLDER: &str = "LocaleMetaData";
    for language in LANGUAGES {
        let made = format!("{FOLDER}/{}_{language}.MTA", channel(log));
        match logs.archive(&folder.join(name), language) {
            Ok(()) if folder.join(&made).is_file() => parts.push(ExportedPart::File(made)),
            Ok(()) => parts.push(problem(log, &made, "Windows did not write it".to_owned())),
            Err(error) => parts.push(problem(log, &made, chain(&error))),
        }
    }
}

fn problem(log: WindowsLog, part: &str, why: String) -> ExportedPart {
    ExportedPart::Problem(ExportProblem { part: part.to_owned(), why, by_hand: ByHand::EventViewer(log) })
}

fn channel(log: WindowsLog) -> &'static str {
    match log {
        WindowsLog::Application => "Application",
        WindowsLog::System => "System",
    }
}

/// The structured query (QueryList, winevt's query schema) for the events of `log` since then.
fn query(log: WindowsLog, since: UtcMillis) -> String {
    let mut expressions = Vec::new();
    match log {
        WindowsLog::Application => expressions.push(system_expression(EVENT_SOURCE, &[], since)),
        WindowsLog::System => {
            for (provider, ids) in SYSTEM_EVENTS {
                expressions.push(system_expression(provider, ids, since));
            }
            for (value, ids) in [("param1", SERVICE_EVENTS), ("ServiceName", SERVICE_INSTALLED)] {
                for name in [NAME, SERVICE_DISPLAY_NAME] {
                    let event = system_expression("Service Control Manager", ids, since);
                    let about = format!(" and EventData[Data[@Name='{value}']='{name}']]");
                    expressions.push(format!("{}{about}", event.strip_suffix(']').unwrap_or(&event)));
                }
            }
        }
    }
    let path = channel(log);
    let mut query = format!("<QueryList><Query Id=\"0\" Path=\"{path}\">");
    for expression in expressions {
        let _ = write!(query, "<Select Path=\"{path}\">{expression}</Select>");
    }
    query + "</Query></QueryList>"
}

/// `*[System[…]]` with its comparison written for XML.
fn system_expression(provider: &str, ids: &[u16], since: UtcMillis) -> String {
    let ids: Vec<String> = ids.iter().map(|id| format!("EventID={id}")).collect();
    let ids = if ids.is_empty() { String::new() } else { format!("({}) and ", ids.join(" or ")) };
    let since = jiff::Timestamp::from_millisecond(since.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!(
        "*[System[Provider[@Name='{provider}'] and {ids}TimeCreated[@SystemTime&gt;='{}']]]",
        since.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    )
}

struct Rows {
    text: String,
    is_cut: bool,
}

/// All events as rows, newest first as in Event Viewer.
fn rows(logs: EventLogCopies, log: WindowsLog, query: &str, language: Language) -> Result<Rows, String> {
    let found = logs.query(channel(log), query).map_err(|error| chain(&error))?;
    let mut publishers = Publishers { logs, language, known: BTreeMap::new() };
    let mut rows = Rows { text: header(language).to_owned(), is_cut: false };
    let mut count = 0;
    while let Some(event) = found.next().map_err(|error| chain(&error))? {
        if count == EVENTS_MAX {
            rows.is_cut = true;
            break;
        }
        count += 1;
        let Some(values) = found.system_values(&event) else {
            rows.text.push_str("(an event that cannot be read)\n");
            continue;
        };
        rows.text.push_str(&row(&values, &publishers.wording(&found, &event, &values), language));
    }
    Ok(rows)
}

/// The first line of Event Viewer's export. The message has no heading there either.
fn header(language: Language) -> &'static str {
    match language {
        Language::Japanese => "レベル\t日付と時刻\tソース\tイベント ID\tタスクのカテゴリ\n",
        Language::English => "Level\tDate and Time\tSource\tEvent ID\tTask Category\n",
    }
}

/// The texts of one event.
#[derive(Debug, PartialEq, Eq)]
struct Words {
    level: Option<String>,
    task: Option<String>,
    message: String,
}

/// The texts of the sources on this PC, each opened once.
struct Publishers {
    logs: EventLogCopies,
    language: Language,
    known: BTreeMap<String, Option<Owned>>,
}

impl Publishers {
    fn wording(&mut self, found: &FoundEvents, event: &Owned, values: &SystemValues) -> Words {
        let (logs, language) = (self.logs, self.language);
        let publisher = self
            .known
            .entry(values.provider.clone())
            .or_insert_with(|| open_publisher(logs, &values.provider, language))
            .as_ref();
        let text = |wording| publisher.and_then(|publisher| logs.text(publisher, event, wording));
        let message = text(Wording::Message).filter(|message| !message.trim().is_empty());
        Words {
            level: text(Wording::Level),
            task: text(Wording::Task),
            message: message.unwrap_or_else(|| found.inserts(event).join(" | ")),
        }
    }
}

/// In the agent's language, else in the user's.
fn open_publisher(logs: EventLogCopies, name: &str, language: Language) -> Option<Owned> {
    let wanted = match language {
        Language::Japanese => LANGUAGES[0],
        Language::English => LANGUAGES[1],
    };
    [wanted, OWN_LANGUAGE].into_iter().find_map(|language| logs.publisher(name, language).ok())
}

fn row(values: &SystemValues, words: &Words, language: Language) -> String {
    let level = words.level.clone().unwrap_or_else(|| level_name(values.level, language));
    let none = match language {
        Language::Japanese => "なし",
        Language::English => "None",
    };
    let task = match (&words.task, values.task) {
        (Some(task), _) => task.clone(),
        (None, 0) => none.to_owned(),
        (None, number) => format!("({number})"),
    };
    let fields =
        [&level, &date(values.time), &values.provider, &values.event_id.to_string(), &task, &words.message];
    fields.map(|field| quoted(field)).join("\t") + "\n"
}

fn level_name(level: u8, language: Language) -> String {
    let name = match (level, language) {
        (0 | 4, Language::Japanese) => "情報",
        (0 | 4, Language::English) => "Information",
        (1, Language::Japanese) => "重大",
        (1, Language::English) => "Critical",
        (2, Language::Japanese) => "エラー",
        (2, Language::English) => "Error",
        (3, Language::Japanese) => "警告",
        (3, Language::English) => "Warning",
        (other, _) => return other.to_string(),
    };
    name.to_owned()
}

/// Local time as Japan's Event Viewer writes it.
fn date(filetime: i64) -> String {
    match clock::local_calendar(filetime) {
        Some([year, month, day, hour, minute, second]) => {
            format!("{year:04}/{month:02}/{day:02} {hour}:{minute:02}:{second:02}")
        }
        None => filetime.to_string(),
    }
}

/// A field that would end its row or column early, in quotes as Event Viewer does.
fn quoted(field: &str) -> String {
    let text = field.trim_end().replace("\r\n", "\n").replace('\r', "\n");
    if text.contains(['\t', '\n', '"']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests;
