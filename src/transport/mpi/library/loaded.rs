//! The library that this process uses: its functions with its constants (MPI-LIBRARY-2).
#![allow(unsafe_code)]

use super::abi::{Abi, Constants, OPEN_MPI_WORLD, SUCCESS, VERSION_STRING_MAX};
use super::functions::Functions;
use super::handle::{Handle, RawComm};
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr::NonNull;
use std::sync::OnceLock;

/// A loaded MPI library.
pub struct LoadedMpi {
    /// Its ABI.
    pub abi: Abi,
    /// Its constants.
    pub constants: Constants,
    /// Its functions.
    pub call: Functions,
    /// MPI_Comm_f2c of Open MPI.
    comm_f2c: Option<CommF2c>,
}

/// The process's library (MPI-LIBRARY-1).
static LOADED: OnceLock<LoadedMpi> = OnceLock::new();

/// The library that was chosen, or that the program has loaded itself, which is chosen from now on; `None` if there is
/// none.
///
/// # Errors
/// Why the one that the program has loaded cannot be used. No other may be opened then (MPI-LIBRARY-1).
pub fn loaded() -> Result<Option<&'static LoadedMpi>, UnknownLibrary> {
    match LOADED.get() {
        Some(mpi) => Ok(Some(mpi)),
        None => Ok(of_program()?.map(choose)),
    }
}

/// Chooses a library, unless one was chosen before; returns the chosen one.
pub(super) fn choose(mpi: LoadedMpi) -> &'static LoadedMpi {
    LOADED.get_or_init(|| mpi)
}

/// Why a library cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownLibrary {
    /// It lacks a function or variable.
    #[error("it has no {0:?}")]
    Lacks(&'static CStr),
    /// It says what it is, and that is none of those that are known.
    #[error("its ABI is not known, neither that of Open MPI nor that of MPICH: {0}")]
    OtherAbi(String),
}

/// What `dlopen` returned, or one of its special values.
#[derive(Clone, Copy)]
pub(super) struct Symbols(pub(super) *mut c_void);

impl Symbols {
    fn find(self, name: &CStr) -> Option<NonNull<c_void>> {
        // SAFETY: the handle is that of a library which stays open while it is looked into.
        NonNull::new(unsafe { libc::dlsym(self.0, name.as_ptr()) })
    }

    /// The ABI of the library.
    ///
    /// # Errors
    /// `Lacks` if it is no MPI library, `OtherAbi` if it is one that cannot be called.
    pub(super) fn abi(self) -> Result<Abi, UnknownLibrary> {
        self.required(c"MPI_Init_thread")?;
        if let Some((major, minor)) = self.standard_abi() {
            return Err(UnknownLibrary::OtherAbi(format!("the standard ABI of MPI, version {major}.{minor}")));
        }
        if self.find(OPEN_MPI_WORLD).is_some() {
            return Ok(Abi::OpenMpi);
        }
        // SAFETY: every MPI library has this function with these arguments, which hold no handle.
        let get_version =
            unsafe { std::mem::transmute::<NonNull<c_void>, GetVersion>(self.required(c"MPI_Get_library_version")?) };
        let version = version_by(get_version);
        if is_of_mpich(&version) {
            return Ok(Abi::Mpich);
        }
        Err(UnknownLibrary::OtherAbi(version.lines().next().unwrap_or_default().to_string()))
    }

    /// The version of the ABI that MPI 5 defines, if the library has that one. MPICH and Open MPI each build a library
    /// of it beside their own, which says the same of its name and version.
    fn standard_abi(self) -> Option<(c_int, c_int)> {
        type GetAbi = unsafe extern "C" fn(*mut c_int, *mut c_int) -> c_int;
        let found = self.find(c"MPI_Abi_get_version")?;
        let (mut major, mut minor): (c_int, c_int) = (-1, -1);
        // SAFETY: the standard gives the function these arguments, and lets it be called before MPI is initialized.
        let code = unsafe {
            let get_abi = std::mem::transmute::<NonNull<c_void>, GetAbi>(found);
            get_abi(&mut major, &mut minor)
        };
        (code == SUCCESS && major >= 0).then_some((major, minor))
    }

    fn required(self, name: &'static CStr) -> Result<NonNull<c_void>, UnknownLibrary> {
        self.find(name).ok_or(UnknownLibrary::Lacks(name))
    }

    /// The functions and constants of a library, whose ABI is what [`Symbols::abi`] returned.
    pub(super) fn load(self, abi: Abi) -> Result<LoadedMpi, UnknownLibrary> {
        // SAFETY: all come from one library, or from what a profiler has put before it, and that library is of an ABI
        // that `Handle` describes.
        let call = unsafe { Functions::find(|name| self.find(name)) }.map_err(UnknownLibrary::Lacks)?;
        let constants = match abi {
            Abi::OpenMpi => Constants::of_open_mpi(|name| self.find(name).map(|found| found.addr().get()))
                .map_err(UnknownLibrary::Lacks)?,
            Abi::Mpich => Constants::MPICH,
        };
        let comm_f2c = match abi {
            // SAFETY: the standard gives this function this argument and result.
            Abi::OpenMpi => {
                Some(unsafe { std::mem::transmute::<NonNull<c_void>, CommF2c>(self.required(c"MPI_Comm_f2c")?) })
            }
            Abi::Mpich => None,
        };
        Ok(LoadedMpi { abi, constants, call, comm_f2c })
    }

    /// The library that the program has loaded, if these symbols are of one.
    fn of_program(self) -> Result<Option<LoadedMpi>, UnknownLibrary> {
        match self.abi().and_then(|abi| self.load(abi)) {
            Ok(mpi) => Ok(Some(mpi)),
            // No library: at most a profiler, which has the functions that it wraps under their first names only.
            Err(_) if self.find(c"PMPI_Init_thread").is_none() => Ok(None),
            Err(unknown) => Err(unknown),
        }
    }
}

/// True if the version is that of a library with MPICH's ABI.
fn is_of_mpich(version: &str) -> bool {
    ["MPICH", "Intel(R) MPI", "MVAPICH"].iter().any(|name| version.contains(name))
}

/// The library that the program is linked with, or has opened.
fn of_program() -> Result<Option<LoadedMpi>, UnknownLibrary> {
    if let Some(mpi) = Symbols(libc::RTLD_DEFAULT).of_program()? {
        return Ok(Some(mpi));
    }
    for file in loaded_files() {
        // SAFETY: this opens nothing, and so runs no code: it finds what is loaded already.
        let handle = unsafe { libc::dlopen(file.as_ptr(), libc::RTLD_NOW | libc::RTLD_NOLOAD) };
        if !handle.is_null()
            && let Some(mpi) = Symbols(handle).of_program()?
        {
            return Ok(Some(mpi));
        }
    }
    Ok(None)
}

/// The files that are loaded, for all or for a part of the program alone, and are named as MPI libraries are:
/// `libmpi.so.40`, `libmpich.so.12`, `libmpi_gnu_91.so.12`, ..
fn loaded_files() -> Vec<CString> {
    unsafe extern "C" fn add(object: *mut libc::dl_phdr_info, _: usize, files: *mut c_void) -> c_int {
        // SAFETY: the loader describes an object that is loaded while this runs, and passes on what it got below.
        let (object, files) = unsafe { (&*object, &mut *files.cast::<Vec<CString>>()) };
        if !object.dlpi_name.is_null() {
            // SAFETY: as above; the name ends with a zero byte.
            let path = unsafe { CStr::from_ptr(object.dlpi_name) };
            let name = path.to_bytes().rsplit(|byte| *byte == b'/').next();
            if name.is_some_and(|name| name.starts_with(b"libmpi")) {
                files.push(path.to_owned());
            }
        }
        0
    }
    let mut files: Vec<CString> = Vec::new();
    // SAFETY: `add` takes a vector of this type, which nothing else uses until the call returns.
    unsafe { libc::dl_iterate_phdr(Some(add), (&raw mut files).cast()) };
    files
}

impl LoadedMpi {
    /// What the library says of itself: its name and version, and with MPICH many lines more.
    pub fn version(&self) -> String {
        version_by(self.call.get_library_version)
    }

    /// The handle of a communicator that the program has passed; `None` if it is one of the other ABI.
    pub fn handle_of(&self, comm: RawComm) -> Option<Handle> {
        match (comm, self.comm_f2c) {
            // SAFETY: the function takes any number.
            (RawComm::Fortran(number), Some(comm_f2c)) => Some(unsafe { comm_f2c(number) }),
            _ => comm.of_abi(self.abi),
        }
    }
}

/// MPI_Comm_f2c.
type CommF2c = unsafe extern "C" fn(c_int) -> Handle;

/// MPI_Get_library_version.
type GetVersion = unsafe extern "C" fn(*mut c_char, *mut c_int) -> c_int;

fn version_by(get_version: GetVersion) -> String {
    let mut text = [0u8; VERSION_STRING_MAX];
    let mut length: c_int = 0;
    // SAFETY: `text` is as long as either library requires; the function may be called before MPI is initialized.
    let code = unsafe { get_version(text.as_mut_ptr().cast(), &mut length) };
    let known = if code == SUCCESS { usize::try_from(length).unwrap_or(0).min(text.len()) } else { 0 };
    String::from_utf8_lossy(&text[..known]).trim_end_matches('\0').to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;
    use std::process::Command;

    #[test]
    fn program_without_mpi_has_none() {
        // Other tests of this process open none either: those that do are ranks of their own.
        assert!(loaded().is_ok_and(|mpi| mpi.is_none()));
    }

    #[test]
    fn libraries_of_other_abis_are_known_by_their_version() {
        for known in ["MPICH Version:\t4.0.2", "Intel(R) MPI Library 2021.9 for Linux* OS", "MVAPICH2 Version: 2.3.7"] {
            assert!(is_of_mpich(known), "{known}");
        }
        assert!(is_of_mpich("MPI VERSION    : CRAY MPICH version 8.1.29"));
        assert!(!is_of_mpich("HPE MPT 2.30"));
    }
    /// Compiles a library that says of itself what these definitions of the preprocessor say, and opens it for nobody
    /// else; `None` without a C compiler.
    fn library(name: &str, definitions: &[&str]) -> Option<Symbols> {
        let file = std::env::temp_dir().join(format!("{name}-{}.so", std::process::id()));
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/programs/other_mpi.c");
        let mut compile = Command::new("cc");
        let compiled = compile.args(["-shared", "-fPIC"]).args(definitions).arg("-o").arg(&file).arg(source).output();
        match compiled {
            Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
            Err(error) => {
                println!("left out: cc does not start: {error}");
                return None;
            }
        }
        let path = CString::new(file.as_os_str().as_bytes()).expect("a path has no zero byte");
        // SAFETY: the library has no constructors.
        let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        assert!(!handle.is_null(), "{} does not open", file.display());
        std::fs::remove_file(&file).expect("it is there");
        Some(Symbols(handle))
    }

    /// A library of the ABI of MPI 5 that calls itself MPICH was called as MPICH, whose handles are half as long.
    #[test]
    fn library_of_the_standard_abi_is_refused_whatever_it_calls_itself() {
        let Some(symbols) = library("mobula-standard", &["-DVERSION=\"MPICH Version: 5.0.2\"", "-DABI_MAJOR=1"]) else {
            return;
        };
        let error = symbols.abi().unwrap_err().to_string();
        assert!(
            error.contains("its ABI is not known") && error.contains("the standard ABI of MPI, version 1.0"),
            "{error}"
        );
        assert_eq!(symbols.of_program().err().map(|error| error.to_string()), Some(error));
    }

    #[test]
    fn mpich_that_knows_the_standard_abi_and_has_its_own_is_mpich() {
        let Some(symbols) = library("mobula-own", &["-DVERSION=\"MPICH Version: 5.0.2\"", "-DABI_MAJOR=-1"]) else {
            return;
        };
        assert_eq!(symbols.abi(), Ok(Abi::Mpich));
    }

    /// The program's own library was passed over, and a second one opened beside it.
    #[test]
    fn program_s_library_of_an_unknown_abi_is_an_error() {
        let Some(symbols) = library("mobula-unknown", &["-DVERSION=\"HPE MPT 2.30\""]) else { return };
        assert_eq!(symbols.of_program().err(), Some(UnknownLibrary::OtherAbi("HPE MPT 2.30".to_string())));
    }

    #[test]
    fn profiler_named_as_a_library_is_none_of_the_program() {
        let Some(symbols) = library("libmpi_of_nobody", &["-DVERSION=\"HPE MPT 2.30\"", "-DPROFILER"]) else { return };
        let named = |file: &CString| file.to_string_lossy().contains("/libmpi_of_nobody");
        assert!(loaded_files().iter().any(named), "it is loaded for this test alone");
        assert!(symbols.of_program().is_ok_and(|mpi| mpi.is_none()));
    }
}
