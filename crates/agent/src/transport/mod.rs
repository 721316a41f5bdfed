//! To the server and back, one exchange at a time.
//!
//! `exchange` makes requests and judges replies and does no I/O; `http` moves bytes, by the `routes` that
//! lead to the server, over connections that `connector` makes and `trust` lets pass; `trouble` tells
//! failures apart and `wording` says them. This module puts all of it on a thread of their own, so that a network that hangs never delays a record. A reply counts only when
//! it is a receipt signed by the pinned server for this very request: an office proxy may open TLS, a hotel
//! may answer 200 to everything, and neither can make us forget an event.

mod connector;
mod exchange;
mod http;
mod routes;
mod trouble;
mod trust;
mod wording;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use anyhow::Context;
use mngntime_agent_core::input::{EnrollOutcome, SendOutcome};
use mngntime_model::{FailureCause, Language};

use crate::config::Config;
use crate::journal::Enrollment;
use crate::platform::{FactSink, ShellEvent};
pub use exchange::{BatchParts, Prepared, prepare_batch, prepare_enrollment};
pub use http::{Client, Reply};
pub use routes::{Route, Source, is_bypassed, is_loopback, listed, name_of};
pub use trouble::{Certificate, Connect, Given, Kind, Peer, Trouble};

/// What the agent calls itself before servers and proxies.
const USER_AGENT: &str = concat!("mngntime-agent/", env!("CARGO_PKG_VERSION"));

/// Work for the thread.
#[derive(Debug)]
pub enum Job {
    /// Send a batch.
    Send(Box<Prepared>),
    /// Enrol.
    Enroll(Box<Prepared>),
    /// Use this configuration from now on.
    Configure(Box<Config>),
    /// The PC may be in another network: look for a route anew.
    NetworkChanged,
}

/// What came of a job.
#[derive(Debug)]
pub enum Finished {
    /// Of a batch: the outcome, and the signed receipt as received when there is a valid one.
    Sent(SendOutcome, Option<String>),
    /// Of an enrolment: the outcome, and what to keep when it succeeded.
    Enrolled(EnrollOutcome, Option<Enrollment>),
}

/// The thread's door.
#[derive(Debug)]
pub struct Transport {
    jobs: Sender<Job>,
}

impl Transport {
    /// Starts the thread; its results go to `sink`.
    ///
    /// # Errors
    /// When the OS grants no thread.
    pub fn start(config: Config, sink: FactSink) -> anyhow::Result<Self> {
        let (jobs, received) = channel();
        thread::Builder::new()
            .name("transport".to_owned())
            .spawn(move || work(&config, &received, &sink))
            .context("cannot start the thread that talks to the server")?;
        Ok(Self { jobs })
    }

    /// Gives the thread a job.
    pub fn give(&self, job: Job) {
        // The thread ends only with the process.
        let _ = self.jobs.send(job);
    }
}

fn work(config: &Config, jobs: &Receiver<Job>, sink: &FactSink) {
    let mut client = Client::new(config);
    while let Ok(job) = jobs.recv() {
        let finished = match job {
            Job::Configure(config) => {
                client = Client::new(&config);
                continue;
            }
            Job::NetworkChanged => {
                client.forget_routes();
                continue;
            }
            Job::Send(prepared) => send(&client, &prepared),
            Job::Enroll(prepared) => enroll(&client, &prepared),
        };
        if sink.send(ShellEvent::Transport(finished)).is_err() {
            return;
        }
    }
}

/// Where batches are posted.
pub const EVENTS_PATH: &str = "/api/v1/events";
/// Where terminals enrol.
pub const TERMINALS_PATH: &str = "/api/v1/terminals";

/// Sends a prepared batch and judges the reply.
pub fn send(client: &Client, prepared: &Prepared) -> Finished {
    judge_sent(client.post(EVENTS_PATH, &prepared.body), prepared, client.language())
}

/// What a reply to a batch is worth, whoever carried the two.
pub fn judge_sent(reply: Result<Reply, FailureCause>, prepared: &Prepared, language: Language) -> Finished {
    let (outcome, receipt) = exchange::judge_receipt(reply, &prepared.expected, language);
    Finished::Sent(outcome, receipt)
}

/// Whether our server answers at all; it is asked nothing, and so nothing comes of it there.
///
/// # Errors
/// The cause in the words of the event log.
pub fn reach(client: &Client) -> Result<(), FailureCause> {
    exchange::judge_refusal(client.post(TERMINALS_PATH, "{}"), client.language())
}

/// Sends a prepared enrolment and judges the reply.
pub fn enroll(client: &Client, prepared: &Prepared) -> Finished {
    judge_enrolled(client.post(TERMINALS_PATH, &prepared.body), prepared, client.language())
}

/// What a reply to an enrolment is worth, whoever carried the two.
pub fn judge_enrolled(
    reply: Result<Reply, FailureCause>,
    prepared: &Prepared,
    language: Language,
) -> Finished {
    let (outcome, enrollment) = exchange::judge_enrollment(reply, &prepared.expected, language);
    Finished::Enrolled(outcome, enrollment)
}
