//! Who sends a batch: asked for many at once.
//!
//! A node asks for a terminal when it first hears of it. At nine o'clock that is everybody, and a read of one's own for each
//! costs more than the answer: a thread, a connection of the pool, on PostgreSQL two round trips. So whoever asks while a
//! read is under way is asked for by the next one, together with all others who came meanwhile. Who comes alone waits for
//! nobody.

use std::sync::{Mutex, PoisonError};

use mngntime_model::TerminalId;
use tokio::sync::oneshot;

use super::{SqlStore, Work, rows};
use crate::ContractId;
use crate::ports::{Answer, Sender};
use crate::sql::{Connection, Many};

/// Terminals that are asked for at once.
const AT_ONCE_MAX: usize = 256;

const OPERATION: &str = "look up the sender of a batch";

const SENDER: &str = "SELECT c.id, t.public_key FROM contracts c
    LEFT JOIN terminals t ON t.contract_id = c.id AND t.id = ?2 WHERE c.code = ?1";

/// Those who wait to be asked for.
#[derive(Debug, Default)]
pub(super) struct Identifying(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    asked: Vec<(Name, oneshot::Sender<Sender>)>,
    is_reading: bool,
}

/// How a sender calls himself.
#[derive(Debug, Clone)]
struct Name {
    contract: String,
    terminal: String,
}

impl Identifying {
    /// Puts one more among them; whether nobody is reading who will take it along.
    fn add(&self, name: Name, answer: oneshot::Sender<Sender>) -> bool {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.asked.push((name, answer));
        !std::mem::replace(&mut waiting.is_reading, true)
    }

    /// The next ones; with none, the reading is over.
    fn next(&self) -> Option<Vec<(Name, oneshot::Sender<Sender>)>> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = waiting.asked.len().min(AT_ONCE_MAX);
        waiting.is_reading = count > 0;
        (count > 0).then(|| waiting.asked.drain(..count).collect())
    }
}

impl SqlStore {
    /// Who calls himself so.
    pub(super) async fn identify_among_others(&self, contract: &str, terminal: &str) -> Answer<Sender> {
        let name = Name { contract: contract.to_owned(), terminal: terminal.to_owned() };
        let (answer, answered) = oneshot::channel();
        if self.identifying.add(name.clone(), answer) {
            tokio::spawn(self.clone().identify_those_who_wait());
        }
        if let Ok(sender) = answered.await {
            return Ok(sender);
        }
        // The common read has failed; one's own says why.
        let mut found = self.read(OPERATION, move |connection| identify(connection, &[name])).await?;
        Ok(found.pop().unwrap_or(Sender::UnknownContract))
    }

    async fn identify_those_who_wait(self) {
        while let Some(asked) = self.identifying.next() {
            let (names, answers): (Vec<Name>, Vec<_>) = asked.into_iter().unzip();
            let found = self.read(OPERATION, move |connection| identify(connection, &names)).await;
            for (sender, answer) in found.into_iter().flatten().zip(answers) {
                // Whoever has gone meanwhile needs no answer.
                answer.send(sender).ok();
            }
        }
    }
}

/// Who they are, in their order.
fn identify(connection: &Connection, names: &[Name]) -> Work<Vec<Sender>> {
    let ids: Vec<_> = names.iter().map(|name| TerminalId::parse(&name.terminal).ok()).collect();
    let bytes: Vec<_> =
        ids.iter().map(|id| id.as_ref().map(rows::terminal_bytes).transpose()).collect::<Work<_>>()?;
    let many = Many::default()
        .texts(names.iter().map(|name| name.contract.as_str()))
        // No terminal has an empty id.
        .blobs(bytes.iter().map(|bytes| bytes.as_ref().map_or(&[][..], |bytes| &bytes[..])));
    let mut found = vec![Sender::UnknownContract; names.len()];
    connection.query_many(SENDER, &many, |asked, row| {
        let contract = ContractId(row.get(0)?);
        found[asked] = match (row.get::<_, Option<String>>(1)?, ids[asked]) {
            (Some(public_key), Some(terminal)) => Sender::Known { contract, terminal, public_key },
            _ => Sender::UnknownTerminal,
        };
        Work::Ok(())
    })?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_comes_during_a_read_is_taken_along_by_the_next() {
        let identifying = Identifying::default();
        let add = |terminal: usize| {
            let name = Name { contract: "demo".to_owned(), terminal: terminal.to_string() };
            identifying.add(name, oneshot::channel().0)
        };
        assert!(add(0), "the first one reads");
        assert_eq!(identifying.next().map(|asked| asked.len()), Some(1));
        assert!((1..=AT_ONCE_MAX + 1).all(|number| !add(number)), "somebody reads");
        assert_eq!(identifying.next().map(|asked| asked.len()), Some(AT_ONCE_MAX));
        assert_eq!(identifying.next().map(|asked| asked[0].0.terminal.clone()), Some("257".to_owned()));
        assert!(identifying.next().is_none());
        assert!(add(0), "nobody reads any more");
    }
}
