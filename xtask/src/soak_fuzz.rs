//! `cargo xtask soak fuzz [SECONDS]`: every fuzz target for that long.
//!
//! What is fuzzed is in `crates/fuzzed`, the fuzzer's workspace in `fuzz/`. It builds with the stable compiler:
//! coverage needs no nightly, only the sanitizers would, and nothing that is fuzzed is unsafe code of ours. New finds
//! go to `fuzz/found/TARGET`, which is not committed; what breaks a promise to `fuzz/artifacts/TARGET`.

use std::fs;
use std::process::Command;

use anyhow::{Context, bail};

use crate::process::{has, root, run as execute};

/// How long each target runs, in seconds, when nothing is said.
const SECONDS: &str = "600";
const CARGO_FUZZ: &str = "cargo-fuzz@0.13.2";
/// No conversation is longer, and shorter inputs are quicker.
const INPUT_BYTES_MAX: &str = "4096";
/// `--sanitizer none`: see above. `--no-cfg-fuzzing`: the code that is fuzzed is the code that is shipped.
const STABLE: [&str; 3] = ["--sanitizer", "none", "--no-cfg-fuzzing"];

/// Runs them one after the other; the first that finds something ends the run.
pub fn run(seconds: &[&str]) -> anyhow::Result<()> {
    let seconds = match seconds {
        [] => SECONDS,
        [seconds] if seconds.parse::<u32>().is_ok_and(|seconds| seconds > 0) => seconds,
        _ => {
            bail!("usage: cargo xtask soak fuzz [SECONDS]; SECONDS is a number from 1, {SECONDS} without one")
        }
    };
    if !has("cargo", &["fuzz"]) {
        execute("cargo", &["install", "--debug", "--locked", "--quiet", CARGO_FUZZ])?;
    }
    execute("cargo", &[&["fuzz", "build"][..], &STABLE].concat())?;
    for target in targets()? {
        eprintln!("fuzzing {target} for {seconds} s");
        fuzz(&target, seconds)?;
    }
    Ok(())
}

/// The names of the programs.
fn targets() -> anyhow::Result<Vec<String>> {
    let folder = root().join("fuzz/fuzz_targets");
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut names = entries
        .map(|entry| Ok(entry?.path().file_stem().unwrap_or_default().to_string_lossy().into_owned()))
        .collect::<anyhow::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

fn fuzz(target: &str, seconds: &str) -> anyhow::Result<()> {
    let found = root().join("fuzz/found").join(target);
    fs::create_dir_all(&found).with_context(|| format!("cannot make {}", found.display()))?;
    let corpus = root().join("fuzz/corpus").join(target);
    let status = Command::new("cargo")
        .args(["fuzz", "run"])
        .args(STABLE)
        .arg(target)
        // New inputs go to the first, and the committed ones are only read.
        .args([&found, &corpus])
        .args(["--", &format!("-max_total_time={seconds}"), &format!("-max_len={INPUT_BYTES_MAX}")])
        .args(["-timeout=30", "-print_final_stats=1", "-verbosity=1"])
        .current_dir(root())
        .status()
        .context("cannot start cargo fuzz")?;
    if !status.success() {
        bail!("{target} broke a promise; the input is in fuzz/artifacts/{target}");
    }
    Ok(())
}
