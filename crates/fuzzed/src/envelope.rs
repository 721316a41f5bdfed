//! Envelopes: `Signed::parse`, `peek` of every payload, and the frame of a batch.

use mngntime_ledger::frame::Frame;
use mngntime_wire::{
    Batch, Context, EncodedEvent, EnrollmentAnswer, EnrollmentRequest, LogHead, PublicKey, Receipt,
    SecretKey, Signed,
};

const CONTEXTS: [Context; 6] = [
    Context::Batch,
    Context::Receipt,
    Context::EnrollmentRequest,
    Context::EnrollmentAnswer,
    Context::LogHead,
    Context::EvidenceSeal,
];

/// The bytes are the body of a request. No fuzzer knows the key, so no signature may hold.
pub fn run(data: &[u8]) {
    let Ok(envelope) = Signed::parse(data) else { return };
    let key = SecretKey::from_seed(&[0x5a; 32]).public();
    for context in CONTEXTS {
        assert!(envelope.check(context, &key).is_err(), "nobody has signed this");
    }
    let text = envelope.to_json().expect("it is JSON");
    let again = Signed::parse(text.as_bytes()).expect("we wrote it");
    assert_eq!(again.payload.get(), envelope.payload.get());
    assert_eq!(again.payload_digest(), envelope.payload_digest());
    let _may_be_none = (envelope.peek::<Receipt>(), envelope.peek::<LogHead>());
    let _nor_these = envelope.peek::<EnrollmentAnswer>();
    if let Ok(request) = envelope.peek::<EnrollmentRequest>()
        && let Ok(key) = PublicKey::parse(&request.public_key)
    {
        assert_eq!(PublicKey::parse(&key.to_string()).expect("we wrote it"), key);
        let _says_nothing = envelope.check(Context::EnrollmentRequest, &key);
    }
    if let Ok(batch) = envelope.peek::<Batch>() {
        frame(&envelope, &batch);
    }
}

/// What the server keeps of a batch is the batch.
fn frame(envelope: &Signed, batch: &Batch) {
    let read = |item: &mngntime_wire::BatchItem| EncodedEvent::decode(item.event.get()).ok();
    let events: Vec<EncodedEvent> = batch.events.iter().filter_map(read).collect();
    let taken: Vec<_> = events.iter().map(|event| (event.event.sequence, event.json.as_str())).collect();
    let frame = Frame::of(envelope.payload.get(), &taken);
    // With other bytes under the same number the frame cannot be joined by number, and the store keeps the first.
    let mut numbers: Vec<u64> = taken.iter().map(|(number, _)| *number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    if numbers.len() == taken.len() {
        let bytes = |number| taken.iter().find(|(n, _)| *n == number).map(|(_, json)| *json);
        assert_eq!(frame.payload(bytes).as_deref(), Some(envelope.payload.get()));
    }
}
