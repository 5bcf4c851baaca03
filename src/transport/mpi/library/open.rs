//! Opens the library that a setting names, or that belongs to the launcher.
#![allow(unsafe_code)]

use super::abi::Abi;
use super::loaded::{LoadedMpi, Symbols, UnknownLibrary, choose, loaded};
use super::search::{self, Places};
use std::ffi::{CStr, CString, c_int};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Why no library was opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MpiLibraryError {
    /// The program has loaded one that cannot be used, beside which none may be opened.
    #[error("the MPI library that this program has loaded cannot be used: {0}")]
    OfProgram(#[from] UnknownLibrary),
    /// The setting names one that cannot be used.
    #[error("MOBULA_MPI_LIBRARY={}: {reason}", path.display())]
    Named { path: PathBuf, reason: String },
    /// None is where libraries of the launcher are looked for; each ABI has a part of the text.
    #[error("{}", looked_for.join("; "))]
    NotFound { looked_for: Vec<String> },
}

/// The library of this process: the one that it has loaded, else the one that `named` is the path of, else one of the
/// launcher's ABI; if it may speak to several, of the first of which one is found.
///
/// # Errors
/// What was looked for, and why it cannot be used.
pub fn open(named: Option<&Path>, abis: &[Abi]) -> Result<&'static LoadedMpi, MpiLibraryError> {
    if let Some(mpi) = loaded()? {
        return Ok(mpi);
    }
    let found = match named {
        Some(path) => open_file(path, None)
            .map_err(|reason| MpiLibraryError::Named { path: path.to_path_buf(), reason: reason.to_string() })?,
        None => find(abis)?,
    };
    Ok(choose(found))
}

fn find(abis: &[Abi]) -> Result<LoadedMpi, MpiLibraryError> {
    let folders = search::folders(&Places::of_this_process());
    let mut looked_for = Vec::new();
    for &abi in abis {
        let mut unusable = Vec::new();
        for path in search::candidates(abi, &folders, |path| path.exists()) {
            match open_file(&path, Some(abi)) {
                Ok(mpi) => return Ok(mpi),
                // A name that the loader does not find is in the list of names.
                Err(OpenError::Loader(_)) if path.is_relative() => {}
                Err(reason) => unusable.push(format!("{}: {reason}", path.display())),
            }
        }
        looked_for.push(search::description(abi, &folders, &unusable));
    }
    Err(MpiLibraryError::NotFound { looked_for })
}

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
enum OpenError {
    #[error("{0}")]
    Loader(String),
    #[error("it is a library of {0}")]
    OtherAbi(Abi),
    #[error("{0}")]
    Unknown(#[from] UnknownLibrary),
}

/// Opens a file, or what the system's loader finds by a name, if it is of the ABI that is asked for. Its constructors
/// run here.
fn open_file(path: &Path, abi: Option<Abi>) -> Result<LoadedMpi, OpenError> {
    let no_path = |_| OpenError::Loader("its name has a zero byte".to_string());
    let name = CString::new(path.as_os_str().as_bytes()).map_err(no_path)?;
    // Not for all to see yet: it may be another library than the one that is looked for.
    let symbols = dlopen(&name, libc::RTLD_LOCAL).map_err(OpenError::Loader)?;
    let loaded = symbols.abi().map_err(OpenError::Unknown).and_then(|found| match abi {
        Some(wanted) if found != wanted => Err(OpenError::OtherAbi(found)),
        _ => symbols.load(found).map_err(OpenError::Unknown),
    });
    match &loaded {
        // Open MPI opens its plugins later, which look for its functions among those of the program.
        Ok(mpi) if mpi.abi == Abi::OpenMpi => {
            dlopen(&name, libc::RTLD_GLOBAL | libc::RTLD_NOLOAD).map_err(OpenError::Loader)?;
        }
        Ok(_) => {}
        Err(_) => {
            // SAFETY: nothing of the library is used any more.
            unsafe { libc::dlclose(symbols.0) };
        }
    }
    loaded
}

fn dlopen(name: &CStr, flags: c_int) -> Result<Symbols, String> {
    // SAFETY: this runs the library's constructors; an MPI library may be loaded at any time before MPI_Init. The text
    // of the error belongs to this thread until its next call of the loader.
    unsafe {
        let handle = libc::dlopen(name.as_ptr(), libc::RTLD_NOW | flags);
        if !handle.is_null() {
            return Ok(Symbols(handle));
        }
        let why = libc::dlerror();
        let text = if why.is_null() { c"the loader says no reason" } else { CStr::from_ptr(why) };
        Err(text.to_string_lossy().into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_library_that_cannot_be_used_is_an_error_that_names_it() {
        let error = |path: &str| open(Some(Path::new(path)), &[]).err().expect("it is none").to_string();
        let missing = error("/no/such/libmpi.so");
        assert!(
            missing.contains("MOBULA_MPI_LIBRARY=/no/such/libmpi.so: ") && missing.contains("No such"),
            "{missing}"
        );
        let other = error("libc.so.6");
        assert!(other.contains("MOBULA_MPI_LIBRARY=libc.so.6: it has no \"MPI_Init_thread\""), "{other}");
    }
}
