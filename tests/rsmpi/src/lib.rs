//! The guide for MPI programs, whose examples use the crate `mpi`: they compile and run.

#[cfg(all(doctest, feature = "mpi"))]
#[doc = include_str!("../../../docs/guide/from-mpi.md")]
struct GuideFromMpi;
