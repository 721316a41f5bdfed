//! The installers as databases: what Wine's installer does not look at, and what must never be in them.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use mngntime_e2e::root;

/// Culture, language, code page, a word of the refusal to downgrade.
const LANGUAGES: [(&str, &str, &str, &str); 2] =
    [("ja-JP", "1041", "932", "新しいバージョン"), ("en-US", "1033", "1252", "A newer version")];

/// Where the test build lies.
fn folder() -> PathBuf {
    root().join("dist/windows-test")
}

fn package(culture: &str) -> Result<PathBuf> {
    let path = folder().join(format!("MngnTime-{}-x64-{culture}.msi", env!("CARGO_PKG_VERSION")));
    ensure!(path.exists(), "{} is missing; run the tests with: cargo xtask test", path.display());
    Ok(path)
}

fn output(program: &str, arguments: &[&str]) -> Result<String> {
    let output =
        Command::new(program).args(arguments).output().with_context(|| format!("start {program}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{program} {arguments:?}: {} {said}", output.status);
    Ok(String::from_utf8(output.stdout)?)
}

fn msiinfo(command: &str, culture: &str, table: &[&str]) -> Result<String> {
    let package = package(culture)?;
    let package = package.to_str().context("a path that is no UTF-8")?;
    output("msiinfo", &[&[command, package], table].concat())
}

/// A table's rows, each as its fields.
fn rows(culture: &str, table: &str) -> Result<Vec<Vec<String>>> {
    let text = msiinfo("export", culture, &[table])?;
    // Names, types and keys of the columns come first.
    let rows = text.lines().skip(3).filter(|line| !line.is_empty());
    Ok(rows.map(|row| row.split('\t').map(|field| field.trim_end().to_owned()).collect()).collect())
}

/// The row whose first field is `key`.
fn row(culture: &str, table: &str, key: &str) -> Result<Vec<String>> {
    let rows = rows(culture, table)?;
    let found = rows.iter().find(|row| row.first().is_some_and(|first| first == key)).cloned();
    found.with_context(|| format!("{table} has no {key}: {rows:?}"))
}

#[test]
fn each_language_has_its_number_code_page_and_words() -> Result<()> {
    for (culture, number, codepage, refusal) in LANGUAGES {
        assert!(msiinfo("suminfo", culture, &[])?.contains(&format!("Template: x64;{number}")));
        assert!(msiinfo("export", culture, &["_ForceCodepage"])?.contains(&format!("{codepage}\t")));
        assert_eq!(row(culture, "Property", "ProductLanguage")?[1], number);
        let message = &row(culture, "LaunchCondition", "NOT NEWER_FOUND OR Installed")?[1];
        assert!(message.starts_with(refusal), "{message}");
        assert_ne!(row(culture, "ServiceInstall", "Service")?[12], "ServiceDescription");
    }
    let code = |culture| Ok::<_, anyhow::Error>(row(culture, "Property", "ProductCode")?[1].clone());
    assert_ne!(code("ja-JP")?, code("en-US")?);
    let family = |culture| Ok::<_, anyhow::Error>(row(culture, "Property", "UpgradeCode")?[1].clone());
    assert_eq!(family("ja-JP")?, family("en-US")?);
    assert_eq!(family("ja-JP")?, "{6F0A3C1E-52B7-4D0B-9A53-0E7C2B6D41F8}", "never another one");
    Ok(())
}

#[test]
fn there_is_no_custom_action_and_no_shortcut() -> Result<()> {
    for (culture, ..) in LANGUAGES {
        let tables = msiinfo("tables", culture, &[])?;
        assert!(!tables.lines().any(|table| table == "CustomAction"), "{tables}");
        for empty in ["Binary", "Shortcut", "Icon"] {
            assert_eq!(rows(culture, empty)?, Vec::<Vec<String>>::new(), "{empty}");
        }
    }
    Ok(())
}

#[test]
fn the_service_is_set_up_as_the_command_install_does_it() -> Result<()> {
    for (culture, ..) in LANGUAGES {
        let service = row(culture, "ServiceInstall", "Service")?;
        // Own process, automatic, an error is logged and the start goes on.
        assert_eq!(service[1..6], ["MngnTimeCliSvc", "MngnTime", "16", "2", "1"]);
        assert_eq!(service[10], "service", "the argument");
        // Start at an installation; stop at both; delete at an uninstall; wait.
        let control = row(culture, "ServiceControl", "ControlService")?;
        assert_eq!((control[2].as_str(), control[4].as_str()), ("163", "1"));
        let setting = |key| Ok::<_, anyhow::Error>(row(culture, "MsiServiceConfig", key)?[3..5].join(" "));
        assert_eq!(setting("StartAtOnce")?, "3 0");
        assert_eq!(setting("RestartAfterError")?, "4 1");
        assert_eq!(setting("OwnSid")?, "5 1");
        assert_eq!(setting("Preshutdown")?, "7 20000");
        assert!(setting("Privileges")?.starts_with("6 SeTcbPrivilege[~]"));
        let restart = row(culture, "MsiServiceConfigFailureActions", "Restart")?;
        assert_eq!((restart[3].as_str(), restart[6].as_str()), ("86400", "1[~]1[~]1"));
        assert_eq!(restart[7], "5000[~]30000[~]60000");
        let step = |action| {
            Ok::<_, anyhow::Error>(row(culture, "InstallExecuteSequence", action)?[2].parse::<u32>()?)
        };
        assert!(step("InstallServices")? < step("MsiConfigureServices")?);
        assert!(step("MsiConfigureServices")? < step("StartServices")?);
        assert!(step("InstallExecute")? < step("RemoveExistingProducts")?, "the old one goes last");
    }
    Ok(())
}

#[test]
fn the_enrolment_key_is_locked_hidden_and_found_again() -> Result<()> {
    for (culture, ..) in LANGUAGES {
        let lock = row(culture, "MsiLockPermissionsEx", "LockSecret")?;
        assert_eq!(lock[1..4], ["EnrollmentKeyValue", "Registry", "D:PAI(A;CI;KA;;;SY)(A;CI;KA;;;BA)"]);
        assert_eq!(row(culture, "Property", "MsiHiddenProperties")?[1], "ENROLLMENT_KEY");
        let secure = row(culture, "Property", "SecureCustomProperties")?[1].clone();
        for property in ["SERVER_URL", "CONTRACT_CODE", "ENROLLMENT_KEY", "PROXY", "PURGE"] {
            assert!(secure.split(';').any(|name| name == property), "{property} in {secure}");
        }
        for (component, property) in [
            ("ServerUrl", "SERVER_URL"),
            ("ContractCode", "CONTRACT_CODE"),
            ("EnrollmentKey", "ENROLLMENT_KEY"),
            ("Proxy", "PROXY"),
        ] {
            // 64-bit, transitive, a registry value is the key path; nothing is written for an empty property.
            assert_eq!(row(culture, "Component", component)?[3..5], ["324", property]);
            let search = row(culture, "RegLocator", &format!("Find{component}"))?;
            let name = format!("{}[{property}]", property.to_lowercase());
            assert_eq!((search[3].as_str(), search[4].as_str()), (name.as_str(), "18"));
        }
        assert_eq!(row(culture, "Component", "Messages")?[3], "272", "permanent");
    }
    Ok(())
}

#[test]
fn purge_removes_files_before_their_folders_and_only_at_an_uninstall() -> Result<()> {
    for (culture, ..) in LANGUAGES {
        let mut rows = rows(culture, "RemoveFile")?;
        rows.sort();
        assert!(rows.iter().all(|row| row[1] == "Purge" && row[4] == "2"), "{rows:?}");
        for folder in ["PurgeJournal", "PurgeState", "PurgeBase", "PurgeProgram"] {
            let names: Vec<&str> =
                rows.iter().filter(|row| row[3] == folder).map(|row| row[2].as_str()).collect();
            assert_eq!(names.last(), Some(&""), "{folder}: the folder itself comes last");
            let search = row(culture, "RegLocator", &format!("Find{folder}"))?;
            assert!(search[3].ends_with("[PURGE]") && search[3].len() > "[PURGE]".len(), "{search:?}");
        }
        // Which folders of the records may be emptied is the service's word, not the package's.
        let written = msiinfo("export", culture, &["Registry"])?;
        for name in ["base1", "state1", "journal1"] {
            assert!(!written.contains(name), "{name} is in the package");
        }
        // Without PURGE=1 the key whose removal is asked for is one that never exists.
        assert_eq!(row(culture, "Property", "PurgeSource")?[1], r"SOFTWARE\MngnTime\Setup\Nothing");
    }
    Ok(())
}

#[test]
fn program_message_file_and_packages_are_signed() -> Result<()> {
    let certificate = folder().join("test-certificate.pem");
    ensure!(certificate.exists(), "{} is missing; run: cargo xtask test", certificate.display());
    let certificate = certificate.to_str().context("a path that is no UTF-8")?;
    let signed = [
        folder().join("MngnTimeCliSvc.exe"),
        folder().join("MngnTimeMsg1.dll"),
        package("ja-JP")?,
        package("en-US")?,
    ];
    for file in signed {
        let file = file.to_str().context("a path that is no UTF-8")?;
        let said = output("osslsigncode", &["verify", "-CAfile", certificate, "-in", file])?;
        assert!(said.contains("Signature verification: ok"), "{file}: {said}");
    }
    Ok(())
}

/// `FileVersion` in a program's version resource (VS_FIXEDFILEINFO begins with this signature; after it and the
/// struct's own version come the two halves of the file's).
fn version_of(program: &str) -> Result<String> {
    let bytes = std::fs::read(folder().join(program)).with_context(|| format!("read {program}"))?;
    let signature = [0xbd, 0x04, 0xef, 0xfe, 0x00, 0x00, 0x01, 0x00];
    let at = bytes.windows(8).position(|window| window == signature);
    let at = at.with_context(|| format!("{program} has no version resource"))? + 8;
    let half = |from: usize| u16::from_le_bytes([bytes[from], bytes[from + 1]]);
    Ok(format!("{}.{}.{}.{}", half(at + 2), half(at), half(at + 6), half(at + 4)))
}

#[test]
fn an_upgrade_brings_its_own_files_whatever_is_on_disk() -> Result<()> {
    for (culture, ..) in LANGUAGES {
        assert_eq!(row(culture, "Property", "REINSTALLMODE")?[1], "amus");
        for program in ["MngnTimeCliSvc.exe", "MngnTimeMsg1.dll"] {
            assert_eq!(row(culture, "File", program)?[4], version_of(program)?, "{program}");
        }
    }
    Ok(())
}
