//! A bounds-checked reader.

use super::error::{DecodeError, DecodeErrorKind};

/// Reads values from a byte slice. A failed read does not change the position.
pub(super) struct Reader<'a> {
    input: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        Reader { input, rest: input }
    }

    /// The number of bytes that were read.
    pub(super) fn position(&self) -> usize {
        self.input.len() - self.rest.len()
    }

    /// The length of the whole input.
    pub(super) fn len(&self) -> usize {
        self.input.len()
    }

    /// The bytes that were not read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Sets the position.
    pub(super) fn seek(&mut self, position: usize) {
        self.rest = self.input.get(position..).unwrap_or_default();
    }

    pub(super) fn byte(&mut self) -> Result<u8, DecodeError> {
        match self.rest.split_first() {
            Some((byte, rest)) => {
                self.rest = rest;
                Ok(*byte)
            }
            None => Err(self.error(DecodeErrorKind::EndOfStream)),
        }
    }

    pub(super) fn bytes(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        match self.rest.split_at_checked(length) {
            Some((bytes, rest)) => {
                self.rest = rest;
                Ok(bytes)
            }
            None => Err(self.error(DecodeErrorKind::EndOfStream)),
        }
    }

    pub(super) fn u16(&mut self) -> Result<u16, DecodeError> {
        self.array().map(u16::from_be_bytes)
    }

    /// Reads the low 20 bits of three bytes.
    pub(super) fn u20(&mut self) -> Result<u32, DecodeError> {
        let [high, middle, low] = self.array()?;
        Ok(u32::from_be_bytes([0, high & 0x0f, middle, low]))
    }

    pub(super) fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(u32::from_be_bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        match self.rest.split_first_chunk() {
            Some((bytes, rest)) => {
                self.rest = rest;
                Ok(*bytes)
            }
            None => Err(self.error(DecodeErrorKind::EndOfStream)),
        }
    }

    /// An error at the current position.
    #[cold]
    pub(super) fn error(&self, kind: DecodeErrorKind) -> DecodeError {
        DecodeError {
            kind,
            offset: self.position(),
        }
    }
}
