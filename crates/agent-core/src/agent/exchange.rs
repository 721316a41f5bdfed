//! Sending and enrolling: what came of it, and what the event log gets.

use mngntime_model::Moment;

use super::Agent;
use crate::command::Command;
use crate::input::{EnrollOutcome, SendOutcome};
use crate::message::{Message, MessageId};
use crate::upload::Told;

impl Agent {
    pub(super) fn sent(&mut self, outcome: SendOutcome, now: &Moment) {
        let told = match outcome {
            SendOutcome::Answered(answer) => {
                self.settings.display_name.clone_from(&answer.wishes.display_name);
                let settled = self.upload.answered(&answer, now.biased_ms);
                if !settled.released.is_empty() {
                    self.commands.push_back(Command::Acknowledge { sequences: settled.released });
                }
                if answer.refused.is_none() {
                    self.heal(&answer, settled.displaced, now);
                }
                settled.told
            }
            SendOutcome::Failed { cause, retry_after_seconds } => {
                self.upload.failed(&cause, retry_after_seconds, now.biased_ms)
            }
        };
        self.tell(told, now);
    }

    /// An event that is to be sent cannot be read for a reason that may pass. It holds up no other.
    pub(super) fn not_read_now(&mut self, sequence: u64, detail: String, now: &Moment) {
        if self.upload.put_off(sequence, now.biased_ms) {
            self.notice(Message::new(MessageId::RecordsNotRead, vec![detail]), now);
        }
    }

    pub(super) fn enroll_ended(&mut self, outcome: EnrollOutcome, now: &Moment) {
        match outcome {
            EnrollOutcome::Done { display_name } => {
                self.settings.display_name = display_name;
                self.enroll_failure = None;
                let server = vec![self.settings.display_name.clone()];
                self.notice(Message::new(MessageId::Enrolled, server), now);
                self.upload.enrolled(now.biased_ms);
            }
            EnrollOutcome::Failed { cause, reason, retry_after_seconds } => {
                let told = self.upload.enrollment_failed(&cause, retry_after_seconds, now.biased_ms);
                let known = self.enroll_failure.replace((cause.clone(), reason));
                if !known.is_some_and(|(last, why)| last.same_reason(&cause) && why == reason) {
                    self.notice(Message::cannot_enroll(&self.settings.display_name, &cause, reason), now);
                }
                self.tell(told, now);
            }
        }
    }

    pub(super) fn tell(&mut self, told: Vec<Told>, now: &Moment) {
        for told in told {
            let message = match told {
                Told::Completed { punch, resent } => Message::completed(&punch, resent),
                Told::Failed { punch, cause } => Message::failed(&punch, &self.settings.display_name, &cause),
            };
            self.notice(message, now);
        }
    }

    /// Writes a line to the event log, unless too many of its kind have been written lately.
    pub(super) fn notice(&mut self, message: Message, now: &Moment) {
        if self.notices.admits(message.id(), now.biased_ms) {
            self.commands.push_back(Command::Notice(message));
        }
    }

    /// Says how many lines were kept back, once the time for it has come (or at the end).
    pub(super) fn tell_repeats(&mut self, all: bool, now: &Moment) {
        for message in self.notices.repeats(all, now.biased_ms) {
            self.commands.push_back(Command::Notice(message));
        }
    }
}
