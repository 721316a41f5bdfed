//! Load: signed terminals that send at planned times, whatever the server does meanwhile.
//!
//! What an office plays ([`crate::office`]) is as slow as the server: each of its PCs waits for its answer before it goes
//! on. A load does not wait. Each request has a planned time ([`pace`]), and its latency counts from there, not from when
//! a connection was free for it: a server that stands still for a second has made everybody late who came within that
//! second, and all of them are in the figures (no coordinated omission). Only [`Shape::Maximum`] and the backlog of
//! [`Shape::Recovery`] send as fast as they are answered: there the rate is the figure.
//!
//! - All requests are made and signed before the clock starts ([`request`]), so that the two do not share the processor.
//!   That takes memory: about 1.5 kB for a request with one event.
//! - Every receipt is read and must claim every event; the signature of each [`sending::VERIFIED_EACH`]th is checked.
//! - What has no receipt is sent again as an agent does, `Retry-After` obeyed; its latency goes on counting.
//! - How late the generator itself was is measured apart ([`figures::Generator`]): when the machine does not wake it in
//!   time, the figures are those of the machine, and say so.
//!
//! A timer of the runtime is good for a millisecond, so latencies of planned requests are up to one millisecond too long.

mod enrolling;
mod figures;
mod http;
mod pace;
mod request;
mod sending;
mod terminal;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use mngntime_wire::limits::BATCH_EVENTS_MAX;

use crate::random::Chance;
pub use enrolling::{Enrolling, enroll};
pub use figures::{Figures, Generator, Latency, Preparation, Report};
pub use http::Server;
use pace::Pace;
use request::Request;
use sending::Lane;
pub use terminal::Terminal;

/// Signed requests that are made for each second of [`Shape::Maximum`], with one event each; more than two cores answer.
const REQUESTS_PER_SECOND_MAX: f64 = 40_000.0;

/// The same in events, for batches.
const EVENTS_PER_SECOND_MAX: f64 = 200_000.0;

/// The slowest recovery for which fresh punches are made ready, in events a second.
const RECOVERY_EVENTS_PER_SECOND_MIN: f64 = 2_000.0;

/// Connections of the fresh punches during a recovery.
const FRESH_CONNECTIONS: usize = 64;

/// How often it is told how far it is.
const PROGRESS: Duration = Duration::from_millis(250);

/// When what is sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shape {
    /// At a constant rate.
    Rate {
        /// Requests a second.
        per_second: f64,
        /// Length of the run.
        seconds: f64,
    },
    /// As fast as it is answered.
    Maximum {
        /// Length of the run.
        seconds: f64,
    },
    /// One logon of each terminal, at a random moment of so many seconds.
    Herd {
        /// Within this time.
        seconds: f64,
    },
    /// What terminals have gathered during an outage, as fast as it is answered, while others send fresh punches.
    Recovery {
        /// Events of each terminal.
        backlog: usize,
        /// Fresh punches a second.
        fresh_per_second: f64,
        /// Terminals that send them: the last ones.
        fresh_terminals: usize,
    },
}

/// How it is sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// When.
    pub shape: Shape,
    /// Connections at the same time, at most.
    pub connections: usize,
    /// Whether each request has a connection of its own, without resumption of an earlier one's TLS session.
    pub connection_for_each: bool,
    /// Events of a request, at most.
    pub batch: usize,
    /// Decides the random moments of a herd.
    pub seed: u64,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// What is being done.
    pub what: &'static str,
    /// So much of it is done.
    pub done: usize,
    /// So much is to be done, at most.
    pub all: usize,
}

/// Makes the requests, sends them, and tells what came of it. Afterwards the terminals know what they have sent: they can
/// be used again.
///
/// # Errors
/// When the plan cannot be carried out with these terminals, or no thread can be had.
pub fn run(
    server: &Server,
    terminals: &mut [Terminal],
    plan: &Plan,
    progress: &(dyn Fn(Step) + Sync),
) -> anyhow::Result<Report> {
    check(plan, terminals.len())?;
    let begun = Instant::now();
    let (backlog, fresh) = match plan.shape {
        Shape::Recovery { fresh_terminals, .. } => terminals.split_at_mut(terminals.len() - fresh_terminals),
        Shape::Rate { .. } | Shape::Maximum { .. } | Shape::Herd { .. } => (terminals, &mut [][..]),
    };
    let head = server.head(plan.connection_for_each);
    let main = request::make(backlog, count(plan, backlog.len()), &batches(plan), &head, progress)?;
    let fresh_head = server.head(false);
    let beside = request::make(fresh, fresh_count(plan, backlog.len()), &[1], &fresh_head, progress)?;
    let preparation = Preparation::of(&[&main, &beside], begun.elapsed());
    let (main, beside) = lanes(server, plan, main, beside)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().thread_name("load").enable_all().build()?;
    let report = runtime.block_on(drive(&main, beside.as_ref(), preparation, progress))?;
    main.settle(backlog);
    if let Some(lane) = &beside {
        lane.settle(fresh);
    }
    Ok(report)
}

fn check(plan: &Plan, terminals: usize) -> anyhow::Result<()> {
    ensure!(terminals > 0, "there must be at least one terminal");
    ensure!(plan.connections > 0, "there must be at least one connection");
    ensure!(
        (1..=BATCH_EVENTS_MAX).contains(&plan.batch),
        "a batch has 1 to {BATCH_EVENTS_MAX} events, not {}",
        plan.batch
    );
    if let Shape::Recovery { fresh_terminals, .. } = plan.shape {
        ensure!(
            fresh_terminals < terminals,
            "{terminals} terminals are too few: {fresh_terminals} of them send fresh punches"
        );
    }
    Ok(())
}

/// How many requests are made ready.
fn count(plan: &Plan, terminals: usize) -> usize {
    match plan.shape {
        Shape::Rate { per_second, seconds } => whole(per_second * seconds).max(1),
        Shape::Maximum { seconds } => {
            let per_second = REQUESTS_PER_SECOND_MAX.min(EVENTS_PER_SECOND_MAX / plan.batch as f64);
            whole(per_second * seconds).max(plan.connections)
        }
        Shape::Herd { .. } => terminals,
        Shape::Recovery { backlog, .. } => terminals * backlog.div_ceil(plan.batch),
    }
}

/// Events of the requests of a terminal, in turn.
fn batches(plan: &Plan) -> Vec<usize> {
    match plan.shape {
        Shape::Rate { .. } | Shape::Maximum { .. } => vec![plan.batch],
        Shape::Herd { .. } => vec![1],
        Shape::Recovery { backlog, .. } => {
            (0..backlog).step_by(plan.batch).map(|begin| plan.batch.min(backlog - begin)).collect()
        }
    }
}

fn fresh_count(plan: &Plan, terminals: usize) -> usize {
    let Shape::Recovery { backlog, fresh_per_second, .. } = plan.shape else { return 0 };
    let seconds = (terminals * backlog) as f64 / RECOVERY_EVENTS_PER_SECOND_MIN + 2.0;
    whole(seconds * fresh_per_second).max(1)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "requests of a run fit in memory"
)]
fn whole(number: f64) -> usize {
    number.round() as usize
}

fn lanes(
    server: &Server,
    plan: &Plan,
    main: Vec<Request>,
    beside: Vec<Request>,
) -> anyhow::Result<(Arc<Lane>, Option<Arc<Lane>>)> {
    let chance = &mut Chance::new(plan.seed, u64::MAX);
    let (pace, length) = match plan.shape {
        Shape::Rate { per_second, .. } => (Pace::Steady { per_second }, None),
        Shape::Maximum { seconds } => (Pace::AsAnswered, Some(Duration::from_secs_f64(seconds))),
        Shape::Herd { seconds } => (Pace::spread(main.len(), Duration::from_secs_f64(seconds), chance), None),
        Shape::Recovery { .. } => (Pace::AsAnswered, None),
    };
    let of_main = Lane::new(server.clone(), pace, main, plan.connections, plan.connection_for_each, length)?;
    let of_fresh = match plan.shape {
        Shape::Recovery { fresh_per_second, .. } => {
            let pace = Pace::Steady { per_second: fresh_per_second };
            Some(Arc::new(Lane::new(server.clone(), pace, beside, FRESH_CONNECTIONS, false, None)?))
        }
        Shape::Rate { .. } | Shape::Maximum { .. } | Shape::Herd { .. } => None,
    };
    Ok((Arc::new(of_main), of_fresh))
}

/// Sends on both lanes; the fresh punches end with the recovery.
async fn drive(
    main: &Arc<Lane>,
    beside: Option<&Arc<Lane>>,
    preparation: Preparation,
    progress: &(dyn Fn(Step) + Sync),
) -> anyhow::Result<Report> {
    http::raise_file_limit();
    main.connect().await?;
    if let Some(lane) = beside {
        lane.connect().await?;
    }
    let (begun, used_before) = (Instant::now(), processor_time());
    let fresh = beside.map(|lane| tokio::spawn(lane.clone().run(begun)));
    let mut sending = tokio::spawn(main.clone().run(begun));
    let mut ticks = tokio::time::interval(PROGRESS);
    let tally = loop {
        tokio::select! {
            done = &mut sending => break done.context("a sender has panicked")??,
            _ = ticks.tick() => progress(Step { what: "sending", done: main.taken(), all: main.len() }),
        }
    };
    let elapsed = begun.elapsed();
    progress(Step { what: "sending", done: main.len(), all: main.len() });
    let mut fresh_figures = None;
    if let (Some(lane), Some(fresh)) = (beside, fresh) {
        lane.is_over.store(true, Ordering::Relaxed);
        let of_fresh = fresh.await.context("a sender has panicked")??;
        fresh_figures = Some((Figures::of(&of_fresh, begun.elapsed(), lane.planned_per_second()), of_fresh));
    }
    let used = processor_time().saturating_sub(used_before);
    let mut generator = Generator::of(&tally, used);
    if let Some((_, of_fresh)) = &fresh_figures {
        generator = generator.and(of_fresh);
    }
    generator.prepared_ran_out = main.ran_out(elapsed);
    Ok(Report {
        main: Figures::of(&tally, elapsed, main.planned_per_second()),
        fresh: fresh_figures.map(|(figures, _)| figures),
        preparation,
        generator,
    })
}

/// Processor time of this process.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or(0);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), nanoseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(shape: Shape, batch: usize) -> Plan {
        Plan { shape, connections: 8, connection_for_each: false, batch, seed: 1 }
    }

    #[test]
    fn as_many_requests_are_made_as_the_shape_needs() {
        assert_eq!(count(&plan(Shape::Rate { per_second: 100.0, seconds: 2.5 }, 1), 3), 250);
        assert_eq!(count(&plan(Shape::Maximum { seconds: 2.0 }, 1), 3), 80_000);
        assert_eq!(count(&plan(Shape::Maximum { seconds: 2.0 }, 100), 3), 4_000);
        assert_eq!(count(&plan(Shape::Herd { seconds: 2.0 }, 1), 3), 3);
    }

    #[test]
    fn a_backlog_is_cut_into_batches_and_nothing_is_left() {
        let shape = Shape::Recovery { backlog: 25, fresh_per_second: 10.0, fresh_terminals: 1 };
        let plan = plan(shape, 10);
        assert_eq!(batches(&plan), [10, 10, 5]);
        assert_eq!(count(&plan, 4), 12);
        assert_eq!(fresh_count(&plan, 4), 21, "for a little more than two seconds");
    }

    #[test]
    fn what_cannot_be_carried_out_is_refused() {
        let shape = Shape::Recovery { backlog: 1, fresh_per_second: 1.0, fresh_terminals: 2 };
        assert!(check(&plan(shape, 1), 2).is_err(), "nobody is left for the outage");
        check(&plan(shape, 1), 3).unwrap();
        assert!(
            check(&plan(Shape::Herd { seconds: 1.0 }, 101), 2).is_err(),
            "a batch of the wire has a limit"
        );
        assert!(check(&plan(Shape::Herd { seconds: 1.0 }, 1), 0).is_err());
    }
}
