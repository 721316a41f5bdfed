//! Identities that only the store gives out.
//!
//! Rows are identified by UUIDs of version 7: made without asking the database, sorted by creation, and the
//! same type in every database. Their time part is the caller's clock and is never read back.

use std::fmt;

use uuid::Uuid;

/// A contract, inside the store. Small, because it leads every key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContractId(pub i64);

macro_rules! row_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub(crate) Uuid);

        impl $name {
            /// Reads the hyphenated form; `None` when `text` is none.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Uuid::try_parse(text).ok().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0.as_hyphenated())
            }
        }
    };
}

row_id!(
    /// An OS account of a contract.
    AccountId
);
row_id!(
    /// An employee of a contract.
    EmployeeId
);
row_id!(
    /// A department of a contract.
    DepartmentId
);
row_id!(
    /// One link of an account to an employee.
    LinkId
);
row_id!(
    /// A remark of an employee.
    RemarkId
);
row_id!(
    /// A hold against deletion.
    HoldId
);
row_id!(
    /// A saved search.
    SearchId
);
row_id!(
    /// An uploaded file that waits for a decision.
    ImportId
);
row_id!(
    /// A person who signs in to the server.
    AdministratorId
);
row_id!(
    /// A passkey of a person.
    PasskeyId
);
row_id!(
    /// A token of a person's program.
    TokenId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text_form() {
        let id = AccountId(Uuid::from_bytes([7; 16]));
        assert_eq!(AccountId::parse(&id.to_string()), Some(id));
        assert_eq!(AccountId::parse("S-1-5-21"), None);
    }
}
