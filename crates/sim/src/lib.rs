//! Simulated offices, and simulated [`world`]s.
//!
//! An office is for a demonstration or a load; nothing goes wrong in it. In a world everything does.
//!
//! Each simulated PC is a real agent core with a real journal (on a disk in memory), a key of its own and
//! the real exchange with a real server. Only three things are made up: what the operating system says
//! ([`script`]), what the clocks show, and whether the network is up. The same seed gives the same office.
//!
//! Times: the script plays the last working days up to now, so events carry past times. The server sees them
//! arrive as fast as it takes them. A PC's clock is right whenever it sends.

mod disk;
mod office;
mod pc;
mod random;
mod script;
pub mod world;

pub use disk::MemoryDisk;
pub use office::{Office, Progress, Report, run};
