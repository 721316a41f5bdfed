//! What happens to a PC and its sessions, and what the operating system tells of it: some notices are lost,
//! doubled, late or out of order.

use mngntime_agent_core::Input;
use mngntime_agent_core::input::{OsFact, OsSession, SessionChange};
use mngntime_model::BootId;

use super::pc::Power;
use super::script::Act;
use super::{Checked, Due, World, broken};

/// From power-on to the service, in milliseconds.
const SERVICE_START_MS: (i64, i64) = (3_000, 120_000);
/// How late a notice may come: what the core allows for, less a margin.
pub(super) const NOTICE_LATE_MS: i64 = 8_000;

impl World<'_> {
    pub(super) fn power_on(&mut self, index: usize) -> Checked {
        if self.pcs[index].power != Power::Off {
            return Ok(());
        }
        let now = self.now;
        let pc = &mut self.pcs[index];
        pc.boots += 1;
        pc.boot = BootId::new(&format!("{}-boot-{}", pc.name, pc.boots)).map_err(broken)?;
        pc.clock.boot(now);
        pc.power = Power::On;
        pc.disk.restart();
        let boots = pc.boots;
        self.tell(index, &format!("power on, boot {boots}"));
        let after = self.chance.between(SERVICE_START_MS.0, SERVICE_START_MS.1);
        self.schedule(after, Due::StartService(index));
        Ok(())
    }

    /// The power goes; nobody is told.
    pub(super) fn power_goes(&mut self, index: usize, how: &str) -> Checked {
        if self.pcs[index].power == Power::Off {
            return Ok(());
        }
        self.count("power cut");
        self.tell(index, &format!("power cut {how}"));
        self.pcs[index].disk.cut_power();
        self.go_dark(index);
        self.forget_sightings(index);
        self.look_at_platter(index)
    }

    /// Off: no process, no session.
    fn go_dark(&mut self, index: usize) {
        self.sessions_end(index);
        let pc = &mut self.pcs[index];
        pc.power = Power::Off;
        pc.going_down = false;
        pc.service = None;
        pc.run += 1;
        pc.disk.restart();
    }

    /// An orderly shutdown: `together` keeps the sessions until the very end.
    pub(super) fn shut_down(&mut self, index: usize, together: bool) -> Checked {
        if !self.pcs[index].is_awake() {
            return Ok(());
        }
        self.tell(index, "shutdown");
        self.pcs[index].going_down = true;
        if !together {
            while let Some((_, session)) = self.pcs[index].sessions.first() {
                let id = session.session_id.clone();
                self.log_off(index, &id)?;
            }
            self.flush_notices(index)?;
        }
        self.give(index, Input::Os(OsFact::ShutdownAnnounced))?;
        let end = self.chance.between(0, 2_000);
        let stop = end + self.chance.between(0, 1_000);
        let down = stop + self.chance.between(500, 6_000);
        self.schedule(end, Due::Act(index, Act::SessionsEnd));
        self.schedule(stop, Due::Act(index, Act::SystemStops));
        self.schedule(down, Due::Act(index, Act::GoDown));
        Ok(())
    }

    /// The sessions that were left end with the system, and nobody says so.
    pub(super) fn sessions_end(&mut self, index: usize) {
        for (stay, _) in std::mem::take(&mut self.pcs[index].sessions) {
            self.stays[stay].ended = Some(self.now);
        }
    }

    pub(super) fn go_down(&mut self, index: usize) -> Checked {
        if self.pcs[index].power == Power::Off {
            return Ok(());
        }
        self.tell(index, "down");
        if self.pcs[index].service.is_some() {
            self.forget_sightings(index);
        }
        // An orderly end writes the page cache back.
        self.pcs[index].disk.write_back();
        self.go_dark(index);
        self.look_at_platter(index)
    }

    // ---- sessions ----------------------------------------------------------------------------------

    /// Somebody logs on; `unattended`: Windows does it, and locks the session at once.
    pub(super) fn log_on(&mut self, index: usize, person: usize, remote: bool, unattended: bool) -> Checked {
        let pc = &self.pcs[index];
        if !pc.is_awake() || pc.going_down || pc.sessions.len() >= 4 {
            return Ok(());
        }
        let reuse = self.chance.percent(60);
        let now = self.now;
        let pc = &mut self.pcs[index];
        pc.logons += 1;
        let session = OsSession {
            session_id: pc.free_session_id(reuse),
            logon_identity: format!("luid:0x{:x}", 0x1000 + pc.logons * 0x35),
            account: pc.person(person),
            logon_at: Some(pc.clock.wall(now)),
            remote: Some(remote),
            client: remote.then(|| "192.0.2.7".to_owned()),
            locked: Some(unattended),
            input_seen: Some(!unattended),
        };
        let what = format!("logon of {} in session {}", session.account.name, session.session_id);
        self.tell(index, &what);
        let stay = self.stay_began(index, &session);
        self.pcs[index].sessions.push((stay, session.clone()));
        self.notify(index, &session.session_id, SessionChange::Began)
    }

    pub(super) fn log_off(&mut self, index: usize, id: &str) -> Checked {
        let pc = &mut self.pcs[index];
        let Some(place) = pc.sessions.iter().position(|(_, session)| session.session_id == id) else {
            return Ok(());
        };
        let (stay, session) = pc.sessions.remove(place);
        self.stays[stay].ended = Some(self.now);
        self.tell(index, &format!("logoff of {} in session {id}", session.account.name));
        self.notify(index, id, SessionChange::Ended)
    }

    /// A change of a session that goes on.
    pub(super) fn change(&mut self, index: usize, id: &str, change: SessionChange) -> Checked {
        let pc = &mut self.pcs[index];
        let Some((_, session)) = pc.sessions.iter_mut().find(|(_, session)| session.session_id == id) else {
            return Ok(());
        };
        match change {
            SessionChange::Locked => session.locked = Some(true),
            SessionChange::Unlocked => {
                (session.locked, session.input_seen) = (Some(false), Some(true));
            }
            SessionChange::Began
            | SessionChange::Ended
            | SessionChange::Connected
            | SessionChange::Disconnected
            | SessionChange::Other => {}
        }
        self.tell(index, &format!("{change:?} session {id}"));
        self.notify(index, id, change)
    }

    /// The operating system tells the service, in its way.
    fn notify(&mut self, index: usize, id: &str, change: SessionChange) -> Checked {
        let pc = &self.pcs[index];
        if pc.service.is_none() || !pc.is_awake() {
            return Ok(());
        }
        let run = pc.run;
        let known = pc.sessions.iter().find(|(_, session)| session.session_id == id);
        let told = known.map(|(_, session)| Box::new(pc.as_told(session)));
        let session = told.filter(|_| self.healed || self.chance.percent(85));
        let fact = OsFact::SessionNotice { session_id: id.to_owned(), change, session };
        let times = match self.chance.index(100) {
            _ if self.healed => 1,
            Some(0..6) => {
                self.count("notice lost");
                self.tell(index, "  (this notice is lost)");
                0
            }
            Some(6..12) => {
                self.count("notice doubled");
                2
            }
            _ => 1,
        };
        for _ in 0..times {
            let late = self.chance.percent(15);
            let after = if late { self.chance.between(0, NOTICE_LATE_MS) } else { 0 };
            self.schedule(after, Due::Notice(index, run, Box::new(Input::Os(fact.clone()))));
        }
        Ok(())
    }

    pub(super) fn notice_arrives(&mut self, index: usize, run: u64, input: Input) -> Checked {
        if self.pcs[index].run == run && self.pcs[index].is_awake() {
            if let Input::Os(OsFact::SessionNotice { session_id, change, session }) = &input {
                let details = if session.is_some() { "with" } else { "without" };
                self.tell(index, &format!("  notice: {change:?} session {session_id}, {details} details"));
            }
            self.give(index, input)?;
        }
        Ok(())
    }

    /// What is under way arrives now: before a sleep and before a shutdown.
    fn flush_notices(&mut self, index: usize) -> Checked {
        let mine = |due: &Due| matches!(due, Due::Notice(pc, _, _) if *pc == index);
        let keys: Vec<_> = self.due.iter().filter(|(_, due)| mine(due)).map(|(key, _)| *key).collect();
        for key in keys {
            if let Some(Due::Notice(pc, run, input)) = self.due.remove(&key) {
                self.notice_arrives(pc, run, *input)?;
            }
        }
        Ok(())
    }

    // ---- sleep -------------------------------------------------------------------------------------

    pub(super) fn sleep(&mut self, index: usize, announced: bool) -> Checked {
        if !self.pcs[index].is_awake() {
            return Ok(());
        }
        self.flush_notices(index)?;
        if announced {
            if self.chance.percent(50) {
                let enabled = self.chance.percent(50);
                self.give(index, Input::Os(OsFact::FastStartup { enabled }))?;
            }
            self.give(index, Input::Os(OsFact::SuspendAnnounced))?;
        }
        if self.pcs[index].is_awake() {
            self.tell(index, if announced { "sleeps" } else { "sleeps without a word" });
            self.pcs[index].power = Power::Asleep(self.now);
        }
        Ok(())
    }

    /// `told`: whether the OS says so; `user`: whether it says that a person did it.
    pub(super) fn wake(&mut self, index: usize, told: bool, user: bool) -> Checked {
        let Power::Asleep(since) = self.pcs[index].power else {
            return Ok(());
        };
        let pc = &mut self.pcs[index];
        pc.power = Power::On;
        pc.clock.slept(self.now - since);
        self.tell(index, if user { "woken by a person" } else { "wakes by itself" });
        if told {
            self.give(index, Input::Os(OsFact::Resumed { user_present: false }))?;
            if user {
                self.give(index, Input::Os(OsFact::Resumed { user_present: true }))?;
            }
        }
        Ok(())
    }
}
