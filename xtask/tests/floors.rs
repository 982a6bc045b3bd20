//! Dependencies go down only, and the pure crates stay pure. Read from what cargo itself resolves.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// What each crate of the workspace may use of the others. A crate that is not here fails the test: it has no floor yet.
const FLOORS: &[(&str, &[&str])] = &[
    ("tympan-ipp", &[]),
    ("tympan-smtp", &[]),
    ("tympan-raster", &[]),
    ("tympan-engine", &["tympan-ipp"]),
    ("tympan-store", &["tympan-engine", "tympan-ipp"]),
    ("tympan-spooler", &["tympan-store", "tympan-engine", "tympan-ipp"]),
    // Listener and client only: it knows nothing of ours.
    ("tympan-http", &[]),
    ("tympan-render", &["tympan-raster"]),
    // Doors, pages and outputs know the spooler, and not each other.
    (
        "tympan-receive",
        &["tympan-ipp", "tympan-smtp", "tympan-engine", "tympan-store", "tympan-spooler", "tympan-http"],
    ),
    ("tympan-console", &["tympan-ipp", "tympan-engine", "tympan-store", "tympan-spooler", "tympan-http"]),
    (
        "tympan-deliver",
        &[
            "tympan-ipp",
            "tympan-smtp",
            "tympan-raster",
            "tympan-engine",
            "tympan-store",
            "tympan-spooler",
            "tympan-http",
            "tympan-render",
        ],
    ),
    // The virtual printer is no node: it may lie, and so shares nothing with those who must not.
    ("tympan-device", &["tympan-ipp", "tympan-raster", "tympan-http", "tympan-render"]),
    (
        "tympan",
        &[
            "tympan-ipp",
            "tympan-smtp",
            "tympan-raster",
            "tympan-engine",
            "tympan-store",
            "tympan-spooler",
            "tympan-http",
            "tympan-render",
            "tympan-receive",
            "tympan-console",
            "tympan-deliver",
            "tympan-device",
        ],
    ),
    ("xtask", &[]),
];

/// Tests and benches stand on top of everything, and nothing stands on them but each other.
const ON_TOP: [&str; 2] = ["tympan-tests", "tympan-bench"];

/// Crates without sockets, files, clock and threads.
const PURE: [&str; 4] = ["tympan-ipp", "tympan-smtp", "tympan-raster", "tympan-engine"];

/// What a pure crate must not even reach through others.
const IMPURE: [&str; 12] = [
    "tokio",
    "mio",
    "socket2",
    "async-std",
    "hyper",
    "rustls",
    "native-tls",
    "rusqlite",
    "libsqlite3-sys",
    "getrandom",
    "rustix",
    "tracing",
];

/// Those of them that do without the standard library.
const NO_STD: [&str; 3] = ["wire/ipp", "wire/raster", "engine"];

/// TLS is rustls with ring: one stack, built with nothing but a C compiler.
const UNWANTED_ANYWHERE: [&str; 3] = ["openssl-sys", "native-tls", "aws-lc-sys"];

/// Licences under which the whole may be given away with `MIT OR Apache-2.0`.
const LICENCES: [&str; 14] = [
    "MIT",
    "MIT-0",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "0BSD",
    "Zlib",
    "BSL-1.0",
    "Unlicense",
    "Unicode-3.0",
    "CC0-1.0",
    // The certificates of Mozilla's root program, as data.
    "CDLA-Permissive-2.0",
];

#[derive(PartialEq)]
enum Kind {
    /// Also of build scripts.
    Normal,
    Dev,
}

struct Graph {
    names: BTreeMap<String, String>,
    licences: BTreeMap<String, String>,
    members: BTreeSet<String>,
    edges: BTreeMap<String, Vec<(String, Kind)>>,
}

impl Graph {
    fn read() -> Self {
        let cargo = || Command::new(env!("CARGO"));
        let version = cargo().arg("-vV").output().expect("cargo tells its version").stdout;
        let version = String::from_utf8_lossy(&version);
        let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("cargo tells its host");
        // The graph of this platform: that of all would have to be downloaded first.
        let output = cargo()
            .args(["metadata", "--format-version", "1", "--filter-platform", host])
            .current_dir(root())
            .output()
            .expect("cargo metadata runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
        let text = |value: &Value| value.as_str().expect("a string").to_owned();
        let list = |value: &Value| value.as_array().expect("a list").clone();
        let names = list(&metadata["packages"]).iter().map(|one| (text(&one["id"]), text(&one["name"]))).collect();
        let licences = list(&metadata["packages"])
            .iter()
            .map(|one| (text(&one["id"]), one["license"].as_str().unwrap_or_default().to_owned()))
            .collect();
        let members = list(&metadata["workspace_members"]).iter().map(text).collect();
        let edges = list(&metadata["resolve"]["nodes"])
            .iter()
            .map(|node| {
                let edges = list(&node["deps"])
                    .iter()
                    .map(|edge| {
                        let dev = list(&edge["dep_kinds"]).iter().all(|kind| kind["kind"].as_str() == Some("dev"));
                        (text(&edge["pkg"]), if dev { Kind::Dev } else { Kind::Normal })
                    })
                    .collect();
                (text(&node["id"]), edges)
            })
            .collect();
        Self { names, licences, members, edges }
    }

    fn name(&self, id: &str) -> &str {
        &self.names[id]
    }

    fn id(&self, name: &str) -> &str {
        self.members.iter().find(|id| self.name(id) == name).unwrap_or_else(|| panic!("{name} is in the workspace"))
    }

    /// The workspace's crates that a crate uses.
    fn uses(&self, id: &str, kind: &Kind) -> Vec<&str> {
        self.edges[id]
            .iter()
            .filter(|(target, found)| self.members.contains(target) && found == kind)
            .map(|(target, _)| self.name(target))
            .collect()
    }

    /// Everything a crate is built with, itself included, tests apart.
    fn closure(&self, id: &str) -> BTreeSet<&str> {
        let mut seen = BTreeSet::new();
        let mut todo = vec![id];
        while let Some(id) = todo.pop() {
            if seen.insert(id) {
                let edges = self.edges.get(id).into_iter().flatten();
                todo.extend(edges.filter(|(_, kind)| *kind == Kind::Normal).map(|(target, _)| target.as_str()));
            }
        }
        seen.into_iter().map(|id| self.name(id)).collect()
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace above this package")
}

#[test]
fn dependencies_go_down_only() {
    let graph = Graph::read();
    for id in &graph.members {
        let name = graph.name(id);
        if ON_TOP.contains(&name) {
            continue;
        }
        let allowed = FLOORS.iter().find(|(floor, _)| *floor == name).map(|(_, allowed)| *allowed);
        let allowed = allowed.unwrap_or_else(|| panic!("{name} has no floor: add it to FLOORS, and say there why"));
        for used in graph.uses(id, &Kind::Normal) {
            assert!(allowed.contains(&used), "{name} must not depend on {used}");
        }
        for used in graph.uses(id, &Kind::Dev) {
            assert!(!ON_TOP.contains(&used) && used != "tympan", "the tests of {name} must not depend on {used}");
        }
    }
}

#[test]
fn pure_crates_reach_no_socket_file_or_clock() {
    let graph = Graph::read();
    for name in PURE {
        let closure = graph.closure(graph.id(name));
        for impure in IMPURE {
            assert!(
                !closure.contains(impure),
                "{name} reaches {impure}: see cargo tree -p {name} -e normal -i {impure}"
            );
        }
    }
}

#[test]
fn there_is_one_tls_stack() {
    let graph = Graph::read();
    let closure = graph.closure(graph.id("tympan"));
    for unwanted in UNWANTED_ANYWHERE {
        assert!(!closure.contains(unwanted), "see cargo tree -i {unwanted}");
    }
    assert!(closure.contains("ring"), "the graph was read");
}

#[test]
fn every_licence_permits_what_we_do() {
    let graph = Graph::read();
    assert!(!permits("GPL-3.0-only") && !permits("MIT AND GPL-2.0") && permits("(GPL-2.0 OR MIT) AND Zlib"));
    for id in graph.edges.keys() {
        let licence = &graph.licences[id];
        assert!(permits(licence), "{} is under `{licence}`", graph.name(id));
    }
}

/// Whether an SPDX expression lets us choose licences of our list only. AND binds closer than OR.
fn permits(expression: &str) -> bool {
    fn split<'a>(expression: &'a str, word: &str) -> Vec<&'a str> {
        let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
        for (at, letter) in expression.char_indices() {
            match letter {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ if depth == 0 && at >= start && expression[at..].starts_with(word) => {
                    parts.push(&expression[start..at]);
                    start = at + word.len();
                }
                _ => {}
            }
        }
        parts.push(&expression[start..]);
        parts
    }
    // Some still write OR as a stroke.
    let expression = expression.replace(" / ", " OR ").replace('/', " OR ");
    split(&expression, " OR ").iter().any(|choice| {
        split(choice, " AND ").iter().all(|part| {
            let part = part.trim();
            part.strip_prefix('(')
                .and_then(|inner| inner.strip_suffix(')'))
                .map_or_else(|| LICENCES.contains(&part), permits)
        })
    })
}

#[test]
fn the_crates_that_do_without_the_standard_library_say_so() {
    for folder in NO_STD {
        let file = root().join(folder).join("src/lib.rs");
        let text = std::fs::read_to_string(&file).unwrap_or_else(|cause| panic!("{}: {cause}", file.display()));
        assert!(text.lines().any(|line| line == "#![no_std]"), "{folder} says #![no_std]");
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            if lines.peek() == Some(&"extern crate std;") {
                assert_eq!(line, "#[cfg(test)]", "{folder} uses the standard library in its tests only");
            }
        }
    }
}

/// docs/adr/0006: a document has no owner of its own, so what requests reach must not open one by its id.
#[test]
fn only_what_goes_through_a_job_opens_a_document() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let ways = [".open_document(", ".plaintext_file(", ".open_new("];
    let mut opened = 0;
    for sources in ["node/receive/src", "node/console/src", "node/spooler/src", "apps/tympan/src", "node/deliver/src"] {
        for (path, text) in rust_files(&root.join(sources)) {
            let opens = ways.iter().any(|way| text.contains(way));
            opened += u32::from(opens);
            assert!(!opens || sources == "node/deliver/src", "{path} opens a document; it has to go through its job");
        }
    }
    assert!(opened > 0, "the ways to open a document have other names now");
}

fn rust_files(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder of sources").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push((path.display().to_string(), std::fs::read_to_string(&path).expect("a source")));
        }
    }
    found
}
