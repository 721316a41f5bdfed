//! `cargo xtask test`: everything, from nothing but Debian 12 and a Rust toolchain.
//!
//! Installs what is missing, builds what the whole-system tests run, and runs all tests in one go. The last
//! line is `N passed, N failed`; tidy counts as one test.

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use anyhow::{Context, anyhow, bail, ensure};

use crate::dist::windows::{Options, compiler::compile_unit_tests, run_signed, sign::Signer};
use crate::process::{has, root, run as execute};
use crate::{dist, tidy};

/// Debian packages, each with a program or file that shows that it is there.
const PACKAGES: &[(&str, &str)] = &[
    ("cmake", "/usr/bin/cmake"),
    ("make", "/usr/bin/make"),
    ("dbus", "/usr/bin/dbus-daemon"),
    ("libglib2.0-bin", "/usr/bin/gdbus"),
    ("python3-dbusmock", "/usr/lib/python3/dist-packages/dbusmock/__init__.py"),
    ("python3-cryptography", "/usr/lib/python3/dist-packages/cryptography/__init__.py"),
    ("gir1.2-glib-2.0", "/usr/lib/x86_64-linux-gnu/girepository-1.0/GLib-2.0.typelib"),
    ("python3-venv", "/usr/lib/python3.11/ensurepip/__init__.py"),
    ("chromium", "/usr/bin/chromium"),
    // The engine without its window: half the time for each of the hundreds of pages of `screens`.
    ("chromium-headless-shell", "/usr/bin/chromium-headless-shell"),
    ("poppler-utils", "/usr/bin/pdftotext"),
    ("fonts-noto-cjk", "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"),
    ("debootstrap", "/usr/sbin/debootstrap"),
    ("qemu-system-x86", "/usr/bin/qemu-system-x86_64"),
    ("qemu-utils", "/usr/bin/qemu-img"),
    ("openssh-client", "/usr/bin/ssh"),
    ("strace", "/usr/bin/strace"),
    ("libfaketime", "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"),
    ("libxml2-utils", "/usr/bin/xmllint"),
    ("gcc-mingw-w64-x86-64", "/usr/bin/x86_64-w64-mingw32-gcc"),
    ("binutils-mingw-w64-x86-64", "/usr/bin/x86_64-w64-mingw32-windres"),
    ("wixl", "/usr/bin/wixl"),
    ("msitools", "/usr/bin/msibuild"),
    ("osslsigncode", "/usr/bin/osslsigncode"),
    ("openssl", "/usr/bin/openssl"),
    ("dpkg-dev", "/usr/bin/dpkg-shlibdeps"),
    ("postgresql", "/usr/lib/postgresql/15/bin/initdb"),
    ("haproxy", "/usr/sbin/haproxy"),
];

/// Runs everything; `filters` narrow the tests down by nextest's words.
pub fn run(filters: &[&str]) -> anyhow::Result<()> {
    timed("Debian packages", install_packages)?;
    let tidy = prepare()?;
    let (mut passed, mut failed) = nextest(filters)?;
    if tidy.is_ok() {
        passed += 1
    } else {
        failed += 1
    }
    if failed > 0 {
        eprintln!("{failed} tests failed; what they said is above");
    }
    // The last line, whatever happened.
    println!("{passed} passed, {failed} failed");
    std::process::exit(i32::from(failed > 0));
}

/// Everything that stands before the tests. Inside: what the rules found, which counts as one test and stops nothing.
///
/// What is fetched waits for the network and the disk, what is built for the processor: side by side. So are the two
/// builds, each in a folder of its own below `target/`: both have long steps that know one core only, such as the server's
/// largest crate and the agent's link-time optimisation.
fn prepare() -> anyhow::Result<anyhow::Result<()>> {
    let (tidy, steps) = thread::scope(|scope| {
        let others = [scope.spawn(fetch), scope.spawn(build_what_is_shipped)];
        let (tidy, built) = check_and_build();
        let others = others.map(|step| step.join().map_err(|_| anyhow!("a step panicked")).flatten());
        (tidy, [built].into_iter().chain(others))
    });
    let failures: Vec<_> = steps.filter_map(Result::err).collect();
    ensure!(failures.is_empty(), "{} steps before the tests failed; what they said is above", failures.len());
    Ok(tidy)
}

/// Installs the Debian packages that the tests need.
pub fn install_packages() -> anyhow::Result<()> {
    let mut missing = missing(PACKAGES);
    for (program, package) in [("node", "nodejs"), ("npm", "npm"), ("cc", "gcc")] {
        if !has(program, &[]) {
            missing.push(package);
        }
    }
    install(&missing)
}

/// Those of which the file that shows it is not there.
pub fn missing<'a>(packages: &[(&'a str, &str)]) -> Vec<&'a str> {
    let is_missing = |(_, file): &&(&str, &str)| !Path::new(file).exists();
    packages.iter().filter(is_missing).map(|(package, _)| *package).collect()
}

/// Installs Debian packages.
pub fn install(missing: &[&str]) -> anyhow::Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    println!("installing {}", missing.join(" "));
    let update = ["-o", "DPkg::Lock::Timeout=600", "--quiet=2", "update"];
    execute("apt-get", &update)?;
    let mut install =
        vec!["-o", "DPkg::Lock::Timeout=600", "--quiet=2", "install", "--yes", "--no-install-recommends"];
    install.extend(missing);
    execute("apt-get", &install)
}

/// Checks the rules; builds the tests and the programs that they run, and whether that went well.
fn check_and_build() -> (anyhow::Result<()>, anyhow::Result<()>) {
    (timed("tidy", tidy::run), build_tests())
}

/// In one go: built by themselves first, the programs would have the store without the feature that tests of it need, and
/// the store and the server would be built twice.
fn build_tests() -> anyhow::Result<()> {
    if !has("cargo", &["nextest"]) {
        let install = ["install", "--debug", "--locked", "--quiet", "cargo-nextest@0.9.143"];
        timed("nextest", || execute("cargo", &install))?;
    }
    let build = ["nextest", "run", "--workspace", "--no-run", "--cargo-quiet"];
    timed("programs and tests", || execute("cargo", &build))
}

/// The agent as PCs get it: for Debian, and for Windows with its unit tests.
fn build_what_is_shipped() -> anyhow::Result<()> {
    let agent = ["build", "--quiet", "--profile", "agent", "--package", "mngntime-agent"];
    timed("agent", || execute("cargo", &agent))?;
    timed("installers for Windows", windows_installers)?;
    let tests = root().join("dist/windows-test");
    timed("unit tests for Windows", || compile_unit_tests(&tests, "simulated-sessions").map(drop))?;
    timed("packages for Debian", || dist::run(&["linux"]))
}

/// What the whole-system tests run in.
fn fetch() -> anyhow::Result<()> {
    timed("Wine", || execute("e2e/wine/setup.sh", &[]))?;
    timed("image of the virtual machine", || execute("e2e/vm/make-image.sh", &["target/vm"]))?;
    let browser = ["ci", "--prefix", "e2e/browser", "--no-audit", "--no-fund", "--silent"];
    timed("browser tools", || execute("npm", &browser))?;
    timed("Python tools", python_tools)
}

/// Does one step and says how long it took: what makes the whole slow is to be seen in what CI prints.
fn timed(name: &str, step: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    let began = Instant::now();
    // Said at once: other steps may still go on for minutes.
    step().with_context(|| name.to_owned()).inspect_err(|error| eprintln!("{error:#}"))?;
    println!("{name}: {} s", began.elapsed().as_secs());
    Ok(())
}

/// Schemathesis, in an environment of its own under `target/`.
fn python_tools() -> anyhow::Result<()> {
    if !root().join("target/python/bin/pip").exists() {
        execute("/usr/bin/python3", &["-m", "venv", "target/python"])?;
    }
    let list = ["-r", "e2e/api/requirements.txt"];
    execute("target/python/bin/pip", &[&["install", "--quiet", "--no-deps"], &list[..]].concat())
}

/// The Windows agent and its installers, signed by a certificate of this run, and the installers of the next
/// version, to which the tests upgrade.
fn windows_installers() -> anyhow::Result<()> {
    let signer = Signer::for_tests(&root().join("dist/windows-test"))?;
    let features = ["--features", "simulated-sessions"];
    let own = Options::parse(&features)?;
    run_signed(&own, Some(&signer))?;
    let next = own.next_version()?;
    let upgrade = Options::parse(&[&features[..], &["--no-build", "--version", &next]].concat())?;
    run_signed(&upgrade, Some(&signer))
}

fn nextest(filters: &[&str]) -> anyhow::Result<(u64, u64)> {
    // One more than cores: there is always a test that waits.
    let at_once = (thread::available_parallelism()?.get() + 1).to_string();
    let output = Command::new("cargo")
        .args(["nextest", "run", "--workspace", "--color", "never", "--test-threads", &at_once])
        .args(filters)
        .current_dir(root())
        .stdout(Stdio::inherit())
        .stderr(Stdio::piped())
        .output()
        .context("cannot start cargo nextest")?;
    let text = String::from_utf8_lossy(&output.stderr);
    eprint!("{text}");
    let summary =
        text.lines().rev().find(|line| line.trim_start().starts_with("Summary")).unwrap_or_default();
    let (passed, failed) = (count(summary, "passed"), count(summary, "failed") + count(summary, "timed out"));
    if passed + failed == 0 {
        bail!("no test was run");
    }
    Ok((passed, failed))
}

/// The number before `word` in nextest's summary: `Summary [  2.1s] 12 tests run: 11 passed, 1 failed`.
fn count(summary: &str, word: &str) -> u64 {
    let words: Vec<&str> = summary.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    let wanted = word.split(' ').next().unwrap_or(word);
    words.windows(2).find(|pair| pair[1] == wanted).and_then(|pair| pair[0].parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nextests_summary_is_read() {
        let summary =
            "     Summary [  12.345s] 60 tests run: 57 passed (2 slow), 2 failed, 1 timed out, 3 skipped";
        assert_eq!((count(summary, "passed"), count(summary, "failed")), (57, 2));
        assert_eq!(count(summary, "timed out"), 1);
        assert_eq!(count("", "passed"), 0);
    }
}
