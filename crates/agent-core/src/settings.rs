//! The core's numbers, each with its reason.

/// How the core behaves. [`Settings::new`] gives the product's values; tests and the simulator shorten some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The server's name in messages until the server gives its own.
    pub display_name: String,
    /// Seed of the jitter. Drawn by the shell at start; the same seed gives the same behaviour.
    pub seed: u64,
    /// Compare with the OS's session list this often, in milliseconds. Catches a lost notice within a
    /// minute at the cost of one cheap call.
    pub reconcile_ms: u64,
    /// While somebody is logged on, note this often that the PC is alive, in milliseconds. It bounds the
    /// logoff that is inferred after a power loss; one small synced write each time.
    pub heartbeat_ms: u64,
    /// Note this often how far the OS's logs need no reading any more, in milliseconds. It bounds what the
    /// next start reads; one small synced write each time.
    pub log_positions_ms: u64,
    /// First bound of the random wait after a failed attempt, in milliseconds; doubles with each failure.
    pub retry_base_ms: u64,
    /// Largest bound of that wait, in milliseconds.
    pub retry_cap_ms: u64,
    /// Wait between attempts for what the server refuses until somebody acts (res=5, 6, 8, unknown), in
    /// milliseconds.
    pub slow_retry_ms: u64,
    /// How long a stop may wait for a last attempt to send, in milliseconds. Windows grants a service 5 s
    /// at shutdown on some machines; logind's delay is 5 s.
    pub last_send_ms: u64,
    /// Spread of new logons until the server says otherwise, in milliseconds: at 9:00 everybody logs on.
    pub spread_ms: u64,
    /// Sign of life until the server says otherwise, in milliseconds.
    pub contact_ms: u64,
}

impl Settings {
    /// The product's values.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            display_name: "MINAGINE".to_owned(),
            seed,
            reconcile_ms: 60_000,
            heartbeat_ms: 30_000,
            log_positions_ms: 900_000,
            retry_base_ms: 2_000,
            retry_cap_ms: 300_000,
            slow_retry_ms: 900_000,
            last_send_ms: 3_000,
            spread_ms: 20_000,
            contact_ms: 900_000,
        }
    }

    /// While somebody is logged on, a PC that runs says so within this time of the sign before, in milliseconds:
    /// one beat may be late.
    pub(crate) fn sign_every_ms(&self) -> i64 {
        i64::try_from(self.heartbeat_ms.saturating_mul(2)).unwrap_or(i64::MAX)
    }
}

/// Events in one batch. The wire allows no more.
pub(crate) const BATCH_EVENTS_MAX: usize = 100;

/// Records kept in memory while the disk takes none. At most a few MiB; months of punches, or a day of
/// somebody locking and unlocking a PC without end.
pub(crate) const UNSTORED_MAX: usize = 4096;

/// A difference between two clocks larger than this is a step or a sleep and not drift, in milliseconds.
pub(crate) const CLOCK_STEP_MS: i64 = 2_000;

/// A clock that shows this much less at a start than at the last sign of life contradicts it, in
/// milliseconds. Less is the drift of a battery-backed clock that was put right meanwhile.
pub(crate) const CLOCK_BEHIND_MS: i64 = 60_000;

/// How long to wait for such a clock to be put right, in milliseconds: time services do it minutes after
/// the network is there.
pub(crate) const CLOCK_DOUBT_MS: u64 = 600_000;

/// How long after the list has shown an end its notice may come, in milliseconds.
pub(crate) const LATE_NOTICE_MS: u64 = 10_000;

/// How long a list of sessions may be on its way, in milliseconds: one that was read before a notice of an end may
/// come after it, and shows the session still.
pub(crate) const LIST_UNDER_WAY_MS: u64 = 3_000;

/// How long after a step was seen its notice may come, in milliseconds.
pub(crate) const STEP_TOLD_MS: u64 = 10_000;

/// A session that locks itself does so within this time of its logon, in milliseconds. Windows does it at
/// once; a slow PC right after an update may take a while to come to it.
pub(crate) const UNATTENDED_LOCK_MS: i64 = 60_000;

/// A shutdown by Fast Startup suspends this soon after the last logoff, in milliseconds: the services' 30 s
/// each to get ready included.
pub(crate) const LOGOFF_BEFORE_SUSPEND_MS: u64 = 120_000;

/// What the log says about a resume bears a time this close to the resume's notice, in milliseconds: the
/// clock may be read anew from the battery in between.
pub(crate) const RESUME_TO_LOG_MS: i64 = 600_000;

/// Pause between two attempts to store while the agent ends, in milliseconds: a virus scanner lets go of a file
/// within a few of these, and the whole end has three seconds.
pub(crate) const STORE_RETRY_AT_STOP_MS: u64 = 100;

/// Something that the server says it misses is sent to it again no sooner than this after it last took it,
/// in milliseconds: a server that is wrong about what it has costs a batch an hour, and one that is restored
/// twice gets everything twice.
pub(crate) const SEND_AGAIN_AFTER_MS: u64 = 3_600_000;

/// Gaps declared because of one answer. The next answer names what is left.
pub(crate) const DECLARED_PER_ANSWER_MAX: usize = 16;

/// Numbers that a PC passes over at most, because the server says that they are used: a thousand years of
/// events. A server that claims more is wrong, and would leave the terminal without numbers.
pub(crate) const NUMBERS_PASSED_MAX: u64 = 100_000_000;

/// Answers within an hour because of which refused events get new numbers. A PC that was rolled back and then
/// offline for weeks needs thirty, a hundred events each. A server that refuses every number is wrong: what it
/// refuses beyond this waits for its next turn in the slow lane.
pub(crate) const RENUMBERINGS_PER_HOUR_MAX: u32 = 40;
