//! Functions of the binary-node codec for JavaScript.

use super::core::{Core, CoreState, TapeMemory, dialect, text_result};
use super::raw::{Exception, SharedMemory, raw_function};
use crate::abi::register;
use crate::binary::{self, InflateError};
use crate::wire::KEEP_PER_THREAD;

raw_function! {
    /// `share(ops: Int32Array, text: Uint8Array, input: Uint8Array)`: sets the memory for the exchange of tapes. It is
    /// used until the next call of `share`.
    Share, "share", 3, |call, core: Core| {
        let tape_memory = TapeMemory {
            ops: SharedMemory::new(call, 0)?,
            text: SharedMemory::new(call, 1)?,
            input: SharedMemory::new(call, 2)?,
        };
        if tape_memory.ops.len() < register::FIRST_OP * size_of::<i32>() {
            return Err(Exception::Type("the shared memory is too small"));
        }
        core.inner()?.tape_memory = Some(tape_memory);
        call.undefined()
    }
}

raw_function! {
    /// `decode(dialect, payload)`: decodes one node of an uncompressed payload, from the byte in the register `AT` on.
    /// Offsets of content bytes are relative to this byte.
    Decode, "decode", 2, |call, core: Core| {
        let mut inner = core.inner()?;
        let start = inner.tape_memory()?.ops.register(register::AT);
        let bytes = call.bytes(1)?;
        let payload = bytes.get(start..).unwrap_or_default();
        inner.decode(dialect(call, 0)?, payload)?;
        inner.deliver(call)
    }
}

raw_function! {
    /// `decodePacked(dialect, payload)`: decodes one node of a payload with its flag byte. `take` returns its content
    /// bytes.
    DecodePacked, "decodePacked", 2, |call, core: Core| {
        let mut inner = core.inner()?;
        inner.decode_packed(dialect(call, 0)?, &call.bytes(1)?)?;
        inner.deliver(call)
    }
}

raw_function! {
    /// `take(bytes: Uint8Array, offset)`: returns the tape of the previous call, and writes its content bytes to
    /// `bytes` at `offset`.
    Take, "take", 2, |call, core: Core| {
        let mut inner = core.inner()?;
        let tape = inner.take()?;
        let offset = call.u32(1)? as usize;
        if !tape.bytes.is_empty() && !call.output(0)?.write(offset, tape.bytes) {
            return Err(Exception::Type("the buffer is too small"));
        }
        text_result(call, tape)
    }
}

raw_function! {
    /// `unpack(payload)`: decompresses the payload without its flag byte. Returns the length; `takeOutput` returns the
    /// data.
    Unpack, "unpack", 1, |call, core: Core| {
        let mut inner = core.inner()?;
        let CoreState { inflated, output, .. } = &mut *inner;
        let payload = call.bytes(0)?;
        let unpacked = binary::unpack(&payload, inflated)?;
        output.clear();
        output.try_reserve(unpacked.len()).map_err(|_| InflateError::OutOfMemory)?;
        output.extend_from_slice(unpacked);
        inflated.clear();
        inflated.shrink_to(KEEP_PER_THREAD);
        call.int(output.len() as i32)
    }
}

raw_function! {
    /// `encode(dialect, text, out)`: encodes the shared tape as a payload with the flag byte 0, and writes it to `out`
    /// from the byte in the register `AT` on. Returns its length. If it does not fit, returns the negative length, and
    /// `takeOutput` returns the data.
    Encode, "encode", 3, |call, core: Core| {
        let mut inner = core.inner()?;
        let at = inner.tape_memory()?.ops.register(register::AT);
        let (mut tape, output) = inner.shared_tape(call, 1)?;
        output.clear();
        output.push(0);
        binary::encode(&mut tape, dialect(call, 0)?, output)?;
        inner.release_text();
        inner.write_output(call, 2, at)
    }
}

raw_function! {
    /// `takeOutput(out, offset)`: writes the output of the previous call to `out`. Returns its length, or the negative
    /// length if it does not fit.
    TakeOutput, "takeOutput", 2, |call, core: Core| {
        core.inner()?.deliver_output(call, 0)
    }
}
