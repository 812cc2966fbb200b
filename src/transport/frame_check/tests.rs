use super::{Checker, Stop, Violation};

/// Feeds `bytes` in chunks of `step` bytes. Returns the number of passed bytes and the reason of the stop.
fn run(bytes: &[u8], step: usize) -> (usize, Option<Stop>, Checker) {
    let mut checker = Checker::new();
    let mut total = 0;
    for portion in bytes.chunks(step) {
        let (passed, violation) = checker.check(portion);
        total += passed;
        if violation.is_some() {
            return (total, violation, checker);
        }
    }
    (total, None, checker)
}

#[test]
fn whole_frames_pass_in_any_portions() {
    let mut bytes = vec![
        0x82, 3, 1, 2, 3, 0x89, 0, 0x01, 2, b'a', b'b', 0x80, 1, b'c', 0x82, 126, 1, 0,
    ];
    bytes.extend([7; 256]);
    bytes.extend([0x82, 127, 0, 0, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4]);
    for step in 1..bytes.len() {
        let (passed, violation, _) = run(&bytes, step);
        assert_eq!((passed, violation), (bytes.len(), None), "portions of {step}");
    }
}

#[test]
fn faults_are_distinguished_in_any_portions() {
    let cases: [(&[u8], Violation); 14] = [
        (&[0x92, 0], Violation::ReservedBits23),
        (&[0xc2, 0], Violation::ReservedBit1),
        (&[0x80, 0], Violation::Opcode(0)),
        (&[0x83, 0], Violation::Opcode(3)),
        (&[0x8b, 0], Violation::Opcode(11)),
        (&[0x02, 1, 1, 0x82, 0], Violation::Opcode(2)),
        (&[0x09, 0], Violation::FragmentedControl),
        (&[0x89, 126, 0, 126], Violation::ControlLength(126)),
        (&[0x88, 1, 0], Violation::ControlLength(1)),
        (&[0x82, 0x81, 0, 0, 0, 0, 0], Violation::Masked),
        (&[0x82, 127, 0xff, 0, 0, 0, 0, 0, 0, 0], Violation::LengthOverflow),
        (&[0x82, 127, 0, 0, 0, 0, 0x7f, 0, 0, 0], Violation::MessageTooLong),
        (&[0x88, 2, 3, 0xed], Violation::CloseCode(1005)),
        (&[0x88, 3, 3, 0xe8, 0xff], Violation::Utf8),
    ];
    for (bytes, expected) in cases {
        for step in 1..=bytes.len() {
            let (_, violation, _) = run(bytes, step);
            assert_eq!(violation, Some(expected.into()), "{bytes:?} in portions of {step}");
        }
    }
}

#[test]
fn frames_before_a_fault_pass() {
    let (passed, violation, _) = run(&[0x82, 1, 9, 0xc2, 0], 5);
    assert_eq!(
        (passed, violation),
        (4, Some(Violation::ReservedBit1.into())),
        "the frame, and half a header"
    );
}

#[test]
fn a_close_frame_does_not_pass() {
    let bytes = [0x88, 4, 3, 0xe8, b'h', b'i', 0xff, 0xff, 0xff];
    for step in 1..=bytes.len() {
        let (passed, stop, mut checker) = run(&bytes, step);
        assert_eq!(stop, Some(Stop::Closed), "portions of {step}");
        assert!(passed < 6, "tungstenite must not see a whole close frame");
        let close = checker.close.take().unwrap();
        assert_eq!((close.code, close.reason.as_slice()), (1000, b"hi".as_slice()));
    }
}

#[test]
fn too_many_fragments_are_refused() {
    let mut bytes = vec![0x02, 0];
    for _ in 0..super::MAX_FRAGMENTS {
        bytes.extend([0x00, 0]);
    }
    let (_, violation, _) = run(&bytes, bytes.len());
    assert_eq!(violation, Some(Violation::TooManyFragments.into()));
}
