//! What can happen to a PC: the rows of table A (windows.md, part A), in any mixture.

/// One thing that happens to a PC, or to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    PowerOn,
    PowerCut,
    ShutDown {
        together: bool,
    },
    SessionsEnd,
    SystemStops,
    GoDown,
    /// Which person; whether from afar; whether Windows does it by itself.
    LogOn {
        person: usize,
        remote: bool,
        unattended: bool,
    },
    /// The session with this place in the list.
    LogOff(usize),
    Lock(usize),
    Unlock(usize),
    Connect(usize),
    Disconnect(usize),
    Sleep {
        announced: bool,
    },
    Wake {
        told: bool,
        user: bool,
    },
    ServiceStop,
    ServiceStart,
    ServiceKilled,
    /// Whether the OS tells of it.
    ClockStep {
        by_ms: i64,
        told: bool,
    },
    /// Something that nobody is told of.
    Fault(Fault),
    Network(bool),
    ServerRestart,
}

/// Something that goes wrong, or comes right, without a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Seconds east of Greenwich.
    Zone(i32),
    /// Bytes of room that are left; `None`: enough.
    Room(Option<u64>),
    FailSyncs(u32),
    FailWrites(u32),
    CrashIn {
        operations: u64,
        power: bool,
    },
    Flip,
    Snapshot,
    RollBack,
    Clone {
        same_makeup: bool,
    },
    ServerDown,
    ServerUp,
    ServerCopied,
    ServerPutBack,
}

/// An act and how long after the one before, in milliseconds.
pub(crate) type Line = (i64, Act);

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A situation: its name, how often it comes, and its acts.
pub(crate) type Situation = (&'static str, u64, fn(u64) -> Vec<Line>);

fn on(person: u64) -> Act {
    Act::LogOn { person: person as usize, remote: false, unattended: false }
}

fn pick<const N: usize>(draw: u64, of: [i64; N]) -> i64 {
    of[(draw / 7) as usize % N]
}

/// When the PC is off.
pub(crate) const OFF: &[Situation] = &[
    ("row 1 switched on, logon", 30, |d| {
        vec![(0, Act::PowerOn), (pick(d, [MINUTE, 5 * MINUTE, HOUR]), on(d))]
    }),
    ("row 25 logon before the service is ready", 20, |d| vec![(0, Act::PowerOn), (d as i64 % 3000, on(d))]),
    ("row 80 switched on, nobody comes", 10, |_| vec![(0, Act::PowerOn)]),
    ("row 31 signed on by itself", 10, |d| {
        let auto = Act::LogOn { person: d as usize, remote: false, unattended: true };
        vec![(0, Act::PowerOn), (20 * SECOND, auto), (pick(d, [MINUTE, 5 * HOUR]), Act::Unlock(0))]
    }),
    ("row 32 signed on for somebody who stays away", 5, |d| {
        let auto = Act::LogOn { person: d as usize, remote: false, unattended: true };
        vec![(0, Act::PowerOn), (20 * SECOND, auto), (HOUR, on(d + 1))]
    }),
    ("row 51 clock battery dead", 8, |d| {
        let back = -pick(d, [3 * HOUR, 30 * DAY, 17 * 365 * DAY]);
        let right = Act::ClockStep { by_ms: -back, told: d % 2 == 0 };
        vec![
            (0, Act::ClockStep { by_ms: back, told: false }),
            (0, Act::PowerOn),
            (2 * MINUTE, on(d)),
            (pick(d, [2 * MINUTE, 20 * MINUTE]), right),
        ]
    }),
    ("row 78 started without the service", 8, |d| {
        vec![
            (0, Act::ServiceStop),
            (0, Act::PowerOn),
            (5 * MINUTE, on(d)),
            (HOUR, Act::LogOff(0)),
            (MINUTE, Act::ShutDown { together: false }),
            (MINUTE, Act::ServiceStart),
        ]
    }),
    ("bit flipped", 8, |_| vec![(0, Act::Fault(Fault::Flip)), (0, Act::PowerOn)]),
    ("snapshot taken", 10, |_| vec![(0, Act::Fault(Fault::Snapshot))]),
    ("rolled back to the snapshot", 10, |_| vec![(0, Act::Fault(Fault::RollBack)), (0, Act::PowerOn)]),
    ("disk cloned", 3, |d| {
        vec![(0, Act::Fault(Fault::Clone { same_makeup: d % 2 == 0 })), (0, Act::PowerOn)]
    }),
];

/// When it is on.
pub(crate) const ON: &[Situation] = &[
    ("row 1 logon", 40, |d| vec![(0, on(d))]),
    ("row 2 logoff", 30, |d| vec![(0, Act::LogOff(d as usize))]),
    ("row 3 shutdown", 12, |_| vec![(0, Act::ShutDown { together: false })]),
    ("row 3 shutdown with everybody on", 8, |_| vec![(0, Act::ShutDown { together: true })]),
    ("row 4 fast startup", 5, |d| {
        let off = (0, Act::LogOff(0));
        vec![off, off, off, (5 * SECOND, Act::Sleep { announced: true }), (pick(d, [HOUR, 14 * HOUR]), WOKEN)]
    }),
    ("row 6 restart", 8, |_| vec![(0, Act::ShutDown { together: true }), (40 * SECOND, Act::PowerOn)]),
    ("row 7 power cut", 10, |_| vec![(0, Act::PowerCut)]),
    ("row 8 critical battery", 4, |d| {
        let wake = Act::Wake { told: d % 2 == 0, user: true };
        vec![(0, Act::Sleep { announced: false }), (pick(d, [10 * MINUTE, 9 * HOUR]), wake)]
    }),
    ("row 11 sleep at lunch", 8, |d| {
        let place = d as usize;
        vec![
            (0, Act::Lock(place)),
            (10 * SECOND, Act::Sleep { announced: true }),
            (40 * MINUTE, WOKEN),
            (10 * SECOND, Act::Unlock(place)),
        ]
    }),
    ("row 12 wakes at night and sleeps again", 5, |_| {
        vec![
            (0, Act::Sleep { announced: true }),
            (5 * HOUR, Act::Wake { told: true, user: false }),
            (20 * MINUTE, Act::Sleep { announced: true }),
            (8 * HOUR, WOKEN),
        ]
    }),
    ("row 15 lock and unlock", 15, |d| {
        let place = d as usize;
        (0..3 + d as i64 % 4)
            .flat_map(|_| [(MINUTE, Act::Lock(place)), (MINUTE, Act::Unlock(place))])
            .collect()
    }),
    ("row 16 fast user switching", 15, |d| {
        let place = d as usize;
        vec![
            (0, Act::Lock(place)),
            (0, Act::Disconnect(place)),
            (SECOND, on(d + 1)),
            (pick(d, [MINUTE, 2 * HOUR]), Act::Connect(place)),
            (0, Act::Unlock(place)),
        ]
    }),
    ("row 17 session id used again", 15, |d| {
        vec![(0, Act::LogOff(d as usize)), (pick(d, [0, 500, 3_000, 20_000]), on(d + 1))]
    }),
    ("row 18 remote desktop", 6, |d| {
        let remote = Act::LogOn { person: d as usize, remote: true, unattended: false };
        vec![(0, remote), (HOUR, Act::Disconnect(d as usize)), (HOUR, Act::Connect(d as usize))]
    }),
    ("row 26 service stopped, people came and went", 8, |d| {
        vec![
            (0, Act::ServiceStop),
            (HOUR, on(d)),
            (HOUR, Act::LogOff(d as usize)),
            (pick(d, [MINUTE, HOUR]), Act::ServiceStart),
        ]
    }),
    ("row 28 service killed", 10, |_| vec![(0, Act::ServiceKilled)]),
    ("row 48 clock set", 8, |d| {
        let by_ms = pick(d, [-HOUR, HOUR, -40 * SECOND, 15 * SECOND, 900, 55 * DAY, -3 * 365 * DAY]);
        vec![(0, Act::ClockStep { by_ms, told: d % 3 > 0 })]
    }),
    ("row 49 clock set, punch, set back", 6, |d| {
        let by_ms = pick(d, [-2 * HOUR, 3 * HOUR]);
        vec![
            (0, Act::ClockStep { by_ms, told: true }),
            (5 * SECOND, on(d)),
            (MINUTE, Act::ClockStep { by_ms: -by_ms, told: d % 2 == 0 }),
        ]
    }),
    ("row 52 time zone", 3, |d| {
        vec![(0, Act::Fault(Fault::Zone([0, 3600, 32_400, -28_800][(d % 4) as usize])))]
    }),
    ("row 38 network down", 12, |d| {
        vec![(0, Act::Network(false)), (pick(d, [MINUTE, 4 * HOUR]), on(d)), (MINUTE, Act::Network(true))]
    }),
    ("row 40 server down", 6, |d| {
        vec![(0, Act::Fault(Fault::ServerDown)), (pick(d, [MINUTE, 3 * HOUR]), Act::Fault(Fault::ServerUp))]
    }),
    ("server restarted", 4, |_| vec![(0, Act::ServerRestart)]),
    ("snapshot taken while running", 6, |_| vec![(0, Act::Fault(Fault::Snapshot))]),
    ("server copied", 6, |_| vec![(0, Act::Fault(Fault::ServerCopied))]),
    ("server put back to the copy", 8, |_| vec![(0, Act::Fault(Fault::ServerPutBack))]),
    ("row 55 disk full", 6, |d| {
        vec![
            (0, Act::Fault(Fault::Room(Some(d % 3000)))),
            (MINUTE, Act::Lock(0)),
            (MINUTE, Act::Unlock(0)),
            (pick(d, [MINUTE, 2 * HOUR]), Act::LogOff(0)),
            (MINUTE, Act::Fault(Fault::Room(None))),
        ]
    }),
    ("row 56 writes fail", 5, |d| {
        vec![(0, Act::Fault(Fault::FailWrites(1 + d as u32 % 4))), (0, Act::Lock(0)), (0, on(d))]
    }),
    ("row 57 sync fails", 8, |d| {
        vec![(0, Act::Fault(Fault::FailSyncs(1 + d as u32 % 3))), (0, Act::Lock(0)), (0, on(d))]
    }),
    ("row 57 sync fails, process killed", 6, |d| {
        let kill = Act::Fault(Fault::CrashIn { operations: 1 + d % 4, power: false });
        vec![
            (0, Act::Fault(Fault::FailSyncs(1))),
            (0, kill),
            (0, on(d)),
            (pick(d, [MINUTE, HOUR]), Act::PowerCut),
        ]
    }),
    ("row 58 killed within an operation", 14, |d| {
        let act = [Act::Lock(0), on(d), Act::LogOff(0)][(d % 3) as usize];
        let kill = Act::Fault(Fault::CrashIn { operations: 1 + d % 6, power: false });
        vec![(0, kill), (0, act), (pick(d, [5 * SECOND, 2 * MINUTE, HOUR]), Act::PowerCut)]
    }),
    ("row 58 power cut within an operation", 14, |d| {
        let act = [Act::Lock(0), on(d), Act::LogOff(0)][(d % 3) as usize];
        vec![(0, Act::Fault(Fault::CrashIn { operations: 1 + d % 6, power: true })), (0, act)]
    }),
    ("row 59 bit flipped", 6, |_| vec![(0, Act::Fault(Fault::Flip))]),
];

const WOKEN: Act = Act::Wake { told: true, user: true };
