//! Signatures, compared with those of libsignal.

use baileys_native::{
    handshake::xeddsa::{sign, verify},
    noise::{KeyPair, PrivateKey, PublicKey},
};
use proptest::prelude::*;

use crate::vectors::{array, bytes, items, load, text};

#[test]
fn equal_to_libsignal_byte_for_byte() {
    for recorded in items(&load("noise-signatures")) {
        let pair = KeyPair::from_private(PrivateKey::from(array(&recorded["private"]))).unwrap();
        assert_eq!(*pair.public.as_bytes(), array(&recorded["public"]));
        let signature = sign(&pair.private, &bytes(&recorded["message"]), &array(&recorded["random"]));
        assert_eq!(signature.as_slice(), bytes(&recorded["signature"]));
    }
}

#[test]
fn signatures_verify_as_in_libsignal() {
    let recorded = load("noise-signatures");
    let mut verdicts = [0; 2];
    for case in items(&recorded).iter().flat_map(|signer| items(&signer["cases"])) {
        let public = PublicKey::try_from(bytes(&case["public"]).as_slice()).unwrap();
        let verdict = verify(&public, &bytes(&case["message"]), &bytes(&case["signature"]));
        assert_eq!(
            Some(verdict),
            case["valid"].as_bool(),
            "{}: {case}",
            text(&case["name"])
        );
        verdicts[usize::from(verdict)] += 1;
    }
    assert!(verdicts[0] > 50 && verdicts[1] > 50, "{verdicts:?}");
}

proptest! {
    #[test]
    fn signatures_verify_and_changed_ones_do_not(
        private: [u8; 32],
        random in prop::array::uniform32(any::<u8>()),
        message in prop::collection::vec(any::<u8>(), 0..100),
        bit in 0_usize..512,
    ) {
        let pair = KeyPair::from_private(PrivateKey::from(private)).unwrap();
        let mut noise = [0; 64];
        noise[..32].copy_from_slice(&random);
        let mut signature = sign(&pair.private, &message, &noise);
        prop_assert!(verify(&pair.public, &message, &signature));
        signature[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(!verify(&pair.public, &message, &signature));
    }

    #[test]
    fn no_input_panics(public: [u8; 32], signature in prop::collection::vec(any::<u8>(), 0..80)) {
        prop_assert!(!verify(&PublicKey::from(public), b"message", &signature));
    }
}
