//! From Windows' notices to facts.
//!
//! As a service, a thread takes the SCM's controls out of the handler's queue, looks at the session a
//! control is about while it still exists, and sends the fact on. In the foreground there are no controls:
//! the core's regular reading of the list finds logons and logoffs, later and without their exact time.
//!
//! Both ways, a second thread says when the network may have changed.
//!
//! The threads live as long as the process. After the [`Watch`] and the receiver are gone they have nobody
//! to send to and end with the next notice.

use std::sync::mpsc::Receiver;
use std::thread::{Builder, sleep};
use std::time::Duration;

use anyhow::Context;
use mngntime_agent_core::input::{OsFact, OsSession, SessionChange};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    PBT_APMRESUMEAUTOMATIC, PBT_APMRESUMESUSPEND, PBT_APMSUSPEND, WTS_CONSOLE_CONNECT,
    WTS_CONSOLE_DISCONNECT, WTS_REMOTE_CONNECT, WTS_REMOTE_DISCONNECT, WTS_SESSION_LOCK, WTS_SESSION_LOGOFF,
    WTS_SESSION_LOGON, WTS_SESSION_UNLOCK,
};

use super::clocks::utc_millis;
use super::ffi::console::{self, Interrupt};
use super::ffi::network::{self, NetworkNotices};
use super::ffi::registry;
use super::ffi::service::{self, Control, Ticketed};
use super::os_log::last_power_on;
use super::service::report_stopping;
use super::sessions::{describe, list_sessions};
use crate::platform::{FactSink, Listed, SettleFor, ShellEvent};

/// Addresses change in bursts (lease, router, DNS suffix, IPv6); one message stands for what comes within.
const ADDRESS_BURST: Duration = Duration::from_secs(1);
/// `GUID_CONSOLE_DISPLAY_STATE`: off. On is 1, dimmed 2.
const DISPLAY_OFF: u32 = 0;
/// Where Windows keeps whether it shuts down by Fast Startup (windows.md 1.4).
const POWER_KEY: &str = r"SYSTEM\CurrentControlSet\Control\Session Manager\Power";

/// Kernel-Boot 27 is in the log by then (windows.md 1.4).
const POWER_ON_LOGGED: Duration = Duration::from_secs(15);

/// How often to compare the interfaces where Windows sends no notices. One call that touches no network.
const NETWORK_POLL: Duration = Duration::from_secs(10);

/// Facts flow while this lives.
pub struct Watch {
    /// Absent where the platform sends no notices (Wine).
    _notices: Option<NetworkNotices>,
}

/// Begins to send facts to `sink`. In a service, only the first call gets the controls.
///
/// # Errors
/// When a thread cannot be started.
pub fn watch(sink: FactSink) -> anyhow::Result<Watch> {
    if let Some(controls) = service::take_controls() {
        let sink = sink.clone();
        spawn("service-controls", move || forward_controls(&controls, &sink))?;
    }
    let notices = match network::network_notices() {
        Ok((guard, changes)) => {
            spawn("network-changes", move || forward_changes(&changes, &sink))?;
            Some(guard)
        }
        Err(_) => {
            spawn("network-changes", move || look_for_changes(&sink))?;
            None
        }
    };
    Ok(Watch { _notices: notices })
}

impl Watch {
    /// People's sessions now. What the controls told before is not known of the list.
    ///
    /// # Errors
    /// When Windows refuses the list.
    pub fn list_sessions(&self) -> anyhow::Result<Listed> {
        Ok(Listed { sessions: list_sessions()?, checkpoint: None })
    }

    /// Lets go of the delay Windows grants. Before sleep that is the handler that has not returned yet;
    /// before shutdown the SCM waits for the service's end, so there is nothing to let go.
    pub fn settle(&self, what: SettleFor) {
        match what {
            SettleFor::Sleep => service::sleep_may_begin(),
            SettleFor::Shutdown => {}
        }
    }

    /// Everything up to the control with this ticket is stored: its handler may return.
    pub fn reached(&self, ticket: u64) {
        service::settled(ticket);
    }
}

/// In the foreground: sends [`ShellEvent::Stop`] on Ctrl-C, a closed window, sign-out and shutdown. In a
/// service it does nothing: Windows tells services of every user's sign-out the same way
/// (`CTRL_LOGOFF_EVENT`), and that must not end the agent.
///
/// # Errors
/// When the console's interrupts are taken already.
pub fn stop_signals(sink: FactSink) -> anyhow::Result<()> {
    if service::is_service() {
        return Ok(());
    }
    let interrupts = console::interrupts()?;
    spawn("console-interrupts", move || {
        for interrupt in interrupts {
            let system_is_going_down = match interrupt {
                Interrupt::Asked => false,
                Interrupt::SystemGoesDown => true,
            };
            if sink.send(ShellEvent::Stop { system_is_going_down }).is_err() {
                return;
            }
        }
    })
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> anyhow::Result<()> {
    Builder::new()
        .name(name.to_owned())
        .spawn(body)
        .with_context(|| format!("cannot start thread {name}"))?;
    Ok(())
}

fn forward_controls(controls: &Receiver<Ticketed>, sink: &FactSink) {
    for Ticketed { control, ticket } in controls {
        if matches!(control, Control::Stop | Control::Preshutdown) {
            report_stopping();
        }
        if control == (Control::Power { event: PBT_APMRESUMEAUTOMATIC }) {
            tell_power_on_later(sink);
        }
        let mut events = events_of(control, describe);
        if service::lost_controls() {
            events.push(read_the_list());
        }
        events.push(ShellEvent::Checkpoint(ticket));
        for event in events {
            if sink.send(event).is_err() {
                return;
            }
        }
    }
}

/// Asks the log how the PC came back, a little later: Windows writes it about then. Not on the thread of the
/// controls, which must not wait.
fn tell_power_on_later(sink: &FactSink) {
    let sink = sink.clone();
    let told = spawn("power-on-log", move || {
        sleep(POWER_ON_LOGGED);
        if let Some((how, at)) = last_power_on() {
            // The receiver is gone only when the agent ends.
            let _ended = sink.send(ShellEvent::Os(OsFact::PoweredOn { how, at }));
        }
    });
    // Without a thread the resume keeps the cause that was presumed.
    drop(told);
}

fn forward_changes(changes: &Receiver<()>, sink: &FactSink) {
    while changes.recv().is_ok() {
        sleep(ADDRESS_BURST);
        if sink.send(ShellEvent::NetworkChanged).is_err() {
            return;
        }
    }
}

/// Where no notices come: compares the interfaces from time to time.
fn look_for_changes(sink: &FactSink) {
    let mut before = network::interfaces().ok();
    loop {
        sleep(NETWORK_POLL);
        let now = network::interfaces().ok();
        if now != before && sink.send(ShellEvent::NetworkChanged).is_err() {
            return;
        }
        before = now;
    }
}

/// What a control means. At PRESHUTDOWN the service ends at once: nobody can call the shutdown off any
/// more, and the SCM does not wait for long.
fn events_of(control: Control, describe: impl FnOnce(u32) -> Option<OsSession>) -> Vec<ShellEvent> {
    match control {
        Control::Stop => vec![ShellEvent::Stop { system_is_going_down: false }],
        Control::Preshutdown => {
            vec![ShellEvent::Os(OsFact::ShutdownAnnounced), ShellEvent::Stop { system_is_going_down: true }]
        }
        Control::Session { reason, session } => vec![ShellEvent::Os(OsFact::SessionNotice {
            session_id: session.to_string(),
            change: change_of(reason),
            session: describe(session).map(|found| Box::new(shown_by(reason, found))),
        })],
        Control::Power { event: PBT_APMSUSPEND } => suspend_facts(fast_startup()),
        Control::Power { event } => power_fact(event).map(ShellEvent::Os).into_iter().collect(),
        Control::Display { state } => vec![ShellEvent::Os(OsFact::Display { on: state != DISPLAY_OFF })],
        Control::TimeChanged { from_filetime, to_filetime } => vec![ShellEvent::Os(OsFact::ClockSet {
            from: utc_millis(from_filetime),
            to: utc_millis(to_filetime),
        })],
        Control::User(code) => events_of_user_code(code, describe),
    }
}

/// A notice about no session in particular, which makes the core read the list.
fn read_the_list() -> ShellEvent {
    ShellEvent::Os(OsFact::SessionNotice {
        session_id: String::new(),
        change: SessionChange::Other,
        session: None,
    })
}

fn change_of(reason: u32) -> SessionChange {
    match reason {
        WTS_SESSION_LOGON => SessionChange::Began,
        WTS_SESSION_LOGOFF => SessionChange::Ended,
        WTS_SESSION_LOCK => SessionChange::Locked,
        WTS_SESSION_UNLOCK => SessionChange::Unlocked,
        WTS_CONSOLE_CONNECT | WTS_REMOTE_CONNECT => SessionChange::Connected,
        WTS_CONSOLE_DISCONNECT | WTS_REMOTE_DISCONNECT => SessionChange::Disconnected,
        _ => SessionChange::Other,
    }
}

/// The session as the notice says it is shown now. The list may still describe the display it had before.
fn shown_by(reason: u32, found: OsSession) -> OsSession {
    match reason {
        WTS_CONSOLE_CONNECT => OsSession { remote: Some(false), client: None, ..found },
        WTS_REMOTE_CONNECT => OsSession { remote: Some(true), ..found },
        _ => found,
    }
}

/// Whether "Shut down" puts the system to sleep. Absent, or where it cannot be read: not known.
fn fast_startup() -> Option<bool> {
    registry::dword(POWER_KEY, "HiberbootEnabled").ok().flatten().map(|enabled| enabled != 0)
}

/// What there is to say when the PC is about to sleep.
fn suspend_facts(fast_startup: Option<bool>) -> Vec<ShellEvent> {
    let known = fast_startup.map(|enabled| OsFact::FastStartup { enabled });
    known.into_iter().chain([OsFact::SuspendAnnounced]).map(ShellEvent::Os).collect()
}

/// `PBT_APMRESUMEAUTOMATIC` comes at every wake-up, also when Windows Update wakes the PC at night; only
/// `PBT_APMRESUMESUSPEND` says that a person did it.
fn power_fact(event: u32) -> Option<OsFact> {
    match event {
        PBT_APMRESUMEAUTOMATIC => Some(OsFact::Resumed { user_present: false }),
        PBT_APMRESUMESUSPEND => Some(OsFact::Resumed { user_present: true }),
        _ => None,
    }
}

/// Nobody sends us codes of our own.
#[cfg(not(feature = "simulated-sessions"))]
fn events_of_user_code(_code: u32, _describe: impl FnOnce(u32) -> Option<OsSession>) -> Vec<ShellEvent> {
    Vec::new()
}

#[cfg(feature = "simulated-sessions")]
fn events_of_user_code(code: u32, describe: impl FnOnce(u32) -> Option<OsSession>) -> Vec<ShellEvent> {
    use super::simulated;
    match code {
        simulated::READ_LIST => simulated::read_list_again(),
        simulated::WRITE_HANDLER_TIMES => {
            if let Err(error) = simulated::write_handler_times() {
                let detail = format!("{error:#}");
                return vec![ShellEvent::Os(OsFact::SessionsUnavailable { detail })];
            }
        }
        simulated::DELIVER_NOTICE => match simulated::notice() {
            Ok(Some(Control::User(_)) | None) => {}
            Ok(Some(control)) => return events_of(control, describe),
            Err(error) => {
                let detail = format!("{error:#}");
                return vec![ShellEvent::Os(OsFact::SessionsUnavailable { detail })];
            }
        },
        _ => {}
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `control` becomes when no session can be described.
    fn shown(control: Control) -> String {
        format!("{:?}", events_of(control, |_| None))
    }

    #[test]
    fn every_session_reason_is_understood_or_makes_the_core_read_the_list() {
        let expected = [
            (1, SessionChange::Connected),
            (2, SessionChange::Disconnected),
            (3, SessionChange::Connected),
            (4, SessionChange::Disconnected),
            (5, SessionChange::Began),
            (6, SessionChange::Ended),
            (7, SessionChange::Locked),
            (8, SessionChange::Unlocked),
            (9, SessionChange::Other),
            (15, SessionChange::Other),
        ];
        for (reason, change) in expected {
            assert_eq!(change_of(reason), change, "reason {reason}");
        }
    }

    #[test]
    fn a_logon_notice_carries_what_could_be_read_about_the_session() {
        let shown = shown(Control::Session { reason: 5, session: 3 });
        assert!(shown.contains(r#"session_id: "3", change: Began, session: None"#), "{shown}");
    }

    #[test]
    fn only_a_person_s_wake_up_says_that_somebody_is_there() {
        assert!(shown(Control::Power { event: 4 }).contains("SuspendAnnounced"));
        assert!(shown(Control::Power { event: 0x12 }).contains("user_present: false"));
        assert!(shown(Control::Power { event: 7 }).contains("user_present: true"));
        assert_eq!(shown(Control::Power { event: 10 }), "[]");
    }

    #[test]
    fn a_dimmed_display_is_not_dark() {
        let on = |state| shown(Control::Display { state });
        assert_eq!(on(0), "[Os(Display { on: false })]");
        assert_eq!([on(1), on(2)], ["[Os(Display { on: true })]"; 2]);
    }

    #[test]
    fn a_suspend_comes_with_what_is_known_of_fast_startup() {
        let said = |known| format!("{:?}", suspend_facts(known));
        assert_eq!(said(None), "[Os(SuspendAnnounced)]");
        assert_eq!(said(Some(true)), "[Os(FastStartup { enabled: true }), Os(SuspendAnnounced)]");
    }

    #[test]
    fn a_connect_notice_says_where_the_session_is_shown() {
        let listed = || OsSession {
            session_id: "3".into(),
            logon_identity: "luid:0x1".into(),
            account: mngntime_model::AccountIdentity {
                key: "S-1-5-21-1".into(),
                domain: "EXAMPLE".into(),
                name: "hanako".into(),
                upn: None,
            },
            logon_at: None,
            remote: Some(true),
            client: Some("LAPTOP".into()),
            locked: None,
            input_seen: None,
        };
        let shown = |reason| {
            let session = shown_by(reason, listed());
            (session.remote, session.client)
        };
        assert_eq!(shown(WTS_CONSOLE_CONNECT), (Some(false), None));
        assert_eq!(shown(WTS_REMOTE_CONNECT), (Some(true), Some("LAPTOP".into())));
        assert_eq!(shown(WTS_SESSION_LOCK), (Some(true), Some("LAPTOP".into())));
    }

    #[test]
    fn preshutdown_is_announced_first_and_then_ends_the_service() {
        assert_eq!(
            shown(Control::Preshutdown),
            "[Os(ShutdownAnnounced), Stop { system_is_going_down: true }]"
        );
    }

    #[test]
    fn a_set_clock_gives_both_times() {
        let control = Control::TimeChanged {
            from_filetime: 116_444_736_000_000_000,
            to_filetime: 116_444_736_010_000_000,
        };
        assert_eq!(shown(control), "[Os(ClockSet { from: UtcMillis(0), to: UtcMillis(1000) })]");
    }
}
