//! `cargo xtask dist linux`: the agent as a Debian package, `dist/linux/mngntime-agent_<version>_amd64.deb`,
//! with its bill of materials and `SHA256SUMS`.
//!
//! Plain `dpkg-deb` over a staged tree: cargo-deb would need its own build on every machine (half a minute)
//! for what are forty lines here. `dpkg-shlibdeps` says which libc6 the program needs. The package is the same
//! for the same commit.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use super::{packages, report, sbom};
use crate::process::{output_of, root, run as execute};

const PACKAGE: &str = "mngntime-agent";
const TARGET: &str = "x86_64-unknown-linux-gnu";
const VERSION: &str = env!("CARGO_PKG_VERSION");
const MAINTAINER: &str = "The MngnTime authors <maintainers@mngntime.invalid>";
/// Debian packages for the build, each with a file that shows that it is there.
const PACKAGES: &[(&str, &str)] =
    &[("dpkg-dev", "/usr/bin/dpkg-shlibdeps"), ("binutils", "/usr/bin/objdump"), ("gzip", "/usr/bin/gzip")];
/// What is in the package besides the program: source below `packaging/linux`, place, mode.
const FILES: &[(&str, &str, u32)] = &[
    ("mngntime-agent.service", "lib/systemd/system/mngntime-agent.service", 0o644),
    // Holds the enrolment key.
    ("config.toml", "etc/mngntime/config.toml", 0o600),
    ("debian/copyright", "usr/share/doc/mngntime-agent/copyright", 0o644),
    ("debian/lintian-overrides", "usr/share/lintian/overrides/mngntime-agent", 0o644),
    ("mngntime-agent.8", "usr/share/man/man8/mngntime-agent.8", 0o644),
    ("debian/conffiles", "DEBIAN/conffiles", 0o644),
    ("debian/postinst", "DEBIAN/postinst", 0o755),
    ("debian/prerm", "DEBIAN/prerm", 0o755),
    ("debian/postrm", "DEBIAN/postrm", 0o755),
];

/// Builds the package.
///
/// # Errors
/// When a step fails; it is named.
pub fn run() -> anyhow::Result<()> {
    packages::require(PACKAGES)?;
    execute("cargo", &["build", "--quiet", "--locked", "--profile", "agent", "--package", PACKAGE])?;
    let folder = root().join("dist/linux");
    let tree = folder.join("tree");
    if tree.exists() {
        fs::remove_dir_all(&tree).with_context(|| format!("remove {}", tree.display()))?;
    }
    stage(&tree)?;
    let package = folder.join(format!("{PACKAGE}_{VERSION}_amd64.deb"));
    let epoch = commit_epoch()?;
    let mut build = Command::new("dpkg-deb");
    build.args(["--root-owner-group", "-Zxz", "--build"]).arg(&tree).arg(&package);
    output_of(build.env("SOURCE_DATE_EPOCH", epoch))?;
    fs::remove_dir_all(&tree).with_context(|| format!("remove {}", tree.display()))?;
    let bill = folder.join(format!("{PACKAGE}_{VERSION}_amd64.cdx.json"));
    sbom::write(&bill, PACKAGE, TARGET, VERSION)?;
    report::publish(&folder, &[package, bill])
}

fn stage(tree: &Path) -> anyhow::Result<()> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    place(&target.join("agent").join(PACKAGE), tree, "usr/bin/mngntime-agent", 0o755)?;
    for (source, place_of_it, mode) in FILES {
        place(&root().join("packaging/linux").join(source), tree, place_of_it, *mode)?;
    }
    let documents = "usr/share/doc/mngntime-agent";
    place(&root().join("CHANGELOG.md"), tree, &format!("{documents}/CHANGELOG.md"), 0o644)?;
    fs::write(tree.join(documents).join("changelog"), debian_changelog()?).context("write the changelog")?;
    for written in ["usr/share/man/man8/mngntime-agent.8", &format!("{documents}/changelog")] {
        output_of(Command::new("gzip").args(["-9", "--no-name"]).arg(tree.join(written)))?;
    }
    let control =
        fs::read_to_string(root().join("packaging/linux/debian/control")).context("read control")?;
    let control = control
        .replace("$VERSION$", VERSION)
        .replace("$MAINTAINER$", MAINTAINER)
        .replace("$DEPENDS$", &libraries(tree)?)
        .replace("$SIZE$", &installed_kib(tree)?.to_string());
    fs::write(tree.join("DEBIAN/control"), control).context("write DEBIAN/control")?;
    let sums = checksums(tree)?;
    fs::write(tree.join("DEBIAN/md5sums"), sums).context("write DEBIAN/md5sums")
}

/// The changelog in the form that Debian's tools read; what a user notices stands in `CHANGELOG.md`.
fn debian_changelog() -> anyhow::Result<String> {
    let mut date = Command::new("date");
    date.args(["--utc", "--rfc-email", &format!("--date=@{}", commit_epoch()?)]);
    let date = output_of(&mut date)?;
    let head = format!("{PACKAGE} ({VERSION}) stable; urgency=medium");
    Ok(format!("{head}\n\n  * See CHANGELOG.md.\n\n -- {MAINTAINER}  {}\n", date.trim()))
}

/// Copies a file to its place; folders on the way are open to all, as in every package.
fn place(source: &Path, tree: &Path, place_of_it: &str, mode: u32) -> anyhow::Result<()> {
    let target = tree.join(place_of_it);
    let parent = target.parent().context("a file without a folder")?;
    fs::create_dir_all(parent).with_context(|| format!("create {}", parent.display()))?;
    for folder in parent.ancestors().take_while(|folder| folder.starts_with(tree)) {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    }
    fs::copy(source, &target)
        .with_context(|| format!("copy {} to {}", source.display(), target.display()))?;
    fs::set_permissions(&target, fs::Permissions::from_mode(mode))
        .with_context(|| format!("set the mode of {}", target.display()))
}

/// The libraries the program is linked to, as `Depends` wants them.
fn libraries(tree: &Path) -> anyhow::Result<String> {
    // dpkg-shlibdeps insists on a source package around it.
    let work = tree.join("../shlibdeps");
    fs::create_dir_all(work.join("debian")).context("create a folder for dpkg-shlibdeps")?;
    fs::write(
        work.join("debian/control"),
        format!("Source: {PACKAGE}\n\nPackage: {PACKAGE}\nArchitecture: any\n"),
    )?;
    let mut command = Command::new("dpkg-shlibdeps");
    command.args(["-O", "../tree/usr/bin/mngntime-agent"]).current_dir(&work);
    let said = output_of(&mut command)?;
    fs::remove_dir_all(&work).context("remove the folder for dpkg-shlibdeps")?;
    let depends = said.trim().strip_prefix("shlibs:Depends=").context("dpkg-shlibdeps names no library")?;
    Ok(depends.to_owned())
}

fn installed_kib(tree: &Path) -> anyhow::Result<u64> {
    let files = files_below(tree)?;
    let sizes = files.iter().filter(|file| !file.starts_with(tree.join("DEBIAN"))).map(fs::metadata);
    sizes.map(|metadata| Ok(metadata?.len().div_ceil(1024))).sum()
}

/// One line for each file that is installed and no configuration.
fn checksums(tree: &Path) -> anyhow::Result<String> {
    let mut command = Command::new("md5sum");
    command.current_dir(tree);
    for file in files_below(tree)? {
        let name = file.strip_prefix(tree)?.to_owned();
        if !name.starts_with("DEBIAN") && !name.starts_with("etc") {
            command.arg(name);
        }
    }
    output_of(&mut command)
}

fn files_below(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(files_below(&path)?);
        } else {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// When the commit was made, in seconds since 1970: the time of every file in the package.
fn commit_epoch() -> anyhow::Result<String> {
    let mut git = Command::new("git");
    Ok(output_of(git.args(["log", "--max-count=1", "--format=%ct"]).current_dir(root()))?.trim().to_owned())
}
