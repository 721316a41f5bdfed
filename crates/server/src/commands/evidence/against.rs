//! `mngntime verify PACK --against FILE`: the pack beside another statement of the same server.

use std::path::Path;

use mngntime_evidence::against::{Comparison, Contents, compare};
use mngntime_evidence::{Report, Verifier};
use mngntime_model::Language;
use mngntime_wire::PublicKey;

use super::super::BadUse;
use super::{read_pack, words};
use crate::evidence::pack;
use crate::evidence::words::pick;
use crate::web::visible::in_one_line;

/// How a pack begins, as every ZIP file does; a receipt is JSON.
const PACK_BEGINS: &[u8] = b"PK";

/// What editors of Windows write before a text.
pub(super) const BYTE_ORDER_MARK: char = '\u{feff}';

/// The two say something else: exit status 1.
#[derive(Debug, thiserror::Error)]
#[error("{}", pick(*.0, "この証拠ファイルは、照合したファイルと矛盾します", "the pack contradicts the file that it was compared with"))]
pub(super) struct Contradicted(pub(super) Language);

/// What came of comparing a pack with the file at `path`.
///
/// # Errors
/// [`BadUse`] when that file says nothing that could be compared.
pub(super) fn compared(
    report: &Report,
    path: &Path,
    key: &PublicKey,
    language: Language,
) -> Result<Option<Comparison>, BadUse> {
    let bytes = read_pack(path, language)?;
    let Some(own) = report.contents.as_deref() else { return Ok(None) };
    let other = if bytes.starts_with(PACK_BEGINS) {
        of_pack(&bytes, own, key, language)
    } else {
        of_receipts(&bytes, own, key, language)
    };
    let other = other.map_err(|why| {
        let path = path.display();
        BadUse(pick(
            language,
            format!("{path} とは照合できません: {why}"),
            format!("{path} cannot be compared with: {why}"),
        ))
    })?;
    Ok(Some(compare(own, &other)))
}

/// Another pack, or why it says nothing of this one's log.
fn of_pack(bytes: &[u8], own: &Contents, key: &PublicKey, language: Language) -> Result<Contents, String> {
    let checked = pack::check_with(bytes, key, Verifier::new(*key).keeping_contents());
    let (_, report) = checked.map_err(|error| words::check_error(&error, language))?;
    if let Some(fault) = report.faults.first() {
        return Err(in_one_line(&mngntime_evidence::words::fault(fault, language)));
    }
    let other = report.contents.map(|contents| *contents).unwrap_or_default();
    if other.contract != own.contract {
        let (code, other) = (in_one_line(&own.contract), in_one_line(&other.contract));
        return Err(pick(
            language,
            format!(
                "別の契約主のものです（{other}。この証拠ファイルは {code}）。契約主ごとに別のログがあります"
            ),
            format!(
                "it is of another contract ({other}; this pack is of {code}), and each contract has its own log"
            ),
        ));
    }
    Ok(other)
}

/// What a file of receipts says of this log, or why it says nothing.
fn of_receipts(
    bytes: &[u8],
    own: &Contents,
    key: &PublicKey,
    language: Language,
) -> Result<Contents, String> {
    let text = std::str::from_utf8(bytes).ok().map(|text| text.trim_start_matches(BYTE_ORDER_MARK));
    let found = text.map(|text| Contents::of_receipts(text.lines(), key, own)).unwrap_or_default();
    if found.receipts > 0 {
        return Ok(found);
    }
    let (japanese, english) = match text {
        Some(text) if text.trim().is_empty() => (
            "受領証が1通もありません。まだサーバーに送信していないPCの受領証のファイルは、空です",
            "it holds no receipt; the file of a PC that has sent nothing yet is empty",
        ),
        Some(_) if found.other_contracts > 0 => (
            "別の契約主の受領証だけがあります。契約主ごとに別のログがあります",
            "its receipts are of another contract, and each contract has its own log",
        ),
        Some(_) | None => (
            "証拠ファイルでも、このサーバーの受領証のファイル（1行に1通）でもありません",
            "it is neither an evidence pack nor a file of receipts of this server, one a line",
        ),
    };
    Err(pick(language, japanese, english))
}
