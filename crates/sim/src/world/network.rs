//! The network: what becomes of a request and of its answer.

use std::rc::Rc;

use anyhow::Context;
use mngntime_agent::journal::JournalError;
use mngntime_agent::transport::{
    BatchParts, EVENTS_PATH, Prepared, Reply, TERMINALS_PATH, judge_enrolled, judge_sent, prepare_batch,
    prepare_enrollment,
};
use mngntime_agent_core::Input;
use mngntime_model::{FailureCause, Language, UtcMillis};
use mngntime_wire::EnrollmentRequest;

use super::pc::Power;
use super::{Checked, Due, Violation, World, broken};

/// The client gives up after this.
const TIMEOUT_MS: i64 = 25_000;
/// A copy of a request may turn up this late.
const STRAY_MS: i64 = 6 * 3_600_000;

/// What a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Enroll,
    Send,
}

/// A request on its way to the server.
#[derive(Clone)]
pub(crate) struct Flight {
    pub(crate) pc: usize,
    pub(crate) run: u64,
    pub(crate) purpose: Purpose,
    pub(crate) prepared: Rc<Prepared>,
    /// First and last number in it.
    pub(crate) numbers: Option<(u64, u64)>,
    /// What becomes of the answer; `None`: nobody waits for it.
    answer: Option<Fate>,
}

/// A reply on its way back.
pub(crate) struct Delivery {
    pc: usize,
    run: u64,
    purpose: Purpose,
    prepared: Rc<Prepared>,
    reply: Result<Reply, FailureCause>,
}

/// What becomes of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Arrives,
    Lost,
    Cut,
    /// One character of it is another one.
    Altered,
}

fn unreachable_server(detail: &str) -> FailureCause {
    FailureCause::Network { http_status: None, detail: detail.to_owned() }
}

impl World<'_> {
    // ---- what the service asks -------------------------------------------------------------------

    pub(super) fn enroll(&mut self, index: usize) -> Checked {
        let pc = &self.pcs[index];
        let request = EnrollmentRequest {
            v: 1,
            contract: self.site.contract.clone(),
            enrollment_key: self.site.enrollment_key.clone(),
            public_key: pc.key.public().to_string(),
            host_name: pc.name.clone(),
            os: "Windows 11 Pro 24H2 (simulated)".to_owned(),
            makeup: pc.makeup.clone(),
            key_class: "file".to_owned(),
            agent: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let prepared = prepare_enrollment(&request, "https://world", None, &*pc.key).map_err(broken)?;
        self.tell(index, "asks to be enrolled");
        self.leave(index, Purpose::Enroll, prepared, None);
        Ok(())
    }

    pub(super) fn send(&mut self, index: usize, wanted: &[(u64, bool)], waiting: u64) -> Checked {
        let mut without = Vec::new();
        let (prepared, numbers) = self.batch(index, wanted, waiting, &mut without)?;
        let (count, first, last) = (wanted.len() - without.len(), numbers.map(|n| n.0), numbers);
        self.tell(index, &format!("sends {count} events, {first:?} to {:?}", last.map(|n| n.1)));
        self.leave(index, Purpose::Send, prepared, numbers);
        for input in without {
            self.tell(index, &format!("cannot read what is to be sent: {input:?}"));
            self.handle(index, input);
        }
        Ok(())
    }

    /// Makes the batch of what can be read. Nothing in it may be without its bytes on the platter (P1).
    fn batch(
        &mut self,
        index: usize,
        wanted: &[(u64, bool)],
        waiting: u64,
        without: &mut Vec<Input>,
    ) -> Result<(Prepared, Option<(u64, u64)>), Violation> {
        let now = self.now;
        let pc = &self.pcs[index];
        let service = pc.service.as_ref().context("a process that sends").map_err(broken)?;
        let mut events = Vec::new();
        for (sequence, resent) in wanted {
            match service.journal.read(*sequence) {
                Ok(json) => events.push((*sequence, json, *resent)),
                Err(JournalError::Unreadable(sequence) | JournalError::Unknown(sequence)) => {
                    without.push(Input::Unreadable { sequence });
                }
                Err(error) => {
                    without.push(Input::NotReadNow { sequence: *sequence, detail: error.to_string() });
                }
            }
        }
        let enrollment = service.journal.enrollment().context("an enrolment to send with").map_err(broken)?;
        let terminal = enrollment.terminal.clone();
        let numbers = events.first().zip(events.last()).map(|(first, last)| (first.0, last.0));
        let texts: Vec<(u64, String)> = events.iter().map(|(n, json, _)| (*n, json.clone())).collect();
        let parts = BatchParts {
            enrollment,
            contract: &enrollment.contract,
            now: pc.clock.moment(now),
            boot: pc.boot.as_str(),
            makeup: &pc.makeup,
            waiting,
            events,
        };
        let prepared = prepare_batch(parts, &*pc.key).map_err(broken)?;
        self.terminals.insert(terminal, self.pcs[index].lineage);
        self.check_sendable(index, &texts)?;
        Ok((prepared, numbers))
    }

    /// A request leaves the PC, and its fate is drawn.
    fn leave(&mut self, index: usize, purpose: Purpose, prepared: Prepared, numbers: Option<(u64, u64)>) {
        let run = self.pcs[index].run;
        let prepared = Rc::new(prepared);
        let back = |reply| Delivery { pc: index, run, purpose, prepared: prepared.clone(), reply };
        let flight = |answer| Flight { pc: index, run, purpose, prepared: prepared.clone(), numbers, answer };
        if !self.pcs[index].network {
            return self.schedule(50, Due::Answer(back(Err(FailureCause::NotConnected))));
        }
        let there = self.chance.between(2, 400);
        let drawn = if self.healed { 99 } else { self.chance.index(100).unwrap_or(0) };
        match drawn {
            0..5 => {
                self.count("request lost");
                self.schedule(TIMEOUT_MS, Due::Answer(back(Err(unreachable_server("timed out")))));
            }
            5..10 => {
                let reply = self.lie(index);
                self.count("lie");
                self.schedule(there, Due::Answer(back(reply)));
            }
            10..16 => {
                self.count("answer lost");
                self.schedule(TIMEOUT_MS, Due::Answer(back(Err(unreachable_server("timed out")))));
                self.schedule(there, Due::Arrival(flight(Some(Fate::Lost))));
            }
            16..19 => self.schedule(there, Due::Arrival(flight(Some(Fate::Cut)))),
            19..22 => self.schedule(there, Due::Arrival(flight(Some(Fate::Altered)))),
            22..27 => {
                self.count("request doubled");
                self.schedule(there, Due::Arrival(flight(Some(Fate::Arrives))));
                self.schedule(there + 1, Due::Arrival(flight(None)));
            }
            27..31 => {
                self.count("request doubled late");
                let late = self.chance.between(1_000, STRAY_MS);
                self.schedule(there, Due::Arrival(flight(Some(Fate::Arrives))));
                self.schedule(late, Due::Arrival(flight(None)));
            }
            31..36 => {
                self.count("request late");
                let late = self.chance.between(1_000, TIMEOUT_MS - 1_000);
                self.schedule(late, Due::Arrival(flight(Some(Fate::Arrives))));
            }
            _ => self.schedule(there, Due::Arrival(flight(Some(Fate::Arrives)))),
        }
    }

    /// Somebody who is not our server answers, or our server has a bad day.
    fn lie(&mut self, index: usize) -> Result<Reply, FailureCause> {
        let json = |name: &str| (name == "content-type").then(|| "application/json".to_owned());
        let ours = |name: &str| match name {
            "mngntime-server" => Some("1".to_owned()),
            "retry-after" => Some("30".to_owned()),
            _ => None,
        };
        let html = |name: &str| (name == "content-type").then(|| "text/html".to_owned());
        let replayed = self.pcs[index].last_answer.clone();
        let of = |status, header: &dyn Fn(&str) -> Option<String>, body: &[u8]| {
            Reply::of(status, header, body.to_vec()).map_err(|_| unreachable_server("too long"))
        };
        match self.chance.index(5) {
            Some(0) => of(200, &html, b"<html><title>Welcome to the hotel</title></html>"),
            Some(1) => of(503, &ours, b"{}"),
            Some(2) => of(200, &json, br#"{"payload":{"ok":true},"signature":"AAAA"}"#),
            Some(3) => of(407, &html, b"proxy login"),
            // The receipt for an earlier request, signed by the right server.
            _ => of(200, &json, replayed.unwrap_or_default().as_bytes()),
        }
    }

    // ---- at the server, and back -----------------------------------------------------------------

    pub(super) fn arrive(&mut self, flight: Flight) -> Checked {
        let Flight { pc, run, purpose, prepared, answer, .. } = flight.clone();
        let back = |reply| Delivery { pc, run, purpose, prepared: prepared.clone(), reply };
        let home = self.chance.between(1, 200);
        if !self.server_up {
            if answer.is_some() {
                let refused = Err(unreachable_server("connection refused"));
                self.schedule(home, Due::Answer(back(refused)));
            }
            return Ok(());
        }
        self.arrivals += 1;
        let path = match purpose {
            Purpose::Enroll => TERMINALS_PATH,
            Purpose::Send => EVENTS_PATH,
        };
        let reply = self.server.post(path, &prepared.body, UtcMillis(self.now)).map_err(broken)?;
        let who = self.pcs[pc].name.clone();
        self.story.tell(self.now, "server", &format!("answers {} to {purpose:?} of {who}", reply.status));
        if reply.status == 200 {
            self.pcs[pc].last_answer = String::from_utf8(reply.body.clone()).ok();
        }
        self.check_server(&flight)?;
        match answer {
            None | Some(Fate::Lost) => {}
            Some(Fate::Arrives) => self.schedule(home, Due::Answer(back(Ok(reply)))),
            Some(Fate::Cut) => {
                self.count("answer cut");
                self.schedule(home, Due::Answer(back(Err(unreachable_server("the answer broke off")))));
            }
            Some(Fate::Altered) => {
                self.count("answer altered");
                let altered = self.altered(reply);
                self.schedule(home, Due::Answer(back(Ok(altered))));
            }
        }
        Ok(())
    }

    fn altered(&mut self, mut reply: Reply) -> Reply {
        let digits: Vec<usize> =
            reply.body.iter().enumerate().filter(|(_, b)| b.is_ascii_digit()).map(|(at, _)| at).collect();
        // The version at the beginning, or a digit of the signature at the end: what a server draws at random
        // decides nothing.
        let rank = self.chance.index(8).unwrap_or(0);
        let place = if rank == 0 { digits.first() } else { digits.iter().nth_back(rank) };
        if let Some(at) = place {
            reply.body[*at] = if reply.body[*at] == b'1' { b'2' } else { b'1' };
        }
        reply
    }

    pub(super) fn answer(&mut self, delivery: Delivery) -> Checked {
        let Delivery { pc: index, run, purpose, prepared, reply } = delivery;
        let pc = &self.pcs[index];
        if pc.run != run || pc.power == Power::Off {
            return Ok(());
        }
        if let Power::Asleep(_) = pc.power {
            // The connection does not outlive the sleep; that is noticed some time after it.
            let reply = Err(unreachable_server("connection reset"));
            self.schedule(60_000, Due::Answer(Delivery { pc: index, run, purpose, prepared, reply }));
            return Ok(());
        }
        let finished = match purpose {
            Purpose::Enroll => judge_enrolled(reply, &prepared, Language::English),
            Purpose::Send => judge_sent(reply, &prepared, Language::English),
        };
        self.finished(index, finished)
    }
}
