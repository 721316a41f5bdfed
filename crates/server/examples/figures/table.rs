//! All figures as a table, as a file for programs, and in a document; and the machine they are of.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

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
        let goal = goal.as_deref().unwrap_or("–");
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

/// The file for programs.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Results {
    pub rows: Vec<Figure>,
}

impl Results {
    /// What an earlier run has left; nothing when there was none.
    pub fn read(file: &Path) -> Result<Self> {
        match std::fs::read_to_string(file) {
            Ok(text) => serde_json::from_str(&text)
                .with_context(|| format!("{} is no file of figures: remove it", file.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("could not read {}", file.display())),
        }
    }

    /// Puts the figures of a row in the place of its last ones. Where it was not measured, and is known, they stay.
    pub fn put(&mut self, row: &str, new: Vec<Figure>) {
        let place = self.rows.iter().position(|known| known.row == row);
        let is_measured = new.iter().any(|figure| figure.value.is_some());
        if let Some(place) = place {
            let has_figures = self.rows.iter().any(|known| known.row == row && known.value.is_some());
            if is_measured || !has_figures {
                self.rows.retain(|known| known.row != row);
                self.rows.splice(place..place, new);
            }
        } else {
            self.rows.extend(new);
        }
    }

    pub fn write(&self, file: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        if let Some(directory) = file.parent() {
            std::fs::create_dir_all(directory)?;
        }
        std::fs::write(file, text + "\n").with_context(|| format!("could not write {}", file.display()))
    }

    /// The machines that the figures are of, each once.
    pub fn machines(&self) -> Vec<&str> {
        let mut all: Vec<&str> = Vec::new();
        for machine in self.rows.iter().filter(|row| row.value.is_some()).map(|row| row.machine.as_str()) {
            if !all.contains(&machine) {
                all.push(machine);
            }
        }
        all
    }
}

/// That the table can be put into a document; known before hours are spent on it.
pub fn check_document(document: &Path) -> Result<()> {
    write_between(document, "").map(drop)
}

/// Puts `text` between the two lines of a document.
pub fn write_into(document: &Path, text: &str) -> Result<()> {
    let after = write_between(document, text)?;
    std::fs::write(document, after).with_context(|| format!("could not write {}", document.display()))
}

fn write_between(document: &Path, text: &str) -> Result<String> {
    let shown = document.display();
    let before = std::fs::read_to_string(document).with_context(|| format!("could not read {shown}"))?;
    between(&before, text).with_context(|| format!("{shown} lacks the lines {BEGIN} and {END}"))
}

fn between(document: &str, text: &str) -> Option<String> {
    let (head, rest) = document.split_once(BEGIN)?;
    let (_, tail) = rest.split_once(END)?;
    Some(format!("{head}{BEGIN}\n{}\n{END}{tail}", text.trim_end()))
}

/// What is measured on, as a line of text.
pub fn machine(directory: &Path) -> Result<String> {
    let read = |path: &str| std::fs::read_to_string(path).with_context(|| format!("could not read {path}"));
    let processor = read("/proc/cpuinfo")?;
    let model = processor.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
    let memory = read("/proc/meminfo")?;
    let kib = memory.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0);
    Ok(format!(
        "{} cores ({}), {:.1} GiB of memory, Linux {}, {}, {}",
        std::thread::available_parallelism()?,
        model.trim_start_matches(['\t', ' ', ':']),
        kib as f64 / f64::from(1 << 20),
        read("/proc/sys/kernel/osrelease")?.trim(),
        file_system(directory),
        jiff::Zoned::now().date(),
    ))
}

/// The machine's load average of one and of five minutes.
pub fn load() -> Result<String> {
    let text = std::fs::read_to_string("/proc/loadavg").context("could not read /proc/loadavg")?;
    Ok(text.split_whitespace().take(2).collect::<Vec<_>>().join(", "))
}

/// The kind of the file system that the data is on.
pub fn file_system(directory: &Path) -> String {
    let asked = Command::new("findmnt").args(["-n", "-o", "FSTYPE,OPTIONS", "-T"]).arg(directory).output();
    let said = asked.map(|output| {
        String::from_utf8_lossy(&output.stdout).split_whitespace().collect::<Vec<_>>().join(" ")
    });
    said.ok().filter(|said| !said.is_empty()).unwrap_or_else(|| "unknown".to_owned())
}

/// What stands above the table.
pub fn heading(machines: &[&str], runs: usize) -> String {
    format!(
        "`cargo xtask bench`: load generator and server on the same machine; medians of {runs} runs, in brackets the least \
         and the most; ratios are what counts. Machine: {}.\n",
        machines.join("; ")
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
    fn a_row_replaces_its_last_figures_where_they_stand_and_a_missing_one_replaces_none() {
        let figure = |row: &str, name: &str, value: Option<f64>| {
            let mut figure = Figure::of(name, "ms", value.as_slice());
            figure.row = row.to_owned();
            figure
        };
        let mut results = Results::default();
        results.put("a", vec![figure("a", "left out", None)]);
        results.put("b", vec![figure("b", "one", Some(1.0)), figure("b", "two", Some(2.0))]);
        results.put("a", vec![figure("a", "measured", Some(3.0))]);
        results.put("b", vec![figure("b", "failed", None)]);
        let names: Vec<_> = results.rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, ["measured", "one", "two"]);
        results.put("b", vec![figure("b", "three", Some(2.0))]);
        let text = serde_json::to_string(&results).unwrap();
        let again: Results = serde_json::from_str(&text).unwrap();
        let names: Vec<_> = again.rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, ["measured", "three"], "it is read as it was written");
        assert_eq!(markdown(&again.rows), markdown(&results.rows));
    }
}
