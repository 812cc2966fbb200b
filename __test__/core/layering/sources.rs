//! The sources of the crate as a graph of files, parsed with `syn`.
//!
//! A file uses another file if one of its paths leads to an item that the other file defines. Re-exports are followed
//! to the file of the definition. Test code is ignored.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::LazyLock,
};

use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Attribute, Item, UseTree,
    visit::{self, Visit},
};

/// A module: its path below the root of the crate.
type Module = Vec<String>;

/// One source file.
pub(super) struct Source {
    /// Path below `src/`, with `/` on all systems.
    pub(super) name: String,
    /// The top-level module of the file; `lib` for `lib.rs`.
    pub(super) top: String,
    /// All identifiers, including test code. Comments and strings are not included.
    pub(super) identifiers: BTreeSet<String>,
    /// Functions with the attribute `napi`, and whether it has `catch_unwind`.
    pub(super) exports: Vec<(String, bool)>,
    /// Names of the types and traits that the file defines.
    pub(super) types: BTreeSet<String>,
    /// Names of the child modules that are files.
    children: Vec<String>,
    module: Module,
    /// Imported names and their paths.
    imports: Vec<(String, Vec<String>)>,
    /// Paths of `use …::*`.
    globs: Vec<Vec<String>>,
    /// Names of the items that the file defines.
    defined: BTreeSet<String>,
    /// Paths in the file.
    paths: BTreeSet<Vec<String>>,
}

/// All sources of the crate.
pub(super) struct Sources {
    pub(super) files: Vec<Source>,
    by_module: BTreeMap<Module, usize>,
}

impl Sources {
    /// The sources below `src/`. They are read once for all tests.
    pub(super) fn of_crate() -> &'static Self {
        static SOURCES: LazyLock<Sources> = LazyLock::new(Sources::read);
        &SOURCES
    }

    fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut texts = Vec::new();
        let mut pending = vec![root.clone()];
        while let Some(directory) = pending.pop() {
            for entry in fs::read_dir(&directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    pending.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let below = path.strip_prefix(&root).unwrap();
                    let parts: Vec<_> = below.iter().map(|part| part.to_str().unwrap()).collect();
                    texts.push((parts.join("/"), fs::read_to_string(&path).unwrap()));
                }
            }
        }
        assert!(texts.len() > 10, "found too few sources");
        Self::new(texts)
    }

    /// Sources from names and texts.
    pub(super) fn new(texts: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut files: Vec<Source> = texts.into_iter().map(|(name, text)| Source::new(name, &text)).collect();
        // Removes files of `#[cfg(test)] mod name;` and their child modules.
        let declared: BTreeSet<Module> = files.iter().flat_map(Source::declared_modules).collect();
        files.retain(|file| (1..=file.module.len()).all(|length| declared.contains(&file.module[..length])));
        files.sort_by(|a, b| a.name.cmp(&b.name));
        let by_module = files
            .iter()
            .enumerate()
            .map(|(at, file)| (file.module.clone(), at))
            .collect();
        Self { files, by_module }
    }

    /// The indexes of the files that a file uses.
    pub(super) fn used_by(&self, file: usize) -> BTreeSet<usize> {
        let source = &self.files[file];
        let mut used: BTreeSet<usize> = source
            .all_paths()
            .filter_map(|path| self.resolve(&source.module, path, 0))
            .collect();
        used.remove(&file);
        used
    }

    /// The file that defines the item of a path. `None` if the item is in another crate.
    fn resolve(&self, from: &Module, path: &[String], depth: usize) -> Option<usize> {
        if depth > 32 {
            return None;
        }
        let file = self.by_module.get(from).map(|at| &self.files[*at])?;
        let (first, rest) = path.split_first()?;
        let next = match first.as_str() {
            "crate" => return self.resolve_in(&Vec::new(), rest, depth + 1),
            "self" => return self.resolve_in(from, rest, depth + 1),
            "super" => {
                let (_, parent) = from.split_last()?;
                let parent = parent.to_vec();
                return if rest.first().is_some_and(|next| next == "super") {
                    self.resolve(&parent, rest, depth + 1)
                } else {
                    self.resolve_in(&parent, rest, depth + 1)
                };
            }
            name => self.child(from, name),
        };
        if let Some(child) = next {
            return self.resolve_in(&child, rest, depth + 1);
        }
        // The name is defined or imported in the file. Other names belong to other crates.
        let is_known = file.defined.contains(first) || file.imports.iter().any(|(name, _)| name == first);
        if is_known || !file.globs.is_empty() {
            return self.resolve_in(from, path, depth + 1);
        }
        None
    }

    /// As [`resolve`](Self::resolve), for a path that starts in a module.
    fn resolve_in(&self, module: &Module, path: &[String], depth: usize) -> Option<usize> {
        if depth > 32 {
            return None;
        }
        let at = *self.by_module.get(module)?;
        let Some((name, rest)) = path.split_first() else {
            return Some(at);
        };
        if name == "self" || name == "super" {
            return self.resolve(module, path, depth + 1);
        }
        if let Some(child) = self.child(module, name) {
            return self.resolve_in(&child, rest, depth + 1);
        }
        let file = &self.files[at];
        if file.defined.contains(name) {
            return Some(at);
        }
        let continued = |target: &Vec<String>| target.iter().chain(rest).cloned().collect::<Vec<_>>();
        if let Some((_, target)) = file.imports.iter().find(|(imported, _)| imported == name) {
            // `use name;` of another crate refers to itself.
            return (target.first() != Some(name))
                .then(|| self.resolve(module, &continued(target), depth + 1))
                .flatten();
        }
        file.globs.iter().find_map(|glob| {
            let whole: Vec<_> = glob.iter().chain(path).cloned().collect();
            self.resolve(module, &whole, depth + 1)
        })
    }

    fn child(&self, module: &Module, name: &str) -> Option<Module> {
        let mut child = module.clone();
        child.push(name.to_owned());
        self.by_module.contains_key(&child).then_some(child)
    }

    /// The circles: groups of files that use each other, directly or through other files.
    pub(super) fn circles(&self) -> BTreeSet<BTreeSet<&str>> {
        let edges: Vec<_> = (0..self.files.len()).map(|file| self.used_by(file)).collect();
        let reached: Vec<BTreeSet<usize>> = (0..edges.len())
            .map(|start| {
                let mut found = BTreeSet::new();
                let mut pending: Vec<_> = edges[start].iter().copied().collect();
                while let Some(next) = pending.pop() {
                    if found.insert(next) {
                        pending.extend(&edges[next]);
                    }
                }
                found
            })
            .collect();
        (0..edges.len())
            .filter(|&file| reached[file].contains(&file))
            .map(|file| {
                let members = reached[file].iter().filter(|&&other| reached[other].contains(&file));
                members.map(|&member| self.files[member].name.as_str()).collect()
            })
            .collect()
    }
}

impl Source {
    fn new(name: String, text: &str) -> Self {
        let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut module: Module = name.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
        let top = module[0].clone();
        if module.last().is_some_and(|last| last == "mod" || last == "lib") {
            module.pop();
        }
        let mut identifiers = BTreeSet::new();
        collect_identifiers(text.parse().unwrap(), &mut identifiers);
        let items = without_tests(file.items);
        let mut reader = Reader::default();
        for item in &items {
            reader.visit_item(item);
        }
        Self {
            name,
            top,
            identifiers,
            defined: items.iter().filter_map(defined_name).collect(),
            types: items.iter().filter_map(type_name).map(ToString::to_string).collect(),
            exports: reader.exports,
            children: items.iter().filter_map(declared_file).collect(),
            module,
            imports: reader.imports,
            globs: reader.globs,
            paths: reader.paths,
        }
    }

    /// All paths: those in the code and those in imports.
    pub(super) fn all_paths(&self) -> impl Iterator<Item = &Vec<String>> {
        self.paths
            .iter()
            .chain(self.imports.iter().map(|(_, path)| path))
            .chain(&self.globs)
    }

    /// The child modules that this file declares as files.
    fn declared_modules(&self) -> Vec<Module> {
        let module = &self.module;
        let children = self.children.iter().cloned();
        children
            .map(|name| module.iter().cloned().chain([name]).collect())
            .collect()
    }
}

/// The name of a module that is declared as a file.
fn declared_file(item: &Item) -> Option<String> {
    match item {
        Item::Mod(inner) if inner.content.is_none() => Some(inner.ident.to_string()),
        _ => None,
    }
}

/// Whether an item is only compiled for tests.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Path>()
                .is_ok_and(|path| path.is_ident("test"))
    })
}

fn without_tests(items: Vec<Item>) -> Vec<Item> {
    items
        .into_iter()
        .filter(|item| !match item {
            Item::Mod(item) => is_test(&item.attrs),
            Item::Fn(item) => is_test(&item.attrs),
            Item::Impl(item) => is_test(&item.attrs),
            Item::Use(item) => is_test(&item.attrs),
            _ => false,
        })
        .collect()
}

/// The name of a type or trait.
fn type_name(item: &Item) -> Option<&syn::Ident> {
    match item {
        Item::Enum(item) => Some(&item.ident),
        Item::Struct(item) => Some(&item.ident),
        Item::Trait(item) => Some(&item.ident),
        Item::Type(item) => Some(&item.ident),
        Item::Union(item) => Some(&item.ident),
        _ => None,
    }
}

fn defined_name(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Mod(item) if item.content.is_some() => &item.ident,
        Item::Static(item) => &item.ident,
        item => type_name(item)?,
    };
    Some(name.to_string())
}

fn collect_identifiers(tokens: TokenStream, into: &mut BTreeSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => collect_identifiers(group.stream(), into),
            TokenTree::Ident(name) => {
                into.insert(name.to_string());
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

/// Collects imports and paths.
#[derive(Default)]
struct Reader {
    exports: Vec<(String, bool)>,
    imports: Vec<(String, Vec<String>)>,
    globs: Vec<Vec<String>>,
    paths: BTreeSet<Vec<String>>,
}

impl Reader {
    fn import(&mut self, prefix: &[String], tree: &UseTree) {
        let with = |name: String| prefix.iter().cloned().chain([name]).collect::<Vec<_>>();
        match tree {
            UseTree::Path(path) => self.import(&with(path.ident.to_string()), &path.tree),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.import(prefix, tree)),
            UseTree::Glob(_) => self.globs.push(prefix.to_vec()),
            UseTree::Name(name) if name.ident == "self" => {
                self.imports
                    .extend(prefix.last().map(|last| (last.clone(), prefix.to_vec())));
            }
            UseTree::Name(name) => self
                .imports
                .push((name.ident.to_string(), with(name.ident.to_string()))),
            UseTree::Rename(rename) if rename.ident == "self" => {
                self.imports.push((rename.rename.to_string(), prefix.to_vec()));
            }
            UseTree::Rename(rename) => self
                .imports
                .push((rename.rename.to_string(), with(rename.ident.to_string()))),
        }
    }

    /// Collects the paths in the tokens of a macro: names that are separated by `::`.
    fn scan(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Ident(name) => {
                    if colons != 2 {
                        self.add(std::mem::take(&mut path));
                    }
                    path.push(name.to_string());
                    colons = 0;
                }
                other => {
                    self.add(std::mem::take(&mut path));
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.scan(group.stream());
                    }
                }
            }
        }
        self.add(path);
    }

    fn add(&mut self, path: Vec<String>) {
        if !path.is_empty() {
            self.paths.insert(path);
        }
    }
}

impl Reader {
    /// Records a function that is exported to JavaScript.
    fn export(&mut self, attributes: &[Attribute], name: &syn::Ident) {
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("napi")) {
            let options = attribute.meta.require_list().map(|list| list.tokens.to_string());
            let is_caught = options.is_ok_and(|options| options.contains("catch_unwind"));
            self.exports.push((name.to_string(), is_caught));
        }
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.export(&item.attrs, &item.sig.ident);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.export(&item.attrs, &item.sig.ident);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.import(&[], &item.tree);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.add(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.scan(item.tokens.clone());
        visit::visit_macro(self, item);
    }
}
