//! Choosing what happens next, and making it happen.

use mngntime_agent_core::Input;
use mngntime_agent_core::input::{OsFact, SessionChange};
use mngntime_model::UtcMillis;

use super::branch::event_at;
use super::disk::Crash;
use super::pc::{Power, Snapshot};
use super::script::{Act, Fault, OFF, ON, Situation};
use super::stays::key_of;
use super::{Checked, Copied, Due, World, broken};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
/// Copies of a disk in one world at most.
const PCS_MAX: usize = 8;

impl World<'_> {
    pub(super) fn choose(&mut self, index: usize) -> Checked {
        if self.pcs[index].happenings_left == 0 {
            return Ok(());
        }
        self.pcs[index].happenings_left -= 1;
        let table = match self.pcs[index].power {
            Power::Off => OFF,
            Power::On => ON,
            Power::Asleep(_) => {
                self.wake(index, true, true)?;
                ON
            }
        };
        let (name, _, lines) = self.situation(table);
        self.count(name);
        self.tell(index, &format!("[{name}]"));
        let mut after = 0;
        for (wait, act) in lines(self.chance.next() >> 8) {
            after += wait;
            self.schedule(after, Due::Act(index, act));
        }
        let pause = self.pause();
        self.schedule(after + pause, Due::Choose(index));
        Ok(())
    }

    fn situation(&mut self, table: &'static [Situation]) -> Situation {
        let all: u64 = table.iter().map(|(_, weight, _)| weight).sum();
        let mut left = self.chance.next() % all;
        for situation in table {
            if left < situation.1 {
                return *situation;
            }
            left -= situation.1;
        }
        table[0]
    }

    fn pause(&mut self) -> i64 {
        match self.chance.index(100) {
            Some(0..35) => self.chance.between(0, 15_000),
            Some(35..70) => self.chance.between(MINUTE, 30 * MINUTE),
            Some(70..95) => self.chance.between(HOUR, 6 * HOUR),
            _ => self.chance.between(10 * HOUR, 70 * HOUR),
        }
    }

    pub(super) fn act(&mut self, index: usize, act: Act) -> Checked {
        match act {
            Act::PowerOn => self.power_on(index),
            Act::PowerCut => self.power_goes(index, "by somebody"),
            Act::ShutDown { together } => self.shut_down(index, together),
            Act::SessionsEnd => {
                self.sessions_end(index);
                Ok(())
            }
            Act::SystemStops => self.give(index, Input::Stop { system_is_going_down: true }),
            Act::GoDown => self.go_down(index),
            Act::LogOn { person, remote, unattended } => self.log_on(index, person, remote, unattended),
            Act::LogOff(place) => match self.session_at(index, place) {
                Some(id) => self.log_off(index, &id),
                None => Ok(()),
            },
            Act::Lock(place) => self.change_at(index, place, SessionChange::Locked),
            Act::Unlock(place) => self.change_at(index, place, SessionChange::Unlocked),
            Act::Connect(place) => self.change_at(index, place, SessionChange::Connected),
            Act::Disconnect(place) => self.change_at(index, place, SessionChange::Disconnected),
            Act::Sleep { announced } => self.sleep(index, announced),
            Act::Wake { told, user } => self.wake(index, told, user),
            // A system on its way down stops its services by itself.
            Act::ServiceStop if self.pcs[index].going_down => Ok(()),
            Act::ServiceStop => {
                self.pcs[index].held = true;
                self.give(index, Input::Stop { system_is_going_down: false })
            }
            Act::ServiceStart => {
                self.pcs[index].held = false;
                self.start_service(index)
            }
            Act::ServiceKilled => {
                self.kill(index, "by somebody");
                Ok(())
            }
            Act::ClockStep { by_ms, told } => self.set_clock(index, by_ms, told),
            Act::Network(up) => self.network(index, up),
            Act::ServerRestart => {
                self.story.tell(self.now, "server", "restarts");
                self.server.restart().map_err(broken)
            }
            Act::Fault(fault) => self.fault(index, fault),
        }
    }

    /// What goes wrong without anybody being told.
    fn fault(&mut self, index: usize, fault: Fault) -> Checked {
        self.tell(index, &format!("{fault:?}"));
        let pc = &mut self.pcs[index];
        match fault {
            Fault::Zone(seconds) => pc.clock.move_to_zone(seconds),
            Fault::Room(bytes) => pc.disk.room(bytes),
            Fault::FailSyncs(count) => pc.disk.fail_syncs(count),
            Fault::FailWrites(count) => pc.disk.fail_writes(count),
            Fault::CrashIn { operations, power } => {
                let crash = if power { Crash::Power } else { Crash::Process };
                pc.disk.crash_in(operations, crash);
            }
            Fault::Flip => return self.flip(index),
            Fault::Snapshot => {
                pc.snapshot = Some(Snapshot { disk: pc.disk.copy(), branch: pc.branch.clone() });
            }
            Fault::RollBack => return self.roll_back(index),
            Fault::Clone { same_makeup } => return self.clone_disk(index, same_makeup),
            Fault::ServerDown => self.server_up = false,
            Fault::ServerUp => self.server_up = true,
            Fault::ServerCopied => return self.copy_server(),
            Fault::ServerPutBack => return self.put_server_back(),
        }
        Ok(())
    }

    fn session_at(&self, index: usize, place: usize) -> Option<String> {
        let sessions = &self.pcs[index].sessions;
        sessions.get(place % sessions.len().max(1)).map(|(_, session)| session.session_id.clone())
    }

    fn change_at(&mut self, index: usize, place: usize, change: SessionChange) -> Checked {
        if !self.pcs[index].is_awake() {
            return Ok(());
        }
        match self.session_at(index, place) {
            Some(id) => self.change(index, &id, change),
            None => Ok(()),
        }
    }

    fn set_clock(&mut self, index: usize, by_ms: i64, told: bool) -> Checked {
        let now = self.now;
        let from = self.pcs[index].clock.wall(now);
        self.pcs[index].clock.step(by_ms, now);
        self.tell(index, &format!("clock set by {by_ms} ms"));
        if told && self.pcs[index].is_awake() {
            let to = UtcMillis(from.0 + by_ms);
            self.give(index, Input::Os(OsFact::ClockSet { from, to }))?;
        }
        Ok(())
    }

    fn network(&mut self, index: usize, up: bool) -> Checked {
        self.tell(index, if up { "network up" } else { "network down" });
        self.pcs[index].network = up;
        if up && self.pcs[index].is_awake() { self.give(index, Input::NetworkChanged) } else { Ok(()) }
    }

    fn flip(&mut self, index: usize) -> Checked {
        if !self.plan.flips {
            return Ok(());
        }
        let pc = &mut self.pcs[index];
        pc.branch.read_platter(&pc.disk);
        let before = pc.disk.copy();
        let Some((name, offset)) = pc.disk.flip_a_bit() else {
            return Ok(());
        };
        let mut hit = None;
        before.look(|file, bytes| {
            if file == name {
                hit = event_at(bytes, offset);
            }
        });
        // Of an event with two copies on the disk, either may be the one that is read.
        let mut gone = pc.branch.read_platter(&pc.disk);
        gone.extend(
            pc.branch.promised.values().filter(|made| hit == Some(made.digest)).map(|m| m.event.sequence),
        );
        gone.sort_unstable();
        gone.dedup();
        pc.branch.damaged.extend(gone.iter().copied());
        let spoilt: Vec<_> = {
            let promised = &self.pcs[index].branch.promised;
            gone.iter().filter_map(|number| key_of(&promised.get(number)?.event)).collect()
        };
        self.excuse_stays("its event was spoilt on the disk", |stay| spoilt.contains(&stay.key));
        self.tell(index, &format!("bit flipped in {name} at {offset}: {gone:?} spoilt"));
        Ok(())
    }

    /// What was recorded since the snapshot is gone here, but for what the server has of it.
    fn roll_back(&mut self, index: usize) -> Checked {
        let pc = &mut self.pcs[index];
        if !self.plan.roll_back || pc.power != Power::Off {
            return Ok(());
        }
        let Some(snapshot) = &pc.snapshot else {
            pc.snapshot = Some(Snapshot { disk: pc.disk.copy(), branch: pc.branch.clone() });
            return Ok(());
        };
        let lineage = pc.lineage;
        pc.disk.become_copy_of(&snapshot.disk);
        pc.branch = snapshot.branch.clone();
        pc.branch.read_platter(&pc.disk);
        let complete = pc.branch.complete_stays();
        self.diverged.insert(lineage);
        self.excuse_stays("it was not over when the snapshot was taken", |stay| {
            stay.pc == index && !complete.contains(&stay.key)
        });
        self.count("rolled back");
        Ok(())
    }

    pub(super) fn copy_server(&mut self) -> Checked {
        if !self.plan.put_back || !self.server_up {
            return Ok(());
        }
        self.read_all()?;
        self.server.keep_copy().map_err(broken)?;
        let (held, punched, facts) = (self.held.clone(), self.punched.clone(), self.facts.clone());
        self.copied = Some(Copied { held, punched, facts });
        Ok(())
    }

    /// The server forgets everything since the copy, what it gave receipts for included.
    fn put_server_back(&mut self) -> Checked {
        let Some(copied) = self.copied.clone().filter(|_| self.server_up) else {
            return self.copy_server();
        };
        self.server.put_back().map_err(broken)?;
        (self.held, self.punched, self.facts) = (copied.held, copied.punched, copied.facts);
        self.was_put_back = true;
        self.count("server put back");
        Ok(())
    }

    fn clone_disk(&mut self, index: usize, same_makeup: bool) -> Checked {
        let number = self.pcs.len();
        if !self.plan.clone || number >= PCS_MAX || self.pcs[index].power != Power::Off {
            return Ok(());
        }
        let clone = self.pcs[index].clone_as(number, same_makeup).map_err(broken)?;
        let lineage = clone.lineage;
        // Both copies will find them open and end them.
        let open = clone.branch.open_stays();
        self.excuse_stays("it was open when the disk was cloned", |stay| open.contains(&stay.key));
        self.diverged.insert(lineage);
        self.pcs.push(clone);
        self.count("cloned");
        self.schedule(MINUTE, Due::Choose(number));
        Ok(())
    }
}
