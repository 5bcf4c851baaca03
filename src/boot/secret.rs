//! Where a job's secret comes from: the ranks of a job hold the same one, and nobody else does.
//!
//! `MOBULA_SECRET`, else `$HOME/.mobula/secret`, which the first rank that needs it makes and the others of a shared home
//! read. A job's own is derived from it by the job's name, so that two jobs of one user cannot meet.

use super::private;
use crate::base::config::SecretSource;
use crate::base::{Config, Error, Result};
use crate::transport::tcp::handshake::Secret;
use std::io::ErrorKind;
use std::path::Path;

/// What the user gave, where they gave one.
///
/// # Errors
/// `Error::Config` where the file that holds it is not there or not private.
pub fn given(config: &Config) -> Result<Option<Secret>> {
    from(config.secret.as_ref())
}

fn from(source: Option<&SecretSource>) -> Result<Option<Secret>> {
    match source {
        None => Ok(None),
        Some(SecretSource::Text(text)) => Ok(Some(Secret::from_text(text))),
        Some(SecretSource::File(path)) => {
            let text = private::read(path).map_err(|error| {
                Error::config(format!("MOBULA_SECRET=@{}: the file cannot be used: {error}", path.display()))
            })?;
            match text.trim() {
                "" => Err(Error::config(format!("MOBULA_SECRET=@{}: the file is empty", path.display()))),
                text => Ok(Some(Secret::from_text(text))),
            }
        }
    }
}

/// What the user gave, else the one in their home.
///
/// # Errors
/// `Error::Config` where there is no home, or what lies there is not private.
pub fn of_user(config: &Config) -> Result<Secret> {
    if let Some(secret) = given(config)? {
        return Ok(secret);
    }
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty());
    let home = home.ok_or_else(|| {
        Error::config(
            "HOME is not set, so there is no place for the secret that the ranks prove to each other: set MOBULA_SECRET, to \
             the same text on every rank",
        )
    })?;
    in_home(Path::new(&home)).map_err(|error| {
        Error::config(format!(
            "the secret that the ranks prove to each other cannot be kept in {}/.mobula: {error}; or set MOBULA_SECRET, to \
             the same text on every rank",
            Path::new(&home).display()
        ))
    })
}

fn in_home(home: &Path) -> std::io::Result<Secret> {
    let folder = home.join(".mobula");
    let path = folder.join("secret");
    private::folder(&folder)?;
    let text = match private::read(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            private::create(&path, &format!("{}\n", private::hex(Secret::random().bytes())))?;
            private::read(&path)?
        }
        read => read?,
    };
    private::from_hex(text.trim()).map(Secret::from_bytes).ok_or_else(|| {
        let text = format!("{} does not hold 64 hexadecimal digits: remove it, and a new one is made", path.display());
        std::io::Error::new(ErrorKind::InvalidData, text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boot::private::tests::Folder;

    #[test]
    fn every_rank_of_a_home_has_the_same() {
        let home = &Folder::new();
        let secrets: Vec<Secret> = std::thread::scope(|scope| {
            let ranks: Vec<_> = (0..8).map(|_| scope.spawn(|| in_home(&home.0).unwrap())).collect();
            ranks.into_iter().map(|rank| rank.join().unwrap()).collect()
        });
        assert!(secrets.iter().all(|secret| *secret == secrets[0]));
        assert_ne!(in_home(&Folder::new().0).unwrap(), secrets[0], "another home, another secret");
    }

    #[test]
    fn a_spoilt_file_is_named() {
        let home = Folder::new();
        in_home(&home.0).unwrap();
        let path = home.0.join(".mobula/secret");
        private::replace(&path, "not hex").unwrap();
        assert!(in_home(&home.0).unwrap_err().to_string().contains("remove it"));
    }

    #[test]
    fn a_given_one_is_text_or_a_private_file() {
        let folder = Folder::new();
        let path = folder.0.join("job");
        private::create(&path, "pass phrase\n").unwrap();
        let from_file = from(Some(&SecretSource::File(path.clone()))).unwrap();
        assert_eq!(from_file, from(Some(&SecretSource::Text("pass phrase".to_string()))).unwrap());
        assert_eq!(from(None).unwrap(), None);
        private::replace(&path, "\n").unwrap();
        assert!(from(Some(&SecretSource::File(path))).unwrap_err().to_string().contains("empty"));
        let missing = from(Some(&SecretSource::File("/no/such".into()))).unwrap_err().to_string();
        assert!(missing.contains("/no/such") && missing.contains("MOBULA_SECRET"), "{missing}");
    }
}
