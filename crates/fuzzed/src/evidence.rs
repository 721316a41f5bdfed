//! The record of an evidence pack: a valid one with changes, read by the verifier.
//!
//! The file as a whole is sealed ([`crate::seal`]); here the seal is taken to be right, as when somebody who holds
//! the server's disk, but not its key, made a pack. What a record tells of people and names is the seal's affair.
//! What it tells of events is not: in a record that the verifier calls authentic, every event, every digest of a
//! hidden one, every head and every receipt is one that the server has signed.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use arbitrary::{Result, Unstructured};
use mngntime_evidence::format::{Line, Place};
use mngntime_evidence::{Report, Verifier};
use mngntime_ledger::Digest;
use mngntime_wire::{PublicKey, SecretKey};
use serde_json::Value;

use crate::make;

/// A record that `examples/seeds.rs` has made of a small office.
const RECORD: &str = include_str!("../../evidence/tests/record.jsonl");
const CHANGES_MAX: usize = 4;

/// `{`: the bytes are the record. Anything else: they are changes to the valid one.
pub fn run(data: &[u8]) {
    if data.first() == Some(&b'{') {
        let lines = String::from_utf8_lossy(data).lines().map(str::to_owned).collect::<Vec<_>>();
        judge(&lines);
        return;
    }
    let mut lines: Vec<String> = record().to_vec();
    let mut u = Unstructured::new(data);
    for _ in 0..CHANGES_MAX {
        if u.is_empty() || change(&mut u, &mut lines).is_err() {
            break;
        }
    }
    judge(&lines);
}

/// The valid record.
pub fn record() -> &'static [String] {
    static LINES: OnceLock<Vec<String>> = OnceLock::new();
    LINES.get_or_init(|| RECORD.lines().map(str::to_owned).collect())
}

/// What the verifier says.
pub fn verify(lines: &[String]) -> Report {
    static KEY: OnceLock<PublicKey> = OnceLock::new();
    let key = KEY.get_or_init(|| SecretKey::from_seed(&[42; 32]).public());
    let mut verifier = Verifier::new(*key);
    lines.iter().for_each(|line| verifier.read(line));
    verifier.finish()
}

fn judge(lines: &[String]) {
    static SIGNED: OnceLock<BTreeSet<String>> = OnceLock::new();
    if verify(lines).is_authentic() {
        let signed = SIGNED.get_or_init(|| said(record()));
        let unsigned: Vec<_> = said(lines).into_iter().filter(|word| !signed.contains(word)).collect();
        assert!(unsigned.is_empty(), "the server has not signed {unsigned:#?}");
    }
}

/// What the lines say and the server has signed. An event says its bytes and its digest, a hidden one its digest.
fn said(lines: &[String]) -> BTreeSet<String> {
    let (mut said, mut terminal) = (BTreeSet::new(), String::new());
    for line in lines.iter().filter_map(|line| serde_json::from_str(line).ok()) {
        match line {
            Line::Terminal(line) => terminal = line.id,
            Line::Event(event) => {
                said.insert(placed(&terminal, &Digest::of(event.json.as_bytes()).to_string(), &event.place));
                said.insert(event.json);
            }
            Line::Hidden(hidden) => drop(said.insert(placed(&terminal, &hidden.hash, &hidden.place))),
            Line::Audit(entry) => drop(said.insert(entry.json)),
            Line::Head(head) => drop(said.insert(head.envelope)),
            Line::Receipt(receipt) => drop(said.insert(receipt.envelope)),
            Line::Pack(_)
            | Line::Employee(_)
            | Line::Account(_)
            | Line::Link(_)
            | Line::Earlier(_)
            | Line::Missing(_)
            // An entry of the log says which numbers these are.
            | Line::Retired(_)
            | Line::Batch(_)
            | Line::Judgement(_)
            | Line::Day(_)
            | Line::End(_) => {}
        }
    }
    said
}

fn placed(terminal: &str, digest: &str, place: &Place) -> String {
    let Place { month, leaf: _, received_at, resent, clock_offset_ms, proof: _ } = place;
    format!("{terminal} {digest} {month} {received_at} {resent} {clock_offset_ms}")
}

fn change(u: &mut Unstructured<'_>, lines: &mut Vec<String>) -> Result<()> {
    let at = u.choose_index(lines.len().max(1))?;
    match u.int_in_range(0..=9)? {
        0 => drop((at < lines.len()).then(|| lines.remove(at))),
        1 => lines.insert(at, u.arbitrary::<&str>()?.replace('\n', " ")),
        2 => lines.insert(at, lines.get(at).cloned().unwrap_or_default()),
        3 => {
            let other = u.choose_index(lines.len().max(1))?;
            if at.max(other) < lines.len() {
                lines.swap(at, other);
            }
        }
        4 => touch(u, lines, at)?,
        5 => lines.truncate(at),
        _ => edit(u, lines, at)?,
    }
    if u.ratio(7, 8)? {
        count_again(lines);
    }
    Ok(())
}

/// One byte of a line.
fn touch(u: &mut Unstructured<'_>, lines: &mut [String], at: usize) -> Result<()> {
    let Some(line) = lines.get_mut(at) else { return Ok(()) };
    let mut bytes = std::mem::take(line).into_bytes();
    let place = u.choose_index(bytes.len().max(1))?;
    if let Some(byte) = bytes.get_mut(place) {
        *byte = u.arbitrary()?;
    }
    *line = String::from_utf8_lossy(&bytes).into_owned();
    Ok(())
}

/// One value of a line, also inside of the JSON that stands in it as a text; the line stays one that we would write.
fn edit(u: &mut Unstructured<'_>, lines: &mut [String], at: usize) -> Result<()> {
    let Some(line) = lines.get_mut(at) else { return Ok(()) };
    let Ok(mut value) = serde_json::from_str::<Value>(line) else { return Ok(()) };
    edit_value(u, &mut value)?;
    let Ok(edited) = serde_json::from_value::<Line>(value) else { return Ok(()) };
    *line = edited.to_text().expect("JSON");
    Ok(())
}

fn edit_value(u: &mut Unstructured<'_>, value: &mut Value) -> Result<()> {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            if u.ratio(1, 16)? {
                fields.insert(make::text(u)?, Value::from(1));
                return Ok(());
            }
            let field = u.choose_index(fields.len())?;
            fields.values_mut().nth(field).map_or(Ok(()), |value| edit_value(u, value))
        }
        Value::Array(items) if !items.is_empty() => match u.int_in_range(0..=3)? {
            0 => {
                items.pop();
                Ok(())
            }
            1 => {
                items.extend(items.last().cloned());
                Ok(())
            }
            _ => {
                let item = u.choose_index(items.len())?;
                edit_value(u, &mut items[item])
            }
        },
        Value::String(text) => {
            let inside = serde_json::from_str::<Value>(text).ok().filter(Value::is_object);
            if let Some(mut inside) = inside.filter(|_| u.ratio(7, 8).unwrap_or(false)) {
                edit_value(u, &mut inside)?;
                *text = inside.to_string();
            } else {
                *text = edited_text(u, text)?;
            }
            Ok(())
        }
        Value::Number(_) => {
            *value = if u.arbitrary()? { make::number(u)?.into() } else { make::time(u)?.into() };
            Ok(())
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            *value = Value::from(u.arbitrary::<bool>()?);
            Ok(())
        }
    }
}

fn edited_text(u: &mut Unstructured<'_>, text: &str) -> Result<String> {
    let place = text.floor_char_boundary(u.choose_index(text.len().max(1))?);
    let (before, after) = text.split_at(place);
    Ok(match u.int_in_range(0..=3)? {
        0 => format!("{before} {after}"),
        1 => make::text(u)?,
        2 => text.to_ascii_uppercase(),
        _ => {
            let mut rest = after.chars();
            let _taken = rest.next();
            format!("{before}{}{}", u.arbitrary::<char>()?, rest.as_str())
        }
    })
}

/// Makes the last line count what is there, as a careful forger does.
fn count_again(lines: &mut [String]) {
    let count = lines.len().saturating_sub(1);
    if let Some(end) = lines.last_mut().filter(|line| line.contains("\"type\":\"end\"")) {
        *end = format!("{{\"type\":\"end\",\"lines\":{count}}}");
    }
}
