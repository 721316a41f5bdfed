//! Worlds: one seed drives PCs, their disks, clocks and people, the network and a server, and a checker that
//! knows the truth looks on after every step.
//!
//! Real: the core, the journal, the making of batches, the judging of answers, and whatever [`ServerSide`] is
//! wired up (the tests wire up the whole server). Made up from the seed: the operating system
//! ([`script`]: situations of table A, in any mixture), the disk ([`disk`]: crashes at every operation, torn,
//! lost and reordered writes, failed syncs, no room, flipped bits, snapshots, clones), the network
//! ([`network`]: lost, doubled, late and lying) and the clocks. There is no other source of time or chance, so
//! a seed gives the same story to the last line.
//!
//! What is asserted, and where: on the way of each event [`service`] (P1: on the platter before it is promised
//! or sent), after each step [`checks`] (conservation, numbers without holes, server against truth), at the end
//! [`ending`] (every event and every stay is accounted for). A violation ends the world with the seed, the step
//! and the story so far.

mod branch;
mod checks;
mod clock;
pub mod crash_points;
mod disk;
mod ending;
mod happenings;
mod network;
mod os;
mod pc;
mod script;
mod server;
mod service;
mod stays;
mod story;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use mngntime_agent_core::Input;
use mngntime_ledger::Digest;

use crate::random::Chance;
use branch::Made;
use network::Flight;
use pc::{Pc, Power};
use script::Act;
pub use server::{ServerSide, Site};
use stays::RealStay;
use story::Story;

/// Monday 2026-11-16, 06:00 in Tokyo.
const BEGAN: i64 = 1_794_776_400_000;
/// Simulated time in which everything must have been delivered once nothing stands in the way any more. The
/// slow lane is tried every quarter of an hour.
const QUIET_WITHIN_MS: i64 = 3 * 3_600_000;
/// A clock is doubted for ten minutes before anything is concluded.
const SETTLED_MS: i64 = 900_000;
/// What is counted and follows from faults.
const CONSEQUENCES: [&str; 7] = [
    "loss declared",
    "stay nobody told of",
    "recorded again",
    "not held declared",
    "told of two lives",
    "gone from a server that was put back",
    "unstored at the end",
];
/// Far more steps than any world takes: a world that never ends is a fault, too.
const STEPS_MAX: u64 = 3_000_000;

/// What kinds of worlds are played.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Most PCs at the beginning.
    pub pcs_max: u32,
    /// Most happenings for each PC.
    pub happenings_max: u32,
    /// Whether disks are rolled back to a snapshot.
    pub roll_back: bool,
    /// Whether disks are cloned, both copies in use.
    pub clone: bool,
    /// Whether synced bytes are flipped.
    pub flips: bool,
    /// Whether the server is put back to an older copy of its database.
    pub put_back: bool,
}

impl Plan {
    /// Worlds of a second or less.
    #[must_use]
    pub fn short() -> Self {
        Self { pcs_max: 2, happenings_max: 24, roll_back: true, clone: true, flips: true, put_back: true }
    }

    /// Worlds of several PCs and many days.
    #[must_use]
    pub fn long() -> Self {
        Self { pcs_max: 4, happenings_max: 90, ..Self::short() }
    }
}

/// What a world without a violation did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Digest of all lines of the story.
    pub digest: Option<Digest>,
    /// Steps.
    pub steps: u64,
    /// Simulated milliseconds, all terminals together.
    pub terminal_ms: u64,
    /// Events that journals promised.
    pub events: u64,
    /// Stays of people.
    pub stays: u64,
    /// Disk operations.
    pub disk_operations: u64,
    /// How often each kind of happening and fault occurred.
    pub counts: BTreeMap<&'static str, u64>,
}

impl Report {
    /// Ends of a process or a PC that nobody ordered.
    #[must_use]
    pub fn crashes(&self) -> u64 {
        ["power cut", "process killed"].iter().filter_map(|what| self.counts.get(what)).sum()
    }

    /// Faults of disks, processes, notices, the network and the server. The situations of table A count extra.
    #[must_use]
    pub fn faults(&self) -> u64 {
        let is_fault = |what: &str| !what.starts_with("row ") && !CONSEQUENCES.contains(&what);
        self.counts.iter().filter(|(what, _)| is_fault(what)).map(|(_, count)| count).sum()
    }
}

/// An assertion that did not hold.
#[derive(Debug, Clone)]
pub(crate) struct Violation {
    assertion: &'static str,
    detail: String,
}

/// Result of one step.
pub(crate) type Checked<T = ()> = Result<T, Violation>;

impl Violation {
    fn new(assertion: &'static str, detail: impl Into<String>) -> Self {
        Self { assertion, detail: detail.into() }
    }
}

/// The simulation itself could not go on.
fn broken(error: impl fmt::Display) -> Violation {
    Violation::new("the simulation works", error.to_string())
}

/// A world that went wrong, with everything needed to play it again.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Play this again.
    pub seed: u64,
    /// Where it went wrong.
    pub step: u64,
    /// What did not hold.
    pub assertion: &'static str,
    /// In particular.
    pub detail: String,
    /// The last lines of the story, oldest first.
    pub story: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, step, assertion, detail, .. } = self;
        write!(f, "seed {seed}, step {step}: violated: {assertion}: {detail}")
    }
}

impl std::error::Error for Failure {}

/// Something that is due.
enum Due {
    Act(usize, Act),
    /// What happens next to this PC is to be chosen.
    Choose(usize),
    /// For this run of the service.
    Notice(usize, u64, Box<Input>),
    StartService(usize),
    Arrival(Flight),
    Answer(network::Delivery),
}

/// What is known of a copy of the server's database.
#[derive(Debug, Clone)]
struct Copied {
    held: BTreeMap<(String, u64), Digest>,
    punched: BTreeMap<(String, String, &'static str), u64>,
    facts: BTreeMap<(usize, Digest), u64>,
}

/// Everything there is.
pub(crate) struct World<'a> {
    now: i64,
    plan: &'a Plan,
    chance: Chance,
    pcs: Vec<Pc>,
    server: &'a mut dyn ServerSide,
    site: Site,
    server_up: bool,
    stays: Vec<RealStay>,
    due: BTreeMap<(i64, u64), Due>,
    scheduled: u64,
    story: Story,
    report: Report,
    /// Everything that any journal of a key was asked to store.
    made: Vec<BTreeMap<Digest, Made>>,
    /// Keys that two disks use, or a disk that was rolled back.
    diverged: BTreeSet<usize>,
    /// What the server is known to hold: terminal and number.
    held: BTreeMap<(String, u64), Digest>,
    /// What it has ever held: before it was put back to an older copy, too.
    ever_held: BTreeSet<(String, u64, Digest)>,
    terminals: BTreeMap<String, usize>,
    punched: BTreeMap<(String, String, &'static str), u64>,
    /// What the server holds, without its number: by key and digest.
    facts: BTreeMap<(usize, Digest), u64>,
    /// What it held when its database was copied.
    copied: Option<Copied>,
    was_put_back: bool,
    arrivals: u64,
    /// When the service first ran on each PC, and the runs of the OS in which it did.
    served: BTreeMap<usize, i64>,
    served_boots: BTreeSet<String>,
    /// Nothing goes wrong any more.
    healed: bool,
}

/// Plays the world of a seed to its end.
///
/// # Errors
/// The first violation.
pub fn play(seed: u64, plan: &Plan, server: &mut dyn ServerSide) -> Result<Report, Box<Failure>> {
    let site = server.site();
    let mut world = World::new(seed, plan, server, site);
    let played = world.fill().and_then(|()| world.run());
    let World { story, mut report, .. } = world;
    match played {
        Ok(()) => {
            report.digest = Some(story.digest());
            Ok(report)
        }
        Err(Violation { assertion, detail }) => {
            let step = story.step;
            Err(Box::new(Failure { seed, step, assertion, detail, story: story.into_lines() }))
        }
    }
}

impl<'a> World<'a> {
    fn new(seed: u64, plan: &'a Plan, server: &'a mut dyn ServerSide, site: Site) -> Self {
        Self {
            now: BEGAN,
            plan,
            chance: Chance::new(seed, 0x0077_061d),
            pcs: Vec::new(),
            server,
            site,
            server_up: true,
            stays: Vec::new(),
            due: BTreeMap::new(),
            scheduled: 0,
            story: Story::new(BEGAN),
            report: Report::default(),
            made: Vec::new(),
            diverged: BTreeSet::new(),
            held: BTreeMap::new(),
            ever_held: BTreeSet::new(),
            facts: BTreeMap::new(),
            copied: None,
            was_put_back: false,
            terminals: BTreeMap::new(),
            punched: BTreeMap::new(),
            arrivals: 0,
            served: BTreeMap::new(),
            served_boots: BTreeSet::new(),
            healed: false,
        }
    }

    fn fill(&mut self) -> Checked {
        let count = 1 + self.chance.index(self.plan.pcs_max as usize).unwrap_or(0);
        for number in 0..count {
            let mut pc = Pc::new(number, number, &mut self.chance).map_err(broken)?;
            let most = i64::from(self.plan.happenings_max);
            pc.happenings_left = u32::try_from(self.chance.between(most / 3, most)).unwrap_or(1);
            self.pcs.push(pc);
            self.made.push(BTreeMap::new());
            self.schedule(1000, Due::Choose(number));
        }
        // A copy that knows no terminal yet.
        if self.chance.percent(40) { self.copy_server() } else { Ok(()) }
    }

    /// Happenings first; then nothing goes wrong any more, and everything must come to rest.
    fn run(&mut self) -> Checked {
        while self.pcs.iter().any(|pc| pc.happenings_left > 0) || !self.due.is_empty() {
            self.step()?;
        }
        self.heal()?;
        let until = self.now + QUIET_WITHIN_MS;
        while self.now < until && (!self.is_quiet() || self.now < until - QUIET_WITHIN_MS + SETTLED_MS) {
            self.step()?;
        }
        self.check_the_end()?;
        self.count_up();
        Ok(())
    }

    fn count_up(&mut self) {
        let milliseconds = u64::try_from(self.now - BEGAN).unwrap_or(0);
        self.report.steps = self.story.step;
        self.report.terminal_ms = milliseconds * self.pcs.len() as u64;
        self.report.stays = self.stays.len() as u64;
        self.report.disk_operations = self.pcs.iter().map(|pc| pc.disk.operations()).sum();
    }

    fn schedule(&mut self, after_ms: i64, due: Due) {
        self.scheduled += 1;
        self.due.insert((self.now + after_ms.max(0), self.scheduled), due);
    }

    /// The next thing that is due, a thing or a wake-up of a service; then everything is checked.
    fn step(&mut self) -> Checked {
        self.story.step += 1;
        if self.story.step > STEPS_MAX {
            return Err(Violation::new("a world ends", format!("{STEPS_MAX} steps")));
        }
        let wakeup = self.next_wakeup();
        let thing = self.due.first_key_value().map(|((at, _), _)| *at);
        match (thing, wakeup) {
            (Some(at), wakeup) if wakeup.is_none_or(|(wake, _)| at <= wake) => {
                self.now = self.now.max(at);
                if let Some((_, due)) = self.due.pop_first() {
                    self.happen(due)?;
                }
            }
            (_, Some((at, pc))) => {
                self.now = self.now.max(at);
                self.tick(pc)?;
            }
            (_, None) => self.now += 60_000,
        }
        self.check_step()
    }

    fn happen(&mut self, due: Due) -> Checked {
        match due {
            Due::Act(pc, act) => self.act(pc, act),
            Due::Choose(pc) => self.choose(pc),
            Due::Notice(pc, run, input) => self.notice_arrives(pc, run, *input),
            Due::StartService(pc) => self.start_service(pc),
            Due::Arrival(flight) => self.arrive(flight),
            Due::Answer(delivery) => self.answer(delivery),
        }
    }

    fn next_wakeup(&self) -> Option<(i64, usize)> {
        let awake = self.pcs.iter().enumerate().filter(|(_, pc)| pc.is_awake());
        let wakeup = |(index, pc): (usize, &Pc)| {
            let at = pc.clock.at(pc.service.as_ref()?.core.next_wakeup());
            Some((at.max(self.now + 1), index))
        };
        awake.filter_map(wakeup).min()
    }

    fn tell(&mut self, pc: usize, what: &str) {
        let who = self.pcs.get(pc).map_or("server", |pc| pc.name.as_str());
        self.story.tell(self.now, who, what);
    }

    fn count(&mut self, what: &'static str) {
        *self.report.counts.entry(what).or_default() += 1;
    }

    fn is_quiet(&self) -> bool {
        self.due.is_empty() && self.pcs.iter().all(|pc| self.is_pc_quiet(pc))
    }

    fn is_pc_quiet(&self, pc: &Pc) -> bool {
        let Some(service) = pc.service.as_ref().filter(|_| pc.power == Power::On) else {
            return false;
        };
        if service.core.waiting() == 0 {
            // What a server that was put back has lost waits nowhere until it is found out.
            return !self.was_put_back || self.not_there(pc).is_none();
        }
        // A copy with another make-up may not punch until somebody lets it: its events are at the server, and
        // wait for that.
        self.diverged.contains(&pc.lineage) && self.not_there(pc).is_none()
    }

    /// **Where the promise ends**: of two lives of one identity, one had a receipt for this event; the server was
    /// put back to before it, and the other life took the number before the first was heard again. No receipt
    /// tells the first of it. The event stays in its journal.
    fn is_taken_over(&self, pc: &Pc, number: u64) -> bool {
        let of_key = |terminal: &String| self.terminals.get(terminal) == Some(&pc.lineage);
        let is_taken = || self.held.keys().any(|(terminal, its)| *its == number && of_key(terminal));
        let receipted =
            !pc.branch.outstanding.contains(&number) && !pc.branch.superseded.contains_key(&number);
        self.was_put_back && self.diverged.contains(&pc.lineage) && receipted && is_taken()
    }

    /// The first event that the PC answers for and the server does not hold.
    fn not_there(&self, pc: &Pc) -> Option<u64> {
        let is_there = |(number, made): &(&u64, &branch::Made)| {
            self.is_held(pc.lineage, **number, &made.digest)
                || pc.branch.is_given_up(**number)
                || self.is_taken_over(pc, **number)
        };
        pc.branch.promised.iter().find(|event| !is_there(event)).map(|(number, _)| *number)
    }
}
