//! Events: `EncodedEvent::decode`.
//!
//! Whatever is accepted can be written anew and means the same then; what is kept is what came, byte for byte.

use arbitrary::Unstructured;
use mngntime_ledger::Digest;
use mngntime_wire::EncodedEvent;

use crate::make;

/// `{`: the bytes are the JSON. Anything else: they are the event's fields.
pub fn run(data: &[u8]) {
    if data.first() == Some(&b'{') {
        if let Ok(text) = std::str::from_utf8(data) {
            read(text);
        }
        return;
    }
    let mut u = Unstructured::new(data);
    let Ok(event) = make::number(&mut u).and_then(|sequence| make::event(&mut u, sequence)) else { return };
    let Ok(encoded) = EncodedEvent::encode(event, Digest::of(data)) else { return };
    assert_eq!(EncodedEvent::decode(&encoded.json).expect("we wrote it"), encoded);
}

fn read(text: &str) {
    let Ok(found) = EncodedEvent::decode(text) else { return };
    assert_eq!((found.json.as_str(), found.digest), (text, Digest::of(text.as_bytes())));
    let again = EncodedEvent::encode(found.event.clone(), found.previous).expect("it was accepted");
    let reread = EncodedEvent::decode(&again.json).expect("we wrote it");
    assert_eq!((reread.event, reread.previous), (found.event, found.previous));
}
