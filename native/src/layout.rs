//! The structs of the header, as Rust sees them: member by member in its order.

use std::ffi::{c_char, c_void};

/// `mobula_config`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct CConfig {
    pub size: usize,
    pub num_cpus: f64,
    pub num_gpus: f64,
    pub resources: *const c_char,
    pub store_bytes: u64,
    pub workers: i32,
    /// Not a `bool`: C may have written any byte.
    pub ignore_reinit: u8,
    /// For members to come, which then are 0 in a program of today.
    pub reserved: [u8; 3],
}

/// `mobula_options`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct COptions {
    pub size: usize,
    pub num_cpus: f64,
    pub num_gpus: f64,
    pub resources: *const c_char,
    pub memory: u64,
    pub max_retries: i32,
    pub max_restarts: i32,
    pub max_task_retries: i32,
    pub retry_on_error: u8,
    pub name: *const c_char,
    pub placement: u32,
    pub rank: u32,
    pub host: *const c_char,
    pub near: *const crate::objects::Handle,
}

/// `mobula_buffer` and `mobula_view`, which differ in `const` only.
#[repr(C)]
pub struct CArray {
    pub data: *mut c_void,
    pub count: usize,
    pub element: u32,
    pub internal: *mut c_void,
}

/// `mobula_arg_value`.
#[repr(C)]
pub struct CArgument {
    pub data: *const c_void,
    pub count: usize,
    pub element: u32,
    pub kind: u32,
    pub handle: *const c_void,
}

/// `mobula_arg_value.kind`.
pub const BY_VALUE: u32 = 0;
/// A `mobula_ref`, resolved before the call runs.
pub const BY_REFERENCE: u32 = 1;
/// A `mobula_ref`, handed over as it is.
pub const AS_IS: u32 = 2;
/// A `mobula_actor`.
pub const ACTOR: u32 = 3;

/// `mobula_call`, which the header does not define.
#[repr(C)]
pub struct CCall {
    _opaque: [u8; 0],
}

/// `mobula_task_function`.
pub type CTask = unsafe extern "C" fn(*mut CCall, *mut c_void) -> i32;

/// `mobula_constructor`.
pub type CConstructor = unsafe extern "C" fn(*mut CCall, *mut c_void, *mut *mut c_void) -> i32;

/// `mobula_method`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct CMethod {
    pub name: *const c_char,
    pub call: Option<CTask>,
    pub num_returns: u32,
}

/// `mobula_actor_class`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct CClass {
    pub size: usize,
    pub name: *const c_char,
    pub construct: Option<CConstructor>,
    pub user: *mut c_void,
    pub destroy: Option<unsafe extern "C" fn(*mut c_void)>,
    pub methods: *const CMethod,
    pub num_methods: usize,
    pub save: Option<CTask>,
    pub restore: Option<CConstructor>,
}
