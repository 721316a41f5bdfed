//! `mngntime retention`: which months go next, when, and what keeps them. It deletes nothing; the server does.

use std::fmt::Write as _;
use std::path::PathBuf;

use mngntime_model::Language;
use mngntime_store::{Contract, Hold, RetentionMonths, RetiredMonth, local_date};

use super::administrators::choose_contract;
use super::evidence::{language, language_of_locale};
use super::{BadUse, act, block_on, open_existing, print};
use crate::evidence::words::pick;
use crate::retention::{Next, Planned, plan};
use crate::web::visible::in_one_line;

/// What to look at.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The server's data directory. The server may be running.
    #[arg(long)]
    data: PathBuf,
    /// Code of the contract; needed when there are several.
    #[arg(long)]
    contract: Option<String>,
    /// Language: `ja` or `en`.
    #[arg(long, default_value = language_of_locale(), value_parser = language)]
    language: Language,
}

/// Says what is planned.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let text = block_on(async {
        let store = open_existing(&arguments.data)?;
        let id = choose_contract(&*store, arguments.contract.as_deref()).await?;
        let contract = store.contract_by_id(id).await?;
        let contract = contract.ok_or_else(|| BadUse("the contract is gone".to_owned()))?;
        let (months, holds) = (store.retention_months(id).await?, store.list_holds(id).await?);
        let years = contract.settings.retention_years;
        let planned = plan(&months, &holds, years, local_date(act().at));
        Ok(told(&contract, &months, &planned, &holds, arguments.language))
    })?;
    print(|out| out.write_all(text.as_bytes()))
}

/// All of it in words, a line for each thing.
fn told(
    contract: &Contract,
    months: &RetentionMonths,
    planned: &[Planned],
    holds: &[Hold],
    language: Language,
) -> String {
    let mut text = String::new();
    let mut line = |words: String| {
        // Writing to a text does not fail.
        let _ = writeln!(text, "{words}");
    };
    line(switch(contract, language));
    months.retired.iter().for_each(|gone| line(retired(gone, language)));
    planned.iter().for_each(|month| line(kept(month, contract.settings.retires, language)));
    if months.retired.is_empty() && planned.is_empty() {
        line(pick(language, "イベントのある月はありません", "no month has events"));
    }
    holds.iter().filter(|hold| hold.released.is_none()).for_each(|hold| line(held(hold, language)));
    text
}

fn switch(contract: &Contract, language: Language) -> String {
    let (code, years) = (&contract.code, contract.settings.retention_years);
    match contract.settings.retires {
        true => pick(
            language,
            format!("契約 {code}: 保存期間は{years}年。期間が過ぎた月は削除されます"),
            format!(
                "contract {code}: records are kept for {years} years; months whose time is over are deleted"
            ),
        ),
        false => pick(
            language,
            format!("契約 {code}: 保存期間は{years}年。削除はオフのため、何も削除されません"),
            format!(
                "contract {code}: records are kept for {years} years; deletion is off, so that nothing is deleted"
            ),
        ),
    }
}

fn retired(gone: &RetiredMonth, language: Language) -> String {
    let (month, events, on) = (&gone.month, gone.events, local_date(gone.retired_at));
    let (japanese, english) = match gone.emptied_at {
        Some(_) => ("削除済み", "deleted by the rule"),
        None => ("削除中", "being deleted by the rule"),
    };
    pick(
        language,
        format!("{month}: 保存期間の満了により{on}に{japanese}（イベント{events}件）"),
        format!("{month}: {english} on {on} ({events} events)"),
    )
}

fn kept(planned: &Planned, retires: bool, language: Language) -> String {
    let month = &planned.month;
    let due = planned.due.map_or_else(|| pick(language, "期限なし", "never"), |due| due.to_string());
    let (japanese, english) = match planned.next {
        Next::Held(holds) => (
            format!("保存延長{holds}件により保存（延長がなければ{due}以降）"),
            format!("kept by {holds} hold(s); without them until {due}"),
        ),
        Next::Open => {
            (format!("まだ確定していない月（{due}以降）"), format!("still open; may go from {due}"))
        }
        Next::Later => (format!("{due}以降に削除できます"), format!("may go from {due}")),
        Next::Due if retires => (
            format!(
                "期限 {due} が過ぎています。次回の確認で削除されます（後の日付のイベントがあれば、その期限まで残ります）"
            ),
            format!(
                "due since {due}: goes with the server's next daily look (with events of a later date, when these are due)"
            ),
        ),
        Next::Due => (format!("期限 {due} が過ぎています"), format!("due since {due}")),
    };
    pick(language, format!("{month}: {japanese}"), format!("{month}: {english}"))
}

fn held(hold: &Hold, language: Language) -> String {
    let reason = in_one_line(&hold.data.reason);
    let whom = match &hold.employee {
        Some((code, name)) => format!("{} {}", in_one_line(code), in_one_line(name)),
        None => pick(language, "契約全体", "the whole contract"),
    };
    let day = |day: Option<jiff::civil::Date>| day.map(|day| day.to_string()).unwrap_or_default();
    let (from, to) = (day(hold.data.from), day(hold.data.to));
    let set_on = local_date(hold.set_at);
    pick(
        language,
        format!("保存延長: {whom}、対象 {from}～{to}、{set_on} 設定、理由: {reason}"),
        format!("hold: {whom}, about {from}..{to}, set on {set_on}, because: {reason}"),
    )
}
