//! Compares the tables with the headers of the libraries that are installed: a C program prints each value as the
//! compiler sees it.

use super::*;
use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

/// `NAME VALUE` a line. A handle of Open MPI is the name of the variable whose address it is.
const PROGRAM: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <mpi.h>
#include <stddef.h>
#include <stdio.h>
#define NUMBER(name) printf("%s %lld\n", #name, (long long)(name))
#ifdef OPEN_MPI
#define HANDLE(name, variable) printf("%s %d\n", #name, (void *)(name) == dlsym(RTLD_DEFAULT, variable))
#else
#define HANDLE(name, variable) printf("%s %lld\n", #name, (long long)(int)(name))
#endif
int main(void) {
#ifdef OPEN_MPI
    puts("OPEN_MPI 1");
#else
    puts("OPEN_MPI 0");
#endif
    HANDLE(MPI_COMM_WORLD, "ompi_mpi_comm_world");
    HANDLE(MPI_COMM_NULL, "ompi_mpi_comm_null");
    HANDLE(MPI_BYTE, "ompi_mpi_byte");
    HANDLE(MPI_INFO_NULL, "ompi_mpi_info_null");
    HANDLE(MPI_WIN_NULL, "ompi_mpi_win_null");
    HANDLE(MPI_ERRORS_RETURN, "ompi_mpi_errors_return");
    HANDLE(MPI_REQUEST_NULL, "ompi_request_null");
    NUMBER(MPI_ANY_SOURCE);
    NUMBER(MPI_ERR_IN_STATUS);
    NUMBER(MPI_MODE_NOCHECK);
    NUMBER(MPI_WIN_MODEL);
    NUMBER(MPI_WIN_UNIFIED);
    NUMBER(MPI_SUCCESS);
    NUMBER(MPI_THREAD_MULTIPLE);
    NUMBER(MPI_MAX_ERROR_STRING);
    NUMBER(MPI_MAX_LIBRARY_VERSION_STRING);
    NUMBER(sizeof(MPI_Comm));
    NUMBER(sizeof(MPI_Request));
    NUMBER(sizeof(MPI_Aint));
    NUMBER(sizeof(MPI_Status));
    NUMBER(offsetof(MPI_Status, MPI_SOURCE));
    NUMBER(offsetof(MPI_Status, MPI_ERROR));
    return 0;
}
"#;

/// The values that a compiler of an MPI library gives; `None` if it is not installed.
fn values_of(compiler: &str) -> Option<BTreeMap<String, i64>> {
    let program = std::env::temp_dir().join(format!("mobula-abi-{}", std::process::id()));
    let mut command = Command::new(compiler);
    command.args(["-x", "c", "-", "-x", "none", "-ldl", "-o"]).arg(&program).stdin(Stdio::piped());
    let mut child = command.spawn().ok()?;
    child.stdin.take().expect("it is piped").write_all(PROGRAM.as_bytes()).expect("the compiler reads it");
    assert!(child.wait().expect("it was started").success(), "{compiler} refuses the program");
    let printed = Command::new(&program).output().expect("it was built");
    std::fs::remove_file(&program).expect("it is there");
    let text = String::from_utf8(printed.stdout).expect("numbers");
    let values = text.lines().filter_map(|line| line.rsplit_once(' '));
    Some(values.map(|(name, value)| (name.to_string(), value.parse().expect("a number"))).collect())
}

fn compare(compiler: &str, values: &BTreeMap<String, i64>) -> Abi {
    let (abi, constants) = match values["OPEN_MPI"] {
        1 => {
            // Where each handle is the address of its variable, the program has printed 1.
            let one = Handle::of_number(1);
            let found = Constants::of_open_mpi(|_| Some(1)).expect("no variable is missing");
            assert_eq!(found.comm_world, one);
            (Abi::OpenMpi, found)
        }
        _ => (Abi::Mpich, Constants::MPICH),
    };
    let handles = [
        ("MPI_COMM_WORLD", constants.comm_world),
        ("MPI_COMM_NULL", constants.comm_null),
        ("MPI_BYTE", constants.byte),
        ("MPI_INFO_NULL", constants.info_null),
        ("MPI_WIN_NULL", constants.win_null),
        ("MPI_ERRORS_RETURN", constants.errors_return),
    ];
    for (name, handle) in handles {
        assert_eq!(Handle::of_number(values[name] as c_int), handle, "{compiler}: {name}");
    }
    let null = Request::of_handle(Handle::of_number(values["MPI_REQUEST_NULL"] as c_int));
    assert!(null.is(constants.request_null, abi), "{compiler}: MPI_REQUEST_NULL");
    let handle_bytes = match abi {
        Abi::OpenMpi => 8,
        Abi::Mpich => 4,
    };
    let status = abi.status_layout();
    for (name, number) in [
        ("MPI_ANY_SOURCE", constants.any_source.into()),
        ("MPI_ERR_IN_STATUS", constants.err_in_status.into()),
        ("MPI_MODE_NOCHECK", constants.mode_nocheck.into()),
        ("MPI_WIN_MODEL", constants.win_model.into()),
        ("MPI_WIN_UNIFIED", constants.win_unified.into()),
        ("MPI_SUCCESS", SUCCESS.into()),
        ("MPI_THREAD_MULTIPLE", THREAD_MULTIPLE.into()),
        ("sizeof(MPI_Comm)", handle_bytes),
        ("sizeof(MPI_Request)", handle_bytes),
        ("sizeof(MPI_Aint)", size_of::<isize>() as i64),
        ("sizeof(MPI_Status)", (status.ints * 4) as i64),
        ("offsetof(MPI_Status, MPI_SOURCE)", (status.source_at * 4) as i64),
        ("offsetof(MPI_Status, MPI_ERROR)", (status.error_at * 4) as i64),
    ] {
        assert_eq!(values[name], number, "{compiler}: {name}");
    }
    assert!(values["MPI_MAX_ERROR_STRING"] <= ERROR_STRING_MAX as i64, "{compiler}");
    assert!(values["MPI_MAX_LIBRARY_VERSION_STRING"] <= VERSION_STRING_MAX as i64, "{compiler}");
    abi
}

#[test]
fn constants_and_layouts_are_those_of_the_headers() {
    let named = std::env::var("MPICC").unwrap_or_default();
    let mut compared = Vec::new();
    for compiler in [named.as_str(), "mpicc.openmpi", "mpicc.mpich", "mpicc"].iter().filter(|name| !name.is_empty()) {
        match values_of(compiler) {
            Some(values) => compared.push(compare(compiler, &values)),
            None => println!("left out: {compiler} is not installed"),
        }
    }
    println!("compared: {compared:?}");
}
