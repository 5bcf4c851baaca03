//! Tiled Cholesky factorization `A = L L^T`: a task graph without a hand-written schedule.
//!
//! The right-looking algorithm on tiles (Buttari, Langou, Kurzak, Dongarra: *A class of parallel tiled linear algebra
//! algorithms for multicore architectures*, 2009). A task takes references to tiles and returns a new one; the
//! dependences follow from the references alone.
//!
//! ```text
//! for k:  L[k][k] = potrf(A[k][k])
//!         for i > k:      L[i][k] = trsm(A[i][k], L[k][k])
//!         for i > k:      A[i][i] = syrk(A[i][i], L[i][k])
//!         for i > j > k:  A[i][j] = gemm(A[i][j], L[i][k], L[j][k])
//! ```
//!
//! Owns: the matrix, the kernels, the graph, the check. Never: an order of execution.

mod command;
mod graph;
mod kernels;
mod matrix;

pub use command::{Options, run};
