//! What the steps of a punch that take the processor cost by themselves, each alone on one thread.

use std::hint::black_box;
use std::time::Instant;

use anyhow::{Context as _, Result};
use mngntime_model::UtcMillis;
use mngntime_sim::load::Terminal;
use mngntime_wire::{Batch, Context, EncodedEvent, PublicKey, Signed};

use super::super::figure::Figure;
use super::super::setting::Bench;

/// Bodies of one look.
const BODIES: usize = 2_000;

pub fn alone(bench: &Bench) -> Result<Vec<Figure>> {
    let mut terminal = Terminal::new(1, 1_000_000, "office0")?;
    let key = terminal.key().public();
    let batches: Vec<Batch> =
        (0..BODIES).map(|_| terminal.next_batch(1, UtcMillis(1_764_000_000_000))).collect::<Result<_>>()?;
    let envelopes: Vec<Signed> = batches
        .iter()
        .map(|batch| Signed::seal(Context::Batch, batch, terminal.key()).context("could not sign"))
        .collect::<Result<_>>()?;
    let bodies: Vec<String> = envelopes.iter().map(Signed::to_json).collect::<Result<_, _>>()?;
    let events: Vec<&str> =
        batches.iter().filter_map(|batch| batch.events.first()).map(|item| item.event.get()).collect();
    let text = key.to_string();
    let each = |name: &str, work: &dyn Fn(usize)| {
        let runs: Vec<f64> = (0..bench.runs).map(|_| micros(work)).collect();
        Figure::of(format!("{name}, alone"), "µs", &runs)
    };
    let size = bodies.iter().map(String::len).sum::<usize>() as f64 / BODIES as f64;
    Ok(vec![
        Figure::of("body of a request with one event", "bytes", &[size]),
        each("parse envelope and batch", &|n| {
            drop(black_box(Signed::parse(bodies[n].as_bytes()).and_then(|it| it.peek::<Batch>())));
        }),
        each("read the event", &|n| drop(black_box(EncodedEvent::decode(events[n])))),
        each("check the signature", &|n| drop(black_box(envelopes[n].check(Context::Batch, &key)))),
        each("read the key's text", &|_| drop(black_box(PublicKey::parse(&text)))),
        each("sign a receipt", &|n| {
            drop(black_box(Signed::seal(Context::Receipt, &batches[n], terminal.key())));
        }),
    ])
}

/// Microseconds of one call.
fn micros(work: &dyn Fn(usize)) -> f64 {
    let begun = Instant::now();
    (0..BODIES).for_each(work);
    begun.elapsed().as_secs_f64() * 1e6 / BODIES as f64
}
