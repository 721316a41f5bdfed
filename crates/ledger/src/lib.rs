//! What makes a record checkable: the terminal's chain, shared by the agent's `fsck`, the server and the verifier,
//! and the server's log (feature `log`, which no agent needs).
//!
//! An event's bytes are made once, on the PC, and never made again: what the agent wrote to its disk is
//! what travels, what the server stores and what a court reads. Its [`Digest`] is the plain SHA-256 of
//! those bytes, so that anyone can redo it with `sha256sum`. Inside the bytes stands the digest of the
//! event before it, which makes the terminal's events a chain from its first one.

#[cfg(feature = "log")]
pub mod audit;
mod chain;
mod digest;
#[cfg(feature = "log")]
pub mod frame;
#[cfg(feature = "log")]
pub mod leaf;
#[cfg(feature = "log")]
pub mod log;

pub use chain::{Chain, ChainBreak};
pub use digest::{Digest, InvalidDigest};
