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

/// How a pack begins, as every ZIP file does; a receipt is JSON.
const PACK_BEGINS: &[u8] = b"PK";

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
    let other = contents(&read_pack(path, language)?, path, key, language)?;
    Ok(report.contents.as_deref().map(|own| compare(own, &other)))
}

fn contents(bytes: &[u8], path: &Path, key: &PublicKey, language: Language) -> Result<Contents, BadUse> {
    let unusable = |why: String| {
        let path = path.display();
        BadUse(pick(
            language,
            format!("{path} とは照合できません: {why}"),
            format!("{path} cannot be compared with: {why}"),
        ))
    };
    if !bytes.starts_with(PACK_BEGINS) {
        let no_receipt = || {
            unusable(pick(
                language,
                "証拠ファイルでも、このサーバーの受領証のファイル（1行に1通）でもありません",
                "it is neither an evidence pack nor a file of receipts of this server, one a line",
            ))
        };
        let text = std::str::from_utf8(bytes).map_err(|_| no_receipt())?;
        let receipts = Contents::of_receipts(text.lines(), key);
        return if receipts.receipts > 0 { Ok(receipts) } else { Err(no_receipt()) };
    }
    let checked = pack::check_with(bytes, key, Verifier::new(*key).keeping_contents());
    let (_, report) = checked.map_err(|error| unusable(words::check_error(&error, language)))?;
    match report.faults.first() {
        Some(fault) => Err(unusable(mngntime_evidence::words::fault(fault, language))),
        None => Ok(report.contents.map(|contents| *contents).unwrap_or_default()),
    }
}
