//! The symmetric state, the transport directions, and the channel that combines both.

use baileys_native::noise::{
    Channel, KeyPair, NoiseError, PROTOCOL_XX, PrivateKey, PublicKey, Receiver, Sender, SymmetricState, TAG_LEN,
};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use crate::vectors::{bytes, items, load, text};

const KEY: [u8; 32] = [7; 32];

fn seal(sender: &mut Sender, plaintext: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    sender.seal(plaintext, &mut out).expect("sealed");
    out
}

fn open(receiver: &mut Receiver, ciphertext: &[u8]) -> Result<Vec<u8>, NoiseError> {
    let mut out = Vec::new();
    receiver.open(ciphertext, &mut out).map(|()| out)
}

proptest! {
    #[test]
    fn transport_round_trips_in_order(messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..12)) {
        let (mut sender, mut receiver) = (Sender::new(&KEY).unwrap(), Receiver::new(&KEY).unwrap());
        for message in messages {
            let sealed = seal(&mut sender, &message);
            prop_assert_eq!(sealed.len(), message.len() + TAG_LEN);
            prop_assert_eq!(open(&mut receiver, &sealed), Ok(message));
        }
    }

    #[test]
    fn a_changed_message_does_not_open_and_consumes_a_counter(
        message in prop::collection::vec(any::<u8>(), 0..100),
        place in any::<prop::sample::Index>(),
        bit in 0..8_u8,
    ) {
        let (mut sender, mut receiver) = (Sender::new(&KEY).unwrap(), Receiver::new(&KEY).unwrap());
        let mut sealed = seal(&mut sender, &message);
        let place = place.index(sealed.len());
        sealed[place] ^= 1_u8 << bit;
        let mut out = vec![1, 2];
        prop_assert_eq!(receiver.open(&sealed, &mut out), Err(NoiseError::Decrypt));
        prop_assert_eq!(out, vec![1, 2]);
        prop_assert_eq!(receiver.counter(), 1);
        let next = seal(&mut sender, &message);
        prop_assert_eq!(open(&mut receiver, &next), Ok(message));
    }

    #[test]
    fn no_bytes_make_opening_panic(message in prop::collection::vec(any::<u8>(), 0..40)) {
        let mut receiver = Receiver::new(&KEY).unwrap();
        prop_assert_eq!(open(&mut receiver, &message), Err(NoiseError::Decrypt));
        prop_assert_eq!(receiver.counter(), 1);
    }
}

#[test]
fn an_exhausted_counter_stays_exhausted() {
    let mut sender = Sender::resume(&KEY, u32::MAX).unwrap();
    let mut receiver = Receiver::resume(&KEY, u32::MAX).unwrap();
    let last = seal(&mut sender, b"last");
    assert_eq!(open(&mut receiver, &last).unwrap(), b"last");
    for _ in 0..2 {
        let mut out = vec![3];
        assert_eq!(sender.seal(b"one more", &mut out), Err(NoiseError::Exhausted));
        assert_eq!(receiver.open(&last, &mut out), Err(NoiseError::Exhausted));
        assert_eq!(out, [3]);
    }
}

#[test]
fn nothing_prints_keys() {
    let pair = KeyPair::from_private(PrivateKey::from([0xab; 32])).unwrap();
    let channel = Channel::new(PROTOCOL_XX, b"WA\x06\x03", pair.public.as_bytes()).unwrap();
    let text = format!(
        "{:?} {:?} {:?}",
        pair.private,
        Sender::new(&[0xab; 32]).unwrap(),
        channel
    );
    assert!(
        !text.contains("171") && !text.contains("ab,") && !text.contains("AB"),
        "{text}"
    );
    assert!(text.contains("counter: 0"), "{text}");
}

#[test]
fn public_keys_have_32_bytes_or_33_with_a_prefix_of_5() {
    let bare = PublicKey::from([9; 32]);
    let mut prefixed = [9; 33];
    assert_eq!(PublicKey::try_from(&[9; 32][..]), Ok(bare));
    assert_eq!(
        PublicKey::try_from(&prefixed[..]),
        Err(NoiseError::InvalidPublicKey { length: 33 })
    );
    prefixed[0] = 5;
    assert_eq!(PublicKey::try_from(&prefixed[..]), Ok(bare));
    for length in [0, 31, 34] {
        assert_eq!(
            PublicKey::try_from(&vec![5; length][..]),
            Err(NoiseError::InvalidPublicKey { length })
        );
        assert_eq!(
            PrivateKey::try_from(&vec![5; length][..]).unwrap_err(),
            NoiseError::InvalidPrivateKey { length }
        );
    }
}

#[test]
fn a_key_of_low_order_is_refused() {
    let private = PrivateKey::from([1; 32]);
    let mut one = [0; 32];
    one[0] = 1;
    for public in [[0; 32], one] {
        assert_eq!(
            private.shared_secret(&public.into()).unwrap_err(),
            NoiseError::WeakPublicKey
        );
    }
}

/// Calls of Baileys' noise handler in unusual orders, with its recorded results.
#[test]
fn the_channel_equals_the_handler_of_baileys_7() {
    let recorded = load("noise-operations");
    let (header, ephemeral) = (bytes(&recorded["header"]), bytes(&recorded["ephemeralPublic"]));
    for script in items(&recorded["scripts"]) {
        let mut channel = Channel::new(PROTOCOL_XX, &header, &ephemeral).unwrap();
        for (at, step) in items(&script["steps"]).iter().enumerate() {
            let data = step["data"].as_str().map(|_| bytes(&step["data"])).unwrap_or_default();
            let mut out = Vec::new();
            let result = match text(&step["method"]) {
                "encrypt" => channel.encrypt(&data, &mut out),
                "decrypt" => channel.decrypt(&data, &mut out),
                "authenticate" => {
                    channel.authenticate(&data);
                    Ok(())
                }
                "mixIntoKey" => {
                    channel.mix_into_key(&data);
                    Ok(())
                }
                "finishInit" => channel.finish_init(),
                method => panic!("no method {method}"),
            };
            let name = format!("{}, step {at}", script["name"]);
            assert_eq!(result.is_err(), step["failed"], "{name}");
            let expected = step["result"]
                .as_str()
                .map(|_| bytes(&step["result"]))
                .unwrap_or_default();
            assert_eq!(out, expected, "{name}");
        }
    }
    assert_eq!(items(&recorded["scripts"]).len(), 6);
}

#[test]
fn the_sender_and_receiver_of_the_channel_can_be_taken() {
    let mut channel = Channel::new(PROTOCOL_XX, b"WA\x06\x03", &[9; 32]).unwrap();
    assert!(!channel.is_transport() && channel.receiver_mut().is_none());
    let (mut sender, _) = channel.derive_transport().unwrap();
    assert!(!channel.is_transport());
    channel.finish_init().unwrap();
    let mut sealed = Vec::new();
    channel.encrypt(b"first", &mut sealed).unwrap();
    assert_eq!(sealed, seal(&mut sender, b"first"));
    assert_eq!(channel.receiver_mut().unwrap().counter(), 0);
    let mut own_sender = channel.take_sender().unwrap();
    assert_eq!(own_sender.counter(), 1);
    assert_eq!(seal(&mut own_sender, b"second"), seal(&mut sender, b"second"));
}

#[test]
fn a_protocol_name_above_32_bytes_is_hashed() {
    let name = "Noise_XXfallback_25519_AESGCM_SHA256";
    assert_eq!(
        SymmetricState::new(name).hash(),
        &<[u8; 32]>::from(Sha256::digest(name))
    );
    let padded = SymmetricState::new(PROTOCOL_XX);
    assert_eq!(padded.hash(), b"Noise_XX_25519_AESGCM_SHA256\0\0\0\0");
    let full = "x".repeat(32);
    assert_eq!(SymmetricState::new(&full).hash().as_slice(), full.as_bytes());
}
