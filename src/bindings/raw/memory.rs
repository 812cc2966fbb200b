//! Memory of typed arrays.
#![expect(unsafe_code, reason = "Node-API is a C interface")]

use std::borrow::Cow;
use std::marker::PhantomData;
use std::ptr;
use std::sync::atomic::{AtomicU8, Ordering};

use napi::sys;

use super::call::Call;
use super::exception::{Exception, check};

impl Call {
    /// The memory of a Buffer, a Uint8Array or an Int32Array. Int32Arrays are used for shared memory.
    fn memory(&self, index: usize) -> Result<Memory, Exception> {
        let mut kind = 0;
        let mut length = 0;
        let mut data = ptr::null_mut();
        let mut buffer = ptr::null_mut();
        let mut is_own = false;
        // SAFETY: `env` belongs to the running callback, and the out-pointers live longer than the call. The null
        // pointers are documented as optional.
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
            return Err(Exception::Type("a Buffer or Uint8Array is required"));
        }
        // `length` is in elements. Only these two kinds are accepted; all other typed arrays are refused.
        let width = match kind {
            sys::TypedarrayType::uint8_array => 1,
            sys::TypedarrayType::int32_array => size_of::<i32>(),
            _ => return Err(Exception::Type("a Buffer or Uint8Array is required")),
        };
        // SAFETY: `env` belongs to the running callback, and `buffer` is a handle in its scope. A SharedArrayBuffer is
        // not an ArrayBuffer.
        check(unsafe { sys::napi_is_arraybuffer(self.env, buffer, &mut is_own) })?;
        Ok(Memory {
            data: data.cast(),
            length: length * width,
            is_shared: !is_own,
        })
    }

    /// The bytes of a typed array. Memory of a SharedArrayBuffer is copied, because other threads can write to it at
    /// any time. The copy is relaxed: another thread can also write between two bytes.
    pub(in crate::bindings) fn bytes(&self, index: usize) -> Result<Cow<'_, [u8]>, Exception> {
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
                // SAFETY: `offset` is less than `length`. Node-API returned address and length of memory that lives at
                // least as long as the argument's handle, and the handle is valid until the callback returns. Atomic
                // access is defined while other threads access the byte.
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
    pub(in crate::bindings) fn output(&mut self, index: usize) -> Result<Output<'_>, Exception> {
        Ok(Output {
            memory: self.memory(index)?,
            call: PhantomData,
        })
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

impl Memory {
    /// Copies `bytes` to `offset`. Returns false if they do not fit. The owner of this location keeps the memory alive.
    fn write(&mut self, offset: usize, bytes: &[u8]) -> bool {
        if offset.checked_add(bytes.len()).is_none_or(|end| end > self.length) {
            return false;
        }
        // SAFETY: within bounds by the check. `Output` exists only during a call, and `SharedMemory` has a reference,
        // so the memory is alive.
        unsafe { ptr::copy(bytes.as_ptr(), self.data.add(offset), bytes.len()) };
        true
    }
}

/// The memory of an argument, for writing during a call.
pub(in crate::bindings) struct Output<'c> {
    memory: Memory,
    call: PhantomData<&'c Call>,
}

impl Output<'_> {
    pub(in crate::bindings) fn len(&self) -> usize {
        self.memory.length
    }

    /// Copies `bytes` to `offset`. Returns false if they do not fit.
    pub(in crate::bindings) fn write(&mut self, offset: usize, bytes: &[u8]) -> bool {
        self.memory.write(offset, bytes)
    }
}

/// The memory of a typed array that JavaScript shares permanently. Users never get this array, so it cannot be
/// detached.
pub(in crate::bindings) struct SharedMemory {
    env: sys::napi_env,
    reference: sys::napi_ref,
    memory: Memory,
}

impl SharedMemory {
    pub(in crate::bindings) fn new(call: &Call, index: usize) -> Result<Self, Exception> {
        let memory = call.memory(index)?;
        let mut reference = ptr::null_mut();
        // SAFETY: the argument is an object: `memory` has checked that it is a typed array.
        check(unsafe { sys::napi_create_reference(call.env, call.arg(index), 1, &mut reference) })?;
        Ok(Self {
            env: call.env,
            reference,
            memory,
        })
    }

    pub(in crate::bindings) fn len(&self) -> usize {
        self.memory.length
    }

    /// Copies `bytes` to `offset`. Returns false if they do not fit.
    pub(in crate::bindings) fn write(&mut self, offset: usize, bytes: &[u8]) -> bool {
        self.memory.write(offset, bytes)
    }

    /// Copies operations. `index` counts operations. Returns false if they do not fit.
    pub(in crate::bindings) fn write_ops(&mut self, index: usize, ops: &[i32]) -> bool {
        // SAFETY: an initialized `i32` is four initialized bytes.
        let bytes = unsafe { std::slice::from_raw_parts(ops.as_ptr().cast::<u8>(), size_of_val(ops)) };
        self.write(index * size_of::<i32>(), bytes)
    }

    /// All operations, including the registers. The memory must belong to an Int32Array. The slice is only valid while
    /// no JavaScript runs.
    pub(in crate::bindings) fn ops(&self) -> &[i32] {
        let data = self.memory.data.cast::<i32>();
        let count = self.memory.length / size_of::<i32>();
        if count == 0 || !data.is_aligned() {
            return &[];
        }
        // SAFETY: within bounds and aligned. The reference keeps the memory alive, and only this package's JavaScript
        // has the array. It never detaches the array, and writes to it only while it runs. Each value is a valid `i32`.
        unsafe { std::slice::from_raw_parts(data, count) }
    }

    /// A register as an unsigned number. 0 if there is no such register.
    pub(in crate::bindings) fn register(&self, index: usize) -> usize {
        self.ops().get(index).map_or(0, |&value| value as u32 as usize)
    }

    /// The first `length` bytes. The slice is only valid while no JavaScript runs.
    pub(in crate::bindings) fn bytes(&self, length: usize) -> Option<&[u8]> {
        if length > self.memory.length {
            return None;
        }
        if length == 0 {
            return Some(&[]);
        }
        // SAFETY: within bounds by the check. The reference keeps the memory alive, and only this package's JavaScript
        // has the array. It never detaches the array, and writes to it only while it runs.
        Some(unsafe { std::slice::from_raw_parts(self.memory.data, length) })
    }
}

impl Drop for SharedMemory {
    fn drop(&mut self) {
        // SAFETY: the reference was created in this env and is deleted once. While the env shuts down, the call fails
        // without harm.
        unsafe { sys::napi_delete_reference(self.env, self.reference) };
    }
}
