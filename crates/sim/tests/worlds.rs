//! Worlds against the real server: a fixed set of seeds, and that a seed is a story.
//!
//! Play one seed again, with its whole story in a file, by
//! `WORLD_SEED=17 cargo nextest run -p mngntime-sim --test worlds one_world`.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "worlds/server.rs"]
mod server;

use std::fs;
use std::path::{Path, PathBuf};

use mngntime_agent::transport::Reply;
use mngntime_model::UtcMillis;
use mngntime_sim::world::crash_points::{Thoroughness, enumerate};
use mngntime_sim::world::{Failure, Plan, Report, ServerSide, Site, play};
use server::RealServer;

fn played(seed: u64, plan: &Plan) -> Result<Report, Box<Failure>> {
    let mut server = RealServer::start().unwrap();
    let report = play(seed, plan, &mut server)?;
    // Whatever happened to the PCs and to the server: what it can show for it contradicts itself nowhere.
    server.prove().unwrap_or_else(|fault| panic!("the pack of world {seed}: {fault:#}"));
    Ok(report)
}

/// Writes the story of a failure where a person finds it.
fn kept(failure: &Failure) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("world-{}.log", failure.seed));
    let story = format!("{failure}\n\n{}\n{failure}\n", failure.story.join("\n"));
    fs::write(&path, story).unwrap();
    path
}

fn holds(seed: u64, plan: &Plan) -> Report {
    played(seed, plan).unwrap_or_else(|failure| {
        panic!(
            "{failure}\nstory: {}\nagain: WORLD_SEED={seed} cargo nextest run -p mngntime-sim --test worlds one_world",
            kept(&failure).display()
        )
    })
}

#[test]
fn one_world_holds() {
    let seed = std::env::var("WORLD_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let plan = if std::env::var_os("WORLD_LONG").is_some() { Plan::long() } else { Plan::short() };
    println!("{:#?}", holds(seed, &plan));
}

/// The seeds of every build. The long run (`cargo xtask soak`) plays as many others as there is time for.
fn seeds_hold(seeds: std::ops::RangeInclusive<u64>) {
    let events: u64 = seeds.map(|seed| holds(seed, &Plan::short()).events).sum();
    assert!(events > 200, "{events} events are no worlds");
}

#[test]
fn worlds_1_to_8_hold() {
    seeds_hold(1..=8);
}

#[test]
fn worlds_9_to_16_hold() {
    seeds_hold(9..=16);
}

/// Seeds whose worlds showed a fault of the product once. Each change of the product may change their stories.
#[test]
fn worlds_that_found_a_fault_hold() {
    for seed in [54, 69, 95, 121, 1056, 1079, 1152, 1166, 2036, 2050] {
        holds(seed, &Plan::short());
    }
}

#[test]
fn a_seed_is_a_story_to_the_last_line() {
    let (once, again) = (holds(9, &Plan::short()), holds(9, &Plan::short()));
    assert_eq!(once, again, "its digest is that of all lines");
    assert_ne!(once.digest, holds(1, &Plan::short()).digest);
}

/// Number and bytes of an event.
type Held = (u64, String);

/// A server that does something to what it holds.
struct Unfaithful {
    server: RealServer,
    shows: fn(Held) -> Option<Held>,
}

impl ServerSide for Unfaithful {
    fn site(&self) -> Site {
        self.server.site()
    }

    fn post(&mut self, path: &str, body: &str, now: UtcMillis) -> anyhow::Result<Reply> {
        self.server.post(path, body, now)
    }

    fn restart(&mut self) -> anyhow::Result<()> {
        self.server.restart()
    }

    fn keep_copy(&mut self) -> anyhow::Result<()> {
        self.server.keep_copy()
    }

    fn put_back(&mut self) -> anyhow::Result<()> {
        self.server.put_back()
    }

    fn stored(&mut self, terminal: &str, first: u64, last: u64) -> anyhow::Result<Vec<(u64, String)>> {
        let stored = self.server.stored(terminal, first, last)?;
        Ok(stored.into_iter().filter_map(self.shows).collect())
    }

    fn is_marked(&mut self, terminal: &str) -> anyhow::Result<bool> {
        self.server.is_marked(terminal)
    }
}

/// The checker is worth something: it sees a server that loses an event and one that rewrites it.
#[test]
fn a_server_that_loses_or_rewrites_an_event_is_seen() {
    let loses = |(number, json): Held| (number != 2).then_some((number, json));
    let rewrites = |(number, json): Held| Some((number, json.replace("logon", "logoff")));
    for shows in [loses as fn(_) -> _, rewrites] {
        let mut server = Unfaithful { server: RealServer::start().unwrap(), shows };
        let failure = play(1, &Plan::short(), &mut server).unwrap_err();
        assert!(failure.assertion.starts_with("P8"), "{failure}");
        assert!(failure.story.len() > 10 && failure.step > 0);
    }
}

#[test]
fn every_crash_point_of_every_short_workload_keeps_what_was_promised() {
    let thoroughness = Thoroughness { operations_max: 3, kinds: 4, stride_bytes: 127 };
    let counted = enumerate(thoroughness).unwrap_or_else(|what| panic!("{what}"));
    println!("{counted:?}");
    assert_eq!(counted.workloads, 4 + 16 + 64);
    assert!(counted.crash_points > 300 && counted.states > 10 * counted.crash_points, "{counted:?}");
}
