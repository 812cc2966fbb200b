//! Raw Node-API calls for functions that JavaScript calls for each stanza.
//!
//! The wrappers of `#[napi]` cost 150 to 400 ns per call for typed arrays and strings. These functions cost 30 to 70
//! ns. All `unsafe` code of these functions is in this file. The methods of [`Call`] are safe.
#![expect(
    unsafe_code,
    reason = "Node-API is a C interface, and the safe wrappers are too slow for calls made for each stanza"
)]

use std::any::Any;
use std::borrow::Cow;
use std::ffi::CString;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::rc::Rc;
use std::sync::atomic::{AtomicU8, Ordering};

use napi::sys;

/// Maximum number of arguments of a raw function.
const MAX_ARGS: usize = 12;

/// The reason for a JavaScript exception.
pub(super) enum Failure {
    /// Node-API returned an error. If an exception is pending, that exception is thrown.
    Status(sys::napi_status),
    /// An `Error` with a message. An empty `code` is omitted.
    Error { message: String, code: &'static str },
    /// A `RangeError` with a message and a `code`.
    Range { message: &'static str, code: &'static str },
    /// A `TypeError` about an argument.
    Type(&'static str),
}

pub(super) type Outcome = Result<sys::napi_value, Failure>;

/// A function that JavaScript calls. All functions of one object share a state.
pub(super) trait RawFunction<S: 'static> {
    /// The name of the function in JavaScript.
    const NAME: &'static str;
    /// The number of arguments.
    const ARGS: usize;
    /// Runs the function.
    fn call(call: &mut Call, state: &S) -> Outcome;
}

/// One call of a function. It reads the arguments and creates the result.
pub(super) struct Call {
    env: sys::napi_env,
    args: [sys::napi_value; MAX_ARGS],
}

/// Declares a [`RawFunction`]: its type, name, number of arguments, state and body.
macro_rules! raw_function {
    ($(#[doc = $doc:literal])* $type:ident, $name:literal, $args:literal, |$call:ident, $state:ident: $State:ty| $body:block) => {
        $(#[doc = $doc])*
        pub(super) struct $type;
        impl $crate::bindings::raw::RawFunction<$State> for $type {
            const NAME: &'static str = $name;
            const ARGS: usize = $args;
            fn call(
                $call: &mut $crate::bindings::raw::Call,
                $state: &$State,
            ) -> $crate::bindings::raw::Outcome {
                $body
            }
        }
    };
}
pub(super) use raw_function;

fn check(status: sys::napi_status) -> Result<(), Failure> {
    if status == sys::Status::napi_ok {
        Ok(())
    } else {
        Err(Failure::Status(status))
    }
}

impl Call {
    fn arg(&self, index: usize) -> sys::napi_value {
        self.args.get(index).copied().unwrap_or(ptr::null_mut())
    }

    /// Whether an argument is `undefined` or missing.
    pub(super) fn is_undefined(&self, index: usize) -> Result<bool, Failure> {
        let mut kind = 0;
        // SAFETY: as in `u32`.
        check(unsafe { sys::napi_typeof(self.env, self.arg(index), &mut kind) })?;
        Ok(kind == sys::ValueType::napi_undefined)
    }

    /// An unsigned integer argument.
    pub(super) fn u32(&self, index: usize) -> Result<u32, Failure> {
        let mut value = 0;
        // SAFETY: `env` belongs to the running callback, and `value` lives longer than the call.
        check(unsafe { sys::napi_get_value_uint32(self.env, self.arg(index), &mut value) })?;
        Ok(value)
    }

    /// The memory of a Buffer, a Uint8Array or an Int32Array. Int32Arrays are used for shared memory.
    fn memory(&self, index: usize) -> Result<Memory, Failure> {
        let mut kind = 0;
        let mut length = 0;
        let mut data = ptr::null_mut();
        let mut buffer = ptr::null_mut();
        let mut is_own = false;
        // SAFETY: as in `u32`. The null pointers are documented as optional.
        let status = unsafe {
            sys::napi_get_typedarray_info(
                self.env,
                self.arg(index),
                &mut kind,
                &mut length,
                &mut data,
                &mut buffer,
                ptr::null_mut(),
            )
        };
        if status != sys::Status::napi_ok {
            return Err(Failure::Type("a Buffer or Uint8Array is required"));
        }
        // `length` is in elements. Only these two kinds are accepted; all other typed arrays are refused.
        let width = match kind {
            sys::TypedarrayType::uint8_array => 1,
            sys::TypedarrayType::int32_array => size_of::<i32>(),
            _ => return Err(Failure::Type("a Buffer or Uint8Array is required")),
        };
        // SAFETY: as in `u32`; `buffer` is a handle in this callback's scope. A SharedArrayBuffer is not an
        // ArrayBuffer.
        check(unsafe { sys::napi_is_arraybuffer(self.env, buffer, &mut is_own) })?;
        Ok(Memory {
            data: data.cast(),
            length: length * width,
            is_shared: !is_own,
        })
    }

    /// The bytes of a typed array. Memory of a SharedArrayBuffer is copied, because other threads can write to it at
    /// any time.
    pub(super) fn bytes(&self, index: usize) -> Result<Cow<'_, [u8]>, Failure> {
        let Memory {
            data,
            length,
            is_shared,
        } = self.memory(index)?;
        if data.is_null() || length == 0 {
            return Ok(Cow::Borrowed(&[]));
        }
        if is_shared {
            let byte = |offset| {
                // SAFETY: within bounds and alive as below. Atomic access is defined while other threads access the
                // byte.
                unsafe { AtomicU8::from_ptr(data.add(offset)) }.load(Ordering::Relaxed)
            };
            return Ok(Cow::Owned((0..length).map(byte).collect()));
        }
        // SAFETY: Node-API returned address and length of memory that lives at least as long as the argument's handle.
        // The handle is valid until the callback returns, and `self` does not live longer than the callback. The memory
        // is not shared: only JavaScript on this thread can write to it, and no JavaScript runs before the callback
        // returns.
        Ok(Cow::Borrowed(unsafe { std::slice::from_raw_parts(data, length) }))
    }

    /// The memory of a typed array, for writing. It borrows the call mutably, so that no view of an argument exists at
    /// the same time. This is necessary because two arguments can have the same memory.
    pub(super) fn output(&mut self, index: usize) -> Result<Output<'_>, Failure> {
        let Memory { data, length, .. } = self.memory(index)?;
        Ok(Output {
            data,
            length,
            call: PhantomData,
        })
    }

    /// Reads a string argument of `units` UTF-16 units into `out`, as UTF-8. A lone surrogate becomes U+FFFD.
    pub(super) fn utf8(&self, index: usize, out: &mut Vec<u8>, units: usize) -> Result<(), Failure> {
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
        Err(Failure::Type("the text is longer than its given length"))
    }

    /// Reads a string argument into `out`, as UTF-16 with `units` units.
    pub(super) fn utf16(&self, index: usize, out: &mut Vec<u16>, units: usize) -> Result<(), Failure> {
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
    pub(super) fn int(&self, value: i32) -> Outcome {
        let mut result = ptr::null_mut();
        // SAFETY: as in `u32`.
        check(unsafe { sys::napi_create_int32(self.env, value, &mut result) })?;
        Ok(result)
    }

    /// Creates a string result from Latin-1 bytes.
    pub(super) fn latin1(&self, text: &[u8]) -> Outcome {
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
    pub(super) fn undefined(&self) -> Outcome {
        Ok(ptr::null_mut())
    }
}

/// The location of a typed array's memory.
struct Memory {
    data: *mut u8,
    /// The length in bytes.
    length: usize,
    /// Whether the memory belongs to a SharedArrayBuffer.
    is_shared: bool,
}

/// The memory of an argument, for writing during a call.
pub(super) struct Output<'c> {
    data: *mut u8,
    length: usize,
    call: PhantomData<&'c Call>,
}

impl Output<'_> {
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// Copies `bytes` to `offset`. Returns false if they do not fit.
    pub(super) fn write(&mut self, offset: usize, bytes: &[u8]) -> bool {
        if offset.checked_add(bytes.len()).is_none_or(|end| end > self.length) {
            return false;
        }
        // SAFETY: within bounds by the check; the memory is alive as in `Call::bytes`. `bytes` is memory of Rust.
        unsafe { ptr::copy(bytes.as_ptr(), self.data.add(offset), bytes.len()) };
        true
    }
}

/// The memory of a typed array that JavaScript shares permanently. Users never get this array, so it cannot be
/// detached.
pub(super) struct Shared {
    env: sys::napi_env,
    reference: sys::napi_ref,
    data: *mut u8,
    length: usize,
}

impl Shared {
    pub(super) fn new(call: &Call, index: usize) -> Result<Self, Failure> {
        let Memory { data, length, .. } = call.memory(index)?;
        let mut reference = ptr::null_mut();
        // SAFETY: the argument is an object: `memory` has checked that it is a typed array.
        check(unsafe { sys::napi_create_reference(call.env, call.arg(index), 1, &mut reference) })?;
        Ok(Self {
            env: call.env,
            reference,
            data,
            length,
        })
    }

    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// Copies `bytes` to `offset`. Returns false if they do not fit.
    pub(super) fn write(&mut self, offset: usize, bytes: &[u8]) -> bool {
        if offset.checked_add(bytes.len()).is_none_or(|end| end > self.length) {
            return false;
        }
        // SAFETY: within bounds by the check. The reference keeps the memory alive. Only this package's JavaScript has
        // the array, and it never detaches the array. `bytes` is memory of Rust.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.data.add(offset), bytes.len()) };
        true
    }

    /// Copies operations. `index` counts operations. Returns false if they do not fit.
    pub(super) fn write_ops(&mut self, index: usize, ops: &[i32]) -> bool {
        // SAFETY: an initialized `i32` is four initialized bytes.
        let bytes = unsafe { std::slice::from_raw_parts(ops.as_ptr().cast::<u8>(), size_of_val(ops)) };
        self.write(index * size_of::<i32>(), bytes)
    }

    /// All operations, including the registers. The memory must belong to an Int32Array. The slice is only valid while
    /// no JavaScript runs.
    pub(super) fn ops(&self) -> &[i32] {
        let data = self.data.cast::<i32>();
        let count = self.length / size_of::<i32>();
        if count == 0 || !data.is_aligned() {
            return &[];
        }
        // SAFETY: within bounds and aligned; alive and not written to, as in `write`. Each value is a valid `i32`.
        unsafe { std::slice::from_raw_parts(data, count) }
    }

    /// A register as an unsigned number. 0 if there is no such register.
    pub(super) fn register(&self, index: usize) -> usize {
        self.ops().get(index).map_or(0, |&value| value as u32 as usize)
    }

    /// The first `length` bytes. The slice is only valid while no JavaScript runs.
    pub(super) fn bytes(&self, length: usize) -> Option<&[u8]> {
        if length > self.length {
            return None;
        }
        if length == 0 {
            return Some(&[]);
        }
        // SAFETY: within bounds; alive and not written to, as in `write`.
        Some(unsafe { std::slice::from_raw_parts(self.data, length) })
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // SAFETY: the reference was created in this env and is deleted once. While the env shuts down, the call fails
        // without harm.
        unsafe { sys::napi_delete_reference(self.env, self.reference) };
    }
}

fn throw(env: sys::napi_env, failure: Failure) {
    let mut pending = false;
    // SAFETY: `env` belongs to the running callback.
    unsafe { sys::napi_is_exception_pending(env, &mut pending) };
    if pending {
        return;
    }
    match failure {
        Failure::Status(status) => {
            throw_new(
                env,
                sys::napi_create_error,
                &format!("Node-API refused a call (status {status})"),
                "",
            );
        }
        Failure::Error { message, code } => throw_new(env, sys::napi_create_error, &message, code),
        Failure::Range { message, code } => throw_new(env, sys::napi_create_range_error, message, code),
        Failure::Type(message) => throw_new(env, sys::napi_create_type_error, message, ""),
    }
}

/// A Node-API function that creates an error. Its arguments are env, code, message and result.
type CreateError =
    unsafe extern "C" fn(sys::napi_env, sys::napi_value, sys::napi_value, *mut sys::napi_value) -> sys::napi_status;

/// Throws the error that `create` makes from a message and a code. An empty code is omitted. If Node-API returns an
/// error, an exception is already pending, or the env is shutting down.
fn throw_new(env: sys::napi_env, create: CreateError, message: &str, code: &str) {
    let string = |text: &str| {
        let mut value = ptr::null_mut();
        // SAFETY: `env` as in `throw`. Node-API copies `text.len()` bytes. The length is given, so NUL is a normal
        // character.
        check(unsafe { sys::napi_create_string_utf8(env, text.as_ptr().cast(), text.len() as isize, &mut value) })
            .map(|()| value)
    };
    let create = || -> Result<(), Failure> {
        let message = string(message)?;
        let code = if code.is_empty() {
            ptr::null_mut()
        } else {
            string(code)?
        };
        let mut error = ptr::null_mut();
        // SAFETY: all values belong to this env and to the callback's scope. A null code is documented as no code.
        check(unsafe { create(env, code, message, &mut error) })?;
        // SAFETY: as above.
        check(unsafe { sys::napi_throw(env, error) })
    };
    let _ = create();
}

/// The message of a caught panic.
pub(super) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("internal error: {}", text.unwrap_or("panic"))
}

unsafe extern "C" fn trampoline<S: 'static, F: RawFunction<S>>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    let mut call = Call {
        env,
        args: [ptr::null_mut(); MAX_ARGS],
    };
    let mut count = F::ARGS.min(MAX_ARGS);
    let mut data = ptr::null_mut();
    // SAFETY: Node-API fills exactly `count` places. Places of missing arguments are filled with `undefined`.
    let status = unsafe {
        sys::napi_get_cb_info(
            env,
            info,
            &mut count,
            call.args.as_mut_ptr(),
            ptr::null_mut(),
            &mut data,
        )
    };
    if status != sys::Status::napi_ok {
        throw(env, Failure::Status(status));
        return ptr::null_mut();
    }
    // SAFETY: `data` is the pointer that `Functions::add` registered. It points into an `Rc<S>`, and this function owns
    // a strong count of that `Rc` until its finalizer runs.
    let state = unsafe { &*data.cast::<S>() };
    let outcome = catch_unwind(AssertUnwindSafe(|| F::call(&mut call, state))).unwrap_or_else(|panic| {
        Err(Failure::Error {
            message: panic_message(&*panic),
            code: "ERR_INTERNAL",
        })
    });
    match outcome {
        Ok(value) => value,
        Err(failure) => {
            throw(env, failure);
            ptr::null_mut()
        }
    }
}

unsafe extern "C" fn release<S: 'static>(
    _env: sys::napi_env,
    data: *mut std::ffi::c_void,
    _hint: *mut std::ffi::c_void,
) {
    // SAFETY: `data` came from `Rc::into_raw` in `Functions::add`, and the finalizer of a function runs once.
    drop(unsafe { Rc::from_raw(data.cast::<S>()) });
}

/// An object under construction. Its functions share one state, and each function keeps the state alive.
pub(super) struct Functions<S> {
    env: sys::napi_env,
    object: sys::napi_value,
    state: Rc<S>,
}

impl<S: 'static> Functions<S> {
    pub(super) fn new(env: sys::napi_env, state: S) -> Result<Self, Failure> {
        let mut object = ptr::null_mut();
        // SAFETY: `env` is valid, because an exported function is running.
        check(unsafe { sys::napi_create_object(env, &mut object) })?;
        Ok(Self {
            env,
            object,
            state: Rc::new(state),
        })
    }

    pub(super) fn add<F: RawFunction<S>>(self) -> Result<Self, Failure> {
        let name = CString::new(F::NAME).unwrap_or_default();
        let data = Rc::into_raw(Rc::clone(&self.state)).cast_mut().cast();
        let mut function = ptr::null_mut();
        // SAFETY: all handles belong to this env and scope. `release` releases `data` when the function is collected.
        unsafe {
            check(sys::napi_create_function(
                self.env,
                name.as_ptr(),
                F::NAME.len() as isize,
                Some(trampoline::<S, F>),
                data,
                &mut function,
            ))?;
            check(sys::napi_add_finalizer(
                self.env,
                function,
                data,
                Some(release::<S>),
                ptr::null_mut(),
                ptr::null_mut(),
            ))?;
            check(sys::napi_set_named_property(
                self.env,
                self.object,
                name.as_ptr(),
                function,
            ))?;
        }
        Ok(self)
    }

    pub(super) fn object(self) -> sys::napi_value {
        self.object
    }
}
