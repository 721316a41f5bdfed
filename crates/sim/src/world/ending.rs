//! The end: nothing stands in the way any more, so everything must come to where it belongs.

use std::collections::BTreeSet;

use mngntime_ledger::Digest;
use mngntime_model::{Event, EventKind, Evidence};

use super::branch::Made;
use super::checks::{P2, P3, P6, in_words, is_rolled_back};
use super::pc::{Pc, Power};
use super::stays::{RealStay, key_of};
use super::{Checked, Due, Violation, World, broken};

const LIVE: &str = "liveness: with nothing in the way, everything is delivered";
/// Stays that begin or end this close to a gap's bounds are in it: a start of the PC, a restart of the service.
const NEAR_GAP_MS: i64 = 300_000;

impl World<'_> {
    /// Ends all faults, and switches everything on.
    pub(super) fn heal(&mut self) -> Checked {
        self.healed = true;
        self.server_up = true;
        self.story.tell(self.now, "world", "nothing goes wrong any more");
        for index in 0..self.pcs.len() {
            self.pcs[index].disk.heal();
            self.pcs[index].network = true;
            self.pcs[index].held = false;
            match self.pcs[index].power {
                Power::Off => self.power_on(index)?,
                Power::Asleep(_) => self.wake(index, true, true)?,
                Power::On => self.schedule(30_000, Due::StartService(index)),
            }
            self.give(index, mngntime_agent_core::Input::NetworkChanged)?;
        }
        Ok(())
    }

    /// Every event and every stay is accounted for.
    pub(super) fn check_the_end(&mut self) -> Checked {
        self.read_all()?;
        for index in 0..self.pcs.len() {
            self.check_events_of(index)?;
        }
        self.check_marks()?;
        let events = self.events_at_the_server();
        for stay in self.stays.clone() {
            self.check_stay(&stay, &events)?;
        }
        Ok(())
    }

    /// Whatever its disk and its server went through: each event that the PC answers for is at the server, as
    /// itself or under a later number, and its own numbers explain each one that is somebody else's.
    fn check_events_of(&mut self, index: usize) -> Checked {
        let pc = &self.pcs[index];
        if !self.is_pc_quiet(pc) {
            let waiting = pc.service.as_ref().map(|service| service.core.waiting());
            let missing = self.not_there(pc);
            let what = format!("{} still has {waiting:?} events, the server lacks {missing:?}", pc.name);
            return Err(Violation::new(LIVE, what));
        }
        let is_there = |(number, made): &(&u64, &Made)| self.is_held(pc.lineage, **number, &made.digest);
        let elsewhere = pc.branch.promised.iter().filter(|event| !is_there(event));
        let gone: Vec<_> = elsewhere
            .filter(|(number, _)| self.is_taken_over(pc, **number) || pc.branch.pruned.contains(number))
            .map(|(_, made)| key_of(&made.event))
            .collect();
        for (number, made) in &pc.branch.promised {
            if !self.is_accounted_for(pc, *number) {
                let what = format!("{}: {} is not at the server", pc.name, in_words(&made.event));
                return Err(Violation::new(P2, what));
            }
        }
        self.check_other_lives(pc)?;
        for key in gone {
            self.count("gone from a server that was put back");
            self.excuse_stays("its event is gone from a server that was put back", |stay| {
                Some(&stay.key) == key.as_ref()
            });
        }
        Ok(())
    }

    fn is_accounted_for(&self, pc: &Pc, number: u64) -> bool {
        let is_there = |number: u64| {
            let made = pc.branch.promised.get(&number);
            made.is_some_and(|made| self.is_held(pc.lineage, number, &made.digest))
                || pc.branch.damaged.contains(&number)
                || pc.branch.pruned.contains(&number)
                || self.is_taken_over(pc, number)
        };
        pc.branch.numbers_since(number).any(is_there)
    }

    /// Two lives of one identity: where the server has the other one's event under a number that this PC's own
    /// history has come past, a gap of this PC says so.
    fn check_other_lives(&self, pc: &Pc) -> Checked {
        let last = pc.branch.promised.last_key_value().map_or(0, |(number, _)| *number);
        let of_key = |terminal: &String| self.terminals.get(terminal) == Some(&pc.lineage);
        let foreign = self.held.iter().find(|((terminal, number), digest)| {
            let own = pc.branch.promised.get(number).is_some_and(|made| made.digest == **digest);
            let known = pc.branch.is_passed(*number) || pc.branch.is_lost(*number);
            let excused = pc.branch.damaged.contains(number) || self.is_taken_over(pc, *number);
            *number <= last && of_key(terminal) && !own && !known && !excused
        });
        match foreign {
            Some(((_, number), _)) => {
                let what = format!("{} does not say that {number} is of another life", pc.name);
                Err(Violation::new(P6, what))
            }
            None => Ok(()),
        }
    }

    /// Where a gap at the server says that there were two lives, the server says so to people.
    fn check_marks(&mut self) -> Checked {
        let tells = |event: &Event| event.supersedes.is_none() && is_rolled_back(event);
        let told = self.held.iter().filter(|((terminal, _), digest)| {
            let made = self.terminals.get(terminal).and_then(|lineage| self.made.get(*lineage)?.get(*digest));
            made.is_some_and(|made| tells(&made.event))
        });
        let terminals: BTreeSet<String> = told.map(|((terminal, _), _)| terminal.clone()).collect();
        for terminal in terminals {
            self.count("told of two lives");
            if !self.server.is_marked(&terminal).map_err(broken)? {
                return Err(Violation::new(P6, "two lives of one terminal, and it is not marked"));
            }
        }
        Ok(())
    }

    fn events_at_the_server(&self) -> Vec<Event> {
        let of = |((terminal, _), digest): (&(String, u64), &Digest)| {
            let lineage = self.terminals.get(terminal)?;
            self.made.get(*lineage)?.get(digest).map(|made| made.event.clone())
        };
        self.held.iter().filter_map(of).collect()
    }

    fn check_stay(&mut self, stay: &RealStay, events: &[Event]) -> Checked {
        if stay.excused.is_some() || self.is_unknowable(stay) {
            return Ok(());
        }
        let count = |kind: EventKind| {
            let (boot, session, logon, account) = &stay.key;
            let place = (format!("{boot} {session} {logon}"), account.clone(), kind.name());
            self.punched.get(&place).copied().unwrap_or(0)
        };
        let (logons, logoffs) = (count(EventKind::Logon), count(EventKind::Logoff));
        let (began, ended) = (stay.began, stay.ended);
        let what =
            || format!("stay {:?} from {began} to {ended:?}: {logons} logons, {logoffs} logoffs", stay.key);
        if logons == 0 && !stay.sighted {
            self.count("stay nobody told of");
            return if self.is_declared(stay, events) { Ok(()) } else { Err(Violation::new(P6, what())) };
        }
        let expected = u64::from(stay.ended.is_some());
        if (logons, logoffs) == (1, expected) { Ok(()) } else { Err(Violation::new(P3, what())) }
    }

    /// Stays of which no agent on a PC without logs can know: before it was ever started there, or in a run of
    /// the OS in which it was not started at all.
    fn is_unknowable(&self, stay: &RealStay) -> bool {
        let ended = stay.ended.unwrap_or(self.now);
        let began = self.served.get(&stay.pc).copied();
        began.is_none_or(|began| ended < began) || !self.served_boots.contains(&stay.key.0)
    }

    /// Whether all of it lies between what the PC last recorded and where it says that its clock has gone back since.
    /// No clock holds both ends of such an absence, so its bounds are no times of one clock: the order tells it.
    fn is_between_clocks(&self, stay: &RealStay, ended: i64) -> bool {
        let pc = &self.pcs[stay.pc];
        let has_gone_back = |event: &Event| {
            let said = event.cause.as_deref().is_some_and(|cause| cause.starts_with("behind_last_seen_ms:"));
            event.kind == EventKind::TimeChange && said
        };
        let mut before = None;
        pc.branch.promised.iter().any(|(number, made)| {
            let since = before.replace(made.recorded_at);
            has_gone_back(&made.event)
                && self.is_held(pc.lineage, *number, &made.digest)
                && since.is_some_and(|since| since <= stay.began)
                && ended <= made.recorded_at
        })
    }

    /// Whether the time of the stay is one in which the agent says that it may have missed something; or the
    /// stay was so short, and its notices so lost, that no list could show it.
    fn is_declared(&self, stay: &RealStay, events: &[Event]) -> bool {
        let ended = stay.ended.unwrap_or(self.now);
        if ended - stay.began <= 2 * NEAR_GAP_MS || self.is_between_clocks(stay, ended) {
            return true;
        }
        let offsets = self.pcs[stay.pc].clock.offsets_between(stay.began, self.now);
        let says_so = |event: &Event| event.kind == EventKind::Gap || event.evidence == Evidence::Inferred;
        events.iter().filter(|event| says_so(event)).filter_map(|event| event.bounds).any(|bounds| {
            offsets.iter().any(|offset| {
                bounds.not_before.0 - NEAR_GAP_MS <= stay.began.saturating_add(*offset)
                    && ended.saturating_add(*offset) <= bounds.not_after.0 + NEAR_GAP_MS
            })
        })
    }
}
