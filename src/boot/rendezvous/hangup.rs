//! Detects that the connections over which the ranks met are closed, without reading from them.

use super::sockets::Epoll;
use crate::base::Rank;
use crate::base::log::{Level, log};
use crate::boot::DeathNotifier;
use std::net::TcpStream;
use std::time::Instant;

/// A [`DeathNotifier`] over connections that the exchange keeps.
pub struct HangupNotifier {
    watch: Epoll,
    /// The end of the connections, for reasons of deaths.
    link_to: String,
}

impl HangupNotifier {
    /// A notifier for these ranks; `link_to` names the end that they lead to. `None`, which is logged, if the kernel
    /// cannot watch them.
    pub fn of<'a>(lines: impl Iterator<Item = (Rank, &'a TcpStream)>, link_to: &str) -> Option<Box<dyn DeathNotifier>> {
        let watched = Epoll::new().and_then(|watch| {
            for (rank, stream) in lines {
                watch.add_hangup(stream, u64::from(rank))?;
            }
            Ok(watch)
        });
        match watched {
            Ok(watch) => Some(Box::new(HangupNotifier { watch, link_to: link_to.to_string() })),
            Err(error) => {
                log(Level::Warn, || format!("deaths are only detected when a transport fails: {error}"));
                None
            }
        }
    }
}

impl DeathNotifier for HangupNotifier {
    fn take_deaths(&mut self) -> Vec<(Rank, String)> {
        // A failed wait finds nothing; the transports still detect deaths.
        let ready = self.watch.wait(Some(Instant::now())).unwrap_or_default();
        let ended = ready.into_iter().filter(|ready| ready.readable);
        ended
            .map(|ready| {
                (
                    ready.token as Rank,
                    format!("its connection to {} closed: its process or host has died", self.link_to),
                )
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    #[test]
    fn hangup_is_reported_once_and_data_is_not_consumed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut stream, _) = listener.accept().unwrap();
        let mut notifier = HangupNotifier::of([(3, &stream)].into_iter(), "rank 0").unwrap();
        peer.write_all(b"data").unwrap();
        assert!(notifier.take_deaths().is_empty());
        drop(peer);
        let deaths = notifier.take_deaths();
        assert!(deaths.len() == 1 && deaths[0].0 == 3 && deaths[0].1.contains("rank 0"), "{deaths:?}");
        assert!(notifier.take_deaths().is_empty());
        let mut data = [0; 4];
        stream.read_exact(&mut data).unwrap();
        assert_eq!(&data, b"data");
    }
}
