//! The OS's own logs: the XML of one event.

use mngntime_agent::os_log::{LogRecord, power_on};

/// The bytes are the XML. Any application on the PC writes into these logs.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _may_say_nothing = power_on(text);
    if let Some(record) = LogRecord::parse(text) {
        let position = record.position();
        assert_eq!((position.record_id, position.written_at), (record.record_id, record.written_at));
    }
}
