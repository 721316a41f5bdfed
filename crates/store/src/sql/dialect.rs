//! A statement of the adapter as PostgreSQL spells it. Pure.
//!
//! The adapter's statements keep to what both engines understand. What is left, and what becomes of it:
//!
//! | the adapter's | PostgreSQL's |
//! |---|---|
//! | `?3`, `?` (one more than the greatest so far) | `$3`, `$n` |
//! | `INDEXED BY name` | nothing: its planner has statistics |
//! | `a CROSS JOIN b ON …` (keeps the order of tables) | `a JOIN b ON …` |
//! | `LIKE` (without regard to the case of ASCII letters) | `ILIKE`, on columns of collation `C` the same |
//! | `a = b COLLATE NOCASE` | `lower(a) = lower(b COLLATE "C")`: ASCII letters only, as SQLite has it |
//! | `x'0aff'` | `'\x0aff'::bytea` |
//!
//! Functions that SQLite has and PostgreSQL lacks (`instr`, `hex`, `json_extract`, `json_each` of a text) are made by
//! PostgreSQL's first migration.

/// The statement in PostgreSQL's spelling.
pub(super) fn translated(sql: &str) -> String {
    let mut translation = Translation { out: String::with_capacity(sql.len() + 16), greatest: 0 };
    let mut rest = sql;
    while !rest.is_empty() {
        rest = translation.step(rest);
    }
    translation.out
}

struct Translation {
    out: String,
    /// The greatest number of a parameter so far.
    greatest: usize,
}

impl Translation {
    /// Takes one token off the front of `rest`; returns what is left.
    fn step<'a>(&mut self, rest: &'a str) -> &'a str {
        let first = rest.chars().next().unwrap_or(' ');
        match first {
            '\'' | '"' => self.copy(rest, quoted(rest, first)),
            '-' if rest.starts_with("--") => self.copy(rest, rest.find('\n').unwrap_or(rest.len())),
            '?' => self.parameter(rest),
            _ if is_word(first) => self.word(rest),
            _ => self.copy(rest, first.len_utf8()),
        }
    }

    fn copy<'a>(&mut self, rest: &'a str, bytes: usize) -> &'a str {
        let (token, after) = rest.split_at(bytes);
        self.out.push_str(token);
        after
    }

    fn parameter<'a>(&mut self, rest: &'a str) -> &'a str {
        let digits = rest[1..].find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len() - 1);
        let number = rest[1..=digits].parse().unwrap_or(self.greatest + 1);
        self.greatest = self.greatest.max(number);
        self.out.push_str(&format!("${number}"));
        &rest[1 + digits..]
    }

    fn word<'a>(&mut self, rest: &'a str) -> &'a str {
        let (word, after) = rest.split_at(word_end(rest));
        match word {
            "INDEXED" if next_word(after).0 == "BY" => next_word(next_word(after).1).1,
            "CROSS" if next_word(after).0 == "JOIN" => after.trim_start(),
            "COLLATE" if next_word(after).0 == "NOCASE" => {
                self.without_case();
                next_word(after).1
            }
            "LIKE" => {
                self.out.push_str("ILIKE");
                after
            }
            "x" if after.starts_with('\'') => {
                let end = quoted(after, '\'');
                self.out.push_str(&format!("'\\x{}'::bytea", &after[1..end - 1]));
                &after[end..]
            }
            _ => self.copy(rest, word.len()),
        }
    }

    /// Puts the comparison that was written last into lower case.
    fn without_case(&mut self) {
        let right = self.take_operand();
        let equals = self.out.trim_end().len();
        self.out.truncate(equals - usize::from(self.out.trim_end().ends_with('=')));
        let left = self.take_operand();
        self.out.push_str(&format!("lower({left}) = lower({right} COLLATE \"C\")"));
    }

    /// Takes the column or parameter that was written last.
    fn take_operand(&mut self) -> String {
        self.out.truncate(self.out.trim_end().len());
        let is_operand = |c: char| is_word(c) || matches!(c, '.' | '$');
        let start = self.out.trim_end_matches(is_operand).len();
        self.out.split_off(start)
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn word_end(text: &str) -> usize {
    text.find(|c| !is_word(c)).unwrap_or(text.len())
}

/// The word that comes next, and what follows it.
fn next_word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    text.split_at(word_end(text))
}

/// Bytes of the quoted text at the front, with its quotes. A doubled quote ends one and begins the next: the same.
fn quoted(text: &str, quote: char) -> usize {
    text[1..].find(quote).map_or(text.len(), |end| end + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_numbered_as_sqlite_numbers_them() {
        assert_eq!(
            translated("a = ?2 AND b = ? AND c = ?1 LIMIT ?"),
            "a = $2 AND b = $3 AND c = $1 LIMIT $4"
        );
        assert_eq!(translated("VALUES (?1,?12)"), "VALUES ($1,$12)");
    }

    #[test]
    fn quoted_texts_and_comments_stay() {
        let sql = "'it''s ? LIKE x' || \"LIKE\" || '　' -- why?\n|| ?1";
        assert_eq!(translated(sql), "'it''s ? LIKE x' || \"LIKE\" || '　' -- why?\n|| $1");
    }

    #[test]
    fn what_only_sqlite_s_planner_needs_is_left_out() {
        assert_eq!(translated("FROM p INDEXED BY p_by_a WHERE x"), "FROM p  WHERE x");
        assert_eq!(translated("a CROSS JOIN b ON c"), "a JOIN b ON c");
    }

    #[test]
    fn comparisons_without_regard_to_case() {
        assert_eq!(
            translated("(a.name = me.name COLLATE NOCASE AND code = ? COLLATE NOCASE)"),
            "(lower(a.name) = lower(me.name COLLATE \"C\") AND lower(code) = lower($1 COLLATE \"C\"))"
        );
        assert_eq!(translated("(a || 'x') LIKE ? ESCAPE '!'"), "(a || 'x') ILIKE $1 ESCAPE '!'");
    }

    #[test]
    fn blobs_become_bytea() {
        assert_eq!(translated("id IN (x'0aff',x'01')"), "id IN ('\\x0aff'::bytea,'\\x01'::bytea)");
        assert_eq!(translated("max(x)"), "max(x)");
    }
}
