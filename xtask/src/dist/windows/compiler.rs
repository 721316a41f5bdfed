//! The compiler for Windows: from whatever this PC has.
//!
//! Two ways lead to `x86_64-pc-windows-gnu`; the first that works is taken and named:
//!
//! 1. a rustup toolchain with that target's std (`rustup target add x86_64-pc-windows-gnu`), most people's
//!    PCs;
//! 2. Debian's `rustc-web`, `cargo-web` and `rust-web-src`, which build std themselves. They install beside
//!    rustup's, as `/usr/bin/cargo` and `/usr/bin/rustc`. Missing packages are installed when we are root.
//!
//! Both need mingw-w64's gcc: it links, and it compiles the C of aws-lc. Nothing else: no cmake, no nasm.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::{PACKAGE, PROGRAM, TARGET};
use crate::dist::packages;
use crate::process::{has, root};

const PROFILE: &str = "agent";
const UNIT_TESTS: &str = "mngntime-agent-unit-tests.exe";
/// The linker, and the C compiler for aws-lc.
const GCC: &str = "x86_64-w64-mingw32-gcc";
/// Debian's compilers, by path: rustup's come first on PATH.
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
/// Debian's packages for the second way.
const DEBIAN_PACKAGES: [&str; 5] =
    ["rustc-web", "cargo-web", "rust-web-src", "gcc-mingw-w64-x86-64", "binutils-mingw-w64-x86-64"];
/// What `cargo xtask` sets for its own toolchain and the other one must not see.
const FOREIGN_VARIABLES: [&str; 5] = ["CARGO", "RUSTC", "RUSTDOC", "RUSTC_WRAPPER", "RUSTUP_TOOLCHAIN"];

/// Which compiler to use.
enum Toolchain {
    /// A rustup toolchain, by name.
    Rustup(String),
    /// Debian's packages.
    Debian,
}

/// Compiles the agent and puts it into `folder`.
///
/// # Errors
/// When no compiler can be had, or the build fails.
pub fn compile(folder: &Path, features: Option<&str>) -> Result<PathBuf> {
    let toolchain = choose_toolchain()?;
    println!("compiler: {}", toolchain.describe());
    let begun = Instant::now();
    toolchain.build(features)?;
    let program = deliver(folder)?;
    println!("compiled in {} s", begun.elapsed().as_secs());
    Ok(program)
}

/// Compiles the agent's own unit tests for Windows into `folder`, where a whole-system test runs them under
/// Wine.
///
/// # Errors
/// When no compiler can be had, or the build fails.
pub fn compile_unit_tests(folder: &Path, features: &str) -> Result<PathBuf> {
    let toolchain = choose_toolchain()?;
    let mut command = toolchain.cargo("std,panic_abort,panic_unwind,test");
    command.args(["test", "--no-run", "--quiet", "--locked", "--lib", "--target", TARGET, "-p", PACKAGE]);
    command.args(["--features", features, "--message-format", "json"]).stderr(Stdio::inherit());
    let output = with_tools(&mut command).output().with_context(|| format!("start {command:?}"))?;
    ensure!(output.status.success(), "building the unit tests of {PACKAGE} for {TARGET} failed");
    let text = String::from_utf8(output.stdout).context("cargo's messages are no UTF-8")?;
    let built = text.lines().rev().find_map(executable).context("cargo built no unit tests")?;
    let program = folder.join(UNIT_TESTS);
    fs::copy(&built, &program).with_context(|| format!("copy {built} to {}", program.display()))?;
    Ok(program)
}

/// The path in a message of cargo about a program that it built.
fn executable(message: &str) -> Option<String> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    Some(message.get("executable")?.as_str()?.to_owned())
}

fn choose_toolchain() -> Result<Toolchain> {
    if let Some(name) = rustup_toolchain() {
        ensure!(has(GCC, &[]), "{GCC} is missing; install mingw-w64 (Debian: gcc-mingw-w64-x86-64)");
        return Ok(Toolchain::Rustup(name));
    }
    if !debian_is_complete() {
        packages::install(&DEBIAN_PACKAGES).with_context(|| {
            format!("nothing here builds for {TARGET}; one way is: rustup target add {TARGET}")
        })?;
        ensure!(debian_is_complete(), "{} do not build for {TARGET}", DEBIAN_PACKAGES.join(" "));
    }
    Ok(Toolchain::Debian)
}

/// The first rustup toolchain that has the target's std; the default one is asked first.
fn rustup_toolchain() -> Option<String> {
    let list = Command::new("rustup").args(["toolchain", "list"]).output().ok()?;
    let list = String::from_utf8(list.stdout).ok()?;
    let mut lines: Vec<&str> = list.lines().filter(|line| line.contains('-')).collect();
    lines.sort_by_key(|line| !line.contains("default"));
    let names = lines.into_iter().filter_map(|line| line.split_whitespace().next());
    names.map(str::to_owned).find(|name| has_std(name))
}

/// Whether the folder of the target's libraries exists and holds a std.
fn has_std(toolchain: &str) -> bool {
    let output = clean(Command::new("rustc"))
        .arg(format!("+{toolchain}"))
        .args(["--print", "target-libdir", "--target", TARGET])
        .output();
    let Ok(output) = output else { return false };
    let folder = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    let Ok(entries) = fs::read_dir(folder) else {
        return false;
    };
    entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
}

fn debian_is_complete() -> bool {
    Path::new(DEBIAN_CARGO).exists()
        && Path::new(DEBIAN_RUSTC).exists()
        && has(GCC, &[])
        && debian_std_source().is_some_and(|folder| folder.exists())
}

/// Where the compiler looks for std's source.
fn debian_std_source() -> Option<PathBuf> {
    let output = clean(Command::new(DEBIAN_RUSTC)).args(["--print", "sysroot"]).output().ok()?;
    let sysroot = String::from_utf8(output.stdout).ok()?;
    Some(Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library/std"))
}

impl Toolchain {
    fn describe(&self) -> String {
        match self {
            Self::Rustup(name) => format!("rustup's {name}, which has std for {TARGET}"),
            Self::Debian => format!("Debian's {DEBIAN_CARGO}, which builds std for {TARGET} itself"),
        }
    }

    fn build(&self, features: Option<&str>) -> Result<()> {
        let mut command = self.cargo("std,panic_abort");
        command.args(["build", "--locked", "--profile", PROFILE, "--target", TARGET, "-p", PACKAGE]);
        if let Some(features) = features {
            command.args(["--features", features]);
        }
        let status = with_tools(&mut command).status().with_context(|| format!("start {command:?}"))?;
        ensure!(status.success(), "building {PACKAGE} for {TARGET} failed");
        Ok(())
    }

    /// Cargo, with `std_parts` built first where they are not there.
    fn cargo(&self, std_parts: &str) -> Command {
        match self {
            Self::Rustup(name) => {
                let mut cargo = clean(Command::new("cargo"));
                cargo.arg(format!("+{name}"));
                cargo
            }
            Self::Debian => {
                let mut cargo = clean(Command::new(DEBIAN_CARGO));
                // -Zbuild-std is a nightly flag; this lets the packaged compiler, which brings std's own
                // source of the same version, use it.
                cargo.env("RUSTC", DEBIAN_RUSTC).env("RUSTC_BOOTSTRAP", "1");
                cargo.arg(format!("-Zbuild-std={std_parts}"));
                cargo
            }
        }
    }
}

fn with_tools(command: &mut Command) -> &mut Command {
    command.env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER", GCC).env("CC_x86_64_pc_windows_gnu", GCC);
    command.env("CARGO_TARGET_DIR", target_dir()).current_dir(root())
}

/// Copies the built program to `folder`.
fn deliver(folder: &Path) -> Result<PathBuf> {
    let built = target_dir().join(TARGET).join(PROFILE).join(format!("{PACKAGE}.exe"));
    let program = folder.join(PROGRAM);
    fs::copy(&built, &program)
        .with_context(|| format!("copy {} to {}", built.display(), program.display()))?;
    Ok(program)
}

/// A folder of its own: the two cargos would otherwise rebuild each other's work.
fn target_dir() -> PathBuf {
    env::var_os("MNGNTIME_WINDOWS_TARGET_DIR")
        .map_or_else(|| root().join("target").join("windows"), PathBuf::from)
}

fn clean(mut command: Command) -> Command {
    for variable in FOREIGN_VARIABLES {
        command.env_remove(variable);
    }
    command
}
