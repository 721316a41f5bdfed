//! The group policy templates keep to the schema, and the schema notices what is wrong.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};

const FILES: [&str; 3] = ["MngnTime.admx", "ja-JP/MngnTime.adml", "en-US/MngnTime.adml"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging/windows/policy")
}

fn validate(file: &Path) -> Result<Output> {
    Command::new("xmllint")
        .args(["--noout", "--nonet", "--schema"])
        .arg(folder().join("PolicyDefinitions.xsd"))
        .arg(file)
        .output()
        .context("xmllint is missing; run the tests with: cargo xtask test")
}

#[test]
fn the_templates_keep_to_the_schema() -> Result<()> {
    for name in FILES {
        let output = validate(&folder().join(name))?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// Each of these would make the policy editor refuse the file, or show a policy that does nothing.
#[test]
fn the_schema_notices_what_is_wrong() -> Result<()> {
    let faults = [
        (FILES[0], r#"class="Machine""#, r#"class="Computer""#),
        (FILES[0], r#"<supportedOn ref="SUPPORTED_MngnTime"/>"#, ""),
        (FILES[0], r#"<supportedOn ref="SUPPORTED_MngnTime"/>"#, r#"<supportedOn ref="Nothing"/>"#),
        (FILES[0], r#"<parentCategory ref="MngnTime"/>"#, r#"<parentCategory ref="Nothing"/>"#),
        (FILES[0], r#"policy name="ContractCode""#, r#"policy name="ServerUrl""#),
        (FILES[0], r#"key="Software\Policies\MngnTime""#, r#"key="\Software\Policies\MngnTime\""#),
        (FILES[0], r#"displayName="$(string.ServerUrl)""#, r#"displayName="Server""#),
        (FILES[0], r#"minValue="1""#, r#"minValue="-1""#),
        (FILES[1], r#"<string id="ContractCode">"#, r#"<string id="ServerUrl">"#),
        (FILES[1], r#"presentation id="ContractCode""#, r#"presentation id="ServerUrl""#),
        (FILES[1], "decimalTextBox", "decimalBox"),
        (FILES[2], "<label>", "<label/><label>"),
    ];
    let temp = tempfile::tempdir()?;
    for (name, right, wrong) in faults {
        let text = fs::read_to_string(folder().join(name))?;
        ensure!(text.contains(right), "{name} does not hold {right}");
        let file = temp.path().join("wrong.xml");
        // The closing tag too, so that the file stays well formed.
        fs::write(
            &file,
            text.replacen(right, wrong, if right == "decimalTextBox" { usize::MAX } else { 1 }),
        )?;
        let output = validate(&file)?;
        ensure!(output.status.code() == Some(3), "{right} -> {wrong}: {output:?}");
    }
    Ok(())
}
