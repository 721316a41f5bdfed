//! Frames: the unit that is written, checked and skipped.
//!
//! ```text
//! magic  "MNF1"                4   marks a place where reading can start again after damage
//! kind                         1   1 event, 2 receipt, 3 checkpoint, 4 enrolment, 5 log positions
//! zero                         3
//! length of the payload        4   little endian
//! CRC-32C of the 12 above      4
//! payload                      n   JSON
//! CRC-32C of the payload       4   written last: its presence is the commit
//! ```

/// First bytes of every segment.
pub(super) const MAGIC: [u8; 8] = *b"MNGNJ001";
const FRAME_MAGIC: [u8; 4] = *b"MNF1";
/// Bytes before a payload.
pub(super) const HEADER_BYTES: usize = 16;
const TRAILER_BYTES: usize = 4;
/// A receipt for a full batch is the longest payload, far under this; a longer length is damage.
const PAYLOAD_BYTES_MAX: usize = 1024 * 1024;

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FrameKind {
    Event,
    Receipt,
    Checkpoint,
    Enrollment,
    LogPositions,
    /// Written by a newer version.
    Other(u8),
}

impl FrameKind {
    fn number(self) -> u8 {
        match self {
            Self::Event => 1,
            Self::Receipt => 2,
            Self::Checkpoint => 3,
            Self::Enrollment => 4,
            Self::LogPositions => 5,
            Self::Other(number) => number,
        }
    }

    fn from_number(number: u8) -> Self {
        match number {
            1 => Self::Event,
            2 => Self::Receipt,
            3 => Self::Checkpoint,
            4 => Self::Enrollment,
            5 => Self::LogPositions,
            other => Self::Other(other),
        }
    }
}

/// The bytes of a frame.
pub(super) fn encode(kind: FrameKind, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES + payload.len() + TRAILER_BYTES);
    bytes.extend(FRAME_MAGIC);
    bytes.extend([kind.number(), 0, 0, 0]);
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    bytes.extend(length.to_le_bytes());
    bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
    bytes.extend(payload);
    bytes.extend(crc32c::crc32c(payload).to_le_bytes());
    bytes
}

/// A piece of a segment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A sound frame; `offset` is where its payload begins.
    Frame { kind: FrameKind, offset: usize, payload: &'a [u8] },
    /// Bytes that are no sound frame. `maybe_complete`: they may have been a record that was synced, so its
    /// number may be known to the server; otherwise a crash cut the write off before it was promised.
    Damage { offset: usize, length: usize, maybe_complete: bool },
}

/// A segment, cut into pieces.
#[derive(Debug)]
pub(super) struct Scan<'a> {
    pub(super) pieces: Vec<Piece<'a>>,
}

impl Scan<'_> {
    /// Whether the segment may be appended to: its last byte ends a sound frame.
    pub(super) fn sound_to_the_end(&self) -> bool {
        !matches!(self.pieces.last(), Some(Piece::Damage { .. }))
    }
}

/// Cuts a segment into frames and damage. Reads every byte once; never fails.
pub(super) fn scan(bytes: &[u8]) -> Scan<'_> {
    let mut pieces = Vec::new();
    let mut position = if bytes.starts_with(&MAGIC) { MAGIC.len() } else { 0 };
    while position < bytes.len() {
        if let Some((kind, payload)) = frame_at(bytes, position) {
            let offset = position + HEADER_BYTES;
            position = offset + payload.len() + TRAILER_BYTES;
            pieces.push(Piece::Frame { kind, offset, payload });
        } else {
            let end = next_frame(bytes, position + 1);
            pieces.push(damage(bytes, position, end));
            position = end;
        }
    }
    // A segment that a crash left without its magic is not written to again.
    if bytes.len() < MAGIC.len() && pieces.is_empty() {
        pieces.push(Piece::Damage { offset: 0, length: bytes.len(), maybe_complete: false });
    }
    Scan { pieces }
}

fn damage(bytes: &[u8], start: usize, end: usize) -> Piece<'_> {
    let damaged = &bytes[start..end];
    let followed_by_frames = end < bytes.len();
    // A synced frame has all its bytes. What ends before the length its header promises, or never got any
    // content, was not synced.
    let cut_off = declared_end(bytes, start).is_some_and(|declared| declared > bytes.len());
    let empty = damaged.iter().all(|byte| *byte == 0);
    let short = damaged.len() < HEADER_BYTES + TRAILER_BYTES;
    let maybe_complete = followed_by_frames || !(cut_off || empty || short);
    Piece::Damage { offset: start, length: damaged.len(), maybe_complete }
}

/// Whether damage may have been a receipt, or a frame of a newer version: unless it is one frame, whose header is whole and
/// says another kind.
pub(super) fn may_be_receipt(bytes: &[u8], start: usize, length: usize) -> bool {
    header_at(bytes, start).is_none_or(|(kind, payload)| match kind {
        FrameKind::Receipt | FrameKind::Other(_) => true,
        FrameKind::Event | FrameKind::Checkpoint | FrameKind::Enrollment | FrameKind::LogPositions => {
            HEADER_BYTES + payload + TRAILER_BYTES != length
        }
    })
}

fn header_at(bytes: &[u8], position: usize) -> Option<(FrameKind, usize)> {
    let header = bytes.get(position..position + HEADER_BYTES)?;
    let crc = u32::from_le_bytes(header[12..16].try_into().ok()?);
    if header[..4] != FRAME_MAGIC || crc32c::crc32c(&header[..12]) != crc {
        return None;
    }
    let length = u32::from_le_bytes(header[8..12].try_into().ok()?) as usize;
    (length <= PAYLOAD_BYTES_MAX).then_some((FrameKind::from_number(header[4]), length))
}

fn declared_end(bytes: &[u8], position: usize) -> Option<usize> {
    header_at(bytes, position).map(|(_, length)| position + HEADER_BYTES + length + TRAILER_BYTES)
}

fn frame_at(bytes: &[u8], position: usize) -> Option<(FrameKind, &[u8])> {
    let (kind, length) = header_at(bytes, position)?;
    let start = position + HEADER_BYTES;
    let payload = bytes.get(start..start + length)?;
    let trailer = bytes.get(start + length..start + length + TRAILER_BYTES)?;
    let crc = u32::from_le_bytes(trailer.try_into().ok()?);
    (crc32c::crc32c(payload) == crc).then_some((kind, payload))
}

/// The next place at or after `from` where a sound frame begins, or the end.
fn next_frame(bytes: &[u8], from: usize) -> usize {
    (from..bytes.len())
        .find(|position| bytes[*position..].starts_with(&FRAME_MAGIC) && frame_at(bytes, *position).is_some())
        .unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(payloads: &[&str]) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        payloads.iter().for_each(|payload| bytes.extend(encode(FrameKind::Event, payload.as_bytes())));
        bytes
    }

    fn payloads(bytes: &[u8]) -> Vec<String> {
        let text = |payload: &[u8]| String::from_utf8(payload.to_vec()).unwrap();
        scan(bytes)
            .pieces
            .iter()
            .filter_map(|piece| match piece {
                Piece::Frame { payload, .. } => Some(text(payload)),
                Piece::Damage { .. } => None,
            })
            .collect()
    }

    #[test]
    fn frames_come_back_in_order() {
        assert_eq!(payloads(&segment(&["one", "two", "three"])), ["one", "two", "three"]);
        assert!(scan(&segment(&["one"])).sound_to_the_end());
        assert!(scan(&segment(&[])).sound_to_the_end());
    }

    #[test]
    fn every_flipped_bit_costs_at_most_the_frame_it_is_in() {
        let sound = segment(&["first frame", "second frame", "third frame"]);
        for bit in MAGIC.len() * 8..sound.len() * 8 {
            let mut bytes = sound.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let left = payloads(&bytes);
            assert_eq!(left.len(), 2, "bit {bit}: {left:?}");
            assert!(
                scan(&bytes).pieces.iter().any(|p| matches!(p, Piece::Damage { maybe_complete: true, .. })),
                "bit {bit}: damage to a whole frame must not be taken for a torn write"
            );
        }
    }

    #[test]
    fn every_cut_costs_only_the_frame_that_was_being_written() {
        let sound = segment(&["first frame", "second frame"]);
        let first_end = segment(&["first frame"]).len();
        for length in first_end + 1..sound.len() {
            assert_eq!(payloads(&sound[..length]), ["first frame"], "cut at {length}");
            let scan = scan(&sound[..length]);
            assert!(!scan.sound_to_the_end());
            let torn = matches!(scan.pieces.last(), Some(Piece::Damage { maybe_complete: false, .. }));
            assert!(torn, "cut at {length} is a torn write");
        }
    }

    #[test]
    fn a_segment_of_less_than_its_magic_is_one_piece_of_damage() {
        for length in 0..MAGIC.len() {
            let pieces = scan(&MAGIC[..length]).pieces;
            assert_eq!(pieces, [Piece::Damage { offset: 0, length, maybe_complete: false }]);
        }
    }

    #[test]
    fn a_size_that_grew_before_its_content_is_a_torn_write() {
        let mut bytes = segment(&["first frame"]);
        bytes.extend([0; 64]);
        assert!(matches!(
            scan(&bytes).pieces.last(),
            Some(Piece::Damage { maybe_complete: false, length: 64, .. })
        ));
    }
}
