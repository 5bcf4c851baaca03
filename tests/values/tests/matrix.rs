//! What `Serialize` and `DeserializeOwned` promise: values of serde's own kinds, and of other crates, arrive equal. As
//! arguments, results, objects and states of actors; alone, over shared memory and over TCP; and from a checkpoint.

#[path = "../../launcher/mod.rs"]
mod launcher;

use launcher::rendezvous::{TestFolder, all_ranks, launch_ranks};
use launcher::{Finished, Launch, no_ranks, show_failures};
use std::path::Path;

const GROUPS: &[&str] = &["standard", "checked", "enums", "attributes", "flattened", "crates", "long"];

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_values"))
}

/// Two ranks that no launcher watches.
fn two_ranks(name: &str, transport: Option<&str>) -> (TestFolder, Launch) {
    let folder = TestFolder::new(name);
    let launch = launch_ranks(program(), &all_ranks(2), 2, &folder.meeting_file().display().to_string());
    let launch = transport.into_iter().fold(launch, |launch, transport| launch.env("MOBULA_FABRIC", transport));
    (folder, launch)
}

fn printed(finished: Finished, what: &str) -> Finished {
    GROUPS.iter().fold(finished, |finished, group| finished.printed(&[&format!("{what}: {group}")]))
}

fn passed(launch: Launch) {
    let finished = launch.run();
    show_failures("values", &finished);
    printed(finished, "ok");
}

#[test]
fn values_arrive_equal_alone() {
    passed(Launch::alone(program()));
}

#[test]
fn values_arrive_equal_over_shared_memory() {
    match no_ranks() {
        None => passed(Launch::on_ranks(2, program())),
        Some(reason) => println!("left out: {reason}"),
    }
}

#[test]
fn values_arrive_equal_over_tcp() {
    let (_folder, launch) = two_ranks("values", Some("tcp"));
    passed(launch);
}

#[test]
fn values_that_cannot_be_sent_are_refused_alike_alone_and_elsewhere() {
    let check = |launch: Launch| {
        let finished = launch.arg("refused").run();
        show_failures("values refused", &finished);
        finished.succeeded().printed(&["ok: refused"]);
    };
    check(Launch::alone(program()));
    for transport in [None, Some("tcp")] {
        let (_folder, launch) = two_ranks("refused", transport);
        check(launch);
    }
}

#[test]
fn states_are_restored_equal_from_checkpoints() {
    for transport in [None, Some("tcp")] {
        let (_folder, launch) = two_ranks("restored", transport);
        let finished = printed(launch.arg("restored").run(), "ok");
        printed(finished, "restored").printed(&["rank 1 ended with 137"]);
    }
}
