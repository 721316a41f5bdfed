//! A `mngntime serve` of a test's own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;
use serde_json::Value;

use crate::strace::Injection;
use crate::{program, signal, wait_for};

/// The server program.
///
/// # Errors
/// When it has not been built.
pub fn mngntime() -> Result<PathBuf> {
    program(&crate::profile(), "mngntime")
}

/// A server with a contract, started and stopped at will on the same data and port.
pub struct Server {
    directory: PathBuf,
    port: u16,
    tls: bool,
    log: Option<PathBuf>,
    process: Option<Child>,
    /// The enrolment key of contract `demo`.
    pub enrollment_key: String,
}

/// Contract code of every test server.
pub const CONTRACT: &str = "demo";
/// Sign-in of the contract's administrator.
pub const LOGIN: &str = "admin";
/// Its password.
pub const PASSWORD: &str = "correct horse battery staple";

impl Server {
    /// Makes a server in `directory`; with `tls` it shows a certificate for `10.0.2.2` and `127.0.0.1` whose
    /// authority is [`Server::ca_file`].
    ///
    /// # Errors
    /// When a command fails.
    pub fn create(directory: &Path, tls: bool) -> Result<Self> {
        fs::create_dir_all(directory)?;
        let mut server = Self {
            directory: directory.to_owned(),
            port: crate::vm::free_port()?,
            tls,
            log: None,
            process: None,
            enrollment_key: String::new(),
        };
        server.write_config()?;
        // The first start makes the database.
        server.start()?;
        let created = server
            .command(&["contract", "create", "--code", CONTRACT, "--name", "株式会社サンプル"], None)?;
        let text = String::from_utf8(created.stdout)?;
        server.enrollment_key = text
            .split_whitespace()
            .find_map(|word| word.strip_prefix("enrollment-key="))
            .with_context(|| format!("`contract create` prints no enrolment key: {text}"))?
            .to_owned();
        server.command(
            &["admin", "create", "--login", LOGIN, "--contract", CONTRACT, "--password-stdin"],
            Some(PASSWORD),
        )?;
        server.stop()?;
        Ok(server)
    }

    fn write_config(&self) -> Result<()> {
        let mut text =
            format!("listen = \"127.0.0.1:{}\"\ndata_dir = \"{}\"\n", self.port, self.data().display());
        if self.tls {
            let key = rcgen::generate_simple_self_signed(["10.0.2.2".to_owned(), "127.0.0.1".to_owned()])?;
            fs::write(self.ca_file(), key.cert.pem())?;
            fs::write(self.directory.join("tls.key"), key.signing_key.serialize_pem())?;
            text += &format!(
                "tls_certificate = \"{}\"\ntls_key = \"{}\"\n",
                self.ca_file().display(),
                self.directory.join("tls.key").display()
            );
        }
        fs::write(self.config(), text).context("cannot write the server's configuration")
    }

    /// Shows another certificate from the next start on: for `names`, from the beginning of the first year to
    /// that of the second.
    ///
    /// # Errors
    /// When it cannot be made or written.
    pub fn show_certificate(&self, names: &[&str], years: (i32, i32)) -> Result<()> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut wanted = rcgen::CertificateParams::new(names)?;
        wanted.not_before = rcgen::date_time_ymd(years.0, 1, 1);
        wanted.not_after = rcgen::date_time_ymd(years.1, 1, 1);
        let key = rcgen::KeyPair::generate()?;
        fs::write(self.ca_file(), wanted.self_signed(&key)?.pem())?;
        fs::write(self.directory.join("tls.key"), key.serialize_pem())?;
        Ok(())
    }

    /// The certificate to trust.
    #[must_use]
    pub fn ca_file(&self) -> PathBuf {
        self.directory.join("tls.pem")
    }

    fn config(&self) -> PathBuf {
        self.directory.join("server.toml")
    }

    /// Adds settings, which count from the next start on.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn configure(&self, settings: &[(&str, &str)]) -> Result<()> {
        let mut text = fs::read_to_string(self.config())?;
        for (key, value) in settings {
            text += &format!("{key} = \"{value}\"\n");
        }
        fs::write(self.config(), text).context("cannot write the server's configuration")
    }

    /// The data directory.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// Address for programs on this machine.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://127.0.0.1:{}", if self.tls { "https" } else { "http" }, self.port)
    }

    /// The port on loopback.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Starts the server and waits until it serves.
    ///
    /// # Errors
    /// When it ends instead.
    pub fn start(&mut self) -> Result<()> {
        let command = self.serve()?;
        self.start_with(command)
    }

    /// From the next start on, what the server logs goes to the end of this file.
    pub fn log_to(&mut self, file: &Path) {
        self.log = Some(file.to_owned());
    }

    fn serve(&self) -> Result<Command> {
        let mut command = Command::new(mngntime()?);
        command.args(["serve", "--config"]).arg(self.config());
        if let Some(log) = &self.log {
            command.stderr(fs::File::options().create(true).append(true).open(log)?);
        }
        Ok(command)
    }

    /// Starts the server so that some of its system calls fail; what strace saw goes to `log`.
    ///
    /// # Errors
    /// When it ends instead of serving, which may be just what a failed call makes it do.
    pub fn start_failing(&mut self, injection: &Injection, log: &Path) -> Result<()> {
        let command = injection.around(&self.serve()?, log);
        self.start_with(command)
    }

    fn start_with(&mut self, mut command: Command) -> Result<()> {
        let mut process = command.stdout(Stdio::piped()).spawn().context("cannot start mngntime serve")?;
        let output = process.stdout.take().context("mngntime serve has no output")?;
        self.process = Some(process);
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        if !line.starts_with("ready ") {
            bail!("mngntime serve did not become ready: {line:?}");
        }
        Ok(())
    }

    /// Ends the server in order.
    ///
    /// # Errors
    /// When it ends with a failure.
    pub fn stop(&mut self) -> Result<()> {
        let Some(mut process) = self.process.take() else {
            return Ok(());
        };
        signal(&process, Signal::TERM)?;
        let status = process.wait()?;
        if !status.success() {
            bail!("mngntime serve ended with {status}");
        }
        Ok(())
    }

    /// Ends the server in order, however it ends.
    ///
    /// # Errors
    /// When the OS refuses.
    pub fn stop_somehow(&mut self) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            signal(&process, Signal::TERM)?;
            process.wait()?;
        }
        Ok(())
    }

    /// Kills the server.
    ///
    /// # Errors
    /// When the OS refuses.
    pub fn kill(&mut self) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            process.kill()?;
            process.wait()?;
        }
        Ok(())
    }

    /// Runs a command of `mngntime` on the data directory; fails when it fails.
    ///
    /// # Errors
    /// With what the command printed.
    pub fn command(&self, words: &[&str], input: Option<&str>) -> Result<Output> {
        use std::io::Write;
        let mut child = Command::new(mngntime()?)
            .args(words)
            .arg("--data")
            .arg(self.data())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input.unwrap_or_default().as_bytes())?;
        }
        let output = child.wait_with_output()?;
        if !output.status.success() {
            bail!("mngntime {} failed: {}", words.join(" "), String::from_utf8_lossy(&output.stderr));
        }
        Ok(output)
    }

    /// All punches, newest first, as `mngntime punches` gives them.
    ///
    /// # Errors
    /// When the command fails or prints something else.
    pub fn punches(&self) -> Result<Vec<Value>> {
        let output = self.command(&["punches", "--format", "jsonl", "--limit", "1000000"], None)?;
        String::from_utf8(output.stdout)?
            .lines()
            .map(|line| serde_json::from_str(line).with_context(|| format!("not JSON: {line}")))
            .collect()
    }

    /// Registers the only account that waits for it as that of a new employee, as the administrator would in a
    /// browser. Over plain HTTP.
    ///
    /// # Errors
    /// When a page does not answer as it should.
    pub fn link_account(&self, code: &str) -> Result<()> {
        let cookie = &self.sign_in()?;
        let list = self.page("GET", "/punches?errors=1", cookie, "")?;
        let account = part(&list, "name=\"account\" value=\"", "\"")?;
        let form = format!(
            "account={account}&mode-0=new&code-0={code}&name-0={code}&from-0=2020-01-01&to-0=&step=save"
        );
        let saved = self.page("POST", "/accounts/link", cookie, &form)?;
        if !saved.starts_with("HTTP/1.1 303") {
            bail!("the account was not registered: {saved}");
        }
        Ok(())
    }

    /// Puts the employee with a code, who is called by it, into a department, as the administrator would in a browser. Over
    /// plain HTTP.
    ///
    /// # Errors
    /// When there is no such employee or department.
    pub fn put_into_department(&self, code: &str, department: &str) -> Result<()> {
        let list = self.page("GET", &format!("/employees?q={code}"), &self.sign_in()?, "")?;
        let employee = part(part(&list, "<tbody", "</tbody>")?, "href=\"/employees/", "\"")?;
        self.submit(
            &format!("/employees/{employee}"),
            &format!("code={code}&name={code}&department={department}&step=save"),
        )
    }

    /// Submits a form as the administrator would in a browser. Over plain HTTP.
    ///
    /// # Errors
    /// When it is not taken.
    pub fn submit(&self, address: &str, form: &str) -> Result<()> {
        let saved = self.page("POST", address, &self.sign_in()?, form)?;
        if !saved.starts_with("HTTP/1.1 303") {
            bail!("{address} did not take {form}: {saved}");
        }
        Ok(())
    }

    fn sign_in(&self) -> Result<String> {
        let form = format!("user={LOGIN}&password={}", PASSWORD.replace(' ', "+"));
        let signed_in = self.page("POST", "/login", "nobody=", &form)?;
        Ok(format!("mngntime_session={}", part(&signed_in, "mngntime_session=", ";")?))
    }

    fn page(&self, method: &str, address: &str, cookie: &str, form: &str) -> Result<String> {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", self.port))?;
        let length = form.len();
        write!(
            stream,
            "{method} {address} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nconnection: close\r\nsec-fetch-site: same-origin\r\n\
             cookie: {cookie}\r\ncontent-type: application/x-www-form-urlencoded\r\n\
             content-length: {length}\r\n\r\n{form}",
            self.port
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    /// By how much each event's PC was ahead of or behind the server when it sent, in milliseconds.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn clock_offsets(&self) -> Result<Vec<i64>> {
        let connection = rusqlite::Connection::open(self.data().join("mngntime.db"))?;
        let mut offsets = connection.prepare("SELECT clock_offset_ms FROM events")?;
        Ok(offsets.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    /// All punches of the account whose name is `name`.
    ///
    /// # Errors
    /// When the command fails.
    pub fn punches_of(&self, name: &str) -> Result<Vec<Value>> {
        let mut punches = self.punches()?;
        punches.retain(|punch| text(punch, "account").ends_with(&format!("\\{name}")));
        Ok(punches)
    }

    /// Waits until as many punches are there as `wanted` says, of the account whose name is `name`.
    ///
    /// # Errors
    /// When they do not come.
    pub fn wait_for_punches(&self, name: &str, wanted: usize) -> Result<Vec<Value>> {
        let found = wait_for(&format!("{wanted} punches of {name}"), || {
            let punches = self.punches_of(name)?;
            Ok((punches.len() >= wanted).then_some(punches))
        });
        found.with_context(|| format!("punches there are: {:?}", self.punches()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

/// What stands between `before` and `after`; what follows `before` when there is no `after`.
///
/// # Errors
/// When there is no `before`.
pub fn part<'a>(text: &'a str, before: &str, after: &str) -> Result<&'a str> {
    let rest = text.split_once(before).with_context(|| format!("no {before} in {text}"))?.1;
    Ok(rest.split_once(after).map_or(rest, |(part, _)| part))
}

/// A text field of a punch; empty when it is absent.
#[must_use]
pub fn text<'a>(punch: &'a Value, field: &str) -> &'a str {
    punch.get(field).and_then(Value::as_str).unwrap_or_default()
}
