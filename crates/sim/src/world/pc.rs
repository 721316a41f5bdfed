//! One PC: disk, clocks, sessions, network, and the agent's process when it runs.

use std::collections::VecDeque;
use std::rc::Rc;

use mngntime_agent::journal::{Heartbeat, Journal};
use mngntime_agent_core::input::OsSession;
use mngntime_agent_core::{Agent, Input};
use mngntime_ledger::Digest;
use mngntime_model::{AccountIdentity, BootId};
use mngntime_wire::SecretKey;

use super::branch::Branch;
use super::clock::Clock;
use super::disk::FaultyDisk;
use crate::random::Chance;

/// Whether the PC runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Power {
    Off,
    On,
    /// Since when.
    Asleep(i64),
}

/// What the operating system tells of a session. Windows tells all of it; others less.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Telling {
    pub(crate) logon_at: bool,
    pub(crate) locked: bool,
    pub(crate) input_seen: bool,
}

/// The agent's process.
pub(crate) struct Service {
    pub(crate) core: Agent,
    pub(crate) journal: Journal<FaultyDisk>,
    pub(crate) heartbeat: Heartbeat,
    pub(crate) last_receipt: Option<String>,
    /// The server's last word to this run on its highest number, when nothing was on its way to the disk.
    pub(crate) head_told: u64,
    pub(crate) inbox: VecDeque<Input>,
    pub(crate) list_wanted: bool,
    pub(crate) log_wanted: bool,
    pub(crate) finished: bool,
}

/// A copy of the disk, and what it had promised.
pub(crate) struct Snapshot {
    pub(crate) disk: FaultyDisk,
    pub(crate) branch: Branch,
}

pub(crate) struct Pc {
    pub(crate) name: String,
    /// Which key it has: a clone shares it.
    pub(crate) lineage: usize,
    pub(crate) key: Rc<SecretKey>,
    pub(crate) makeup: String,
    pub(crate) telling: Telling,
    pub(crate) disk: FaultyDisk,
    pub(crate) branch: Branch,
    pub(crate) clock: Clock,
    pub(crate) power: Power,
    pub(crate) boots: u64,
    pub(crate) boot: BootId,
    /// Sessions of people, each with its place in the world's list of stays.
    pub(crate) sessions: Vec<(usize, OsSession)>,
    pub(crate) network: bool,
    pub(crate) service: Option<Service>,
    /// The system is on its way down: nobody can log on.
    pub(crate) going_down: bool,
    /// An administrator has stopped the service.
    pub(crate) held: bool,
    /// Counts the runs of the service: what was for an earlier one is for nobody.
    pub(crate) run: u64,
    pub(crate) logons: u64,
    pub(crate) happenings_left: u32,
    pub(crate) snapshot: Option<Snapshot>,
    /// The body of the last answer, for a server that gives it again.
    pub(crate) last_answer: Option<String>,
    pub(crate) settings_seed: u64,
}

impl Pc {
    pub(crate) fn new(number: usize, lineage: usize, chance: &mut Chance) -> anyhow::Result<Self> {
        let mut seed = [0; 32];
        seed.chunks_mut(8).for_each(|chunk| chunk.copy_from_slice(&chance.next().to_le_bytes()));
        let name = format!("PC-{}", number + 1);
        let poor = chance.percent(25);
        Ok(Self {
            makeup: Digest::of(name.as_bytes()).to_string(),
            key: Rc::new(SecretKey::from_seed(&seed)),
            telling: Telling {
                logon_at: !poor,
                locked: chance.percent(80),
                input_seen: !poor && chance.percent(60),
            },
            disk: FaultyDisk::new(Chance::new(chance.next(), 0)),
            branch: Branch::default(),
            clock: Clock::new(),
            power: Power::Off,
            boots: 0,
            boot: BootId::new("never")?,
            sessions: Vec::new(),
            network: true,
            service: None,
            going_down: false,
            held: false,
            run: 0,
            logons: 0,
            happenings_left: 0,
            snapshot: None,
            last_answer: None,
            settings_seed: chance.next(),
            name,
            lineage,
        })
    }

    /// Another PC with the same key and a copy of the disk.
    pub(crate) fn clone_as(&self, number: usize, same_makeup: bool) -> anyhow::Result<Self> {
        let name = format!("PC-{}", number + 1);
        let other = Digest::of(name.as_bytes()).to_string();
        Ok(Self {
            makeup: if same_makeup { self.makeup.clone() } else { other },
            key: self.key.clone(),
            disk: self.disk.copy(),
            branch: self.branch.clone(),
            clock: self.clock.clone(),
            power: Power::Off,
            boots: 0,
            boot: BootId::new("never")?,
            sessions: Vec::new(),
            network: true,
            service: None,
            going_down: false,
            held: false,
            run: 0,
            snapshot: None,
            last_answer: None,
            settings_seed: self.settings_seed ^ 0x00c0_ffee,
            telling: self.telling,
            lineage: self.lineage,
            logons: self.logons,
            happenings_left: self.happenings_left,
            name,
        })
    }

    pub(crate) fn is_awake(&self) -> bool {
        self.power == Power::On
    }

    /// The session as the operating system tells of it.
    pub(crate) fn as_told(&self, session: &OsSession) -> OsSession {
        OsSession {
            logon_at: session.logon_at.filter(|_| self.telling.logon_at),
            locked: session.locked.filter(|_| self.telling.locked),
            input_seen: session.input_seen.filter(|_| self.telling.input_seen),
            ..session.clone()
        }
    }

    pub(crate) fn session_list(&self) -> Vec<OsSession> {
        self.sessions.iter().map(|(_, session)| self.as_told(session)).collect()
    }

    /// Somebody who works at this PC.
    pub(crate) fn person(&self, number: usize) -> AccountIdentity {
        const NAMES: [&str; 5] = ["hanako", "taro", "yui", "ren", "aoi"];
        let name = NAMES[number % NAMES.len()];
        AccountIdentity {
            key: format!("S-1-5-21-7-7-7-{}", 1001 + number % NAMES.len()),
            domain: "EXAMPLE".to_owned(),
            name: name.to_owned(),
            upn: Some(format!("{name}@example.co.jp")),
        }
    }

    /// A session id that is free: the lowest, as after a sign-out, or a fresh one.
    pub(crate) fn free_session_id(&self, lowest: bool) -> String {
        let taken = |id: &u64| self.sessions.iter().any(|(_, s)| s.session_id == id.to_string());
        let from = if lowest { 1 } else { self.logons + 1 };
        (from..).find(|id| !taken(id)).unwrap_or(from).to_string()
    }
}
