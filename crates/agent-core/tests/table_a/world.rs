//! A PC for the scripts of table A: the real core, an ideal disk that survives power cuts, a server, clocks
//! that obey. Times are given as a day and a time of day; what was recorded reads back as lines.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use mngntime_agent_core::input::{
    Answer, AnswerItem, EnrollOutcome, OsFact, OsSession, SendOutcome, ServerWishes, SessionChange,
};
use mngntime_agent_core::{
    Agent, Command, Input, LastSeen, Mode, PendingEvent, Recovered, Settings, Stay, Stays,
};
use mngntime_model::{
    AccountIdentity, BootId, Declared, Event, EventKind, Evidence, FailureCause, Moment, PunchResult,
    UtcMillis,
};

/// Midnight before day 0, in Tokyo.
const DAY_0_MS: i64 = 1_763_996_400_000;
const DAY_MS: i64 = 86_400_000;

/// What the server does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// Takes and answers.
    Well,
    /// There is no way to it.
    Unreachable,
    /// Answers 503 and wishes to be left alone for this many seconds.
    Busy(u32),
    /// Stores everything, but its answers get lost.
    AnswersLost,
    /// Answers with this result for punches.
    Says(PunchResult),
}

/// The PC with everything that outlives a power cut.
pub struct Pc {
    core: Option<Agent>,
    pub server: Server,
    /// Commands that are still performed before the power goes; `None`: all.
    pub budget: Option<usize>,
    now_ms: i64,
    /// Wall clock less the true time.
    pub clock_error_ms: i64,
    pub offset_seconds: i32,
    booted_ms: i64,
    slept_ms: i64,
    boots: u32,
    list: Vec<OsSession>,
    logons: u64,
    pub journal: Vec<Event>,
    /// Numbers of the events whose record has been looked at.
    told: usize,
    acknowledged: Vec<u64>,
    heartbeat: Option<LastSeen>,
    ended_in_order: bool,
    enrolled: bool,
    /// What the server holds. The first bytes under a number stay.
    pub held: BTreeMap<u64, Event>,
    /// What the server was sent: number, and how often.
    pub received: BTreeMap<u64, Vec<(String, bool)>>,
    pub batches: Vec<Vec<u64>>,
    pub notices: Vec<String>,
    pub other: Vec<Command>,
    pub disk_full: bool,
}

/// What is on the disk of a PC.
#[derive(Debug, Clone)]
pub struct Image {
    journal: Vec<Event>,
    acknowledged: Vec<u64>,
    heartbeat: Option<LastSeen>,
    ended_in_order: bool,
}

impl Image {
    /// Highest number in it.
    pub fn last_number(&self) -> u64 {
        self.journal.last().map_or(0, |event| event.sequence)
    }
}

/// Milliseconds since midnight of day 0.
pub fn time(day: i64, clock: &str) -> i64 {
    let parts: Vec<i64> = clock.split(':').map(|part| part.parse().unwrap()).collect();
    day * DAY_MS + parts[0] * 3_600_000 + parts[1] * 60_000 + parts.get(2).unwrap_or(&0) * 1000
}

fn shown(wall: UtcMillis) -> String {
    let ms = wall.0 - DAY_0_MS;
    let (day, second) = (ms.div_euclid(DAY_MS), ms.rem_euclid(DAY_MS) / 1000);
    format!("{day} {:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

/// `1 08:58:00 logon hanako`, then what is not ordinary about it.
fn line(event: &Event) -> String {
    let mut line = match event.bounds {
        None => shown(event.occurred_at),
        Some(bounds) => format!("[{} – {}]", shown(bounds.not_before), shown(bounds.not_after)),
    };
    line += &format!(" {}", event.kind.name());
    if let Some(account) = &event.account {
        line += &format!(" {}", account.name);
    }
    if event.remote == Some(true) {
        line += &format!(" from {}", event.client.as_deref().unwrap_or("afar"));
    }
    if event.evidence != Evidence::Notice {
        line += &format!(" {}", event.evidence.name());
    }
    event.cause.iter().for_each(|cause| line += &format!(" ({cause})"));
    event.supersedes.iter().for_each(|number| line += &format!(" instead of {number}"));
    line
}

pub fn account(name: &str) -> AccountIdentity {
    let key = format!("S-1-5-21-1-2-3-{name}");
    AccountIdentity { key, domain: "EXAMPLE".into(), name: name.into(), upn: None }
}

impl Pc {
    /// A PC that is off. The agent has been installed and enrolled, nothing is recorded yet.
    pub fn new() -> Self {
        Self {
            core: None,
            server: Server::Well,
            budget: None,
            now_ms: 0,
            clock_error_ms: 0,
            offset_seconds: 32_400,
            booted_ms: 0,
            slept_ms: 0,
            boots: 0,
            list: vec![],
            logons: 0,
            journal: vec![],
            told: 0,
            acknowledged: vec![],
            heartbeat: None,
            ended_in_order: false,
            enrolled: true,
            held: BTreeMap::new(),
            received: BTreeMap::new(),
            batches: vec![],
            notices: vec![],
            other: vec![],
            disk_full: false,
        }
    }

    /// A PC that was started on day 1 at 08:50 and shows the logon screen.
    pub fn on() -> Self {
        let mut pc = Self::new();
        pc.boot(1, "08:50");
        pc.told();
        pc
    }

    /// The same, with 花子 logged on at 08:58.
    pub fn with_hanako() -> Self {
        let mut pc = Self::on();
        pc.at(1, "08:58").logs_on("hanako");
        pc.at(1, "09:10").told();
        pc
    }

    pub fn wall(&self) -> UtcMillis {
        UtcMillis(DAY_0_MS + self.now_ms + self.clock_error_ms)
    }

    fn moment(&self) -> Moment {
        let biased = self.now_ms - self.booted_ms;
        Moment {
            wall: self.wall(),
            offset_seconds: self.offset_seconds,
            biased_ms: u64::try_from(biased).unwrap(),
            unbiased_ms: u64::try_from(biased - self.slept_ms).unwrap(),
        }
    }

    /// Lets time pass; the agent gets every tick it asks for.
    pub fn at(&mut self, day: i64, clock: &str) -> &mut Self {
        let until = time(day, clock);
        assert!(until >= self.now_ms, "scripts go forward");
        while let Some(core) = &self.core {
            let wakeup = self.booted_ms.saturating_add(i64::try_from(core.next_wakeup()).unwrap());
            if wakeup > until {
                break;
            }
            self.now_ms = wakeup.max(self.now_ms + 1);
            self.give(Input::Tick);
        }
        self.now_ms = self.now_ms.max(until);
        self
    }

    /// Time passes and nothing runs: the PC sleeps.
    pub fn asleep_until(&mut self, day: i64, clock: &str) -> &mut Self {
        let before = self.now_ms;
        self.now_ms = time(day, clock);
        self.slept_ms += self.now_ms - before;
        self
    }

    /// Time passes and the agent is given none of it, though the PC does not count it as sleep.
    pub fn stalled_until(&mut self, day: i64, clock: &str) -> &mut Self {
        self.now_ms = time(day, clock);
        self
    }

    /// The system starts at the given time, the agent twenty seconds later.
    pub fn boot(&mut self, day: i64, clock: &str) -> &mut Self {
        self.now_ms = time(day, clock);
        self.booted_ms = self.now_ms;
        self.slept_ms = 0;
        self.boots += 1;
        self.list.clear();
        self.now_ms += 20_000;
        self.start_agent()
    }

    pub fn start_agent(&mut self) -> &mut Self {
        self.budget = None;
        let boot = BootId::new(&format!("b{}", self.boots)).unwrap();
        let settings = Settings { spread_ms: 0, ..Settings::new(u64::from(self.boots)) };
        self.core = Some(Agent::start(Mode::Watch, settings, self.recovered(), boot, self.moment()));
        self.ended_in_order = false;
        self.perform();
        self
    }

    /// What the journal tells: `mngntime_agent::journal` does the same from its frames.
    fn recovered(&self) -> Recovered {
        let mut stays = Stays::default();
        let new = |event: &&Event| event.supersedes.is_none();
        self.journal.iter().filter(new).for_each(|event| stays.apply(event));
        let superseded: BTreeSet<u64> = self.journal.iter().filter_map(|event| event.supersedes).collect();
        let alive = || self.journal.iter().filter(|event| !superseded.contains(&event.sequence));
        let unacknowledged = alive().filter(|event| !self.acknowledged.contains(&event.sequence));
        let kept = alive().filter(|event| self.acknowledged.contains(&event.sequence));
        let causes = self.journal.iter().filter_map(|event| event.cause.as_deref());
        let last = self.journal.iter().rfind(new);
        let last_event = last.map(|event| LastSeen { boot: event.boot.clone(), moment: event.recorded_at });
        let newer = |beat: &LastSeen| {
            last_event.as_ref().is_none_or(|event| {
                beat.boot == event.boot && beat.moment.biased_ms >= event.moment.biased_ms
            })
        };
        Recovered {
            last_sequence: self.journal.last().map_or(0, |event| event.sequence),
            kept: kept.map(|event| event.sequence).collect(),
            declared: causes.filter_map(Declared::parse).collect(),
            stays,
            pending: unacknowledged
                .map(|event| PendingEvent {
                    sequence: event.sequence,
                    kind: event.kind,
                    account: event.account.clone(),
                })
                .collect(),
            last_seen: self.heartbeat.clone().filter(newer).or(last_event.clone()),
            last_compared: self.heartbeat.clone(),
            ended_in_order: self.ended_in_order,
            enrolled: self.enrolled,
            display_name: None,
            recent: self.journal.clone(),
            ..Recovered::default()
        }
    }

    /// The power goes, the system crashes, or somebody leans on the button.
    pub fn power_cut(&mut self) -> &mut Self {
        self.core = None;
        self
    }

    /// The agent's process dies; the system goes on.
    pub fn agent_dies(&mut self) -> &mut Self {
        self.core = None;
        self
    }

    /// The disk is new: nothing of before is there.
    pub fn disk_is_wiped(&mut self) -> &mut Self {
        self.power_cut();
        let (boots, now_ms) = (self.boots, self.now_ms);
        *self = Self { boots, now_ms, enrolled: false, ..Self::new() };
        self
    }

    /// Everything in the journal.
    pub fn records(&self) -> &[Event] {
        &self.journal
    }

    /// Whether the agent runs.
    pub fn runs(&self) -> bool {
        self.core.is_some()
    }

    /// The oldest records are older than they are kept.
    pub fn journal_begins_after(&mut self, last: u64) {
        self.journal.retain(|event| event.sequence > last);
        self.acknowledged.retain(|sequence| *sequence > last);
        self.told = self.journal.len();
        self.give(Input::Pruned { last });
    }

    /// Another PC, off, with a copy of the disk.
    pub fn copy(&self) -> Self {
        let mut copy = Self { now_ms: self.now_ms, boots: self.boots + 100, ..Self::new() };
        copy.is_rolled_back_to(&self.image());
        copy
    }

    /// A copy of the disk as it is.
    pub fn image(&self) -> Image {
        Image {
            journal: self.journal.clone(),
            acknowledged: self.acknowledged.clone(),
            heartbeat: self.heartbeat.clone(),
            ended_in_order: self.ended_in_order,
        }
    }

    /// The PC is off and its disk is what it was.
    pub fn is_rolled_back_to(&mut self, image: &Image) -> &mut Self {
        self.power_cut();
        let Image { journal, acknowledged, heartbeat, ended_in_order } = image.clone();
        (self.told, self.journal) = (journal.len(), journal);
        (self.acknowledged, self.heartbeat, self.ended_in_order) = (acknowledged, heartbeat, ended_in_order);
        self
    }

    /// Announced shutdown, as the service hears it. Returns how long the agent took.
    pub fn shuts_down(&mut self) -> i64 {
        let began = self.now_ms;
        self.fact(OsFact::ShutdownAnnounced);
        self.give(Input::Stop { system_is_going_down: true });
        self.wait_for_end(began)
    }

    /// An administrator stops the service.
    pub fn service_stops(&mut self) -> i64 {
        let began = self.now_ms;
        self.give(Input::Stop { system_is_going_down: false });
        self.wait_for_end(began)
    }

    fn wait_for_end(&mut self, began: i64) -> i64 {
        while !self.other.contains(&Command::Finished) {
            assert!(self.now_ms < began + 10_000, "Windows would have killed the service");
            self.now_ms += 100;
            self.give(Input::Tick);
        }
        self.other.retain(|command| *command != Command::Finished);
        self.core = None;
        self.ended_in_order = true;
        self.now_ms - began
    }

    pub fn session(&mut self, name: &str) -> OsSession {
        self.logons += 1;
        let taken = |id: &String| self.list.iter().any(|session| session.session_id == *id);
        OsSession {
            session_id: (1..).map(|id: u32| id.to_string()).find(|id| !taken(id)).unwrap(),
            logon_identity: format!("luid:{:#x}", self.logons),
            account: account(name),
            logon_at: Some(self.wall()),
            remote: Some(false),
            client: None,
            locked: Some(false),
            input_seen: Some(true),
        }
    }

    pub fn logs_on(&mut self, name: &str) -> &mut Self {
        let session = self.session(name);
        self.begins(session)
    }

    /// The session is there, and its notice comes.
    pub fn begins(&mut self, session: OsSession) -> &mut Self {
        self.list.push(session.clone());
        self.notice_of(&session, SessionChange::Began)
    }

    /// The session is there, and nobody says so.
    pub fn appears(&mut self, session: OsSession) -> &mut Self {
        self.list.push(session);
        self
    }

    pub fn vanishes(&mut self, name: &str) -> OsSession {
        let place = self.list.iter().position(|session| session.account.name == name).unwrap();
        self.list.remove(place)
    }

    pub fn logs_off(&mut self, name: &str) -> &mut Self {
        let session = self.vanishes(name);
        self.notice(&session.session_id, SessionChange::Ended, None)
    }

    pub fn locks(&mut self, name: &str) -> &mut Self {
        self.changes(name, SessionChange::Locked, |session| session.locked = Some(true))
    }

    /// Who unlocks has typed.
    pub fn unlocks(&mut self, name: &str) -> &mut Self {
        self.changes(name, SessionChange::Unlocked, |session| {
            (session.locked, session.input_seen) = (Some(false), Some(true));
        })
    }

    pub fn changes(
        &mut self,
        name: &str,
        change: SessionChange,
        how: impl FnOnce(&mut OsSession),
    ) -> &mut Self {
        let session = self.list.iter_mut().find(|session| session.account.name == name).unwrap();
        how(session);
        let session = session.clone();
        self.notice_of(&session, change)
    }

    pub fn notice_of(&mut self, session: &OsSession, change: SessionChange) -> &mut Self {
        self.notice(&session.session_id.clone(), change, Some(session.clone()))
    }

    pub fn notice(&mut self, id: &str, change: SessionChange, found: Option<OsSession>) -> &mut Self {
        let session = found.map(Box::new);
        self.fact(OsFact::SessionNotice { session_id: id.into(), change, session })
    }

    pub fn fact(&mut self, fact: OsFact) -> &mut Self {
        self.give(Input::Os(fact))
    }

    pub fn give(&mut self, input: Input) -> &mut Self {
        let now = self.moment();
        if let Some(core) = &mut self.core {
            core.handle(input, now);
        }
        self.perform();
        self
    }

    fn perform(&mut self) {
        let mut answers = VecDeque::new();
        loop {
            while let Some(command) = self.core.as_mut().and_then(Agent::next_command) {
                match self.budget.as_mut() {
                    Some(0) => {
                        self.core = None;
                        return;
                    }
                    Some(left) => *left -= 1,
                    None => {}
                }
                answers.extend(self.command(command));
                if let Some(answer) = answers.pop_front() {
                    self.hear(answer);
                }
            }
            match answers.pop_front() {
                Some(answer) => self.hear(answer),
                None => return,
            }
        }
    }

    fn hear(&mut self, input: Input) {
        let now = self.moment();
        if let Some(core) = &mut self.core {
            core.handle(input, now);
        }
    }

    fn command(&mut self, command: Command) -> Option<Input> {
        match command {
            Command::Append(event) if self.disk_full => {
                return Some(Input::StoreFailed { sequence: event.sequence, detail: "disk full".into() });
            }
            Command::Append(event) => {
                let sequence = event.sequence;
                self.journal.push(*event);
                return Some(Input::Stored { sequence });
            }
            // The rows about the OS's logs are played beside the rule (`agent/back_fill/tests.rs`).
            Command::ReadLog(_) => return Some(Input::Os(OsFact::LogUnavailable)),
            Command::KeepLogPositions(_) | Command::NoteLogPositions => {}
            Command::ListSessions => return Some(Input::Os(OsFact::Sessions(self.list.clone()))),
            Command::Enroll => {
                self.enrolled = self.server == Server::Well;
                let display_name = "MINAGINE".to_owned();
                self.other.push(Command::Enroll);
                return Some(Input::Enrolled(EnrollOutcome::Done { display_name }));
            }
            Command::Send { events, .. } => return Some(Input::Sent(self.send(&events))),
            Command::Acknowledge { sequences } => self.acknowledged.extend(sequences),
            Command::Recall { sequences } => {
                let recalled = |event: &&Event| sequences.contains(&event.sequence);
                let events = self.journal.iter().filter(recalled).cloned().collect();
                return Some(Input::Recalled { events });
            }
            Command::Notice(message) => self.notices.push(message.text(mngntime_model::Language::Japanese)),
            Command::Heartbeat => {
                let boot = BootId::new(&format!("b{}", self.boots)).unwrap();
                self.heartbeat = Some(LastSeen { boot, moment: self.moment() });
            }
            Command::ReleaseSleep | Command::ReleaseShutdown | Command::Finished => self.other.push(command),
        }
        None
    }

    fn send(&mut self, events: &[(u64, bool)]) -> SendOutcome {
        let stored = |sequence: &u64| self.journal.iter().find(|event| event.sequence == *sequence).cloned();
        let batch: Vec<(Event, bool)> = events
            .iter()
            .map(|(sequence, resent)| {
                (stored(sequence).expect("nothing is sent before it is stored"), *resent)
            })
            .collect();
        self.batches.push(events.iter().map(|(sequence, _)| *sequence).collect());
        let failed = |cause, retry_after_seconds| SendOutcome::Failed { cause, retry_after_seconds };
        match self.server {
            Server::Unreachable => return failed(FailureCause::NotConnected, None),
            Server::Busy(seconds) => {
                return failed(FailureCause::ServerInternal { http_status: 503 }, Some(seconds));
            }
            Server::Well | Server::AnswersLost | Server::Says(_) => {}
        }
        for (event, resent) in &batch {
            self.received.entry(event.sequence).or_default().push((line(event), *resent));
            self.held.entry(event.sequence).or_insert_with(|| event.clone());
        }
        let punch_result = match self.server {
            Server::AnswersLost => {
                let detail = "connection reset".to_owned();
                return failed(FailureCause::Network { http_status: None, detail }, None);
            }
            Server::Says(result) => result,
            Server::Well | Server::Unreachable | Server::Busy(_) => PunchResult::Accepted,
        };
        let item = |(event, _): &(Event, bool)| AnswerItem {
            sequence: event.sequence,
            stored: self.held[&event.sequence] == *event,
            result: Ok(if event.kind.is_punch() { punch_result } else { PunchResult::Accepted }),
        };
        SendOutcome::Answered(Answer {
            items: batch.iter().map(item).collect(),
            refused: None,
            head: self.held.keys().copied().max().unwrap_or(0),
            missing: self.missing(),
            wishes: ServerWishes { spread_seconds: 0, contact_seconds: 900, display_name: "MINAGINE".into() },
        })
    }

    /// Numbers that the server misses and no gap has declared, one by one.
    pub fn missing(&self) -> Vec<(u64, u64)> {
        let causes = self.held.values().filter_map(|event| Declared::parse(event.cause.as_deref()?));
        let declared: Vec<_> = causes.filter(|declared| declared.gives_up()).map(Declared::range).collect();
        let head = self.held.keys().copied().max().unwrap_or(0);
        let open = |n: &u64| !declared.iter().any(|(first, last)| (first..=last).contains(&n));
        (1..head).filter(|n| !self.held.contains_key(n)).filter(open).map(|n| (n, n)).take(16).collect()
    }

    /// What the server holds, as lines, by number.
    pub fn held_lines(&self) -> Vec<String> {
        self.held.values().map(line).collect()
    }

    /// The lines recorded since this was last asked.
    pub fn told(&mut self) -> Vec<String> {
        let lines = self.journal[self.told..].iter().map(line).collect();
        self.told = self.journal.len();
        lines
    }

    /// All logons and logoffs of `name`.
    pub fn punches(&self, name: &str) -> Vec<String> {
        let of = |event: &&Event| event.account.as_ref().is_some_and(|account| account.name == name);
        self.journal.iter().filter(|event| event.kind.is_punch()).filter(of).map(line).collect()
    }

    pub fn count(&self, kind: EventKind) -> usize {
        self.journal.iter().filter(|event| event.kind == kind).count()
    }

    /// Who is logged on, as the agent knows it.
    pub fn there(&self) -> Vec<Stay> {
        self.core.as_ref().unwrap().stays().iter().cloned().collect()
    }

    pub fn waiting(&self) -> u64 {
        self.core.as_ref().unwrap().waiting()
    }

    pub fn notices_with(&self, word: &str) -> usize {
        self.notices.iter().filter(|text| text.contains(word)).count()
    }

    /// Every stored event is on the server, in this order of numbers and without holes.
    pub fn everything_is_delivered_once(&self) {
        let stored: Vec<u64> = self.journal.iter().map(|event| event.sequence).collect();
        assert_eq!(stored, (1..=stored.len() as u64).collect::<Vec<_>>());
        assert_eq!(self.received.keys().copied().collect::<Vec<_>>(), stored);
    }

    /// Closes the lid: what a service hears of it.
    pub fn suspends(&mut self) -> &mut Self {
        self.fact(OsFact::SuspendAnnounced)
    }

    pub fn resumes(&mut self, user_present: bool) -> &mut Self {
        self.fact(OsFact::Resumed { user_present })
    }

    /// Somebody or something sets the clock; whether Windows says so.
    pub fn clock_is_set_by(&mut self, by_ms: i64, told: bool) -> &mut Self {
        let from = self.wall();
        self.clock_error_ms += by_ms;
        if told { self.fact(OsFact::ClockSet { from, to: from.plus(by_ms) }) } else { self.give(Input::Tick) }
    }
}
