//! Simulated offices, [`load`]s, and simulated [`world`]s.
//!
//! An office is for a demonstration; nothing goes wrong in it. A load measures. In a world everything goes wrong.
//!
//! Each simulated PC is a real agent core with a real journal (on a disk in memory), a key of its own and
//! the real exchange with a real server. Only three things are made up: what the operating system says
//! ([`script`]), what the clocks show, and whether the network is up. The same seed gives the same office.
//!
//! Times: the script plays the last working days up to now, so events carry past times. The server sees them
//! arrive as fast as it takes them. A PC's clock is right whenever it sends.

mod disk;
pub mod load;
mod office;
mod pc;
mod random;
mod script;
pub mod world;

pub use disk::MemoryDisk;
pub use office::{Office, Progress, Report, run};
