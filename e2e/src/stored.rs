//! What a server has really stored: its database, read past the server.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use mngntime_ledger::Digest;
use rusqlite::Connection;
use serde_json::Value;

use crate::terminal::Terminal;

/// Every stored event of a data directory.
pub struct Stored(BTreeMap<(String, u64), String>);

impl Stored {
    /// Reads the database of `data`; fails when SQLite's own check finds a fault or an event is not what its
    /// digest says.
    ///
    /// # Errors
    /// Naming what is wrong.
    pub fn read(data: &Path) -> Result<Self> {
        let path = data.join("mngntime.db");
        let connection =
            Connection::open(&path).with_context(|| format!("cannot open {}", path.display()))?;
        let said: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
        ensure!(said == "ok", "the database is damaged: {said}");
        let mut events = connection.prepare("SELECT hex(terminal_id), seq, json, hash FROM events")?;
        let mut rows = events.query([])?;
        let mut stored = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let (terminal, sequence, json): (String, u32, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let digest = Digest::of(json.as_bytes());
            ensure!(
                row.get_ref(3)?.as_blob()? == digest.as_bytes(),
                "event {sequence} of {terminal} was altered"
            );
            let doubled = stored.insert((terminal.to_lowercase(), u64::from(sequence)), json);
            ensure!(doubled.is_none(), "event {sequence} of {terminal} is stored twice");
        }
        Ok(Self(stored))
    }

    /// How many events there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every event that `terminal` holds a receipt for is here, with its bytes.
    ///
    /// # Errors
    /// Naming the first that is not.
    pub fn holds_all_receipted(&self, terminal: &Terminal) -> Result<()> {
        self.holds_receipted(terminal, usize::MAX)
    }

    /// The first `count` events that `terminal` holds a receipt for are here, with their bytes.
    ///
    /// # Errors
    /// Naming the first that is not.
    pub fn holds_receipted(&self, terminal: &Terminal, count: usize) -> Result<()> {
        let id = terminal.id().replace('-', "");
        for (sequence, event) in terminal.receipted.iter().take(count) {
            let json = self.0.get(&(id.clone(), *sequence));
            let json = json.with_context(|| format!("event {sequence} of {id} has a receipt and is lost"))?;
            ensure!(*json == event.json, "event {sequence} of {id} has other bytes");
        }
        Ok(())
    }

    /// Kind and JSON of every event, in each terminal's own order.
    ///
    /// # Errors
    /// When one is no JSON.
    pub fn events(&self) -> Result<Vec<Value>> {
        self.0.values().map(|json| Ok(serde_json::from_str(json)?)).collect()
    }

    /// The events of each terminal are numbered from 1 without a hole, and each names the one before it: nothing
    /// that a PC has ever sent was forgotten there.
    ///
    /// # Errors
    /// Naming the first that does not fit.
    pub fn is_whole(&self) -> Result<()> {
        let mut before = ("", 0, Digest::GENESIS);
        for ((terminal, sequence), json) in &self.0 {
            if before.0 != terminal {
                before = (terminal, 0, Digest::GENESIS);
            }
            let event: Value = serde_json::from_str(json)?;
            ensure!(*sequence == before.1 + 1, "{terminal}: after event {} comes {sequence}", before.1);
            ensure!(
                event["prev"] == before.2.to_string(),
                "{terminal}: event {sequence} follows another than is here"
            );
            before = (terminal, *sequence, Digest::of(json.as_bytes()));
        }
        Ok(())
    }

    /// Stays that have not exactly one logon and one logoff, with how many they have.
    ///
    /// # Errors
    /// When an event is no JSON.
    pub fn unpaired(&self) -> Result<Vec<(String, [u32; 2])>> {
        let mut stays = BTreeMap::<String, [u32; 2]>::new();
        for event in self.events()? {
            let place = match event["kind"].as_str() {
                Some("logon") => 0,
                Some("logoff") => 1,
                _ => continue,
            };
            stays.entry(format!("{} {}", event["session"], event["account"]["key"])).or_default()[place] += 1;
        }
        Ok(stays.into_iter().filter(|(_, counts)| *counts != [1, 1]).collect())
    }
}
