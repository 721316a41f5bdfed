//! A bus, a running server and an agent that is not started.

use std::path::Path;

use anyhow::Result;
use serde_json::Value;

use crate::agent::Agent;
use crate::bus::{Bus, short_directory};
use crate::server::{CONTRACT, Server, text};

/// Everything of one office with one PC.
pub struct Office {
    /// The PC's system bus, with a mock of logind.
    pub bus: Bus,
    /// The server, running.
    pub server: Server,
    /// The agent, not started.
    pub agent: Agent,
    /// Short enough for sockets; a test's own files may go there too.
    pub directory: tempfile::TempDir,
}

impl Office {
    /// Opens one.
    ///
    /// # Errors
    /// When something of it cannot be started.
    pub fn open() -> Result<Self> {
        Self::open_with(|_| Ok(Vec::new()))
    }

    /// The same with variables in logind's environment, which may name files of [`Self::directory`].
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_with(variables: impl FnOnce(&Path) -> Result<Vec<(&'static str, String)>>) -> Result<Self> {
        let (directory, path) = short_directory()?;
        let bus = Bus::start_with(&path.join("bus"), &variables(&path)?)?;
        let mut server = Server::create(&path.join("server"), false)?;
        server.start()?;
        let good = values(&server.url(), CONTRACT, &server.enrollment_key);
        let agent = Agent::create(&path.join("agent"), bus.address(), &good)?;
        Ok(Self { bus, server, agent, directory })
    }

    /// The configuration with which everything works.
    #[must_use]
    pub fn good(&self) -> String {
        values(&self.server.url(), CONTRACT, &self.server.enrollment_key)
    }
}

/// The agent's configuration for a server.
#[must_use]
pub fn values(url: &str, contract: &str, key: &str) -> String {
    format!("server_url = \"{url}\"\ncontract_code = \"{contract}\"\nenrollment_key = \"{key}\"\n")
}

/// `(kind, how)` in the terminal's own order.
#[must_use]
pub fn kinds_and_how(punches: &[Value]) -> Vec<(&str, &str)> {
    let mut rows: Vec<_> =
        punches.iter().map(|p| (p["seq"].as_u64(), (text(p, "kind"), text(p, "how")))).collect();
    rows.sort_by_key(|(seq, _)| *seq);
    rows.into_iter().map(|(_, row)| row).collect()
}
