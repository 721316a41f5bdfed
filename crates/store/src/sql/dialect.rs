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
//! [`for_many`] spells a statement for many rows of parameters at once:
//!
//! | the adapter's, for one row | PostgreSQL's, for all |
//! |---|---|
//! | `SELECT …` | `SELECT found.*, given.n FROM unnest($1, …) … AS given CROSS JOIN LATERAL (SELECT …) AS found` |
//! | `INSERT INTO t (…) VALUES (…) …` | `INSERT INTO t (…) SELECT … FROM unnest($1, …) AS given WHERE true …` |
//! | `UPDATE t SET … WHERE …` | `UPDATE t SET … FROM unnest($1, …) AS given WHERE …` |
//! | `DELETE FROM t WHERE …` | `DELETE FROM t USING unnest($1, …) AS given WHERE …` |
//!
//! Functions that SQLite has and PostgreSQL lacks (`instr`, `hex`, `json_extract`, `json_each` of a text) are made by
//! PostgreSQL's first migration.

/// The statement in PostgreSQL's spelling.
pub(super) fn translated(sql: &str) -> String {
    spelled(sql, "$")
}

/// The statement for many rows of `columns` parameters, each of which comes as an array. What a query finds has one more
/// column than it says, the last one: the number of the row it was asked for, from 1. An update must not find the same row
/// for two rows of parameters, and what a statement writes, it does not see itself.
pub(super) fn for_many(sql: &str, columns: usize) -> String {
    let one = spelled(sql, "given.p");
    let numbered =
        |prefix: &str| (1..=columns).map(|number| format!("{prefix}{number}")).collect::<Vec<_>>().join(", ");
    let (arrays, names) = (numbered("$"), numbered("p"));
    let given = format!("unnest({arrays}) AS given({names})");
    let (head, tail) = match next_word(&one).0 {
        "INSERT" => {
            let (into, values) = split_at_word(&one, "VALUES");
            let values = values.trim_start();
            let end = closing(values);
            let rest = &values[end + 1..];
            return format!("{into}SELECT {} FROM {given} WHERE true{rest}", &values[1..end]);
        }
        "UPDATE" => ("FROM", split_at_word(&one, "WHERE")),
        "DELETE" => ("USING", split_at_word(&one, "WHERE")),
        _ => {
            let given = format!("unnest({arrays}) WITH ORDINALITY AS given({names}, n)");
            return format!("SELECT found.*, given.n FROM {given} CROSS JOIN LATERAL ({one}) AS found");
        }
    };
    format!("{}{head} {given} WHERE{}", tail.0, tail.1)
}

/// What stands before and after the first `word` outside of parentheses; everything and nothing when there is none.
fn split_at_word<'a>(sql: &'a str, word: &str) -> (&'a str, &'a str) {
    let (mut depth, mut at) = (0_i32, 0);
    while let Some(first) = sql[at..].chars().next() {
        let rest = &sql[at..];
        at += match first {
            '\'' | '"' => quoted(rest, first),
            _ if is_word(first) => {
                let end = word_end(rest);
                if depth == 0 && &rest[..end] == word {
                    return (&sql[..at], &rest[end..]);
                }
                end
            }
            _ => {
                depth += i32::from(first == '(') - i32::from(first == ')');
                first.len_utf8()
            }
        };
    }
    (sql, "")
}

/// Where the parenthesis that opens `text` is closed.
fn closing(text: &str) -> usize {
    let (mut depth, mut at) = (0_i32, 0);
    while let Some(first) = text[at..].chars().next() {
        depth += i32::from(first == '(') - i32::from(first == ')');
        if depth == 0 {
            return at;
        }
        at += if matches!(first, '\'' | '"') { quoted(&text[at..], first) } else { first.len_utf8() };
    }
    at.saturating_sub(1)
}

fn spelled(sql: &str, parameter: &'static str) -> String {
    let mut translation = Translation { out: String::with_capacity(sql.len() + 16), greatest: 0, parameter };
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
    /// What stands before a parameter's number.
    parameter: &'static str,
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
        self.out.push_str(&format!("{}{number}", self.parameter));
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
    fn many_rows_are_read_by_one_query() {
        assert_eq!(
            for_many("SELECT a FROM t WHERE b = ?2 AND c = ?1", 2),
            "SELECT found.*, given.n FROM unnest($1, $2) WITH ORDINALITY AS given(p1, p2, n) \
             CROSS JOIN LATERAL (SELECT a FROM t WHERE b = given.p2 AND c = given.p1) AS found"
        );
    }

    #[test]
    fn many_rows_are_written_by_one_statement() {
        let given = "unnest($1, $2) AS given(p1, p2)";
        assert_eq!(
            for_many("INSERT INTO t AS u (a, b) VALUES (?1, f(')', ?2)) ON CONFLICT DO NOTHING", 2),
            format!(
                "INSERT INTO t AS u (a, b) SELECT given.p1, f(')', given.p2) FROM {given} WHERE true ON CONFLICT DO NOTHING"
            )
        );
        assert_eq!(
            for_many("UPDATE t SET a = (SELECT x FROM y WHERE z) WHERE b = ?2", 2),
            format!("UPDATE t SET a = (SELECT x FROM y WHERE z) FROM {given} WHERE b = given.p2")
        );
        assert_eq!(
            for_many("DELETE FROM t WHERE a = ?1 AND b = ?2", 2),
            format!("DELETE FROM t USING {given} WHERE a = given.p1 AND b = given.p2")
        );
    }

    #[test]
    fn blobs_become_bytea() {
        assert_eq!(translated("id IN (x'0aff',x'01')"), "id IN ('\\x0aff'::bytea,'\\x01'::bytea)");
        assert_eq!(translated("max(x)"), "max(x)");
    }
}
