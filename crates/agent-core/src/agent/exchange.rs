//! Sending and enrolling: what came of it, and what the event log gets.

use mngntime_model::Moment;

use super::Agent;
use crate::command::{Command, NoticeLevel};
use crate::input::{EnrollOutcome, SendOutcome};
use crate::texts;
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
                settled.told
            }
            SendOutcome::Failed { cause, retry_after_seconds } => {
                self.upload.failed(&cause, retry_after_seconds, now.biased_ms)
            }
        };
        self.tell(told);
    }

    pub(super) fn enroll_ended(&mut self, outcome: EnrollOutcome, now: &Moment) {
        match outcome {
            EnrollOutcome::Done { display_name } => {
                self.settings.display_name = display_name;
                self.enroll_failure = None;
                let text = texts::enrolled(self.settings.language, &self.settings.display_name);
                self.notice(NoticeLevel::Information, text);
                self.upload.enrolled(now.biased_ms);
            }
            EnrollOutcome::Failed { cause, retry_after_seconds } => {
                let told = self.upload.enrollment_failed(&cause, retry_after_seconds, now.biased_ms);
                let known = self.enroll_failure.replace(cause.clone());
                if !known.is_some_and(|last| last.same_reason(&cause)) {
                    let server = &self.settings.display_name;
                    let text = texts::cannot_enroll(self.settings.language, server, &cause);
                    self.notice(NoticeLevel::Error, text);
                }
                self.tell(told);
            }
        }
    }

    pub(super) fn tell(&mut self, told: Vec<Told>) {
        for told in told {
            let (language, server) = (self.settings.language, &self.settings.display_name);
            let (level, text) = match told {
                Told::Completed { punch, resent } => {
                    (NoticeLevel::Information, texts::completed(language, &punch, resent))
                }
                Told::Failed { punch, cause } => {
                    (NoticeLevel::Error, texts::failed(language, server, &punch, &cause))
                }
            };
            self.notice(level, text);
        }
    }

    pub(super) fn notice(&mut self, level: NoticeLevel, text: String) {
        self.commands.push_back(Command::Notice { level, text });
    }
}
