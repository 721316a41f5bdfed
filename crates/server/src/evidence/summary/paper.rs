//! A4 paper: blocks of text and tables become marks on pages.
//!
//! A page may be held alone: a table that goes on says on each page whose it is and what its columns are, a row is never
//! torn between two pages, and a heading never stands without what follows it. What is told by a shade is told by words
//! too, since paper is copied.

use super::super::lettering::Letters;

/// A4 portrait, in points.
pub(super) const PAGE: (f32, f32) = (595.28, 841.89);

/// Room at the left, where paper is punched and bound (20 mm), and at the right.
pub(super) const LEFT: f32 = 56.7;
const RIGHT: f32 = 39.7;
/// Where the first line may begin, and where the last one must have ended: below is the footer.
const TOP: f32 = 45.0;
const BOTTOM: f32 = PAGE.1 - 62.0;
/// Width of a line.
pub(super) const WIDTH: f32 = PAGE.0 - LEFT - RIGHT;

/// Sizes of letters, in points.
const TEXT: f32 = 8.0;
const HEADING: f32 = 11.0;
const TITLE: f32 = 17.0;

/// From one line to the next, in points.
const LEADING: f32 = 11.5;
/// Room between two columns, and above and below the text of a row.
const GUTTER: f32 = 5.0;
const PADDING: f32 = 2.5;

/// Shades: of the titles of columns, and of rows that are to be told apart (Saturdays and Sundays).
const TITLES_SHADE: u8 = 218;
const ROW_SHADE: u8 = 236;
/// Lines between rows.
const HAIRLINE: u8 = 150;

/// Lines of one cell, so that a name of thousands of letters does not fill a book. It says that it goes on.
const CELL_LINES_MAX: usize = 48;

/// Paragraphs of a cell.
pub(super) type Cell = Vec<String>;

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    /// What stands at its head.
    pub title: &'static str,
    /// Its share of the line.
    pub share: f32,
}

/// A row of a table.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// One for each column.
    pub cells: Vec<Cell>,
    /// Whether it is shaded.
    pub shaded: bool,
}

impl Row {
    /// A row of cells with one paragraph each.
    pub(super) fn of<const N: usize>(cells: [String; N]) -> Self {
        Self { cells: cells.map(|cell| vec![cell]).into(), shaded: false }
    }
}

/// What is put on paper, from top to bottom.
#[derive(Debug)]
pub(super) enum Block {
    /// What the whole is.
    Title(String),
    /// Begins a part.
    Heading(&'static str),
    /// A paragraph.
    Text(String),
    /// Words and what they mean, or things and their values: a table without titles. Its heading, as of a table.
    Facts(&'static str, Vec<(String, String)>),
    /// A table; its heading, for the pages on which it goes on.
    Table(&'static str, &'static [Column], Vec<Row>),
}

/// Something on a page.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Mark {
    /// Letters from `x` on, standing on `y`.
    Letters { x: f32, y: f32, size: f32, bold: bool, text: String },
    /// A rectangle of one shade: 0 is black.
    Shade { x: f32, y: f32, width: f32, height: f32, shade: u8 },
}

/// The marks of each page, without the footers.
pub(super) fn pages(blocks: Vec<Block>, letters: &Letters<'_>) -> Vec<Vec<Mark>> {
    let mut flow = Flow { letters, pages: vec![Vec::new()], y: TOP, heading: None };
    for block in blocks {
        match block {
            Block::Title(text) => flow.title(&text),
            Block::Heading(text) => flow.heading = Some(text),
            Block::Text(text) => flow.paragraph(&text),
            Block::Facts(heading, facts) => flow.facts(heading, facts),
            Block::Table(heading, columns, rows) => flow.table(heading, columns, &rows),
        }
    }
    flow.pages
}

/// The footer of a page: whose record it is, of when, by which server, and which page.
pub(super) fn footer(
    [first, second]: &[String; 2],
    number: usize,
    count: usize,
    letters: &Letters<'_>,
) -> Vec<Mark> {
    let (size, top) = (7.0, BOTTOM + 14.0);
    let pages = format!("{number} / {count} ページ");
    let right = letters.width(&pages) * size;
    let write = |x, y, text| Mark::Letters { x, y, size, bold: false, text };
    let room = (WIDTH - right - GUTTER) / size;
    vec![
        Mark::Shade { x: LEFT, y: top, width: WIDTH, height: 0.5, shade: 0 },
        write(LEFT, top + 10.0, letters.fitting(first, room)),
        write(LEFT + WIDTH - right, top + 10.0, pages),
        write(LEFT, top + 20.0, letters.fitting(second, WIDTH / size)),
    ]
}

struct Flow<'a> {
    letters: &'a Letters<'a>,
    pages: Vec<Vec<Mark>>,
    /// Where the next thing begins.
    y: f32,
    /// A heading that waits for what follows it.
    heading: Option<&'static str>,
}

/// The lines of a row's cells.
struct Lines(Vec<Vec<String>>);

impl Lines {
    fn height(&self) -> f32 {
        let lines = self.0.iter().map(Vec::len).max().unwrap_or_default();
        lines as f32 * LEADING + 2.0 * PADDING
    }
}

impl Flow<'_> {
    fn mark(&mut self, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.push(mark);
        }
    }

    fn write(&mut self, x: f32, y: f32, size: f32, bold: bool, text: &str) {
        if !text.is_empty() {
            self.mark(Mark::Letters { x, y, size, bold, text: text.to_owned() });
        }
    }

    /// Begins a new page when there is no room of `height`, and writes the heading that waits.
    fn make_room(&mut self, height: f32) -> bool {
        const ABOVE: f32 = 10.0;
        const BELOW: f32 = 5.0;
        let heading = self.heading.take();
        let above = if heading.is_some() { ABOVE + HEADING + BELOW } else { 0.0 };
        let is_full = self.y + above + height > BOTTOM && self.y > TOP;
        if is_full {
            self.pages.push(Vec::new());
            self.y = TOP;
        }
        if let Some(text) = heading {
            self.y += if self.y > TOP { ABOVE + HEADING } else { HEADING };
            self.write(LEFT, self.y, HEADING, true, text);
            self.y += BELOW;
        }
        is_full
    }

    fn title(&mut self, text: &str) {
        self.y += TITLE;
        self.write(LEFT, self.y, TITLE, true, text);
        self.y += 8.0;
        self.mark(Mark::Shade { x: LEFT, y: self.y, width: WIDTH, height: 1.2, shade: 0 });
        self.y += 6.0;
    }

    fn paragraph(&mut self, text: &str) {
        let lines = self.letters.wrapped(text, WIDTH / TEXT);
        self.make_room(lines.len() as f32 * LEADING);
        for line in lines {
            self.make_room(LEADING);
            self.y += LEADING;
            self.write(LEFT, self.y - 2.5, TEXT, false, &line);
        }
        self.y += 2.5;
    }

    /// Facts stand together where a page has room for them.
    fn facts(&mut self, heading: &str, facts: Vec<(String, String)>) {
        const COLUMNS: &[Column] = &[Column { title: "", share: 19.0 }, Column { title: "", share: 81.0 }];
        let cells = facts.into_iter().map(|(what, value)| [vec![what], vec![value]]);
        let rows: Vec<Lines> = cells.map(|cells| self.lines(COLUMNS, &cells)).collect();
        let height: f32 = rows.iter().map(Lines::height).sum();
        if height < (BOTTOM - TOP) / 2.0 {
            self.make_room(height);
        }
        for (index, lines) in rows.iter().enumerate() {
            if self.make_room(lines.height()) && index > 0 {
                self.goes_on(heading);
            }
            self.row(COLUMNS, lines, false);
        }
        self.y += 3.0;
    }

    /// Says on a further page what goes on there.
    fn goes_on(&mut self, heading: &str) {
        self.y += TEXT + 1.0;
        self.write(LEFT, self.y, TEXT, true, &format!("{heading}（続き）"));
        self.y += 5.0;
    }

    fn table(&mut self, heading: &str, columns: &[Column], rows: &[Row]) {
        let titles: Vec<Cell> = columns.iter().map(|column| vec![column.title.to_owned()]).collect();
        let titles = self.lines(columns, &titles);
        let mut is_begun = false;
        for row in rows {
            let lines = self.lines(columns, &row.cells);
            let needed = if is_begun { lines.height() } else { titles.height() + lines.height() };
            if self.make_room(needed) && is_begun {
                self.goes_on(heading);
                is_begun = false;
            }
            if !is_begun {
                self.titles(columns, &titles);
                is_begun = true;
            }
            self.row(columns, &lines, row.shaded);
        }
        self.y += 3.0;
    }

    fn titles(&mut self, columns: &[Column], titles: &Lines) {
        let (x, y, width, height) = (LEFT, self.y, WIDTH, titles.height());
        self.mark(Mark::Shade { x, y, width, height, shade: TITLES_SHADE });
        self.cells(columns, titles, true);
        self.y += height;
        self.mark(Mark::Shade { x, y: self.y - 0.8, width, height: 0.8, shade: 0 });
    }

    fn row(&mut self, columns: &[Column], lines: &Lines, shaded: bool) {
        let (x, y, width, height) = (LEFT, self.y, WIDTH, lines.height());
        if shaded {
            self.mark(Mark::Shade { x, y, width, height, shade: ROW_SHADE });
            // The shade has covered the line above.
            self.rule();
        }
        self.cells(columns, lines, false);
        self.y += height;
        self.rule();
    }

    fn rule(&mut self) {
        self.mark(Mark::Shade { x: LEFT, y: self.y - 0.3, width: WIDTH, height: 0.3, shade: HAIRLINE });
    }

    fn cells(&mut self, columns: &[Column], lines: &Lines, bold: bool) {
        for ((from, _), cell) in places(columns).zip(&lines.0) {
            let mut y = self.y + PADDING + LEADING - 3.0;
            for line in cell {
                self.write(LEFT + from, y, TEXT, bold, line);
                y += LEADING;
            }
        }
    }

    fn lines(&self, columns: &[Column], cells: &[Cell]) -> Lines {
        let wrapped = |((_, width), cell): ((f32, f32), &Cell)| {
            let all = cell.iter().flat_map(|paragraph| self.letters.wrapped(paragraph, width / TEXT));
            let mut lines: Vec<String> = all.take(CELL_LINES_MAX + 1).collect();
            if lines.len() > CELL_LINES_MAX {
                lines.truncate(CELL_LINES_MAX);
                lines.push("…以下略".to_owned());
            }
            lines
        };
        Lines(places(columns).zip(cells).map(wrapped).collect())
    }
}

/// Where each column begins, from the left, and how wide its text may be.
fn places(columns: &[Column]) -> impl Iterator<Item = (f32, f32)> {
    let all: f32 = columns.iter().map(|column| column.share).sum();
    let mut from = 0.0;
    columns.iter().map(move |column| {
        let (begins, width) = (from, column.share / all * WIDTH);
        from += width;
        (begins + GUTTER / 2.0, width - GUTTER)
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::lettering::FontFile;
    use super::*;

    const COLUMNS: &[Column] = &[Column { title: "日付", share: 1.0 }, Column { title: "内訳", share: 2.0 }];

    fn texts(page: &[Mark]) -> Vec<&str> {
        let mut texts = Vec::new();
        for mark in page {
            if let Mark::Letters { text, .. } = mark {
                texts.push(text.as_str());
            }
        }
        texts
    }

    #[test]
    fn every_row_stands_once_and_whole_under_its_titles_on_every_page() {
        let file = FontFile::read(None).unwrap();
        let letters = file.letters().unwrap();
        let row = |number: usize| Row {
            cells: vec![vec![number.to_string()], vec!["電源断".repeat(number % 40)]],
            shaded: false,
        };
        let mut blocks = vec![Block::Title("打刻記録".to_owned())];
        for _ in 0..3 {
            blocks.push(Block::Heading("日別"));
            blocks.push(Block::Table("日別", COLUMNS, (0..120).map(row).collect()));
        }
        let pages = pages(blocks, &letters);
        assert!(pages.len() > 3, "{}", pages.len());
        let mut numbers = Vec::new();
        for page in &pages {
            let texts = texts(page);
            assert!(texts.contains(&"日付") && texts.contains(&"内訳"), "{texts:?}");
            let first = texts.iter().position(|text| *text == "日付").unwrap();
            let number = texts.iter().position(|text| text.parse::<usize>().is_ok()).unwrap();
            assert!(first < number, "titles come first: {texts:?}");
            assert_ne!(texts.last(), Some(&"日別"), "no heading is the last of its page");
            numbers.extend(texts.iter().filter_map(|text| text.parse::<usize>().ok()));
            let is_inside = |mark: &Mark| match mark {
                Mark::Letters { y, .. } => (TOP..=BOTTOM).contains(y),
                Mark::Shade { y, height, .. } => *y >= TOP - 1.0 && y + height <= BOTTOM + 1.0,
            };
            assert!(page.iter().all(is_inside));
        }
        let expected: Vec<usize> = (0..3).flat_map(|_| 0..120).collect();
        assert_eq!(numbers, expected);
        // The row of 39 times three letters needs more lines than one, and all of them are on one page.
        let needle = "電源断".repeat(39);
        let whole = pages.iter().filter(|page| texts(page).concat().contains(&needle)).count();
        assert!(whole >= 2, "{whole}");
    }

    #[test]
    fn a_cell_without_end_says_that_it_goes_on() {
        let file = FontFile::read(None).unwrap();
        let letters = file.letters().unwrap();
        let rows = vec![Row::of(["1".to_owned(), "長".repeat(10_000)])];
        let pages = pages(vec![Block::Table("日別", COLUMNS, rows)], &letters);
        assert_eq!(pages.len(), 1);
        assert_eq!(texts(&pages[0]).last(), Some(&"…以下略"));
    }
}
