//! `enroll`: make this PC a terminal of the contract, now and visibly.

use anyhow::bail;
use mngntime_agent_core::input::EnrollOutcome;
use mngntime_model::{EnrollmentRefusal, FailureCause, Language};

use super::{BAD_USE, print_problems};
use crate::config::Config;
use crate::identity::{self, Loaded};
use crate::journal::Heartbeat;
use crate::platform::{self, Notices};
use crate::runtime::{EVENT_SOURCE, enrollment_request, lock_state, open_journal};
use crate::transport::{self, Client, Finished};

/// Enrols, or enrols again; the same key gets the same terminal. A person asks for it, so a key is made in
/// place of one that is gone.
pub fn enroll(config: &Config) -> anyhow::Result<u8> {
    if print_problems(config) {
        return Ok(BAD_USE);
    }
    let _lock = lock_state(&config.state_dir)?;
    let Loaded { key, warning } = identity::load_or_make_key(&config.state_dir, None)?;
    if let Some(warning) = warning {
        Notices::open(EVENT_SOURCE).write(&warning, config.language);
        eprintln!("mngntime-agent: {}", warning.text(config.language));
    }
    let (disk, mut journal, _) = open_journal(&config.state_dir)?;
    let request = enrollment_request(config, &platform::host(), &key)?;
    let url = config.server_url.clone().unwrap_or_default();
    let prepared = transport::prepare_enrollment(&request, &url, config.server_key, &key)?;
    match transport::enroll(&Client::new(config), &prepared) {
        Finished::Enrolled(EnrollOutcome::Done { display_name }, Some(enrollment)) => {
            say!(
                "enrolled terminal={} server={display_name} key={}",
                enrollment.terminal,
                key.class().name()
            );
            journal.enroll(enrollment)?;
            // The first event tries again.
            let _ = Heartbeat::open(&disk).begin(&disk, platform::clocks(), &journal.chain());
            Ok(0)
        }
        Finished::Enrolled(EnrollOutcome::Failed { cause, reason, .. }, _) => {
            eprintln!("mngntime-agent: {}", refused(&cause, reason, config.language));
            Ok(if cause.res().is_some() { 3 } else { 1 })
        }
        Finished::Enrolled(EnrollOutcome::Done { .. }, None) | Finished::Sent(..) => {
            bail!("the server's answer to the enrolment cannot be kept")
        }
    }
}

/// Why an enrolment failed; where the server says what is wrong with the key or the terminal, what to do about it.
pub(super) fn refused(cause: &FailureCause, reason: Option<EnrollmentRefusal>, language: Language) -> String {
    let res = cause.res().map(|res| format!("[res={res}] ")).unwrap_or_default();
    match (cause, reason) {
        (FailureCause::Result(result), Some(reason)) => {
            format!("{res}{} {}", result.message(language), reason.text(language))
        }
        _ => format!("{res}{}", cause.text(language, "MINAGINE")),
    }
}

#[cfg(test)]
mod tests {
    use mngntime_model::PunchResult;

    use super::*;

    #[test]
    fn the_reason_stands_behind_the_result_and_without_one_the_known_words_do() {
        let cause = FailureCause::Result(PunchResult::TerminalUnusable);
        let text = refused(&cause, Some(EnrollmentRefusal::KeyExpired), Language::Japanese);
        assert!(
            text.starts_with("[res=6] この端末は使えません。 登録キーの有効期限が切れています。"),
            "{text}"
        );
        let text = refused(&cause, None, Language::English);
        assert_eq!(text, format!("[res=6] {}", cause.text(Language::English, "MINAGINE")));
        assert!(!refused(&FailureCause::NotConnected, None, Language::English).contains("[res="));
    }
}
