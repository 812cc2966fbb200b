//! Packed strings: strings of a small alphabet, with two characters per byte.

use super::error::{DecodeError, DecodeErrorKind};
use super::reader::Reader;
use super::tags::{HEX_8, NIBBLE_8, PACKED_MAX};

/// Maximum length of an unpacked string in bytes.
pub(super) const UNPACKED_MAX: usize = 2 * 127;

/// Marks a nibble without a character.
const NONE: u8 = 0xff;
const NIBBLE_CHARS: [u8; 16] = *b"0123456789-.\xff\xff\xff\0";
const HEX_CHARS: [u8; 16] = *b"0123456789ABCDEF";
static NIBBLE_PAIRS: [[u8; 2]; 256] = pairs(&NIBBLE_CHARS);
static HEX_PAIRS: [[u8; 2]; 256] = pairs(&HEX_CHARS);

/// Flags in [`CLASSES`]. The low four bits are the value of the character.
const IN_NIBBLE: u8 = 0x10;
const IN_HEX: u8 = 0x20;
static CLASSES: [u8; 256] = classes();

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated at compile time, where an error stops the build"
)]
const fn pairs(chars: &[u8; 16]) -> [[u8; 2]; 256] {
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = [chars[byte >> 4], chars[byte & 15]];
        byte += 1;
    }
    pairs
}

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated at compile time, where an error stops the build"
)]
const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut value = 0;
    while value < 16 {
        if value < 12 {
            classes[NIBBLE_CHARS[value] as usize] |= IN_NIBBLE | value as u8;
        }
        classes[HEX_CHARS[value] as usize] |= IN_HEX | value as u8;
        value += 1;
    }
    classes
}

/// Unpacks the string after a NIBBLE_8 or HEX_8 `tag` to the start of `out`. `out` must have [`UNPACKED_MAX`] bytes.
/// Returns the length of the string, which is ASCII.
pub(super) fn unpack(tag: u8, reader: &mut Reader<'_>, out: &mut [u8]) -> Result<usize, DecodeError> {
    let head = reader.byte()?;
    let count = usize::from(head & 127);
    let odd = usize::from(head >> 7);
    let start = reader.position();
    let packed = reader.rest();
    let packed = packed.get(..count).unwrap_or(packed);
    if !unpack_bytes(tag, packed, out) {
        return Err(bad_nibble(packed, start));
    }
    reader.bytes(packed.len())?;
    if packed.len() < count {
        return Err(reader.error(DecodeErrorKind::EndOfStream));
    }
    Ok((2 * count).saturating_sub(odd))
}

/// Unpacks bytes until `out` is full. Returns false if a nibble has no character.
pub(super) fn unpack_bytes(tag: u8, packed: &[u8], out: &mut [u8]) -> bool {
    let table = if tag == HEX_8 { &HEX_PAIRS } else { &NIBBLE_PAIRS };
    let mut seen = 0;
    for (pair, byte) in out.as_chunks_mut().0.iter_mut().zip(packed) {
        #[expect(clippy::indexing_slicing, reason = "a byte cannot exceed the table")]
        let chars: [u8; 2] = table[usize::from(*byte)];
        *pair = chars;
        seen |= chars[0] | chars[1];
    }
    // All characters are ASCII. Therefore only `NONE` sets the high bit.
    seen & 0x80 == 0
}

#[cold]
fn bad_nibble(packed: &[u8], start: usize) -> DecodeError {
    let nibbles = packed
        .iter()
        .enumerate()
        .flat_map(|(at, byte)| [(at, byte >> 4), (at, byte & 15)]);
    let is_bad = |nibble: u8| NIBBLE_CHARS.get(usize::from(nibble)) == Some(&NONE);
    let (at, nibble) = nibbles
        .into_iter()
        .find(|(_, nibble)| is_bad(*nibble))
        .unwrap_or_default();
    DecodeError {
        kind: DecodeErrorKind::InvalidNibble(nibble),
        offset: start + at + 1,
    }
}

/// The longest prefix of a text that can be packed.
#[derive(Clone, Copy)]
pub(super) struct Packable {
    /// The length in bytes, at most [`PACKED_MAX`].
    pub(super) length: usize,
    class: u8,
}

/// Finds the longest prefix of `text` that can be packed.
pub(super) fn scan(text: &[u8]) -> Packable {
    // Baileys counts UTF-16 units. Packed characters are ASCII, so units and bytes are equal.
    let text = text.get(..PACKED_MAX).unwrap_or(text);
    let mut found = Packable {
        length: 0,
        class: IN_NIBBLE | IN_HEX,
    };
    for eight in text.as_chunks::<8>().0 {
        let class = eight.iter().fold(found.class, |class, byte| class & class_of(*byte));
        if class & (IN_NIBBLE | IN_HEX) == 0 {
            break;
        }
        found = Packable {
            length: found.length + 8,
            class,
        };
    }
    for byte in text.get(found.length..).unwrap_or_default() {
        let class = found.class & class_of(*byte);
        if class & (IN_NIBBLE | IN_HEX) == 0 {
            break;
        }
        found = Packable {
            length: found.length + 1,
            class,
        };
    }
    found
}

/// Packs the prefix that [`scan`] found and appends it, with its tag. If both alphabets are possible, NIBBLE_8 is used.
pub(super) fn pack(text: &[u8], found: Packable, out: &mut Vec<u8>) {
    let mut packed = [0; 2 + PACKED_MAX.div_ceil(2)];
    let [tag, head, body @ ..] = &mut packed;
    let (pairs, last) = text.get(..found.length).unwrap_or_default().as_chunks();
    let length = found.length.div_ceil(2);
    *tag = if found.class & IN_NIBBLE != 0 { NIBBLE_8 } else { HEX_8 };
    *head = (last.len() as u8) << 7 | length as u8;
    for (byte, [high, low]) in body.iter_mut().zip(pairs) {
        *byte = class_of(*high) << 4 | class_of(*low) & 15;
    }
    if let ([high], Some(byte)) = (last, body.get_mut(pairs.len())) {
        // The unused half has the value 15.
        *byte = class_of(*high) << 4 | 15;
    }
    out.extend_from_slice(packed.get(..2 + length).unwrap_or_default());
}

fn class_of(byte: u8) -> u8 {
    #[expect(clippy::indexing_slicing, reason = "a byte cannot exceed the table")]
    CLASSES[usize::from(byte)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(text: &str) -> (u8, String) {
        let mut packed = Vec::new();
        let found = scan(text.as_bytes());
        assert_eq!(found.length, text.len());
        pack(text.as_bytes(), found, &mut packed);
        let mut out = [0; UNPACKED_MAX];
        let mut reader = Reader::new(&packed[1..]);
        let length = unpack(packed[0], &mut reader, &mut out).unwrap();
        assert!(reader.rest().is_empty());
        (packed[0], String::from_utf8(out[..length].to_vec()).unwrap())
    }

    #[test]
    fn packs_and_unpacks() {
        for text in ["0", "12", "1-2.", "0123456789-.", &"9".repeat(127), &"8".repeat(126)] {
            assert_eq!(round_trip(text), (NIBBLE_8, text.to_owned()));
        }
        for text in ["A", "0F", "ABCDEF0123456789", &"F".repeat(127)] {
            assert_eq!(round_trip(text), (HEX_8, text.to_owned()));
        }
        let long = "1".repeat(128);
        let fronts = [
            ("a", 0),
            ("A-", 1),
            ("-A", 1),
            ("G", 0),
            ("é", 0),
            ("1\0", 1),
            ("12345678@", 8),
            (&long, 127),
        ];
        for (text, length) in fronts
            .into_iter()
            .chain([("1234567.A", 8), ("", 0), ("12.3@", 4), ("ABCDEFABx", 8)])
        {
            assert_eq!(scan(text.as_bytes()).length, length, "{text}");
        }
    }

    #[test]
    fn reports_the_first_bad_nibble_or_the_end() {
        let mut out = [0; UNPACKED_MAX];
        let mut error = |bytes: &[u8]| unpack(NIBBLE_8, &mut Reader::new(bytes), &mut out).unwrap_err();
        assert_eq!(
            error(&[3, 0x12, 0x1e, 0xc1]),
            DecodeError {
                kind: DecodeErrorKind::InvalidNibble(14),
                offset: 3
            }
        );
        assert_eq!(
            error(&[3, 0x1d]),
            DecodeError {
                kind: DecodeErrorKind::InvalidNibble(13),
                offset: 2
            }
        );
        assert_eq!(error(&[3, 0x12]).kind, DecodeErrorKind::EndOfStream);
        assert_eq!(error(&[]).kind, DecodeErrorKind::EndOfStream);
    }

    #[test]
    fn unpack_odd_lengths_ends_and_nul() {
        let mut out = [0; UNPACKED_MAX];
        assert_eq!(unpack(NIBBLE_8, &mut Reader::new(&[0x80]), &mut out), Ok(0));
        assert_eq!(unpack(NIBBLE_8, &mut Reader::new(&[2, 0x1f, 0xf2]), &mut out), Ok(4));
        assert_eq!(out[..4], *b"1\0\x002");
        assert_eq!(unpack(HEX_8, &mut Reader::new(&[0x81, 0xff]), &mut out), Ok(1));
        assert_eq!(out[..1], *b"F");
    }
}
