//! Guards the house: who may import whom, how large files and functions grow, and that every file says what it is for.

use std::fs;
use std::path::{Path, PathBuf};

/// Each room with the rooms it may import; a room not listed may not exist.
const ROOMS: &[(&str, &[&str])] = &[
    ("oci", &[]),
    ("package", &["oci"]),
    ("storage", &["oci"]),
    ("auth", &["oci"]),
    ("remote", &["oci"]),
    ("api", &["oci", "package"]),
    ("index", &["oci", "package", "auth", "api"]),
    ("search", &["oci", "package", "auth", "api"]),
    ("trust", &["oci", "package"]),
    ("registry", &["oci", "package", "storage", "auth", "api", "index", "search", "trust"]),
    ("client", &["oci", "package", "api", "remote", "trust"]),
    ("jobs", &["oci", "package", "storage", "auth", "remote", "api", "index", "search", "trust", "registry", "client"]),
    (
        "server",
        &[
            "oci", "package", "storage", "auth", "remote", "api", "index", "search", "trust", "registry", "client",
            "jobs",
        ],
    ),
    ("cli", &["oci", "package", "api", "remote", "trust", "client"]),
];
/// The single files that may import a room their own room may not; each must need it.
const EXCEPTIONS: &[(&str, &str)] = &[("cli/serve.rs", "server")];
const MAX_FILE_CODE_LINES: usize = 400;
const MAX_FUNCTION_LINES: usize = 70;

struct Source {
    path: PathBuf,
    room: Option<String>,
    text: String,
}

impl Source {
    /// The code without the trailing test module.
    fn product(&self) -> &str {
        let before = self.text.split("\nmod tests {").next().unwrap_or(&self.text);
        // Attributes may stand between `cfg(test)`, or `cfg(all(test, …))`, and the module.
        let tests_begin = if before.len() < self.text.len() { before.rfind("#[cfg(") } else { None };
        &self.text[..tests_begin.unwrap_or(self.text.len())]
    }

    /// The path below `src`, with `/` between its parts.
    fn inside(&self) -> String {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let inside = self.path.strip_prefix(root).expect("sources are below src");
        inside.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
    }

    /// Whether some file declares this one under `cfg(test)`.
    fn is_test(&self, all: &[Self]) -> bool {
        let stem = self.path.file_stem().unwrap_or_default().to_string_lossy();
        let declaration = format!("#[cfg(test)]\nmod {stem};");
        all.iter().any(|other| other.room == self.room && other.text.contains(&declaration))
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("src is readable") {
            let path = entry.expect("entry is readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let inside = path.strip_prefix(&root).expect("path is below src");
                let owner = (inside.components().count() > 1)
                    .then(|| inside.iter().next().expect("path has parts").to_string_lossy().into_owned());
                let text = fs::read_to_string(&path).expect("source is UTF-8");
                found.push(Source { path, room: owner, text });
            }
        }
    }
    assert!(found.len() > 10, "the walk must find the sources");
    found
}

fn is_code(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with("//")
}

/// The room names after `crate::` anywhere in a text.
fn imports(text: &str) -> Vec<&str> {
    text.split("crate::")
        .skip(1)
        .map(|rest| rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or(""))
        .collect()
}

#[test]
fn no_room_imports_upward() {
    let mut wrong = Vec::new();
    for source in sources() {
        let Some(room) = &source.room else { continue };
        let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| name == room) else {
            wrong.push(format!("{room} is no room of the house"));
            continue;
        };
        for import in imports(&source.text) {
            let is_room = ROOMS.iter().any(|(name, _)| *name == import);
            let is_exception = EXCEPTIONS.contains(&(source.inside().as_str(), import));
            if is_room && import != room && !allowed.contains(&import) && !is_exception {
                wrong.push(format!("{} imports {import}", source.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_exception_is_needed() {
    let all = sources();
    for (file, room) in EXCEPTIONS {
        let source = all.iter().find(|source| source.inside() == *file).expect("the file exists");
        let own = source.room.as_deref().expect("the file is in a room");
        let (_, allowed) = ROOMS.iter().find(|(name, _)| *name == own).expect("the room is of the house");
        assert!(imports(&source.text).contains(room), "{file} does not import {room}");
        assert!(!allowed.contains(room), "{own} may import {room} anyway");
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent: Vec<_> = sources().into_iter().filter(|s| !s.text.starts_with("//! ")).map(|s| s.path).collect();
    assert!(silent.is_empty(), "{silent:#?}");
}

#[test]
fn files_stay_small() {
    let code = |source: &Source| source.product().lines().filter(|line| is_code(line)).count();
    let large: Vec<_> = sources().iter().filter(|s| code(s) > MAX_FILE_CODE_LINES).map(|s| s.path.clone()).collect();
    assert!(large.is_empty(), "over {MAX_FILE_CODE_LINES} lines of code: {large:#?}");
}

#[test]
fn functions_stay_small() {
    let mut long = Vec::new();
    for source in sources() {
        let mut open: Option<(usize, usize, &str)> = None;
        for (number, line) in source.product().lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let starts = ["fn ", "pub fn ", "pub(crate) fn ", "pub(super) fn ", "async fn ", "pub async fn "];
            if starts.iter().any(|start| line.trim_start().starts_with(start)) {
                open = Some((number, indent, line.trim()));
            } else if let Some((start, depth, name)) = open
                && indent == depth
                && line.trim() == "}"
            {
                if number - start > MAX_FUNCTION_LINES {
                    long.push(format!("{}:{} {name}", source.path.display(), start + 1));
                }
                open = None;
            }
        }
    }
    assert!(long.is_empty(), "over {MAX_FUNCTION_LINES} lines: {long:#?}");
}

#[test]
fn product_code_never_unwraps() {
    let mut found = Vec::new();
    let all = sources();
    for source in all.iter().filter(|source| !source.is_test(&all)) {
        for (number, line) in source.product().lines().enumerate() {
            if is_code(line) && line.contains(".unwrap()") {
                found.push(format!("{}:{}", source.path.display(), number + 1));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}
