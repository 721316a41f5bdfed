//! Figures of the pages as a table, and its place in `docs/ui.md`.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};

/// The most that a page may take at the 95th percentile, in milliseconds.
pub const LIMIT_MS: f64 = 50.0;

/// What one page took.
#[derive(Debug, Clone)]
pub struct Figures {
    pub page: &'static str,
    pub role: &'static str,
    /// Milliseconds from the first byte of the request to the last of the answer, ascending.
    pub millis: Vec<f64>,
    /// Processor time of the server for one request, in milliseconds.
    pub cpu_millis: f64,
    /// Bytes over the wire (compressed), the most of all answers.
    pub bytes_max: usize,
    /// Answers that were no page.
    pub failures: Vec<String>,
    /// Whether only the first byte of a file was waited for.
    pub first_byte: bool,
}

impl Figures {
    /// The value below which `percent` of the answers lie (nearest rank); 0 when there are none.
    pub fn percentile(&self, percent: usize) -> f64 {
        let rank = (self.millis.len() * percent).div_ceil(100).max(1);
        self.millis.get(rank - 1).copied().unwrap_or(0.0)
    }

    pub fn is_slow(&self) -> bool {
        self.percentile(95) > LIMIT_MS
    }
}

const HEAD: &str = "| page | role | median | p95 | max | CPU | KiB |\n|---|---|--:|--:|--:|--:|--:|\n";

/// The table in Markdown, times in milliseconds.
pub fn markdown(all: &[Figures]) -> String {
    let mut text = HEAD.to_owned();
    for figures in all {
        let mark = if figures.is_slow() { " ⚠" } else { "" };
        let size = if figures.first_byte {
            "first byte".to_owned()
        } else {
            format!("{:.1}", figures.bytes_max as f64 / 1024.0)
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "| {} | {} | {:.1} | {:.1}{mark} | {:.1} | {:.1} | {size} |",
            figures.page,
            figures.role,
            figures.percentile(50),
            figures.percentile(95),
            figures.percentile(100),
            figures.cpu_millis,
        );
    }
    text
}

const BEGIN: &str = "<!-- figures of the page measurement: begin -->\n";
const END: &str = "<!-- figures of the page measurement: end -->";

/// Puts `text` between the marks in `file`.
pub fn write_into(file: &Path, text: &str) -> Result<()> {
    let old = std::fs::read_to_string(file).with_context(|| format!("could not read {}", file.display()))?;
    let (before, rest) = old.split_once(BEGIN).context("the document has no mark for these figures")?;
    let (_, after) = rest.split_once(END).context("the document's mark for these figures has no end")?;
    let new = format!("{before}{BEGIN}{text}{END}{after}");
    std::fs::write(file, new).with_context(|| format!("could not write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(millis: Vec<f64>) -> Figures {
        Figures {
            page: "p",
            role: "r",
            millis,
            cpu_millis: 0.0,
            bytes_max: 0,
            failures: vec![],
            first_byte: false,
        }
    }

    #[test]
    fn percentiles_are_nearest_ranks() {
        let figures = figures((1..=200).map(f64::from).collect());
        assert_eq!([50, 95, 100].map(|percent| figures.percentile(percent)), [100.0, 190.0, 200.0]);
    }

    #[test]
    fn a_page_is_slow_when_more_than_one_in_twenty_is() {
        let of = |slow: usize| {
            let mut millis = vec![1.0; 100 - slow];
            millis.extend(vec![51.0; slow]);
            figures(millis).is_slow()
        };
        assert_eq!((of(5), of(6)), (false, true));
    }

    #[test]
    fn the_figures_replace_those_of_before_and_nothing_else() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("a\n{BEGIN}old\n{END}\nb\n")).unwrap();
        write_into(file.path(), "new\n").unwrap();
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), format!("a\n{BEGIN}new\n{END}\nb\n"));
        std::fs::write(file.path(), "no mark").unwrap();
        assert!(write_into(file.path(), "new\n").is_err());
    }
}
