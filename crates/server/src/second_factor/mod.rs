//! Second factors as such: secrets at rest, one-time codes, codes on paper, tokens of programs. No pages, no store.

pub mod codes;
pub mod seal;
pub mod totp;
