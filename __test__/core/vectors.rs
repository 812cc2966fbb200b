//! Reads the recordings of `scripts/record-noise-vectors.mjs`.

use std::path::Path;

use baileys_native::noise::{KeyPair, PrivateKey};
use serde_json::Value;

/// The content of `__test__/vectors/<name>.json`.
pub(crate) fn load(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("__test__/vectors")
        .join(format!("{name}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The items of a JSON array.
pub(crate) fn items(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("not an array: {value}"))
}

/// A JSON string.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a string: {value}"))
}

/// The bytes of a hexadecimal string.
pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    let digits = text(value).as_bytes();
    assert_eq!(digits.len() % 2, 0, "odd number of digits: {value}");
    digits
        .chunks(2)
        .map(|pair| {
            let pair = std::str::from_utf8(pair).unwrap_or_default();
            u8::from_str_radix(pair, 16).unwrap_or_else(|_| panic!("not hex: {value}"))
        })
        .collect()
}

/// Exactly `N` bytes of a hexadecimal string.
pub(crate) fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value)
        .try_into()
        .unwrap_or_else(|_| panic!("not {N} bytes: {value}"))
}

/// The key pair of a `{ private, public }` object. Fails if the recorded public key does not belong to the private key.
pub(crate) fn key_pair(value: &Value) -> KeyPair {
    let pair = KeyPair::from_private(PrivateKey::from(array(&value["private"]))).unwrap();
    assert_eq!(pair.public.as_bytes(), &array::<32>(&value["public"]), "public key");
    pair
}
