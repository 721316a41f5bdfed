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
use super::ffi::service::{self, Control};
use super::service::report_stopping;
use super::sessions::describe;
use crate::platform::{FactSink, SettleFor, ShellEvent};

/// Addresses change in bursts (lease, router, DNS suffix, IPv6); one message stands for what comes within.
const ADDRESS_BURST: Duration = Duration::from_secs(1);

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
    /// Lets go of the delay Windows grants. Before sleep that is the handler that has not returned yet;
    /// before shutdown the SCM waits for the service's end, so there is nothing to let go.
    pub fn settle(&self, what: SettleFor) {
        match what {
            SettleFor::Sleep => service::sleep_may_begin(),
            SettleFor::Shutdown => {}
        }
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

fn forward_controls(controls: &Receiver<Control>, sink: &FactSink) {
    for control in controls {
        if matches!(control, Control::Stop | Control::Preshutdown) {
            report_stopping();
        }
        let mut events = events_of(control, describe);
        if service::lost_controls() {
            events.push(read_the_list());
        }
        for event in events {
            if sink.send(event).is_err() {
                return;
            }
        }
    }
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
/// more, and the SCM waits 10 s at most.
fn events_of(control: Control, describe: impl FnOnce(u32) -> Option<OsSession>) -> Vec<ShellEvent> {
    match control {
        Control::Stop => vec![ShellEvent::Stop { system_is_going_down: false }],
        Control::Preshutdown => {
            vec![ShellEvent::Os(OsFact::ShutdownAnnounced), ShellEvent::Stop { system_is_going_down: true }]
        }
        Control::Session { reason, session } => vec![ShellEvent::Os(OsFact::SessionNotice {
            session_id: session.to_string(),
            change: change_of(reason),
            session: describe(session).map(Box::new),
        })],
        Control::Power { event } => power_fact(event).map(ShellEvent::Os).into_iter().collect(),
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

/// `PBT_APMRESUMEAUTOMATIC` comes at every wake-up, also when Windows Update wakes the PC at night; only
/// `PBT_APMRESUMESUSPEND` says that a person did it.
fn power_fact(event: u32) -> Option<OsFact> {
    match event {
        PBT_APMSUSPEND => Some(OsFact::SuspendAnnounced),
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
