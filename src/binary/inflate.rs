//! Decompression of payloads, with a size limit.

use flate2::{Decompress, DecompressError, FlushDecompress, Status};

use super::error::InflateError;

/// Maximum size of a decompressed payload in bytes (16 MiB). An uncompressed stanza cannot be longer, because this is
/// the frame limit. Real stanzas have less than 1 MiB. zlib compresses up to 1032:1, so without a limit one frame could
/// use 16 GiB.
pub const MAX_INFLATED: usize = 16 << 20;

/// Flag bit in the first byte of a payload: the rest is compressed with zlib. Other bits are ignored.
const COMPRESSED: u8 = 2;

/// Returns the data of a payload without its flag byte. Compressed data are decompressed into `scratch`, at most
/// [`MAX_INFLATED`] bytes. Bytes after the compressed data are ignored, as in Node.js.
///
/// The content of `scratch` is replaced. Its capacity grows with the decompressed data, not with a size that the
/// payload claims.
///
/// # Errors
/// Fails if the payload is empty, damaged, incomplete or too large, or if memory cannot be allocated.
pub fn unpack<'a>(payload: &'a [u8], scratch: &'a mut Vec<u8>) -> Result<&'a [u8], InflateError> {
    unpack_within(payload, scratch, MAX_INFLATED)
}

/// As [`unpack`], with a different limit in bytes. The limit applies to decompressed data, not to uncompressed
/// payloads.
fn unpack_within<'a>(payload: &'a [u8], scratch: &'a mut Vec<u8>, limit: usize) -> Result<&'a [u8], InflateError> {
    match payload.split_first() {
        None => Err(InflateError::EmptyPayload),
        Some((flag, compressed)) if flag & COMPRESSED != 0 => {
            inflate(compressed, scratch, limit)?;
            Ok(scratch)
        }
        Some((_, plain)) => Ok(plain),
    }
}

fn inflate(whole: &[u8], out: &mut Vec<u8>, limit: usize) -> Result<(), InflateError> {
    let mut input = whole;
    out.clear();
    let expected = input.len().saturating_mul(4).min(limit).clamp(256, 1 << 16);
    out.try_reserve(expected).map_err(|_| InflateError::OutOfMemory)?;
    let mut state = Decompress::new(true);
    loop {
        let before = (state.total_in(), out.len());
        let status = state
            .decompress_vec(input, out, FlushDecompress::None)
            .map_err(|error| refusal(&error, whole))?;
        if out.len() > limit {
            return Err(InflateError::TooLarge { limit });
        }
        if status == Status::StreamEnd {
            return Ok(());
        }
        let consumed = (state.total_in() - before.0) as usize;
        input = input.get(consumed..).unwrap_or_default();
        if out.len() == out.capacity() {
            // One byte more than the limit is enough to detect that it is exceeded.
            let room = (limit + 1 - out.len()).min(out.capacity());
            out.try_reserve_exact(room.max(1))
                .map_err(|_| InflateError::OutOfMemory)?;
        } else if input.is_empty() || (consumed == 0 && out.len() == before.1) {
            return Err(InflateError::Truncated);
        }
    }
}

/// The message of zlib-rs if its fast path finds damaged data. The fast path does not store the reason. The size of the
/// output buffer decides whether the fast path is used.
const LOST: &str = "repeated call with bad state";

/// Why zlib refuses the data `whole`.
#[cold]
fn refusal(error: &DecompressError, whole: &[u8]) -> InflateError {
    if error.needs_dictionary().is_some() {
        return InflateError::NeedsDictionary;
    }
    let message = match message(error) {
        LOST => reason(whole),
        message => message.to_owned(),
    };
    InflateError::BadData { message }
}

fn message(error: &DecompressError) -> &str {
    error.message().unwrap_or("invalid compressed data")
}

/// Returns zlib's message for damaged data. Decompresses the data again in pieces that are too small for the fast path.
#[cold]
fn reason(input: &[u8]) -> String {
    const PIECE: usize = 8;
    let mut state = Decompress::new(true);
    let mut out = Vec::with_capacity(1 << 16);
    for mut piece in input.chunks(PIECE) {
        loop {
            out.clear();
            let before = state.total_in();
            match state.decompress_vec(piece, &mut out, FlushDecompress::None) {
                Err(error) => return message(&error).to_owned(),
                Ok(Status::StreamEnd) => return LOST.to_owned(),
                Ok(_) => {}
            }
            piece = piece.get((state.total_in() - before) as usize..).unwrap_or_default();
            // More output is only possible if the buffer is full.
            if out.len() < out.capacity() {
                break;
            }
        }
    }
    LOST.to_owned()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::ZlibEncoder;

    use super::*;

    fn compressed(data: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(vec![2], Compression::default());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn unpacks() {
        let mut scratch = Vec::new();
        assert_eq!(unpack(&[], &mut scratch), Err(InflateError::EmptyPayload));
        assert_eq!(unpack(&[0], &mut scratch), Ok(&[][..]));
        assert_eq!(unpack(&[0xfd, 1, 2], &mut scratch), Ok(&[1, 2][..]));
        for length in [0, 1, 255, 256, 257, 65_536, 1 << 20] {
            let data: Vec<u8> = (0..length)
                .map(|i: u32| (i.wrapping_mul(0x9e37_79b9) >> 24) as u8)
                .collect();
            let mut payload = compressed(&data);
            payload.extend_from_slice(b"after the end");
            assert_eq!(unpack(&payload, &mut scratch), Ok(&data[..]), "{length}");
        }
    }

    #[test]
    fn limits() {
        let mut scratch = Vec::new();
        let payload = compressed(&[7; 1000]);
        assert_eq!(unpack_within(&payload, &mut scratch, 1000).map(<[u8]>::len), Ok(1000));
        assert_eq!(
            unpack_within(&payload, &mut scratch, 999),
            Err(InflateError::TooLarge { limit: 999 })
        );
        assert_eq!(
            unpack_within(&payload, &mut scratch, 0),
            Err(InflateError::TooLarge { limit: 0 })
        );
    }

    #[test]
    fn damage() {
        let mut scratch = Vec::new();
        let payload = compressed(b"some text, some more text, some text");
        for end in 1..payload.len() {
            assert_eq!(
                unpack(&payload[..end], &mut scratch),
                Err(InflateError::Truncated),
                "{end}"
            );
        }
        let message = |payload: &[u8]| unpack(payload, &mut Vec::new()).unwrap_err().to_string();
        assert_eq!(message(&[2, 1, 2, 3]), "incorrect header check");
        let mut damaged = payload.clone();
        *damaged.last_mut().unwrap() ^= 1;
        assert_eq!(message(&damaged), "incorrect data check");
        assert_eq!(
            unpack(&[2, 0x78, 0xbb, 0, 0, 0, 1, 3, 0], &mut Vec::new()),
            Err(InflateError::NeedsDictionary)
        );
        // zlib-rs finds this damage on its fast path.
        let far = [
            2, 0x18, 0xd3, 0xfb, 0xc1, 0xf4, 0x87, 0x91, 0xe1, 0x07, 0xe3, 0x0f, 0x96, 0xb7, 0xf9, 0xfe, 0x30, 0x26,
            0xfe, 0x62, 0xf8, 0xc5, 0xf0, 0xeb, 0xbf, 0x0d, 0x03, 0x05, 0x80, 0x99, 0x01, 0x00, 0x20, 0x08, 0x0b, 0x08,
        ];
        assert_eq!(message(&far), "invalid distance too far back");
    }
}
