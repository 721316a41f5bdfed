//! What in a database was signed or noted, compared with what it says now.

use std::cell::Cell;
use std::path::Path;
use std::time::{Duration, Instant};

use mngntime_evidence::format::{Numbers, Terminal};
use mngntime_evidence::verify::{FaultKind, contradictions};
use mngntime_store::sqlite::backup::{
    Contents, Fault, Noted, NotedTerminal, ToldHead, Watcher, check, noted,
};
use mngntime_store::{LeafPlace, StoredEntry, Tree};
use mngntime_wire::{Context, LogHead, LogTree, PublicKey, Signed};

use crate::evidence::link_line;

/// How long a check is silent, at first and between two words.
const SILENCE: Duration = Duration::from_secs(2);

/// Checks the database of a backup; says on the terminal how far it is when it takes long.
pub(crate) fn check_database(path: &Path, key: &PublicKey) -> Result<Contents, Fault> {
    let told = Cell::new(Instant::now());
    let read = |read: u64, leaves: u64| {
        if told.get().elapsed() >= SILENCE {
            eprintln!("checking the log: {read} of {leaves} entries");
            told.set(Instant::now());
        }
    };
    check(path, Watcher { is_signed: &|told| is_signed(told, key), read: &read })
}

/// Whether the server's key signed the head, and nothing else than what is kept of it.
pub(crate) fn is_signed(told: ToldHead<'_>, key: &PublicKey) -> bool {
    let tree =
        |tree: &Tree| LogTree { month: tree.month.clone(), size: tree.size, root: tree.root.to_string() };
    let says = || {
        let envelope = Signed::parse(told.head.envelope.as_bytes()).ok()?;
        envelope.check(Context::LogHead, key).ok()?;
        envelope.peek::<LogHead>().ok()
    };
    says().is_some_and(|head| {
        head == LogHead {
            v: 1,
            contract: told.contract.to_owned(),
            tree: tree(&told.head.tree),
            closed: told.head.closed,
            previous: told.previous.map(tree),
            heads: head.heads.and(told.number.or(head.heads)),
            signed_at: told.head.signed_at.0,
        }
    })
}

/// The first key or link that is not as the audit log tells.
pub(super) fn not_as_noted(path: &Path) -> Result<Option<String>, Fault> {
    let first = |noted: Noted| -> Option<FaultKind> {
        let entry = |entry: &StoredEntry| (entry.place.month.clone(), entry.place.leaf);
        let entries = noted.entries.iter().map(|stored| (&stored.record, entry(stored)));
        let links: Vec<_> = noted.links.into_iter().map(link_line).collect();
        let terminals: Vec<_> = noted.terminals.into_iter().map(terminal).collect();
        contradictions(entries, &links, &terminals).into_iter().next()
    };
    let found = noted(path)?.into_iter().find_map(first);
    Ok(found.map(|found| {
        if let FaultKind::NotAsNoted { kind, id } = found {
            format!("{} {id}", kind.name())
        } else {
            format!("{found:?}")
        }
    }))
}

fn terminal(noted: NotedTerminal) -> (Terminal, Option<(String, u64)>) {
    let first = noted.first_event.map(|LeafPlace { month, leaf }| (month, leaf));
    let terminal = Terminal {
        id: noted.id.to_string(),
        host_name: noted.host_name,
        public_key: noted.public_key,
        key_class: noted.key_class,
        enrolled_at: noted.enrolled_at.0,
        last_contact_at: None,
        marks: None,
        numbers: Numbers { first: 1, last: 1 },
    };
    (terminal, first)
}
