//! The lint rules that the compiler does not check: which module may name which, where unsafe code may stand, how long
//! a file may be, what lies at the top level, which words and invariants the sources may use. `docs/design.md` shows
//! the same table of modules; a new dependency between two modules is a decision, made here, there and in a commit of
//! its own.

#[path = "tidy/scan.rs"]
mod scan;
#[path = "tidy/words.rs"]
mod words;

use scan::{blanked, roots_named, unexplained, unsafes};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A folder of `src/`: one noun.
struct Module {
    name: &'static str,
    holds: &'static str,
    /// The modules it may name, besides itself and base. Each stands above it in the table, so there is no cycle.
    may_name: &'static [&'static str],
    /// Decided, not written yet.
    to_come: bool,
}

const fn module(name: &'static str, holds: &'static str, may_name: &'static [&'static str]) -> Module {
    Module { name, holds, may_name, to_come: false }
}

/// Lowest first.
const MODULES: &[Module] = &[
    module("base", "ids, errors, Config, limits, atomics and locks, clock, memory limits, log, trace records", &[]),
    module("memory", "huge pages, segments, arenas, rings, doorbells", &[]),
    module("topology", "discovery of the host; pure placement of workers on cores; pinning", &[]),
    module("objects", "promises, arrays, references, serialized values with their attachments", &["memory"]),
    module("rpc", "the short path of remote calls: plain data, its two messages, slots of calls", &[]),
    module("registry", "function table, type-erased calls, argument and result shapes", &["objects", "rpc"]),
    module("scheduling", "pure: resources and what fits, whom to ask for work, the order of an actor's calls", &[]),
    module("lineage", "pure: how to make a lost object again", &["objects", "registry"]),
    module("store", "pure: who holds what, reference counts across ranks", &[]),
    module(
        "protocol",
        "pure: one rank's whole: its messages, objects that crossed ranks, tasks elsewhere, actors, names",
        &["objects", "rpc", "registry", "scheduling", "store", "lineage"],
    ),
    module("transport", "transports between ranks: the trait, shm, verbs, mpi, tcp; conformance", &["memory"]),
    module("gpu", "GPUs through the CUDA driver, and their absence", &["memory"]),
    module("boot", "how ranks find each other: alone, MPI, Slurm, TCP; yields a World", &["transport", "topology"]),
    module("observe", "pictures and timelines; reads trace records only", &[]),
    module(
        "runtime",
        "the one module that acts: workers, fibers, progress, mailboxes",
        &[
            "memory",
            "topology",
            "objects",
            "rpc",
            "registry",
            "scheduling",
            "store",
            "protocol",
            "transport",
            "gpu",
            "boot",
        ],
    ),
    module(
        "sim",
        "a cluster whose clock, transports and faults follow from a seed, for tests and benches",
        &["objects", "rpc", "registry", "scheduling", "store", "protocol"],
    ),
    module(
        "native",
        "what the C interface needs: arrays of any element type, functions and actors registered at run time",
        &["objects", "rpc", "registry", "runtime"],
    ),
    module("api", "what users see", &["objects", "registry", "boot", "observe", "runtime"]),
];

/// The files that may hold unsafe code, each with `#![allow(unsafe_code)]`. What they export is safe.
const UNSAFE_FILES: &[&str] = &[
    "src/boot/mpi/exchange.rs",
    "src/boot/nested.rs",
    "src/boot/private.rs",
    "src/transport/mpi/collective.rs",
    "src/transport/mpi/comm.rs",
    "src/transport/mpi/library/functions.rs",
    "src/transport/mpi/library/handle.rs",
    "src/transport/mpi/library/lifecycle.rs",
    "src/transport/mpi/library/loaded.rs",
    "src/transport/mpi/library/open.rs",
    "src/transport/mpi/page.rs",
    "src/transport/mpi/reads.rs",
    "src/transport/mpi/read_server.rs",
    "src/transport/mpi/transfer.rs",
    "src/transport/tcp/interface.rs",
    "src/transport/tcp/socket.rs",
    "src/transport/verbs/completion.rs",
    "src/transport/verbs/device.rs",
    "src/transport/verbs/queue_pair.rs",
    "src/transport/verbs/reads.rs",
    "src/transport/verbs/receive_queue.rs",
    "src/transport/verbs/registration.rs",
    "src/transport/verbs/tests/harness.rs",
    "src/transport/mpi/window.rs",
    "src/base/arc_pool.rs",
    "src/base/copy.rs",
    "src/base/spin_lock.rs",
    "src/base/clock.rs",
    "src/base/forked.rs",
    "src/base/ticks.rs",
    "src/gpu/cuda.rs",
    "src/memory/arena.rs",
    "src/memory/arena/pieces.rs",
    "src/memory/doorbell.rs",
    "src/memory/file.rs",
    "src/memory/peer.rs",
    "src/memory/ring.rs",
    "src/memory/ring/loom.rs",
    "src/memory/segment.rs",
    "src/runtime/tasks/context.rs",
    "src/runtime/workers/fiber.rs",
    "src/runtime/workers/sanitizer.rs",
    "src/runtime/output/forwarding.rs",
    "src/runtime/router/process_end.rs",
    "src/runtime/workers/crash.rs",
    "src/runtime/workers/overflow.rs",
    "src/runtime/lifecycle/at_exit.rs",
    "src/runtime/lifecycle/preempt.rs",
    "src/runtime/current.rs",
    "src/runtime/workers/worker.rs",
    "src/runtime/workers/worker_shared.rs",
    "src/objects/array.rs",
    "src/objects/codec/type_of.rs",
    "src/objects/promise.rs",
    "src/registry/task.rs",
    "src/topology/bind.rs",
];

/// What each crate says of unsafe, so that the compiler keeps it out of every other file.
const CRATE_ROOTS: &[(&str, &str)] = &[
    ("src/lib.rs", "#![deny(unsafe_code)]"),
    ("src/macros/src/lib.rs", "#![forbid(unsafe_code)]"),
    ("src/cli/src/main.rs", "#![forbid(unsafe_code)]"),
    ("bench/src/main.rs", "#![forbid(unsafe_code)]"),
];

/// Modules that decide and do not act: no file of theirs may ever be in [`UNSAFE_FILES`].
const PURE_MODULES: &[&str] = &["scheduling", "lineage", "store", "protocol", "observe"];

/// Lines of a file, its closing `mod tests` not counted. Most files should have 100 to 300.
const FILE_LINES_MAX: usize = 400;

/// What may lie at the top level, besides hidden files and build folders (`target*`).
const TOP_LEVEL: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "src",
    "native",
    "bench",
    "slurm",
    "tests",
    "examples",
    "docs",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Makefile",
    "clippy.toml",
    "rustfmt.toml",
];

/// Names that say nothing about what a file holds.
const EMPTY_NAMES: &[&str] = &["util", "utils", "common", "helper", "helpers", "misc"];

#[test]
fn modules_name_only_modules_below_them() {
    let known: Vec<&str> = MODULES.iter().map(|module| module.name).collect();
    let mut faults = Vec::new();
    for (position, module) in MODULES.iter().enumerate() {
        for below in module.may_name {
            if !known[..position].contains(below) {
                faults.push(format!("the table lets {} name {below}, which does not stand above it", module.name));
            }
        }
        for file in sources(&root().join("src").join(module.name)) {
            for (line, name) in roots_named(&code_of(&file)) {
                if name == module.name || name == "base" || module.may_name.contains(&name.as_str()) {
                    continue;
                }
                let what = if known.contains(&name.as_str()) { "names module" } else { "names what is no module:" };
                faults.push(format!("{}:{line}: module {} {what} {name}", shown(&file), module.name));
            }
        }
    }
    report(faults);
}

#[test]
fn every_module_is_in_the_table_and_every_module_of_the_table_exists() {
    let parts = ["macros", "cli"]; // crates of their own
    let mut faults = Vec::new();
    for entry in entries(&root().join("src")).iter().filter(|entry| !sources(entry).is_empty()) {
        let name = entry.file_name().unwrap().to_string_lossy();
        if name != "lib.rs" && !parts.contains(&&*name) && !MODULES.iter().any(|module| module.name == name) {
            faults.push(format!("src/{name} is not a module of the table in tests/tidy.rs"));
        }
    }
    for module in MODULES {
        let there = !sources(&root().join("src").join(module.name)).is_empty();
        match (there, module.to_come) {
            (true, true) => faults.push(format!("src/{} is there: it is no longer to come", module.name)),
            (false, false) => faults.push(format!("src/{} is in the table but does not exist", module.name)),
            _ => {}
        }
    }
    report(faults);
}

#[test]
fn the_design_document_shows_the_same_modules() {
    let design = fs::read_to_string(root().join("docs/design.md")).unwrap();
    let rows: BTreeSet<&str> = design.lines().map(str::trim).collect();
    let row = |module: &Module| {
        let to_come = if module.to_come { " (to come)" } else { "" };
        format!("| {}{to_come} | {} | {} |", module.name, module.holds, module.may_name.join(", "))
    };
    let missing = MODULES.iter().map(row).filter(|row| !rows.contains(row.as_str()));
    report(missing.map(|row| format!("docs/design.md lacks the row: {row}")).collect());
}

#[test]
fn unsafe_stands_only_where_it_may() {
    let mut faults = Vec::new();
    for file in MODULES.iter().flat_map(|module| sources(&root().join("src").join(module.name))) {
        let (text, code, name) = (fs::read_to_string(&file).unwrap(), code_of(&file), shown(&file));
        let allows = text.lines().any(|line| line.starts_with("#![") && line.contains("allow(unsafe_code)"));
        let holds = unsafes(&code, &["{", "impl", "fn", "extern", "trait"]).next().is_some();
        let listed = UNSAFE_FILES.contains(&name.as_str());
        if holds && !listed {
            faults.push(format!("{name} holds unsafe and is not in UNSAFE_FILES"));
        }
        if listed && !holds {
            faults.push(format!("{name} is in UNSAFE_FILES and holds no unsafe"));
        }
        if allows != listed {
            faults.push(format!("{name}: being in UNSAFE_FILES and having #![allow(unsafe_code)] go together"));
        }
        faults.extend(unexplained(&text, &code).map(|line| format!("{name}:{line}: unsafe without a SAFETY: comment")));
    }
    for file in UNSAFE_FILES {
        let pure = PURE_MODULES.iter().find(|module| file.starts_with(&format!("src/{module}/")));
        faults.extend(pure.map(|module| format!("{file} may not hold unsafe: {module} is pure")));
        if !root().join(file).exists() {
            faults.push(format!("{file} is in UNSAFE_FILES and not there"));
        }
    }
    for file in sources(&root().join("native/src")) {
        let (text, code) = (fs::read_to_string(&file).unwrap(), code_of(&file));
        let unexplained = unexplained(&text, &code);
        faults.extend(unexplained.map(|line| format!("{}:{line}: unsafe without a SAFETY: comment", shown(&file))));
    }
    for (file, attribute) in CRATE_ROOTS {
        let text = fs::read_to_string(root().join(file)).unwrap_or_default();
        if !text.lines().any(|line| line == *attribute) {
            faults.push(format!("{file} does not say {attribute}"));
        }
    }
    report(faults);
}

#[test]
fn files_are_short_and_named_for_what_they_hold() {
    let mut faults = Vec::new();
    let folders = ["src", "native", "bench", "tests", "examples"];
    for file in folders.iter().flat_map(|folder| sources(&root().join(folder))) {
        let text = fs::read_to_string(&file).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let tests = lines.windows(2).position(|pair| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod tests {"));
        let length = tests.unwrap_or(lines.len());
        if length > FILE_LINES_MAX {
            faults.push(format!("{} has {length} lines, {FILE_LINES_MAX} are the most", shown(&file)));
        }
        let folders = file.parent().and_then(Path::file_name);
        for name in [file.file_stem(), folders].into_iter().flatten() {
            if EMPTY_NAMES.contains(&&*name.to_string_lossy()) {
                faults.push(format!("{}: {} does not say what it holds", shown(&file), name.display()));
            }
        }
    }
    report(faults);
}

#[test]
fn the_top_level_holds_no_more_than_it_should() {
    let names = entries(&root()).into_iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned());
    let stray = names
        .filter(|name| !name.starts_with('.') && !name.starts_with("target") && !TOP_LEVEL.contains(&name.as_str()));
    report(stray.map(|name| format!("{name} does not belong at the top level")).collect());
}

fn code_of(file: &Path) -> String {
    blanked(&fs::read_to_string(file).unwrap())
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn shown(file: &Path) -> String {
    file.strip_prefix(root()).unwrap_or(file).display().to_string()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| entry.unwrap().path()).collect(),
        Err(_) => Vec::new(),
    };
    paths.sort();
    paths
}

/// Rust files at or under `path`.
fn sources(path: &Path) -> Vec<PathBuf> {
    if path.is_dir() {
        return entries(path).iter().flat_map(|entry| sources(entry)).collect();
    }
    let is_source = path.extension().is_some_and(|extension| extension == "rs") && path.exists();
    if is_source { vec![path.to_path_buf()] } else { Vec::new() }
}

fn report(faults: Vec<String>) {
    assert!(faults.is_empty(), "\n  {}\n", faults.join("\n  "));
}
