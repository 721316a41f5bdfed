//! Second factors as such: secrets at rest, one-time codes, codes on paper, passkeys, tokens of programs. No pages, no store.

pub mod ceremony;
pub mod codes;
pub mod passkeys;
pub mod seal;
pub mod totp;
