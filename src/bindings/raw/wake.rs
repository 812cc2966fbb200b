//! Wakes JavaScript from another thread.
#![expect(
    unsafe_code,
    reason = "threadsafe functions that can be unreferenced need Node-API's C interface"
)]

use std::ffi::{CStr, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError};

use napi::sys;

/// Calls a JavaScript function without arguments from any thread. The call runs on the thread of its environment.
///
/// [`set_referenced`](Self::set_referenced) decides whether it keeps the event loop of the environment running.
pub(in crate::bindings) struct Wake {
    /// `None` during and after the shutdown of the environment. Node.js then frees the function.
    function: Mutex<Option<ThreadsafeFunction>>,
}

struct ThreadsafeFunction(sys::napi_threadsafe_function);

// SAFETY: a napi_threadsafe_function can be called from any thread while it is alive. `Wake` clears its copy before the
// function is freed, under the same lock as the calls.
unsafe impl Send for ThreadsafeFunction {}

impl Wake {
    /// Creates a wake for `callback`. `at_exit` is called when the environment shuts down.
    pub(in crate::bindings) fn new(
        env: &napi::Env,
        callback: &napi::bindgen_prelude::Function<'_, (), ()>,
        at_exit: impl FnOnce() + 'static,
    ) -> napi::Result<Arc<Self>> {
        let raw_env = env.raw();
        let (mut name, mut function) = (ptr::null_mut(), ptr::null_mut());
        const NAME: &CStr = c"baileys-native";
        // SAFETY: `env` and `callback` are alive, and the out-pointers are valid. The function starts with one owner
        // (the environment) and needs no finalizer. Its JavaScript side is `call_back`.
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
        // SAFETY: the function was just created, on the thread of its environment.
        unsafe { sys::napi_unref_threadsafe_function(raw_env, function) };
        let wake = Arc::new(Self {
            function: Mutex::new(Some(ThreadsafeFunction(function))),
        });
        let exit: Box<ExitHook> = Box::new(ExitHook {
            wake: Arc::clone(&wake),
            at_exit: Box::new(at_exit),
        });
        // SAFETY: `run_exit_hook` takes the box once. This hook is added after the hook of the threadsafe function.
        // Hooks run in reverse order, so the wake is cleared before the function is freed.
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

    /// Requests a call of the callback. The caller must limit the number of pending calls.
    pub(in crate::bindings) fn wake(&self) {
        let function = self.function.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ThreadsafeFunction(function)) = &*function {
            // SAFETY: the function is alive while it is in the mutex, and the lock is held.
            unsafe {
                sys::napi_call_threadsafe_function(
                    *function,
                    ptr::null_mut(),
                    sys::ThreadsafeFunctionCallMode::nonblocking,
                )
            };
        }
    }

    /// Sets whether the event loop of the environment is kept running. Must be called on the thread of the environment.
    pub(in crate::bindings) fn set_referenced(&self, env: &napi::Env, referenced: bool) {
        let function = self.function.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ThreadsafeFunction(function)) = &*function {
            // SAFETY: the function is alive while it is in the mutex, and the lock is held. The caller has a
            // `napi::Env`, so this is the thread of the environment.
            unsafe {
                if referenced {
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
    // SAFETY: `data` is the box from `Wake::new`, and the hook runs once.
    let hook = unsafe { Box::from_raw(data.cast::<ExitHook>()) };
    let ExitHook { wake, at_exit } = *hook;
    *wake.function.lock().unwrap_or_else(PoisonError::into_inner) = None;
    // A panic must not unwind into C. It cannot be reported during shutdown.
    let _ = catch_unwind(AssertUnwindSafe(at_exit));
}

/// The JavaScript side of a wake. An exception of the callback becomes an uncaught exception, as for other callbacks of
/// the event loop.
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
    // SAFETY: Node-API gave `env` and `callback` for this call. The out-pointers are valid.
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
