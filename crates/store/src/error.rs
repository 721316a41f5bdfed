//! What can go wrong in a store, in words that name no database.

use crate::ports::{DepartmentProblem, DirectoryField};

/// Any cause below the store.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a store did not do what was asked. Nothing has been changed in any of these cases but
/// [`StoreError::Away`], where that may be unknown.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// More work is waiting than the store accepts. Try again later.
    #[error("the store has more work waiting than it accepts")]
    Overloaded,
    /// The store has been closed or its writer has died.
    #[error("the store has been closed")]
    Closed,
    /// The request contradicts what is stored.
    #[error(transparent)]
    Refused(Refusal),
    /// The database cannot be reached, or was lost before it confirmed. Nothing is promised of what was asked; try
    /// again later.
    #[error("could not {operation}: the database is away")]
    Away {
        /// What was being done, as in "could not …".
        operation: &'static str,
        /// Why.
        #[source]
        source: Cause,
    },
    /// The database failed.
    #[error("could not {operation}")]
    Failed {
        /// What was being done, as in "could not …".
        operation: &'static str,
        /// Why.
        #[source]
        source: Cause,
    },
}

/// A request that contradicts what is stored: the caller's business, not a failure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The code or name is taken already.
    #[error("{what} {code} exists already")]
    Taken {
        /// Kind of object.
        what: &'static str,
        /// Its code.
        code: String,
    },
    /// Somebody else has this UPN or SID.
    #[error("employee {code} has this {} already", field.name())]
    Held {
        /// Which of the two.
        field: DirectoryField,
        /// Code of the other.
        code: String,
    },
    /// There is no such object in this contract.
    #[error("there is no such {what}")]
    Missing {
        /// Kind of object.
        what: &'static str,
    },
    /// The account is linked to an employee on some of these dates already.
    #[error("account {account} is linked on some of these dates already")]
    LinkOverlaps {
        /// `DOMAIN\name`.
        account: String,
    },
    /// The last date lies before the first.
    #[error("the last date lies before the first")]
    DatesReversed,
    /// A department would stand below itself.
    #[error("a department cannot stand below itself")]
    DepartmentCycle,
    /// A text means no department, or more than one.
    #[error("{text:?} does not mean one open department")]
    Department {
        /// What was typed.
        text: String,
        /// Why.
        problem: DepartmentProblem,
    },
    /// Nobody else has this role and can sign in: without this person nobody could give it to anybody any more.
    #[error("nobody else who can sign in is {role}: make somebody else {role} first")]
    LastOne {
        /// The role at rest.
        role: &'static str,
    },
    /// The person would be left with nothing to sign in with.
    #[error("it is their only way to sign in")]
    OnlyWayIn,
    /// The person's role must have a second factor, and this is the last one.
    #[error("it is their last second factor, which their role must have")]
    LastSecondFactor,
    /// It is in a state in which nothing of the kind is done to it.
    #[error("the {what} is {state}, so this cannot be done to it")]
    State {
        /// Kind of object.
        what: &'static str,
        /// Its state.
        state: &'static str,
    },
    /// More objects in one request than allowed.
    #[error("one request may change at most {limit} {what}")]
    TooMany {
        /// Kind of object.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
}
