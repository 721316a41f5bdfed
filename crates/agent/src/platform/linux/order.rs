//! Which signals logind sent before it made a list.
//!
//! A list is asked for by one thread, signals are turned into facts by another: a logoff that logind had told could be
//! found by the list first, and be recorded as seen by comparison, with a range instead of its time. A bus keeps the
//! order of what it hands to one connection, and logind tells of a change before it answers with a list that shows it.
//! So whoever has a list sends the bus a question over the connection of the signals, and waits until the answer has
//! come by there. When no fact was told since before the list was asked for, the list shows what all facts told say,
//! and a checkpoint behind the last of them says where it belongs. Otherwise nobody knows which of the two is newer, and
//! the list is made again.

use std::num::NonZeroU32;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mngntime_agent_core::input::OsFact;
use zbus::Connection;
use zbus::message::{Message, Type};

use crate::platform::{FactSink, ShellEvent};

/// The bus answers in well under a millisecond. After this the list is taken as it is.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);

/// Where a list belongs among the facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Behind the checkpoint with this number, which has been sent.
    Behind(u64),
    /// Something was told meanwhile.
    ToldMeanwhile,
    /// No connection has signals at the moment, or the bus does not answer.
    Unknown,
}

/// The facts of one watch, in the order in which they were told. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Order {
    sink: FactSink,
    shared: Arc<(Mutex<State>, Condvar)>,
}

#[derive(Debug, Default)]
struct State {
    /// The connection of the signals.
    connection: Option<Connection>,
    /// How many facts were told.
    told: u64,
    /// Number of the newest checkpoint.
    checkpoint: u64,
    /// The question whose answer has not come by yet.
    asked: Option<NonZeroU32>,
}

impl Order {
    pub(super) fn new(sink: FactSink) -> Self {
        Self { sink, shared: Arc::default() }
    }

    /// Signals come over this connection from now on, or over none.
    pub(super) fn begin(&self, connection: Option<Connection>) {
        self.state().connection = connection;
    }

    /// Hands on a fact.
    pub(super) fn tell(&self, fact: OsFact) {
        let mut state = self.state();
        state.told += 1;
        // The receiver is gone only when the process is ending.
        let _ = self.sink.send(ShellEvent::Os(fact));
    }

    /// How many facts were told so far.
    pub(super) fn told(&self) -> u64 {
        self.state().told
    }

    /// Whether a message is an answer, which tells nothing of a session: the one that is waited for has now come by.
    pub(super) fn passes(&self, message: &Message) -> bool {
        let is_answer = matches!(message.message_type(), Type::MethodReturn | Type::Error);
        if is_answer && message.header().reply_serial().is_some() {
            let mut state = self.state();
            if state.asked == message.header().reply_serial() {
                state.asked = None;
                self.shared.1.notify_all();
            }
        }
        is_answer
    }

    /// Where a list belongs that was asked for when `before` facts had been told.
    pub(super) async fn place(&self, before: u64) -> Place {
        let Some((connection, question)) = self.question() else { return Place::Unknown };
        if connection.send(&question).await.is_err() {
            return Place::Unknown;
        }
        self.answered(before)
    }

    fn question(&self) -> Option<(Connection, Message)> {
        let mut state = self.state();
        let connection = state.connection.clone()?;
        let question = ping().ok()?;
        state.asked = Some(question.primary_header().serial_num());
        Some((connection, question))
    }

    fn answered(&self, before: u64) -> Place {
        let (_, passed) = &*self.shared;
        let waited = passed.wait_timeout_while(self.state(), ANSWER_TIMEOUT, |state| state.asked.is_some());
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if state.asked.take().is_some() {
            return Place::Unknown;
        }
        if state.told != before {
            return Place::ToldMeanwhile;
        }
        // Still locked: no fact comes between the last one told and this.
        state.checkpoint += 1;
        let _ = self.sink.send(ShellEvent::Checkpoint(state.checkpoint));
        Place::Behind(state.checkpoint)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What every bus answers (Peer interface of the D-Bus specification).
fn ping() -> zbus::Result<Message> {
    let call = Message::method_call("/org/freedesktop/DBus", "Ping").destination("org.freedesktop.DBus");
    call.interface("org.freedesktop.DBus.Peer").build(&())
}
