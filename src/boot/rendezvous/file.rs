//! A file that rank 0 writes and the others read: where rank 0 listens, and a secret of this meeting.
//!
//! ```text
//!   mobula rendezvous 1
//!   secret 64 hexadecimal digits
//!   port 41234
//!   address 10.0.0.3
//!   address fd00::3
//! ```
//!
//! It is there whole or not at all. One of an earlier run leads nowhere, or to somebody who cannot prove its secret.

use crate::boot::private::{self, from_hex, hex};
use crate::transport::tcp::handshake::Secret;
use std::fs::File;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

const FIRST_LINE: &str = "mobula rendezvous 1";

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Made for this meeting.
    pub secret: Secret,
    /// Where rank 0 listens.
    pub port: u16,
    /// Rank 0's, in the order to try them.
    pub addresses: Vec<IpAddr>,
}

impl Notice {
    /// Puts it where the others look, until the guard is dropped.
    ///
    /// # Errors
    /// As the system says; `PermissionDenied` where somebody else's file lies there.
    pub fn publish(&self, path: &Path) -> std::io::Result<Published> {
        let text = self.encode();
        private::replace(path, &text)?;
        Ok(Published { path: path.to_path_buf(), text })
    }

    /// What lies there, or why nothing that could be used does.
    pub fn look(path: &Path) -> Result<Notice, String> {
        let text = private::read(path).map_err(|error| {
            if error.kind() == ErrorKind::NotFound {
                // Where the folder is another host's (NFS), opening it makes the kernel ask again what is in it.
                let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
                drop(File::open(folder.unwrap_or(Path::new("."))));
                return "rank 0 has not written it yet".to_string();
            }
            error.to_string()
        })?;
        Notice::decode(&text).ok_or_else(|| "what it holds was not written by rank 0".to_string())
    }

    /// Where to connect to.
    pub fn sockets(&self) -> Vec<SocketAddr> {
        self.addresses.iter().map(|address| SocketAddr::new(*address, self.port)).collect()
    }

    fn encode(&self) -> String {
        let head = format!("{FIRST_LINE}\nsecret {}\nport {}\n", hex(self.secret.bytes()), self.port);
        self.addresses.iter().fold(head, |text, address| text + &format!("address {address}\n"))
    }

    fn decode(text: &str) -> Option<Notice> {
        let mut lines = text.lines();
        if lines.next()? != FIRST_LINE {
            return None;
        }
        let secret = Secret::from_bytes(from_hex(lines.next()?.strip_prefix("secret ")?)?);
        let port = lines.next()?.strip_prefix("port ")?.parse().ok()?;
        let addresses: Option<Vec<IpAddr>> = lines.map(|line| line.strip_prefix("address ")?.parse().ok()).collect();
        addresses.filter(|addresses| !addresses.is_empty()).map(|addresses| Notice { secret, port, addresses })
    }
}

/// The file while it is of use: dropping this removes it, unless a later run has written its own.
pub struct Published {
    path: PathBuf,
    text: String,
}

impl Drop for Published {
    fn drop(&mut self) {
        if private::read(&self.path).is_ok_and(|text| text == self.text) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boot::private::tests::Folder;

    fn notice(port: u16) -> Notice {
        let addresses = ["10.0.0.3", "fd00::3"].map(|address| address.parse().unwrap());
        Notice { secret: Secret::random(), port, addresses: addresses.to_vec() }
    }

    #[test]
    fn what_rank_0_writes_the_others_read_until_it_is_gone() {
        let folder = Folder::new();
        let path = folder.0.join("meet");
        assert!(Notice::look(&path).unwrap_err().contains("not written it yet"));
        let notice = notice(5000);
        let published = notice.publish(&path).unwrap();
        assert_eq!(Notice::look(&path), Ok(notice.clone()));
        assert_eq!(notice.sockets()[1].to_string(), "[fd00::3]:5000");
        drop(published);
        assert!(folder.names().is_empty());
    }

    #[test]
    fn a_later_run_takes_over_and_the_earlier_one_leaves_its_file_alone() {
        let folder = Folder::new();
        let path = folder.0.join("meet");
        let earlier = notice(5000).publish(&path).unwrap();
        let later = notice(5001);
        let published = later.publish(&path).unwrap();
        drop(earlier);
        assert_eq!(Notice::look(&path), Ok(later));
        drop(published);
    }

    #[test]
    fn what_is_no_notice_is_refused() {
        let good = notice(5000).encode();
        assert!(Notice::decode(&good).is_some());
        for length in 0..good.len() - "address 10.0.0.3\naddress fd00::3\n".len() {
            assert_eq!(Notice::decode(&good[..length]), None, "{}", &good[..length]);
        }
        assert_eq!(Notice::decode(&good.replace("port 5000", "port 70000")), None);
        assert_eq!(Notice::decode(&(good + "something else\n")), None);
    }
}
