//! Protocol names and the key length.

/// The protocol of a full handshake.
pub const PROTOCOL_XX: &str = "Noise_XX_25519_AESGCM_SHA256";

/// The protocol that resumes with a server if its static key is known.
pub const PROTOCOL_IK: &str = "Noise_IK_25519_AESGCM_SHA256";

/// The protocol of a handshake after the server has declined resumption. The name is longer than a hash, so its hash is
/// used.
pub const PROTOCOL_XX_FALLBACK: &str = "Noise_XXfallback_25519_AESGCM_SHA256";

/// Length of a key, a hash and a shared secret in bytes.
pub const KEY_LEN: usize = 32;
