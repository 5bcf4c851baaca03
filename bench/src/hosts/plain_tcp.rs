//! A TCP stream between the same two processes: one thread sends what is requested, the other reads it.

use super::{OTHER, pieces, rate};
use crate::case::Run;
use crate::failure::{Failure, Result};
use crate::sample::us_each;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, ToSocketAddrs};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// The stream stays open between samples.
static STREAM: Mutex<Option<TcpStream>> = Mutex::new(None);

/// Listens on the rank that runs this and serves until the other end closes; returns the port.
#[mobula::remote(num_cpus = 0)]
fn listen() -> u16 {
    let listener = TcpListener::bind("0.0.0.0:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        let Ok((stream, _)) = listener.accept() else { return };
        // The requesting end disconnects at the end: that is no error.
        let _ = serve(stream);
    });
    port
}

/// Sends as many bytes as are requested, again and again.
fn serve(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut bytes = vec![7u8; 64 << 20];
    let mut requested = [0; 8];
    loop {
        stream.read_exact(&mut requested)?;
        let count = u64::from_le_bytes(requested) as usize;
        bytes[..8].copy_from_slice(&requested);
        stream.write_all(&bytes[..count])?;
    }
}

fn on_stream<T>(act: impl FnOnce(&mut TcpStream) -> std::io::Result<T>) -> Result<T> {
    let fail =
        |error: std::io::Error| Failure::Program { program: "a TCP stream".to_string(), reason: error.to_string() };
    let mut stream = STREAM.lock().unwrap_or_else(PoisonError::into_inner);
    if stream.is_none() {
        let port = *listen::on(OTHER).remote().get()?;
        let nodes = mobula::nodes();
        let host = nodes.iter().find(|node| node.ranks().contains(&OTHER)).map(|node| node.name().to_string());
        let addresses = (host.unwrap_or_default(), port).to_socket_addrs().map_err(fail)?;
        let found = addresses.into_iter().find_map(|address| TcpStream::connect(address).ok());
        let found =
            found.ok_or_else(|| fail(std::io::Error::other("the other rank's host cannot be reached by name")))?;
        found.set_nodelay(true).map_err(fail)?;
        *stream = Some(found);
    }
    act(stream.as_mut().expect("connected above")).map_err(fail)
}

fn request(stream: &mut TcpStream, into: &mut [u8]) -> std::io::Result<()> {
    stream.write_all(&(into.len() as u64).to_le_bytes())?;
    stream.read_exact(into)
}

/// GiB a second of messages of this many bytes, one after the other, into one buffer.
pub fn stream<const BYTES: usize>(run: &Run) -> Result<f64> {
    let count = pieces(run, BYTES);
    let mut into = vec![0u8; BYTES];
    on_stream(|stream| {
        request(stream, &mut into)?;
        let start = Instant::now();
        for _ in 0..count {
            request(stream, &mut into)?;
        }
        Ok(rate(count * BYTES, start.elapsed()))
    })
}

/// Microseconds of eight bytes there and eight back.
pub fn round_trip(run: &Run) -> Result<f64> {
    let rounds = run.rounds(2000);
    on_stream(|stream| {
        let mut bytes = [0; 8];
        request(stream, &mut bytes)?;
        let timed = us_each(rounds, || request(stream, &mut bytes).map_err(|error| Failure::Wrong(error.to_string())));
        timed.map_err(|failure| std::io::Error::other(failure.to_string()))
    })
}
