//! The results of Baileys for the same inputs, recorded by `scripts/record-codec-vectors.mjs`.

use baileys_native::binary::{Dialect, Node, NodeContent, decode, unpack};
use serde_json::Value;

const LINES: [(&str, Dialect, &str); 3] = [
    ("7", Dialect::V7, include_str!("../../vectors/codec-7.json")),
    ("6.7", Dialect::V6_7, include_str!("../../vectors/codec-6.7.json")),
    ("6.17", Dialect::V6_17, include_str!("../../vectors/codec-6.17.json")),
];

/// Inputs that this codec refuses. Baileys encodes them, but cannot decode the result.
const REFUSED: [(&str, &str); 1] = [("6.17", "empty tag")];

fn each(section: &str, mut test: impl FnMut(&str, Dialect, &Value)) {
    for (line, dialect, text) in LINES {
        let vectors: Value = serde_json::from_str(text).unwrap();
        let cases = vectors[section].as_array().unwrap();
        assert!(cases.len() >= 20);
        for case in cases {
            test(line, dialect, case);
        }
    }
}

fn string(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        fill => fill["fill"]
            .as_str()
            .unwrap()
            .repeat(fill["count"].as_u64().unwrap() as usize),
    }
}

fn bytes(hex: &Value) -> Vec<u8> {
    let hex = hex.as_str().unwrap();
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

fn node(value: &Value) -> Node {
    let attrs = value.get("attrs").and_then(Value::as_array).into_iter().flatten();
    let content = if let Some(text) = value.get("text") {
        NodeContent::Text(string(text))
    } else if let Some(hex) = value.get("hex") {
        NodeContent::Bytes(bytes(hex))
    } else if let Some(fill) = value.get("bytes") {
        NodeContent::Bytes(string(fill).into_bytes())
    } else if let Some(list) = value.get("list") {
        NodeContent::List(list.as_array().unwrap().iter().map(node).collect())
    } else if let Some(repeated) = value.get("repeat") {
        NodeContent::List(vec![node(repeated); value["count"].as_u64().unwrap() as usize])
    } else {
        NodeContent::None
    };
    let attrs = attrs.map(|pair| (string(&pair[0]), string(&pair[1]))).collect();
    Node {
        tag: value["tag"].as_str().unwrap().to_owned(),
        attrs,
        content,
    }
}

#[test]
fn encodes_as_baileys() {
    each("encode", |line, dialect, case| {
        let name = case["name"].as_str().unwrap();
        let mut out = b"before".to_vec();
        let result = node(&case["node"]).encode(dialect, &mut out);
        assert_eq!(out[..6], *b"before");
        let out = &out[6..];
        if REFUSED.contains(&(line, name)) {
            assert!(result.is_err() && out.is_empty(), "{line}, {name}");
        } else if let Some(error) = case.get("error") {
            assert_eq!(
                result.unwrap_err().to_string(),
                error.as_str().unwrap(),
                "{line}, {name}"
            );
            assert!(out.is_empty(), "{line}, {name}");
        } else if let Some(head) = case.get("head") {
            assert_eq!(out[..32], bytes(head), "{line}, {name}");
            assert_eq!(out.len() as u64, case["length"].as_u64().unwrap(), "{line}, {name}");
        } else {
            assert_eq!(out, bytes(&case["bytes"]), "{line}, {name}");
        }
    });
}

#[test]
fn decodes_as_baileys() {
    each("decode", |line, dialect, case| {
        let name = case["name"].as_str().unwrap();
        let input = bytes(&case["bytes"]);
        let result = Node::decode(&input, dialect);
        match case.get("error") {
            Some(error) => {
                let ours = result.unwrap_err();
                assert_eq!(ours.to_string(), error.as_str().unwrap(), "{line}, {name}");
                assert!(ours.offset <= input.len());
            }
            None => {
                assert_eq!(result, Ok(node(&case["node"])), "{line}, {name}");
                let mut builder = baileys_native::binary::NodeBuilder::new(dialect.dictionary());
                let consumed = decode(&input, dialect, &mut builder).unwrap();
                assert_eq!(consumed as u64, case["consumed"].as_u64().unwrap(), "{line}, {name}");
            }
        }
    });
}

#[test]
fn unpacks_as_node() {
    let mut scratch = Vec::new();
    each("unpack", |line, _, case| {
        let name = case["name"].as_str().unwrap();
        let payload = bytes(&case["payload"]);
        match (unpack(&payload, &mut scratch), case.get("error")) {
            (Ok(node), None) => assert_eq!(node, bytes(&case["bytes"]), "{line}, {name}"),
            (Err(ours), Some(error)) => assert_eq!(ours.to_string(), error.as_str().unwrap(), "{line}, {name}"),
            (ours, error) => panic!("{line}, {name}: {ours:?}, Baileys: {error:?}"),
        }
    });
}
