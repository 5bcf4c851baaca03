//! MPI's handles: addresses with Open MPI, numbers of 32 bits with MPICH.
#![allow(unsafe_code)]

use super::abi::Abi;
use std::ffi::c_int;

// A number of 32 bits is passed and returned in the low half of a register or word of 64 bits.
const _: () = assert!(cfg!(all(target_pointer_width = "64", target_endian = "little")), "see the feature `mpi`");

/// A communicator, window, datatype, info or error handler. With MPICH it is the number, with its sign extended, as
/// calling conventions want a number in a register.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handle(isize);

impl Handle {
    /// MPICH's handle of that number.
    pub const fn of_number(number: c_int) -> Handle {
        Handle(number as isize)
    }

    /// Open MPI's handle: the address of what it names.
    pub fn of_address(address: usize) -> Handle {
        Handle(address as isize)
    }

    /// This handle after a function has written it: MPICH writes the low half only.
    pub fn written_by(self, abi: Abi) -> Handle {
        match abi {
            Abi::OpenMpi => self,
            Abi::Mpich => Handle(self.0 as c_int as isize),
        }
    }
}

/// A request. It is only ever passed by its address: with MPICH the low half counts.
#[repr(transparent)]
#[derive(Clone, Copy, Debug)]
pub struct Request(u64);

impl Request {
    /// The request of that handle.
    pub const fn of_handle(handle: Handle) -> Request {
        Request(handle.0 as u64)
    }

    /// True if both are the same.
    pub fn is(self, other: Request, abi: Abi) -> bool {
        match abi {
            Abi::OpenMpi => self.0 == other.0,
            Abi::Mpich => self.0 as u32 == other.0 as u32,
        }
    }
}

/// Requests as an array of the library: one each 8 bytes with Open MPI, one each 4 bytes with MPICH.
pub struct RequestList {
    abi: Abi,
    /// One for each request. With MPICH, the requests take the first half of the words.
    words: Vec<u64>,
}

impl RequestList {
    /// An empty list.
    pub fn new(abi: Abi) -> RequestList {
        RequestList { abi, words: Vec::new() }
    }

    /// The number of requests.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Adds a request at the end.
    pub fn push(&mut self, request: Request) {
        self.words.push(0);
        self.set(self.words.len() - 1, request);
    }

    /// The request at that place.
    pub fn get(&self, at: usize) -> Request {
        match self.abi {
            Abi::OpenMpi => Request(self.words[at]),
            Abi::Mpich => Request(bytemuck::cast_slice::<u64, u32>(&self.words)[at].into()),
        }
    }

    /// Replaces the request at that place.
    pub fn set(&mut self, at: usize, request: Request) {
        match self.abi {
            Abi::OpenMpi => self.words[at] = request.0,
            Abi::Mpich => bytemuck::cast_slice_mut::<u64, u32>(&mut self.words)[at] = request.0 as u32,
        }
    }

    /// Removes the request at that place; the last one takes it.
    pub fn swap_remove(&mut self, at: usize) {
        let last = self.get(self.words.len() - 1);
        self.set(at, last);
        self.words.pop();
    }

    /// The array.
    pub fn as_mut_ptr(&mut self) -> *mut Request {
        self.words.as_mut_ptr().cast()
    }
}

/// A communicator of the program, as its MPI library has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RawComm {
    /// Open MPI's.
    Address(usize),
    /// MPICH's.
    Number(c_int),
    /// What it is in Fortran, with either library: an integer, or the member of a `type(MPI_Comm)`.
    Fortran(c_int),
}

impl RawComm {
    /// What a program has as its `MPI_Comm`: a pointer, a C `int`, or a type of its own that holds only one of them, as
    /// the crate `mpi` makes. A type of any other size is refused by the compiler.
    pub fn of<C: Copy + 'static>(comm: C) -> RawComm {
        const {
            let is_int = size_of::<C>() == size_of::<c_int>();
            let is_address = size_of::<C>() == size_of::<usize>();
            assert!((is_int || is_address) && align_of::<C>() == size_of::<C>(), "MPI_Comm is a pointer or a C int");
        }
        // SAFETY: the value is as long and as aligned as what it is read as, so it consists of one such field, every
        // bit pattern of which is a number.
        unsafe {
            if size_of::<C>() == size_of::<c_int>() {
                RawComm::Number(std::mem::transmute_copy(&comm))
            } else {
                RawComm::Address(std::mem::transmute_copy(&comm))
            }
        }
    }

    /// The handle, if it is one of this ABI. Of which one Fortran's number is, Open MPI itself knows:
    /// `LoadedMpi::handle_of` asks.
    pub fn of_abi(self, abi: Abi) -> Option<Handle> {
        match (self, abi) {
            (RawComm::Address(address), Abi::OpenMpi) => Some(Handle::of_address(address)),
            (RawComm::Number(number) | RawComm::Fortran(number), Abi::Mpich) => Some(Handle::of_number(number)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_lie_as_the_library_has_them() {
        for (abi, bytes) in [(Abi::OpenMpi, 8), (Abi::Mpich, 4)] {
            let mut list = RequestList::new(abi);
            (0..5).for_each(|number| list.push(Request(0x9800_0000 + number)));
            // The library writes the array.
            let start: &mut [u8] = bytemuck::cast_slice_mut(&mut list.words);
            start[3 * bytes..][..4].copy_from_slice(&7u32.to_le_bytes());
            list.swap_remove(1);
            let numbers: Vec<u64> = (0..list.len()).map(|at| list.get(at).0).collect();
            assert_eq!(numbers, [0x9800_0000, 0x9800_0004, 0x9800_0002, 7], "{abi:?}");
        }
    }

    #[test]
    fn low_half_of_a_request_counts_with_mpich() {
        let (null, garbage) = (Request::of_handle(Handle::of_number(0x2c00_0000)), Request(0xffff_ffff_2c00_0000));
        assert!(garbage.is(null, Abi::Mpich) && !garbage.is(null, Abi::OpenMpi));
    }

    #[test]
    fn number_that_mpich_wrote_has_its_sign() {
        let written = Handle(0x8400_0000);
        assert_eq!(written.written_by(Abi::Mpich), Handle::of_number(0x8400_0000u32 as c_int));
        assert_eq!(written.written_by(Abi::OpenMpi), written);
    }

    /// The crate `mpi` has one of these two, by the library that it was built with.
    #[test]
    fn type_that_holds_only_a_handle_is_one() {
        #[repr(transparent)]
        #[derive(Clone, Copy)]
        struct Holds<T>(T);
        assert_eq!(RawComm::of(Holds(0x4400_0000)), RawComm::Number(0x4400_0000));
        assert_eq!(RawComm::of(Holds(std::ptr::without_provenance_mut::<u8>(64))), RawComm::Address(64));
    }

    #[test]
    fn communicator_of_the_other_abi_is_refused() {
        let (number, address) = (RawComm::of(0x4400_0000), RawComm::of(std::ptr::without_provenance_mut::<u8>(64)));
        assert_eq!(number.of_abi(Abi::Mpich), Some(Handle(0x4400_0000)));
        assert_eq!(address.of_abi(Abi::OpenMpi), Some(Handle(64)));
        assert_eq!(RawComm::Fortran(0x4400_0000).of_abi(Abi::Mpich), Some(Handle(0x4400_0000)));
        assert!(number.of_abi(Abi::OpenMpi).is_none() && address.of_abi(Abi::Mpich).is_none());
    }
}
