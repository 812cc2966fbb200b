//! The layers, checked against the sources: who may use whom is read from the table in `src/lib.rs`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Modules whose job is input and output: they alone know tokio, the clock and the source of randomness.
const OUTSIDE_CORE: [&str; 4] = ["transport", "driver", "dropin", "bindings"];

/// One source file without its comments and strings.
struct Source {
    /// Path below `src/`, for messages.
    name: String,
    /// The top-level module it belongs to; `lib` for `lib.rs` itself.
    module: String,
    /// How many modules it lies below the crate's root.
    depth: usize,
    code: String,
}

fn source_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn sources() -> Vec<Source> {
    let root = source_root();
    let mut sources = Vec::new();
    let mut pending = vec![root.clone()];
    while let Some(directory) = pending.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push(source(&root, &path));
            }
        }
    }
    assert!(sources.len() > 10, "found too few sources");
    sources
}

fn source(root: &Path, path: &Path) -> Source {
    let below = path.strip_prefix(root).unwrap();
    let mut modules: Vec<String> = below
        .with_extension("")
        .components()
        .map(|part| part.as_os_str().to_str().unwrap().to_owned())
        .collect();
    if modules.last().is_some_and(|last| last == "mod") {
        modules.pop();
    }
    Source {
        name: below.display().to_string(),
        module: modules[0].clone(),
        depth: modules.len(),
        code: code_of(&fs::read_to_string(path).unwrap()),
    }
}

/// `text` with comments and the contents of strings and characters left out.
fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(hashes) = raw_string(rest) {
            let end = format!("\"{}", "#".repeat(hashes));
            let start = hashes + 2;
            rest[start..].find(&end).map_or(rest.len(), |at| start + at + end.len())
        } else if first == '"' {
            quoted(rest, '"')
        } else if first == '\'' && (rest[1..].starts_with('\\') || rest.chars().nth(2) == Some('\'')) {
            quoted(rest, '\'')
        } else {
            code.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        code.push(' ');
        rest = &rest[skipped..];
    }
    code
}

/// The number of `#` of the raw string that `text` begins with.
fn raw_string(text: &str) -> Option<usize> {
    let after = text.strip_prefix('r')?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    after[hashes..].starts_with('"').then_some(hashes)
}

/// The length of the literal that `text` begins with, both quotes included.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Whether `word` occurs in `code` as an identifier of its own.
fn names(code: &str, word: &str) -> bool {
    code.split(|character: char| !character.is_alphanumeric() && character != '_')
        .any(|part| part == word)
}

/// The first identifiers of the paths that follow `prefix` in `code`, through one level of braces.
fn after(code: &str, prefix: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices(prefix) {
        let preceded = code[..at].chars().next_back();
        if preceded.is_some_and(|character| character.is_alphanumeric() || character == '_' || character == ':') {
            continue;
        }
        let rest = code[at + prefix.len()..].trim_start();
        match rest.strip_prefix('{') {
            None => found.extend(identifier(rest)),
            Some(group) => found.extend(group_heads(group)),
        }
    }
    found
}

fn identifier(text: &str) -> Option<String> {
    let end = text
        .find(|character: char| !character.is_alphanumeric() && character != '_')
        .unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
}

/// The first identifier of each item of a `{…}` whose opening brace is already taken off.
fn group_heads(group: &str) -> Vec<String> {
    let mut heads = Vec::new();
    let mut depth = 0;
    let mut expecting = true;
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => expecting = true,
            _ if expecting && !character.is_whitespace() => {
                heads.extend(identifier(&group[at..]));
                expecting = false;
            }
            _ => {}
        }
    }
    heads
}

/// The table in the documentation of `src/lib.rs`: each module with those that it may use.
fn table() -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(source_root().join("lib.rs")).unwrap();
    let rows = text
        .lines()
        .filter_map(|line| line.strip_prefix("//! |"))
        .map(|row| row.trim_end().trim_end_matches('|'));
    let mut table: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let Some(name) = cells.first().and_then(|name| name.strip_prefix('`')?.strip_suffix('`')) else {
            continue;
        };
        let uses = cells.get(2).copied().unwrap_or_default();
        let allowed = if uses == "all of the above" {
            table.keys().cloned().collect()
        } else {
            uses.split('`').skip(1).step_by(2).map(str::to_owned).collect()
        };
        table.insert(name.to_owned(), allowed);
    }
    assert!(table.len() >= 8, "the table in lib.rs was not understood: {table:?}");
    table
}

fn declared_modules(lib: &str) -> BTreeSet<String> {
    lib.split("mod ").skip(1).filter_map(identifier).collect()
}

#[test]
fn every_module_is_in_the_table() {
    let table = table();
    let sources = sources();
    let lib = sources.iter().find(|source| source.module == "lib").unwrap();
    let declared = declared_modules(&lib.code);
    assert!(declared.contains("noise"), "{declared:?}");
    assert_eq!(
        declared,
        table.keys().cloned().collect(),
        "modules of lib.rs, and its table"
    );
    for (module, uses) in &table {
        assert!(
            uses.iter().all(|used| table.contains_key(used)),
            "{module} may use {uses:?}"
        );
    }
}

#[test]
fn modules_use_only_what_the_table_allows() {
    let table = table();
    let mut edges = 0;
    for source in sources().iter().filter(|source| source.module != "lib") {
        let mut used = after(&source.code, "crate::");
        // Just so many `super`s lead to the root, where the next name is a module.
        used.extend(
            after(&source.code, &"super::".repeat(source.depth))
                .into_iter()
                .filter(|name| name != "super"),
        );
        for name in used
            .into_iter()
            .filter(|name| *name != source.module && table.contains_key(name))
        {
            edges += 1;
            let allowed = &table[&source.module];
            assert!(
                allowed.contains(&name),
                "{} uses {name}; allowed are {allowed:?}",
                source.name
            );
        }
    }
    assert!(edges > 0, "no use of another module was found at all");
}

#[test]
fn only_the_bindings_name_napi_or_unsafe() {
    for source in sources().iter().filter(|source| source.module != "bindings") {
        for word in ["napi", "napi_derive", "napi_sys", "unsafe"] {
            assert!(!names(&source.code, word), "{} names {word}", source.name);
        }
    }
}

#[test]
fn the_core_knows_no_runtime_no_clock_and_no_randomness() {
    let crates_and_types = [
        "tokio",
        "tokio_tungstenite",
        "tokio_rustls",
        "tungstenite",
        "rustls",
        "futures_util",
        "rand",
        "getrandom",
        "OsRng",
        "resolve_rng",
        "Instant",
        "SystemTime",
    ];
    let modules = ["time", "net", "fs", "thread", "env", "process"];
    for source in sources()
        .iter()
        .filter(|source| !OUTSIDE_CORE.contains(&source.module.as_str()))
    {
        for word in crates_and_types {
            assert!(!names(&source.code, word), "{} names {word}", source.name);
        }
        let used = after(&source.code, "std::");
        for module in modules {
            assert!(!used.contains(module), "{} names std::{module}", source.name);
        }
    }
}

#[test]
fn verification_has_no_switch() {
    for source in sources()
        .iter()
        .filter(|source| ["frame", "noise", "handshake"].contains(&source.module.as_str()))
    {
        assert!(
            !names(&source.code, "cfg"),
            "{} depends on how it is built",
            source.name
        );
        assert!(
            !names(&source.code, "cfg_attr"),
            "{} depends on how it is built",
            source.name
        );
    }
}

#[test]
fn only_the_cipher_knows_snows_cipher() {
    for source in sources()
        .iter()
        .filter(|source| source.name.replace('\\', "/") != "noise/cipher.rs")
    {
        let used = after(&source.code, "snow::");
        assert!(
            used.is_empty() || source.module == "noise",
            "{} names snow",
            source.name
        );
        assert!(
            !names(&source.code, "Cipher") && !names(&source.code, "CipherChoice"),
            "{}",
            source.name
        );
    }
}

#[test]
fn the_scan_sees_what_it_should() {
    let code = code_of(
        "use crate::{noise::{A, B}, proto::C}; // crate::tape\n/* crate::binary */ let s = \"crate::frame \\\" \
         crate::tape\"; let c = '\"'; let l: &'a str = r#\"crate::x\"#; let y = crate::handshake::Z;",
    );
    let expected = ["handshake", "noise", "proto"].map(str::to_owned);
    assert_eq!(after(&code, "crate::"), expected.into());
    assert!(after("pub(in my_crate::a)", "crate::").is_empty());
    assert!(names("unsafe { }", "unsafe") && !names("unsafe_code", "unsafe"));
    assert_eq!(
        declared_modules("pub mod a;\n#[cfg(x)]\nmod b;"),
        ["a", "b"].map(str::to_owned).into()
    );
}

#[test]
fn every_export_catches_panics() {
    let mut exports = 0;
    for source in sources().iter().filter(|source| source.module == "bindings") {
        for part in source.code.split("#[napi").skip(1) {
            let (attribute, item) = part.split_once(']').unwrap();
            let kind = item.split_whitespace().find(|word| !word.starts_with("pub"));
            if kind == Some("fn") {
                exports += 1;
                assert!(attribute.contains("catch_unwind"), "{}:{item:.80}", source.name);
            }
        }
    }
    assert!(exports > 20, "found {exports} exports");
}
