//! All figures as a table, as a file for programs, and in a document; and the machine they are of.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::figure::{Figure, number};

/// Between these lines of a document the table stands.
pub const BEGIN: &str = "<!-- figures of the bench: begin -->";
pub const END: &str = "<!-- figures of the bench: end -->";

/// The table in Markdown.
pub fn markdown(figures: &[Figure]) -> String {
    let mut text =
        "| figure | value | reference | ratio | goal | met |\n|---|--:|--:|--:|--:|---|\n".to_owned();
    for figure in figures {
        let Figure { name, unit, goal, .. } = figure;
        let value = figure.value.map_or_else(|| "–".to_owned(), |value| format!("{} {unit}", number(value)));
        let range = figure
            .range
            .map_or_else(String::new, |(least, most)| format!(" ({}–{})", number(least), number(most)));
        let reference = match (figure.reference, &figure.reference_name) {
            (Some(value), Some(name)) => format!("{}: {name}", number(value)),
            _ => "–".to_owned(),
        };
        let ratio = figure.ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}"));
        let goal = goal.map_or_else(|| "–".to_owned(), |goal| goal.to_string());
        let met = match figure.met {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "–",
        };
        let note = figure.note.as_ref().map_or_else(String::new, |note| format!(" <br>{note}"));
        // Writing to a text does not fail.
        let _ = writeln!(text, "| {name}{note} | {value}{range} | {reference} | {ratio} | {goal} | {met} |");
    }
    text
}

/// Writes the figures for programs. Rows of an earlier run that were not asked for this time are kept.
pub fn write_json(file: &Path, machine: &[(&str, String)], figures: &[Figure]) -> Result<()> {
    let shown = file.display().to_string();
    let before: Value = match std::fs::read_to_string(file) {
        Ok(text) => serde_json::from_str(&text).with_context(|| format!("{shown} is no JSON"))?,
        Err(_) => Value::Null,
    };
    let machine: serde_json::Map<_, _> =
        machine.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
    let figures = figures
        .iter()
        .map(|figure| {
            let mut value = serde_json::to_value(figure)?;
            value["machine"] = Value::Object(machine.clone());
            Ok(value)
        })
        .collect::<Result<Vec<_>>>()?;
    let text = serde_json::to_string_pretty(&json!({ "rows": merged(&before, figures) }))?;
    if let Some(directory) = file.parent() {
        std::fs::create_dir_all(directory)?;
    }
    std::fs::write(file, text + "\n").with_context(|| format!("could not write {shown}"))
}

/// The rows of before, those measured again replaced in their places, new ones at the end.
fn merged(before: &Value, new: Vec<Value>) -> Vec<Value> {
    let mut rows: Vec<Value> = before["rows"].as_array().cloned().unwrap_or_default();
    for row in new {
        match rows.iter_mut().find(|known| known["name"] == row["name"]) {
            Some(known) => *known = row,
            None => rows.push(row),
        }
    }
    rows
}

/// Puts `text` between the two lines of a document.
pub fn write_into(document: &Path, text: &str) -> Result<()> {
    let shown = document.display();
    let before = std::fs::read_to_string(document).with_context(|| format!("could not read {shown}"))?;
    let after =
        between(&before, text).with_context(|| format!("{shown} lacks the lines {BEGIN} and {END}"))?;
    std::fs::write(document, after).with_context(|| format!("could not write {shown}"))
}

fn between(document: &str, text: &str) -> Option<String> {
    let (head, rest) = document.split_once(BEGIN)?;
    let (_, tail) = rest.split_once(END)?;
    Some(format!("{head}{BEGIN}\n{}\n{END}{tail}", text.trim_end()))
}

/// What was measured on.
pub fn machine(directory: &Path) -> Result<Vec<(&'static str, String)>> {
    let read = |path: &str| std::fs::read_to_string(path).with_context(|| format!("could not read {path}"));
    let processor = read("/proc/cpuinfo")?;
    let model = processor.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
    let memory = read("/proc/meminfo")?;
    let kib = memory.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0);
    let load = read("/proc/loadavg")?;
    Ok(vec![
        ("date", jiff::Zoned::now().date().to_string()),
        ("processor", model.trim_start_matches(['\t', ' ', ':']).to_owned()),
        ("cores", std::thread::available_parallelism()?.to_string()),
        ("memory", format!("{:.1} GiB", kib as f64 / f64::from(1 << 20))),
        ("kernel", read("/proc/sys/kernel/osrelease")?.trim().to_owned()),
        ("file system", file_system(directory)),
        ("load before", load.split_whitespace().take(2).collect::<Vec<_>>().join(", ")),
    ])
}

/// The kind of the file system that the data is on.
pub fn file_system(directory: &Path) -> String {
    let asked = Command::new("findmnt").args(["-n", "-o", "FSTYPE,OPTIONS", "-T"]).arg(directory).output();
    let said = asked.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    said.ok().filter(|said| !said.is_empty()).unwrap_or_else(|| "unknown".to_owned())
}

/// The machine as a line of text.
pub fn heading(machine: &[(&str, String)], runs: usize) -> String {
    let words: Vec<String> = machine.iter().map(|(key, value)| format!("{key} {value}")).collect();
    format!(
        "`cargo xtask bench`, release build, load generator on the same machine; medians of {runs}, in brackets the least \
         and the most. Machine: {}.\n",
        words.join("; ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::Goal;

    #[test]
    fn a_figure_is_a_row_and_one_that_is_missing_says_why() {
        let rate = Figure::of("punches", "rows/s", &[90.0, 120.0, 100.0]).beside("pgbench", &[50.0]);
        let text = markdown(&[
            rate.with_goal(Goal::TimesAtLeast(2.5)),
            Figure::not_measured("agent over an hour", "s", "only with --only agent-hour"),
        ]);
        let rows: Vec<_> = text.lines().skip(2).collect();
        assert_eq!(rows[0], "| punches | 100 rows/s (90.0–120) | 50.0: pgbench | 2.00 | ≥ 2.5 × | **no** |");
        assert!(rows[1].contains("not measured: only with --only agent-hour"), "{}", rows[1]);
    }

    #[test]
    fn the_table_replaces_the_last_one_and_nothing_else() {
        let document = format!("before\n{BEGIN}\nold\n{END}\nafter\n");
        let once = between(&document, "new\n").unwrap();
        assert_eq!(once, format!("before\n{BEGIN}\nnew\n{END}\nafter\n"));
        assert_eq!(between(&once, "new\n").unwrap(), once);
        assert_eq!(between("no lines", "new"), None);
    }

    #[test]
    fn rows_that_were_not_measured_again_are_kept() {
        let before = json!({ "rows": [{ "name": "a", "value": 1 }, { "name": "b", "value": 2 }] });
        let rows = merged(&before, vec![json!({ "name": "b", "value": 3 }), json!({ "name": "c" })]);
        assert_eq!(
            json!(rows),
            json!([{ "name": "a", "value": 1 }, { "name": "b", "value": 3 }, { "name": "c" }])
        );
        assert_eq!(merged(&Value::Null, vec![json!({ "name": "a" })]).len(), 1);
    }
}
