//! The state of the functions in `createCore`. Each environment has one.

use std::cell::{RefCell, RefMut};
use std::sync::Arc;

use slab::Slab;

use super::raw::{Call, Exception, Outcome, SharedMemory};
use super::session_events::SessionEvents;
use crate::abi::{self, register, signal};
use crate::binary::{self, Dialect};
use crate::dropin::{self, NoiseHandler};
use crate::tape::{Tape, TapeReader, TapeText, TapeWriter, Tapes};
use crate::wire::{KEEP_PER_THREAD, Opener};

/// The sockets and sessions of one environment.
pub(super) type JsEnvironment = dropin::Environment<SessionEvents>;

/// Memory that is shared with JavaScript permanently.
pub(super) struct TapeMemory {
    pub(super) ops: SharedMemory,
    pub(super) text: SharedMemory,
    pub(super) input: SharedMemory,
}

impl TapeMemory {
    /// Writes the lengths of a tape and the number of consumed bytes to the registers.
    fn write_sizes(&mut self, tape: Tape<'_>, consumed: usize) {
        let mut registers = [0; register::FIRST_OP];
        let mut set = |register: usize, value: usize| {
            if let Some(slot) = registers.get_mut(register) {
                *slot = i32::try_from(value).unwrap_or(i32::MAX);
            }
        };
        set(register::OPS, tape.ops.len());
        set(register::TEXT, tape.text_units());
        set(register::WIDE, usize::from(tape.is_wide));
        set(register::BYTES, tape.bytes.len());
        set(register::CONSUMED, consumed);
        self.ops.write_ops(0, &registers);
    }

    /// Writes a tape without its content bytes. A short Latin-1 text is left out, because it is the result of the call.
    /// Returns false if the tape does not fit.
    fn write_tape(&mut self, tape: Tape<'_>, consumed: usize) -> bool {
        if !(is_result(tape) || self.text.write(0, tape.text)) || !self.ops.write_ops(register::FIRST_OP, tape.ops) {
            return false;
        }
        self.write_sizes(tape, consumed);
        true
    }
}

/// Whether the text of a tape is the result of the call: it is short and Latin-1.
const fn is_result(tape: Tape<'_>) -> bool {
    !tape.is_wide && tape.text.len() <= abi::text::WINDOW
}

/// The text of a tape as the result of a call, or the empty text if it is in shared memory.
pub(super) fn text_result(call: &Call, tape: Tape<'_>) -> Outcome {
    call.latin1(if is_result(tape) { tape.text } else { b"" })
}

/// The state of the functions of one environment.
pub(super) struct Core {
    inner: RefCell<CoreState>,
    handlers: RefCell<Handlers>,
    batch: RefCell<Option<BatchMemory>>,
    pub(super) environment: Arc<JsEnvironment>,
}

#[derive(Default)]
pub(super) struct CoreState {
    pub(super) tape_memory: Option<TapeMemory>,
    /// The tape that JavaScript takes next.
    pub(super) tapes: Tapes,
    consumed: usize,
    pub(super) opener: Opener,
    /// Buffer for decompressed payloads.
    pub(super) inflated: Vec<u8>,
    /// Output that waits for `takeOutput`.
    pub(super) output: Vec<u8>,
    utf8: Vec<u8>,
    utf16: Vec<u16>,
}

impl Core {
    pub(super) fn new(environment: Arc<JsEnvironment>) -> Self {
        Self {
            inner: RefCell::default(),
            handlers: RefCell::default(),
            batch: RefCell::default(),
            environment,
        }
    }

    pub(super) fn handlers(&self) -> Result<RefMut<'_, Handlers>, Exception> {
        self.handlers
            .try_borrow_mut()
            .map_err(|_| Exception::Type("the noise handler is in use"))
    }

    pub(super) fn batch(&self) -> Result<RefMut<'_, Option<BatchMemory>>, Exception> {
        self.batch
            .try_borrow_mut()
            .map_err(|_| Exception::Type("the batch is in use"))
    }

    pub(super) fn inner(&self) -> Result<RefMut<'_, CoreState>, Exception> {
        self.inner
            .try_borrow_mut()
            .map_err(|_| Exception::Type("the codec is in use"))
    }
}

impl CoreState {
    pub(super) fn tape_memory(&mut self) -> Result<&mut TapeMemory, Exception> {
        self.tape_memory
            .as_mut()
            .ok_or(Exception::Type("no memory is shared yet"))
    }

    /// Passes the tape to JavaScript: the text as the result, the rest in shared memory.
    pub(super) fn deliver(&mut self, call: &Call) -> Outcome {
        let (tape_memory, tape, consumed) = self.shared()?;
        if tape.bytes.is_empty() && tape_memory.write_tape(tape, consumed) {
            text_result(call, tape)
        } else {
            tape_memory.write_sizes(tape, consumed);
            call.int(signal::MORE)
        }
    }

    /// Writes the tape without its content bytes to shared memory, and returns it.
    pub(super) fn take(&mut self) -> Result<Tape<'_>, Exception> {
        let (tape_memory, tape, consumed) = self.shared()?;
        if tape_memory.write_tape(tape, consumed) {
            Ok(tape)
        } else {
            Err(Exception::Type("the shared memory is too small"))
        }
    }

    /// The shared memory, the tape that JavaScript takes next, and the number of consumed bytes. The tape is empty if
    /// nothing was decoded.
    fn shared(&mut self) -> Result<(&mut TapeMemory, Tape<'_>, usize), Exception> {
        let Self {
            tape_memory,
            tapes,
            consumed,
            ..
        } = self;
        let tape_memory = tape_memory.as_mut().ok_or(Exception::Type("no memory is shared yet"))?;
        Ok((tape_memory, tapes.first().unwrap_or_default(), *consumed))
    }

    pub(super) fn decode(&mut self, dialect: Dialect, payload: &[u8]) -> Result<(), Exception> {
        self.tapes.trim(KEEP_PER_THREAD);
        let mut writer = TapeWriter::borrowing(&mut self.tapes, payload);
        match binary::decode(payload, dialect, &mut writer) {
            Ok(consumed) => {
                writer.finish();
                self.consumed = consumed;
                Ok(())
            }
            Err(error) => {
                self.tapes.clear();
                // The position of the error, as in Baileys' `indexRef.index`.
                self.consumed = error.offset;
                let (tape_memory, tape, consumed) = self.shared()?;
                tape_memory.write_sizes(tape, consumed);
                Err(error.into())
            }
        }
    }

    /// Decodes a payload with its flag byte. Content bytes are copied, because JavaScript has no access to the
    /// decompressed payload.
    pub(super) fn decode_packed(&mut self, dialect: Dialect, payload: &[u8]) -> Result<(), Exception> {
        let Self { inflated, tapes, .. } = self;
        tapes.trim(KEEP_PER_THREAD);
        let mut writer = TapeWriter::new(tapes);
        let decoded = binary::unpack(payload, inflated)
            .map_err(Exception::from)
            .and_then(|payload| Ok(binary::decode(payload, dialect, &mut writer)?));
        match decoded {
            Ok(_) => drop(writer.finish()),
            Err(_) => tapes.clear(),
        }
        inflated.clear();
        inflated.shrink_to(KEEP_PER_THREAD);
        self.consumed = decoded?;
        Ok(())
    }

    /// Tells JavaScript that the frame that failed is authentic, but is not a stanza.
    pub(super) fn share_undecodable(&mut self) -> Result<(), Exception> {
        self.tape_memory()?.ops.write_ops(register::UNDECODABLE, &[1]);
        Ok(())
    }

    /// Writes the length of the waiting output to shared memory.
    pub(super) fn share_length(&mut self) -> Result<(), Exception> {
        let mut registers = [0; register::FIRST_OP];
        if let Some(register) = registers.get_mut(register::BYTES) {
            *register = self.output.len() as i32;
        }
        self.tape_memory()?.ops.write_ops(0, &registers);
        Ok(())
    }
}

pub(super) fn dialect(call: &Call, index: usize) -> Result<Dialect, Exception> {
    match call.u32(index)? {
        abi::dialect::V7 => Ok(Dialect::V7),
        abi::dialect::V6_7 => Ok(Dialect::V6_7),
        abi::dialect::V6_17 => Ok(Dialect::V6_17),
        _ => Err(Exception::Type("unknown dialect")),
    }
}

impl CoreState {
    /// Returns a reader for the tape that JavaScript has written to shared memory, and the output buffer. The registers
    /// have the lengths of the tape. Argument `index` is the text.
    pub(super) fn shared_tape(
        &mut self,
        call: &Call,
        index: usize,
    ) -> Result<(TapeReader<'_>, &mut Vec<u8>), Exception> {
        let Self {
            tape_memory,
            output,
            utf8,
            utf16,
            ..
        } = self;
        let Some(tape_memory) = tape_memory else {
            return Err(Exception::Type("no memory is shared yet"));
        };
        let [count, units, length] =
            [register::OPS, register::TEXT, register::BYTES].map(|register| tape_memory.ops.register(register));
        let ops = tape_memory
            .ops
            .ops()
            .get(register::FIRST_OP..)
            .and_then(|ops| ops.get(..count));
        let (Some(ops), Some(bytes)) = (ops, tape_memory.input.bytes(length)) else {
            return Err(Exception::Type("the shared memory is too small"));
        };
        call.utf8(index, utf8, units)?;
        let text = match std::str::from_utf8(utf8) {
            // If there are as many bytes as UTF-16 units, all of them are ASCII.
            Ok(text) if text.len() == units => TapeText::Ascii(text),
            _ => {
                call.utf16(index, utf16, units)?;
                TapeText::wide(utf16)
            }
        };
        Ok((TapeReader::new(ops, text, bytes), output))
    }

    /// Frees the buffers of an unusually long text.
    pub(super) fn release_text(&mut self) {
        self.utf8.shrink_to(KEEP_PER_THREAD);
        self.utf16.shrink_to(KEEP_PER_THREAD);
    }

    /// Writes the output to the buffer in argument `index`, at the offset in the next argument. Returns the length, or
    /// the negative length if it does not fit.
    pub(super) fn deliver_output(&mut self, call: &mut Call, index: usize) -> Outcome {
        let at = call.u32(index + 1)? as usize;
        self.write_output(call, index, at)
    }

    pub(super) fn write_output(&mut self, call: &mut Call, index: usize, at: usize) -> Outcome {
        let length = self.output.len() as i32;
        if !call.output(index)?.write(at, &self.output) {
            return call.int(-length);
        }
        self.output.clear();
        self.output.shrink_to(KEEP_PER_THREAD);
        call.int(length)
    }
}

/// The noise handlers by number. The number of a removed handler is used again.
#[derive(Default)]
pub(super) struct Handlers(Slab<NoiseHandler>);

impl Handlers {
    pub(super) fn add(&mut self, handler: NoiseHandler) -> usize {
        self.0.insert(handler)
    }

    pub(super) fn remove(&mut self, number: u32) {
        self.0.try_remove(number as usize);
    }

    pub(super) fn by_number(&mut self, number: u32) -> Result<&mut NoiseHandler, Exception> {
        self.0
            .get_mut(number as usize)
            .ok_or(Exception::Type("unknown noise handler"))
    }
}

/// The memory that JavaScript shares for batches of records.
pub(super) struct BatchMemory {
    pub(super) words: SharedMemory,
    pub(super) text: SharedMemory,
}
