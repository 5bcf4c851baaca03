//! MPI's statuses, which the two ABIs lay out differently.

use super::abi::{Abi, STATUS_INTS_MAX};
use std::ffi::{c_int, c_void};

/// Memory for one status of either ABI.
#[derive(Clone, Copy, Default)]
pub struct StatusMemory([u64; STATUS_INTS_MAX / 2]);

impl StatusMemory {
    /// Where the library writes.
    pub fn as_mut_ptr(&mut self) -> *mut c_void {
        self.0.as_mut_ptr().cast()
    }

    /// What it wrote.
    pub fn status(&self, abi: Abi) -> MpiStatus<'_> {
        MpiStatus { abi, ints: bytemuck::cast_slice(&self.0) }
    }
}

/// A status that the library wrote, or zeroes.
#[derive(Clone, Copy)]
pub struct MpiStatus<'a> {
    abi: Abi,
    ints: &'a [c_int],
}

impl MpiStatus<'_> {
    /// The sender.
    pub fn source(self) -> c_int {
        self.ints[self.abi.status_layout().source_at]
    }

    /// The code of the request's error, of a call that returned MPI_ERR_IN_STATUS.
    pub fn error(self) -> c_int {
        self.ints[self.abi.status_layout().error_at]
    }

    /// For the library's functions.
    pub fn as_ptr(&self) -> *const c_void {
        self.ints.as_ptr().cast()
    }
}

/// Statuses as an array of the library.
pub struct StatusList {
    abi: Abi,
    words: Vec<u64>,
}

impl StatusList {
    /// An empty list.
    pub fn new(abi: Abi) -> StatusList {
        StatusList { abi, words: Vec::new() }
    }

    /// Makes it `count` long.
    pub fn resize(&mut self, count: usize) {
        self.words.resize(count * STATUS_INTS_MAX / 2, 0);
    }

    /// The array.
    pub fn as_mut_ptr(&mut self) -> *mut c_void {
        self.words.as_mut_ptr().cast()
    }

    /// The status at that place.
    pub fn get(&self, at: usize) -> MpiStatus<'_> {
        let length = self.abi.status_layout().ints;
        MpiStatus { abi: self.abi, ints: &bytemuck::cast_slice(&self.words)[at * length..][..length] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_read_where_the_library_writes_them() {
        for (abi, ints, source_at, error_at) in [(Abi::OpenMpi, 6, 0, 2), (Abi::Mpich, 5, 2, 4)] {
            let mut list = StatusList::new(abi);
            list.resize(3);
            let written: &mut [c_int] = bytemuck::cast_slice_mut(&mut list.words);
            (0..3 * ints).for_each(|at| written[at] = at as c_int);
            let third = list.get(2);
            assert_eq!((third.source(), third.error()), ((2 * ints + source_at) as i32, (2 * ints + error_at) as i32));
            assert_eq!(third.as_ptr().addr(), list.words.as_ptr().addr() + 8 * ints);
        }
    }
}
