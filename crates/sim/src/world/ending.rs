//! The end: nothing stands in the way any more, so everything must come to where it belongs.

use mngntime_ledger::Digest;
use mngntime_model::{Event, EventKind, Evidence};

use super::checks::{P2, P3, P6, P8, in_words};
use super::pc::Power;
use super::stays::RealStay;
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
        let events = self.events_at_the_server();
        for stay in self.stays.clone() {
            self.check_stay(&stay, &events)?;
        }
        Ok(())
    }

    fn check_events_of(&mut self, index: usize) -> Checked {
        let pc = &self.pcs[index];
        let diverged = self.diverged.contains(&pc.lineage);
        if !diverged && !self.is_pc_quiet(pc) {
            let waiting = pc.service.as_ref().map(|service| service.core.waiting());
            return Err(Violation::new(LIVE, format!("{} still has {waiting:?} events", pc.name)));
        }
        let terminals: Vec<String> =
            self.terminals.iter().filter(|(_, its)| **its == pc.lineage).map(|(t, _)| t.clone()).collect();
        let mut refused = Vec::new();
        for (number, made) in &pc.branch.promised {
            if self.is_held(pc.lineage, *number, &made.digest) || pc.branch.damaged.contains(number) {
                continue;
            }
            if !diverged || !pc.branch.outstanding.contains(number) {
                let what =
                    format!("{}: {} is neither at the server nor waiting", pc.name, in_words(&made.event));
                return Err(Violation::new(P2, what));
            }
            refused.push(made.json.clone());
        }
        self.check_refused(index, &terminals, &refused)
    }

    /// **What a rolled-back or cloned disk may expect today**: nothing of it overwrites what the server holds,
    /// the terminal is marked, and what was refused still waits on the PC.
    ///
    /// Once such a PC takes a new identity by itself, the stronger promise belongs here: nothing is left
    /// waiting, and each event of each branch is at the server, under one terminal or the other.
    fn check_refused(&mut self, index: usize, terminals: &[String], refused: &[String]) -> Checked {
        if refused.is_empty() {
            return Ok(());
        }
        let numbers: Vec<u64> = self.pcs[index].branch.outstanding.iter().copied().collect();
        let taken = terminals.iter().find(|terminal| {
            numbers.iter().any(|number| self.held.contains_key(&((*terminal).clone(), *number)))
        });
        if let Some(terminal) = taken.cloned()
            && !self.server.is_in_conflict(&terminal).map_err(broken)?
        {
            return Err(Violation::new(P8, "two contents of one number, and the terminal is not marked"));
        }
        self.count("terminal in conflict");
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
        if stay.excused.is_some()
            || self.is_unknowable(stay)
            || self.diverged.contains(&self.pcs[stay.pc].lineage)
        {
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

    /// Whether the time of the stay is one in which the agent says that it may have missed something; or the
    /// stay was so short, and its notices so lost, that no list could show it.
    fn is_declared(&self, stay: &RealStay, events: &[Event]) -> bool {
        let ended = stay.ended.unwrap_or(self.now);
        if ended - stay.began <= 2 * NEAR_GAP_MS {
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
