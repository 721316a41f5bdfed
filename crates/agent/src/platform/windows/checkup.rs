//! How Windows knows the service and its event source, for `doctor`.
//!
//! Nothing is changed here, and an ordinary user may look too.

use std::env;
use std::path::Path;

use windows_sys::Win32::Foundation::ERROR_SERVICE_DOES_NOT_EXIST;
use windows_sys::Win32::System::Services::{SERVICE_AUTO_START, SERVICE_DISABLED, SERVICE_RUNNING};

use super::ffi::messages::MessageFile;
use super::ffi::service_manager::{ServiceEntry, ServiceManager};
use super::registration::{self, MessageFileState};
use super::service::NAME;
use mngntime_agent_core::MessageId;

use crate::platform::Finding;
use crate::runtime::chain;

/// Windows' ids of the languages the message file holds.
const LANGUAGES: [(&str, u32); 2] = [("Japanese", 0x411), ("English", 0x409)];

const REINSTALL: &str = "install the MSI again, or run as administrator: MngnTimeCliSvc.exe install";
const RESTART: &str = "restart the service, which repairs it by itself (as administrator: net stop MngnTimeCliSvc, then net start MngnTimeCliSvc)";

/// Every stage with what was found.
#[must_use]
pub fn registration_findings() -> Vec<(&'static str, Finding)> {
    let mut findings = Vec::new();
    match ServiceManager::connect(false).and_then(|manager| manager.open_to_read(NAME)) {
        Ok(entry) => {
            findings.push(("service start", fine_or_wrong(start(&entry))));
            findings.push(("service path", fine_or_wrong(path(&entry))));
            findings.push(("service settings", fine_or_wrong(settings(&entry))));
            findings.push(("service state", fine_or_wrong(state(&entry))));
        }
        Err(error) if error.code() == Some(ERROR_SERVICE_DOES_NOT_EXIST) => findings.push((
            "service",
            Finding::Wrong {
                what: format!("{NAME} is not registered"),
                cure: "install the MSI, or run as administrator: MngnTimeCliSvc.exe install (not needed on PCs whose logon and logoff scripts call punch)",
            },
        )),
        Err(error) => findings.push(("service", fine_or_wrong(Err(error.into())))),
    }
    findings.push(("event source", fine_or_wrong(event_source())));
    findings
}

/// Whether the message file at `path` has a text for each of `ids` in both languages.
///
/// # Errors
/// What is missing, in words.
pub fn check_message_file(path: &Path, ids: &[u32]) -> Result<(), String> {
    let file = MessageFile::open(path).map_err(|error| chain(&error))?;
    let missing: Vec<String> = ids
        .iter()
        .flat_map(|id| LANGUAGES.map(|language| (*id, language)))
        .filter(|(id, (_, language))| !file.has(*id, *language))
        .map(|(id, (name, _))| format!("{id} ({name})"))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!("{} has no text for event {}", path.display(), missing.join(", ")))
}

fn fine_or_wrong(finding: anyhow::Result<Finding>) -> Finding {
    finding.unwrap_or_else(|error| Finding::Wrong {
        what: format!("{error:#}"),
        cure: "run doctor as administrator",
    })
}

fn start(entry: &ServiceEntry) -> anyhow::Result<Finding> {
    let start = entry.start_settings()?;
    Ok(match start.kind {
        SERVICE_AUTO_START => Finding::Fine(format!("automatic, as {}", start.account)),
        kind => Finding::Wrong {
            what: if kind == SERVICE_DISABLED { "disabled" } else { "by hand: logons before it are missed" }
                .to_owned(),
            cure: "unless that is on purpose, run as administrator: sc config MngnTimeCliSvc start= auto",
        },
    })
}

fn path(entry: &ServiceEntry) -> anyhow::Result<Finding> {
    let line = entry.start_settings()?.command_line;
    if registration::is_quoted(&line) {
        return Ok(Finding::Fine(line));
    }
    let what = format!("the program's path has no quotation marks: {line}");
    Ok(Finding::Wrong { what, cure: RESTART })
}

fn settings(entry: &ServiceEntry) -> anyhow::Result<Finding> {
    let wrong = registration::wrong_settings(entry)?;
    if wrong.is_empty() {
        return Ok(Finding::Fine("as installed".to_owned()));
    }
    Ok(Finding::Wrong { what: format!("not as installed: {}", wrong.join(", ")), cure: RESTART })
}

fn state(entry: &ServiceEntry) -> anyhow::Result<Finding> {
    Ok(match entry.state()? {
        SERVICE_RUNNING => Finding::Fine("running".to_owned()),
        state => Finding::Wrong {
            what: format!("not running (state {state})"),
            cure: "as administrator: net start MngnTimeCliSvc; if it ends again, see the Application event log, source MngnTime",
        },
    })
}

fn event_source() -> anyhow::Result<Finding> {
    Ok(match registration::message_file(&env::current_exe()?) {
        MessageFileState::Wrong(what) => Finding::Wrong { what, cure: REINSTALL },
        MessageFileState::Fallback => {
            Finding::Fine("Windows' own message file; ours is not beside the program".to_owned())
        }
        MessageFileState::Found(path) => match check_message_file(&path, &message_ids()) {
            Ok(()) => Finding::Fine(path.display().to_string()),
            Err(what) => Finding::Wrong { what, cure: REINSTALL },
        },
    })
}

/// The event ids that are written.
fn message_ids() -> Vec<u32> {
    MessageId::ALL.iter().map(|id| u32::from(id.number())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_service_is_told_with_what_to_do() {
        let findings = registration_findings();
        let names: Vec<&str> = findings.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.last(), Some(&"event source"));
        if let [("service", Finding::Wrong { what, cure }), _] = &findings[..] {
            assert!(what.contains("not registered") && cure.contains("install"), "{findings:?}");
        } else {
            // A PC on which it is installed.
            assert_eq!(names[..4], ["service start", "service path", "service settings", "service state"]);
        }
    }

    #[test]
    fn a_message_file_without_our_texts_is_found_out() {
        let kernel = Path::new(r"C:\windows\system32\kernel32.dll");
        let error = check_message_file(kernel, &[0x2fff_0001]).unwrap_err();
        assert!(error.contains("805240833 (Japanese)") && error.contains("(English)"), "{error}");
        let nowhere = check_message_file(Path::new(r"C:\no-such.dll"), &[1]).unwrap_err();
        assert!(nowhere.contains("no-such.dll"), "{nowhere}");
    }
}
