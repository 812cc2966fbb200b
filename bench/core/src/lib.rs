//! The stanzas of the benches (`corpus/`, written by `write-corpus.mjs` from those of the JavaScript benches), in the forms
//! that the two codecs take, and the proof that both read and write them alike.

use std::path::Path;
use std::sync::LazyLock;

use baileys_native::binary::{Dialect, Node, NodeContent};
use wacore_binary::marshal::{marshal_to_vec, unmarshal_ref};
use wacore_binary::node::{Attrs, Node as TheirNode, NodeContent as TheirContent, NodeValue};

/// The dialect that both write.
pub const DIALECT: Dialect = Dialect::V7;

/// One stanza.
pub struct Stanza {
    /// Its name in the corpus.
    pub name: String,
    /// Encoded, without the flag byte.
    pub encoded: Vec<u8>,
    /// For our encoder.
    pub ours: Node,
    /// For theirs, with every attribute a string.
    pub theirs: TheirNode,
    /// For theirs, with JIDs parsed, as their decoder gives them.
    pub theirs_parsed: TheirNode,
}

/// All stanzas, by name, proved equal.
///
/// # Panics
/// Where a file cannot be read, or the two codecs differ.
pub static CORPUS: LazyLock<Vec<Stanza>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths.iter().map(|path| load(path)).collect()
});

/// The names of all stanzas.
pub fn names() -> Vec<&'static str> {
    CORPUS.iter().map(|stanza| stanza.name.as_str()).collect()
}

/// A stanza by its name.
///
/// # Panics
/// Where there is none.
pub fn stanza(name: &str) -> &'static Stanza {
    CORPUS.iter().find(|stanza| stanza.name == name).unwrap()
}

fn load(path: &Path) -> Stanza {
    let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
    let file = std::fs::read(path).unwrap();
    let encoded = file[1..].to_vec();
    let ours = Node::decode(&encoded, DIALECT).unwrap();
    let theirs_parsed = unmarshal_ref(&encoded).unwrap().to_owned();
    let theirs = with_strings(theirs_parsed.clone());
    assert_eq!(as_ours(&theirs), ours, "{name}: both decode alike");

    let mut out = Vec::new();
    ours.encode(DIALECT, &mut out).unwrap();
    assert_eq!(out, encoded, "{name}: our encoding is Baileys'");
    for node in [&theirs, &theirs_parsed] {
        let mut out = Vec::new();
        marshal_to_vec(node, &mut out).unwrap();
        assert_eq!(out, file, "{name}: their encoding is Baileys'");
    }
    Stanza {
        name,
        encoded,
        ours,
        theirs,
        theirs_parsed,
    }
}

fn with_strings(node: TheirNode) -> TheirNode {
    let attrs: Attrs = node
        .attrs
        .iter()
        .map(|(key, value)| (key.clone(), NodeValue::String(value.as_str().into())))
        .collect();
    let content = node.content.map(|content| match content {
        TheirContent::Nodes(nodes) => TheirContent::Nodes(nodes.into_iter().map(with_strings).collect()),
        other => other,
    });
    TheirNode {
        tag: node.tag,
        attrs,
        content,
    }
}

fn as_ours(node: &TheirNode) -> Node {
    Node {
        tag: node.tag.to_string(),
        attrs: node
            .attrs
            .iter()
            .map(|(key, value)| (key.to_string(), value.as_str().into_owned()))
            .collect(),
        content: match &node.content {
            None => NodeContent::None,
            Some(TheirContent::Bytes(bytes)) => NodeContent::Bytes(bytes.clone()),
            Some(TheirContent::String(text)) => NodeContent::Text(text.to_string()),
            Some(TheirContent::Nodes(nodes)) => NodeContent::List(nodes.iter().map(as_ours).collect()),
        },
    }
}
