//! Notices the ends of the connections over which the ranks met, while nobody reads from them.

use super::sockets::Watch;
use crate::base::Rank;
use crate::base::log::{Level, say};
use crate::boot::Vigil;
use std::net::TcpStream;
use std::time::Instant;

/// Over connections that stay with whoever made them.
pub struct Ends {
    watch: Watch,
    /// Who is at the other end, for people.
    shown: String,
}

impl Ends {
    /// Of these ranks; `shown` says to whom they are lines. `None` where the kernel does not watch them, which is said.
    pub fn of<'a>(lines: impl Iterator<Item = (Rank, &'a TcpStream)>, shown: &str) -> Option<Box<dyn Vigil>> {
        let watched = Watch::new().and_then(|watch| {
            for (rank, stream) in lines {
                watch.add_end(stream, u64::from(rank))?;
            }
            Ok(watch)
        });
        match watched {
            Ok(watch) => Some(Box::new(Ends { watch, shown: shown.to_string() })),
            Err(error) => {
                say(Level::Warn, || format!("deaths are only noticed when a road fails: {error}"));
                None
            }
        }
    }
}

impl Vigil for Ends {
    fn departed(&mut self) -> Vec<(Rank, String)> {
        // A look that fails finds nothing; the roads still tell.
        let ready = self.watch.wait(Some(Instant::now())).unwrap_or_default();
        let ended = ready.into_iter().filter(|ready| ready.readable);
        ended
            .map(|ready| {
                (ready.token as Rank, format!("its line to {} ended: its process or host is gone", self.shown))
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
    fn an_end_is_told_once_and_words_are_left_to_who_reads() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut far = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut near, _) = listener.accept().unwrap();
        let mut vigil = Ends::of([(3, &near)].into_iter(), "rank 0").unwrap();
        far.write_all(b"word").unwrap();
        assert!(vigil.departed().is_empty());
        drop(far);
        let departed = vigil.departed();
        assert!(departed.len() == 1 && departed[0].0 == 3 && departed[0].1.contains("rank 0"), "{departed:?}");
        assert!(vigil.departed().is_empty());
        let mut word = [0; 4];
        near.read_exact(&mut word).unwrap();
        assert_eq!(&word, b"word");
    }
}
