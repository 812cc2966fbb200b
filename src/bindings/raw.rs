//! Raw Node-API, for the calls that happen per message: all `unsafe` of the addon's hot paths.
//!
//! A `#[napi]` wrapper costs 30 ns and 140 ns for each typed array; these functions cost 17 and 33. A [`RawFunction`]
//! implementation sees its arguments through [`Call`] and cannot touch Node-API otherwise.
#![expect(
    unsafe_code,
    reason = "Node-API is a C interface; every use of it outside napi-rs is in this file"
)]

use std::cell::Cell;
use std::ffi::{CStr, c_void};
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::slice;
use std::sync::{Arc, Mutex, PoisonError};

use napi::sys;

/// The most arguments that a raw function may take.
const MAX_ARGUMENTS: usize = 6;

/// Why a call is refused; becomes a `TypeError` in JavaScript.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum CallError {
    /// An argument has another type than the function takes.
    #[error("argument {0} has the wrong type")]
    Argument(usize),
    /// Two arguments that must be apart share memory.
    #[error("arguments overlap in memory")]
    Overlap,
}

/// A function made for hot paths.
pub(super) trait RawFunction {
    /// What the function works on; shared with its owner and dropped with the function.
    type State: Send + Sync + 'static;
    /// Its name in stack traces.
    const NAME: &'static CStr;

    /// Does the work. The result is returned to JavaScript as a number.
    fn call(state: &Self::State, call: &Call<'_>) -> Result<u32, CallError>;
}

/// The arguments of one call. Views of typed arrays are valid for the call alone: JavaScript does not run meanwhile.
pub(super) struct Call<'a> {
    env: sys::napi_env,
    arguments: [sys::napi_value; MAX_ARGUMENTS],
    /// Set once a mutable view was given out, so that there is never another view beside it.
    borrowed: Cell<bool>,
    scope: PhantomData<&'a ()>,
}

impl<'a> Call<'a> {
    fn argument(&self, index: usize) -> Result<sys::napi_value, CallError> {
        self.arguments
            .get(index)
            .copied()
            .filter(|value| !value.is_null())
            .ok_or(CallError::Argument(index))
    }

    /// A number as `u32` (wrapping, as `>>> 0` does).
    pub(super) fn u32(&self, index: usize) -> Result<u32, CallError> {
        let value = self.argument(index)?;
        let mut result = 0;
        // SAFETY: `env` and `value` belong to the running call; `result` is a valid place for a u32.
        let status = unsafe { sys::napi_get_value_uint32(self.env, value, &raw mut result) };
        if status == sys::Status::napi_ok {
            Ok(result)
        } else {
            Err(CallError::Argument(index))
        }
    }

    /// The bytes of a `Uint8Array` (so also of a `Buffer`).
    pub(super) fn bytes(&self, index: usize) -> Result<&'a [u8], CallError> {
        if self.borrowed.get() {
            return Err(CallError::Overlap);
        }
        let (data, length) = self.typed_array(index, sys::TypedarrayType::uint8_array)?;
        // SAFETY: Node-API gave the array's memory and length; JavaScript is not running, so it neither moves nor
        // changes during the call, and no mutable view of it exists (checked above).
        Ok(unsafe { view(data.cast_const().cast(), length) })
    }

    /// The memory of a `Uint8Array` and of a `Uint32Array`, to write to. Once in a call.
    pub(super) fn outputs(&self, bytes: usize, words: usize) -> Result<(&'a mut [u8], &'a mut [u32]), CallError> {
        if self.borrowed.replace(true) {
            return Err(CallError::Overlap);
        }
        let (byte_data, byte_length) = self.typed_array(bytes, sys::TypedarrayType::uint8_array)?;
        let (word_data, word_length) = self.typed_array(words, sys::TypedarrayType::uint32_array)?;
        let (byte_start, word_start) = (byte_data as usize, word_data as usize);
        let word_end = word_start.saturating_add(word_length.saturating_mul(size_of::<u32>()));
        if byte_start < word_end && word_start < byte_start.saturating_add(byte_length) {
            return Err(CallError::Overlap);
        }
        // SAFETY: as in `bytes`; the two ranges are disjoint, and `borrowed` lets no other view exist in this call.
        // A `Uint32Array` is aligned by the language.
        Ok(unsafe {
            (
                view_mut(byte_data.cast(), byte_length),
                view_mut(word_data.cast(), word_length),
            )
        })
    }

    /// Address and length in elements of a typed array of the given kind.
    fn typed_array(&self, index: usize, kind: i32) -> Result<(*mut c_void, usize), CallError> {
        let value = self.argument(index)?;
        let (mut actual, mut length, mut data) = (0, 0, ptr::null_mut());
        // SAFETY: `env` and `value` belong to the running call; the out-pointers are valid, and null ones are allowed.
        let status = unsafe {
            sys::napi_get_typedarray_info(
                self.env,
                value,
                &raw mut actual,
                &raw mut length,
                &raw mut data,
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        if status == sys::Status::napi_ok && actual == kind {
            Ok((data, length))
        } else {
            Err(CallError::Argument(index))
        }
    }
}

/// # Safety
/// Where `length` is not 0, `data` must point to so many initialized elements that nobody changes during `'a`.
unsafe fn view<'a, T>(data: *const T, length: usize) -> &'a [T] {
    if length == 0 || data.is_null() {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { slice::from_raw_parts(data, length) }
}

/// # Safety
/// As [`view`], and nobody else may look at the elements during `'a`.
unsafe fn view_mut<'a, T>(data: *mut T, length: usize) -> &'a mut [T] {
    if length == 0 || data.is_null() {
        return &mut [];
    }
    // SAFETY: the caller's promise.
    unsafe { slice::from_raw_parts_mut(data, length) }
}

/// Makes a JavaScript function of `F` over `state`.
pub(super) fn function<'env, F: RawFunction>(
    env: &'env napi::Env,
    state: Arc<F::State>,
) -> napi::Result<napi::Unknown<'env>> {
    let data = Arc::into_raw(state).cast_mut().cast::<c_void>();
    let mut value = ptr::null_mut();
    let length = F::NAME.to_bytes().len().cast_signed();
    // SAFETY: `env` is alive; the name is valid for the call; `data` is what `trampoline::<F>` expects.
    let status = unsafe {
        sys::napi_create_function(
            env.raw(),
            F::NAME.as_ptr(),
            length,
            Some(trampoline::<F>),
            data,
            &raw mut value,
        )
    };
    let status = if status == sys::Status::napi_ok {
        // SAFETY: `value` is the function just made; `release::<F>` runs once, when it is collected, with `data`.
        unsafe {
            sys::napi_add_finalizer(
                env.raw(),
                value,
                data,
                Some(release::<F>),
                ptr::null_mut(),
                ptr::null_mut(),
            )
        }
    } else {
        status
    };
    if status != sys::Status::napi_ok {
        // The state leaks, rather than be freed under a function that might exist.
        return Err(napi::Error::new(napi::Status::from(status), "cannot make a function"));
    }
    // SAFETY: `value` is a value of this `env`.
    Ok(unsafe { napi::Unknown::from_raw_unchecked(env.raw(), value) })
}

/// Drops what a function worked on.
unsafe extern "C" fn release<F: RawFunction>(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
    // SAFETY: `data` is from `Arc::into_raw` in `function::<F>`, and this runs once.
    drop(unsafe { Arc::from_raw(data.cast_const().cast::<F::State>()) });
}

/// What Node-API calls for a [`RawFunction`]. A panic becomes an exception: it must not unwind into C.
unsafe extern "C" fn trampoline<F: RawFunction>(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let mut arguments = [ptr::null_mut(); MAX_ARGUMENTS];
    let mut count = MAX_ARGUMENTS;
    let mut data = ptr::null_mut();
    // SAFETY: `env` and `info` are those of this call; `arguments` has room for `count` values. Places beyond the
    // given arguments are filled with `undefined`.
    let status = unsafe {
        sys::napi_get_cb_info(
            env,
            info,
            &raw mut count,
            arguments.as_mut_ptr(),
            ptr::null_mut(),
            &raw mut data,
        )
    };
    if status != sys::Status::napi_ok || data.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: `data` is from `Arc::into_raw` in `function::<F>`, and the function, which owns it, is being called.
    let state = unsafe { &*data.cast_const().cast::<F::State>() };
    let call = Call {
        env,
        arguments,
        borrowed: Cell::new(false),
        scope: PhantomData,
    };
    match catch_unwind(AssertUnwindSafe(|| F::call(state, &call))) {
        Ok(Ok(number)) => {
            let mut value = ptr::null_mut();
            // SAFETY: `env` is that of this call; `value` is a valid place.
            unsafe { sys::napi_create_uint32(env, number, &raw mut value) };
            value
        }
        Ok(Err(error)) => throw(env, "ERR_INVALID_ARG_TYPE", &error.to_string()),
        Err(_) => throw(env, "ERR_INTERNAL", "internal error in the native addon"),
    }
}

/// Throws a `TypeError`; returns what a callback returns then.
fn throw(env: sys::napi_env, code: &str, message: &str) -> sys::napi_value {
    let terminated = |text: &str| [text.as_bytes(), b"\0"].concat();
    let (code, message) = (terminated(code), terminated(message));
    // SAFETY: `env` is that of the running call; both texts end in a zero byte.
    unsafe { sys::napi_throw_type_error(env, code.as_ptr().cast(), message.as_ptr().cast()) };
    ptr::null_mut()
}

/// Calls a JavaScript function from any thread: one argument-less call on the thread of its environment.
///
/// It keeps the environment's loop alive only while [`set_alive`](Self::set_alive) says so.
pub(super) struct Wake {
    /// Gone once the environment is being torn down; Node frees the function then.
    function: Mutex<Option<ThreadsafeFunction>>,
}

struct ThreadsafeFunction(sys::napi_threadsafe_function);

// SAFETY: a napi_threadsafe_function may be called from any thread as long as it lives, and `Wake` clears its copy,
// under the same lock as the calls, before it dies.
unsafe impl Send for ThreadsafeFunction {}

impl Wake {
    /// Makes a wake that calls `callback`, and `at_exit` when the environment is torn down.
    pub(super) fn new(
        env: &napi::Env,
        callback: &napi::bindgen_prelude::Function<'_, (), ()>,
        at_exit: impl FnOnce() + 'static,
    ) -> napi::Result<Arc<Self>> {
        let raw_env = env.raw();
        let (mut name, mut function) = (ptr::null_mut(), ptr::null_mut());
        const NAME: &CStr = c"baileys-native";
        // SAFETY: `env` and `callback` are alive; the out-pointers are valid; the function starts with one owner (the
        // environment), needs no finalizer, and takes `call_back` as its JavaScript side.
        let status = unsafe {
            match sys::napi_create_string_utf8(
                raw_env,
                NAME.as_ptr(),
                NAME.to_bytes().len().cast_signed(),
                &raw mut name,
            ) {
                sys::Status::napi_ok => sys::napi_create_threadsafe_function(
                    raw_env,
                    napi::JsValue::raw(callback),
                    ptr::null_mut(),
                    name,
                    0,
                    1,
                    ptr::null_mut(),
                    None,
                    ptr::null_mut(),
                    Some(call_back),
                    &raw mut function,
                ),
                status => status,
            }
        };
        if status != sys::Status::napi_ok {
            return Err(napi::Error::new(
                napi::Status::from(status),
                "cannot make a threadsafe function",
            ));
        }
        // SAFETY: made just now, on the thread of its environment.
        unsafe { sys::napi_unref_threadsafe_function(raw_env, function) };
        let wake = Arc::new(Self {
            function: Mutex::new(Some(ThreadsafeFunction(function))),
        });
        let exit: Box<ExitHook> = Box::new(ExitHook {
            wake: Arc::clone(&wake),
            at_exit: Box::new(at_exit),
        });
        // SAFETY: `run_exit_hook` gets the box back once. The hook was added after the threadsafe function's own, and
        // hooks run in reverse order, so the wake is closed before the function dies.
        let status =
            unsafe { sys::napi_add_env_cleanup_hook(raw_env, Some(run_exit_hook), Box::into_raw(exit).cast()) };
        if status != sys::Status::napi_ok {
            return Err(napi::Error::new(
                napi::Status::from(status),
                "cannot add a cleanup hook",
            ));
        }
        Ok(wake)
    }

    /// Has the callback called soon. Callers see to it that calls do not pile up.
    pub(super) fn wake(&self) {
        let function = self.function.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ThreadsafeFunction(function)) = &*function {
            // SAFETY: the function lives as long as it is in the mutex, whose lock is held.
            unsafe {
                sys::napi_call_threadsafe_function(
                    *function,
                    ptr::null_mut(),
                    sys::ThreadsafeFunctionCallMode::nonblocking,
                )
            };
        }
    }

    /// Whether the loop of the environment, on whose thread this is called, is to be kept alive.
    pub(super) fn set_alive(&self, env: &napi::Env, alive: bool) {
        let function = self.function.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ThreadsafeFunction(function)) = &*function {
            // SAFETY: as in `wake`; having a `napi::Env`, the caller is on the environment's thread.
            unsafe {
                if alive {
                    sys::napi_ref_threadsafe_function(env.raw(), *function);
                } else {
                    sys::napi_unref_threadsafe_function(env.raw(), *function);
                }
            }
        }
    }
}

struct ExitHook {
    wake: Arc<Wake>,
    at_exit: Box<dyn FnOnce()>,
}

unsafe extern "C" fn run_exit_hook(data: *mut c_void) {
    // SAFETY: `data` is the box that `Wake::new` gave away, and the hook runs once.
    let hook = unsafe { Box::from_raw(data.cast::<ExitHook>()) };
    let ExitHook { wake, at_exit } = *hook;
    *wake.function.lock().unwrap_or_else(PoisonError::into_inner) = None;
    // A panic must not unwind into C; there is nobody left to tell.
    let _ = catch_unwind(AssertUnwindSafe(at_exit));
}

/// The JavaScript side of a wake. An exception of the callback becomes an uncaught exception, as it would in any other
/// callback from the loop.
unsafe extern "C" fn call_back(
    env: sys::napi_env,
    callback: sys::napi_value,
    _context: *mut c_void,
    _data: *mut c_void,
) {
    if env.is_null() || callback.is_null() {
        return;
    }
    let (mut undefined, mut result, mut exception) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
    // SAFETY: Node-API gave `env` and `callback` for this call; the out-pointers are valid.
    unsafe {
        sys::napi_get_undefined(env, &raw mut undefined);
        let status = sys::napi_call_function(env, undefined, callback, 0, ptr::null(), &raw mut result);
        if status == sys::Status::napi_pending_exception
            && sys::napi_get_and_clear_last_exception(env, &raw mut exception) == sys::Status::napi_ok
        {
            sys::napi_fatal_exception(env, exception);
        }
    }
}
