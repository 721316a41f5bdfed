//! The process as the service `MngnTimeCliSvc`.
//!
//! Start → `START_PENDING` → the body opens its journal and calls [`running`] → `RUNNING` → a stop or a
//! preshutdown → `STOP_PENDING` (said by the thread that takes the controls, at once) → the body returns →
//! `STOPPED`. A body that returns an error, a panic or a killed process makes the SCM start the service
//! again after 5 s, 30 s, then every 60 s.

use std::sync::OnceLock;

use anyhow::{Context, ensure};
use mngntime_agent_core::{Message, MessageId};
use mngntime_model::Language;

use super::ffi::service::{self as scm, State};
use super::notices::Notices;
use super::{paths, registration};

/// The service's name.
pub const NAME: &str = "MngnTimeCliSvc";
/// The command-line word with which the SCM starts the program.
pub const ARGUMENT: &str = "service";
/// The source of our lines in the event log.
pub(super) const EVENT_SOURCE: &str = "MngnTime";
/// Time for opening the journal, in milliseconds: recovery of a full one stays below a second on an SSD; an
/// old disk at boot may need many.
const START_HINT_MS: u32 = 60_000;
/// Time for the last records and one attempt to send, in milliseconds.
const STOP_HINT_MS: u32 = 20_000;
/// The service's own error code when the body fails.
const BODY_FAILED: u32 = 1;

/// What runs as the service.
type Body = fn() -> anyhow::Result<()>;

static BODY: OnceLock<Body> = OnceLock::new();

/// Runs `body` as the service; returns when it has ended.
///
/// # Errors
/// When the process was not started by the SCM.
pub fn run(body: Body) -> anyhow::Result<()> {
    ensure!(BODY.set(body).is_ok(), "{NAME} runs already in this process");
    scm::run(NAME, run_body).context("only Windows' service manager can start it this way; try `run`")
}

/// Says that the agent watches now. Nothing happens in the foreground.
///
/// # Errors
/// When the SCM refuses the report.
pub fn running() -> anyhow::Result<()> {
    Ok(scm::report(State::Running)?)
}

/// Looks at the service's own registration, repairs what is wrong and tells it in the event log. Nothing
/// that fails here keeps the PC from being recorded.
pub fn repair_registration(language: Language) {
    let told = match std::env::current_exe() {
        Ok(program) => registration::repair(&program),
        Err(error) => {
            let detail = format!("cannot find the path of this program: {error}");
            vec![Message::new(MessageId::RegistrationNotRepaired, vec![detail])]
        }
    };
    let notices = Notices::open(EVENT_SOURCE);
    told.iter().for_each(|message| notices.write(message, language));
}

/// Says that the agent is ending.
pub(super) fn report_stopping() {
    // If the SCM does not take it, it takes the end itself.
    let _refused = scm::report(State::Stopping(STOP_HINT_MS));
}

/// Runs on the SCM's thread; answers the exit code.
fn run_body() -> u32 {
    // If the SCM does not take it, it takes the next one.
    let _refused = scm::report(State::Starting(START_HINT_MS));
    let Some(body) = BODY.get() else {
        return BODY_FAILED;
    };
    // Before the configuration is read: one in a folder that users can write to is not believed.
    match paths::protect_program_data().and_then(|()| body()) {
        Ok(()) => 0,
        Err(error) => {
            // The configuration's language may be what could not be read; Event Viewer shows the reader's.
            let message = Message::new(MessageId::ServiceFailed, vec![format!("{error:#}")]);
            Notices::open(EVENT_SOURCE).write(&message, Language::Japanese);
            BODY_FAILED
        }
    }
}
