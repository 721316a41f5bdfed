//! A system bus of a test's own with logind's interface on it (python3-dbusmock).
//!
//! The agent's D-Bus code is the real one; what is behind the bus is a mock that opens and closes sessions
//! when told to. Real logind is in the VM tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::wait_for;

/// Bus and mock; both end with it.
pub struct Bus {
    daemon: Child,
    mock: Child,
    address: String,
    variables: Vec<(&'static str, String)>,
}

const CONFIG: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path=SOCKET</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/><allow user="*"/></policy></busconfig>"#;

const OPEN_SESSION: &str = r#"
path = dbus.ObjectPath('/org/freedesktop/login1/session/' + args[0])
self.AddObject(path, 'org.freedesktop.login1.Session', {
    'Id': args[0], 'Name': args[2], 'Class': 'user', 'State': 'active', 'Type': 'tty', 'LockedHint': False,
    'Remote': False, 'RemoteHost': '', 'Timestamp': dbus.UInt64(int(time.time() * 1000000)),
    'User': dbus.Struct((dbus.UInt32(args[1]), dbus.ObjectPath('/org/freedesktop/login1/user/' + str(args[1]))), signature='uo'),
    'Seat': dbus.Struct(('', dbus.ObjectPath('/')), signature='so')}, [])
self.EmitSignal('org.freedesktop.login1.Manager', 'SessionNew', 'so', [args[0], path])
"#;

const CLOSE_SESSION: &str = r#"
path = dbus.ObjectPath('/org/freedesktop/login1/session/' + args[0])
self.RemoveObject(path)
self.EmitSignal('org.freedesktop.login1.Manager', 'SessionRemoved', 'so', [args[0], path])
"#;

/// Whoever asks, it is the session opened last.
const SESSION_OF_PROCESS: &str = r#"
paths = [path for path in objects if path.startswith('/org/freedesktop/login1/session/')]
if not paths:
    raise dbus.exceptions.DBusException('no session', name='org.freedesktop.login1.NoSessionForPID')
ret = dbus.ObjectPath(paths[-1])
"#;

impl Bus {
    /// Starts both in `directory`.
    ///
    /// # Errors
    /// When dbus-daemon or python3-dbusmock is missing.
    pub fn start(directory: &Path) -> Result<Self> {
        Self::start_with(directory, &[])
    }

    /// The same with variables in logind's environment.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_with(directory: &Path, variables: &[(&'static str, String)]) -> Result<Self> {
        fs::create_dir_all(directory)?;
        let socket = directory.join("bus.sock");
        let config = directory.join("bus.conf");
        fs::write(&config, CONFIG.replace("SOCKET", &socket.display().to_string()))?;
        let daemon = Command::new("dbus-daemon")
            .args(["--nofork", "--config-file"])
            .arg(&config)
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start dbus-daemon; run the tests with: cargo xtask test")?;
        wait_for("the bus", || Ok(socket.exists().then_some(())))?;
        let address = format!("unix:path={}", socket.display());
        let variables = variables.to_vec();
        let bus = Self { daemon, mock: logind(&address, &variables)?, address, variables };
        bus.wait_until_taught()?;
        Ok(bus)
    }

    /// Ends logind and starts it again; the new one knows no sessions.
    ///
    /// # Errors
    /// When the mock does not come back.
    pub fn restart_logind(&mut self) -> Result<()> {
        self.mock.kill().context("cannot end the mock of logind")?;
        self.mock.wait()?;
        self.mock = logind(&self.address, &self.variables)?;
        self.wait_until_taught()
    }

    fn wait_until_taught(&self) -> Result<()> {
        // The template has been loaded when its last method answers; before, it would clear ours away.
        wait_for("the mock of logind", || Ok(self.call("CanPowerOff", &[]).is_ok().then_some(())))?;
        self.teach()
    }

    /// What `DBUS_SYSTEM_BUS_ADDRESS` must be.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    fn gdbus(&self, method: &str, arguments: &[&str]) -> Result<String> {
        let output = Command::new("gdbus")
            .args(["call", "--system", "--dest", "org.freedesktop.login1"])
            .args(["--object-path", "/org/freedesktop/login1", "--method", method])
            .args(arguments)
            .env("DBUS_SYSTEM_BUS_ADDRESS", &self.address)
            .output()
            .context("cannot start gdbus")?;
        if !output.status.success() {
            bail!("{method} failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    fn call(&self, method: &str, arguments: &[&str]) -> Result<String> {
        self.gdbus(&format!("org.freedesktop.login1.Manager.{method}"), arguments)
    }

    fn mock(&self, method: &str, arguments: &[&str]) -> Result<String> {
        self.gdbus(&format!("org.freedesktop.DBus.Mock.{method}"), arguments)
    }

    /// Teaches the mock to open and close a session in one step, as logind does: nobody sees it half made.
    fn teach(&self) -> Result<()> {
        for (name, takes, gives, code) in [
            ("OpenSession", "sus", "", OPEN_SESSION),
            ("CloseSession", "sus", "", CLOSE_SESSION),
            ("GetSessionByPID", "u", "o", SESSION_OF_PROCESS),
        ] {
            self.mock("AddMethod", &["org.freedesktop.login1.Manager", name, takes, gives, code])?;
        }
        Ok(())
    }

    /// Opens a session of class `user`, as pam_systemd would.
    ///
    /// # Errors
    /// When the mock refuses.
    pub fn open_session(&self, id: &str, uid: u32, name: &str) -> Result<()> {
        self.call("OpenSession", &[id, &uid.to_string(), name]).map(|_| ())
    }

    /// Closes a session.
    ///
    /// # Errors
    /// When the mock refuses.
    pub fn close_session(&self, id: &str) -> Result<()> {
        self.call("CloseSession", &[id, "0", ""]).map(|_| ())
    }
}

fn logind(address: &str, variables: &[(&'static str, String)]) -> Result<Child> {
    Command::new("/usr/bin/python3")
        .args(["-m", "dbusmock", "--system", "--template", "logind"])
        .env("DBUS_SYSTEM_BUS_ADDRESS", address)
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stdout(Stdio::null())
        .spawn()
        .context("cannot start python3-dbusmock; run the tests with: cargo xtask test")
}

impl Drop for Bus {
    fn drop(&mut self) {
        for child in [&mut self.mock, &mut self.daemon] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A directory short enough for a socket's path (108 bytes).
///
/// # Errors
/// When it cannot be made.
pub fn short_directory() -> Result<(tempfile::TempDir, PathBuf)> {
    let directory = tempfile::Builder::new().prefix("mngn").tempdir()?;
    let path = directory.path().to_owned();
    Ok((directory, path))
}
