//! Networks of real sites: ports closed by a firewall, interfaces without a connection, IPv6 only.

use crate::lab::{self, HOSTS, Lab};
use crate::launch_mode::LaunchMode;
use crate::launcher::rendezvous::free_port;
use crate::launcher::{Launch, example};

/// A change to every host of the lab. Dropping this undoes it, also in a test that fails.
struct Change<'a> {
    lab: &'a Lab,
    undo: String,
}

/// Runs a shell command on every host; `$N` is the host's number.
fn on_all(lab: &Lab, line: &str) {
    for number in 1..=HOSTS {
        lab.run_on(&format!("node{number}"), &["sh", "-ec", &format!("N={number}; {line}")]);
    }
}

impl Change<'_> {
    fn apply<'a>(lab: &'a Lab, command: &str, undo: &str) -> Change<'a> {
        let change = Change { lab, undo: undo.to_string() };
        on_all(lab, command);
        change
    }
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        // If the test failed, the change may be incomplete.
        let failed = if std::thread::panicking() { " || true" } else { "" };
        on_all(self.lab, &format!("{}{failed}", self.undo));
    }
}

/// A firewall that drops packets from these ports of a host to other hosts.
fn firewall<'a>(lab: &'a Lab, ports: &str) -> Change<'a> {
    let rule = |verb: &str| format!("ip rule {verb} ipproto tcp sport {ports} blackhole priority 100");
    Change::apply(lab, &rule("add"), &rule("del"))
}

/// An interface on every host that is up, is listed first, and is connected to nothing.
fn unconnected_interface(lab: &Lab) -> Change<'_> {
    let add = "ip link add ib0 type veth peer name wall; ip addr add 192.168.77.$N/24 dev ib0; ip link set ib0 up; \
                ip link set wall up";
    Change::apply(lab, add, "ip link del ib0")
}

fn srun(lab: &Lab, program: &str) -> Launch {
    LaunchMode::Tcp.srun(lab, &example(program))
}

#[test]
fn firewall_at_the_rendezvous_names_the_missing_ranks() {
    let Some(lab) = lab::shared() else { return };
    let _closed = firewall(&lab, "7000-7099");
    let launch = srun(&lab, "hello").env("MOBULA_PORTS", "7000-7099").env("MOBULA_PEER_TIMEOUT_S", "3");
    let finished = launch.run().did_not_print("panicked").did_not_print("ok: 13");
    finished.printed(&["ranks 2, 3, 4, 5 did not come within 3 s", "2 of 6 ranks met", "host node1"]).printed(&[
        "rank 2 of 6",
        "host node2",
        "did not find rank 0",
        "node1",
        "within 3 s",
    ]);
}

/// The port of the rendezvous is open; the ports of the transport are not.
#[test]
fn firewall_between_ranks_that_have_met_names_the_unreachable_rank() {
    let Some(lab) = lab::shared() else { return };
    let _closed = firewall(&lab, "7000-7099");
    let launch = srun(&lab, "survivor").arg("3").env("MOBULA_PORTS", "7000-7099").env("MOBULA_PEER_TIMEOUT_S", "3");
    let launch = launch.env("MOBULA_RENDEZVOUS", format!("node1:{}", free_port())).env("MOBULA_SECRET", "of the lab");
    let finished = launch.run().did_not_print("panicked");
    finished
        .printed(&["rank 0 on node1 (10.77.0.11) cannot reach rank 2 on node2 at 10.77.0.12:70", "firewall"])
        .printed(&["cannot reach rank 0 on node1 at 10.77.0.11:70", "firewall"]);
}

#[test]
fn unconnected_interface_is_not_used() {
    let Some(lab) = lab::shared() else { return };
    let _interface = unconnected_interface(&lab);
    let launch = || srun(&lab, "hello").env("MOBULA_PEER_TIMEOUT_S", "4");
    launch().run().succeeded().printed(&["hello world, from rank 5"]).printed(&["ok: 13"]);
    launch().env("MOBULA_INTERFACE", "eth0").run().succeeded().printed(&["ok: 13"]);
    launch().env("MOBULA_INTERFACE", "10.77.0.0/24").run().succeeded().printed(&["ok: 13"]);
    // If the setting names it, it is used.
    let finished = launch().env("MOBULA_INTERFACE", "ib0").run().did_not_print("panicked").did_not_print("ok: 13");
    finished.printed(&["cannot reach rank", "at 192.168.77."]);
    let finished = launch().env("MOBULA_INTERFACE", "ib7").run().failed().did_not_print("panicked");
    finished.printed(&["MOBULA_INTERFACE=ib7", "eth0 (10.77.0.1", "ib0 (192.168.77."]);
}

#[test]
fn hosts_with_ipv6_only_work() {
    let Some(lab) = lab::shared() else { return };
    let _ipv6 = Change::apply(&lab, "ip addr add fd77::1$N/64 dev eth0 nodad", "ip addr del fd77::1$N/64 dev eth0");
    let meeting_point = format!("[fd77::11]:{}", free_port());
    let launch =
        srun(&lab, "api").arg("objects").env("MOBULA_INTERFACE", "fd77::/64").env("MOBULA_SECRET", "of the lab");
    launch.env("MOBULA_RENDEZVOUS", meeting_point).run().succeeded().printed(&["passed "]);
}
