//! The chain that makes a record checkable: shared by the agent's `fsck`, the server and the verifier.
//!
//! An event's bytes are made once, on the PC, and never made again: what the agent wrote to its disk is
//! what travels, what the server stores and what a court reads. Its [`Digest`] is the plain SHA-256 of
//! those bytes, so that anyone can redo it with `sha256sum`. Inside the bytes stands the digest of the
//! event before it, which makes the terminal's events a chain from its first one.

mod chain;
mod digest;

pub use chain::{Chain, ChainBreak};
pub use digest::{Digest, InvalidDigest};
