//! Second factors as such: secrets at rest, one-time codes, codes on paper, passkeys, tokens of programs. No pages, no store.

pub mod ceremony;
pub mod codes;
pub mod passkeys;
pub mod seal;
pub mod totp;

use mngntime_store::{Role, SecondFactor};

/// What holds for somebody of this role: `found` is what the store knows; whether operators must have a second factor is
/// the server's own setting, since they belong to no contract.
#[must_use]
pub fn demanded(found: SecondFactor, role: Role, operators_must: bool) -> SecondFactor {
    SecondFactor { required: found.required || (operators_must && role == Role::Operator), ..found }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_s_setting_is_about_operators_alone() {
        let none = SecondFactor { set_up: false, required: false };
        for role in Role::ALL {
            assert_eq!(demanded(none, role, true).required, role == Role::Operator, "{role:?}");
            assert_eq!(demanded(none, role, false), none);
            let required = SecondFactor { required: true, set_up: true };
            assert_eq!(demanded(required, role, false), required, "what the contract wants stays");
        }
    }
}
