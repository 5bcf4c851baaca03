//! Ranks without a launcher that connects them: they meet at MOBULA_RENDEZVOUS, over TCP.

mod launcher;

use launcher::rendezvous::{TestFolder, all_ranks, free_port, launch_small_ranks};
use launcher::{Finished, Launch, example};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt};

/// These ranks of `size`, each a process that starts, prints a line and stops.
fn ranks(ranks: &[u32], size: u32, meeting_point: &str) -> Launch {
    launch_small_ranks(&example("mistakes"), ranks, size, meeting_point).arg("start")
}

fn met(finished: Finished, size: u32) {
    finished.succeeded().printed(&[&format!("ok: start with {size} ranks")]).did_not_print("panicked");
}

#[test]
fn ranks_meet_through_a_file() {
    let folder = TestFolder::new("file");
    for size in [1, 2, 5, 64] {
        met(ranks(&all_ranks(size), size, &folder.meeting_file().display().to_string()).run(), size);
        assert!(!folder.meeting_file().exists(), "it is removed");
    }
}

#[test]
fn ranks_meet_at_an_address() {
    for (host, size) in [("localhost", 1), ("127.0.0.1", 2), ("localhost", 5), ("localhost", 64)] {
        met(ranks(&all_ranks(size), size, &format!("{host}:{}", free_port())).run(), size);
    }
    if TcpListener::bind("[::1]:0").is_ok() {
        met(ranks(&all_ranks(2), 2, &format!("[::1]:{}", free_port())).run(), 2);
    }
}

#[test]
fn ranks_without_job_secret_use_the_one_in_the_user_folder() {
    let folder = TestFolder::new("home");
    let meeting_point = format!("localhost:{}", free_port());
    let secret = folder.0.join(".mobula/secret");
    let mut first = String::new();
    for _ in 0..2 {
        let launch = ranks(&all_ranks(5), 5, &meeting_point).env("HOME", folder.0.as_os_str()).inside(&[
            "env",
            "-u",
            "MOBULA_SECRET",
        ]);
        met(launch.run(), 5);
        let text = std::fs::read_to_string(&secret).expect("the first rank created it");
        assert!(first.is_empty() || first == text, "it stays");
        first = text;
    }
    assert_eq!(std::fs::metadata(&secret).expect("it is there").mode() & 0o777, 0o600);
    let mut open = std::fs::metadata(&secret).expect("it is there").permissions();
    open.set_mode(0o644);
    std::fs::set_permissions(&secret, open).expect("it is ours");
    let launch = ranks(&all_ranks(2), 2, &meeting_point).env("HOME", folder.0.as_os_str()).inside(&[
        "env",
        "-u",
        "MOBULA_SECRET",
    ]);
    launch.run().failed().printed(&["chmod 600", "/.mobula/secret", "MOBULA_SECRET"]);
}

#[test]
fn one_program_meets_repeatedly() {
    let folder = TestFolder::new("again");
    let finished =
        launch_small_ranks(&example("lifecycle"), &all_ranks(3), 3, &folder.meeting_file().display().to_string())
            .run()
            .succeeded();
    assert_eq!(finished.count("served: rank 2 of 3"), 4, "{}", finished.output);
    finished.printed(&["ok: started and stopped"]);
}

#[test]
fn file_of_an_earlier_run_does_not_mislead_ranks() {
    let folder = TestFolder::new("stale");
    let go = folder.0.join("go");
    // A listener where the earlier run's rank 0 listened.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its number").port();
    let stale = format!("mobula rendezvous 1\nsecret {}\nport {port}\naddress 127.0.0.1\n", "ab".repeat(32));
    std::fs::write(folder.meeting_file(), stale).expect("our folder");
    std::fs::set_permissions(folder.meeting_file(), std::fs::Permissions::from_mode(0o600)).expect("it is ours");
    let mut started = ranks(&all_ranks(3), 3, &folder.meeting_file().display().to_string())
        .env("LATE_RANK", "0")
        .env("GO_FILE", go.as_os_str())
        .start();
    let (mut misled, _) = listener.accept().expect("a rank that found the file");
    misled.write_all(&[7; 200]).expect("it listens");
    std::fs::write(&go, "").expect("our folder");
    drop(listener);
    started.wait_for("ok: start with 3 ranks");
    met(started.finish(), 3);
}

#[test]
fn rank_with_another_secret_is_refused() {
    let launch = ranks(&all_ranks(3), 3, &format!("localhost:{}", free_port()));
    let finished = launch.env("WRONG_SECRET_RANK", "1").env("MOBULA_PEER_TIMEOUT_S", "2").run().failed();
    finished
        .printed(&["rank 1 did not come within 2 s", "2 of 3 ranks met", "were refused"])
        .printed(&["rank 1 of 3", "does not hold this job's secret", "MOBULA_SECRET"])
        .did_not_print("of these tests")
        .did_not_print("panicked");
}

#[test]
fn missing_rank_is_named() {
    let launch = ranks(&[0, 1, 3], 4, &format!("localhost:{}", free_port()));
    let finished = launch.env("MOBULA_PEER_TIMEOUT_S", "2").run().failed().did_not_print("panicked");
    // The output lines of several processes may be interleaved.
    let times = finished.output.matches("rank 2 did not come").count();
    assert_eq!(times, 3, "every rank prints it:\n{}", finished.output);
    let launch = ranks(&[1], 2, &format!("localhost:{}", free_port()));
    launch.env("MOBULA_PEER_TIMEOUT_S", "1").run().failed().printed(&[
        "rank 1 of 2",
        "did not find rank 0",
        "localhost:",
    ]);
    let folder = TestFolder::new("missing");
    let launch = ranks(&[1], 2, &folder.meeting_file().display().to_string());
    launch.env("MOBULA_PEER_TIMEOUT_S", "1").run().failed().printed(&["did not find rank 0", "has not written it yet"]);
}

#[test]
fn two_processes_with_one_rank_are_named() {
    let folder = TestFolder::new("twice");
    let finished = ranks(&[0, 1, 1], 3, &folder.meeting_file().display().to_string()).run().failed();
    finished.printed(&["two processes are rank 1", "MOBULA_RANK"]).did_not_print("panicked");
}

#[test]
fn unusable_meeting_point_is_an_error() {
    let fails_with = |meeting_point: &str, rank, parts: &[&str]| {
        ranks(&[rank], 2, meeting_point)
            .env("MOBULA_PEER_TIMEOUT_S", "1")
            .run()
            .failed()
            .printed(parts)
            .did_not_print("panicked");
    };
    fails_with("no-such-host.invalid:5000", 0, &["no-such-host.invalid is not known"]);
    fails_with("no-such-host.invalid:5000", 1, &["no-such-host.invalid is not known", "rank 1"]);
    fails_with("192.0.2.1:5000", 0, &["has no address of 192.0.2.1", "host of rank 0"]);
    fails_with("/no/such/folder/meet", 0, &["/no/such/folder/meet", "cannot write"]);
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("its number").port();
    fails_with(&format!("127.0.0.1:{port}"), 0, &["cannot listen", "choose another port"]);
}

#[test]
fn process_without_rank_is_an_error() {
    let program = example("mistakes");
    let alone = || Launch::alone(&program).arg("start");
    let finished = alone().env("MOBULA_RENDEZVOUS", "localhost:5000").run().failed();
    finished.printed(&["MOBULA_RANK", "MOBULA_SIZE"]);
    alone().env("MOBULA_RANK", "0").run().failed().printed(&["MOBULA_RENDEZVOUS"]);
    ranks(&[2], 2, "localhost:5000").run().failed().printed(&["MOBULA_RANK=2 is none of MOBULA_SIZE=2"]);
}

#[test]
fn rank_may_come_from_the_launcher() {
    let launch = ranks(&[0], 1, &format!("localhost:{}", free_port()));
    let launch = launch.env("OMPI_COMM_WORLD_RANK", "0").env("OMPI_COMM_WORLD_SIZE", "1");
    met(launch.inside(&["env", "-u", "MOBULA_SIZE"]).run(), 1);
}

#[test]
fn unknown_peers_do_not_disturb_the_meeting() {
    let folder = TestFolder::new("unknown");
    let go = folder.0.join("go");
    let port = free_port();
    let launch =
        ranks(&all_ranks(3), 3, &format!("127.0.0.1:{port}")).env("LATE_RANK", "2").env("GO_FILE", go.as_os_str());
    let started = launch.env("MOBULA_LOG", "debug").start();
    let connect = || loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            // Until rank 0 listens, a connection to its port may get that same port and connect to itself.
            Ok(stream) if stream.local_addr().ok() != stream.peer_addr().ok() => return stream,
            _ => std::thread::yield_now(),
        }
    };
    let silent = connect();
    let mut random = vec![0; 4096];
    std::fs::File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut random)).expect("Linux");
    for bytes in [&random[..], b"GET / HTTP/1.1\r\n\r\n", b"\xffmobula\n", b""] {
        // The connection may be closed during the write.
        let _ = connect().write_all(bytes);
    }
    std::fs::write(&go, "").expect("our folder");
    let finished = started.finish();
    drop(silent);
    met(finished.printed(&["rank 0 refused a connection from 127.0.0.1:", "is not mobula"]), 3);
}

/// The listeners at these ports.
fn listeners(ports: std::ops::RangeInclusive<u16>) -> Vec<SocketAddr> {
    let table = std::fs::read_to_string("/proc/net/tcp").expect("Linux");
    let listener = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (address, port) = fields[1].split_once(':')?;
        let number = |text| u32::from_str_radix(text, 16).ok();
        let (address, port) = (Ipv4Addr::from(u32::from_be(number(address)?)), number(port)? as u16);
        (fields[3] == "0A" && ports.contains(&port)).then_some(SocketAddr::from((address, port)))
    };
    table.lines().skip(1).filter_map(listener).collect()
}

/// A port scan while ranks are running leaves some connections open.
#[test]
fn unknown_peers_do_not_disturb_a_running_job() {
    let folder = TestFolder::new("ports");
    let first = 20_000 + (std::process::id() % 1000) as u16 * 10;
    let ports = first..=first + 9;
    let launch =
        launch_small_ranks(&example("survivor"), &all_ranks(3), 3, &folder.meeting_file().display().to_string())
            .arg("8");
    let launch = launch.env("MOBULA_FABRIC", "tcp").env("MOBULA_PORTS", format!("{first}-{}", first + 9));
    let mut started = launch.start();
    started.wait_for("round 0");
    let open = listeners(ports);
    assert!(open.len() >= 3, "every rank listens: {open:?}");
    let mut random = vec![0; 4096];
    std::fs::File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut random)).expect("Linux");
    let connect = |address: &SocketAddr| TcpStream::connect(address).expect("it listens");
    let silent: Vec<TcpStream> = open.iter().map(connect).collect();
    for address in &open {
        for bytes in [&random[..], b"GET / HTTP/1.1\r\n\r\n", b""] {
            // The connection may be closed during the write.
            let _ = connect(address).write_all(bytes);
        }
    }
    let finished = started.finish().succeeded().did_not_print("panicked");
    drop(silent);
    let warnings = finished.count("was refused");
    assert!((1..=open.len()).contains(&warnings), "once for each rank:\n{}", finished.output);
    finished.printed(&["survived: right answers, lost ranks []"]);
}
