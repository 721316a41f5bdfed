//! What an address asks of the list of terminals.

use mngntime_model::TerminalId;
use mngntime_store::typed::narrow;
use mngntime_store::{Beside, FleetFilter, FleetKey, FleetOrder, FleetShow};

use crate::web::chrome::Chrome;
use crate::web::fields::Fields;
use crate::web::pages::beside;
use crate::web::sheet::Encoding;

/// Longest text to search for, in characters.
const TEXT_MAX: usize = 100;

/// Words of the choices in addresses.
const SHOWS: [(&str, FleetShow); 15] = [
    ("", FleetShow::InUse),
    ("ok", FleetShow::Healthy),
    ("late", FleetShow::Late),
    ("silent", FleetShow::Silent),
    ("silent-7", FleetShow::SilentWeek),
    ("silent-30", FleetShow::SilentMonth),
    ("blocked", FleetShow::Blocked),
    ("duplicate", FleetShow::Duplicate),
    ("missing", FleetShow::Missing),
    ("old", FleetShow::OldVersion),
    ("clock", FleetShow::ClockOff),
    ("spool", FleetShow::SpoolGrowing),
    ("makeup", FleetShow::MakeupChanged),
    ("same-name", FleetShow::SameName),
    ("retired", FleetShow::Retired),
];

/// Words of the orders in addresses.
pub const ORDERS: [(&str, FleetOrder); 4] = [
    ("", FleetOrder::Attention),
    ("name", FleetOrder::Name),
    ("contact", FleetOrder::Contact),
    ("waiting", FleetOrder::Waiting),
];

/// A question, read from an address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// The question.
    pub filter: FleetFilter,
    /// Where the page begins.
    pub at: Option<Beside<FleetKey>>,
    /// The text as typed.
    pub q: String,
    /// Word of the choice.
    pub show: &'static str,
    /// Word of the order.
    pub sort: &'static str,
    /// What in the address has no meaning and counts as left out: keys of messages, each with the text.
    pub bad: Vec<(&'static str, String)>,
}

impl Asked {
    /// Reads the fields of an address. Text in full-width letters and digits means the same.
    #[must_use]
    pub fn read(fields: &Fields) -> Self {
        let (show, show_choice) = chosen(&SHOWS, fields.text("show")).unwrap_or(SHOWS[0]);
        let (sort, order) = chosen(&ORDERS, fields.text("sort")).unwrap_or(ORDERS[0]);
        let at = beside(fields, key);
        let only: Vec<_> = fields.all("terminal").map(TerminalId::parse).collect();
        let strange = fields.all("terminal").find(|text| TerminalId::parse(text).is_err());
        let bad = [
            ("filter-bad-show", fields.filled("show").filter(|text| *text != show)),
            ("filter-bad-sort", fields.filled("sort").filter(|text| *text != sort)),
            ("filter-no-terminal", strange),
            ("filter-bad-encoding", Encoding::strange(fields)),
            ("filter-bad-page", at.is_err().then_some("")),
        ];
        let bad = bad.into_iter().filter_map(|(key, text)| Some((key, text?.to_owned()))).collect();
        let q: String = fields.text("q").chars().take(TEXT_MAX).collect();
        let filter = FleetFilter {
            show: show_choice,
            text: narrow(&q).to_lowercase(),
            only: (!only.is_empty()).then(|| only.into_iter().flatten().collect()),
            order,
        };
        Self { filter, at: at.unwrap_or_default(), q, show, sort, bad }
    }

    /// What has no meaning, in words, and what is done about it; empty when all has.
    #[must_use]
    pub fn complaint(&self, c: &Chrome) -> String {
        let told = self.bad.iter().map(|(key, text)| c.v(key, "text", text));
        let end = (!self.bad.is_empty()).then(|| c.t("filter-left-out"));
        told.chain(end).collect::<Vec<_>>().join(" ")
    }

    /// What is asked for, in words.
    #[must_use]
    pub fn conditions(&self, c: &Chrome) -> String {
        let show = c.t(super::board::label(self.filter.show));
        if self.q.is_empty() { show } else { format!("{show} · {}", self.q) }
    }

    /// The address of the list with another choice.
    #[must_use]
    pub fn showing(&self, show: FleetShow) -> String {
        let word = SHOWS.iter().find(|(_, choice)| *choice == show).map_or("", |(word, _)| word);
        self.address("/terminals", &[("show", word), ("q", &self.q), ("sort", self.sort)])
    }

    /// The address of the same question at `path`, beside a terminal when given.
    #[must_use]
    pub fn at(&self, path: &str, at: Option<&Beside<FleetKey>>) -> String {
        let key = at.map(|beside| format!("{}.{}", beside.key().place, beside.key().terminal));
        let name = if matches!(at, Some(Beside::Before(_))) { "before" } else { "after" };
        let key = key.unwrap_or_default();
        self.address(path, &[("show", self.show), ("q", &self.q), ("sort", self.sort), (name, &key)])
    }

    fn address(&self, path: &str, fields: &[(&str, &str)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
            query.append_pair(name, value);
        }
        let query = query.finish();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }
}

fn chosen<T: Copy>(all: &[(&'static str, T)], word: &str) -> Option<(&'static str, T)> {
    all.iter().find(|(known, _)| *known == word).copied()
}

fn key(text: &str) -> Option<FleetKey> {
    let (place, terminal) = text.split_once('.')?;
    Some(FleetKey { place: place.parse().ok()?, terminal: TerminalId::parse(terminal).ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Asked {
        Asked::read(&Fields::parse(query.as_bytes()).unwrap())
    }

    #[test]
    fn a_question_survives_its_own_address() {
        let id = "0b0b0b0b-0b0b-4b0b-8b0b-0b0b0b0b0b0b";
        let query = format!("show=silent&q=%26+x&sort=contact&after=-3.{id}");
        let asked = read(&query);
        assert_eq!(asked.at("/terminals", asked.at.as_ref()), format!("/terminals?{query}"));
        let back = query.replace("after", "before");
        assert_eq!(asked.at("/terminals", read(&back).at.as_ref()), format!("/terminals?{back}"));
        assert!(asked.bad.is_empty());
        assert_eq!(asked.showing(FleetShow::InUse), "/terminals?q=%26+x&sort=contact");
        assert_eq!(read("").at("/terminals", None), "/terminals");
    }

    #[test]
    fn full_width_text_is_searched_for_as_narrow_text() {
        assert_eq!(read("q=ＰＣ－０２３１").filter.text, "pc-0231");
        assert_eq!(narrow("受付　１"), "受付 1");
    }

    #[test]
    fn what_has_no_meaning_is_told() {
        for query in ["show=x", "sort=x", "after=1", "after=x.y", "terminal=x", "encoding=x"] {
            let asked = read(query);
            assert_eq!(asked.bad.len(), 1, "{query}");
            assert_eq!(asked.at, None);
        }
    }
}
