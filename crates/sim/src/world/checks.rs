//! What must hold at every step. Each assertion names the promise it is about (windows.md, part B3).

use mngntime_agent::journal::KEEP_MS;
use mngntime_model::{Bounds, Declared, Event, EventKind, Evidence};

use super::branch::{Branch, Made};
use super::network::Flight;
use super::os::NOTICE_LATE_MS;
use super::stays::key_of;
use super::{Checked, Violation, World, broken};
use mngntime_ledger::Digest;
use mngntime_wire::EncodedEvent;

pub(super) const P1: &str = "P1 nothing is promised or sent before it is on the platter";
pub(super) const P2: &str = "P2 recorded = receipted + pending + recorded again + declared lost";
pub(super) const P3: &str = "P3 one stay has one logon and one logoff, and one number one content";
pub(super) const P4: &str = "P4 numbers have no holes but declared ones and are never used again";
pub(super) const P5: &str =
    "P5 no time is a point unless something happened at it, and bounds hold the truth";
pub(super) const P6: &str = "P6 what is missing is declared";
pub(super) const P7: &str = "P7 a damaged frame costs no other";
pub(super) const P8: &str = "P8 the server holds for ever, unchanged, what it gave a receipt for";

/// Two times of one thing may differ by this: the core takes less for no step of the clock.
const SAME_MS: i64 = 2_500;
/// Two beats: how long a step of the clock may go unseen.
const BEATS_MS: i64 = 60_000;
/// Every so many arrivals all that the server holds is read again.
const READ_ALL_EVERY: u64 = 64;

impl World<'_> {
    /// After every step.
    pub(super) fn check_step(&mut self) -> Checked {
        for index in 0..self.pcs.len() {
            self.look_at_journal(index)?;
        }
        Ok(())
    }

    // ---- on the PC -------------------------------------------------------------------------------

    /// The journal has just said that the event is stored.
    pub(super) fn promised(&mut self, index: usize, made: Made) -> Checked {
        let event = made.event.clone();
        let sequence = event.sequence;
        self.surface_up_to(index, sequence)?;
        let pc = &mut self.pcs[index];
        pc.branch.read_platter(&pc.disk);
        if !pc.branch.is_on_platter(&made.digest) {
            return Err(Violation::new(
                P1,
                format!("{} promises {sequence}, which a power cut takes", pc.name),
            ));
        }
        let before = pc.branch.promised.last_key_value().map_or(0, |(number, _)| *number);
        if sequence <= before {
            return Err(Violation::new(P4, format!("{} uses {sequence} again, after {before}", pc.name)));
        }
        let passed = event.declared().filter(|declared| !declared.gives_up()).map(Declared::range);
        let is_passed = |number: u64| passed.is_some_and(|(first, last)| (first..=last).contains(&number));
        let is_explained = |number: &u64| pc.branch.is_lost(*number) || is_passed(*number);
        if let Some(missing) = (before + 1..sequence).find(|number| !is_explained(number)) {
            let what = format!("{}: {missing} is missing before {sequence} and not declared", pc.name);
            return Err(Violation::new(P4, what));
        }
        self.report.events += 1;
        self.tell(index, &format!("  stores {sequence}: {}", in_words(&event)));
        self.note_promise(index, made)?;
        match event.declared() {
            Some(Declared::Unreadable { first, last }) => self.check_lost(index, first, last),
            Some(Declared::NotHeld { first, last }) => self.check_not_held(index, first, last),
            Some(Declared::EarlierEnrollment { .. }) => {
                let what =
                    format!("{} was never another terminal: {}", self.pcs[index].name, in_words(&event));
                Err(Violation::new(P6, what))
            }
            Some(Declared::RolledBack { .. }) | None => Ok(()),
        }
    }

    /// What follows from a promise, whether the journal has told it or it was found on the disk.
    fn note_promise(&mut self, index: usize, made: Made) -> Checked {
        let event = made.event.clone();
        let pc = &mut self.pcs[index];
        if let Some(before) = event.supersedes {
            let first = pc.branch.promised.get(&before);
            let same = first.is_some_and(|first| {
                Event { sequence: event.sequence, supersedes: event.supersedes, ..first.event.clone() }
                    == event
            });
            if !same {
                let what = format!("{}: {} is not what {before} was", pc.name, in_words(&event));
                return Err(Violation::new(P2, what));
            }
        }
        pc.branch.promise(made);
        match event.declared() {
            Some(Declared::Unreadable { first, last }) => drop(pc.branch.lost.insert((first, last))),
            Some(Declared::RolledBack { first, last, .. }) => drop(pc.branch.passed.insert((first, last))),
            Some(Declared::NotHeld { .. } | Declared::EarlierEnrollment { .. }) | None => {}
        }
        if event.supersedes.is_some() {
            self.count("recorded again");
        }
        self.note_promised_stay(&event);
        Ok(())
    }

    /// What the journal has deleted: nothing that has no receipt, and nothing that is not old by a clock that
    /// the PC has had since.
    pub(super) fn note_pruned(&mut self, index: usize) {
        let now = self.now;
        let pc = &mut self.pcs[index];
        pc.branch.read_platter(&pc.disk);
        let Branch { promised, outstanding, pruned, .. } = &pc.branch;
        let is_gone = |(number, made): &(&u64, &Made)| {
            !pc.branch.is_on_platter(&made.digest)
                && !outstanding.contains(number)
                && !pruned.contains(number)
        };
        let is_old = |made: &Made| {
            let offsets = pc.clock.offsets_between(made.recorded_at, now);
            let latest = offsets.into_iter().max().unwrap_or_default().saturating_add(now);
            made.event.recorded_at.wall.0.saturating_add(KEEP_MS) < latest
        };
        let gone = promised.iter().filter(is_gone).filter(|(_, made)| is_old(made));
        let gone: Vec<u64> = gone.map(|(number, _)| *number).collect();
        pc.branch.pruned.extend(gone);
    }

    /// Only what the PC really has no more, through no fault of its own, may be said not to be held.
    fn check_not_held(&mut self, index: usize, first: u64, last: u64) -> Checked {
        self.count("not held declared");
        let branch = &self.pcs[index].branch;
        let mut promised = branch.promised.range(first..=last).map(|(number, _)| *number);
        match promised.find(|number| !branch.is_given_up(*number)) {
            Some(number) => {
                let what = format!("{} declares {number} not held, and holds it", self.pcs[index].name);
                Err(Violation::new(P7, what))
            }
            None => Ok(()),
        }
    }

    /// Numbers that the server is known to hold are used by nobody else any more.
    pub(super) fn check_number_is_free(&self, index: usize, event: &Event) -> Checked {
        let pc = &self.pcs[index];
        let known = pc.service.as_ref().map_or(0, |service| service.head_told);
        if event.sequence > known {
            return Ok(());
        }
        let what = format!("{} uses {} and knows that the server has {known}", pc.name, event.sequence);
        Err(Violation::new(P4, what))
    }

    /// What the journal declares at its opening not to be able to read.
    pub(super) fn lost_at_start(&mut self, index: usize, lost: &[(u64, u64)]) -> Checked {
        for (first, last) in lost {
            self.count("loss declared");
            self.pcs[index].branch.lost.insert((*first, *last));
            self.check_lost(index, *first, *last)?;
        }
        Ok(())
    }

    /// Only what the disk has spoilt may be declared lost.
    fn check_lost(&mut self, index: usize, first: u64, last: u64) -> Checked {
        let branch = &self.pcs[index].branch;
        let mut promised = branch.promised.range(first..=last).map(|(number, _)| *number);
        match promised.find(|number| !branch.damaged.contains(number)) {
            Some(number) => {
                let what =
                    format!("{} declares {number} lost, which is on the platter", self.pcs[index].name);
                Err(Violation::new(P7, what))
            }
            None => Ok(()),
        }
    }

    /// Promised bytes do not vanish from the platter, but by a fault that changes synced bytes.
    pub(super) fn look_at_platter(&mut self, index: usize) -> Checked {
        let pc = &mut self.pcs[index];
        let gone = pc.branch.read_platter(&pc.disk);
        let missed = gone.iter().find(|number| pc.branch.outstanding.contains(number));
        match missed.filter(|number| !pc.branch.damaged.contains(number)) {
            Some(number) => {
                Err(Violation::new(P1, format!("{}: {number} was promised and is gone", pc.name)))
            }
            None => Ok(()),
        }
    }

    /// Conservation: what is outstanding is what the journal still holds.
    pub(super) fn look_at_journal(&mut self, index: usize) -> Checked {
        let pc = &mut self.pcs[index];
        let Some(service) = &pc.service else {
            return Ok(());
        };
        let pending: Vec<u64> = service.journal.pending().map(|event| event.sequence).collect();
        if pending.len() == pc.branch.outstanding.len()
            && pending.iter().all(|number| pc.branch.outstanding.contains(number))
        {
            return Ok(());
        }
        let unknown: Vec<u64> =
            pending.iter().copied().filter(|number| !pc.branch.outstanding.contains(number)).collect();
        for number in unknown {
            self.surfaced(index, number)?;
        }
        // Only now: what was recorded again by one of these is not outstanding any more.
        let outstanding = &self.pcs[index].branch.outstanding;
        let released: Vec<u64> =
            outstanding.iter().copied().filter(|number| !pending.contains(number)).collect();
        for number in released {
            self.let_go(index, number)?;
        }
        Ok(())
    }

    /// What an earlier run left on the disk becomes a promise once a later event builds on it.
    fn surface_up_to(&mut self, index: usize, below: u64) -> Checked {
        let pc = &self.pcs[index];
        let Some(service) = &pc.service else {
            return Ok(());
        };
        let numbers = service.journal.pending().map(|event| event.sequence);
        let unknown: Vec<u64> =
            numbers.filter(|n| *n < below && !pc.branch.outstanding.contains(n)).collect();
        unknown.into_iter().try_for_each(|number| self.surfaced(index, number))
    }

    /// The journal holds an event that it has not promised: one whose storing was cut off, or one whose receipt
    /// was lost.
    fn surfaced(&mut self, index: usize, number: u64) -> Checked {
        let pc = &mut self.pcs[index];
        let read = pc.service.as_ref().map(|service| service.journal.read(number));
        let Some(Ok(json)) = read else {
            return Ok(());
        };
        let digest = Digest::of(json.as_bytes());
        if pc.branch.promised.get(&number).is_some_and(|made| made.digest == digest) {
            pc.branch.outstanding.insert(number);
            return Ok(());
        }
        let Some(made) = pc.branch.attempted.get(&digest).cloned() else {
            return Err(Violation::new(P2, format!("{} holds {number}, which nobody made", pc.name)));
        };
        self.tell(index, &format!("  {number} had reached the disk: {}", in_words(&made.event)));
        self.note_promise(index, made)
    }

    /// The journal does not hold an outstanding event any more: it is at the server, or declared lost.
    fn let_go(&mut self, index: usize, number: u64) -> Checked {
        let pc = &self.pcs[index];
        let made = pc.branch.promised.get(&number);
        let delivered = made.is_some_and(|made| self.was_held(pc.lineage, number, &made.digest));
        let lost = pc.branch.is_lost(number) && pc.branch.damaged.contains(&number);
        if !delivered && !lost {
            let what = format!("{} has lost {number}: not pending, not at the server, not declared", pc.name);
            return Err(Violation::new(P2, what));
        }
        self.pcs[index].branch.outstanding.remove(&number);
        Ok(())
    }

    /// Whether the server holds these bytes under this number, for a terminal of that key.
    pub(super) fn is_held(&self, lineage: usize, number: u64, digest: &Digest) -> bool {
        let mine = self.terminals.iter().filter(|(_, its)| **its == lineage);
        mine.into_iter().any(|(terminal, _)| self.held.get(&(terminal.clone(), number)) == Some(digest))
    }

    /// Whether it has ever held them: a server that is put back forgets what it gave a receipt for.
    fn was_held(&self, lineage: usize, number: u64, digest: &Digest) -> bool {
        let mine = self.terminals.iter().filter(|(_, its)| **its == lineage);
        mine.into_iter().any(|(terminal, _)| self.ever_held.contains(&(terminal.clone(), number, *digest)))
    }

    /// What is about to leave the PC is on the platter.
    pub(super) fn check_sendable(&mut self, index: usize, events: &[(u64, String)]) -> Checked {
        let pc = &mut self.pcs[index];
        pc.branch.read_platter(&pc.disk);
        for (number, json) in events {
            // Of a spoilt frame only the payload has been read back, and is as it was written.
            if !pc.branch.damaged.contains(number) && !pc.branch.is_on_platter(&Digest::of(json.as_bytes())) {
                let what = format!("{} sends {number}, which a power cut takes", pc.name);
                return Err(Violation::new(P1, what));
            }
        }
        Ok(())
    }

    /// A receipt that counts is about what the server holds.
    pub(super) fn check_receipted(&mut self, index: usize, numbers: &[u64]) -> Checked {
        let pc = &self.pcs[index];
        let terminal = pc.service.as_ref().and_then(|service| service.journal.enrollment());
        let Some(terminal) = terminal.map(|enrollment| enrollment.terminal.clone()) else {
            return Ok(());
        };
        for number in numbers {
            let made = pc.branch.promised.get(number).map(|made| made.digest);
            let is_there = |digest| self.ever_held.contains(&(terminal.clone(), *number, digest));
            if !made.is_some_and(is_there) {
                let what = format!("{} lets go of {number}, which the server does not hold", pc.name);
                return Err(Violation::new(P8, what));
            }
        }
        Ok(())
    }

    // ---- at the server ---------------------------------------------------------------------------

    /// After each arrival: the numbers that it was about, and from time to time everything.
    pub(super) fn check_server(&mut self, flight: &Flight) -> Checked {
        if let Some((first, last)) = flight.numbers {
            let lineage = self.pcs[flight.pc].lineage;
            let mine = |(_, its): &(&String, &usize)| **its == lineage;
            let terminals: Vec<String> =
                self.terminals.iter().filter(mine).map(|(terminal, _)| terminal.clone()).collect();
            for terminal in terminals {
                self.compare(&terminal, first, last)?;
            }
        }
        if self.arrivals.is_multiple_of(READ_ALL_EVERY) { self.read_all() } else { Ok(()) }
    }

    /// Compares everything that the server holds with everything that it is known to hold.
    pub(super) fn read_all(&mut self) -> Checked {
        let terminals: Vec<String> = self.terminals.keys().cloned().collect();
        for terminal in terminals {
            self.compare(&terminal, 1, u64::from(u32::MAX))?;
        }
        Ok(())
    }

    fn compare(&mut self, terminal: &str, first: u64, last: u64) -> Checked {
        let stored = self.server.stored(terminal, first, last).map_err(broken)?;
        let known: Vec<(u64, Digest)> = self
            .held
            .range((terminal.to_owned(), first)..=(terminal.to_owned(), last))
            .map(|((_, number), digest)| (*number, *digest))
            .collect();
        for (number, digest) in known {
            let now =
                stored.iter().find(|(its, _)| *its == number).map(|(_, json)| Digest::of(json.as_bytes()));
            if now != Some(digest) {
                return Err(Violation::new(P8, format!("the server held {number} and now holds {now:?}")));
            }
        }
        for (number, json) in stored {
            let digest = Digest::of(json.as_bytes());
            if self.held.insert((terminal.to_owned(), number), digest).is_none() {
                self.ever_held.insert((terminal.to_owned(), number, digest));
                self.newly_held(terminal, number, digest)?;
            }
        }
        Ok(())
    }

    /// The server holds an event for the first time.
    fn newly_held(&mut self, terminal: &str, number: u64, digest: Digest) -> Checked {
        let lineage = self.terminals.get(terminal).copied().unwrap_or(usize::MAX);
        let Some(made) = self.made.get(lineage).and_then(|made| made.get(&digest)).cloned() else {
            return Err(Violation::new(P8, format!("the server holds {number}, which nobody made")));
        };
        if made.event.sequence != number {
            return Err(Violation::new(P8, format!("the server holds {} as {number}", made.event.sequence)));
        }
        self.check_fact_is_new(lineage, &made.event)?;
        self.check_truth(&made)
    }

    /// An event and the one that it was recorded again as are one fact: the server never holds both. A spoilt
    /// disk is the exception: it may have forgotten that it had recorded something again.
    fn check_fact_is_new(&mut self, lineage: usize, event: &Event) -> Checked {
        let first = Event { sequence: 1, supersedes: None, ..event.clone() };
        let fact = EncodedEvent::encode(first, Digest::GENESIS).map_err(broken)?.digest;
        let Some(other) = self.facts.insert((lineage, fact), event.sequence) else {
            return Ok(());
        };
        let spoilt = self.pcs.iter().any(|pc| pc.lineage == lineage && !pc.branch.damaged.is_empty());
        if spoilt || !event.kind.is_punch() {
            return Ok(());
        }
        let what = format!("the server holds {other} and the same again: {}", in_words(event));
        Err(Violation::new(P3, what))
    }

    // ---- an event against the truth --------------------------------------------------------------

    fn check_truth(&mut self, made: &Made) -> Checked {
        let event = &made.event;
        if !event.kind.is_punch() {
            return Ok(());
        }
        let Some(key) = key_of(event) else {
            return Err(Violation::new(P5, format!("a punch of nobody: {}", in_words(event))));
        };
        let Some(stay) = self.stays.iter().find(|stay| stay.key == key).cloned() else {
            return Err(Violation::new(P5, format!("a punch of a stay that never was: {}", in_words(event))));
        };
        let (boot, session, logon, account) = key;
        let punched = (format!("{boot} {session} {logon}"), account, event.kind.name());
        let times = self.punched.entry(punched).or_default();
        *times += 1;
        if *times > 1 && stay.excused.is_none() {
            return Err(Violation::new(P3, format!("a second one: {}", in_words(event))));
        }
        let happened = if event.kind == EventKind::Logon { Some(stay.began) } else { stay.ended };
        let Some(happened) = happened else {
            let what = format!("the stay goes on: {}", in_words(event));
            return if stay.excused.is_some() { Ok(()) } else { Err(Violation::new(P5, what)) };
        };
        if stay.excused.is_some() || self.is_true(stay.pc, event, happened, made.recorded_at) {
            return Ok(());
        }
        let off = self.pcs[stay.pc].clock.offsets_between(happened, made.recorded_at);
        let what = format!("{} at true {happened}, clocks off by {off:?}", in_words(event));
        Err(Violation::new(P5, what))
    }

    /// Whether the event tells what happened at that true time, by one of the clocks in force since.
    fn is_true(&self, index: usize, event: &Event, happened: i64, recorded_at: i64) -> bool {
        let clock = &self.pcs[index].clock;
        let Some(Bounds { not_before, not_after }) = event.bounds else {
            let needs_bounds = matches!(event.evidence, Evidence::Inferred)
                || (event.kind == EventKind::Logoff && event.evidence == Evidence::Reconciled);
            let latest = happened + NOTICE_LATE_MS + SAME_MS;
            let offsets = clock.offsets_between(happened, recorded_at.min(latest));
            let is_then = |offset: &i64| {
                (happened - SAME_MS..=latest).contains(&(event.occurred_at.0.saturating_sub(*offset)))
            };
            return !needs_bounds && offsets.iter().any(is_then);
        };
        // Two clocks that contradict each other, and an agent that may not have been there at the end: these bounds
        // say themselves that they do not hold.
        if event.cause.as_deref() == Some("clock_unreliable") {
            return event.evidence == Evidence::Inferred && not_before < not_after;
        }
        // An OS that does not say when a session began may tell of it late.
        let late = if self.pcs[index].telling.logon_at { 0 } else { NOTICE_LATE_MS };
        let holds = |offset: i64| {
            (not_before.0 - SAME_MS - late..=not_after.0 + SAME_MS).contains(&happened.saturating_add(offset))
        };
        // A step that nobody told and no beat saw, just before the end: the bounds are by the clock before it.
        clock.offsets_between(happened - BEATS_MS, recorded_at).into_iter().any(holds)
    }
}

pub(super) fn is_rolled_back(event: &Event) -> bool {
    matches!(event.declared(), Some(Declared::RolledBack { .. }))
}

pub(super) fn in_words(event: &Event) -> String {
    let Event { sequence, kind, evidence, occurred_at, .. } = event;
    let bounds =
        event.bounds.map_or(String::new(), |b| format!(" in [{}, {}]", b.not_before.0, b.not_after.0));
    let session = event.session.as_ref().map_or(String::new(), |s| format!(" session {}", s.session_id));
    let cause = event.cause.as_ref().map_or(String::new(), |cause| format!(" ({cause})"));
    let who = event.account.as_ref().map_or(String::new(), |account| format!(" of {}", account.name));
    let again = event.supersedes.map_or(String::new(), |before| format!(", which was {before}"));
    format!(
        "{sequence} {} {} at {}{bounds}{who}{session}{cause}{again}",
        kind.name(),
        evidence.name(),
        occurred_at.0
    )
}
