//! The arguments and the result of a call.
#![expect(unsafe_code, reason = "Node-API is a C interface")]

use std::ptr;

use napi::sys;

use super::exception::{Exception, Outcome, check};

/// Maximum number of arguments of a raw function.
pub(super) const MAX_ARGS: usize = 12;

/// One call of a function. It reads the arguments and creates the result.
pub(in crate::bindings) struct Call {
    pub(super) env: sys::napi_env,
    pub(super) args: [sys::napi_value; MAX_ARGS],
}

impl Call {
    pub(super) fn arg(&self, index: usize) -> sys::napi_value {
        self.args.get(index).copied().unwrap_or(ptr::null_mut())
    }

    /// Whether an argument is `undefined` or missing.
    pub(in crate::bindings) fn is_undefined(&self, index: usize) -> Result<bool, Exception> {
        let mut kind = 0;
        // SAFETY: `env` belongs to the running callback, and `kind` lives longer than the call.
        check(unsafe { sys::napi_typeof(self.env, self.arg(index), &mut kind) })?;
        Ok(kind == sys::ValueType::napi_undefined)
    }

    /// An unsigned integer argument.
    pub(in crate::bindings) fn u32(&self, index: usize) -> Result<u32, Exception> {
        let mut value = 0;
        // SAFETY: `env` belongs to the running callback, and `value` lives longer than the call.
        check(unsafe { sys::napi_get_value_uint32(self.env, self.arg(index), &mut value) })?;
        Ok(value)
    }

    /// Reads a string argument of `units` UTF-16 units into `out`, as UTF-8. A lone surrogate becomes U+FFFD.
    pub(in crate::bindings) fn utf8(&self, index: usize, out: &mut Vec<u8>, units: usize) -> Result<(), Exception> {
        // The first attempt has room for ASCII, the second for any text, both with the terminator of Node-API. If the
        // text fills the room, it can be truncated.
        for room in [units + 8, units * 3 + 8] {
            out.clear();
            out.reserve(room);
            let mut written = 0;
            // SAFETY: `out` has a capacity of `room` bytes. Node-API writes at most `room` bytes, including the
            // terminator.
            check(unsafe {
                sys::napi_get_value_string_utf8(self.env, self.arg(index), out.as_mut_ptr().cast(), room, &mut written)
            })?;
            // SAFETY: `written` bytes were just written.
            unsafe { out.set_len(written) };
            if written + 5 <= room {
                return Ok(());
            }
        }
        Err(Exception::Type("the text is longer than its given length"))
    }

    /// Reads a string argument into `out`, as UTF-16 with `units` units.
    pub(in crate::bindings) fn utf16(&self, index: usize, out: &mut Vec<u16>, units: usize) -> Result<(), Exception> {
        out.clear();
        out.reserve(units + 1);
        let mut written = 0;
        // SAFETY: `out` has a capacity of `units + 1` units. Node-API writes at most that many, including the
        // terminator.
        check(unsafe {
            sys::napi_get_value_string_utf16(self.env, self.arg(index), out.as_mut_ptr(), units + 1, &mut written)
        })?;
        // SAFETY: `written` units were just written.
        unsafe { out.set_len(written) };
        Ok(())
    }

    /// Creates an integer result.
    pub(in crate::bindings) fn int(&self, value: i32) -> Outcome {
        let mut result = ptr::null_mut();
        // SAFETY: `env` belongs to the running callback, and `result` lives longer than the call.
        check(unsafe { sys::napi_create_int32(self.env, value, &mut result) })?;
        Ok(result)
    }

    /// Creates a string result from Latin-1 bytes.
    pub(in crate::bindings) fn latin1(&self, text: &[u8]) -> Outcome {
        let mut result = ptr::null_mut();
        // SAFETY: Node-API copies `text.len()` bytes.
        check(unsafe {
            sys::napi_create_string_latin1(self.env, text.as_ptr().cast(), text.len() as isize, &mut result)
        })?;
        Ok(result)
    }

    /// The result `undefined`.
    #[expect(
        clippy::unused_self,
        reason = "in Node-API a null result is undefined; the method gives this a name"
    )]
    pub(in crate::bindings) fn undefined(&self) -> Outcome {
        Ok(ptr::null_mut())
    }
}
