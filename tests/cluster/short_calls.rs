//! The short path of remote calls gives what the general one gives.

use crate::Transport;
use crate::launcher::rendezvous::{TestFolder, all_ranks, launch_ranks};
use crate::launcher::{Launch, example, no_ranks};

/// What the program prints on its standard output.
fn printed(transport: Transport, short: &str) -> Option<Vec<String>> {
    let program = example("short_calls");
    let folder = (transport == Transport::Tcp).then(|| TestFolder::new(&format!("short-{short}")));
    let launch = match (&folder, no_ranks()) {
        (Some(folder), _) => {
            let launch = launch_ranks(&program, &all_ranks(2), 2, &folder.meeting_file().display().to_string());
            launch.env("MOBULA_FABRIC", "tcp")
        }
        (None, None) => Launch::on_ranks(2, &program),
        (None, Some(reason)) => {
            println!("left out: {reason}");
            return None;
        }
    };
    let launch = if transport == Transport::Mpi { launch.env("MOBULA_FABRIC", "mpi") } else { launch };
    let finished = launch.env("MOBULA_SHORT_CALLS", short).env("MOBULA_TRACE_TASKS", "100").run().succeeded();
    // The failures that the driver also reports come in any order. Open MPI's own lines begin with a process id.
    let of_others = |line: &&str| line.is_empty() || ["mobula:", "(", "["].iter().any(|start| line.starts_with(start));
    let lines = finished.output.lines().filter(|line| !of_others(line));
    // Only a leaf that runs in a poll keeps its rank from receiving.
    let long = finished.count("the leaf function leaf_waits ran for ");
    assert_eq!(long, usize::from(short == "1"), "{}", finished.output);
    Some(lines.map(str::to_string).collect())
}

fn both_paths_agree(transport: Transport) {
    let (Some(short), Some(general)) = (printed(transport, "1"), printed(transport, "0")) else { return };
    assert_eq!(short, general);
    let expected = [
        "mixed -1.2676506002282294e30",
        "two objects 6 \"6\"",
        "many objects [0, 1, 2]",
        "fails \"fails: 3 is odd\"",
        "chained 9 10",
        "sum 465",
        "many 200010000",
        "threads [124750, 125250, 125750, 126250]",
        "leaf adds 3.5",
        "leaf fails leaf_fails: 3 is odd",
        "many leaves 199995000",
        "counter 2",
        &format!("noted [{}]", (0..60).map(|number| number.to_string()).collect::<Vec<_>>().join(", ")),
        "note text 60",
        "note even Journal.note_even: 61 is odd",
        "note sum 71",
        "many notes 201310000",
        "each thread's calls in order: 2000 true",
        "after the end actor Journal is not alive: it was killed",
        "after all: 42",
    ];
    let count = |text: &str| short.iter().filter(|line| line.contains(text)).count();
    let refused = count("calling add is not possible in the leaf function leaf_calls:");
    assert_eq!((refused, count("leaf calls an actor: true")), (3, 3), "{short:#?}");
    for line in expected {
        assert!(short.iter().any(|printed| printed.replace('"', "") == line.replace('"', "")), "{line}: {short:#?}");
    }
}

#[test]
fn both_paths_agree_over_shared_memory() {
    both_paths_agree(Transport::Default);
}

#[test]
fn both_paths_agree_over_tcp() {
    both_paths_agree(Transport::Tcp);
}

#[test]
fn both_paths_agree_over_mpi() {
    both_paths_agree(Transport::Mpi);
}
