//! A real Debian 12 machine (systemd, logind, D-Bus, PAM, sshd) in qemu, for
//! what no container shows: login sessions, shutdown, and a power cut.
//!
//! The image comes from `make-image.sh`. KVM is not assumed: every deadline is
//! meant for emulation on two shared cores.
#![allow(dead_code)] // every test uses another part of this

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};

/// How the guest calls the host's 127.0.0.1 (also `host.vm` in its hosts file).
pub const HOST: &str = "10.0.2.2";
/// One command over ssh; emulated sshd alone may take seconds under load.
const RUN_TIMEOUT: Duration = Duration::from_secs(120);
/// systemd gives a stuck service 90 s before it kills it at poweroff.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(150);
const CONSOLE_TIMEOUT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(200);
/// What bash prints last when hanako's shell waits for a line.
const PROMPT: &str = ":~$ ";

/// A running machine. Dropping it is a power cut.
pub struct Vm {
    qemu: Child,
    image_dir: PathBuf,
    disk: PathBuf,
    ssh_port: u16,
    control_port: u16,
    /// Ends the thread that qemu's life hangs on, see [`spawn_bound`].
    _keeper: mpsc::Sender<()>,
}

impl Vm {
    /// Makes the disk of a new machine: an overlay over the image, so it costs
    /// no copy. An existing file is replaced. Its first boot gives it a
    /// machine-id of its own; rebuilding the image makes the disk unusable.
    pub fn fresh_disk(image_dir: &Path, path: &Path) -> Result<()> {
        let image = finished_image(image_dir)?;
        let output = Command::new("qemu-img")
            .args(["create", "-q", "-f", "qcow2", "-F", "raw", "-b"])
            .args([&image, path])
            .output()
            .context("start qemu-img")?;
        ensure!(
            output.status.success(),
            "create disk {}: {}",
            path.display(),
            String::from_utf8_lossy(&output.stderr)
        );
        for suffix in ["serial.log", "qemu.log"] {
            remove_if_there(&beside(path, suffix))?;
        }
        Ok(())
    }

    /// Starts the machine and returns while it boots: call [`Vm::wait_ssh`].
    /// The guest is reachable on 127.0.0.1:`ssh_port` only.
    pub fn boot(image_dir: &Path, disk: &Path, ssh_port: u16) -> Result<Vm> {
        finished_image(image_dir)?;
        let control_port = free_port()?;
        remove_if_there(&beside(disk, "console.sock"))?;
        mark_boot(&beside(disk, "serial.log"))?;
        let log = File::create(beside(disk, "qemu.log"))
            .with_context(|| format!("create the qemu log of {}", disk.display()))?;
        let mut command = qemu_command(image_dir, disk, [ssh_port, control_port])?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let (qemu, keeper) = spawn_bound(command)?;
        Ok(Vm {
            qemu,
            image_dir: image_dir.to_path_buf(),
            disk: disk.to_path_buf(),
            ssh_port,
            control_port,
            _keeper: keeper,
        })
    }

    /// Waits until people can log in: sshd answers, logind runs, and PAM no
    /// longer refuses ordinary users because the system is still booting.
    pub fn wait_ssh(&mut self, timeout: Duration) -> Result<()> {
        const READY: &str = "test ! -e /run/nologin && systemctl is-active -q systemd-logind ssh";
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(status) = self.qemu.try_wait().context("look at qemu")? {
                return Err(self.failure(&format!("qemu ended while booting ({status})")));
            }
            let rest = deadline.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return Err(self.failure(&format!("not ready for login after {timeout:?}")));
            }
            let mut ssh = self.ssh("root", self.control_port, &[]);
            ssh.arg(READY).stdin(Stdio::null());
            // Any failure here only means "not yet": the deadline decides.
            if output_within(ssh, rest).is_ok_and(|output| output.status.success()) {
                return Ok(());
            }
            thread::sleep(POLL);
        }
    }

    /// Runs a command in an ssh session of its own, as a user would: PAM and
    /// logind see it. A failing command is an `Ok` with its status; `Err` means
    /// ssh itself failed (status 255).
    pub fn run(&self, user: &str, command: &str) -> Result<Output> {
        self.run_on(self.ssh_port, user, command, Stdio::null())
    }

    /// Runs a command as root past PAM: no logind session, no wtmp entry, so
    /// looking at the machine does not change what the agent records. Fails
    /// when the command fails; returns what it printed.
    pub fn control(&self, command: &str) -> Result<String> {
        self.control_with(command, Stdio::null())
    }

    /// Opens a login session with a terminal that stays open until the command
    /// ends, the client is killed, or the machine goes. Write to its stdin to
    /// type; end it with [`close_session`]. Returns before the guest has seen
    /// it: poll `control("loginctl ...")` with [`wait_until`].
    pub fn spawn_session(&self, user: &str, command: &str) -> Result<Child> {
        self.ssh(user, self.ssh_port, &["-tt"])
            .arg(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("start ssh session of {user}: {command}"))
    }

    /// Puts a file into the guest as root, synced, without a logind session.
    /// The rename makes replacing a running program possible.
    pub fn copy_in(&self, local: &Path, remote: &str, mode: u32) -> Result<()> {
        let file = File::open(local).with_context(|| format!("open {}", local.display()))?;
        let part = format!("'{remote}.part'");
        let command = format!(
            "cat >{part} && chmod {mode:o} {part} && sync {part} && mv {part} '{remote}' && sync -f '{remote}'"
        );
        self.control_with(&command, Stdio::from(file))
            .with_context(|| format!("copy {} to {remote}", local.display()))?;
        Ok(())
    }

    /// Pulls the plug. What the guest fsynced is on the disk, the rest may be
    /// lost. Boot the same disk again with [`Vm::boot`].
    pub fn power_cut(mut self) -> Result<()> {
        self.kill().context("cut the power")
    }

    /// Shuts down in the orderly way: logind announces it, services stop,
    /// sessions end, the disk is unmounted.
    pub fn shutdown(mut self) -> Result<()> {
        // ssh often loses the connection here; only qemu's end counts.
        let asked = self.control("systemctl poweroff");
        let deadline = Instant::now() + SHUTDOWN_TIMEOUT;
        while Instant::now() < deadline {
            if self.qemu.try_wait().context("look at qemu")?.is_some() {
                return Ok(());
            }
            thread::sleep(POLL);
        }
        let what = format!("still on {SHUTDOWN_TIMEOUT:?} after poweroff (asked: {asked:?})");
        Err(self.failure(&what))
    }

    /// Logs in at the second serial console (ttyS1) with a password: a local
    /// session through `login`, not sshd. Only hanako has a password. The
    /// console is one: a second caller waits in vain.
    pub fn console_login(&self, user: &str, password: &str) -> Result<Console> {
        let path = beside(&self.disk, "console.sock");
        let stream =
            UnixStream::connect(&path).with_context(|| format!("connect to console {}", path.display()))?;
        stream.set_read_timeout(Some(POLL)).context("set the console's read timeout")?;
        let mut console = Console { stream };
        let mut login = || -> Result<()> {
            console.send("\n")?;
            console.expect("login: ")?;
            console.send(&format!("{user}\n"))?;
            console.expect("Password: ")?;
            console.send(&format!("{password}\n"))?;
            console.expect(PROMPT)?;
            // A pager would wait for a key.
            console.command("export PAGER=cat SYSTEMD_PAGER=cat").map(drop)
        };
        login().map_err(|error| self.failure(&format!("console login of {user}: {error:#}")))?;
        Ok(console)
    }

    /// Kernel and systemd messages of every boot of this disk.
    pub fn serial_log(&self) -> PathBuf {
        beside(&self.disk, "serial.log")
    }

    /// Process id of the qemu.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.qemu.id()
    }

    fn run_on(&self, port: u16, user: &str, command: &str, stdin: Stdio) -> Result<Output> {
        let mut ssh = self.ssh(user, port, &[]);
        ssh.arg(command).stdin(stdin);
        let output = output_within(ssh, RUN_TIMEOUT)
            .map_err(|error| self.failure(&format!("as {user} {command:?}: {error:#}")))?;
        if matches!(output.status.code(), Some(255) | None) {
            let stderr = String::from_utf8_lossy(&output.stderr);
            return Err(self.failure(&format!("ssh as {user} for {command:?}: {stderr}")));
        }
        Ok(output)
    }

    fn control_with(&self, command: &str, stdin: Stdio) -> Result<String> {
        let output = self.run_on(self.control_port, "root", command, stdin)?;
        ensure!(
            output.status.success(),
            "in the guest {command:?}: {}: {}{}",
            output.status,
            String::from_utf8_lossy(&output.stderr),
            String::from_utf8_lossy(&output.stdout)
        );
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// A client that neither asks, nor reads or writes anything of the host
    /// user's ssh configuration, nor shares a connection (which would share
    /// the PAM session). The exchange named is the cheapest to emulate.
    fn ssh(&self, user: &str, port: u16, extra: &[&str]) -> Command {
        let mut command = Command::new("ssh");
        command.args(["-F", "none", "-i"]).arg(self.image_dir.join("id_ed25519"));
        for option in [
            "BatchMode=yes",
            "ConnectTimeout=10",
            "ControlMaster=no",
            "ControlPath=none",
            "IdentitiesOnly=yes",
            "KexAlgorithms=curve25519-sha256",
            "LogLevel=ERROR",
            "StrictHostKeyChecking=no",
            "UserKnownHostsFile=/dev/null",
        ] {
            command.args(["-o", option]);
        }
        command.args(extra).args(["-p", &port.to_string()]);
        command.arg(format!("{user}@127.0.0.1"));
        command
    }

    fn kill(&mut self) -> Result<()> {
        self.qemu.kill().with_context(|| format!("kill qemu {}", self.qemu.id()))?;
        self.qemu.wait().with_context(|| format!("wait for qemu {}", self.qemu.id()))?;
        Ok(())
    }

    /// An error with what the machine last said: nobody can look at it later.
    fn failure(&self, what: &str) -> anyhow::Error {
        anyhow!(
            "vm {}: {what}\n--- qemu said:\n{}\n--- end of the serial log:\n{}",
            self.disk.display(),
            tail(&beside(&self.disk, "qemu.log"), 10),
            tail(&self.serial_log(), 25)
        )
    }
}

impl Drop for Vm {
    fn drop(&mut self) {
        // Nothing to do about a failure here: the process is gone or going.
        let _ = self.kill();
        let _ = fs::remove_file(beside(&self.disk, "console.sock"));
    }
}

/// A shell on the serial console. Dropping it leaves the session open, as a
/// person does who walks away.
pub struct Console {
    stream: UnixStream,
}

impl Console {
    /// Types a line and returns what is printed until the next prompt.
    pub fn command(&mut self, line: &str) -> Result<String> {
        self.send(&format!("{line}\n"))?;
        self.expect(PROMPT)
    }

    /// Ends the session the orderly way and waits for the next login prompt.
    pub fn logout(mut self) -> Result<()> {
        self.send("exit\n")?;
        self.expect("login: ").map(drop)
    }

    fn send(&mut self, text: &str) -> Result<()> {
        self.stream.write_all(text.as_bytes()).with_context(|| format!("type {text:?} on the console"))
    }

    fn expect(&mut self, wanted: &str) -> Result<String> {
        let deadline = Instant::now() + CONSOLE_TIMEOUT;
        let mut seen = String::new();
        let mut buffer = [0; 4096];
        while !seen.contains(wanted) {
            ensure!(
                Instant::now() < deadline,
                "console: no {wanted:?} within {CONSOLE_TIMEOUT:?}, only {seen:?}"
            );
            match self.stream.read(&mut buffer) {
                Ok(0) => bail!("console: closed before {wanted:?}, after {seen:?}"),
                Ok(count) => seen.push_str(&String::from_utf8_lossy(&buffer[..count])),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) => return Err(error).context("read the console"),
            }
        }
        Ok(seen)
    }
}

/// Ends a session of [`Vm::spawn_session`] the way a lost connection does:
/// the client dies, sshd notices and closes the PAM session.
pub fn close_session(mut session: Child) -> Result<()> {
    session.kill().context("kill the ssh client")?;
    session.wait().context("wait for the ssh client")?;
    Ok(())
}

/// A TCP port of 127.0.0.1 that was free a moment ago. Another process may take
/// it first; qemu then ends at once and [`Vm::wait_ssh`] says so.
pub fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("bind a free port")?;
    Ok(listener.local_addr().context("read the free port")?.port())
}

/// Polls until `check` says yes. Its errors end the wait.
pub fn wait_until(what: &str, timeout: Duration, mut check: impl FnMut() -> Result<bool>) -> Result<()> {
    let deadline = Instant::now() + timeout;
    while !check().with_context(|| format!("while waiting for {what}"))? {
        ensure!(Instant::now() < deadline, "no {what} within {timeout:?}");
        thread::sleep(POLL);
    }
    Ok(())
}

fn finished_image(image_dir: &Path) -> Result<PathBuf> {
    let dir = fs::canonicalize(image_dir)
        .with_context(|| format!("find image directory {}", image_dir.display()))?;
    ensure!(dir.join("image.stamp").is_file(), "no finished image in {}: run make-image.sh", dir.display());
    Ok(dir.join("root.img"))
}

/// `-cpu` is left at its default: `max` took more CPU time to boot, not less.
fn qemu_command(image_dir: &Path, disk: &Path, ports: [u16; 2]) -> Result<Command> {
    let cmdline_path = image_dir.join("cmdline");
    let cmdline =
        fs::read_to_string(&cmdline_path).with_context(|| format!("read {}", cmdline_path.display()))?;
    let mut qemu = Command::new("setpriv");
    qemu.args(["--pdeathsig", "KILL", "qemu-system-x86_64"])
        .args(["-accel", "tcg,thread=multi", "-smp", "2", "-m", "512"])
        .args(["-nodefaults", "-display", "none", "-vga", "none", "-kernel"])
        .arg(image_dir.join("vmlinuz"))
        // On a busy host the emulated timer comes too late for the kernel's check of it, which then panics.
        .args(["-append", &format!("{} no_timer_check", cmdline.trim())])
        .args(["-drive", &drive(disk)?])
        .args(["-device", "nvme,drive=root,serial=mngntime"])
        .args(["-netdev", &netdev(ports)])
        .args(["-device", "virtio-net-pci,netdev=net,romfile="])
        .args(["-chardev", &chardev("file", "log", &beside(disk, "serial.log"), "append=on")?])
        .args(["-serial", "chardev:log"])
        .args(["-chardev", &chardev("socket", "tty", &beside(disk, "console.sock"), "server=on,wait=off")?])
        .args(["-serial", "chardev:tty"]);
    Ok(qemu)
}

/// `cache=writeback` is chosen on purpose. The guest sees a disk with a
/// volatile cache: its fsync becomes a flush, which qemu turns into written
/// qcow2 tables and an fdatasync, so it survives a kill of qemu. Without a flush
/// fresh qcow2 tables exist only in qemu's memory and die with it, as they do
/// in a real disk's cache. `writethrough` and `directsync` would make every
/// write durable and hide a missing fsync; `unsafe` would ignore the fsync;
/// `none` loses no more than this and fails on file systems without O_DIRECT.
fn drive(disk: &Path) -> Result<String> {
    Ok(format!("if=none,id=root,format=qcow2,cache=writeback,file={}", option_value(disk)?))
}

/// Not `restrict=on`: it also cuts 10.0.2.2, and a `guestfwd` in its place
/// accepts connections while the host's server is down, where a real network
/// refuses them. The guest has no gateway and no name server instead, so the
/// host's loopback is all it reaches.
fn netdev([ssh, control]: [u16; 2]) -> String {
    format!("user,id=net,ipv6=off,hostfwd=tcp:127.0.0.1:{ssh}-:22,hostfwd=tcp:127.0.0.1:{control}-:2222")
}

fn chardev(kind: &str, id: &str, path: &Path, options: &str) -> Result<String> {
    Ok(format!("{kind},id={id},path={},{options}", option_value(path)?))
}

/// qemu takes a comma for the end of an option unless it is doubled.
fn option_value(path: &Path) -> Result<String> {
    let text = path.to_str().with_context(|| format!("path {} is not UTF-8", path.display()))?;
    Ok(text.replace(',', ",,"))
}

/// Starts qemu so that it cannot outlive this process, even one that is
/// killed: the kernel sends SIGKILL when the starting *thread* ends, so that
/// is a thread of its own, which lives as long as the sender (or the process).
fn spawn_bound(mut command: Command) -> Result<(Child, mpsc::Sender<()>)> {
    let (keeper, kept) = mpsc::channel::<()>();
    let (started, child) = mpsc::channel();
    thread::spawn(move || {
        let _ = started.send(command.spawn());
        let _ = kept.recv();
    });
    let child = child.recv().context("wait for the thread that starts qemu")?;
    Ok((child.context("start setpriv qemu-system-x86_64")?, keeper))
}

/// Like `Command::output`, but ends the command when the time is over.
fn output_within(mut command: Command, timeout: Duration) -> Result<Output> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().context("start ssh")?;
    let stdout = collect(child.stdout.take());
    let stderr = collect(child.stderr.take());
    let deadline = Instant::now() + timeout;
    let status = loop {
        if let Some(status) = child.try_wait().context("look at ssh")? {
            break status;
        }
        if Instant::now() >= deadline {
            child.kill().context("kill ssh")?;
            child.wait().context("wait for ssh")?;
            bail!("not finished within {timeout:?}");
        }
        thread::sleep(POLL / 10);
    };
    Ok(Output {
        status,
        stdout: stdout.join().unwrap_or_default(),
        stderr: stderr.join().unwrap_or_default(),
    })
}

/// Reads a pipe on the side, so that a full one does not stop its writer.
fn collect(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        bytes
    })
}

fn beside(disk: &Path, suffix: &str) -> PathBuf {
    let mut name = disk.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

fn remove_if_there(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Separates the boots of one disk, so that the tail of an early failure is not
/// taken for this boot's.
fn mark_boot(log: &Path) -> Result<()> {
    File::options()
        .create(true)
        .append(true)
        .open(log)
        .and_then(|mut file| file.write_all(b"\n=== power on ===\n"))
        .with_context(|| format!("write {}", log.display()))
}

fn tail(path: &Path, lines: usize) -> String {
    let text = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}
