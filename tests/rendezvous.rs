//! Ranks that no launcher introduces to each other: they meet at MOBULA_RENDEZVOUS, over TCP.

mod launcher;

use launcher::meeting::{Folder, a_port, all, small};
use launcher::{Finished, Launch, example};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt};

/// These ranks of `size`, each a process that starts, says so, and stops.
fn ranks(ranks: &[u32], size: u32, place: &str) -> Launch {
    small(&example("mistakes"), ranks, size, place).arg("start")
}

fn met(finished: Finished, size: u32) {
    finished.succeeded().said(&[&format!("ok: start with {size} ranks")]).did_not_say("panicked");
}

#[test]
fn ranks_meet_through_a_file() {
    let folder = Folder::new("file");
    for size in [1, 2, 5, 64] {
        met(ranks(&all(size), size, &folder.file().display().to_string()).run(), size);
        assert!(!folder.file().exists(), "it is removed");
    }
}

#[test]
fn ranks_meet_at_an_address() {
    for (host, size) in [("localhost", 1), ("127.0.0.1", 2), ("localhost", 5), ("localhost", 64)] {
        met(ranks(&all(size), size, &format!("{host}:{}", a_port())).run(), size);
    }
    if TcpListener::bind("[::1]:0").is_ok() {
        met(ranks(&all(2), 2, &format!("[::1]:{}", a_port())).run(), 2);
    }
}

#[test]
fn without_a_secret_of_the_job_the_one_in_the_home_serves() {
    let folder = Folder::new("home");
    let place = format!("localhost:{}", a_port());
    let secret = folder.0.join(".mobula/secret");
    let mut first = String::new();
    for _ in 0..2 {
        let launch =
            ranks(&all(5), 5, &place).env("HOME", folder.0.as_os_str()).inside(&["env", "-u", "MOBULA_SECRET"]);
        met(launch.run(), 5);
        let text = std::fs::read_to_string(&secret).expect("the first rank made it");
        assert!(first.is_empty() || first == text, "it stays");
        first = text;
    }
    assert_eq!(std::fs::metadata(&secret).expect("it is there").mode() & 0o777, 0o600);
    let mut open = std::fs::metadata(&secret).expect("it is there").permissions();
    open.set_mode(0o644);
    std::fs::set_permissions(&secret, open).expect("it is ours");
    let launch = ranks(&all(2), 2, &place).env("HOME", folder.0.as_os_str()).inside(&["env", "-u", "MOBULA_SECRET"]);
    launch.run().failed().said(&["chmod 600", "/.mobula/secret", "MOBULA_SECRET"]);
}

#[test]
fn one_program_meets_again_and_again() {
    let folder = Folder::new("again");
    let finished = small(&example("lifecycle"), &all(3), 3, &folder.file().display().to_string()).run().succeeded();
    assert_eq!(finished.count("served: rank 2 of 3"), 4, "{}", finished.output);
    finished.said(&["ok: started and stopped"]);
}

#[test]
fn a_file_of_an_earlier_run_misleads_nobody() {
    let folder = Folder::new("stale");
    let go = folder.0.join("go");
    // Somebody listens where the earlier run's rank 0 did.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its number").port();
    let stale = format!("mobula rendezvous 1\nsecret {}\nport {port}\naddress 127.0.0.1\n", "ab".repeat(32));
    std::fs::write(folder.file(), stale).expect("our folder");
    std::fs::set_permissions(folder.file(), std::fs::Permissions::from_mode(0o600)).expect("it is ours");
    let mut started =
        ranks(&all(3), 3, &folder.file().display().to_string()).env("LATE", "0").env("GO", go.as_os_str()).start();
    let (mut misled, _) = listener.accept().expect("a rank that found the file");
    misled.write_all(&[7; 200]).expect("it listens");
    std::fs::write(&go, "").expect("our folder");
    drop(listener);
    started.wait_for("ok: start with 3 ranks");
    met(started.finish(), 3);
}

#[test]
fn a_rank_with_another_secret_is_kept_out_and_told() {
    let launch = ranks(&all(3), 3, &format!("localhost:{}", a_port()));
    let finished = launch.env("ODD", "1").env("MOBULA_PEER_TIMEOUT_S", "2").run().failed();
    finished
        .said(&["rank 1 did not come within 2 s", "2 of 3 ranks met", "were refused"])
        .said(&["rank 1 of 3", "does not hold this job's secret", "MOBULA_SECRET"])
        .did_not_say("of these tests")
        .did_not_say("panicked");
}

#[test]
fn a_rank_that_does_not_come_is_named() {
    let launch = ranks(&[0, 1, 3], 4, &format!("localhost:{}", a_port()));
    let finished = launch.env("MOBULA_PEER_TIMEOUT_S", "2").run().failed().did_not_say("panicked");
    // The lines of several processes may run into each other.
    let times = finished.output.matches("rank 2 did not come").count();
    assert_eq!(times, 3, "every rank says so:\n{}", finished.output);
    let launch = ranks(&[1], 2, &format!("localhost:{}", a_port()));
    launch.env("MOBULA_PEER_TIMEOUT_S", "1").run().failed().said(&["rank 1 of 2", "did not find rank 0", "localhost:"]);
    let folder = Folder::new("missing");
    let launch = ranks(&[1], 2, &folder.file().display().to_string());
    launch.env("MOBULA_PEER_TIMEOUT_S", "1").run().failed().said(&["did not find rank 0", "has not written it yet"]);
}

#[test]
fn two_processes_of_one_number_are_named() {
    let folder = Folder::new("twice");
    let finished = ranks(&[0, 1, 1], 3, &folder.file().display().to_string()).run().failed();
    finished.said(&["two processes are rank 1", "MOBULA_RANK"]).did_not_say("panicked");
}

#[test]
fn a_place_that_is_none_is_an_error() {
    let said = |place: &str, rank, parts: &[&str]| {
        ranks(&[rank], 2, place).env("MOBULA_PEER_TIMEOUT_S", "1").run().failed().said(parts).did_not_say("panicked");
    };
    said("no-such-host.invalid:5000", 0, &["no-such-host.invalid is not known"]);
    said("no-such-host.invalid:5000", 1, &["no-such-host.invalid is not known", "rank 1"]);
    said("192.0.2.1:5000", 0, &["has no address of 192.0.2.1", "host of rank 0"]);
    said("/no/such/folder/meet", 0, &["/no/such/folder/meet", "cannot write"]);
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("its number").port();
    said(&format!("127.0.0.1:{port}"), 0, &["cannot listen", "choose another port"]);
}

#[test]
fn who_does_not_know_its_rank_is_told() {
    let program = example("mistakes");
    let alone = || Launch::alone(&program).arg("start");
    let finished = alone().env("MOBULA_RENDEZVOUS", "localhost:5000").run().failed();
    finished.said(&["MOBULA_RANK", "MOBULA_SIZE"]);
    alone().env("MOBULA_RANK", "0").run().failed().said(&["MOBULA_RENDEZVOUS"]);
    ranks(&[2], 2, "localhost:5000").run().failed().said(&["MOBULA_RANK=2 is none of MOBULA_SIZE=2"]);
}

#[test]
fn a_launcher_may_say_the_rank() {
    let launch = ranks(&[0], 1, &format!("localhost:{}", a_port()));
    let launch = launch.env("OMPI_COMM_WORLD_RANK", "0").env("OMPI_COMM_WORLD_SIZE", "1");
    met(launch.inside(&["env", "-u", "MOBULA_SIZE"]).run(), 1);
}

#[test]
fn strangers_disturb_nobody() {
    let folder = Folder::new("strangers");
    let go = folder.0.join("go");
    let port = a_port();
    let launch = ranks(&all(3), 3, &format!("127.0.0.1:{port}")).env("LATE", "2").env("GO", go.as_os_str());
    let started = launch.env("MOBULA_LOG", "debug").start();
    let connect = || loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            // Until rank 0 listens, a connection to its port may be one from that port, to itself.
            Ok(stream) if stream.local_addr().ok() != stream.peer_addr().ok() => return stream,
            _ => std::thread::yield_now(),
        }
    };
    let silent = connect();
    let mut chance = vec![0; 4096];
    std::fs::File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut chance)).expect("Linux");
    for said in [&chance[..], b"GET / HTTP/1.1\r\n\r\n", b"\xffmobula\n", b""] {
        // It may be cut off while it speaks.
        let _ = connect().write_all(said);
    }
    std::fs::write(&go, "").expect("our folder");
    let finished = started.finish();
    drop(silent);
    met(finished.said(&["rank 0 refused a connection from 127.0.0.1:", "is not mobula"]), 3);
}

/// Where somebody listens at one of these ports.
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

/// Somebody looks for open ports while ranks are at work, and leaves some connections open.
#[test]
fn strangers_at_the_ports_of_a_running_job_disturb_nobody() {
    let folder = Folder::new("ports");
    let first = 20_000 + (std::process::id() % 1000) as u16 * 10;
    let ports = first..=first + 9;
    let launch = small(&example("survivor"), &all(3), 3, &folder.file().display().to_string()).arg("8");
    let launch = launch.env("MOBULA_FABRIC", "tcp").env("MOBULA_PORTS", format!("{first}-{}", first + 9));
    let mut started = launch.start();
    started.wait_for("round 0");
    let open = listeners(ports);
    assert!(open.len() >= 3, "every rank listens: {open:?}");
    let mut chance = vec![0; 4096];
    std::fs::File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut chance)).expect("Linux");
    let connect = |address: &SocketAddr| TcpStream::connect(address).expect("it listens");
    let silent: Vec<TcpStream> = open.iter().map(connect).collect();
    for address in &open {
        for said in [&chance[..], b"GET / HTTP/1.1\r\n\r\n", b""] {
            // It may be cut off while it speaks.
            let _ = connect(address).write_all(said);
        }
    }
    let finished = started.finish().succeeded().did_not_say("panicked");
    drop(silent);
    let warnings = finished.count("was refused");
    assert!((1..=open.len()).contains(&warnings), "once for each rank:\n{}", finished.output);
    finished.said(&["survived: right answers, lost ranks []"]);
}
