//! Writing the record.
//!
//! The heads are read first, and everything afterwards is about these trees: what arrives meanwhile is left out. (A
//! link ended or a terminal enrolled again within this moment contradicts its entries, which are not in these trees:
//! the pack is then refused by its own check, and made by the next attempt; so is one whose month was retired within
//! it.) The entries of the audit log come before the terminals. Two passes: the first finds which earlier trees the receipts name (of a pack by
//! dates after one that widens its numbers to whole batches), the second writes the terminals one after the
//! other, so that no more than one terminal is in memory; of one employee's terminals the shown events stay there for the
//! summary. Every line is read by the verifier as it is written, so that the
//! summary can say what whoever checks the record will be told.

mod judged;
mod shown;
mod whole;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use mngntime_attendance::completeness::{RULES_VERSION, Received, put_right};
use mngntime_evidence::Verifier;
use mngntime_evidence::format::{
    self, Account, AuditLine, Batch, Earlier, Employee, End, EventLine, Head, Hidden, Line, Numbers, Pack,
    Rules,
};
use mngntime_ledger::Digest;
use mngntime_ledger::frame::Frame;
use mngntime_model::UtcMillis;
use mngntime_store::{
    Contract, EvidencePeople, EvidenceScope, EvidenceTerminal, LeafPlace, RetiredMonth, SignedHead, Store,
    StoreError, StoredEntry, judge,
};
use mngntime_wire::{InvalidEvent, LogTree, PublicKey, Receipt, Signed};
use sha2::{Digest as _, Sha256};

use super::chosen::{Chosen, subject};
use super::part::{Part, read};
use super::placing::{place, retired_line, texts};
pub use super::written::{Written, WrittenTerminal};
use super::{Dates, link_line, marks, remarks, span, text};
use crate::days;

/// Events read in one go.
const EVENTS_PER_READ: usize = 2_000;

/// Entries of the audit log read in one go.
const ENTRIES_PER_READ: usize = 2_000;

/// What a pack is to be about.
#[derive(Debug, Clone)]
pub struct Request {
    /// The contract.
    pub contract: Contract,
    /// Code of one employee; absent: everybody.
    pub employee: Option<String>,
    /// From when to when; absent: all time.
    pub dates: Option<Dates>,
    /// The server's public key, as text.
    pub server_key: String,
    /// When it is made.
    pub made_at: UtcMillis,
    /// Until when a night belongs to the day before, in minutes after midnight, where the contract has chosen nothing.
    pub day_boundary_minutes: u32,
}

impl Request {
    /// Until when a night belongs to the day before, in minutes after midnight.
    #[must_use]
    pub fn boundary_minutes(&self) -> u32 {
        self.contract.settings.day_begins_minutes.map_or(self.day_boundary_minutes, u32::from)
    }

    /// What the pack says of it: nothing about everybody, where nothing is hidden.
    fn night_minutes(&self) -> Option<u32> {
        self.employee.as_ref().map(|_| self.boundary_minutes())
    }
}

/// Why there is no record.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file could not be written.
    #[error("could not write the record")]
    Write(#[from] io::Error),
    /// Something has no JSON form, or stored JSON cannot be read.
    #[error("something stored has no JSON form")]
    Json(#[from] serde_json::Error),
    /// A stored event cannot be read.
    #[error("event {sequence} of terminal {terminal} cannot be read")]
    Event {
        /// Its terminal.
        terminal: String,
        /// Its number.
        sequence: u64,
        /// Why.
        #[source]
        source: InvalidEvent,
    },
    /// Nobody has this code.
    #[error("there is no employee {0} in this contract")]
    NoEmployee(String),
    /// The dates lie outside what a calendar can show.
    #[error("the dates cannot be used")]
    Dates,
    /// A month was retired while the record was written: its events would be neither shown nor called retired.
    #[error("a month was deleted by the retention rule meanwhile: try again")]
    RetiredMeanwhile,
    /// The server's public key is none.
    #[error("the server's public key cannot be read")]
    Key,
}

fn months(retired: &[RetiredMonth]) -> Vec<String> {
    retired.iter().map(|month| month.month.clone()).collect()
}

/// Writes records.
pub struct Writer<'a, W> {
    store: &'a dyn Store,
    request: &'a Request,
    people: EvidencePeople,
    heads: BTreeMap<String, SignedHead>,
    chosen: Chosen,
    /// Months that were retired when this began.
    retired: Vec<String>,
    changed_meanwhile: BTreeSet<String>,
    out: W,
    lines: u64,
    verifier: Verifier,
    hasher: Sha256,
}

impl<W> std::fmt::Debug for Writer<'_, W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("lines", &self.lines).finish_non_exhaustive()
    }
}

impl<'a, W: Write> Writer<'a, W> {
    /// Reads who and what it is about. The log must have been signed before.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn new(store: &'a dyn Store, request: &'a Request, out: W) -> Result<Self, RecordError> {
        let heads = store.log_trees(request.contract.id).await?;
        let people = store.evidence_people(request.contract.id, request.employee.clone()).await?;
        if let Some(code) = request.employee.as_ref().filter(|_| people.employees.is_empty()) {
            return Err(RecordError::NoEmployee(code.clone()));
        }
        let heads = heads.into_iter().map(|head| (head.tree.month.clone(), head)).collect();
        let (chosen, changed_meanwhile) = (Chosen::by(request), BTreeSet::new());
        let retired = months(&store.retired_months(request.contract.id).await?);
        let key = PublicKey::parse(&request.server_key).map_err(|_| RecordError::Key)?;
        let (verifier, hasher) = (Verifier::new(key), Sha256::new());
        let lines = 0;
        Ok(Self {
            store,
            request,
            people,
            heads,
            chosen,
            retired,
            changed_meanwhile,
            out,
            lines,
            verifier,
            hasher,
        })
    }

    /// Writes everything.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn write(mut self) -> Result<Written, RecordError> {
        let terminals = self.terminals().await?;
        self.write_people()?;
        let links =
            self.people.links.iter().flat_map(|link| [link.id.to_string(), link.employee_id.to_string()]);
        let ids = terminals.iter().map(|terminal| terminal.terminal.id.to_string());
        self.chosen.show(links.chain(ids));
        let entries = self.choose_entries().await?;
        let trees = self.write_log(&terminals, entries.as_deref()).await?;
        let remarks = entries.as_deref().map(remarks::of).unwrap_or_default();
        match entries {
            Some(entries) => self.write_entries(entries).await?,
            None => self.write_all_entries().await?,
        }
        let mut written = Vec::new();
        for terminal in terminals {
            let part = self.part(terminal).await?;
            if !part.events.is_empty() || !part.terminal.retired.is_empty() {
                written.push(self.write_terminal(&part).await?);
            }
        }
        let lines = self.lines;
        self.line(&Line::End(End { lines }))?;
        self.out.flush()?;
        let (changed_meanwhile, report) = (self.changed_meanwhile, self.verifier.finish());
        let retired = self.store.retired_months(self.request.contract.id).await?;
        if months(&retired) != self.retired {
            return Err(RecordError::RetiredMeanwhile);
        }
        let digest = Digest::from_bytes(self.hasher.finalize().into());
        Ok(Written {
            people: self.people,
            terminals: written,
            remarks,
            trees,
            changed_meanwhile,
            retired,
            report,
            digest,
        })
    }

    fn line(&mut self, line: &Line) -> Result<(), RecordError> {
        let text = line.to_text()?;
        self.verifier.read(&text);
        for bytes in [text.as_bytes(), b"\n"] {
            self.hasher.update(bytes);
            self.out.write_all(bytes)?;
        }
        self.lines += 1;
        Ok(())
    }

    fn scope(&self) -> Result<EvidenceScope, RecordError> {
        let accounts = self.people.accounts.iter().map(|account| account.id).collect();
        let span = self.request.dates.map(|dates| span(dates).ok_or(RecordError::Dates)).transpose()?;
        // The last night is shown to its end.
        let night_ms = i64::from(self.request.night_minutes().unwrap_or(0)) * 60_000;
        let span = span.map(|(from, until)| (from, until.plus(night_ms)));
        let accounts = self.request.employee.as_ref().map(|_| accounts);
        Ok(EvidenceScope { contract: self.request.contract.id, accounts, terminal: None, span })
    }

    /// The terminals with their numbers.
    async fn terminals(&self) -> Result<Vec<EvidenceTerminal>, RecordError> {
        let mut found = self.found_terminals().await?;
        if self.request.dates.is_some() {
            for terminal in &mut found {
                self.widen(terminal).await?;
            }
        }
        Ok(found)
    }

    /// The terminals of the punches, and those on which only the events themselves tell of the accounts: punches are made
    /// from events, and in no log.
    async fn found_terminals(&self) -> Result<Vec<EvidenceTerminal>, RecordError> {
        let scope = self.scope()?;
        let mut found = self.store.evidence_terminals(scope.clone()).await?;
        if scope.accounts.is_none() {
            return Ok(found);
        }
        let known: BTreeSet<_> = found.iter().map(|terminal| terminal.terminal.id).collect();
        let keys = self.people.accounts.iter().map(|account| account.key.clone()).collect();
        for id in self.store.terminals_of_accounts(scope.contract, keys).await? {
            if !known.contains(&id) {
                let only = EvidenceScope { accounts: None, terminal: Some(id), ..scope.clone() };
                found.extend(self.store.evidence_terminals(only).await?);
            }
        }
        found.sort_by_key(|terminal| terminal.terminal.id);
        Ok(found)
    }

    fn write_people(&mut self) -> Result<(), RecordError> {
        let request = self.request;
        self.line(&Line::Pack(Pack {
            v: format::VERSION,
            contract: request.contract.code.clone(),
            contract_name: request.contract.name.clone(),
            server_key: request.server_key.clone(),
            made_at: request.made_at.0,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            employee: request.employee.clone(),
            dates: request.dates.map(|(from, to)| [from.to_string(), to.to_string()]),
            night_minutes: request.night_minutes(),
            rules: Rules { judging: judge::RULES_VERSION, completeness: RULES_VERSION },
        }))?;
        for employee in self.people.employees.clone() {
            let active = [text(employee.active_from), text(employee.active_to)];
            self.line(&Line::Employee(Employee { code: employee.code, name: employee.name, active }))?;
        }
        for account in self.people.accounts.clone() {
            let name = |n: mngntime_store::AccountName| (n.seen_at.0, n.domain, n.name, n.upn);
            let names = account.names.into_iter().map(name).collect();
            self.line(&Line::Account(Account { key: account.key, names }))?;
        }
        for link in self.people.links.clone() {
            self.line(&Line::Link(link_line(link)))?;
        }
        Ok(())
    }

    /// Writes the heads of all months from the first one that the pack speaks of, and the earlier trees that its receipts name.
    async fn write_log(
        &mut self,
        terminals: &[EvidenceTerminal],
        entries: Option<&[StoredEntry]>,
    ) -> Result<Vec<LogTree>, RecordError> {
        let (mut months, mut earlier) = (BTreeSet::new(), BTreeMap::new());
        for terminal in terminals {
            let part = self.part(terminal.clone()).await?;
            months.extend(part.events.iter().map(|event| event.place.month.clone()));
            for (_, receipt) in self.receipts(&part).await? {
                if let Some(tree) = receipt.log.filter(|tree| self.heads.contains_key(&tree.month)) {
                    earlier.insert((tree.month.clone(), tree.size, tree.root.clone()), tree);
                }
            }
        }
        months.extend(earlier.values().map(|tree| tree.month.clone()));
        match entries {
            Some(entries) => months.extend(entries.iter().map(|entry| entry.place.month.clone())),
            // Each month has a leaf that is shown.
            None => months.extend(self.heads.keys().cloned()),
        }
        // The newest one is always shown: it says up to where nothing else was found.
        months.extend(self.heads.keys().next_back().cloned());
        let Some(first) = months.first().cloned() else { return Ok(Vec::new()) };
        let heads: Vec<SignedHead> = self.heads.range(first..).map(|(_, head)| head.clone()).collect();
        for head in &heads {
            self.line(&Line::Head(Head { envelope: head.envelope.clone() }))?;
            let of_month = |tree: &&LogTree| tree.month == head.tree.month;
            for tree in earlier.values().filter(of_month).cloned().collect::<Vec<_>>() {
                self.write_earlier(head, tree).await?;
            }
        }
        let tree = |head: SignedHead| LogTree {
            month: head.tree.month,
            size: head.tree.size,
            root: head.tree.root.to_string(),
        };
        Ok(heads.into_iter().map(tree).collect())
    }

    /// A tree that the log does not continue is written without a proof: the verifier must see it.
    async fn write_earlier(&mut self, head: &SignedHead, tree: LogTree) -> Result<(), RecordError> {
        let (contract, month) = (self.request.contract.id, tree.month.clone());
        let proof = if (1..=head.tree.size).contains(&tree.size) {
            self.store.consistency_proof(contract, month, head.tree.size, tree.size).await?
        } else {
            Vec::new()
        };
        self.line(&Line::Earlier(Earlier { tree, proof: texts(&proof) }))
    }

    /// Entries after number `after` that the heads tell of; and the number after which the next ones come.
    async fn entries(&mut self, after: u64) -> Result<Option<(Vec<StoredEntry>, u64)>, RecordError> {
        let read = self.store.evidence_entries(self.request.contract.id, after, ENTRIES_PER_READ).await?;
        let Some(last) = read.last().map(|entry| entry.record.number) else { return Ok(None) };
        let (told, newer): (Vec<_>, Vec<_>) = read.into_iter().partition(|entry| self.is_told(&entry.place));
        self.changed_meanwhile.extend(newer.iter().filter_map(|entry| subject(&entry.record)));
        Ok(Some((told, last)))
    }

    /// The entries of a pack that shows some; `None` when it shows all of them, which are too many to be kept. Whose link
    /// an entry speaks of, the renamings after it say: what may be shown is kept until they are all read.
    async fn choose_entries(&mut self) -> Result<Option<Vec<StoredEntry>>, RecordError> {
        if self.chosen.is_everything() {
            return Ok(None);
        }
        let (mut kept, mut after) = (Vec::new(), 0);
        while let Some((entries, last)) = self.entries(after).await? {
            entries.iter().for_each(|entry| self.chosen.note_renaming(&entry.record));
            kept.extend(entries.into_iter().filter(|entry| self.chosen.may_have(&entry.record)));
            after = last;
        }
        kept.retain(|entry| self.chosen.has(&entry.record));
        Ok(Some(kept))
    }

    async fn write_all_entries(&mut self) -> Result<(), RecordError> {
        let mut after = 0;
        while let Some((entries, last)) = self.entries(after).await? {
            self.write_entries(entries).await?;
            after = last;
        }
        Ok(())
    }

    async fn write_entries(&mut self, entries: Vec<StoredEntry>) -> Result<(), RecordError> {
        for entries in entries.chunks(ENTRIES_PER_READ) {
            let places: Vec<_> = entries.iter().map(|entry| entry.place.clone()).collect();
            let proofs = self.proofs(&places).await?;
            for (StoredEntry { record, place }, proof) in entries.iter().zip(proofs) {
                let (json, month, proof) = (record.to_json()?, place.month.clone(), texts(&proof));
                self.line(&Line::Audit(AuditLine { json, month, leaf: place.leaf, proof }))?;
            }
        }
        Ok(())
    }

    /// Whether the heads tell of this place.
    fn is_told(&self, place: &LeafPlace) -> bool {
        self.heads.get(&place.month).is_some_and(|head| place.leaf < head.tree.size)
    }

    /// A terminal's events, up to the first one that no head tells of yet.
    async fn part(&self, mut terminal: EvidenceTerminal) -> Result<Part, RecordError> {
        let (mut events, mut next, mut last) = (Vec::new(), terminal.first, terminal.last);
        while next <= last {
            let read = self
                .store
                .evidence_events(self.request.contract.id, terminal.terminal.id, next, EVENTS_PER_READ)
                .await?;
            if read.is_empty() {
                break;
            }
            for event in read {
                if !self.is_told(&event.place) {
                    last = last.min(event.sequence - 1);
                }
                next = event.sequence + 1;
                events.push(event);
            }
        }
        events.retain(|event| event.sequence <= last);
        terminal.retired.retain(|range| range.numbers.last <= last);
        let retired = terminal.retired.last().map(|range| range.numbers.last);
        let newest = events.last().map(|event| event.sequence).max(retired);
        Ok(Part { last: newest.unwrap_or(last), terminal, events })
    }

    /// Receipts that speak of the part's events.
    async fn receipts(&self, part: &Part) -> Result<Vec<(String, Receipt)>, RecordError> {
        let Some(received) = part.received() else { return Ok(Vec::new()) };
        let (contract, terminal) = (self.request.contract.id, part.terminal.terminal.id);
        let mut found = Vec::new();
        for envelope in self.store.evidence_receipts(contract, terminal, received).await? {
            let receipt: Receipt = serde_json::from_str::<Signed>(&envelope)
                .and_then(|envelope| serde_json::from_str(envelope.payload.get()))?;
            if receipt.items.iter().any(|item| part.has(item.seq)) {
                found.push((envelope, receipt));
            }
        }
        Ok(found)
    }

    async fn write_terminal(&mut self, part: &Part) -> Result<WrittenTerminal, RecordError> {
        let terminal = &part.terminal.terminal;
        let numbers = self.shown_numbers(part);
        let heard = shown::heard_all_at(part, &numbers);
        self.line(&Line::Terminal(format::Terminal {
            id: terminal.id.to_string(),
            host_name: terminal.host_name.clone(),
            public_key: terminal.public_key.clone(),
            key_class: terminal.key_class.clone(),
            enrolled_at: terminal.enrolled_at.0,
            last_contact_at: heard.map(|at| at.0),
            marks: marks(terminal),
            numbers: Numbers { first: part.terminal.first, last: part.last },
        }))?;
        let missing = part.missing();
        for (first, last) in &missing {
            self.line(&Line::Missing(Numbers { first: *first, last: *last }))?;
        }
        for range in &part.terminal.retired {
            self.line(&Line::Retired(retired_line(range)))?;
        }
        let shown = self.write_events(part, &numbers).await?;
        self.write_batches(part, &shown).await?;
        for (envelope, _) in self.receipts(part).await? {
            self.line(&Line::Receipt(format::Receipt { envelope }))?;
        }
        let results = self.write_judgements(part, &shown).await?;
        let hidden: Vec<u64> = part.numbers().filter(|number| !shown.contains_key(number)).collect();
        let events: Vec<Received> = shown.into_values().collect();
        let retired = part.retired();
        let known = days::Known { events: &events, missing: &missing, hidden: &hidden, retired: &retired };
        let timeline = days::timeline(known, heard, self.request.made_at);
        let days = self.write_days(terminal, &timeline)?;
        Ok(WrittenTerminal {
            id: terminal.id,
            host_name: terminal.host_name.clone(),
            events: events.len() as u64,
            hidden: hidden.len() as u64,
            missing: missing.iter().map(|(first, last)| last - first + 1).sum(),
            days,
            timeline,
            // The summary of everybody tells of none.
            told: if self.request.employee.is_some() { put_right(events) } else { Vec::new() },
            resent: part.events.iter().filter(|event| event.resent).map(|event| event.sequence).collect(),
            results,
        })
    }

    async fn write_events(
        &mut self,
        part: &Part,
        numbers: &BTreeSet<u64>,
    ) -> Result<BTreeMap<u64, Received>, RecordError> {
        let mut shown = BTreeMap::new();
        for events in part.events.chunks(EVENTS_PER_READ) {
            let places: Vec<_> = events.iter().map(|event| event.place.clone()).collect();
            let proofs = self.proofs(&places).await?;
            for (stored, proof) in events.iter().zip(proofs) {
                let event = read(part, stored)?;
                let place = place(stored, &proof);
                if numbers.contains(&stored.sequence) {
                    self.line(&Line::Event(EventLine { json: stored.json.clone(), place }))?;
                    shown.insert(
                        stored.sequence,
                        Received::of(event, stored.received_at, stored.clock_offset_ms),
                    );
                } else {
                    let hash = stored.digest.to_string();
                    self.line(&Line::Hidden(Hidden { seq: stored.sequence, hash, place }))?;
                }
            }
        }
        Ok(shown)
    }

    /// The audit path of each place: asked month by month.
    async fn proofs(&self, places: &[LeafPlace]) -> Result<Vec<Vec<Digest>>, RecordError> {
        let mut proofs = vec![Vec::new(); places.len()];
        let months: BTreeSet<&String> = places.iter().map(|place| &place.month).collect();
        for head in months.into_iter().filter_map(|month| self.heads.get(month)) {
            let of_month = |(_, place): &(usize, &LeafPlace)| place.month == head.tree.month;
            let of_month = places.iter().enumerate().filter(of_month);
            let (indices, leaves): (Vec<usize>, Vec<u64>) =
                of_month.map(|(index, place)| (index, place.leaf)).unzip();
            let (contract, month) = (self.request.contract.id, head.tree.month.clone());
            let found = self.store.inclusion_proofs(contract, month, head.tree.size, leaves).await?;
            for (index, path) in indices.into_iter().zip(found) {
                proofs[index] = path;
            }
        }
        Ok(proofs)
    }

    /// Batches all of whose events are shown: of others nobody could check the signature.
    async fn write_batches(
        &mut self,
        part: &Part,
        shown: &BTreeMap<u64, Received>,
    ) -> Result<(), RecordError> {
        let Some(received) = part.received() else { return Ok(()) };
        let (contract, terminal) = (self.request.contract.id, part.terminal.terminal.id);
        let mut written = BTreeSet::new();
        for batch in self.store.evidence_batches(contract, terminal, received).await? {
            let frame: Frame = serde_json::from_str(&batch.frame)?;
            let has_events = frame.numbers().next().is_some();
            let has_all = frame.numbers().all(|number| shown.contains_key(&number))
                && self.may_show_text(&frame, |number| part.json(number));
            // One that arrived twice proves nothing more.
            if has_events && has_all && written.insert(batch.digest) {
                let (digest, signature) = (batch.digest.to_string(), batch.signature);
                self.line(&Line::Batch(Batch { digest, signature, frame }))?;
            }
        }
        Ok(())
    }
}
