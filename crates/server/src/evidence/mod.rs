//! Making evidence packs: everything the store knows about somebody, with the proofs.
//!
//! [`record`] writes the record line by line, [`summary`] the page for people, and [`pack`] puts both into one
//! sealed file, which appears whole or not at all ([`new_file`]); [`on_request`] does so for the pages; [`words`] tells what failed. What a pack is and how it is checked stands in `mngntime-evidence`.

mod chosen;
pub mod lettering;
pub mod new_file;
pub mod on_request;
pub mod pack;
mod part;
mod placing;
pub mod record;
pub mod remarks;
pub mod summary;
pub mod words;
mod written;

use jiff::civil::Date;
use mngntime_evidence::format::{Link, Marks};
use mngntime_model::UtcMillis;
use mngntime_store::{EvidenceLink, Terminal};

use crate::web::times::{end_of, start_of};

/// First and last date, both included.
pub type Dates = (Date, Date);

/// From the first midnight to the last one of some dates, in the contract's zone.
fn span((from, to): Dates) -> Option<(UtcMillis, UtcMillis)> {
    start_of(from).zip(end_of(to))
}

fn text(date: Option<Date>) -> Option<String> {
    date.map(|date| date.to_string())
}

/// A link as a pack shows it.
pub(crate) fn link_line(link: EvidenceLink) -> Link {
    Link {
        id: link.id.to_string(),
        dates: (link.from.to_string(), text(link.to)),
        account: link.account,
        employee: link.employee,
        void: link.void,
        made: (link.made.0.0, link.made.1),
        ended: link.ended.map(|(at, by)| (at.0, by)),
    }
}

/// What the server noticed of a terminal, if there is something.
fn marks(terminal: &Terminal) -> Option<Marks> {
    let marks = Marks {
        conflict: terminal.conflict,
        makeup_changed: terminal.makeup_changed,
        rolled_back_at: terminal.rolled_back_at.map(|at| at.0),
        cloned_at: terminal.cloned_at.map(|at| at.0),
    };
    (marks != Marks::default()).then_some(marks)
}
