//! Checks the layers in the sources. The table in `src/lib.rs` defines which module may use which.

mod sources;

use std::collections::{BTreeMap, BTreeSet};

use sources::{Source, Sources};

/// Modules for input and output. Only they may use tokio, the clock and random number generators. `sync` uses a lock of
/// tokio.
const OUTSIDE_CORE: [&str; 5] = ["transport", "driver", "dropin", "bindings", "sync"];

/// Allowed circles between files, each as a list of file names.
const ALLOWED_CIRCLES: [&[&str]; 0] = [];

/// The table in the documentation of `src/lib.rs`: each module and the modules that it may use.
fn table() -> BTreeMap<String, BTreeSet<String>> {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/lib.rs")).unwrap();
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

#[test]
fn no_files_use_each_other_in_a_circle() {
    let sources = Sources::of_crate();
    let allowed: BTreeSet<BTreeSet<&str>> = ALLOWED_CIRCLES
        .iter()
        .map(|circle| circle.iter().copied().collect())
        .collect();
    assert_eq!(
        sources.circles(),
        allowed,
        "circles between files, and those that are allowed"
    );
}

#[test]
fn every_module_is_in_the_table() {
    let table = table();
    let sources = Sources::of_crate();
    let declared: BTreeSet<String> = sources
        .files
        .iter()
        .map(|file| file.top.clone())
        .filter(|top| top != "lib")
        .collect();
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
    let sources = Sources::of_crate();
    let mut edges = 0;
    for (at, source) in sources
        .files
        .iter()
        .enumerate()
        .filter(|(_, source)| source.top != "lib")
    {
        for used in sources.used_by(at).into_iter().map(|used| &sources.files[used]) {
            if used.top == source.top || used.top == "lib" {
                continue;
            }
            edges += 1;
            let allowed = &table[&source.top];
            assert!(
                allowed.contains(&used.top),
                "{} uses {}; allowed are {allowed:?}",
                source.name,
                used.name
            );
        }
    }
    assert!(edges > 20, "only {edges} uses of another module were found");
}

/// One name per concept, one concept per name.
#[test]
fn every_type_name_is_defined_in_one_file() {
    let mut definitions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for source in &Sources::of_crate().files {
        for name in &source.types {
            definitions.entry(name).or_default().push(&source.name);
        }
    }
    assert!(definitions.len() > 200, "only {} types were found", definitions.len());
    definitions.retain(|_, files| files.len() > 1);
    assert!(definitions.is_empty(), "{definitions:#?}");
}

#[test]
fn only_the_bindings_use_napi_or_unsafe() {
    let sources = Sources::of_crate();
    for source in sources.files.iter().filter(|source| source.top != "bindings") {
        for word in ["napi", "napi_derive", "napi_sys", "unsafe"] {
            assert!(!source.identifiers.contains(word), "{} names {word}", source.name);
        }
    }
}

#[test]
fn only_raw_node_api_and_malloc_trim_are_unsafe() {
    let sources = Sources::of_crate();
    let unsafe_files = sources
        .files
        .iter()
        .filter(|source| source.identifiers.contains("unsafe"))
        .map(|source| source.name.as_str())
        .filter(|name| !name.starts_with("bindings/raw/"));
    assert_eq!(unsafe_files.collect::<Vec<_>>(), ["bindings/trim.rs"]);
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
    let sources = Sources::of_crate();
    for source in sources
        .files
        .iter()
        .filter(|source| !OUTSIDE_CORE.contains(&source.top.as_str()))
    {
        for word in crates_and_types {
            assert!(!source.identifiers.contains(word), "{} names {word}", source.name);
        }
        for module in modules {
            assert!(!uses_std(source, module), "{} names std::{module}", source.name);
        }
    }
}

/// Whether a source uses a module of the standard library. [`Duration`](std::time::Duration) does not count, because it
/// is only a number.
fn uses_std(source: &Source, module: &str) -> bool {
    source.all_paths().any(|path| {
        path.first().is_some_and(|first| first == "std")
            && path.get(1).is_some_and(|second| second == module)
            && path.last().is_none_or(|last| last != "Duration")
    })
}

#[test]
fn relaxed_atomics_have_a_reason() {
    let mut relaxed = 0;
    for source in &Sources::of_crate().files {
        let is_relaxed = |path: &Vec<String>| path.last().is_some_and(|last| last == "Relaxed");
        if !source.all_paths().any(is_relaxed) {
            continue;
        }
        relaxed += 1;
        let path = format!("{}/src/{}", env!("CARGO_MANIFEST_DIR"), source.name);
        let text = std::fs::read_to_string(path).unwrap();
        let has_reason = text
            .lines()
            .any(|line| line.trim_start().starts_with("//") && line.contains("elaxed"));
        assert!(has_reason, "{} does not say why its atomics are relaxed", source.name);
    }
    assert!(relaxed >= 6, "only {relaxed} files with relaxed atomics were found");
}

#[test]
fn no_feature_disables_verification() {
    let sources = Sources::of_crate();
    for source in sources
        .files
        .iter()
        .filter(|source| ["frame", "noise", "handshake"].contains(&source.top.as_str()))
    {
        for word in ["cfg", "cfg_attr"] {
            assert!(
                !source.identifiers.contains(word),
                "{} depends on how it is built",
                source.name
            );
        }
    }
}

#[test]
fn only_noise_cipher_uses_the_cipher_of_snow() {
    let sources = Sources::of_crate();
    for source in sources.files.iter().filter(|source| source.name != "noise/cipher.rs") {
        let names_snow = source
            .all_paths()
            .any(|path| path.first().is_some_and(|first| first == "snow"));
        assert!(!names_snow || source.top == "noise", "{} names snow", source.name);
        for word in ["Cipher", "CipherChoice"] {
            assert!(!source.identifiers.contains(word), "{} names {word}", source.name);
        }
    }
}

#[test]
fn every_export_catches_panics() {
    let sources = Sources::of_crate();
    let exports: Vec<_> = sources
        .files
        .iter()
        .filter(|source| source.top == "bindings")
        .flat_map(|source| &source.exports)
        .collect();
    let uncaught: Vec<_> = exports.iter().filter(|(_, is_caught)| !is_caught).collect();
    assert!(uncaught.is_empty(), "exports without catch_unwind: {uncaught:?}");
    assert!(exports.len() > 20, "found {} exports", exports.len());
}

/// Tests the detection of circles with small crates.
#[test]
fn circles_are_found_through_re_exports_macros_and_globs() {
    let circles = |files: &[(&str, &str)]| -> Vec<String> {
        let sources = Sources::new(
            files
                .iter()
                .map(|(name, text)| ((*name).to_owned(), (*text).to_owned())),
        );
        sources
            .circles()
            .into_iter()
            .map(|circle| circle.into_iter().collect::<Vec<_>>().join(" "))
            .collect()
    };
    let root = ("lib.rs", "mod a; mod b;");
    // A re-export is not a definition, so this is no circle.
    let parent = ("a/mod.rs", "mod x; mod y; pub use x::X;");
    assert_eq!(
        circles(&[
            root,
            parent,
            ("a/x.rs", "pub struct X(u8);"),
            ("a/y.rs", "use super::X;"),
            ("b.rs", "")
        ]),
        [""; 0]
    );
    assert_eq!(
        circles(&[
            root,
            parent,
            ("a/x.rs", "pub struct X(super::y::Y);"),
            ("a/y.rs", "use super::X; pub struct Y;"),
            ("b.rs", "")
        ]),
        ["a/x.rs a/y.rs"]
    );
    // A definition in the parent makes a circle.
    let parent = ("a/mod.rs", "mod x; pub struct Z; pub use x::X;");
    assert_eq!(
        circles(&[root, parent, ("a/x.rs", "pub struct X(super::Z);"), ("b.rs", "")]),
        ["a/mod.rs a/x.rs"]
    );
    let used_in = |text: &'static str| circles(&[root, ("a.rs", "pub fn f() { crate::b::g() }"), ("b.rs", text)]);
    assert_eq!(used_in("pub fn g() { vec![crate::a::f()]; }"), ["a.rs b.rs"]);
    assert_eq!(used_in("use crate::a::*; pub fn g() { f() }"), ["a.rs b.rs"]);
    assert_eq!(used_in("use super::a; pub fn g() { a::f() }"), ["a.rs b.rs"]);
    assert_eq!(used_in("use crate::{a as c}; pub fn g() { c::f() }"), ["a.rs b.rs"]);
    assert_eq!(
        used_in("pub fn g() {} // crate::a::f\n const T: &str = \"crate::a::f\";"),
        [""; 0]
    );
    assert_eq!(
        used_in("pub fn g() {} #[cfg(test)] mod tests { use crate::a::f; }"),
        [""; 0]
    );
}
