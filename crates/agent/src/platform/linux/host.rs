//! What this PC is called and made of.

use crate::platform::Host;

/// Names for reading, and the parts of the make-up: the machine id of the OS installation and, where the
/// process may read it, the hardware's UUID.
#[must_use]
pub fn host() -> Host {
    let read = |path: &str| std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
    let makeup = ["/etc/machine-id", "/sys/class/dmi/id/product_uuid"].into_iter().filter_map(read).collect();
    Host { name: name(), os: os(), makeup }
}

/// The host name without its domain, as users see it.
pub(super) fn name() -> String {
    let uname = rustix::system::uname();
    uname.nodename().to_string_lossy().split('.').next().unwrap_or_default().to_owned()
}

/// The id of this OS installation; uids are only unique within it.
pub(super) fn machine_id() -> String {
    std::fs::read_to_string("/etc/machine-id").map(|id| id.trim().to_owned()).unwrap_or_default()
}

fn os() -> String {
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let pretty = release
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="))
        .map_or_else(|| "Linux".to_owned(), |name| name.trim_matches('"').to_owned());
    let kernel = rustix::system::uname();
    format!("{pretty} (Linux {})", kernel.release().to_string_lossy())
}
