//! What the server keeps, behind ports that speak the domain.
//!
//! # Promises
//! - A method that returns `Ok` has made its effect durable (for SQLite: WAL with `synchronous=FULL`).
//! - A caller that goes away never undoes or half-does anything: every change is one closed piece of work
//!   that the adapter finishes by itself.
//! - Raw events are written once and never changed; they go by the rules of [`retention`] alone. What the server thinks of a punch is kept beside it and
//!   can be thought again ([`judge`]); every change of mind is appended to the punch's history.
//! - Every key begins with the contract, and every method that touches a contract's rows takes the
//!   contract, so that two contracts cannot see each other.
//!
//! # Shape
//! [`ports`] holds the traits and the words they use, [`sqlite`] the adapter: statements and rules, written once for
//! both engines, SQLite and PostgreSQL ([`postgres`] opens that one). Both answer to the one suite in
//! `tests/contract.rs`. The store reads no clock: whoever calls says what time it is ([`Act::at`]).

pub mod date;
pub mod error;
pub mod giving_way;
pub mod ids;
pub mod judge;
pub mod moving;
pub mod ports;
pub mod postgres;
#[cfg(debug_assertions)]
#[doc(hidden)]
pub mod reached;
pub mod reading;
pub mod retention;
mod sql;
pub mod sqlite;
pub mod typed;

pub use date::local_date;
pub use error::{Cause, Refusal, StoreError};
pub use ids::{
    AccountId, AdministratorId, ContractId, DepartmentId, EmployeeId, HoldId, ImportId, LinkId, PasskeyId,
    RemarkId, SearchId, TokenId,
};
pub use ports::*;
