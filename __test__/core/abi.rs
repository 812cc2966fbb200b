//! The numbers that Rust and JavaScript share.

use std::collections::BTreeSet;
use std::path::Path;

use baileys_native::abi::{GROUPS, Group, Number, javascript, session_record, socket_event, tape_head};
use baileys_native::binary::MAX_DEPTH;
use baileys_native::frame::HEADER_LEN;
use baileys_native::noise::TAG_LEN;
use baileys_native::session::code::ACCOUNT_STATUSES;
use baileys_native::shared_sender::MIN_INTERVAL;
use baileys_native::tape::KEYS;

/// Limits that are defined in other modules.
const LIMITS: Group = Group {
    name: "limit",
    doc: &[" Limits that are defined in other modules of the addon."],
    numbers: &[
        Number {
            name: "MAX_DEPTH",
            value: MAX_DEPTH as i64,
            doc: &[" Maximum nesting depth of nodes."],
        },
        Number {
            name: "FRAME_OVERHEAD",
            value: (HEADER_LEN + TAG_LEN) as i64,
            doc: &[" Length of a sealed frame minus the length of its payload, in bytes."],
        },
        Number {
            name: "MIN_KEEP_ALIVE_INTERVAL",
            value: MIN_INTERVAL as i64,
            doc: &[" Minimum keep-alive interval for queries of the I/O thread, in milliseconds."],
        },
    ],
};

#[test]
fn the_generated_javascript_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("js/addon/abi.cjs");
    let source = javascript(&LIMITS, ACCOUNT_STATUSES, KEYS);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &source).unwrap();
    }
    let is_current = std::fs::read_to_string(path).unwrap() == source;
    assert!(
        is_current,
        "run `UPDATE=1 cargo test --no-default-features --test core abi`"
    );
}

#[test]
fn the_numbers_of_a_group_are_distinct() {
    for Group { name, numbers, .. } in GROUPS {
        // A layout also contains its own length and offsets, so its numbers can be equal.
        let is_layout = ["op", "text"].contains(name);
        let distinct: BTreeSet<_> = numbers.iter().map(|number| number.value).collect();
        assert!(is_layout || distinct.len() == numbers.len(), "{name}");
    }
    let places = |name: &str| GROUPS.iter().find(|group| group.name == name).unwrap().numbers;
    for layout in ["tape_head", "batch_head", "record"] {
        let numbers = places(layout);
        let (words, rest) = numbers.split_last().unwrap();
        assert_eq!(words.name, "WORDS");
        let expected: Vec<_> = (0..words.value).collect();
        assert_eq!(
            rest.iter().map(|number| number.value).collect::<Vec<_>>(),
            expected,
            "{layout}"
        );
    }
    assert!(
        places("socket_event")
            .iter()
            .all(|event| event.value != i64::from(session_record::STANZAS))
    );
    assert_eq!((tape_head::WORDS, socket_event::BINARY), (4, 0));
}

/// The texts between quotes, in the part of `source` from `from` to the next `to`.
fn quoted<'s>(source: &'s str, from: &str, to: &str, quote: char) -> BTreeSet<&'s str> {
    let (_, rest) = source.split_once(from).unwrap();
    let (part, _) = rest.split_once(to).unwrap();
    part.split(quote).skip(1).step_by(2).collect()
}

fn read(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

#[test]
fn the_kinds_of_an_end_reason_are_those_of_the_declarations() {
    // The match in `EndReason::kind` is exhaustive, so its texts are all kinds.
    let (rust, declarations) = (read("src/session/end_reason.rs"), read("index.d.ts"));
    let kinds = quoted(&rust, "const fn kind(&self)", "\n    }\n", '"');
    assert!(kinds.len() > 10);
    let declared = quoted(&declarations, "interface EndReason {\n  kind:", ";\n", '\'');
    assert_eq!(kinds, declared);
}

/// The texts that follow `before` in the part of `source` from `from` to the next `to`. Each ends at the next `quote`.
fn following<'s>(source: &'s str, [from, to]: [&str; 2], before: &str, quote: char) -> BTreeSet<&'s str> {
    let (_, rest) = source.split_once(from).unwrap();
    let (part, _) = rest.split_once(to).unwrap();
    part.split(before)
        .skip(1)
        .filter_map(|text| text.split(quote).next())
        .collect()
}

#[test]
fn javascript_handles_all_events_and_query_errors_of_a_session_and_no_others() {
    let json = read("src/bindings/session_json.rs");
    let sent = following(&json, ["fn event_json", "struct SessionMetrics"], "\"type\": \"", '"');
    assert!(sent.len() > 10, "{sent:?}");
    let session = read("js/session/session.cjs");
    assert_eq!(
        sent,
        following(&session, ["#event(event) {", "default:"], "case '", '\'')
    );

    let sent = following(&json, ["fn query_error_json", "};"], "=> (\"", '"');
    assert!(sent.len() > 3, "{sent:?}");
    let errors = read("js/session/errors.cjs");
    assert_eq!(
        sent,
        following(&errors, ["function queryError", "default:"], "case '", '\'')
    );
}
