//! Signatures with X25519 keys ([XEdDSA](https://signal.org/docs/specifications/xeddsa/)), in the form that libsignal
//! for JavaScript uses (source: curve25519-js, which `libsignal/src/curve.js` calls).
//!
//! This form differs from the specification in one point. The specification negates the private key if the public key's
//! sign bit is 1. Here the private key is unchanged, and the highest bit of the signature stores the sign bit.

use curve25519_dalek::{EdwardsPoint, MontgomeryPoint, Scalar, edwards::CompressedEdwardsY, scalar::clamp_integer};
use sha2::{Digest, Sha512};
use zeroize::Zeroizing;

use crate::noise::{PrivateKey, PublicKey};

/// Length of a signature in bytes.
pub const SIGNATURE_LEN: usize = 64;

const SIGN_BIT: u8 = 0x80;

/// Signs `message`. `random` must be fresh random bytes.
#[must_use]
pub fn sign(private: &PrivateKey, message: &[u8], random: &[u8; 64]) -> [u8; SIGNATURE_LEN] {
    let clamped = Zeroizing::new(clamp_integer(*private.as_bytes()));
    let key = Zeroizing::new(Scalar::from_bytes_mod_order(*clamped));
    let public = EdwardsPoint::mul_base(&key).compress();

    // The prefix is 2^256 - 2 in little-endian order. It separates the domains of this hash and the hash below.
    let mut prefix = [0xff; 32];
    prefix[0] = 0xfe;
    let nonce = Zeroizing::new(scalar_hash(&[&prefix, clamped.as_slice(), message, random]));
    let commitment = EdwardsPoint::mul_base(&nonce).compress();
    let challenge = scalar_hash(&[commitment.as_bytes(), public.as_bytes(), message]);
    let response = challenge * *key + *nonce;

    let mut signature = [0; SIGNATURE_LEN];
    let (left, right) = signature.split_at_mut(32);
    left.copy_from_slice(commitment.as_bytes());
    right.copy_from_slice(response.as_bytes());
    signature[SIGNATURE_LEN - 1] |= public.to_bytes()[31] & SIGN_BIT;
    signature
}

/// Whether `signature` is a valid signature of `message` by the owner of `public`.
///
/// As in libsignal, the scalar of the signature may be unreduced. If `public` is not a point of the curve, no signature
/// is valid.
#[must_use]
pub fn verify(public: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
    let Some((commitment, response)) = signature.split_first_chunk::<32>() else {
        return false;
    };
    let Ok(mut response) = <[u8; 32]>::try_from(response) else {
        return false;
    };
    let sign = response[31] >> 7;
    response[31] &= !SIGN_BIT;
    let Some(point) = MontgomeryPoint(*public.as_bytes()).to_edwards(sign) else {
        return false;
    };
    let challenge = scalar_hash(&[commitment, point.compress().as_bytes(), message]);
    let response = Scalar::from_bytes_mod_order(response);
    let expected = EdwardsPoint::vartime_double_scalar_mul_basepoint(&challenge, &-point, &response).compress();
    expected == CompressedEdwardsY(*commitment)
}

fn scalar_hash(parts: &[&[u8]]) -> Scalar {
    let mut hash = Sha512::new();
    for part in parts {
        hash.update(part);
    }
    Scalar::from_bytes_mod_order_wide(&hash.finalize().into())
}
