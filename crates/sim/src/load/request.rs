//! Requests, made and signed before the clock starts.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::anyhow;
use mngntime_ledger::Digest;
use mngntime_model::UtcMillis;
use mngntime_wire::{Context, Signed};

use super::Step;
use super::terminal::{Chain, Terminal};

/// Terminals that a thread takes at a time.
const PORTION: usize = 64;

/// A request on the wire.
pub(super) struct Request {
    /// Head and body.
    pub(super) bytes: Vec<u8>,
    /// Bytes of the body.
    pub(super) body_bytes: usize,
    /// Events in it.
    pub(super) events: usize,
    /// What its receipt must name.
    pub(super) digest: Digest,
    /// Where the terminal's chain is before it.
    pub(super) before: Chain,
    /// And after it.
    pub(super) after: Chain,
}

/// `count` requests in which the terminals take turns; each one's have so many events, in turn. Request `n` is of terminal
/// `n` modulo their number.
pub(super) fn make(
    terminals: &mut [Terminal],
    count: usize,
    batches: &[usize],
    head: &str,
    progress: &(dyn Fn(Step) + Sync),
) -> anyhow::Result<Vec<Request>> {
    if terminals.is_empty() {
        return Ok(Vec::new());
    }
    let (each, rest) = (count / terminals.len(), count % terminals.len());
    let all = terminals.len();
    let done = AtomicUsize::new(0);
    let mut portions: Vec<(usize, Vec<&mut Terminal>)> = Vec::new();
    for (number, terminal) in terminals.iter_mut().enumerate() {
        if number % PORTION == 0 {
            portions.push((number, Vec::with_capacity(PORTION)));
        }
        if let Some((_, portion)) = portions.last_mut() {
            portion.push(terminal);
        }
    }
    let waiting = std::sync::Mutex::new(portions);
    let work = || -> anyhow::Result<Vec<(usize, Vec<Request>)>> {
        let mut made = Vec::new();
        loop {
            let next = waiting.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop();
            let Some((begin, portion)) = next else { return Ok(made) };
            for (number, terminal) in portion.into_iter().enumerate().map(|(n, it)| (begin + n, it)) {
                let count = each + usize::from(number < rest);
                made.push((number, of_terminal(terminal, count, batches, head)?));
                let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                progress(Step { what: "signing", done, all });
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let parts = thread::scope(|scope| {
        let working: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        working
            .into_iter()
            .map(|thread| thread.join().map_err(|_| anyhow!("a thread that signs has panicked"))?)
            .collect::<anyhow::Result<Vec<_>>>()
    })?;
    Ok(in_turns(parts.into_iter().flatten().collect(), count))
}

fn of_terminal(
    terminal: &mut Terminal,
    count: usize,
    batches: &[usize],
    head: &str,
) -> anyhow::Result<Vec<Request>> {
    batches.iter().cycle().take(count).map(|events| request(terminal, *events, head)).collect()
}

fn request(terminal: &mut Terminal, events: usize, head: &str) -> anyhow::Result<Request> {
    let now = UtcMillis(jiff::Timestamp::now().as_millisecond());
    let before = terminal.chain;
    let batch = terminal.next_batch(events, now)?;
    let envelope = Signed::seal(Context::Batch, &batch, terminal.key())?;
    let digest = envelope.payload_digest();
    let body = envelope.to_json()?;
    let bytes = format!("{head}{}\r\n\r\n{body}", body.len()).into_bytes();
    Ok(Request { bytes, body_bytes: body.len(), events, digest, before, after: terminal.chain })
}

/// The first of each terminal, then the second of each, and so on.
fn in_turns(mut of_terminals: Vec<(usize, Vec<Request>)>, count: usize) -> Vec<Request> {
    of_terminals.sort_unstable_by_key(|(number, _)| *number);
    let mut queues: Vec<_> = of_terminals.into_iter().map(|(_, requests)| requests.into_iter()).collect();
    let mut all = Vec::with_capacity(count);
    while all.len() < count {
        let before = all.len();
        all.extend(queues.iter_mut().filter_map(Iterator::next));
        if all.len() == before {
            break;
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use mngntime_wire::{Batch, EncodedEvent};

    #[test]
    fn terminals_take_turns_and_every_request_is_signed_and_continues_a_chain() {
        let mut terminals: Vec<_> = (0..150).map(|n| Terminal::new(3, n, "demo").unwrap()).collect();
        let requests = make(&mut terminals, 400, &[2, 1], "HEAD ", &|_| {}).unwrap();
        assert_eq!(requests.len(), 400);
        for (index, request) in requests.iter().enumerate() {
            let terminal = &terminals[index % 150];
            let text = std::str::from_utf8(&request.bytes).unwrap();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            assert_eq!(head, format!("HEAD {}", request.body_bytes));
            let envelope = Signed::parse(body.as_bytes()).unwrap();
            envelope.check(Context::Batch, &terminal.key().public()).unwrap();
            assert_eq!(envelope.payload_digest(), request.digest);
            let batch: Batch = envelope.peek().unwrap();
            let round = index / 150;
            assert_eq!((batch.events.len(), request.events), ([2, 1, 2][round], [2, 1, 2][round]));
            let first = EncodedEvent::decode(batch.events[0].event.get()).unwrap();
            assert_eq!(first.event.sequence, [1, 3, 4][round]);
            assert_eq!(batch.makeup, terminal.makeup());
        }
        assert!(make(&mut [], 0, &[1], "", &|_| {}).unwrap().is_empty());
    }
}
