//! 本人の申告 about the dates of a summary.

use super::super::record::Written;
use super::super::remarks::{Done, ToldRemark};
use super::paper::{Block, Column, Row};
use super::{dated, day_of, list, text};
use crate::web::{day_time, times};

const COLUMNS: &[Column] = &[
    Column { title: "日付", share: 66.0 },
    Column { title: "時間帯", share: 58.0 },
    Column { title: "申告の内容・返事", share: 230.0 },
    Column { title: "記入・取り下げ・確認", share: 146.0 },
];

/// What the employee said, with what became of it.
pub(super) fn section(written: &Written, blocks: &mut Vec<Block>) {
    blocks.push(Block::Heading("本人の申告"));
    if written.remarks.is_empty() {
        text(blocks, "この期間の日付について、本人の申告は記録にありません。");
        return;
    }
    text(
        blocks,
        "社員本人が、自分の記録と実際が違うとして残した申告です。打刻は変わりません。署名されたログに、書いた日時のとおりに入っています。",
    );
    list(blocks, "本人の申告", COLUMNS, written.remarks.iter().map(row).collect());
}

fn row(remark: &ToldRemark) -> Row {
    let (from, to) = remark.minutes;
    let mut said = paragraphs("", &remark.text);
    said.extend(remark.answer.iter().flat_map(|answer| paragraphs("返事: ", answer)));
    let state = [
        Some(("記入", &remark.made)),
        remark.withdrawn.as_ref().map(|done| ("取り下げ", done)),
        remark.read.as_ref().map(|done| ("確認", done)),
    ];
    Row {
        cells: vec![
            vec![dated(remark.date)],
            vec![format!("{}〜{}", day_time::text(from), day_time::text(to))],
            said,
            state.into_iter().flatten().map(done).collect(),
        ],
        shaded: false,
    }
}

/// The lines of a text that somebody typed.
fn paragraphs(before: &str, text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if let Some(first) = lines.first_mut() {
        first.insert_str(0, before);
    }
    lines
}

fn done((what, (at, by)): (&str, &Done)) -> String {
    format!("{what}: {} {} {by}", day_of(*at), times::clock(*at))
}
