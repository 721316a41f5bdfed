//! One rendered event, taken apart: the few system values and the named values of its payload.
//!
//! Windows renders an event (`EvtRenderEventXml`) as one `Event` element with `System` and either
//! `EventData` (`Data` elements with or without a name, `Binary`) or `UserData` (one element of the
//! provider's own with a leaf for each value). Namespaces and prefixes are ignored, order does not matter,
//! and everything may be missing. Every size is bounded; more than the bound is no event of ours.

use std::collections::BTreeMap;

use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// Longest event that is looked at, in bytes. The events of interest have under 3 KiB.
const XML_BYTES_MAX: usize = 64 * 1024;
/// Deepest nesting: `Event/UserData/EventXML/User` has 4 levels.
const DEPTH_MAX: usize = 8;
/// Most values: 4624 has 27.
const VALUES_MAX: usize = 64;
/// Longest value in bytes. Names have at most 320 characters; the texts of 1074 may be long and are cut.
const VALUE_BYTES_MAX: usize = 2048;

/// What an event's XML holds, as text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct RenderedEvent {
    pub(super) provider: String,
    pub(super) event_id: String,
    pub(super) record_id: String,
    pub(super) system_time: String,
    pub(super) channel: String,
    /// `EventData/Data` by name, or the leaves of `UserData` by element name.
    named: BTreeMap<String, String>,
    /// `EventData/Binary`, hexadecimal.
    pub(super) binary: String,
}

impl RenderedEvent {
    /// Reads the XML; `None` when it is no well-formed event within the bounds.
    pub(super) fn parse(xml: &str) -> Option<Self> {
        if xml.len() > XML_BYTES_MAX {
            return None;
        }
        let mut reader = Reader::from_str(xml);
        reader.config_mut().expand_empty_elements = true;
        let mut walk = Walk::default();
        loop {
            match reader.read_event().ok()? {
                Event::Start(start) => walk.start(&start)?,
                Event::End(_) => walk.end()?,
                Event::Text(text) => walk.text(&text.xml10_content()),
                Event::CData(text) => walk.text(&text.xml10_content()),
                Event::GeneralRef(reference) => walk.reference(&reference),
                // Not expanded: a document with its own entities is no event of Windows.
                Event::DocType(_) => return None,
                Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
                Event::Eof => return walk.finished(),
            }
        }
    }

    fn keep(&mut self, name: String, text: String) -> Option<()> {
        (self.named.len() < VALUES_MAX).then(|| self.named.insert(name, text)).map(|_| ())
    }

    /// The value with this name, unless it is missing, empty or Windows' dash for nothing.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.named.get(name).map(|value| value.trim()).filter(|value| !value.is_empty() && *value != "-")
    }
}

/// Where the reading is.
#[derive(Debug, Default)]
struct Walk {
    event: RenderedEvent,
    /// Local names from the root to here.
    path: Vec<String>,
    /// The `Name` of the `Data` element that is open.
    data_name: Option<String>,
    text: String,
    seen_event: bool,
}

impl Walk {
    fn start(&mut self, start: &BytesStart<'_>) -> Option<()> {
        let name = start.local_name().into_inner();
        if self.path.len() >= DEPTH_MAX || (self.path.is_empty() && (name != "Event" || self.seen_event)) {
            return None;
        }
        self.seen_event = true;
        self.path.push(name.to_owned());
        self.text.clear();
        match place(&self.path).as_slice() {
            ["System", "Provider"] => self.event.provider = attribute(start, "Name").unwrap_or_default(),
            ["System", "TimeCreated"] => {
                self.event.system_time = attribute(start, "SystemTime").unwrap_or_default();
            }
            ["EventData", "Data"] => self.data_name = attribute(start, "Name"),
            _ => {}
        }
        Some(())
    }

    fn end(&mut self) -> Option<()> {
        let text = std::mem::take(&mut self.text);
        match place(&self.path).as_slice() {
            ["System", "EventID"] => self.event.event_id = text,
            ["System", "EventRecordID"] => self.event.record_id = text,
            ["System", "Channel"] => self.event.channel = text,
            ["EventData", "Binary"] => self.event.binary = text,
            ["EventData", "Data"] => {
                if let Some(name) = self.data_name.take() {
                    self.event.keep(name, text)?;
                }
            }
            ["UserData", _, leaf] => self.event.keep((*leaf).to_owned(), text)?,
            _ => {}
        }
        self.path.pop().map(|_| ())
    }

    fn text(&mut self, more: &str) {
        let room = VALUE_BYTES_MAX.saturating_sub(self.text.len());
        self.text.push_str(&more[..more.floor_char_boundary(room)]);
    }

    /// What cannot be resolved (some providers log raw memory as text) becomes a replacement character.
    fn reference(&mut self, reference: &BytesRef<'_>) {
        match resolve_xml_entity(reference) {
            Some(text) => self.text(text),
            None => {
                let found = reference.resolve_char_ref().ok().flatten();
                self.text(found.unwrap_or(char::REPLACEMENT_CHARACTER).encode_utf8(&mut [0; 4]));
            }
        }
    }

    fn finished(self) -> Option<RenderedEvent> {
        (self.seen_event && self.path.is_empty()).then_some(self.event)
    }
}

/// The path below `Event`.
fn place(path: &[String]) -> Vec<&str> {
    path.iter().skip(1).map(String::as_str).collect()
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = start.try_get_attribute(name).ok()??;
    let value = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?;
    Some(value.chars().take(VALUE_BYTES_MAX / 4).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(inside: &str) -> Option<RenderedEvent> {
        RenderedEvent::parse(&format!(
            "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'>{inside}</Event>"
        ))
    }

    #[test]
    fn prefixes_entities_and_empty_elements_make_no_difference() {
        let event = event(
            "<System><Provider Name=\"A &amp; B\"/></System><UserData><x:EventXML xmlns:x='Event_NS'>\
             <x:User>EX&#x41;MPLE\\a&amp;b</x:User><x:Address/></x:EventXML></UserData>",
        )
        .unwrap();
        assert_eq!(event.provider, "A & B");
        assert_eq!(event.value("User"), Some("EXAMPLE\\a&b"));
        assert_eq!(event.value("Address"), None);
    }

    #[test]
    fn the_cleared_channel_is_not_taken_for_the_event_s_own() {
        let event = event(
            "<System><Channel>System</Channel></System>\
             <UserData><LogFileCleared><Channel>Security</Channel></LogFileCleared></UserData>",
        )
        .unwrap();
        assert_eq!((event.channel.as_str(), event.value("Channel")), ("System", Some("Security")));
    }

    #[test]
    fn what_is_no_event_or_too_much_is_refused() {
        assert_eq!(RenderedEvent::parse(""), None);
        assert_eq!(RenderedEvent::parse("<Events/>"), None);
        assert_eq!(RenderedEvent::parse("<Event><System></Event>"), None);
        assert_eq!(RenderedEvent::parse("<Event/><Event/>"), None);
        assert_eq!(RenderedEvent::parse("<!DOCTYPE x [<!ENTITY a 'b'>]><Event/>"), None);
        assert_eq!(event(&"<a>".repeat(20)), None);
        assert_eq!(event(&"x".repeat(XML_BYTES_MAX)), None);
        let many: String = (0..100).map(|n| format!("<Data Name='{n}'>x</Data>")).collect();
        assert_eq!(event(&format!("<EventData>{many}</EventData>")), None);
    }

    #[test]
    fn a_reference_to_nothing_costs_a_character_and_not_the_event() {
        let event = event("<EventData><Data Name='a'>x&unknown;&#x0;y</Data></EventData>").unwrap();
        assert_eq!(event.value("a"), Some("x\u{fffd}\u{fffd}y"));
    }

    #[test]
    fn a_long_value_is_cut_at_a_character() {
        let long = "あ".repeat(2000);
        let event = event(&format!("<EventData><Data Name='a'>{long}</Data></EventData>")).unwrap();
        assert!(event.value("a").unwrap().len() <= VALUE_BYTES_MAX);
    }
}
