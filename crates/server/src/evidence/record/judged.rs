//! What the server came to: the results of the punches, and what is known of the days.

use std::collections::BTreeMap;
use std::io::Write;

use mngntime_attendance::completeness::{Received, Timeline};
use mngntime_evidence::format::{Day, Judgement, Line};
use mngntime_store::Terminal;

use super::{Part, RecordError, Writer};
use crate::days::{self, Dated};

impl<W: Write> Writer<'_, W> {
    /// Writes all results of the shown events; gives the newest one of each number: its `res`, if it has one.
    pub(super) async fn write_judgements(
        &mut self,
        part: &Part,
        shown: &BTreeMap<u64, Received>,
    ) -> Result<BTreeMap<u64, Option<u8>>, RecordError> {
        let (contract, terminal) = (self.request.contract.id, part.terminal.terminal.id);
        let range = (part.terminal.first, part.last);
        let mut newest = BTreeMap::new();
        for judged in self.store.evidence_judgements(contract, terminal, range.0, range.1).await? {
            if shown.contains_key(&judged.sequence) {
                newest.insert(judged.sequence, judged.res);
                self.line(&Line::Judgement(Judgement {
                    seq: judged.sequence,
                    number: judged.number,
                    judged_at: judged.judged_at.0,
                    res: judged.res,
                    why: judged.why,
                    by: judged.by,
                }))?;
            }
        }
        Ok(newest)
    }

    pub(super) fn write_days(
        &mut self,
        terminal: &Terminal,
        timeline: &Timeline,
    ) -> Result<Vec<Day>, RecordError> {
        let (dates, made_at) = (self.request.dates, self.request.made_at);
        let mut days = Vec::new();
        for Dated { date, span, day } in days::judge(terminal, timeline, dates, made_at) {
            let day = Day::of(&date.to_string(), [span.0.0, span.1.0], &day);
            self.line(&Line::Day(day.clone()))?;
            days.push(day);
        }
        Ok(days)
    }
}
