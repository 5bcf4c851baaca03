//! The functions of MPI that mobula calls, as the two ABIs have them alike: what differs is in [`Handle`], [`Request`]
//! and `MpiStatus`.
#![allow(unsafe_code)]

use super::handle::{Handle, Request};
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::NonNull;

macro_rules! functions {
    ($($field:ident = $name:literal ($($argument:ty),*);)*) => {
        /// Each function by its name without `MPI_`.
        pub struct Functions {
            $(pub $field: unsafe extern "C" fn($($argument),*) -> c_int,)*
        }

        impl Functions {
            /// Finds each by its name.
            ///
            /// # Errors
            /// The name of the first that is missing.
            ///
            /// # Safety
            /// What `symbol` returns are the functions of one MPI library, of an ABI that `Handle` describes.
            pub(super) unsafe fn find(
                symbol: impl Fn(&CStr) -> Option<NonNull<c_void>>,
            ) -> Result<Functions, &'static CStr> {
                Ok(Functions {
                    $(
                        // SAFETY: the standard gives this function these arguments; a handle that is a number of 32
                        // bits is in the low half of the register or word in which the function looks for it.
                        $field: unsafe {
                            std::mem::transmute::<NonNull<c_void>, unsafe extern "C" fn($($argument),*) -> c_int>(
                                symbol($name).ok_or($name)?,
                            )
                        },
                    )*
                })
            }
        }
    };
}

functions! {
    init_thread = c"MPI_Init_thread" (*mut c_int, *mut c_void, c_int, *mut c_int);
    finalize = c"MPI_Finalize" ();
    initialized = c"MPI_Initialized" (*mut c_int);
    finalized = c"MPI_Finalized" (*mut c_int);
    query_thread = c"MPI_Query_thread" (*mut c_int);
    get_library_version = c"MPI_Get_library_version" (*mut c_char, *mut c_int);
    error_string = c"MPI_Error_string" (c_int, *mut c_char, *mut c_int);
    comm_test_inter = c"MPI_Comm_test_inter" (Handle, *mut c_int);
    comm_dup = c"MPI_Comm_dup" (Handle, *mut Handle);
    comm_free = c"MPI_Comm_free" (*mut Handle);
    comm_rank = c"MPI_Comm_rank" (Handle, *mut c_int);
    comm_size = c"MPI_Comm_size" (Handle, *mut c_int);
    comm_set_errhandler = c"MPI_Comm_set_errhandler" (Handle, Handle);
    isend = c"MPI_Isend" (*const c_void, c_int, Handle, c_int, c_int, Handle, *mut Request);
    irecv = c"MPI_Irecv" (*mut c_void, c_int, Handle, c_int, c_int, Handle, *mut Request);
    test = c"MPI_Test" (*mut Request, *mut c_int, *mut c_void);
    testsome = c"MPI_Testsome" (c_int, *mut Request, *mut c_int, *mut c_int, *mut c_void);
    cancel = c"MPI_Cancel" (*mut Request);
    request_free = c"MPI_Request_free" (*mut Request);
    get_count = c"MPI_Get_count" (*const c_void, Handle, *mut c_int);
    test_cancelled = c"MPI_Test_cancelled" (*const c_void, *mut c_int);
    iallgather = c"MPI_Iallgather" (*const c_void, c_int, Handle, *mut c_void, c_int, Handle, Handle, *mut Request);
    iallgatherv = c"MPI_Iallgatherv" (
        *const c_void, c_int, Handle, *mut c_void, *const c_int, *const c_int, Handle, Handle, *mut Request
    );
    ibarrier = c"MPI_Ibarrier" (Handle, *mut Request);
    win_create = c"MPI_Win_create" (*mut c_void, isize, c_int, Handle, Handle, *mut Handle);
    win_set_errhandler = c"MPI_Win_set_errhandler" (Handle, Handle);
    win_get_attr = c"MPI_Win_get_attr" (Handle, c_int, *mut c_void, *mut c_int);
    win_lock_all = c"MPI_Win_lock_all" (c_int, Handle);
    win_unlock_all = c"MPI_Win_unlock_all" (Handle);
    win_free = c"MPI_Win_free" (*mut Handle);
    rget = c"MPI_Rget" (*mut c_void, c_int, Handle, c_int, isize, c_int, Handle, Handle, *mut Request);
}
