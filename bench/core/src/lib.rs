//! The stanzas of the benches, in the forms of both codecs, and the check that both codecs give equal results.
//! `write-corpus.mjs` writes `corpus/` from the stanzas of the JavaScript benches.

use std::path::Path;
use std::sync::LazyLock;

use baileys_native::binary::{Dialect, Node, NodeContent};
use wacore_binary::marshal::{marshal_to_vec, unmarshal_ref};
use wacore_binary::node::{Attrs, Node as TheirNode, NodeContent as TheirContent, NodeValue};

/// The dialect of both codecs.
pub const DIALECT: Dialect = Dialect::V7;

/// One stanza.
pub struct Stanza {
    /// The name in the corpus.
    pub name: String,
    /// The encoded stanza, without the flag byte.
    pub encoded: Vec<u8>,
    /// The node for our encoder.
    pub ours: Node,
    /// The node for their encoder. All attributes are strings.
    pub theirs: TheirNode,
    /// The node for their encoder, with parsed JIDs, as their decoder returns it.
    pub theirs_parsed: TheirNode,
}

/// All stanzas by name. Initializing them checks that both codecs give equal results.
///
/// # Panics
/// Panics if a file cannot be read or the results of the codecs differ.
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

/// A stanza by name.
///
/// # Panics
/// Panics if there is no such stanza.
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
    assert_eq!(as_ours(&theirs), ours, "{name}: both decode to the same node");

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
