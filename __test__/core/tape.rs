//! The tape and its layout.

use std::panic::{AssertUnwindSafe, catch_unwind};

use baileys_native::abi::{content_kind, op, text};
use baileys_native::binary::{Content, Dictionary, EncodeError, NodeSink, NodeSource, Text, TokenId};
use baileys_native::tape::KEYS;
use baileys_native::tape::{Tape, TapeReader, TapeText, TapeWriter, Tapes};

fn node(tape: &mut TapeWriter<'_>, attrs: &[(Text<'_>, Text<'_>)], content: Content<'_>) {
    tape.node(Text::Token(TokenId(7)), attrs.len());
    for &(key, value) in attrs {
        tape.attr_key(key);
        tape.attr_value(value);
    }
    tape.content(content);
}

#[test]
fn strings_are_token_ids_or_lengths() {
    let mut tapes = Tapes::default();
    let mut tape = TapeWriter::new(&mut tapes);
    let id = Text::Token(TokenId(900));
    node(
        &mut tape,
        &[(id, Text::Str("abc")), (id, Text::Str("")), (id, id)],
        Content::Text(Text::Str("de")),
    );
    let tape = tape.finish();
    assert_eq!((tape.text, tape.is_wide), (&b"abcde"[..], false));
    let (ops, shape) = (tape.ops, tape.ops[2]);
    assert_eq!(
        ops,
        [
            3 << op::HEAD_SHIFT | content_kind::TEXT,
            7,
            shape,
            900,
            !3,
            900,
            0,
            900,
            900,
            !2
        ]
    );
    assert!(shape >= 0);
}

#[test]
fn a_shape_belongs_to_its_keys_in_their_order() {
    let shape_of = |keys: &[u16]| {
        let mut tapes = Tapes::default();
        let mut tape = TapeWriter::new(&mut tapes);
        let attrs: Vec<_> = keys
            .iter()
            .map(|&key| (Text::Token(TokenId(key)), Text::Str("v")))
            .collect();
        node(&mut tape, &attrs, Content::None);
        tape.finish().ops[2]
    };
    assert_eq!(shape_of(&[1, 2, 3]), shape_of(&[1, 2, 3]));
    assert_ne!(shape_of(&[1, 2, 3]), shape_of(&[1, 3, 2]));
    assert_ne!(shape_of(&[1, 2]), shape_of(&[1, 2, 3]));
    let mut tapes = Tapes::default();
    let mut tape = TapeWriter::new(&mut tapes);
    node(
        &mut tape,
        &[
            (Text::Str("own"), Text::Str("v")),
            (Text::Token(TokenId(1)), Text::Str("v")),
        ],
        Content::None,
    );
    assert_eq!(tape.finish().ops[2], op::NO_SHAPE);
}

#[test]
fn usual_keys_have_operations_of_their_own() {
    for dictionary in [Dictionary::V2, Dictionary::V3] {
        assert!(dictionary.token(TokenId(op::FIRST_KEY as u16 - 1)).is_some());
        assert_eq!(dictionary.token(TokenId(op::FIRST_KEY as u16)), None);
    }
    for (place, key) in KEYS.iter().enumerate() {
        assert_eq!(
            KEYS.iter().position(|other| other == key),
            Some(place),
            "{key} is there twice"
        );
        let op = op::FIRST_KEY + place as i32;
        let mut tapes = Tapes::default();
        let mut tape = TapeWriter::new(&mut tapes);
        node(
            &mut tape,
            &[(Text::Ascii(key.as_bytes()), Text::Ascii(b"v"))],
            Content::None,
        );
        let tape = tape.finish();
        assert_eq!(tape.ops[3..], [op, !1]);
        assert_eq!((tape.text, tape.is_wide), (&b"v"[..], false));
        assert!(tape.ops[2] >= 0);
        let ops = [1 << op::HEAD_SHIFT, 7, op, op];
        let mut reader = TapeReader::new(&ops, TapeText::Ascii(""), &[]);
        reader.node().unwrap();
        assert_eq!(reader.attr_key(), Ok(Text::Literal(key)));
        assert_eq!(reader.attr_value(), Ok(Text::Literal(key)));
    }
}

#[test]
fn long_strings_may_be_tokens() {
    let long = "x".repeat(text::LOOKUP_UNITS);
    let text = format!("{long}{}", &long[1..]);
    let ops = [
        content_kind::TEXT,
        !(text::LOOKUP_UNITS as i32),
        !(text::LOOKUP_UNITS as i32 - 1),
    ];
    let mut reader = TapeReader::new(&ops, TapeText::Ascii(&text), &[]);
    assert_eq!(reader.node().unwrap().tag, Text::Str(&long));
    assert_eq!(reader.content(), Ok(Content::Text(Text::Literal(&long[1..]))));
}

/// UTF-16 in native byte order.
fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_ne_bytes).collect()
}

#[test]
fn a_text_becomes_wide_at_its_first_wide_character() {
    let mut tapes = Tapes::default();
    let mut tape = TapeWriter::new(&mut tapes);
    node(&mut tape, &[], Content::Text(Text::Str("é")));
    let tape = tape.finish();
    assert_eq!((tape.text, tape.is_wide), (&[0xE9][..], false));
    let mut tape = TapeWriter::new(&mut tapes);
    node(&mut tape, &[], Content::List(3));
    node(&mut tape, &[], Content::Text(Text::Str("é")));
    node(&mut tape, &[], Content::Text(Text::Str("aé😀")));
    node(&mut tape, &[], Content::Text(Text::Ascii(b"z")));
    let tape = tape.finish();
    assert_eq!((tape.text, tape.is_wide), (&utf16("éaé😀z")[..], true));
    assert_eq!(tape.text_units(), 6);
    assert_eq!(tape.ops.last(), Some(&!1));
}

#[test]
fn tapes_survive_a_round_trip() {
    let mut tapes = Tapes::default();
    let mut written = Vec::new();
    for (number, text) in ["a", "", "ж", "éé", "abc"].into_iter().enumerate() {
        tapes.words.push(number as i32);
        let mut tape = TapeWriter::new(&mut tapes);
        node(&mut tape, &[], Content::List(2));
        node(&mut tape, &[], Content::Text(Text::Str(text)));
        node(&mut tape, &[], Content::Bytes(&b"12345"[..number]));
        let tape = tape.finish();
        assert_eq!(tape.bytes, &b"12345"[..number]);
        assert_eq!(tape.ops[tape.ops.len() - 2..], [0, number as i32]);
        written.push((number as i32, Tapes::from(tape)));
    }
    let mut cursor = tapes.cursor();
    for (number, tape) in &written {
        assert_eq!(cursor.word(), Some(*number));
        assert_eq!(cursor.tape(), tape.first());
    }
    assert_eq!((cursor.word(), cursor.tape()), (None, None));
    let mut copied = Tapes::default();
    for (number, tape) in &written {
        copied.words.push(*number);
        copied.push(tape.first().unwrap()).unwrap();
    }
    assert_eq!(copied, tapes);
}

#[test]
fn a_cursor_ends_at_invalid_words() {
    let mut tapes = Tapes::default();
    let mut tape = TapeWriter::new(&mut tapes);
    node(&mut tape, &[], Content::Text(Text::Str("abc")));
    tape.finish();
    for place in 0..tapes.words.len() {
        for word in [-1, 100, i32::MAX] {
            let mut damaged = tapes.clone();
            damaged.words[place] = word;
            let mut cursor = damaged.cursor();
            assert!(std::iter::from_fn(|| cursor.tape()).count() <= 1);
        }
    }
}

#[test]
fn bytes_of_a_shared_payload_are_not_copied() {
    let payload = *b"0123456789";
    let mut tapes = Tapes::default();
    let mut tape = TapeWriter::borrowing(&mut tapes, &payload);
    node(&mut tape, &[], Content::Bytes(&payload[4..7]));
    let tape = tape.finish();
    assert_eq!((tape.ops, tape.bytes), (&[content_kind::BYTES, 7, 4, 3][..], &[][..]));
    let mut tape = TapeWriter::new(&mut tapes);
    node(&mut tape, &[], Content::Bytes(&payload[4..7]));
    let tape = tape.finish();
    assert_eq!(
        (tape.ops, tape.bytes),
        (&[content_kind::BYTES, 7, 0, 3][..], &b"456"[..])
    );
}

#[test]
fn a_reader_returns_the_content_of_the_tape() {
    let ops = [
        1 << op::HEAD_SHIFT | content_kind::LIST,
        !1,
        5,
        !2,
        2,
        content_kind::BYTES,
        !1,
        1,
        2,
        content_kind::NONE,
        6,
    ];
    let mut reader = TapeReader::new(&ops, TapeText::Ascii("abcd"), &[1, 2, 3]);
    let head = reader.node().unwrap();
    assert_eq!((head.tag, head.attrs, head.has_content), (Text::Literal("a"), 1, true));
    assert_eq!(reader.attr_key(), Ok(Text::Token(TokenId(5))));
    assert_eq!(reader.attr_value(), Ok(Text::Literal("bc")));
    assert_eq!(reader.content(), Ok(Content::List(2)));
    assert_eq!(reader.node().unwrap().tag, Text::Literal("d"));
    assert_eq!(reader.content(), Ok(Content::Bytes(&[2, 3])));
    assert!(!reader.node().unwrap().has_content);
    assert_eq!(reader.content(), Ok(Content::None));
    assert_eq!(reader.node().unwrap_err(), EncodeError::InvalidSource);
}

#[test]
fn an_invalid_tape_is_an_error() {
    for (ops, text, bytes) in [
        (&[content_kind::NONE, !9][..], "short", &[][..]),
        (&[-1, 1][..], "", &[]),
        (&[content_kind::BYTES, 1, 2, 2][..], "", &[1, 2, 3]),
        (&[content_kind::BYTES, 1, -1, 1][..], "", &[1, 2, 3]),
        (&[content_kind::NONE, 70_000][..], "", &[]),
        (&[content_kind::TEXT, 1][..], "", &[]),
    ] {
        let mut reader = TapeReader::new(ops, TapeText::Ascii(text), bytes);
        let result = reader.node().map(|_| ()).and_then(|()| reader.content().map(|_| ()));
        assert_eq!(result, Err(EncodeError::InvalidSource), "{ops:?}");
    }
}

#[test]
fn surrogates_of_two_strings_are_not_joined() {
    let units = [0xD83D, 0xDE00, 0xD83D, 0xDE00];
    let ops = [content_kind::TEXT, !1, !3];
    let mut reader = TapeReader::new(&ops, TapeText::wide(&units), &[]);
    assert_eq!(reader.node().unwrap().tag, Text::Literal("\u{FFFD}"));
    assert_eq!(reader.content(), Ok(Content::Text(Text::Literal("\u{FFFD}😀"))));
}

#[test]
fn a_tape_is_appended_completely_or_not_at_all() {
    let mut tapes = Tapes::default();
    let append = |tapes: &mut Tapes| {
        let tape = Tape {
            ops: &[1, 2],
            text: b"text",
            is_wide: false,
            bytes: b"bytes",
        };
        tapes.push(tape).ok()
    };
    assert_eq!(tapes.attempt(append), Some(()));
    let before = tapes.clone();
    let refused = tapes.attempt(|tapes| {
        append(tapes);
        None::<()>
    });
    assert_eq!((refused, &tapes), (None, &before));
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        tapes.attempt(|tapes| -> Option<()> {
            append(tapes);
            panic!("in the middle");
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(tapes, before);
}
