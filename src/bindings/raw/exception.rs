//! Exceptions that raw functions throw in JavaScript.
#![expect(unsafe_code, reason = "Node-API is a C interface")]

use std::any::Any;
use std::ptr;

use napi::sys;

/// An exception that JavaScript gets.
pub(in crate::bindings) enum Exception {
    /// Node-API returned an error. If an exception is pending, that exception is thrown.
    Status(sys::napi_status),
    /// An `Error` with a message. An empty `code` is omitted.
    Error { message: String, code: &'static str },
    /// A `RangeError` with a message and a `code`.
    Range { message: &'static str, code: &'static str },
    /// A `TypeError` about an argument.
    Type(&'static str),
}

pub(in crate::bindings) type Outcome = Result<sys::napi_value, Exception>;

/// The error for a status that is not `napi_ok`.
pub(super) fn check(status: sys::napi_status) -> Result<(), Exception> {
    if status == sys::Status::napi_ok {
        Ok(())
    } else {
        Err(Exception::Status(status))
    }
}

/// Throws an exception in JavaScript.
pub(super) fn throw(env: sys::napi_env, exception: Exception) {
    let mut pending = false;
    // SAFETY: `env` belongs to the running callback.
    unsafe { sys::napi_is_exception_pending(env, &mut pending) };
    if pending {
        return;
    }
    match exception {
        Exception::Status(status) => {
            throw_new(
                env,
                sys::napi_create_error,
                &format!("Node-API refused a call (status {status})"),
                "",
            );
        }
        Exception::Error { message, code } => throw_new(env, sys::napi_create_error, &message, code),
        Exception::Range { message, code } => throw_new(env, sys::napi_create_range_error, message, code),
        Exception::Type(message) => throw_new(env, sys::napi_create_type_error, message, ""),
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
        // SAFETY: `env` belongs to the running callback. Node-API copies `text.len()` bytes. The length is given, so
        // NUL is a normal character.
        check(unsafe { sys::napi_create_string_utf8(env, text.as_ptr().cast(), text.len() as isize, &mut value) })
            .map(|()| value)
    };
    let create = || -> Result<(), Exception> {
        let message = string(message)?;
        let code = if code.is_empty() {
            ptr::null_mut()
        } else {
            string(code)?
        };
        let mut error = ptr::null_mut();
        // SAFETY: all values belong to this env and to the callback's scope. A null code is documented as no code.
        check(unsafe { create(env, code, message, &mut error) })?;
        // SAFETY: `env` belongs to the running callback, and `error` to its scope.
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
