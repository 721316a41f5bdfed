//! Senders: tasks that take the next request, wait for its planned time, and see to its receipt.
//!
//! A sender that comes after the planned time has waited for an answer to its last request: that is the server's (or too
//! few connections), and the latency, which counts from the planned time, holds it. One that slept until the planned time
//! and was woken late is the generator's own lateness, and is noted apart.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use hdrhistogram::Histogram;
use mngntime_wire::{Context, Receipt, Signed};

use super::http::{Connection, Server, Trouble};
use super::pace::Pace;
use super::request::Request;
use super::terminal::Terminal;

/// The signature of one receipt in so many is checked: checking all would take as much of the processor as the server's
/// own checks.
pub(super) const VERIFIED_EACH: usize = 16;

/// How often a request is sent before it counts as unanswered.
const ATTEMPTS_MAX: u32 = 6;

/// The pause before the second attempt; before each further one twice as long.
const PAUSE: Duration = Duration::from_millis(100);

/// A connection that nothing was sent on for so long is replaced: a server closes it after 20 s.
const IDLE_MAX: Duration = Duration::from_secs(15);

/// Significant digits of a histogram: a thousandth.
const DIGITS: u8 = 3;

/// What the senders of a lane have seen. They share one: a histogram of each of thousands would take gigabytes.
pub(super) struct Tally {
    /// Microseconds from the planned time to the receipt; without a plan, from the sending.
    pub(super) latency: Histogram<u64>,
    /// Microseconds from the planned time to when the sender was awake.
    pub(super) lateness: Histogram<u64>,
    /// Requests whose planned time had passed when a connection was free for them.
    pub(super) waited: u64,
    pub(super) requests: u64,
    pub(super) body_bytes: u64,
    pub(super) stored: u64,
    /// Events of which the receipt says that they are not stored.
    pub(super) not_stored: u64,
    /// Events whose requests have no answer at the end.
    pub(super) unanswered: u64,
    /// Events of requests that were refused as a whole.
    pub(super) refused: u64,
    /// Stored events by their result, when they have one.
    pub(super) results: BTreeMap<u8, u64>,
    pub(super) connections: u64,
    pub(super) verified: u64,
    /// Attempts that failed, by what happened.
    pub(super) failures: BTreeMap<String, u64>,
}

impl Tally {
    fn new() -> anyhow::Result<Self> {
        let histogram = || Histogram::new(DIGITS).context("a histogram");
        Ok(Self {
            latency: histogram()?,
            lateness: histogram()?,
            waited: 0,
            requests: 0,
            body_bytes: 0,
            stored: 0,
            not_stored: 0,
            unanswered: 0,
            refused: 0,
            results: BTreeMap::new(),
            connections: 0,
            verified: 0,
            failures: BTreeMap::new(),
        })
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn note(histogram: &mut Histogram<u64>, time: Duration) {
    // It grows as it needs to.
    let _ = histogram.record(u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1));
}

/// Requests and those who send them.
pub(super) struct Lane {
    server: Server,
    pace: Pace,
    requests: Vec<Request>,
    senders: usize,
    connection_for_each: bool,
    length: Option<Duration>,
    next: AtomicUsize,
    /// Connections opened before the clock started.
    ready: Mutex<Vec<Connection>>,
    tally: Mutex<Tally>,
    /// Nothing new is sent from now on.
    pub(super) is_over: AtomicBool,
}

impl Lane {
    pub(super) fn new(
        server: Server,
        pace: Pace,
        requests: Vec<Request>,
        connections: usize,
        connection_for_each: bool,
        length: Option<Duration>,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            senders: connections.min(requests.len()).max(1),
            server,
            pace,
            requests,
            connection_for_each,
            length,
            next: AtomicUsize::new(0),
            ready: Mutex::default(),
            tally: Mutex::new(Tally::new()?),
            is_over: AtomicBool::new(false),
        })
    }

    pub(super) fn len(&self) -> usize {
        self.requests.len()
    }

    /// Requests that a sender has taken.
    pub(super) fn taken(&self) -> usize {
        self.next.load(Ordering::Relaxed).min(self.requests.len())
    }

    pub(super) fn planned_per_second(&self) -> Option<f64> {
        self.pace.per_second()
    }

    /// Whether all requests were sent before the time was over.
    pub(super) fn ran_out(&self, elapsed: Duration) -> bool {
        self.length.is_some_and(|length| elapsed < length) && self.taken() == self.len()
    }

    /// Opens the connections that are kept, before the clock starts.
    pub(super) async fn connect(&self) -> anyhow::Result<()> {
        if self.connection_for_each {
            return Ok(());
        }
        for number in 0..self.senders {
            let opened = Connection::open(&self.server, number).await;
            let connection =
                opened.with_context(|| format!("connection {} of {} failed", number + 1, self.senders))?;
            lock(&self.ready).push(connection);
        }
        Ok(())
    }

    /// Sends everything that is to be sent from `begun` on.
    pub(super) async fn run(self: Arc<Self>, begun: Instant) -> anyhow::Result<Tally> {
        let mut senders = tokio::task::JoinSet::new();
        for number in 0..self.senders {
            let ready = lock(&self.ready).pop();
            senders.spawn(Sender { lane: self.clone(), number, begun, connection: ready, used: begun }.run());
        }
        while let Some(sender) = senders.join_next().await {
            sender.context("a sender has panicked")?;
        }
        let mut tally = std::mem::replace(&mut *lock(&self.tally), Tally::new()?);
        // Those opened before the clock started.
        tally.connections += if self.connection_for_each { 0 } else { self.senders as u64 };
        Ok(tally)
    }

    /// The terminals' chains go on behind what was sent of them.
    pub(super) fn settle(&self, terminals: &mut [Terminal]) {
        if terminals.is_empty() {
            return;
        }
        let count = terminals.len();
        let unsent_from = self.taken();
        for (number, terminal) in terminals.iter_mut().enumerate() {
            let own = (number..self.requests.len()).step_by(count);
            let last = own.clone().take_while(|index| *index < unsent_from).last();
            let state = match last {
                Some(last) => self.requests.get(last).map(|request| request.after),
                None => {
                    own.clone().next().and_then(|first| self.requests.get(first)).map(|first| first.before)
                }
            };
            if let Some(state) = state {
                terminal.chain = state;
            }
        }
    }
}

struct Sender {
    lane: Arc<Lane>,
    number: usize,
    begun: Instant,
    connection: Option<Connection>,
    /// When something was sent on it last.
    used: Instant,
}

impl Sender {
    async fn run(mut self) {
        let lane = self.lane.clone();
        loop {
            let is_late = lane.length.is_some_and(|length| self.begun.elapsed() >= length);
            if is_late || lane.is_over.load(Ordering::Relaxed) {
                break;
            }
            let index = lane.next.fetch_add(1, Ordering::Relaxed);
            let Some(request) = lane.requests.get(index) else { break };
            let planned = self.until(lane.pace.planned(index)).await;
            self.deliver(request, index).await;
            let took = planned.elapsed();
            note(&mut self.tally().latency, took);
        }
        if let Some(connection) = self.connection.take() {
            connection.close().await;
        }
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        lock(&self.lane.tally)
    }

    /// Waits for the planned time; the time from which latency counts.
    async fn until(&self, planned: Option<Duration>) -> Instant {
        let Some(planned) = planned.map(|planned| self.begun + planned) else { return Instant::now() };
        if planned > Instant::now() {
            tokio::time::sleep_until(planned.into()).await;
            let late = planned.elapsed();
            note(&mut self.tally().lateness, late);
        } else {
            self.tally().waited += 1;
        }
        planned
    }

    /// Sends a request until there is an answer, as often as it may be sent.
    async fn deliver(&mut self, request: &Request, index: usize) {
        {
            let mut tally = self.tally();
            tally.requests += 1;
            tally.body_bytes += request.body_bytes as u64;
        }
        for attempt in 0..ATTEMPTS_MAX {
            let Err(trouble) = self.attempt(request, index).await else { return };
            *self.tally().failures.entry(trouble.name()).or_default() += 1;
            let Some(pause) = pause(&trouble, attempt) else { break };
            tokio::time::sleep(pause).await;
        }
        self.tally().unanswered += request.events as u64;
    }

    async fn attempt(&mut self, request: &Request, index: usize) -> Result<(), Trouble> {
        let mut connection = match self.connection.take() {
            Some(connection) if self.used.elapsed() < IDLE_MAX => connection,
            Some(_) | None => {
                self.tally().connections += 1;
                // A connection of its own comes from a PC of its own.
                let number = if self.lane.connection_for_each { index } else { self.number };
                Connection::open(&self.lane.server, number).await?
            }
        };
        let answered = connection.ask(&request.bytes).await;
        self.used = Instant::now();
        let is_usable = matches!(&answered, Ok(_) | Err(Trouble::Status { .. }));
        let read = match answered {
            Ok(body) => read(&self.lane.server, request, index, body)
                .map(|word| word.count(&mut self.tally(), request)),
            Err(Trouble::Status { code, .. }) if self.lane.server.is_content_with(code) => Ok(()),
            Err(trouble) => Err(trouble),
        };
        if is_usable && !self.lane.connection_for_each {
            self.connection = Some(connection);
        } else if is_usable {
            // The receipt is there: the end of the connection is not to hold up the next one.
            tokio::spawn(connection.close());
        }
        read
    }
}

/// How long to wait before the next attempt; `None` when another one would end as this one did.
fn pause(trouble: &Trouble, attempt: u32) -> Option<Duration> {
    let own = PAUSE * 2_u32.saturating_pow(attempt);
    match trouble {
        Trouble::Connect(_) | Trouble::Broken(_) | Trouble::TimedOut => Some(own),
        Trouble::Status { code: 408 | 429 | 500.., retry_after } => Some(retry_after.unwrap_or(own)),
        Trouble::Status { .. } | Trouble::Wrong(_) => None,
    }
}

/// What a receipt says.
struct Word {
    receipt: Receipt,
    is_verified: bool,
}

/// Reads a receipt.
fn read(server: &Server, request: &Request, index: usize, body: &[u8]) -> Result<Word, Trouble> {
    let wrong = |error: &dyn std::fmt::Display| Trouble::Wrong(error.to_string());
    let envelope = Signed::parse(body).map_err(|error| wrong(&error))?;
    let receipt: Receipt = envelope.peek().map_err(|error| wrong(&error))?;
    if receipt.request != request.digest.to_string() {
        return Err(wrong(&"it is for another request"));
    }
    let key = server.key.filter(|_| index.is_multiple_of(VERIFIED_EACH));
    if let Some(key) = key {
        envelope.check(Context::Receipt, &key).map_err(|error| wrong(&error))?;
    }
    Ok(Word { receipt, is_verified: key.is_some() })
}

impl Word {
    fn count(&self, tally: &mut Tally, request: &Request) {
        tally.verified += u64::from(self.is_verified);
        if self.receipt.refused.is_some() {
            tally.refused += request.events as u64;
            return;
        }
        let stored = self.receipt.items.iter().filter(|item| item.stored).count().min(request.events);
        tally.stored += stored as u64;
        tally.not_stored += (request.events - stored) as u64;
        for result in self.receipt.items.iter().filter_map(|item| item.res) {
            *tally.results.entry(result).or_default() += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_agent_would_send_again_is_sent_again_and_retry_after_is_obeyed() {
        let status = |code, seconds: Option<u64>| Trouble::Status {
            code,
            retry_after: seconds.map(Duration::from_secs),
        };
        assert_eq!(pause(&status(503, Some(7)), 0), Some(Duration::from_secs(7)));
        assert_eq!(pause(&status(500, None), 2), Some(4 * PAUSE));
        assert_eq!(pause(&Trouble::TimedOut, 0), Some(PAUSE));
        assert_eq!(pause(&status(400, None), 0), None);
        assert_eq!(pause(&Trouble::Wrong(String::new()), 0), None);
    }

    fn lane(terminals: &mut [Terminal], count: usize, taken: usize) -> Lane {
        let requests = super::super::request::make(terminals, count, &[1], "", &|_| {}).unwrap();
        let server = Server::at("http://127.0.0.1:1", None).unwrap();
        let lane = Lane::new(server, Pace::AsAnswered, requests, 2, false, None).unwrap();
        lane.next.store(taken, Ordering::Relaxed);
        lane
    }

    #[test]
    fn a_chain_goes_on_behind_what_was_sent_and_not_behind_what_was_only_made() {
        let make = || (0..3).map(|n| Terminal::new(1, n, "demo").unwrap()).collect::<Vec<_>>();
        let mut terminals = make();
        let untouched: Vec<_> = terminals.iter().map(|terminal| terminal.chain).collect();
        let lane = lane(&mut terminals, 8, 4);
        lane.settle(&mut terminals);
        let after: Vec<_> = terminals.iter().map(|terminal| terminal.chain).collect();
        assert_eq!(after, [lane.requests[3].after, lane.requests[1].after, lane.requests[2].after]);
        let mut terminals = make();
        let lane = super::tests::lane(&mut terminals, 8, 2);
        lane.settle(&mut terminals);
        assert_eq!(terminals[2].chain, untouched[2], "of the third nothing was sent");
    }
}
