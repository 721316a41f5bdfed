//! What the PC is: names for reading, and the parts of its make-up.
//!
//! The make-up tells a cloned or replaced PC from the enrolled one. It has two parts where both can be
//! read: `MachineGuid`, made when Windows is installed (and copied with a disk image), and the system UUID
//! from the firmware (which stays with the main board).

use super::ffi::{machine, registry};
use crate::platform::Host;

/// Where setup keeps the installation's id.
const CRYPTOGRAPHY_KEY: &str = r"SOFTWARE\Microsoft\Cryptography";
/// Where Windows names itself.
const VERSION_KEY: &str = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion";
/// The first build that is called Windows 11; its `ProductName` still says 10.
const WINDOWS_11_BUILD: u32 = 22_000;
/// Length of `RawSMBIOSData`'s own header, before the first structure.
const SMBIOS_HEADER: usize = 8;
/// Where the UUID lies in a System Information structure (SMBIOS type 1), and the type.
const SYSTEM_TYPE: u8 = 1;
const UUID_OFFSET: usize = 8;
const UUID_LENGTH: usize = 16;
/// End-of-table structure.
const END_TYPE: u8 = 127;

/// This PC.
#[must_use]
pub fn host() -> Host {
    let name = machine::computer_name().unwrap_or_else(|_| "unknown".to_owned());
    Host { name, os: os(), makeup: makeup() }
}

fn makeup() -> Vec<String> {
    let guid = value(CRYPTOGRAPHY_KEY, "MachineGuid").map(|guid| format!("windows:{}", guid.to_lowercase()));
    let uuid =
        machine::smbios_table().and_then(|table| system_uuid(&table)).map(|uuid| format!("smbios:{uuid}"));
    [guid, uuid].into_iter().flatten().collect()
}

/// For example `Windows 11 Pro 24H2 (build 26100.4351)`.
fn os() -> String {
    let product = value(VERSION_KEY, "ProductName").unwrap_or_else(|| "Windows".to_owned());
    let build = value(VERSION_KEY, "CurrentBuildNumber").unwrap_or_else(|| "0".to_owned());
    let release = value(VERSION_KEY, "DisplayVersion").map_or(String::new(), |release| format!(" {release}"));
    let revision = registry::dword(VERSION_KEY, "UBR").ok().flatten().unwrap_or(0);
    format!("{}{release} (build {build}.{revision})", product_of_build(&product, &build))
}

fn product_of_build(product: &str, build: &str) -> String {
    match build.parse::<u32>() {
        Ok(build) if build >= WINDOWS_11_BUILD => product.replace("Windows 10", "Windows 11"),
        Ok(_) | Err(_) => product.to_owned(),
    }
}

fn value(key: &str, name: &str) -> Option<String> {
    registry::text(key, name).ok().flatten().filter(|text| !text.is_empty())
}

/// The system UUID in a `RawSMBIOSData`, as 32 hexadecimal digits in the table's own byte order. `None`
/// when there is none or the maker left it all zeros or all ones.
fn system_uuid(table: &[u8]) -> Option<String> {
    let mut rest = table.get(SMBIOS_HEADER..)?;
    while let [kind, length, ..] = *rest {
        let formatted = rest.get(..usize::from(length))?;
        if kind == SYSTEM_TYPE {
            let uuid = formatted.get(UUID_OFFSET..UUID_OFFSET + UUID_LENGTH)?;
            return is_set(uuid).then(|| uuid.iter().map(|byte| format!("{byte:02x}")).collect());
        }
        // Four bytes are a structure's own header; a shorter one would let us run in place.
        if kind == END_TYPE || length < 4 {
            return None;
        }
        rest = after_strings(rest.get(usize::from(length)..)?)?;
    }
    None
}

fn is_set(uuid: &[u8]) -> bool {
    !uuid.iter().all(|byte| *byte == 0) && !uuid.iter().all(|byte| *byte == 0xff)
}

/// What follows a structure's texts, which end with two zero bytes.
fn after_strings(texts: &[u8]) -> Option<&[u8]> {
    let end = texts.windows(2).position(|pair| pair == [0, 0])?;
    texts.get(end + 2..)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table with a BIOS structure (type 0, one text) before the system's (type 1).
    fn table(uuid: [u8; 16]) -> Vec<u8> {
        let mut table = vec![0; SMBIOS_HEADER];
        table.extend([0, 5, 0, 0, 1]);
        table.extend(b"maker\0\0");
        table.extend([1, 27, 1, 0, 0, 0, 0, 0]);
        table.extend(uuid);
        table.extend([6, 0, 0, 0, 0, 127, 4, 2, 0, 0, 0]);
        table
    }

    #[test]
    fn the_uuid_is_found_behind_other_structures() {
        assert_eq!(system_uuid(&table([0x5a; 16])), Some("5a".repeat(16)));
    }

    #[test]
    fn unset_uuids_and_broken_tables_give_nothing() {
        assert_eq!(system_uuid(&table([0; 16])), None);
        assert_eq!(system_uuid(&table([0xff; 16])), None);
        let good = table([0x5a; 16]);
        for length in 0..SMBIOS_HEADER + 5 + 7 + 24 {
            assert_eq!(system_uuid(&good[..length]), None, "cut to {length}");
        }
        assert_eq!(system_uuid(&[0; 64]), None);
    }

    #[test]
    fn windows_11_is_called_by_its_name() {
        assert_eq!(product_of_build("Windows 10 Pro", "26100"), "Windows 11 Pro");
        assert_eq!(product_of_build("Windows 10 Pro", "19045"), "Windows 10 Pro");
        assert_eq!(product_of_build("Windows Server 2025 Standard", "26100"), "Windows Server 2025 Standard");
    }

    #[test]
    fn this_pc_has_a_name() {
        assert!(!host().name.is_empty());
    }
}
