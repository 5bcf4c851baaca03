//! A file that rank 0 writes and the others read: the addresses at which rank 0 listens, and a secret of this meeting.
//!
//! ```text
//!   mobula rendezvous 1
//!   secret 64 hexadecimal digits
//!   port 41234
//!   address 10.0.0.3
//!   address fd00::3
//! ```
//!
//! The file is written whole or not at all. A file of an earlier run leads to no listener, or to one that cannot prove
//! the secret.

use crate::boot::LocateError;
use crate::boot::private::{self, from_hex, hex};
use crate::transport::tcp::handshake::Secret;
use std::fs::File;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

const FIRST_LINE: &str = "mobula rendezvous 1";

/// The content of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RendezvousFile {
    /// The secret of this meeting.
    pub secret: Secret,
    /// The port at which rank 0 listens.
    pub port: u16,
    /// Rank 0's addresses, in the order to try them.
    pub addresses: Vec<IpAddr>,
}

impl RendezvousFile {
    /// Writes the file; it exists until the guard is dropped.
    ///
    /// # Errors
    /// What the system reports; `PermissionDenied` if there is a file of another user.
    pub fn publish(&self, path: &Path) -> std::io::Result<Published> {
        let text = self.encode();
        private::replace(path, &text)?;
        Ok(Published { path: path.to_path_buf(), text })
    }

    /// Reads the file; why it cannot be used, otherwise.
    pub fn read(path: &Path) -> Result<RendezvousFile, LocateError> {
        let text = private::read(path).map_err(|error| {
            if error.kind() == ErrorKind::NotFound {
                // If the folder is on another host (NFS), opening it makes the kernel refresh its entries.
                let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
                drop(File::open(folder.unwrap_or(Path::new("."))));
                return LocateError::NotWritten;
            }
            LocateError::File(error)
        })?;
        RendezvousFile::decode(&text).ok_or(LocateError::Malformed)
    }

    /// Removes the file, unless a later run has replaced it.
    pub fn remove(&self, path: &Path) {
        drop(Published { path: path.to_path_buf(), text: self.encode() });
    }

    /// The secret that the ranks prove: the meeting's, which is new each time, and with it the one that the user
    /// configured, if any.
    pub fn proven_secret(&self, given: Option<&Secret>) -> Secret {
        given.map_or_else(|| self.secret.clone(), |given| given.derive(&hex(self.secret.bytes())))
    }

    /// The socket addresses to connect to.
    pub fn sockets(&self) -> Vec<SocketAddr> {
        self.addresses.iter().map(|address| SocketAddr::new(*address, self.port)).collect()
    }

    /// The text of the file.
    pub fn encode(&self) -> String {
        let head = format!("{FIRST_LINE}\nsecret {}\nport {}\n", hex(self.secret.bytes()), self.port);
        self.addresses.iter().fold(head, |text, address| text + &format!("address {address}\n"))
    }

    /// The content of a text; `None` if it is malformed.
    pub fn decode(text: &str) -> Option<RendezvousFile> {
        let mut lines = text.lines();
        if lines.next()? != FIRST_LINE {
            return None;
        }
        let secret = Secret::from_bytes(from_hex(lines.next()?.strip_prefix("secret ")?)?);
        let port = lines.next()?.strip_prefix("port ")?.parse().ok()?;
        let addresses: Option<Vec<IpAddr>> = lines.map(|line| line.strip_prefix("address ")?.parse().ok()).collect();
        addresses.filter(|addresses| !addresses.is_empty()).map(|addresses| RendezvousFile { secret, port, addresses })
    }
}

/// The written file: removed on drop, unless a later run has replaced it.
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

    fn file(port: u16) -> RendezvousFile {
        let addresses = ["10.0.0.3", "fd00::3"].map(|address| address.parse().unwrap());
        RendezvousFile { secret: Secret::random(), port, addresses: addresses.to_vec() }
    }

    #[test]
    fn published_file_is_read_until_it_is_dropped() {
        let folder = Folder::new();
        let path = folder.0.join("meet");
        assert!(RendezvousFile::read(&path).unwrap_err().to_string().contains("not written it yet"));
        let file = file(5000);
        let published = file.publish(&path).unwrap();
        assert_eq!(RendezvousFile::read(&path).unwrap(), file);
        assert_eq!(file.sockets()[1].to_string(), "[fd00::3]:5000");
        drop(published);
        assert!(folder.names().is_empty());
    }

    #[test]
    fn drop_keeps_the_file_of_a_later_run() {
        let folder = Folder::new();
        let path = folder.0.join("meet");
        let earlier = file(5000).publish(&path).unwrap();
        let later = file(5001);
        let published = later.publish(&path).unwrap();
        drop(earlier);
        assert_eq!(RendezvousFile::read(&path).unwrap(), later);
        drop(published);
    }

    #[test]
    fn decode_of_malformed_file_returns_none() {
        let good = file(5000).encode();
        assert!(RendezvousFile::decode(&good).is_some());
        for length in 0..good.len() - "address 10.0.0.3\naddress fd00::3\n".len() {
            assert_eq!(RendezvousFile::decode(&good[..length]), None, "{}", &good[..length]);
        }
        assert_eq!(RendezvousFile::decode(&good.replace("port 5000", "port 70000")), None);
        assert_eq!(RendezvousFile::decode(&(good + "something else\n")), None);
    }
}
