//! The secret of a job, which only its ranks hold.
//!
//! The source is `MOBULA_SECRET`, else `$HOME/.mobula/secret`, which the first rank that needs it creates and the
//! others of a shared home directory read. A job's secret is derived from the source by the job's name, so that two
//! jobs of one user cannot meet.

use super::private;
use crate::base::config::SecretSource;
use crate::base::{Config, Error, Result};
use crate::transport::tcp::handshake::Secret;
use std::io::ErrorKind;
use std::path::Path;

/// The secret that the user configured, if any.
///
/// # Errors
/// `Error::Config` if the file that holds it does not exist or is not private.
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
                    .caused_by(&error)
            })?;
            match text.trim() {
                "" => Err(Error::config(format!("MOBULA_SECRET=@{}: the file is empty", path.display()))),
                text => Ok(Some(Secret::from_text(text))),
            }
        }
    }
}

/// The secret that the user configured, else the one in the home directory.
///
/// # Errors
/// `Error::Config` if there is no home directory, or the file there is not private.
pub fn of_user(config: &Config) -> Result<Secret> {
    if let Some(secret) = given(config)? {
        return Ok(secret);
    }
    let user_folder = std::env::var_os("HOME").filter(|user_folder| !user_folder.is_empty());
    let user_folder = user_folder.ok_or_else(|| {
        Error::config(
            "HOME is not set, so the secret that authenticates the ranks cannot be stored: set MOBULA_SECRET, to \
             the same text on every rank",
        )
    })?;
    in_user_folder(Path::new(&user_folder)).map_err(|error| {
        Error::config(format!(
            "the secret that authenticates the ranks cannot be stored in {}/.mobula: {error}; or set MOBULA_SECRET, to \
             the same text on every rank",
            Path::new(&user_folder).display()
        ))
        .caused_by(&error)
    })
}

fn in_user_folder(user_folder: &Path) -> std::io::Result<Secret> {
    let folder = user_folder.join(".mobula");
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
        let text =
            format!("{} does not hold 64 hexadecimal digits: remove it, and a new one is created", path.display());
        std::io::Error::new(ErrorKind::InvalidData, text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boot::private::tests::Folder;

    #[test]
    fn all_ranks_of_a_home_directory_read_one_secret() {
        let user_folder = &Folder::new();
        let secrets: Vec<Secret> = std::thread::scope(|scope| {
            let ranks: Vec<_> = (0..8).map(|_| scope.spawn(|| in_user_folder(&user_folder.0).unwrap())).collect();
            ranks.into_iter().map(|rank| rank.join().unwrap()).collect()
        });
        assert!(secrets.iter().all(|secret| *secret == secrets[0]));
        assert_ne!(in_user_folder(&Folder::new().0).unwrap(), secrets[0], "another home directory, another secret");
    }

    #[test]
    fn malformed_secret_file_is_an_error() {
        let user_folder = Folder::new();
        in_user_folder(&user_folder.0).unwrap();
        let path = user_folder.0.join(".mobula/secret");
        private::replace(&path, "not hex").unwrap();
        assert!(in_user_folder(&user_folder.0).unwrap_err().to_string().contains("remove it"));
    }

    #[test]
    fn configured_secret_is_text_or_a_private_file() {
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
