//! Detects that the connections over which the ranks met are closed, without reading from them.

use crate::base::Rank;
use crate::base::log::{Level, log};
use crate::transport::epoll::{EpollSet, Interest, Ready, Watched};
use std::net::TcpStream;
use std::time::Duration;

/// Detects that ranks die, by the end of the connections over which they met, which the exchange keeps.
pub struct DeathNotifier {
    watch: EpollSet,
    /// The end of the connections, for reasons of deaths.
    link_to: String,
}

impl DeathNotifier {
    /// A notifier for these ranks; `link_to` names the end that they lead to. `None`, which is logged, if the kernel
    /// cannot watch them.
    pub fn of<'a>(lines: impl Iterator<Item = (Rank, &'a TcpStream)>, link_to: &str) -> Option<DeathNotifier> {
        let watched = EpollSet::new().and_then(|watch| {
            for (rank, stream) in lines {
                watch.add(stream, Watched::Peer(rank), Interest::HangUp)?;
            }
            Ok(watch)
        });
        match watched {
            Ok(watch) => Some(DeathNotifier { watch, link_to: link_to.to_string() }),
            Err(error) => {
                log(Level::Warn, || format!("deaths are only detected when a transport fails: {error}"));
                None
            }
        }
    }

    /// The ranks whose connections ended since the last call, and how. Never blocks.
    pub fn take_deaths(&mut self) -> Vec<(Rank, String)> {
        let mut ready = Vec::new();
        self.watch.wait(&mut ready, Some(Duration::ZERO));
        let reason = || format!("its connection to {} closed: its process or host has died", self.link_to);
        let death = |ready: Ready| match ready.source {
            Watched::Peer(rank) => Some((rank, reason())),
            _ => None,
        };
        ready.into_iter().filter_map(death).collect()
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
        let mut notifier = DeathNotifier::of([(3, &stream)].into_iter(), "rank 0").unwrap();
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
