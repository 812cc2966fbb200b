//! Names of the protocols and the length of their keys.

/// The protocol WhatsApp speaks unless a session is resumed.
pub const PROTOCOL_XX: &str = "Noise_XX_25519_AESGCM_SHA256";

/// The protocol that resumes a session with a server whose static key is known.
pub const PROTOCOL_IK: &str = "Noise_IK_25519_AESGCM_SHA256";

/// The protocol by which a handshake goes on whose resumption the server declined. Longer than a hash, so hashed.
pub const PROTOCOL_XX_FALLBACK: &str = "Noise_XXfallback_25519_AESGCM_SHA256";

/// The bytes in a key, a hash and a shared secret.
pub const KEY_LEN: usize = 32;
