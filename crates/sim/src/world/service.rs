//! The agent's process on a PC: what `mngntime-agent`'s runtime does, with the world's clocks.
//!
//! The order is the runtime's: commands strictly in order; the session list only when no input waits. When the
//! disk ends the process or the PC in the middle of an operation, nothing that the core asked for after it
//! happens.

use std::collections::VecDeque;

use mngntime_agent::journal::{Heartbeat, Journal, JournalError};
use mngntime_agent::transport::Finished;
use mngntime_agent_core::input::{EnrollOutcome, OsFact, SendOutcome};
use mngntime_agent_core::{Agent, Command, Input, Mode, Settings};
use mngntime_ledger::Digest;
use mngntime_model::{Event, FailureCause};
use mngntime_wire::EncodedEvent;

use super::branch::Made;
use super::disk::Crash;
use super::pc::Service;
use super::{Checked, Due, World, broken};

/// The service manager starts a service again that has failed, after a while.
const RESTART_MS: (i64, i64) = (1_000, 60_000);

impl World<'_> {
    /// The process starts: at boot, by hand, or after a crash.
    pub(super) fn start_service(&mut self, index: usize) -> Checked {
        let now = self.now;
        let pc = &mut self.pcs[index];
        if !pc.is_awake() || pc.service.is_some() || pc.held {
            return Ok(());
        }
        let opened = Journal::open(pc.disk.clone());
        if pc.disk.crashed().is_some() {
            return self.crash(index);
        }
        let (journal, reading) = opened.map_err(broken)?;
        let heartbeat = Heartbeat::open(&pc.disk);
        let recovered = journal.recovered(Some(&heartbeat));
        pc.run += 1;
        pc.settings_seed = pc.settings_seed.wrapping_add(1);
        let settings = Settings {
            reconcile_ms: [60_000, 300_000][(pc.settings_seed % 2) as usize],
            ..Settings::new(pc.settings_seed)
        };
        let lost = recovered.lost.clone();
        let core = Agent::start(Mode::Watch, settings, recovered, pc.boot.clone(), pc.clock.moment(now));
        pc.service = Some(Service {
            core,
            journal,
            heartbeat,
            last_receipt: None,
            head_told: 0,
            inbox: VecDeque::new(),
            list_wanted: false,
            log_wanted: false,
            finished: false,
        });
        self.served.entry(index).or_insert(now);
        self.served_boots.insert(self.pcs[index].boot.as_str().to_owned());
        let found = format!("service starts: {} events, findings {:?}", reading.events, reading.findings);
        self.tell(index, &found);
        // An end in the middle of the deletion.
        self.note_pruned(index);
        self.lost_at_start(index, &lost)?;
        self.look_at_journal(index)?;
        self.settle(index)
    }

    pub(super) fn tick(&mut self, index: usize) -> Checked {
        if let Some(service) = &mut self.pcs[index].service {
            let _still_refused = service.journal.keep_receipts();
        }
        self.after_io(index)?;
        self.give(index, Input::Tick)
    }

    /// Gives the service an input, if it runs, and does what it asks.
    pub(super) fn give(&mut self, index: usize, input: Input) -> Checked {
        self.note_sighting(index, &input);
        let now = self.now;
        let pc = &mut self.pcs[index];
        if let Some(service) = &mut pc.service {
            service.core.handle(input, pc.clock.moment(now));
        }
        self.settle(index)
    }

    fn settle(&mut self, index: usize) -> Checked {
        while let Some(service) = &mut self.pcs[index].service {
            if let Some(command) = service.core.next_command() {
                self.command(index, command)?;
                self.after_io(index)?;
            } else if let Some(input) = service.inbox.pop_front() {
                self.handle(index, input);
            } else if std::mem::take(&mut service.log_wanted) {
                // This PC keeps no logs.
                self.handle(index, Input::Os(OsFact::LogUnavailable));
            } else if std::mem::take(&mut service.list_wanted) {
                let fact = self.session_list(index);
                self.handle(index, Input::Os(fact));
            } else if service.finished {
                self.service_ended(index);
            } else {
                return Ok(());
            }
        }
        Ok(())
    }

    fn session_list(&mut self, index: usize) -> OsFact {
        if !self.healed && self.chance.percent(1) {
            return OsFact::SessionsUnavailable { detail: "the list cannot be read".to_owned() };
        }
        OsFact::Sessions(self.pcs[index].session_list())
    }

    pub(super) fn handle(&mut self, index: usize, input: Input) {
        self.note_sighting(index, &input);
        let now = self.now;
        let pc = &mut self.pcs[index];
        if let Some(service) = &mut pc.service {
            service.core.handle(input, pc.clock.moment(now));
        }
    }

    fn service_ended(&mut self, index: usize) {
        let unstored = self.pcs[index].service.take().map_or(0, |service| service.core.unstored());
        if unstored > 0 {
            // Told in the event log; what never reached the disk was never promised.
            self.count("unstored at the end");
            self.forget_sightings(index);
        }
        self.tell(index, &format!("service has ended, {unstored} unstored"));
    }

    /// What an operation of the disk has ended, ends.
    fn after_io(&mut self, index: usize) -> Checked {
        if self.pcs[index].disk.crashed().is_some() { self.crash(index) } else { Ok(()) }
    }

    fn crash(&mut self, index: usize) -> Checked {
        let crash = self.pcs[index].disk.crashed();
        self.pcs[index].disk.restart();
        match crash {
            Some(Crash::Power) => self.power_goes(index, "in the middle of a disk operation"),
            Some(Crash::Process) => {
                self.kill(index, "in the middle of a disk operation");
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// The process ends; the page cache stays. The service manager starts it again.
    pub(super) fn kill(&mut self, index: usize, how: &str) {
        if self.pcs[index].service.take().is_some() {
            self.count("process killed");
            self.tell(index, &format!("process killed {how}"));
            self.forget_sightings(index);
            let after = self.chance.between(RESTART_MS.0, RESTART_MS.1);
            self.schedule(after, Due::StartService(index));
        }
    }

    fn command(&mut self, index: usize, command: Command) -> Checked {
        let now = self.now;
        match command {
            Command::Append(event) => self.append(index, &event)?,
            Command::Enroll => self.enroll(index)?,
            Command::Send { events, waiting } => self.send(index, &events, waiting)?,
            Command::Acknowledge { sequences } => self.acknowledge(index, &sequences)?,
            Command::Recall { sequences } => self.recall(index, &sequences),
            Command::ListSessions => self.with_service(index, |service| service.list_wanted = true),
            Command::ReadLog(_) => self.with_service(index, |service| service.log_wanted = true),
            Command::Finished => self.with_service(index, |service| service.finished = true),
            Command::KeepLogPositions(positions) => self.with_service(index, |service| {
                let _read_again = service.journal.keep_log_positions(&positions);
            }),
            Command::Heartbeat => {
                let pc = &self.pcs[index];
                let (disk, boot, moment) = (pc.disk.clone(), pc.boot.clone(), pc.clock.moment(now));
                let mut pruned = None;
                self.with_service(index, |service| {
                    let _wider_bounds =
                        service.heartbeat.beat(&disk, &boot, moment, &service.journal.chain());
                    // What could not be removed is still there.
                    pruned = service.journal.prune(&moment).ok().flatten();
                });
                if let Some(last) = pruned {
                    self.note_pruned(index);
                    self.count("segment pruned");
                    self.handle(index, Input::Pruned { last });
                }
            }
            Command::Notice(_)
            | Command::NoteLogPositions
            | Command::ReleaseSleep
            | Command::ReleaseShutdown => {}
        }
        Ok(())
    }

    /// As the real runtime does: what cannot be read any more is told, what cannot be read now is not.
    fn recall(&mut self, index: usize, sequences: &[u64]) {
        let (mut events, mut unreadable) = (Vec::new(), Vec::new());
        self.with_service(index, |service| {
            for sequence in sequences {
                match service.journal.recall(*sequence) {
                    Ok(event) => events.push(event),
                    Err(JournalError::Unreadable(sequence)) => unreadable.push(sequence),
                    Err(
                        JournalError::Disk { .. } | JournalError::Encode { .. } | JournalError::Unknown(_),
                    ) => {}
                }
            }
        });
        for sequence in unreadable {
            self.handle(index, Input::Unreadable { sequence });
        }
        self.handle(index, Input::Recalled { events });
    }

    fn with_service(&mut self, index: usize, work: impl FnOnce(&mut Service)) {
        if let Some(service) = &mut self.pcs[index].service {
            work(service);
        }
    }

    fn append(&mut self, index: usize, event: &Event) -> Checked {
        let made = self.attempt(index, event)?;
        let pc = &mut self.pcs[index];
        let Some(service) = &mut pc.service else {
            return Ok(());
        };
        let appended = service.journal.append(event);
        if pc.disk.crashed().is_some() {
            return Ok(());
        }
        let sequence = event.sequence;
        let input = match appended {
            Ok(()) => {
                self.promised(index, made)?;
                Input::Stored { sequence }
            }
            Err(error) => {
                self.tell(index, &format!("cannot store {sequence}: {error}"));
                Input::StoreFailed { sequence, detail: error.to_string() }
            }
        };
        self.handle(index, input);
        Ok(())
    }

    /// The bytes that the journal will write, and when the core drew them up.
    fn attempt(&mut self, index: usize, event: &Event) -> Checked<Made> {
        self.check_number_is_free(index, event)?;
        let pc = &mut self.pcs[index];
        let head = pc.service.as_ref().map_or(Digest::GENESIS, |service| service.journal.chain().head);
        let encoded = EncodedEvent::encode(event.clone(), head).map_err(broken)?;
        // What is recorded again was drawn up when it was recorded first, perhaps in another run of the OS.
        let first = event.supersedes.and_then(|before| pc.branch.promised.get(&before));
        let made = Made {
            digest: encoded.digest,
            recorded_at: first
                .map_or_else(|| pc.clock.at(event.recorded_at.biased_ms), |made| made.recorded_at),
            event: encoded.event,
        };
        pc.branch.attempted.insert(made.digest, made.clone());
        self.made[pc.lineage].insert(made.digest, made.clone());
        Ok(made)
    }

    fn acknowledge(&mut self, index: usize, sequences: &[u64]) -> Checked {
        self.check_receipted(index, sequences)?;
        let Some(service) = &mut self.pcs[index].service else {
            return Ok(());
        };
        if let Some(receipt) = service.last_receipt.take() {
            let _tried_again = service.journal.acknowledge(sequences, &receipt);
        }
        Ok(())
    }

    /// What came of an attempt, as the transport's thread tells the loop.
    pub(super) fn finished(&mut self, index: usize, finished: Finished) -> Checked {
        let Some(service) = &mut self.pcs[index].service else {
            return Ok(());
        };
        let input = match finished {
            Finished::Sent(outcome, receipt) => {
                service.last_receipt = receipt;
                if let SendOutcome::Answered(answer) = &outcome
                    && answer.refused.is_none()
                    && service.core.unstored() == 0
                {
                    service.head_told = answer.head;
                }
                Input::Sent(outcome)
            }
            Finished::Enrolled(outcome, enrollment) => {
                let kept = enrollment.map(|enrollment| service.journal.enroll(enrollment)).transpose();
                if matches!(kept, Ok(Some(true))) {
                    self.give(index, Input::NewTerminal)?;
                }
                Input::Enrolled(match kept {
                    Ok(_) => outcome,
                    Err(error) => EnrollOutcome::Failed {
                        cause: local(&error),
                        reason: None,
                        retry_after_seconds: None,
                    },
                })
            }
        };
        self.tell(index, &told(&input));
        self.after_io(index)?;
        self.give(index, input)
    }
}

pub(super) fn local(error: &JournalError) -> FailureCause {
    FailureCause::Network { http_status: None, detail: error.to_string() }
}

/// The outcome without anything that a server draws at random.
fn told(input: &Input) -> String {
    if let Input::Sent(SendOutcome::Answered(answer)) = input {
        let stored = answer.items.iter().filter(|item| item.stored).count();
        return format!("receipt: {stored} of {} stored, refused {:?}", answer.items.len(), answer.refused);
    }
    let enrolled = matches!(input, Input::Enrolled(EnrollOutcome::Done { .. }));
    if enrolled { "enrolled".to_owned() } else { "no receipt".to_owned() }
}
