//! One line out of many statements: at each moment the worst of those that are about it.
//!
//! All beginnings and ends are sorted once; between two of them it is enough to count which reasons are open. Twelve
//! counters stand in for the statements, however many lie over each other.

use mngntime_model::UtcMillis;

use super::{Part, Why};

/// Adds a stretch that follows the last one; the same reason goes on.
pub(super) fn push(parts: &mut Vec<Part>, part: Part) {
    match parts.last_mut().filter(|last| last.why == part.why) {
        Some(last) => last.to = part.to,
        None => parts.push(part),
    }
}

/// What the statements say together, from the first beginning to the last end. Of two about the same time the worse one
/// counts; where there is none, nothing was heard.
pub(super) fn worst_of(statements: &[Part]) -> Vec<Part> {
    let mut reasons = Why::ALL;
    reasons.sort_unstable_by_key(|why| (why.state(), *why));
    let rank = |why: Why| reasons.iter().position(|reason| *reason == why).unwrap_or_default();
    let edges = |part: &Part| {
        let rank = rank(part.why);
        [(part.from, rank, true), (part.to, rank, false)]
    };
    let mut edges: Vec<(UtcMillis, usize, bool)> = statements.iter().flat_map(edges).collect();
    edges.sort_unstable();
    let (mut open, mut known) = ([0_u64; Why::ALL.len()], Vec::new());
    let mut since = edges.first().map(|(time, ..)| *time);
    for (time, rank, begins) in edges {
        if let Some(from) = since.filter(|from| *from < time) {
            let worst = open.iter().rposition(|count| *count > 0);
            push(&mut known, Part { from, to: time, why: worst.map_or(Why::Silent, |rank| reasons[rank]) });
            since = Some(time);
        }
        // Beginnings and ends of one moment are counted before anything is said about the time after it; an end may
        // come before the beginning that stands at the same moment, but never before its own.
        open[rank] = if begins { open[rank] + 1 } else { open[rank].saturating_sub(1) };
    }
    known
}
