! mobula: tasks, actors and shared immutable arrays inside MPI and Slurm jobs. The Fortran 2018 interface over mobula.h.
!
! Compile it with the compiler of the program (.mod files are not portable), and link with -lmobula -lpthread.
!
! Conventions
! - ierror is optional and last. It is MOBULA_OK (0), a positive status of mobula, or a negative one of the program's
!   own tasks. Without it a failure prints its message and stops the program with `error stop`: tasks pass it.
!   mobula_last_error() is the message of the last failure.
! - Arguments and results count from 1, in messages too; ranks from 0, as in MPI.
! - Objects are arrays of integer, real or complex elements, of rank 0 (one element) to 7, in Fortran's order. For C,
!   C++ and Rust they are arrays of as many elements, without a shape.
! - mobula_get and mobula_arg associate a pointer with the object's memory: what it points to is only read.
! - Handles (mobula_ref, mobula_actor) are freed by final procedures and by assignment; `a = b` makes one more handle of
!   the same thing. Variables of the main program live until the program ends: mobula_free ends them earlier. Results
!   of functions are better not handles: gfortran before 13 does not free them. Nor is [a, b] more than a way to pass
!   handles: it is valid as long as a and b are.
! - Time-outs are seconds as real64; a negative one, and none, means for ever.
! - Tasks run concurrently, on stacks of their own: compile them with -frecursive (gfortran), -recursive (ifx),
!   -Mrecursive (nvfortran); variables that are SAVEd, or initialized where they are declared, are shared by all calls.
!
! How a shape travels. mobula_register registers a function twice: under its name, for callers in other languages, and
! under its name and " (Fortran)", which calls from Fortran use. The second has one argument and one result more, arrays
! of int64, which hold the shapes; mobula_ref keeps the shape of what it refers to, or that result, while it is to come.
! So objects hold elements only. Where an array of rank 2 or more comes from another language, `shape` says its shape.
!
! Parts between `generated` and `end of generated` are written by generate.py, beside this file.
module mobula
  use, intrinsic :: iso_c_binding
  use, intrinsic :: iso_fortran_env, only: error_unit, int8, int16, int32, int64, real32, real64
  implicit none
  private

  integer, parameter, public :: MOBULA_OK = 0, MOBULA_ERR_CONFIG = 1, MOBULA_ERR_FABRIC = 2, MOBULA_ERR_TASK = 3, &
    MOBULA_ERR_TIMEOUT = 4, MOBULA_ERR_CANCELLED = 5, MOBULA_ERR_ACTOR_DIED = 6, MOBULA_ERR_NODE_DIED = 7, &
    MOBULA_ERR_OBJECT_LOST = 8, MOBULA_ERR_STORE_FULL = 9, MOBULA_ERR_UNSCHEDULABLE = 10, &
    MOBULA_ERR_INVALID_ARGUMENT = 11, MOBULA_ERR_UNKNOWN_FUNCTION = 12, MOBULA_ERR_TYPE = 13, MOBULA_ERR_INTERNAL = 14
  ! Where a task or an actor goes: mobula_options%placement.
  integer, parameter, public :: MOBULA_PLACE_AUTO = 0, MOBULA_PLACE_SPREAD = 1, MOBULA_PLACE_RANK = 2, &
    MOBULA_PLACE_HOST = 3, MOBULA_PLACE_NEAR = 4
  ! As a number of retries or restarts: as often as it takes.
  integer, parameter, public :: MOBULA_UNBOUNDED = huge(0_int32)

  public :: mobula_config, mobula_options, mobula_ref, mobula_actor, mobula_call, mobula_arg_value, mobula_method, &
    mobula_state
  public :: assignment(=), mobula_last_error, mobula_set_last_error, mobula_status_name
  public :: mobula_init, mobula_init_with_comm, mobula_serve, mobula_shutdown, mobula_rank, mobula_size, &
    mobula_is_initialized, mobula_resource_total, mobula_resource_available
  public :: mobula_put, mobula_create, mobula_seal, mobula_discard, mobula_get, mobula_release, mobula_wait, &
    mobula_cancel, mobula_free
  public :: mobula_register, mobula_submit, mobula_value, mobula_by_ref, mobula_as_is, mobula_by_actor
  public :: mobula_arg, mobula_arg_count, mobula_arg_ref, mobula_arg_actor, mobula_return, mobula_return_create, &
    mobula_return_ref, mobula_return_actor, mobula_fail
  public :: mobula_register_actor, mobula_actor_create, mobula_actor_call, mobula_actor_find, mobula_actor_kill, &
    mobula_get_actor

  ! Numbers of mobula_type.
  integer(c_int), parameter :: BYTES = 0, I8 = 1, I16 = 3, I32 = 5, I64 = 7, F32 = 9, F64 = 10, C64 = 11, C128 = 12
  integer, parameter :: SIZES(0:12) = [1, 1, 1, 2, 2, 4, 4, 8, 8, 4, 8, 8, 16]
  character(len=5), parameter :: TYPES(0:12) = ["bytes", "i8   ", "u8   ", "i16  ", "u16  ", "i32  ", "u32  ", &
    "i64  ", "u64  ", "f32  ", "f64  ", "c64  ", "c128 "]
  ! Numbers of mobula_arg_value.kind.
  integer(c_int32_t), parameter :: BY_VALUE = 0, BY_REFERENCE = 1, AS_IS = 2, BY_ACTOR = 3

  ! A shape is 8 numbers: the rank, or one of these, and up to 7 extents. PENDING: the position, from 1, in the array of
  ! shapes that a call returns, and in a call's arguments also the position, from 0, of the argument with that array.
  integer(int64), parameter :: UNKNOWN = -1, PENDING = -2
  character(len=*), parameter :: SHAPED = " (Fortran)"
  integer, parameter :: MAX_METHODS = 32              ! as in generate.py

  ! Settings of the start: as mobula_config in mobula.h.
  type :: mobula_config
    real(real64) :: num_cpus = -1, num_gpus = -1      ! of each host; negative: as found
    character(len=:), allocatable :: resources        ! others of each host, "Custom=2,Licence=1"
    integer(int64) :: store_bytes = 0                 ! size of a rank's store; 0: the default
    integer :: workers = 0                            ! threads that run tasks, of each rank; 0: the default
    logical :: ignore_reinit = .false.                ! a second mobula_init while a cluster runs is no error
  end type

  ! A reference to an object, which may not exist yet.
  type :: mobula_ref
    private
    type(c_ptr) :: handle = c_null_ptr
    type(c_ptr) :: shapes = c_null_ptr                ! if shape(1) is PENDING
    integer(int64) :: shape(8) = [UNKNOWN, 0_int64, 0_int64, 0_int64, 0_int64, 0_int64, 0_int64, 0_int64]
    ! The address of the variable that frees the handles: a copy that the compiler made bit by bit frees nothing.
    integer(c_intptr_t) :: owner = 0
  contains
    procedure, private :: assign_ref
    generic :: assignment(=) => assign_ref
    final :: end_ref
  end type

  ! A handle of an actor.
  type :: mobula_actor
    private
    type(c_ptr) :: handle = c_null_ptr
    integer(c_intptr_t) :: owner = 0
  contains
    procedure, private :: assign_actor
    generic :: assignment(=) => assign_actor
    final :: end_actor
  end type

  ! Options of one call, or of one actor: as mobula_options in mobula.h, which says the defaults.
  type :: mobula_options
    real(real64) :: num_cpus = -1, num_gpus = -1
    character(len=:), allocatable :: resources        ! "Custom=1"
    integer(int64) :: memory = 0                      ! bytes in the store; 0: no request and no limit
    integer :: max_retries = -1                       ! task
    integer :: max_restarts = -1, max_task_retries = -1 ! actor
    logical :: retry_on_error = .false.               ! task
    character(len=:), allocatable :: name             ! task: for errors; actor: by which it is found
    integer :: placement = MOBULA_PLACE_AUTO
    integer :: rank = 0                               ! of MOBULA_PLACE_RANK
    character(len=:), allocatable :: host             ! of MOBULA_PLACE_HOST
    type(mobula_ref), pointer :: near => null()       ! of MOBULA_PLACE_NEAR
  end type

  ! One argument of a call. What it refers to is read by the call and not kept.
  type :: mobula_arg_value
    private
    integer(c_int32_t) :: kind = BY_VALUE
    integer(c_int) :: element = BYTES
    integer(int8) :: scalar(16) = 0_int8              ! its bytes
    integer(int64) :: copy = 0                        ! the number of an array's copy in `kept`; 0: none
    type(c_ptr) :: handle = c_null_ptr, shapes = c_null_ptr
    integer(int64) :: shape(8) = [UNKNOWN, 0_int64, 0_int64, 0_int64, 0_int64, 0_int64, 0_int64, 0_int64]
  end type

  ! A call that runs: valid until the task returns.
  type :: mobula_call
    private
    type(c_ptr) :: handle = c_null_ptr
    integer(int64), pointer :: arguments(:) => null()  ! how many there are, and their shapes, if Fortran made the call
    integer(int64), pointer :: results(:, :) => null() ! where their shapes are noted, likewise
  end type

  ! The state of an actor is of a type that extends this one.
  type, abstract :: mobula_state
  end type

  abstract interface
    ! Creates the state from the arguments of the call. mobula deallocates it.
    subroutine constructor(call, state, ierror)
      import :: mobula_call, mobula_state
      type(mobula_call), intent(in) :: call
      class(mobula_state), pointer, intent(out) :: state
      integer, intent(out) :: ierror
    end subroutine
    ! A method, and the `save` of a class.
    subroutine method(call, state, ierror)
      import :: mobula_call, mobula_state
      type(mobula_call), intent(in) :: call
      class(mobula_state), intent(inout) :: state
      integer, intent(out) :: ierror
    end subroutine
  end interface

  ! A method of a class: mobula_method("increment", increment) has one result, mobula_method("add", add, 0) none.
  type :: mobula_method
    character(len=90) :: name
    procedure(method), pointer, nopass :: call => null()
    integer :: num_returns = 1
  end type

  ! Registered functions live as long as the process. With an implicit interface a task may declare any intents.
  type :: registered_function
    character(len=:), allocatable :: name
    character(kind=c_char), allocatable :: label(:), shaped_name(:) ! for C
    procedure(), pointer, nopass :: task => null()
    integer :: num_returns = 1
    type(registered_function), pointer :: next => null()
  end type

  type :: registered_class
    procedure(constructor), pointer, nopass :: construct => null(), restore => null()
    procedure(method), pointer, nopass :: save => null()
    type(mobula_method), allocatable :: methods(:)
  end type

  ! What C has as the state of an actor.
  type :: actor_state
    class(mobula_state), pointer :: state => null()
    type(registered_class), pointer :: class => null()
  end type

  ! The structs of mobula.h.
  type, bind(C) :: c_config
    integer(c_size_t) :: size = 0
    real(c_double) :: num_cpus = -1, num_gpus = -1
    type(c_ptr) :: resources = c_null_ptr
    integer(c_int64_t) :: store_bytes = 0
    integer(c_int32_t) :: workers = 0
    integer(c_int8_t) :: ignore_reinit = 0, padding(3) = 0_c_int8_t
  end type

  type, bind(C) :: c_options
    integer(c_size_t) :: size = 0
    real(c_double) :: num_cpus = -1, num_gpus = -1
    type(c_ptr) :: resources = c_null_ptr
    integer(c_int64_t) :: memory = 0
    integer(c_int32_t) :: max_retries = -1, max_restarts = -1, max_task_retries = -1
    integer(c_int8_t) :: retry_on_error = 0, padding(3) = 0_c_int8_t
    type(c_ptr) :: name = c_null_ptr
    integer(c_int) :: placement = 0
    integer(c_int32_t) :: rank = 0
    type(c_ptr) :: host = c_null_ptr, near = c_null_ptr
  end type

  ! mobula_view, and mobula_buffer, which has the same members.
  type, bind(C) :: c_view
    type(c_ptr) :: data = c_null_ptr
    integer(c_size_t) :: count = 0
    integer(c_int) :: element = 0
    type(c_ptr) :: internal = c_null_ptr
  end type

  type, bind(C) :: c_argument
    type(c_ptr) :: data = c_null_ptr
    integer(c_size_t) :: count = 0
    integer(c_int) :: element = 0
    integer(c_int32_t) :: kind = BY_VALUE
    type(c_ptr) :: handle = c_null_ptr
  end type

  type, bind(C) :: c_method
    type(c_ptr) :: name = c_null_ptr
    type(c_funptr) :: call = c_null_funptr
    integer(c_int32_t) :: num_returns = 0
  end type

  type, bind(C) :: c_class
    integer(c_size_t) :: size = 0
    type(c_ptr) :: name = c_null_ptr
    type(c_funptr) :: construct = c_null_funptr
    type(c_ptr) :: user = c_null_ptr
    type(c_funptr) :: destroy = c_null_funptr
    type(c_ptr) :: methods = c_null_ptr
    integer(c_size_t) :: num_methods = 0
    type(c_funptr) :: save = c_null_funptr, restore = c_null_funptr
  end type

  ! pthread_mutex_t, of which no system has a longer one; zeroes are PTHREAD_MUTEX_INITIALIZER.
  type, bind(C) :: mutex
    integer(c_int64_t) :: words(8) = 0_c_int64_t
  end type

  ! Views and buffers by the addresses of their elements, and copies of arguments by numbers from 1; under `lock`.
  integer, parameter :: A_VIEW = 1, A_BUFFER = 2, A_COPY = 3
  type :: kept_view
    integer :: kind = 0
    integer(int64) :: key = 0
    type(c_view) :: view
    type(kept_view), pointer :: next => null()
  end type
  type :: kept_chain
    type(kept_view), pointer :: first => null()
  end type
  integer(int64), parameter :: NUM_CHAINS = 1024

  type(mutex), save :: lock
  type(kept_chain), save :: kept(0:NUM_CHAINS - 1)
  integer(int64), save :: last_copy = 0               ! under `lock`
  ! Written before the start only, and so read without a lock.
  type(registered_function), pointer, save :: functions => null()

  interface
    pure function c_last_error() bind(C, name="mobula_last_error") result(text)
      import :: c_ptr
      type(c_ptr) :: text
    end function
    function c_set_last_error(status, message) bind(C, name="mobula_set_last_error") result(same)
      import :: c_int32_t, c_char
      integer(c_int32_t), value :: status
      character(kind=c_char), intent(in) :: message(*)
      integer(c_int32_t) :: same
    end function
    pure function c_status_name(status) bind(C, name="mobula_status_name") result(text)
      import :: c_ptr, c_int32_t
      integer(c_int32_t), value :: status
      type(c_ptr) :: text
    end function
    function c_init(config) bind(C, name="mobula_init") result(status)
      import :: c_ptr, c_int32_t
      type(c_ptr), value :: config
      integer(c_int32_t) :: status
    end function
    function c_init_with_comm(comm, config) bind(C, name="mobula_init_with_comm_fortran") result(status)
      import :: c_ptr, c_int32_t
      integer(c_int32_t), value :: comm
      type(c_ptr), value :: config
      integer(c_int32_t) :: status
    end function
    function c_serve() bind(C, name="mobula_serve") result(status)
      import :: c_int32_t
      integer(c_int32_t) :: status
    end function
    function c_shutdown() bind(C, name="mobula_shutdown") result(status)
      import :: c_int32_t
      integer(c_int32_t) :: status
    end function
    function c_rank() bind(C, name="mobula_rank") result(rank)
      import :: c_int32_t
      integer(c_int32_t) :: rank
    end function
    function c_size() bind(C, name="mobula_size") result(size)
      import :: c_int32_t
      integer(c_int32_t) :: size
    end function
    function c_is_initialized() bind(C, name="mobula_is_initialized") result(is)
      import :: c_bool
      logical(c_bool) :: is
    end function
    function c_resource_total(name) bind(C, name="mobula_resource_total") result(amount)
      import :: c_char, c_double
      character(kind=c_char), intent(in) :: name(*)
      real(c_double) :: amount
    end function
    function c_resource_available(name) bind(C, name="mobula_resource_available") result(amount)
      import :: c_char, c_double
      character(kind=c_char), intent(in) :: name(*)
      real(c_double) :: amount
    end function
    function c_put(data, count, element, out) bind(C, name="mobula_put") result(status)
      import :: c_ptr, c_size_t, c_int, c_int32_t
      type(c_ptr), value :: data
      integer(c_size_t), value :: count
      integer(c_int), value :: element
      type(c_ptr), intent(inout) :: out
      integer(c_int32_t) :: status
    end function
    function c_create(count, element, out) bind(C, name="mobula_create") result(status)
      import :: c_size_t, c_int, c_int32_t, c_view
      integer(c_size_t), value :: count
      integer(c_int), value :: element
      type(c_view), intent(inout) :: out
      integer(c_int32_t) :: status
    end function
    function c_seal(buffer, out) bind(C, name="mobula_seal") result(status)
      import :: c_ptr, c_int32_t, c_view
      type(c_view), intent(inout) :: buffer
      type(c_ptr), intent(inout) :: out
      integer(c_int32_t) :: status
    end function
    subroutine c_discard(buffer) bind(C, name="mobula_discard")
      import :: c_view
      type(c_view), intent(inout) :: buffer
    end subroutine
    function c_get(ref, timeout, out) bind(C, name="mobula_get") result(status)
      import :: c_ptr, c_double, c_int32_t, c_view
      type(c_ptr), value :: ref
      real(c_double), value :: timeout
      type(c_view), intent(inout) :: out
      integer(c_int32_t) :: status
    end function
    subroutine c_release(view) bind(C, name="mobula_release")
      import :: c_view
      type(c_view), intent(inout) :: view
    end subroutine
    function c_wait(refs, n, num_returns, timeout, ready, num_ready) bind(C, name="mobula_wait") result(status)
      import :: c_ptr, c_size_t, c_double, c_bool, c_int32_t
      type(c_ptr), intent(in) :: refs(*)
      integer(c_size_t), value :: n, num_returns
      real(c_double), value :: timeout
      logical(c_bool), intent(inout) :: ready(*)
      integer(c_size_t), intent(inout) :: num_ready
      integer(c_int32_t) :: status
    end function
    function c_cancel(ref) bind(C, name="mobula_cancel") result(status)
      import :: c_ptr, c_int32_t
      type(c_ptr), value :: ref
      integer(c_int32_t) :: status
    end function
    function c_ref_clone(ref, out) bind(C, name="mobula_ref_clone") result(status)
      import :: c_ptr, c_int32_t
      type(c_ptr), value :: ref
      type(c_ptr), intent(inout) :: out
      integer(c_int32_t) :: status
    end function
    subroutine c_ref_free(ref) bind(C, name="mobula_ref_free")
      import :: c_ptr
      type(c_ptr), value :: ref
    end subroutine
    function c_register(name, task, user, num_returns) bind(C, name="mobula_register") result(status)
      import :: c_ptr, c_funptr, c_char, c_int32_t
      character(kind=c_char), intent(in) :: name(*)
      type(c_funptr), value :: task
      type(c_ptr), value :: user
      integer(c_int32_t), value :: num_returns
      integer(c_int32_t) :: status
    end function
    function c_submit(name, args, num_args, options, out, num_returns) bind(C, name="mobula_submit") result(status)
      import :: c_ptr, c_char, c_size_t, c_int32_t, c_argument, c_options
      character(kind=c_char), intent(in) :: name(*)
      type(c_argument), intent(in) :: args(*)
      integer(c_size_t), value :: num_args, num_returns
      type(c_options), intent(in) :: options
      type(c_ptr), intent(inout) :: out(*)
      integer(c_int32_t) :: status
    end function
    function c_arg(call, index, element, out) bind(C, name="mobula_arg") result(status)
      import :: c_ptr, c_size_t, c_int, c_int32_t, c_view
      type(c_ptr), value :: call
      integer(c_size_t), value :: index
      integer(c_int), value :: element
      type(c_view), intent(inout) :: out
      integer(c_int32_t) :: status
    end function
    function c_arg_any(call, index, out) bind(C, name="mobula_arg_any") result(status)
      import :: c_ptr, c_size_t, c_int32_t, c_view
      type(c_ptr), value :: call
      integer(c_size_t), value :: index
      type(c_view), intent(inout) :: out
      integer(c_int32_t) :: status
    end function
    function c_arg_count(call, out) bind(C, name="mobula_arg_count") result(status)
      import :: c_ptr, c_size_t, c_int32_t
      type(c_ptr), value :: call
      integer(c_size_t), intent(inout) :: out
      integer(c_int32_t) :: status
    end function
    function c_arg_ref(call, index, out) bind(C, name="mobula_arg_ref") result(status)
      import :: c_ptr, c_size_t, c_int32_t
      type(c_ptr), value :: call
      integer(c_size_t), value :: index
      type(c_ptr), intent(inout) :: out
      integer(c_int32_t) :: status
    end function
    function c_arg_actor(call, index, out) bind(C, name="mobula_arg_actor") result(status)
      import :: c_ptr, c_size_t, c_int32_t
      type(c_ptr), value :: call
      integer(c_size_t), value :: index
      type(c_ptr), intent(inout) :: out
      integer(c_int32_t) :: status
    end function
    function c_return(call, index, data, count, element) bind(C, name="mobula_return") result(status)
      import :: c_ptr, c_size_t, c_int, c_int32_t
      type(c_ptr), value :: call, data
      integer(c_size_t), value :: index, count
      integer(c_int), value :: element
      integer(c_int32_t) :: status
    end function
    function c_return_create(call, index, count, element, data) bind(C, name="mobula_return_create") result(status)
      import :: c_ptr, c_size_t, c_int, c_int32_t
      type(c_ptr), value :: call
      integer(c_size_t), value :: index, count
      integer(c_int), value :: element
      type(c_ptr), intent(inout) :: data
      integer(c_int32_t) :: status
    end function
    function c_return_ref(call, index, ref) bind(C, name="mobula_return_ref") result(status)
      import :: c_ptr, c_size_t, c_int32_t
      type(c_ptr), value :: call, ref
      integer(c_size_t), value :: index
      integer(c_int32_t) :: status
    end function
    function c_return_actor(call, index, actor) bind(C, name="mobula_return_actor") result(status)
      import :: c_ptr, c_size_t, c_int32_t
      type(c_ptr), value :: call, actor
      integer(c_size_t), value :: index
      integer(c_int32_t) :: status
    end function
    function c_get_actor(ref, timeout, out) bind(C, name="mobula_get_actor") result(status)
      import :: c_ptr, c_double, c_int32_t
      type(c_ptr), value :: ref
      real(c_double), value :: timeout
      type(c_ptr), intent(out) :: out
      integer(c_int32_t) :: status
    end function
    function c_fail(call, why) bind(C, name="mobula_fail") result(status)
      import :: c_ptr, c_char, c_int32_t
      type(c_ptr), value :: call
      character(kind=c_char), intent(in) :: why(*)
      integer(c_int32_t) :: status
    end function
    function c_register_actor(class) bind(C, name="mobula_register_actor") result(status)
      import :: c_int32_t, c_class
      type(c_class), intent(in) :: class
      integer(c_int32_t) :: status
    end function
    function c_actor_create(class, args, num_args, options, out) bind(C, name="mobula_actor_create") result(status)
      import :: c_ptr, c_char, c_size_t, c_int32_t, c_argument, c_options
      character(kind=c_char), intent(in) :: class(*)
      type(c_argument), intent(in) :: args(*)
      integer(c_size_t), value :: num_args
      type(c_options), intent(in) :: options
      type(c_ptr), intent(inout) :: out
      integer(c_int32_t) :: status
    end function
    function c_actor_call(actor, method, args, num_args, out, num_returns) bind(C, name="mobula_actor_call") &
      result(status)
      import :: c_ptr, c_char, c_size_t, c_int32_t, c_argument
      type(c_ptr), value :: actor
      character(kind=c_char), intent(in) :: method(*)
      type(c_argument), intent(in) :: args(*)
      integer(c_size_t), value :: num_args, num_returns
      type(c_ptr), intent(inout) :: out(*)
      integer(c_int32_t) :: status
    end function
    function c_actor_find(name, out) bind(C, name="mobula_actor_find") result(status)
      import :: c_ptr, c_char, c_int32_t
      character(kind=c_char), intent(in) :: name(*)
      type(c_ptr), intent(inout) :: out
      integer(c_int32_t) :: status
    end function
    function c_actor_kill(actor) bind(C, name="mobula_actor_kill") result(status)
      import :: c_ptr, c_int32_t
      type(c_ptr), value :: actor
      integer(c_int32_t) :: status
    end function
    function c_actor_clone(actor, out) bind(C, name="mobula_actor_clone") result(status)
      import :: c_ptr, c_int32_t
      type(c_ptr), value :: actor
      type(c_ptr), intent(inout) :: out
      integer(c_int32_t) :: status
    end function
    subroutine c_actor_free(actor) bind(C, name="mobula_actor_free")
      import :: c_ptr
      type(c_ptr), value :: actor
    end subroutine
    ! Of the C library.
    pure function c_strlen(text) bind(C, name="strlen") result(length)
      import :: c_ptr, c_size_t
      type(c_ptr), value :: text
      integer(c_size_t) :: length
    end function
    function c_malloc(bytes) bind(C, name="malloc") result(memory)
      import :: c_ptr, c_size_t
      integer(c_size_t), value :: bytes
      type(c_ptr) :: memory
    end function
    subroutine c_free(memory) bind(C, name="free")
      import :: c_ptr
      type(c_ptr), value :: memory
    end subroutine
    function c_memcpy(to, from, bytes) bind(C, name="memcpy") result(same)
      import :: c_ptr, c_size_t
      type(c_ptr), value :: to, from
      integer(c_size_t), value :: bytes
      type(c_ptr) :: same
    end function
    function c_lock(one) bind(C, name="pthread_mutex_lock") result(error)
      import :: c_int, mutex
      type(mutex), intent(inout) :: one
      integer(c_int) :: error
    end function
    function c_unlock(one) bind(C, name="pthread_mutex_unlock") result(error)
      import :: c_int, mutex
      type(mutex), intent(inout) :: one
      integer(c_int) :: error
    end function
  end interface

  ! call mobula_set_last_error(MOBULA_ERR_TYPE, "the mesh has triangles")
  interface mobula_set_last_error
    procedure :: record
  end interface

  ! call mobula_init(config, ierror), call mobula_init(ierror)
  interface mobula_init
    module procedure init_default, init_with
  end interface

  ! Starts the cluster of the ranks of a communicator, in a program that uses MPI itself: call
  ! mobula_init_with_comm(comm, config, ierror), call mobula_init_with_comm(comm, ierror). comm is an integer, as in the
  ! module mpi; of a type(MPI_Comm) of mpi_f08 it is comm%MPI_VAL. Every rank of it calls this, after MPI_Init, and
  ! mobula_shutdown before MPI_Finalize: mobula_mpi.h says more.
  interface mobula_init_with_comm
    module procedure init_comm_default, init_comm_with
  end interface

  ! Submits a task: call mobula_submit(name, args, refs, options, ierror). args: [mobula_value(1), mobula_by_ref(x)], or
  ! left out. refs: a mobula_ref, an array of as many as the function has results, or left out. options may be, too.
  interface mobula_submit
    module procedure submit_one, submit_many, submit_none, submit_one_no_args, submit_many_no_args, &
      submit_none_no_args, submit_one_options, submit_many_options, submit_none_options, submit_one_no_args_options, &
      submit_many_no_args_options, submit_none_no_args_options
  end interface

  ! Calls a method: call mobula_actor_call(actor, name, args, refs, ierror), with args and refs as in mobula_submit.
  interface mobula_actor_call
    module procedure call_one, call_many, call_none, call_one_no_args, call_many_no_args, call_none_no_args
  end interface

  ! Creates an actor: call mobula_actor_create(class, args, actor, options, ierror), without
  ! args and options, too.
  interface mobula_actor_create
    module procedure create_with_args, create_no_args, create_with_args_options, create_no_args_options
  end interface

  ! Arrays of handles, of rank 1 to 3. They do not grow by assignment: `refs = [refs, x]` stops the program.
  interface assignment(=)
    module procedure assign_refs_1, assign_refs_2, assign_refs_3, assign_actors_1, assign_actors_2, assign_actors_3
  end interface

  ! Frees a handle before its variable ends.
  interface mobula_free
    module procedure free_ref, free_actor
  end interface

  ! generated: generics
  ! Creates an object: call mobula_put(array, ref, ierror). One copy.
  interface mobula_put
    module procedure put_i8_0, put_i8_1, put_i8_2, put_i8_3, put_i8_4, put_i8_5, put_i8_6, put_i8_7, put_i16_0, &
      put_i16_1, put_i16_2, put_i16_3, put_i16_4, put_i16_5, put_i16_6, put_i16_7, put_i32_0, &
      put_i32_1, put_i32_2, put_i32_3, put_i32_4, put_i32_5, put_i32_6, put_i32_7, put_i64_0, &
      put_i64_1, put_i64_2, put_i64_3, put_i64_4, put_i64_5, put_i64_6, put_i64_7, put_f32_0, &
      put_f32_1, put_f32_2, put_f32_3, put_f32_4, put_f32_5, put_f32_6, put_f32_7, put_f64_0, &
      put_f64_1, put_f64_2, put_f64_3, put_f64_4, put_f64_5, put_f64_6, put_f64_7, put_c64_0, &
      put_c64_1, put_c64_2, put_c64_3, put_c64_4, put_c64_5, put_c64_6, put_c64_7, put_c128_0, &
      put_c128_1, put_c128_2, put_c128_3, put_c128_4, put_c128_5, put_c128_6, put_c128_7
  end interface

  ! Memory of the store for an object, to be written in place: call mobula_create(values, extents, ierror).
  ! extents: the number of elements for rank 1, an array of extents above, left out for a scalar.
  interface mobula_create
    module procedure create_i8_0, create_i8_1, create_i8_1_wide, create_i8_2, create_i8_3, create_i8_4, create_i8_5, &
      create_i8_6, create_i8_7, create_i16_0, create_i16_1, create_i16_1_wide, create_i16_2, &
      create_i16_3, create_i16_4, create_i16_5, create_i16_6, create_i16_7, create_i32_0, &
      create_i32_1, create_i32_1_wide, create_i32_2, create_i32_3, create_i32_4, create_i32_5, &
      create_i32_6, create_i32_7, create_i64_0, create_i64_1, create_i64_1_wide, create_i64_2, &
      create_i64_3, create_i64_4, create_i64_5, create_i64_6, create_i64_7, create_f32_0, &
      create_f32_1, create_f32_1_wide, create_f32_2, create_f32_3, create_f32_4, create_f32_5, &
      create_f32_6, create_f32_7, create_f64_0, create_f64_1, create_f64_1_wide, create_f64_2, &
      create_f64_3, create_f64_4, create_f64_5, create_f64_6, create_f64_7, create_c64_0, &
      create_c64_1, create_c64_1_wide, create_c64_2, create_c64_3, create_c64_4, create_c64_5, &
      create_c64_6, create_c64_7, create_c128_0, create_c128_1, create_c128_1_wide, create_c128_2, &
      create_c128_3, create_c128_4, create_c128_5, create_c128_6, create_c128_7
  end interface

  ! Makes it an object, without a copy: call mobula_seal(values, ref, ierror). The pointer is null from here.
  interface mobula_seal
    module procedure seal_i8_0, seal_i8_1, seal_i8_2, seal_i8_3, seal_i8_4, seal_i8_5, seal_i8_6, seal_i8_7, &
      seal_i16_0, seal_i16_1, seal_i16_2, seal_i16_3, seal_i16_4, seal_i16_5, seal_i16_6, seal_i16_7, &
      seal_i32_0, seal_i32_1, seal_i32_2, seal_i32_3, seal_i32_4, seal_i32_5, seal_i32_6, seal_i32_7, &
      seal_i64_0, seal_i64_1, seal_i64_2, seal_i64_3, seal_i64_4, seal_i64_5, seal_i64_6, seal_i64_7, &
      seal_f32_0, seal_f32_1, seal_f32_2, seal_f32_3, seal_f32_4, seal_f32_5, seal_f32_6, seal_f32_7, &
      seal_f64_0, seal_f64_1, seal_f64_2, seal_f64_3, seal_f64_4, seal_f64_5, seal_f64_6, seal_f64_7, &
      seal_c64_0, seal_c64_1, seal_c64_2, seal_c64_3, seal_c64_4, seal_c64_5, seal_c64_6, seal_c64_7, &
      seal_c128_0, seal_c128_1, seal_c128_2, seal_c128_3, seal_c128_4, seal_c128_5, seal_c128_6, &
      seal_c128_7
  end interface

  ! Or gives the memory back: call mobula_discard(values, ierror).
  interface mobula_discard
    module procedure discard_i8_0, discard_i8_1, discard_i8_2, discard_i8_3, discard_i8_4, discard_i8_5, &
      discard_i8_6, discard_i8_7, discard_i16_0, discard_i16_1, discard_i16_2, discard_i16_3, &
      discard_i16_4, discard_i16_5, discard_i16_6, discard_i16_7, discard_i32_0, discard_i32_1, &
      discard_i32_2, discard_i32_3, discard_i32_4, discard_i32_5, discard_i32_6, discard_i32_7, &
      discard_i64_0, discard_i64_1, discard_i64_2, discard_i64_3, discard_i64_4, discard_i64_5, &
      discard_i64_6, discard_i64_7, discard_f32_0, discard_f32_1, discard_f32_2, discard_f32_3, &
      discard_f32_4, discard_f32_5, discard_f32_6, discard_f32_7, discard_f64_0, discard_f64_1, &
      discard_f64_2, discard_f64_3, discard_f64_4, discard_f64_5, discard_f64_6, discard_f64_7, &
      discard_c64_0, discard_c64_1, discard_c64_2, discard_c64_3, discard_c64_4, discard_c64_5, &
      discard_c64_6, discard_c64_7, discard_c128_0, discard_c128_1, discard_c128_2, discard_c128_3, &
      discard_c128_4, discard_c128_5, discard_c128_6, discard_c128_7
  end interface

  ! Waits for an object, and associates a pointer without a copy: call mobula_get(ref, values, ierror),
  ! mobula_get(ref, values, timeout, ierror), or mobula_get(ref, values, shape, ierror).
  interface mobula_get
    module procedure get_i8_0, get_i8_0_timeout, get_i8_1, get_i8_1_shape, get_i8_1_timeout, get_i8_2, &
      get_i8_2_shape, get_i8_2_timeout, get_i8_3, get_i8_3_shape, get_i8_3_timeout, get_i8_4, &
      get_i8_4_shape, get_i8_4_timeout, get_i8_5, get_i8_5_shape, get_i8_5_timeout, get_i8_6, &
      get_i8_6_shape, get_i8_6_timeout, get_i8_7, get_i8_7_shape, get_i8_7_timeout, get_i16_0, &
      get_i16_0_timeout, get_i16_1, get_i16_1_shape, get_i16_1_timeout, get_i16_2, get_i16_2_shape, &
      get_i16_2_timeout, get_i16_3, get_i16_3_shape, get_i16_3_timeout, get_i16_4, get_i16_4_shape, &
      get_i16_4_timeout, get_i16_5, get_i16_5_shape, get_i16_5_timeout, get_i16_6, get_i16_6_shape, &
      get_i16_6_timeout, get_i16_7, get_i16_7_shape, get_i16_7_timeout, get_i32_0, get_i32_0_timeout, &
      get_i32_1, get_i32_1_shape, get_i32_1_timeout, get_i32_2, get_i32_2_shape, get_i32_2_timeout, &
      get_i32_3, get_i32_3_shape, get_i32_3_timeout, get_i32_4, get_i32_4_shape, get_i32_4_timeout, &
      get_i32_5, get_i32_5_shape, get_i32_5_timeout, get_i32_6, get_i32_6_shape, get_i32_6_timeout, &
      get_i32_7, get_i32_7_shape, get_i32_7_timeout, get_i64_0, get_i64_0_timeout, get_i64_1, &
      get_i64_1_shape, get_i64_1_timeout, get_i64_2, get_i64_2_shape, get_i64_2_timeout, get_i64_3, &
      get_i64_3_shape, get_i64_3_timeout, get_i64_4, get_i64_4_shape, get_i64_4_timeout, get_i64_5, &
      get_i64_5_shape, get_i64_5_timeout, get_i64_6, get_i64_6_shape, get_i64_6_timeout, get_i64_7, &
      get_i64_7_shape, get_i64_7_timeout, get_f32_0, get_f32_0_timeout, get_f32_1, get_f32_1_shape, &
      get_f32_1_timeout, get_f32_2, get_f32_2_shape, get_f32_2_timeout, get_f32_3, get_f32_3_shape, &
      get_f32_3_timeout, get_f32_4, get_f32_4_shape, get_f32_4_timeout, get_f32_5, get_f32_5_shape, &
      get_f32_5_timeout, get_f32_6, get_f32_6_shape, get_f32_6_timeout, get_f32_7, get_f32_7_shape, &
      get_f32_7_timeout, get_f64_0, get_f64_0_timeout, get_f64_1, get_f64_1_shape, get_f64_1_timeout, &
      get_f64_2, get_f64_2_shape, get_f64_2_timeout, get_f64_3, get_f64_3_shape, get_f64_3_timeout, &
      get_f64_4, get_f64_4_shape, get_f64_4_timeout, get_f64_5, get_f64_5_shape, get_f64_5_timeout, &
      get_f64_6, get_f64_6_shape, get_f64_6_timeout, get_f64_7, get_f64_7_shape, get_f64_7_timeout, &
      get_c64_0, get_c64_0_timeout, get_c64_1, get_c64_1_shape, get_c64_1_timeout, get_c64_2, &
      get_c64_2_shape, get_c64_2_timeout, get_c64_3, get_c64_3_shape, get_c64_3_timeout, get_c64_4, &
      get_c64_4_shape, get_c64_4_timeout, get_c64_5, get_c64_5_shape, get_c64_5_timeout, get_c64_6, &
      get_c64_6_shape, get_c64_6_timeout, get_c64_7, get_c64_7_shape, get_c64_7_timeout, get_c128_0, &
      get_c128_0_timeout, get_c128_1, get_c128_1_shape, get_c128_1_timeout, get_c128_2, &
      get_c128_2_shape, get_c128_2_timeout, get_c128_3, get_c128_3_shape, get_c128_3_timeout, &
      get_c128_4, get_c128_4_shape, get_c128_4_timeout, get_c128_5, get_c128_5_shape, &
      get_c128_5_timeout, get_c128_6, get_c128_6_shape, get_c128_6_timeout, get_c128_7, &
      get_c128_7_shape, get_c128_7_timeout
  end interface

  ! Ends what mobula_get began, for a pointer as it associated it: call mobula_release(values, ierror).
  interface mobula_release
    module procedure release_i8_0, release_i8_1, release_i8_2, release_i8_3, release_i8_4, release_i8_5, &
      release_i8_6, release_i8_7, release_i16_0, release_i16_1, release_i16_2, release_i16_3, &
      release_i16_4, release_i16_5, release_i16_6, release_i16_7, release_i32_0, release_i32_1, &
      release_i32_2, release_i32_3, release_i32_4, release_i32_5, release_i32_6, release_i32_7, &
      release_i64_0, release_i64_1, release_i64_2, release_i64_3, release_i64_4, release_i64_5, &
      release_i64_6, release_i64_7, release_f32_0, release_f32_1, release_f32_2, release_f32_3, &
      release_f32_4, release_f32_5, release_f32_6, release_f32_7, release_f64_0, release_f64_1, &
      release_f64_2, release_f64_3, release_f64_4, release_f64_5, release_f64_6, release_f64_7, &
      release_c64_0, release_c64_1, release_c64_2, release_c64_3, release_c64_4, release_c64_5, &
      release_c64_6, release_c64_7, release_c128_0, release_c128_1, release_c128_2, release_c128_3, &
      release_c128_4, release_c128_5, release_c128_6, release_c128_7
  end interface

  ! A scalar or an array as an argument, by value. An array is for one call.
  interface mobula_value
    module procedure value_i8_0, value_i8_1, value_i8_2, value_i8_3, value_i8_4, value_i8_5, value_i8_6, value_i8_7, &
      value_i16_0, value_i16_1, value_i16_2, value_i16_3, value_i16_4, value_i16_5, value_i16_6, &
      value_i16_7, value_i32_0, value_i32_1, value_i32_2, value_i32_3, value_i32_4, value_i32_5, &
      value_i32_6, value_i32_7, value_i64_0, value_i64_1, value_i64_2, value_i64_3, value_i64_4, &
      value_i64_5, value_i64_6, value_i64_7, value_f32_0, value_f32_1, value_f32_2, value_f32_3, &
      value_f32_4, value_f32_5, value_f32_6, value_f32_7, value_f64_0, value_f64_1, value_f64_2, &
      value_f64_3, value_f64_4, value_f64_5, value_f64_6, value_f64_7, value_c64_0, value_c64_1, &
      value_c64_2, value_c64_3, value_c64_4, value_c64_5, value_c64_6, value_c64_7, value_c128_0, &
      value_c128_1, value_c128_2, value_c128_3, value_c128_4, value_c128_5, value_c128_6, value_c128_7
  end interface

  ! Associates a pointer with an argument: call mobula_arg(call, index, values, ierror), or
  ! mobula_arg(call, index, values, shape, ierror).
  interface mobula_arg
    module procedure arg_i8_0, arg_i8_1, arg_i8_1_shape, arg_i8_2, arg_i8_2_shape, arg_i8_3, arg_i8_3_shape, &
      arg_i8_4, arg_i8_4_shape, arg_i8_5, arg_i8_5_shape, arg_i8_6, arg_i8_6_shape, arg_i8_7, &
      arg_i8_7_shape, arg_i16_0, arg_i16_1, arg_i16_1_shape, arg_i16_2, arg_i16_2_shape, arg_i16_3, &
      arg_i16_3_shape, arg_i16_4, arg_i16_4_shape, arg_i16_5, arg_i16_5_shape, arg_i16_6, &
      arg_i16_6_shape, arg_i16_7, arg_i16_7_shape, arg_i32_0, arg_i32_1, arg_i32_1_shape, arg_i32_2, &
      arg_i32_2_shape, arg_i32_3, arg_i32_3_shape, arg_i32_4, arg_i32_4_shape, arg_i32_5, &
      arg_i32_5_shape, arg_i32_6, arg_i32_6_shape, arg_i32_7, arg_i32_7_shape, arg_i64_0, arg_i64_1, &
      arg_i64_1_shape, arg_i64_2, arg_i64_2_shape, arg_i64_3, arg_i64_3_shape, arg_i64_4, &
      arg_i64_4_shape, arg_i64_5, arg_i64_5_shape, arg_i64_6, arg_i64_6_shape, arg_i64_7, &
      arg_i64_7_shape, arg_f32_0, arg_f32_1, arg_f32_1_shape, arg_f32_2, arg_f32_2_shape, arg_f32_3, &
      arg_f32_3_shape, arg_f32_4, arg_f32_4_shape, arg_f32_5, arg_f32_5_shape, arg_f32_6, &
      arg_f32_6_shape, arg_f32_7, arg_f32_7_shape, arg_f64_0, arg_f64_1, arg_f64_1_shape, arg_f64_2, &
      arg_f64_2_shape, arg_f64_3, arg_f64_3_shape, arg_f64_4, arg_f64_4_shape, arg_f64_5, &
      arg_f64_5_shape, arg_f64_6, arg_f64_6_shape, arg_f64_7, arg_f64_7_shape, arg_c64_0, arg_c64_1, &
      arg_c64_1_shape, arg_c64_2, arg_c64_2_shape, arg_c64_3, arg_c64_3_shape, arg_c64_4, &
      arg_c64_4_shape, arg_c64_5, arg_c64_5_shape, arg_c64_6, arg_c64_6_shape, arg_c64_7, &
      arg_c64_7_shape, arg_c128_0, arg_c128_1, arg_c128_1_shape, arg_c128_2, arg_c128_2_shape, &
      arg_c128_3, arg_c128_3_shape, arg_c128_4, arg_c128_4_shape, arg_c128_5, arg_c128_5_shape, &
      arg_c128_6, arg_c128_6_shape, arg_c128_7, arg_c128_7_shape
  end interface

  ! Sets a result: call mobula_return(call, index, array, ierror). One copy.
  interface mobula_return
    module procedure return_i8_0, return_i8_1, return_i8_2, return_i8_3, return_i8_4, return_i8_5, return_i8_6, &
      return_i8_7, return_i16_0, return_i16_1, return_i16_2, return_i16_3, return_i16_4, return_i16_5, &
      return_i16_6, return_i16_7, return_i32_0, return_i32_1, return_i32_2, return_i32_3, &
      return_i32_4, return_i32_5, return_i32_6, return_i32_7, return_i64_0, return_i64_1, &
      return_i64_2, return_i64_3, return_i64_4, return_i64_5, return_i64_6, return_i64_7, &
      return_f32_0, return_f32_1, return_f32_2, return_f32_3, return_f32_4, return_f32_5, &
      return_f32_6, return_f32_7, return_f64_0, return_f64_1, return_f64_2, return_f64_3, &
      return_f64_4, return_f64_5, return_f64_6, return_f64_7, return_c64_0, return_c64_1, &
      return_c64_2, return_c64_3, return_c64_4, return_c64_5, return_c64_6, return_c64_7, &
      return_c128_0, return_c128_1, return_c128_2, return_c128_3, return_c128_4, return_c128_5, &
      return_c128_6, return_c128_7
  end interface

  ! A result to be written in place: call mobula_return_create(call, index, values, extents, ierror).
  ! extents: as of mobula_create.
  interface mobula_return_create
    module procedure return_create_i8_0, return_create_i8_1, return_create_i8_1_wide, return_create_i8_2, &
      return_create_i8_3, return_create_i8_4, return_create_i8_5, return_create_i8_6, &
      return_create_i8_7, return_create_i16_0, return_create_i16_1, return_create_i16_1_wide, &
      return_create_i16_2, return_create_i16_3, return_create_i16_4, return_create_i16_5, &
      return_create_i16_6, return_create_i16_7, return_create_i32_0, return_create_i32_1, &
      return_create_i32_1_wide, return_create_i32_2, return_create_i32_3, return_create_i32_4, &
      return_create_i32_5, return_create_i32_6, return_create_i32_7, return_create_i64_0, &
      return_create_i64_1, return_create_i64_1_wide, return_create_i64_2, return_create_i64_3, &
      return_create_i64_4, return_create_i64_5, return_create_i64_6, return_create_i64_7, &
      return_create_f32_0, return_create_f32_1, return_create_f32_1_wide, return_create_f32_2, &
      return_create_f32_3, return_create_f32_4, return_create_f32_5, return_create_f32_6, &
      return_create_f32_7, return_create_f64_0, return_create_f64_1, return_create_f64_1_wide, &
      return_create_f64_2, return_create_f64_3, return_create_f64_4, return_create_f64_5, &
      return_create_f64_6, return_create_f64_7, return_create_c64_0, return_create_c64_1, &
      return_create_c64_1_wide, return_create_c64_2, return_create_c64_3, return_create_c64_4, &
      return_create_c64_5, return_create_c64_6, return_create_c64_7, return_create_c128_0, &
      return_create_c128_1, return_create_c128_1_wide, return_create_c128_2, return_create_c128_3, &
      return_create_c128_4, return_create_c128_5, return_create_c128_6, return_create_c128_7
  end interface
  ! end of generated

contains

  ! ---- Statuses and errors ----

  ! The texts have lengths that an expression says: gfortran keeps a deferred length in static memory, here and in each
  ! caller, which all threads share.

  ! The message of the last failure of the running task, or of this thread if it runs none.
  recursive function mobula_last_error() result(text)
    character(len=length_of_last_error()) :: text
    call copy_text(c_last_error(), text)
  end function

  pure recursive function length_of_last_error() result(length)
    integer :: length
    length = int(c_strlen(c_last_error()))
  end function

  ! "MOBULA_ERR_TIMEOUT" and so on.
  recursive function mobula_status_name(status) result(text)
    integer, intent(in) :: status
    character(len=length_of_status_name(status)) :: text
    call copy_text(c_status_name(int(status, c_int32_t)), text)
  end function

  pure recursive function length_of_status_name(status) result(length)
    integer, intent(in) :: status
    integer :: length
    length = int(c_strlen(c_status_name(int(status, c_int32_t))))
  end function

  recursive subroutine copy_text(address, text)
    type(c_ptr), intent(in) :: address
    character(len=*), intent(out) :: text
    character(kind=c_char), pointer :: letters(:)
    integer :: i
    call c_f_pointer(address, letters, [len(text)])
    do i = 1, len(text)
      text(i:i) = letters(i)
    end do
  end subroutine

  ! The text for C; "" if there is none.
  recursive function c_text(text) result(letters)
    character(len=*), intent(in) :: text
    character(kind=c_char, len=len_trim(text) + 1) :: letters
    letters = trim(text) // c_null_char
  end function

  recursive function letters_of(text) result(letters)
    character(len=*), intent(in) :: text
    character(kind=c_char), allocatable :: letters(:)
    integer :: i, length
    length = len_trim(text)
    allocate(letters(length + 1))
    do i = 1, length
      letters(i) = text(i:i)
    end do
    letters(length + 1) = c_null_char
  end function

  ! Makes the message the last failure, as if a call had returned that status, also a negative one of the program. A
  ! task whose ierror then has it fails with the message: MOBULA_ERR_TYPE and MOBULA_ERR_CONFIG arrive as they are, all
  ! others as MOBULA_ERR_TASK.
  recursive subroutine record(status, message)
    integer, intent(in) :: status
    character(len=*), intent(in) :: message
    integer(c_int32_t) :: same
    same = c_set_last_error(int(status, c_int32_t), c_text(message))
  end subroutine

  recursive subroutine report(status, ierror)
    integer, intent(in) :: status
    integer, intent(out), optional :: ierror
    if (present(ierror)) then
      ierror = status
    else if (status /= MOBULA_OK) then
      write (error_unit, "(3a)") mobula_status_name(status), ": ", mobula_last_error()
      error stop 1
    end if
  end subroutine

  recursive function number(value) result(text)
    integer(int64), intent(in) :: value
    character(len=length_of_number(value)) :: text
    write (text, "(i0)") value
  end function

  pure recursive function length_of_number(value) result(length)
    integer(int64), intent(in) :: value
    integer :: length
    character(len=20) :: digits
    write (digits, "(i0)") value
    length = len_trim(digits)
  end function

  ! ---- Start and end ----

  recursive subroutine init_default(ierror)
    integer, intent(out), optional :: ierror
    call report(int(c_init(c_null_ptr)), ierror)
  end subroutine

  recursive subroutine init_with(config, ierror)
    type(mobula_config), intent(in) :: config
    integer, intent(out), optional :: ierror
    type(c_config), target :: given
    character(kind=c_char), allocatable, target :: resources(:)
    call convert_config(config, given, resources)
    call report(int(c_init(c_loc(given))), ierror)
  end subroutine

  recursive subroutine init_comm_default(comm, ierror)
    integer, intent(in) :: comm
    integer, intent(out), optional :: ierror
    call report(int(c_init_with_comm(int(comm, c_int32_t), c_null_ptr)), ierror)
  end subroutine

  recursive subroutine init_comm_with(comm, config, ierror)
    integer, intent(in) :: comm
    type(mobula_config), intent(in) :: config
    integer, intent(out), optional :: ierror
    type(c_config), target :: given
    character(kind=c_char), allocatable, target :: resources(:)
    call convert_config(config, given, resources)
    call report(int(c_init_with_comm(int(comm, c_int32_t), c_loc(given))), ierror)
  end subroutine

  ! The settings as C has them; `resources` holds a text of theirs, and lives as long.
  recursive subroutine convert_config(config, given, resources)
    type(mobula_config), intent(in) :: config
    type(c_config), intent(inout) :: given
    character(kind=c_char), allocatable, target, intent(out) :: resources(:)
    given%size = c_sizeof(given)
    given%num_cpus = config%num_cpus
    given%num_gpus = config%num_gpus
    given%store_bytes = config%store_bytes
    given%workers = int(config%workers, c_int32_t)
    if (config%ignore_reinit) given%ignore_reinit = 1
    if (allocated(config%resources)) then
      allocate(resources, source=letters_of(config%resources))
      given%resources = c_loc(resources)
    end if
  end subroutine

  recursive subroutine mobula_serve(ierror)
    integer, intent(out), optional :: ierror
    call report(int(c_serve()), ierror)
  end subroutine

  recursive subroutine mobula_shutdown(ierror)
    integer, intent(out), optional :: ierror
    call report(int(c_shutdown()), ierror)
  end subroutine

  integer function mobula_rank()
    mobula_rank = int(c_rank())
  end function

  integer function mobula_size()
    mobula_size = int(c_size())
  end function

  logical function mobula_is_initialized()
    mobula_is_initialized = c_is_initialized()
  end function

  ! The amount of "CPU", "GPU" or another resource on all hosts together, in all and at the moment.
  recursive function mobula_resource_total(name) result(amount)
    character(len=*), intent(in) :: name
    real(real64) :: amount
    amount = c_resource_total(c_text(name))
  end function

  recursive function mobula_resource_available(name) result(amount)
    character(len=*), intent(in) :: name
    real(real64) :: amount
    amount = c_resource_available(c_text(name))
  end function

  ! ---- Handles ----

  recursive subroutine assign_ref(to, from)
    class(mobula_ref), target, intent(inout) :: to
    type(mobula_ref), intent(in) :: from
    type(c_ptr) :: handle, shapes
    handle = c_null_ptr
    shapes = c_null_ptr
    ! A clone fails for NULL only.
    if (c_associated(from%handle)) call report(int(c_ref_clone(from%handle, handle)))
    if (c_associated(from%shapes)) call report(int(c_ref_clone(from%shapes, shapes)))
    call own(to, handle, shapes, from%shape)
  end subroutine

  ! Frees what the variable has and gives it these handles.
  recursive subroutine own(ref, handle, shapes, shape)
    class(mobula_ref), target, intent(inout) :: ref
    type(c_ptr), intent(in) :: handle, shapes
    integer(int64), intent(in) :: shape(8)
    integer(int64) :: kept_shape(8)
    kept_shape = shape
    call drop(ref)
    ref%handle = handle
    ref%shapes = shapes
    ref%shape = kept_shape
    ref%owner = address_of_ref(ref)
  end subroutine

  recursive subroutine drop(ref)
    class(mobula_ref), target, intent(inout) :: ref
    if (ref%owner == address_of_ref(ref)) then
      call c_ref_free(ref%handle)
      call c_ref_free(ref%shapes)
    end if
    ref%handle = c_null_ptr
    ref%shapes = c_null_ptr
    ref%shape = no_shape()
    ref%owner = 0
  end subroutine

  recursive function address_of_ref(ref) result(address)
    class(mobula_ref), target, intent(in) :: ref
    integer(c_intptr_t) :: address
    address = transfer(c_loc(ref%handle), address)
  end function

  impure elemental subroutine end_ref(ref)
    type(mobula_ref), target, intent(inout) :: ref
    call drop(ref)
  end subroutine

  impure elemental subroutine free_ref(ref)
    type(mobula_ref), target, intent(inout) :: ref
    call drop(ref)
  end subroutine

  recursive subroutine assign_actor(to, from)
    class(mobula_actor), target, intent(inout) :: to
    type(mobula_actor), intent(in) :: from
    type(c_ptr) :: handle
    handle = c_null_ptr
    if (c_associated(from%handle)) call report(int(c_actor_clone(from%handle, handle)))
    call own_actor(to, handle)
  end subroutine

  recursive subroutine own_actor(actor, handle)
    class(mobula_actor), target, intent(inout) :: actor
    type(c_ptr), intent(in) :: handle
    integer(c_intptr_t) :: address
    address = transfer(c_loc(actor%handle), address)
    if (actor%owner == address) call c_actor_free(actor%handle)
    actor%handle = handle
    actor%owner = address
  end subroutine

  impure elemental subroutine end_actor(actor)
    type(mobula_actor), target, intent(inout) :: actor
    call own_actor(actor, c_null_ptr)
  end subroutine

  impure elemental subroutine free_actor(actor)
    type(mobula_actor), target, intent(inout) :: actor
    call own_actor(actor, c_null_ptr)
  end subroutine

  recursive subroutine same_shape(is_same)
    logical, intent(in) :: is_same
    if (is_same) return
    write (error_unit, "(a)") "mobula: an array of handles is assigned to one of another shape: allocate it before"
    error stop 1
  end subroutine

  ! generated: assignments
  recursive subroutine assign_refs_1(to, from)
    type(mobula_ref), target, intent(inout) :: to(:)
    type(mobula_ref), intent(in) :: from(:)
    type(mobula_ref) :: copies(size(from, 1))
    integer :: i
    call same_shape(all(shape(to) == shape(from)))
    do i = 1, size(from, 1)
      copies(i) = from(i)
    end do
    do i = 1, size(to, 1)
      to(i) = copies(i)
    end do
  end subroutine

  recursive subroutine assign_refs_2(to, from)
    type(mobula_ref), target, intent(inout) :: to(:, :)
    type(mobula_ref), intent(in) :: from(:, :)
    type(mobula_ref) :: copies(size(from, 1), size(from, 2))
    integer :: i
    call same_shape(all(shape(to) == shape(from)))
    do i = 1, size(from, 2)
      copies(:, i) = from(:, i)
    end do
    do i = 1, size(to, 2)
      to(:, i) = copies(:, i)
    end do
  end subroutine

  recursive subroutine assign_refs_3(to, from)
    type(mobula_ref), target, intent(inout) :: to(:, :, :)
    type(mobula_ref), intent(in) :: from(:, :, :)
    type(mobula_ref) :: copies(size(from, 1), size(from, 2), size(from, 3))
    integer :: i
    call same_shape(all(shape(to) == shape(from)))
    do i = 1, size(from, 3)
      copies(:, :, i) = from(:, :, i)
    end do
    do i = 1, size(to, 3)
      to(:, :, i) = copies(:, :, i)
    end do
  end subroutine

  recursive subroutine assign_actors_1(to, from)
    type(mobula_actor), target, intent(inout) :: to(:)
    type(mobula_actor), intent(in) :: from(:)
    type(mobula_actor) :: copies(size(from, 1))
    integer :: i
    call same_shape(all(shape(to) == shape(from)))
    do i = 1, size(from, 1)
      copies(i) = from(i)
    end do
    do i = 1, size(to, 1)
      to(i) = copies(i)
    end do
  end subroutine

  recursive subroutine assign_actors_2(to, from)
    type(mobula_actor), target, intent(inout) :: to(:, :)
    type(mobula_actor), intent(in) :: from(:, :)
    type(mobula_actor) :: copies(size(from, 1), size(from, 2))
    integer :: i
    call same_shape(all(shape(to) == shape(from)))
    do i = 1, size(from, 2)
      copies(:, i) = from(:, i)
    end do
    do i = 1, size(to, 2)
      to(:, i) = copies(:, i)
    end do
  end subroutine

  recursive subroutine assign_actors_3(to, from)
    type(mobula_actor), target, intent(inout) :: to(:, :, :)
    type(mobula_actor), intent(in) :: from(:, :, :)
    type(mobula_actor) :: copies(size(from, 1), size(from, 2), size(from, 3))
    integer :: i
    call same_shape(all(shape(to) == shape(from)))
    do i = 1, size(from, 3)
      copies(:, :, i) = from(:, :, i)
    end do
    do i = 1, size(to, 3)
      to(:, :, i) = copies(:, :, i)
    end do
  end subroutine
  ! end of generated

  ! ---- Shapes ----

  recursive function no_shape() result(shape)
    integer(int64) :: shape(8)
    shape = 0
    shape(1) = UNKNOWN
  end function

  recursive function shape_of(extents) result(shape)
    integer(int64), intent(in) :: extents(:)
    integer(int64) :: shape(8)
    shape = 0
    shape(1) = size(extents)
    shape(2:1 + size(extents)) = extents
  end function

  ! One of the shapes that a call returned; none if it returned none.
  recursive subroutine read_shape(view, position, shape)
    type(c_view), intent(in) :: view
    integer(int64), intent(in) :: position
    integer(int64), intent(out) :: shape(8)
    integer(int64), pointer :: shapes(:, :)
    shape = no_shape()
    if (view%element /= I64 .or. view%count < 8 * position) return
    call c_f_pointer(view%data, shapes, [8_int64, view%count / 8])
    shape = shapes(:, position)
  end subroutine

  ! The extents of a pointer of that rank to `count` elements with that shape. argument: its position; 0: an object.
  recursive subroutine fit(known, count, wanted, extents, argument, status)
    integer(int64), intent(in) :: known(8), count
    integer, intent(in), optional :: wanted(:)
    integer(int64), intent(inout) :: extents(:)
    integer, intent(in) :: argument
    integer, intent(out) :: status
    status = MOBULA_OK
    if (present(wanted)) then
      if (size(wanted) == size(extents) .and. product(int(wanted, int64)) == count .and. all(wanted >= 0)) then
        extents = wanted
        return
      end if
      call refuse(", which is not the given shape")
    else if (size(extents) == 0) then
      if (count /= 1) call refuse(", and a scalar was asked for")
    else if (known(1) == size(extents)) then
      extents = known(2:1 + size(extents))
    else if (size(extents) == 1 .and. known(1) < 2) then
      extents = count
    else
      call refuse(", and rank " // number(size(extents, kind=int64)) // " was asked for: pass its shape")
    end if
  contains
    subroutine refuse(why)
      character(len=*), intent(in) :: why
      character(len=:), allocatable :: object
      object = "mobula_get: the object"
      if (argument > 0) object = "mobula_arg: argument " // number(int(argument, int64))
      object = object // " has " // number(count) // " elements"
      if (known(1) >= 0) object = object // " and rank " // number(known(1))
      status = MOBULA_ERR_TYPE
      call record(status, object // why)
    end subroutine
  end subroutine

  ! The message of a task that failed, with the name that the program registered: calls from Fortran have another. Those
  ! of other statuses do not show it, and pass on more than their text.
  recursive subroutine tell_name(status, text)
    integer, intent(in) :: status
    character(len=*), intent(in) :: text
    character(len=len(text)) :: shown
    integer :: at
    if (status /= MOBULA_ERR_TYPE .and. status /= MOBULA_ERR_CONFIG) return
    shown = text
    at = index(shown, SHAPED // ": ")
    if (at == 0) return
    do while (at > 0)
      shown = shown(:at - 1) // shown(at + len(SHAPED):)
      at = index(shown, SHAPED // ": ")
    end do
    call record(status, shown)
  end subroutine

  ! Whether elements of the type `got` are read as `wanted`: Fortran has no unsigned integers.
  logical function is_read_as(got, wanted)
    integer(c_int), intent(in) :: got, wanted
    is_read_as = got == wanted .or. (got == BYTES .and. wanted == I8)
    if (wanted >= I8 .and. wanted <= I64) is_read_as = is_read_as .or. got == wanted + 1
  end function

  ! ---- Views that are kept until they are released ----

  recursive subroutine keep(kind, key, view)
    integer, intent(in) :: kind
    integer(int64), intent(in) :: key
    type(c_view), intent(in) :: view
    type(kept_view), pointer :: one
    integer(int64) :: place
    integer(c_int) :: error
    allocate(one)
    one%kind = kind
    one%key = key
    one%view = view
    place = chain_of(kind, key)
    error = c_lock(lock)
    one%next => kept(place)%first
    kept(place)%first => one
    error = c_unlock(lock)
    if (error /= 0) error stop "mobula: a mutex failed"
  end subroutine

  ! Takes what was kept under the key; view%data is null if there is nothing.
  recursive subroutine take(kind, key, view)
    integer, intent(in) :: kind
    integer(int64), intent(in) :: key
    type(c_view), intent(out) :: view
    type(kept_view), pointer :: one, before
    integer(int64) :: place
    integer(c_int) :: error
    place = chain_of(kind, key)
    error = c_lock(lock)
    before => null()
    one => kept(place)%first
    do while (associated(one))
      if (one%kind == kind .and. one%key == key) exit
      before => one
      one => one%next
    end do
    if (associated(one)) then
      if (associated(before)) then
        before%next => one%next
      else
        kept(place)%first => one%next
      end if
    end if
    error = c_unlock(lock)
    if (error /= 0) error stop "mobula: a mutex failed"
    if (associated(one)) then
      view = one%view
      deallocate(one)
    end if
  end subroutine

  ! Arrays begin at multiples of 64 bytes; copies have numbers of their own.
  integer(int64) function chain_of(kind, key)
    integer, intent(in) :: kind
    integer(int64), intent(in) :: key
    chain_of = key
    if (kind /= A_COPY) chain_of = shiftr(key, 6)
    chain_of = iand(chain_of, NUM_CHAINS - 1)
  end function

  function key_of(address) result(key)
    type(c_ptr), intent(in) :: address
    integer(int64) :: key
    key = int(transfer(address, 0_c_intptr_t), int64)
  end function

  ! ---- Objects ----

  recursive subroutine put(address, extents, element, out, ierror)
    type(c_ptr), intent(in) :: address
    integer(int64), intent(in) :: extents(:)
    integer(c_int), intent(in) :: element
    type(mobula_ref), target, intent(inout) :: out
    integer, intent(out), optional :: ierror
    type(c_ptr) :: handle
    integer :: status
    status = int(c_put(address, int(product(extents), c_size_t), element, handle))
    if (status == MOBULA_OK) call own(out, handle, c_null_ptr, shape_of(extents))
    call report(status, ierror)
  end subroutine

  recursive subroutine create_buffer(extents, element, address, status)
    integer(int64), intent(in) :: extents(:)
    integer(c_int), intent(in) :: element
    type(c_ptr), intent(out) :: address
    integer, intent(out) :: status
    type(c_view) :: buffer
    if (any(extents < 0)) then
      status = MOBULA_ERR_INVALID_ARGUMENT
      call record(status, "mobula_create: an extent is below 0")
      return
    end if
    status = int(c_create(int(product(extents), c_size_t), element, buffer))
    if (status /= MOBULA_OK) return
    address = buffer%data
    ! As a view without elements.
    if (buffer%count == 0) then
      call c_discard(buffer)
    else
      call keep(A_BUFFER, key_of(address), buffer)
    end if
  end subroutine

  ! address: null for an array without elements.
  recursive subroutine seal(is_associated, address, extents, element, ref, status)
    logical, intent(in) :: is_associated
    type(c_ptr), intent(in) :: address
    integer(int64), intent(in) :: extents(:)
    integer(c_int), intent(in) :: element
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out) :: status
    type(c_view) :: buffer
    type(c_ptr) :: handle
    if (is_associated .and. .not. c_associated(address)) then
      call put(address, extents, element, ref, status)
      return
    end if
    call take(A_BUFFER, key_of(address), buffer)
    if (.not. c_associated(buffer%data)) then
      status = MOBULA_ERR_INVALID_ARGUMENT
      call record(status, "mobula_seal: mobula_create did not associate this pointer, or it was sealed already")
    else if (buffer%count /= product(extents)) then
      status = MOBULA_ERR_INVALID_ARGUMENT
      call record(status, "mobula_seal: the pointer is to a part of what mobula_create associated")
      call keep(A_BUFFER, key_of(address), buffer)
    else
      status = int(c_seal(buffer, handle))
      if (status == MOBULA_OK) then
        call own(ref, handle, c_null_ptr, shape_of(extents))
      else
        call keep(A_BUFFER, key_of(address), buffer)
      end if
    end if
  end subroutine

  recursive subroutine discard(address, status)
    type(c_ptr), intent(in) :: address
    integer, intent(out) :: status
    type(c_view) :: buffer
    status = MOBULA_OK
    if (.not. c_associated(address)) return
    call take(A_BUFFER, key_of(address), buffer)
    if (c_associated(buffer%data)) then
      call c_discard(buffer)
    else
      status = MOBULA_ERR_INVALID_ARGUMENT
      call record(status, "mobula_discard: mobula_create did not associate this pointer, or it was sealed already")
    end if
  end subroutine

  ! Views an object; the view is kept until the address is released.
  recursive subroutine get(ref, element, extents, address, status, wanted, timeout)
    type(mobula_ref), intent(in) :: ref
    integer(c_int), intent(in) :: element
    integer(int64), intent(inout) :: extents(:)
    type(c_ptr), intent(out) :: address
    integer, intent(out) :: status
    integer, intent(in), optional :: wanted(:)
    real(real64), intent(in), optional :: timeout
    type(c_view) :: view, shapes
    integer(int64) :: shape(8)
    real(c_double) :: seconds
    seconds = -1
    if (present(timeout)) seconds = timeout
    status = int(c_get(ref%handle, seconds, view))
    if (status /= MOBULA_OK) call tell_name(status, mobula_last_error())
    shape = ref%shape
    ! The call has ended: what it returned about shapes is there.
    if (status == MOBULA_OK .and. shape(1) == PENDING .and. .not. present(wanted)) then
      status = int(c_get(ref%shapes, -1.0_c_double, shapes))
      if (status /= MOBULA_OK) then
        call c_release(view)
      else
        call read_shape(shapes, ref%shape(2), shape)
        call c_release(shapes)
      end if
    end if
    if (status /= MOBULA_OK) return
    address = view%data
    if (is_read_as(view%element, element)) then
      call fit(shape, int(view%count, int64), wanted, extents, 0, status)
    else
      status = MOBULA_ERR_TYPE
      call record(status, "mobula_get: the object has elements of the type " // trim(TYPES(view%element)) // &
        ", and " // trim(TYPES(element)) // " was asked for")
    end if
    ! An array without elements has no address to be found by.
    if (status /= MOBULA_OK .or. view%count == 0) then
      call c_release(view)
    else
      call keep(A_VIEW, key_of(view%data), view)
    end if
  end subroutine

  ! A pointer that is not associated, or to no elements, keeps nothing.
  recursive subroutine release(address, status)
    type(c_ptr), intent(in) :: address
    integer, intent(out) :: status
    type(c_view) :: view
    status = MOBULA_OK
    if (.not. c_associated(address)) return
    call take(A_VIEW, key_of(address), view)
    if (c_associated(view%data)) then
      call c_release(view)
    else
      status = MOBULA_ERR_INVALID_ARGUMENT
      call record(status, "mobula_release: mobula_get did not associate this pointer, or it was released already")
    end if
  end subroutine

  ! Waits until num_returns (none: all) of the references are ready, or timeout seconds have passed, which is no error.
  ! ready(i): whether refs(i) is; a failure is ready too. num_ready: how many are.
  recursive subroutine mobula_wait(refs, num_returns, timeout, ready, num_ready, ierror)
    type(mobula_ref), intent(in) :: refs(:)
    integer, intent(in), optional :: num_returns
    real(real64), intent(in), optional :: timeout
    logical, intent(out), optional :: ready(:)
    integer, intent(out), optional :: num_ready
    integer, intent(out), optional :: ierror
    type(c_ptr) :: handles(size(refs))
    logical(c_bool) :: is_ready(size(refs))
    integer(c_size_t) :: wanted, found
    real(c_double) :: seconds
    integer :: i, status
    do i = 1, size(refs)
      handles(i) = refs(i)%handle
    end do
    wanted = size(refs)
    if (present(num_returns)) wanted = num_returns
    seconds = -1
    if (present(timeout)) seconds = timeout
    if (present(ready)) then
      if (size(ready) /= size(refs)) then
        status = MOBULA_ERR_INVALID_ARGUMENT
        call record(status, "mobula_wait: ready has not as many elements as refs")
        call report(status, ierror)
        return
      end if
    end if
    found = 0
    is_ready = .false.
    status = int(c_wait(handles, size(refs, kind=c_size_t), wanted, seconds, is_ready, found))
    if (present(ready)) ready = is_ready
    if (present(num_ready)) num_ready = int(found)
    call report(status, ierror)
  end subroutine

  ! Cancels the task that returns the object.
  recursive subroutine mobula_cancel(ref, ierror)
    type(mobula_ref), intent(in) :: ref
    integer, intent(out), optional :: ierror
    call report(int(c_cancel(ref%handle)), ierror)
  end subroutine

  ! ---- Tasks: registration ----

  ! Registers `subroutine task(call, ierror)` by name, before the first mobula_init and on every rank alike:
  ! type(mobula_call), intent(in) :: call; integer, intent(out) :: ierror, which is 0 when the task begins.
  recursive subroutine mobula_register(name, task, num_returns, ierror)
    character(len=*), intent(in) :: name
    external :: task
    integer, intent(in), optional :: num_returns
    integer, intent(out), optional :: ierror
    type(registered_function), pointer :: registered
    integer(c_int32_t) :: own_returns
    integer :: status
    allocate(registered)
    registered%name = trim(name)
    allocate(registered%label, source=letters_of(name))
    allocate(registered%shaped_name, source=letters_of(trim(name) // SHAPED))
    registered%task => task
    if (present(num_returns)) registered%num_returns = num_returns
    own_returns = int(registered%num_returns, c_int32_t)
    status = int(c_register(c_text(name), c_funloc(run_plain), c_loc(registered), own_returns))
    if (status == MOBULA_OK) status = int(c_register(registered%shaped_name, c_funloc(run_shaped), &
      c_loc(registered), own_returns + 1_c_int32_t))
    if (status == MOBULA_OK) then
      registered%next => functions
      functions => registered
    end if
    call report(status, ierror)
  end subroutine

  recursive subroutine find_function(name, registered)
    character(len=*), intent(in) :: name
    type(registered_function), pointer, intent(out) :: registered
    registered => functions
    do while (associated(registered))
      if (registered%name == name) exit
      registered => registered%next
    end do
  end subroutine

  ! A call by another language.
  recursive function run_plain(handle, user) bind(C, name="") result(status)
    type(c_ptr), value :: handle, user
    integer(c_int32_t) :: status
    status = run_task(handle, user, .false.)
  end function

  ! A call by Fortran.
  recursive function run_shaped(handle, user) bind(C, name="") result(status)
    type(c_ptr), value :: handle, user
    integer(c_int32_t) :: status
    status = run_task(handle, user, .true.)
  end function

  recursive function run_task(handle, user, is_shaped) result(status)
    type(c_ptr), intent(in) :: handle, user
    logical, intent(in) :: is_shaped
    integer(c_int32_t) :: status
    type(registered_function), pointer :: registered
    type(mobula_call) :: call
    integer :: ierror
    call c_f_pointer(user, registered)
    call begin(call, handle, is_shaped, registered%num_returns, ierror)
    if (ierror == MOBULA_OK) call registered%task(call, ierror)
    call finish(call, ierror, status)
  end function

  recursive subroutine begin(call, handle, is_shaped, num_returns, ierror)
    type(mobula_call), intent(inout) :: call
    type(c_ptr), intent(in) :: handle
    logical, intent(in) :: is_shaped
    integer, intent(in) :: num_returns
    integer, intent(out) :: ierror
    integer(c_size_t) :: count
    type(c_view) :: view
    call%handle = handle
    ierror = MOBULA_OK
    if (.not. is_shaped) return
    count = 0
    ierror = int(c_arg_count(handle, count))
    if (ierror == MOBULA_OK) ierror = int(c_arg(handle, count - 1, I64, view))
    if (ierror /= MOBULA_OK) return
    call c_f_pointer(view%data, call%arguments, [view%count])
    allocate(call%results(8, num_returns))
    call%results = 0
  end subroutine

  ! Returns the shapes of the results, and the status of a task that ended with ierror.
  recursive subroutine finish(call, ierror, status)
    type(mobula_call), intent(inout) :: call
    integer, intent(in) :: ierror
    integer(c_int32_t), intent(out) :: status
    status = int(ierror, c_int32_t)
    if (associated(call%results)) then
      if (status == MOBULA_OK .and. any(call%results(1, :) >= 2)) status = c_return(call%handle, &
        size(call%results, 2, kind=c_size_t), c_loc(call%results), size(call%results, kind=c_size_t), I64)
      deallocate(call%results)
    end if
  end subroutine

  ! ---- Arguments of a call that is made ----

  recursive function scalar_value(scalar, element) result(argument)
    integer(int8), intent(in) :: scalar(:)
    integer(c_int), intent(in) :: element
    type(mobula_arg_value) :: argument
    argument%element = element
    argument%scalar(:size(scalar)) = scalar
    argument%shape(1) = 0
  end function

  ! A copy of an array, for one call: mobula_value cannot know how long the array lives. The call frees the copy.
  recursive function array_value(address, extents, element) result(argument)
    type(c_ptr), intent(in) :: address
    integer(int64), intent(in) :: extents(:)
    integer(c_int), intent(in) :: element
    type(mobula_arg_value) :: argument
    type(c_view) :: copy
    type(c_ptr) :: same
    integer(c_size_t) :: bytes
    integer(c_int) :: error
    copy%count = product(extents)
    copy%element = element
    bytes = copy%count * SIZES(element)
    copy%data = c_malloc(max(bytes, 1_c_size_t))
    if (.not. c_associated(copy%data)) error stop "mobula_value: there is no memory for a copy of the array"
    if (bytes > 0) same = c_memcpy(copy%data, address, bytes)
    error = c_lock(lock)
    last_copy = last_copy + 1
    argument%copy = last_copy
    error = c_unlock(lock)
    if (error /= 0) error stop "mobula: a mutex failed"
    argument%element = element
    argument%shape = shape_of(extents)
    call keep(A_COPY, argument%copy, copy)
  end function

  ! An object: the call runs when it is complete; its failure is the call's.
  recursive function mobula_by_ref(ref) result(argument)
    type(mobula_ref), intent(in) :: ref
    type(mobula_arg_value) :: argument
    argument%kind = BY_REFERENCE
    argument%handle = ref%handle
    argument%shapes = ref%shapes
    argument%shape = ref%shape
  end function

  ! A reference itself: the call runs without waiting for the object, and gets it by mobula_arg_ref.
  recursive function mobula_as_is(ref) result(argument)
    type(mobula_ref), intent(in) :: ref
    type(mobula_arg_value) :: argument
    argument = mobula_by_ref(ref)
    argument%kind = AS_IS
  end function

  ! An actor's handle: the call gets it by mobula_arg_actor.
  recursive function mobula_by_actor(actor) result(argument)
    type(mobula_actor), intent(in) :: actor
    type(mobula_arg_value) :: argument
    argument%kind = BY_ACTOR
    argument%handle = actor%handle
  end function

  ! The arguments for C, with room for those that hold shapes: `given(:count)`. free_copies follows the call.
  recursive subroutine read_arguments(args, given, copies, status)
    type(mobula_arg_value), target, intent(in) :: args(:)
    type(c_argument), intent(inout) :: given(:)
    type(c_view), intent(inout) :: copies(:)
    integer, intent(out) :: status
    integer :: i
    status = MOBULA_OK
    do i = 1, size(args)
      given(i)%kind = args(i)%kind
      given(i)%element = args(i)%element
      given(i)%handle = args(i)%handle
      if (args(i)%kind /= BY_VALUE) cycle
      given(i)%count = 1
      given(i)%data = c_loc(args(i)%scalar)
      if (args(i)%copy == 0) cycle
      call take(A_COPY, args(i)%copy, copies(i))
      given(i)%count = copies(i)%count
      given(i)%data = copies(i)%data
      if (c_associated(copies(i)%data)) cycle
      status = MOBULA_ERR_INVALID_ARGUMENT
      call record(status, "args(" // number(int(i, int64)) // "): an array by value is passed by one call: it was " // &
        "passed already; make it anew by mobula_value, or put the array and pass it by mobula_by_ref")
    end do
  end subroutine

  recursive subroutine free_copies(copies)
    type(c_view), intent(in) :: copies(:)
    integer :: i
    do i = 1, size(copies)
      call c_free(copies(i)%data)
    end do
  end subroutine

  ! Appends what tells a task of Fortran the shapes: results of the calls that arguments wait for, and one array.
  recursive subroutine describe(args, given, count, shapes)
    type(mobula_arg_value), intent(in) :: args(:)
    type(c_argument), intent(inout) :: given(:)
    integer, intent(out) :: count
    integer(int64), target, intent(inout) :: shapes(:)
    integer :: i, at
    count = size(args)
    shapes(1) = size(args)
    do i = 1, size(args)
      at = 8 * i - 6
      shapes(at:at + 7) = args(i)%shape
      if (args(i)%shape(1) /= PENDING) cycle
      count = count + 1
      given(count)%kind = args(i)%kind
      given(count)%handle = args(i)%shapes
      shapes(at + 2) = count - 1
    end do
    count = count + 1
    given(count)%kind = BY_VALUE
    given(count)%element = I64
    given(count)%data = c_loc(shapes)
    given(count)%count = 1
    do i = 1, size(args)
      if (args(i)%shape(1) >= 2 .or. args(i)%shape(1) == PENDING) given(count)%count = size(shapes)
    end do
  end subroutine

  ! Gives references to the results of a call. The last handle is that of their shapes, or null.
  recursive subroutine give(handles, refs)
    type(c_ptr), intent(in) :: handles(:)
    type(mobula_ref), target, intent(inout) :: refs(:)
    integer :: i
    do i = 1, size(refs)
      call give_one(handles, i, refs(i))
    end do
    call c_ref_free(handles(size(handles)))
  end subroutine

  recursive subroutine give_one(handles, index, ref)
    type(c_ptr), intent(in) :: handles(:)
    integer, intent(in) :: index
    type(mobula_ref), target, intent(inout) :: ref
    type(c_ptr) :: shapes
    integer(int64) :: shape(8)
    integer :: status
    shape = no_shape()
    shapes = c_null_ptr
    if (c_associated(handles(size(handles)))) then
      shape(1:2) = [PENDING, int(index, int64)]
      status = int(c_ref_clone(handles(size(handles)), shapes))
      if (status /= MOBULA_OK) call report(status)
    end if
    call own(ref, handles(index), shapes, shape)
  end subroutine

  ! ---- Tasks: submission ----

  ! handles: one for each result that is wanted, and one more for their shapes, which is null if there are none.
  recursive subroutine submit(name, args, handles, status, options)
    character(len=*), intent(in) :: name
    type(mobula_arg_value), target, intent(in) :: args(:)
    type(c_ptr), intent(inout) :: handles(:)
    integer, intent(out) :: status
    type(mobula_options), intent(in), optional :: options
    type(c_argument) :: given(2 * size(args) + 1)
    type(c_view) :: copies(size(args))
    type(c_options) :: chosen
    character(kind=c_char), allocatable, target :: resources(:), label(:), host(:)
    integer(int64), target :: shapes(8 * size(args) + 1)
    type(registered_function), pointer :: registered
    integer :: count
    handles(size(handles)) = c_null_ptr
    call read_arguments(args, given, copies, status)
    if (status == MOBULA_OK) then
      call read_options(chosen, resources, label, host, options)
      call find_function(name, registered)
      if (associated(registered)) then
        if (.not. c_associated(chosen%name)) chosen%name = c_loc(registered%label)
        call describe(args, given, count, shapes)
        status = int(c_submit(registered%shaped_name, given, int(count, c_size_t), chosen, handles, &
          merge(0_c_size_t, size(handles, kind=c_size_t), size(handles) == 1)))
      else
        status = int(c_submit(c_text(name), given, size(args, kind=c_size_t), chosen, handles, &
          size(handles, kind=c_size_t) - 1))
      end if
    end if
    call free_copies(copies)
  end subroutine

  ! The options for C; the texts are those to which it points.
  recursive subroutine read_options(given, resources, name, host, options)
    type(c_options), intent(inout) :: given
    character(kind=c_char), allocatable, target, intent(out) :: resources(:), name(:), host(:)
    type(mobula_options), intent(in), optional :: options
    given%size = c_sizeof(given)
    if (.not. present(options)) return
    given%num_cpus = options%num_cpus
    given%num_gpus = options%num_gpus
    given%memory = options%memory
    given%max_retries = int(options%max_retries, c_int32_t)
    given%max_restarts = int(options%max_restarts, c_int32_t)
    given%max_task_retries = int(options%max_task_retries, c_int32_t)
    if (options%retry_on_error) given%retry_on_error = 1
    given%placement = int(options%placement, c_int)
    given%rank = int(options%rank, c_int32_t)
    if (associated(options%near)) given%near = options%near%handle
    if (allocated(options%resources)) then
      allocate(resources, source=letters_of(options%resources))
      given%resources = c_loc(resources)
    end if
    if (allocated(options%name)) then
      allocate(name, source=letters_of(options%name))
      given%name = c_loc(name)
    end if
    if (allocated(options%host)) then
      allocate(host, source=letters_of(options%host))
      given%host = c_loc(host)
    end if
  end subroutine

  recursive subroutine submit_one(name, args, ref, ierror)
    character(len=*), intent(in) :: name
    type(mobula_arg_value), target, intent(in) :: args(:)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: handles(2)
    integer :: status
    call submit(name, args, handles, status)
    if (status == MOBULA_OK) then
      call give_one(handles, 1, ref)
      call c_ref_free(handles(2))
    end if
    call report(status, ierror)
  end subroutine

  recursive subroutine submit_one_options(name, args, ref, options, ierror)
    character(len=*), intent(in) :: name
    type(mobula_arg_value), target, intent(in) :: args(:)
    type(mobula_ref), target, intent(inout) :: ref
    type(mobula_options), intent(in) :: options
    integer, intent(out), optional :: ierror
    type(c_ptr) :: handles(2)
    integer :: status
    call submit(name, args, handles, status, options)
    if (status == MOBULA_OK) then
      call give_one(handles, 1, ref)
      call c_ref_free(handles(2))
    end if
    call report(status, ierror)
  end subroutine

  recursive subroutine submit_many(name, args, refs, ierror)
    character(len=*), intent(in) :: name
    type(mobula_arg_value), target, intent(in) :: args(:)
    type(mobula_ref), target, intent(inout) :: refs(:)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: handles(size(refs) + 1)
    integer :: status
    call submit(name, args, handles, status)
    if (status == MOBULA_OK) call give(handles, refs)
    call report(status, ierror)
  end subroutine

  recursive subroutine submit_many_options(name, args, refs, options, ierror)
    character(len=*), intent(in) :: name
    type(mobula_arg_value), target, intent(in) :: args(:)
    type(mobula_ref), target, intent(inout) :: refs(:)
    type(mobula_options), intent(in) :: options
    integer, intent(out), optional :: ierror
    type(c_ptr) :: handles(size(refs) + 1)
    integer :: status
    call submit(name, args, handles, status, options)
    if (status == MOBULA_OK) call give(handles, refs)
    call report(status, ierror)
  end subroutine

  recursive subroutine submit_none(name, args, ierror)
    character(len=*), intent(in) :: name
    type(mobula_arg_value), target, intent(in) :: args(:)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: handles(1)
    integer :: status
    call submit(name, args, handles, status)
    call report(status, ierror)
  end subroutine

  recursive subroutine submit_none_options(name, args, options, ierror)
    character(len=*), intent(in) :: name
    type(mobula_arg_value), target, intent(in) :: args(:)
    type(mobula_options), intent(in) :: options
    integer, intent(out), optional :: ierror
    type(c_ptr) :: handles(1)
    integer :: status
    call submit(name, args, handles, status, options)
    call report(status, ierror)
  end subroutine

  recursive subroutine submit_one_no_args(name, ref, ierror)
    character(len=*), intent(in) :: name
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(mobula_arg_value) :: args(0)
    call submit_one(name, args, ref, ierror)
  end subroutine

  recursive subroutine submit_one_no_args_options(name, ref, options, ierror)
    character(len=*), intent(in) :: name
    type(mobula_ref), target, intent(inout) :: ref
    type(mobula_options), intent(in) :: options
    integer, intent(out), optional :: ierror
    type(mobula_arg_value) :: args(0)
    call submit_one_options(name, args, ref, options, ierror)
  end subroutine

  recursive subroutine submit_many_no_args(name, refs, ierror)
    character(len=*), intent(in) :: name
    type(mobula_ref), target, intent(inout) :: refs(:)
    integer, intent(out), optional :: ierror
    type(mobula_arg_value) :: args(0)
    call submit_many(name, args, refs, ierror)
  end subroutine

  recursive subroutine submit_many_no_args_options(name, refs, options, ierror)
    character(len=*), intent(in) :: name
    type(mobula_ref), target, intent(inout) :: refs(:)
    type(mobula_options), intent(in) :: options
    integer, intent(out), optional :: ierror
    type(mobula_arg_value) :: args(0)
    call submit_many_options(name, args, refs, options, ierror)
  end subroutine

  recursive subroutine submit_none_no_args(name, ierror)
    character(len=*), intent(in) :: name
    integer, intent(out), optional :: ierror
    type(mobula_arg_value) :: args(0)
    call submit_none(name, args, ierror)
  end subroutine

  recursive subroutine submit_none_no_args_options(name, options, ierror)
    character(len=*), intent(in) :: name
    type(mobula_options), intent(in) :: options
    integer, intent(out), optional :: ierror
    type(mobula_arg_value) :: args(0)
    call submit_none_options(name, args, options, ierror)
  end subroutine

  ! generated: types and ranks
  recursive subroutine put_i8_0(array, ref, ierror)
    integer(int8), target, intent(in) :: array
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_loc(array)
    call put(address, shape(array, kind=int64), I8, ref, ierror)
  end subroutine

  recursive subroutine put_i8_1(array, ref, ierror)
    integer(int8), target, contiguous, intent(in) :: array(:)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), I8, ref, ierror)
  end subroutine

  recursive subroutine put_i8_2(array, ref, ierror)
    integer(int8), target, contiguous, intent(in) :: array(:, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), I8, ref, ierror)
  end subroutine

  recursive subroutine put_i8_3(array, ref, ierror)
    integer(int8), target, contiguous, intent(in) :: array(:, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), I8, ref, ierror)
  end subroutine

  recursive subroutine put_i8_4(array, ref, ierror)
    integer(int8), target, contiguous, intent(in) :: array(:, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), I8, ref, ierror)
  end subroutine

  recursive subroutine put_i8_5(array, ref, ierror)
    integer(int8), target, contiguous, intent(in) :: array(:, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), I8, ref, ierror)
  end subroutine

  recursive subroutine put_i8_6(array, ref, ierror)
    integer(int8), target, contiguous, intent(in) :: array(:, :, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), I8, ref, ierror)
  end subroutine

  recursive subroutine put_i8_7(array, ref, ierror)
    integer(int8), target, contiguous, intent(in) :: array(:, :, :, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), I8, ref, ierror)
  end subroutine

  recursive subroutine put_i16_0(array, ref, ierror)
    integer(int16), target, intent(in) :: array
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_loc(array)
    call put(address, shape(array, kind=int64), I16, ref, ierror)
  end subroutine

  recursive subroutine put_i16_1(array, ref, ierror)
    integer(int16), target, contiguous, intent(in) :: array(:)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), I16, ref, ierror)
  end subroutine

  recursive subroutine put_i16_2(array, ref, ierror)
    integer(int16), target, contiguous, intent(in) :: array(:, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), I16, ref, ierror)
  end subroutine

  recursive subroutine put_i16_3(array, ref, ierror)
    integer(int16), target, contiguous, intent(in) :: array(:, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), I16, ref, ierror)
  end subroutine

  recursive subroutine put_i16_4(array, ref, ierror)
    integer(int16), target, contiguous, intent(in) :: array(:, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), I16, ref, ierror)
  end subroutine

  recursive subroutine put_i16_5(array, ref, ierror)
    integer(int16), target, contiguous, intent(in) :: array(:, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), I16, ref, ierror)
  end subroutine

  recursive subroutine put_i16_6(array, ref, ierror)
    integer(int16), target, contiguous, intent(in) :: array(:, :, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), I16, ref, ierror)
  end subroutine

  recursive subroutine put_i16_7(array, ref, ierror)
    integer(int16), target, contiguous, intent(in) :: array(:, :, :, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), I16, ref, ierror)
  end subroutine

  recursive subroutine put_i32_0(array, ref, ierror)
    integer(int32), target, intent(in) :: array
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_loc(array)
    call put(address, shape(array, kind=int64), I32, ref, ierror)
  end subroutine

  recursive subroutine put_i32_1(array, ref, ierror)
    integer(int32), target, contiguous, intent(in) :: array(:)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), I32, ref, ierror)
  end subroutine

  recursive subroutine put_i32_2(array, ref, ierror)
    integer(int32), target, contiguous, intent(in) :: array(:, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), I32, ref, ierror)
  end subroutine

  recursive subroutine put_i32_3(array, ref, ierror)
    integer(int32), target, contiguous, intent(in) :: array(:, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), I32, ref, ierror)
  end subroutine

  recursive subroutine put_i32_4(array, ref, ierror)
    integer(int32), target, contiguous, intent(in) :: array(:, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), I32, ref, ierror)
  end subroutine

  recursive subroutine put_i32_5(array, ref, ierror)
    integer(int32), target, contiguous, intent(in) :: array(:, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), I32, ref, ierror)
  end subroutine

  recursive subroutine put_i32_6(array, ref, ierror)
    integer(int32), target, contiguous, intent(in) :: array(:, :, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), I32, ref, ierror)
  end subroutine

  recursive subroutine put_i32_7(array, ref, ierror)
    integer(int32), target, contiguous, intent(in) :: array(:, :, :, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), I32, ref, ierror)
  end subroutine

  recursive subroutine put_i64_0(array, ref, ierror)
    integer(int64), target, intent(in) :: array
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_loc(array)
    call put(address, shape(array, kind=int64), I64, ref, ierror)
  end subroutine

  recursive subroutine put_i64_1(array, ref, ierror)
    integer(int64), target, contiguous, intent(in) :: array(:)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), I64, ref, ierror)
  end subroutine

  recursive subroutine put_i64_2(array, ref, ierror)
    integer(int64), target, contiguous, intent(in) :: array(:, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), I64, ref, ierror)
  end subroutine

  recursive subroutine put_i64_3(array, ref, ierror)
    integer(int64), target, contiguous, intent(in) :: array(:, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), I64, ref, ierror)
  end subroutine

  recursive subroutine put_i64_4(array, ref, ierror)
    integer(int64), target, contiguous, intent(in) :: array(:, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), I64, ref, ierror)
  end subroutine

  recursive subroutine put_i64_5(array, ref, ierror)
    integer(int64), target, contiguous, intent(in) :: array(:, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), I64, ref, ierror)
  end subroutine

  recursive subroutine put_i64_6(array, ref, ierror)
    integer(int64), target, contiguous, intent(in) :: array(:, :, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), I64, ref, ierror)
  end subroutine

  recursive subroutine put_i64_7(array, ref, ierror)
    integer(int64), target, contiguous, intent(in) :: array(:, :, :, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), I64, ref, ierror)
  end subroutine

  recursive subroutine put_f32_0(array, ref, ierror)
    real(real32), target, intent(in) :: array
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_loc(array)
    call put(address, shape(array, kind=int64), F32, ref, ierror)
  end subroutine

  recursive subroutine put_f32_1(array, ref, ierror)
    real(real32), target, contiguous, intent(in) :: array(:)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), F32, ref, ierror)
  end subroutine

  recursive subroutine put_f32_2(array, ref, ierror)
    real(real32), target, contiguous, intent(in) :: array(:, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), F32, ref, ierror)
  end subroutine

  recursive subroutine put_f32_3(array, ref, ierror)
    real(real32), target, contiguous, intent(in) :: array(:, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), F32, ref, ierror)
  end subroutine

  recursive subroutine put_f32_4(array, ref, ierror)
    real(real32), target, contiguous, intent(in) :: array(:, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), F32, ref, ierror)
  end subroutine

  recursive subroutine put_f32_5(array, ref, ierror)
    real(real32), target, contiguous, intent(in) :: array(:, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), F32, ref, ierror)
  end subroutine

  recursive subroutine put_f32_6(array, ref, ierror)
    real(real32), target, contiguous, intent(in) :: array(:, :, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), F32, ref, ierror)
  end subroutine

  recursive subroutine put_f32_7(array, ref, ierror)
    real(real32), target, contiguous, intent(in) :: array(:, :, :, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), F32, ref, ierror)
  end subroutine

  recursive subroutine put_f64_0(array, ref, ierror)
    real(real64), target, intent(in) :: array
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_loc(array)
    call put(address, shape(array, kind=int64), F64, ref, ierror)
  end subroutine

  recursive subroutine put_f64_1(array, ref, ierror)
    real(real64), target, contiguous, intent(in) :: array(:)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), F64, ref, ierror)
  end subroutine

  recursive subroutine put_f64_2(array, ref, ierror)
    real(real64), target, contiguous, intent(in) :: array(:, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), F64, ref, ierror)
  end subroutine

  recursive subroutine put_f64_3(array, ref, ierror)
    real(real64), target, contiguous, intent(in) :: array(:, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), F64, ref, ierror)
  end subroutine

  recursive subroutine put_f64_4(array, ref, ierror)
    real(real64), target, contiguous, intent(in) :: array(:, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), F64, ref, ierror)
  end subroutine

  recursive subroutine put_f64_5(array, ref, ierror)
    real(real64), target, contiguous, intent(in) :: array(:, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), F64, ref, ierror)
  end subroutine

  recursive subroutine put_f64_6(array, ref, ierror)
    real(real64), target, contiguous, intent(in) :: array(:, :, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), F64, ref, ierror)
  end subroutine

  recursive subroutine put_f64_7(array, ref, ierror)
    real(real64), target, contiguous, intent(in) :: array(:, :, :, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), F64, ref, ierror)
  end subroutine

  recursive subroutine put_c64_0(array, ref, ierror)
    complex(real32), target, intent(in) :: array
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_loc(array)
    call put(address, shape(array, kind=int64), C64, ref, ierror)
  end subroutine

  recursive subroutine put_c64_1(array, ref, ierror)
    complex(real32), target, contiguous, intent(in) :: array(:)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), C64, ref, ierror)
  end subroutine

  recursive subroutine put_c64_2(array, ref, ierror)
    complex(real32), target, contiguous, intent(in) :: array(:, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), C64, ref, ierror)
  end subroutine

  recursive subroutine put_c64_3(array, ref, ierror)
    complex(real32), target, contiguous, intent(in) :: array(:, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), C64, ref, ierror)
  end subroutine

  recursive subroutine put_c64_4(array, ref, ierror)
    complex(real32), target, contiguous, intent(in) :: array(:, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), C64, ref, ierror)
  end subroutine

  recursive subroutine put_c64_5(array, ref, ierror)
    complex(real32), target, contiguous, intent(in) :: array(:, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), C64, ref, ierror)
  end subroutine

  recursive subroutine put_c64_6(array, ref, ierror)
    complex(real32), target, contiguous, intent(in) :: array(:, :, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), C64, ref, ierror)
  end subroutine

  recursive subroutine put_c64_7(array, ref, ierror)
    complex(real32), target, contiguous, intent(in) :: array(:, :, :, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), C64, ref, ierror)
  end subroutine

  recursive subroutine put_c128_0(array, ref, ierror)
    complex(real64), target, intent(in) :: array
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_loc(array)
    call put(address, shape(array, kind=int64), C128, ref, ierror)
  end subroutine

  recursive subroutine put_c128_1(array, ref, ierror)
    complex(real64), target, contiguous, intent(in) :: array(:)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), C128, ref, ierror)
  end subroutine

  recursive subroutine put_c128_2(array, ref, ierror)
    complex(real64), target, contiguous, intent(in) :: array(:, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), C128, ref, ierror)
  end subroutine

  recursive subroutine put_c128_3(array, ref, ierror)
    complex(real64), target, contiguous, intent(in) :: array(:, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), C128, ref, ierror)
  end subroutine

  recursive subroutine put_c128_4(array, ref, ierror)
    complex(real64), target, contiguous, intent(in) :: array(:, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), C128, ref, ierror)
  end subroutine

  recursive subroutine put_c128_5(array, ref, ierror)
    complex(real64), target, contiguous, intent(in) :: array(:, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), C128, ref, ierror)
  end subroutine

  recursive subroutine put_c128_6(array, ref, ierror)
    complex(real64), target, contiguous, intent(in) :: array(:, :, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), C128, ref, ierror)
  end subroutine

  recursive subroutine put_c128_7(array, ref, ierror)
    complex(real64), target, contiguous, intent(in) :: array(:, :, :, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call put(address, shape(array, kind=int64), C128, ref, ierror)
  end subroutine

  recursive subroutine create_i8_0(values, ierror)
    integer(int8), pointer, intent(out) :: values
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer([integer(int64) ::], I8, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_i8_1(values, extents, ierror)
    integer(int8), pointer, intent(out) :: values(:)
    integer(int32), intent(in) :: extents
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer([int(extents, int64)], I8, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, [extents])
    call report(status, ierror)
  end subroutine

  recursive subroutine create_i8_1_wide(values, extents, ierror)
    integer(int8), pointer, intent(out) :: values(:)
    integer(int64), intent(in) :: extents
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer([int(extents, int64)], I8, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, [extents])
    call report(status, ierror)
  end subroutine

  recursive subroutine create_i8_2(values, extents, ierror)
    integer(int8), pointer, intent(out) :: values(:, :)
    integer, intent(in) :: extents(2)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), I8, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_i8_3(values, extents, ierror)
    integer(int8), pointer, intent(out) :: values(:, :, :)
    integer, intent(in) :: extents(3)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), I8, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_i8_4(values, extents, ierror)
    integer(int8), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(in) :: extents(4)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), I8, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_i8_5(values, extents, ierror)
    integer(int8), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(in) :: extents(5)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), I8, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_i8_6(values, extents, ierror)
    integer(int8), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(in) :: extents(6)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), I8, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_i8_7(values, extents, ierror)
    integer(int8), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(in) :: extents(7)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), I8, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_i16_0(values, ierror)
    integer(int16), pointer, intent(out) :: values
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer([integer(int64) ::], I16, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_i16_1(values, extents, ierror)
    integer(int16), pointer, intent(out) :: values(:)
    integer(int32), intent(in) :: extents
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer([int(extents, int64)], I16, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, [extents])
    call report(status, ierror)
  end subroutine

  recursive subroutine create_i16_1_wide(values, extents, ierror)
    integer(int16), pointer, intent(out) :: values(:)
    integer(int64), intent(in) :: extents
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer([int(extents, int64)], I16, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, [extents])
    call report(status, ierror)
  end subroutine

  recursive subroutine create_i16_2(values, extents, ierror)
    integer(int16), pointer, intent(out) :: values(:, :)
    integer, intent(in) :: extents(2)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), I16, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_i16_3(values, extents, ierror)
    integer(int16), pointer, intent(out) :: values(:, :, :)
    integer, intent(in) :: extents(3)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), I16, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_i16_4(values, extents, ierror)
    integer(int16), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(in) :: extents(4)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), I16, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_i16_5(values, extents, ierror)
    integer(int16), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(in) :: extents(5)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), I16, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_i16_6(values, extents, ierror)
    integer(int16), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(in) :: extents(6)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), I16, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_i16_7(values, extents, ierror)
    integer(int16), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(in) :: extents(7)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), I16, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_i32_0(values, ierror)
    integer(int32), pointer, intent(out) :: values
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer([integer(int64) ::], I32, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_i32_1(values, extents, ierror)
    integer(int32), pointer, intent(out) :: values(:)
    integer(int32), intent(in) :: extents
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer([int(extents, int64)], I32, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, [extents])
    call report(status, ierror)
  end subroutine

  recursive subroutine create_i32_1_wide(values, extents, ierror)
    integer(int32), pointer, intent(out) :: values(:)
    integer(int64), intent(in) :: extents
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer([int(extents, int64)], I32, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, [extents])
    call report(status, ierror)
  end subroutine

  recursive subroutine create_i32_2(values, extents, ierror)
    integer(int32), pointer, intent(out) :: values(:, :)
    integer, intent(in) :: extents(2)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), I32, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_i32_3(values, extents, ierror)
    integer(int32), pointer, intent(out) :: values(:, :, :)
    integer, intent(in) :: extents(3)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), I32, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_i32_4(values, extents, ierror)
    integer(int32), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(in) :: extents(4)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), I32, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_i32_5(values, extents, ierror)
    integer(int32), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(in) :: extents(5)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), I32, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_i32_6(values, extents, ierror)
    integer(int32), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(in) :: extents(6)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), I32, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_i32_7(values, extents, ierror)
    integer(int32), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(in) :: extents(7)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), I32, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_i64_0(values, ierror)
    integer(int64), pointer, intent(out) :: values
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer([integer(int64) ::], I64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_i64_1(values, extents, ierror)
    integer(int64), pointer, intent(out) :: values(:)
    integer(int32), intent(in) :: extents
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer([int(extents, int64)], I64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, [extents])
    call report(status, ierror)
  end subroutine

  recursive subroutine create_i64_1_wide(values, extents, ierror)
    integer(int64), pointer, intent(out) :: values(:)
    integer(int64), intent(in) :: extents
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer([int(extents, int64)], I64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, [extents])
    call report(status, ierror)
  end subroutine

  recursive subroutine create_i64_2(values, extents, ierror)
    integer(int64), pointer, intent(out) :: values(:, :)
    integer, intent(in) :: extents(2)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), I64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_i64_3(values, extents, ierror)
    integer(int64), pointer, intent(out) :: values(:, :, :)
    integer, intent(in) :: extents(3)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), I64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_i64_4(values, extents, ierror)
    integer(int64), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(in) :: extents(4)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), I64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_i64_5(values, extents, ierror)
    integer(int64), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(in) :: extents(5)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), I64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_i64_6(values, extents, ierror)
    integer(int64), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(in) :: extents(6)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), I64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_i64_7(values, extents, ierror)
    integer(int64), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(in) :: extents(7)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), I64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_f32_0(values, ierror)
    real(real32), pointer, intent(out) :: values
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer([integer(int64) ::], F32, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_f32_1(values, extents, ierror)
    real(real32), pointer, intent(out) :: values(:)
    integer(int32), intent(in) :: extents
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer([int(extents, int64)], F32, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, [extents])
    call report(status, ierror)
  end subroutine

  recursive subroutine create_f32_1_wide(values, extents, ierror)
    real(real32), pointer, intent(out) :: values(:)
    integer(int64), intent(in) :: extents
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer([int(extents, int64)], F32, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, [extents])
    call report(status, ierror)
  end subroutine

  recursive subroutine create_f32_2(values, extents, ierror)
    real(real32), pointer, intent(out) :: values(:, :)
    integer, intent(in) :: extents(2)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), F32, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_f32_3(values, extents, ierror)
    real(real32), pointer, intent(out) :: values(:, :, :)
    integer, intent(in) :: extents(3)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), F32, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_f32_4(values, extents, ierror)
    real(real32), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(in) :: extents(4)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), F32, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_f32_5(values, extents, ierror)
    real(real32), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(in) :: extents(5)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), F32, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_f32_6(values, extents, ierror)
    real(real32), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(in) :: extents(6)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), F32, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_f32_7(values, extents, ierror)
    real(real32), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(in) :: extents(7)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), F32, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_f64_0(values, ierror)
    real(real64), pointer, intent(out) :: values
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer([integer(int64) ::], F64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_f64_1(values, extents, ierror)
    real(real64), pointer, intent(out) :: values(:)
    integer(int32), intent(in) :: extents
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer([int(extents, int64)], F64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, [extents])
    call report(status, ierror)
  end subroutine

  recursive subroutine create_f64_1_wide(values, extents, ierror)
    real(real64), pointer, intent(out) :: values(:)
    integer(int64), intent(in) :: extents
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer([int(extents, int64)], F64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, [extents])
    call report(status, ierror)
  end subroutine

  recursive subroutine create_f64_2(values, extents, ierror)
    real(real64), pointer, intent(out) :: values(:, :)
    integer, intent(in) :: extents(2)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), F64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_f64_3(values, extents, ierror)
    real(real64), pointer, intent(out) :: values(:, :, :)
    integer, intent(in) :: extents(3)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), F64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_f64_4(values, extents, ierror)
    real(real64), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(in) :: extents(4)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), F64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_f64_5(values, extents, ierror)
    real(real64), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(in) :: extents(5)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), F64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_f64_6(values, extents, ierror)
    real(real64), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(in) :: extents(6)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), F64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_f64_7(values, extents, ierror)
    real(real64), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(in) :: extents(7)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), F64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_c64_0(values, ierror)
    complex(real32), pointer, intent(out) :: values
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer([integer(int64) ::], C64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_c64_1(values, extents, ierror)
    complex(real32), pointer, intent(out) :: values(:)
    integer(int32), intent(in) :: extents
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer([int(extents, int64)], C64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, [extents])
    call report(status, ierror)
  end subroutine

  recursive subroutine create_c64_1_wide(values, extents, ierror)
    complex(real32), pointer, intent(out) :: values(:)
    integer(int64), intent(in) :: extents
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer([int(extents, int64)], C64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, [extents])
    call report(status, ierror)
  end subroutine

  recursive subroutine create_c64_2(values, extents, ierror)
    complex(real32), pointer, intent(out) :: values(:, :)
    integer, intent(in) :: extents(2)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), C64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_c64_3(values, extents, ierror)
    complex(real32), pointer, intent(out) :: values(:, :, :)
    integer, intent(in) :: extents(3)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), C64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_c64_4(values, extents, ierror)
    complex(real32), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(in) :: extents(4)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), C64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_c64_5(values, extents, ierror)
    complex(real32), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(in) :: extents(5)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), C64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_c64_6(values, extents, ierror)
    complex(real32), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(in) :: extents(6)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), C64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_c64_7(values, extents, ierror)
    complex(real32), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(in) :: extents(7)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), C64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_c128_0(values, ierror)
    complex(real64), pointer, intent(out) :: values
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer([integer(int64) ::], C128, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_c128_1(values, extents, ierror)
    complex(real64), pointer, intent(out) :: values(:)
    integer(int32), intent(in) :: extents
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer([int(extents, int64)], C128, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, [extents])
    call report(status, ierror)
  end subroutine

  recursive subroutine create_c128_1_wide(values, extents, ierror)
    complex(real64), pointer, intent(out) :: values(:)
    integer(int64), intent(in) :: extents
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer([int(extents, int64)], C128, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, [extents])
    call report(status, ierror)
  end subroutine

  recursive subroutine create_c128_2(values, extents, ierror)
    complex(real64), pointer, intent(out) :: values(:, :)
    integer, intent(in) :: extents(2)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), C128, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_c128_3(values, extents, ierror)
    complex(real64), pointer, intent(out) :: values(:, :, :)
    integer, intent(in) :: extents(3)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), C128, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_c128_4(values, extents, ierror)
    complex(real64), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(in) :: extents(4)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), C128, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_c128_5(values, extents, ierror)
    complex(real64), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(in) :: extents(5)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), C128, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_c128_6(values, extents, ierror)
    complex(real64), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(in) :: extents(6)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), C128, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_c128_7(values, extents, ierror)
    complex(real64), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(in) :: extents(7)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer(int(extents, int64), C128, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_i8_0(values, ref, ierror)
    integer(int8), pointer, intent(inout) :: values
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(0)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) address = c_loc(values)
    call seal(associated(values), address, extents, I8, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_i8_1(values, ref, ierror)
    integer(int8), pointer, intent(inout) :: values(:)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, I8, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_i8_2(values, ref, ierror)
    integer(int8), pointer, intent(inout) :: values(:, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, I8, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_i8_3(values, ref, ierror)
    integer(int8), pointer, intent(inout) :: values(:, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, I8, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_i8_4(values, ref, ierror)
    integer(int8), pointer, intent(inout) :: values(:, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, I8, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_i8_5(values, ref, ierror)
    integer(int8), pointer, intent(inout) :: values(:, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, I8, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_i8_6(values, ref, ierror)
    integer(int8), pointer, intent(inout) :: values(:, :, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, I8, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_i8_7(values, ref, ierror)
    integer(int8), pointer, intent(inout) :: values(:, :, :, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, I8, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_i16_0(values, ref, ierror)
    integer(int16), pointer, intent(inout) :: values
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(0)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) address = c_loc(values)
    call seal(associated(values), address, extents, I16, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_i16_1(values, ref, ierror)
    integer(int16), pointer, intent(inout) :: values(:)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, I16, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_i16_2(values, ref, ierror)
    integer(int16), pointer, intent(inout) :: values(:, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, I16, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_i16_3(values, ref, ierror)
    integer(int16), pointer, intent(inout) :: values(:, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, I16, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_i16_4(values, ref, ierror)
    integer(int16), pointer, intent(inout) :: values(:, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, I16, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_i16_5(values, ref, ierror)
    integer(int16), pointer, intent(inout) :: values(:, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, I16, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_i16_6(values, ref, ierror)
    integer(int16), pointer, intent(inout) :: values(:, :, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, I16, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_i16_7(values, ref, ierror)
    integer(int16), pointer, intent(inout) :: values(:, :, :, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, I16, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_i32_0(values, ref, ierror)
    integer(int32), pointer, intent(inout) :: values
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(0)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) address = c_loc(values)
    call seal(associated(values), address, extents, I32, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_i32_1(values, ref, ierror)
    integer(int32), pointer, intent(inout) :: values(:)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, I32, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_i32_2(values, ref, ierror)
    integer(int32), pointer, intent(inout) :: values(:, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, I32, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_i32_3(values, ref, ierror)
    integer(int32), pointer, intent(inout) :: values(:, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, I32, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_i32_4(values, ref, ierror)
    integer(int32), pointer, intent(inout) :: values(:, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, I32, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_i32_5(values, ref, ierror)
    integer(int32), pointer, intent(inout) :: values(:, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, I32, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_i32_6(values, ref, ierror)
    integer(int32), pointer, intent(inout) :: values(:, :, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, I32, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_i32_7(values, ref, ierror)
    integer(int32), pointer, intent(inout) :: values(:, :, :, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, I32, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_i64_0(values, ref, ierror)
    integer(int64), pointer, intent(inout) :: values
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(0)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) address = c_loc(values)
    call seal(associated(values), address, extents, I64, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_i64_1(values, ref, ierror)
    integer(int64), pointer, intent(inout) :: values(:)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, I64, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_i64_2(values, ref, ierror)
    integer(int64), pointer, intent(inout) :: values(:, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, I64, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_i64_3(values, ref, ierror)
    integer(int64), pointer, intent(inout) :: values(:, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, I64, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_i64_4(values, ref, ierror)
    integer(int64), pointer, intent(inout) :: values(:, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, I64, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_i64_5(values, ref, ierror)
    integer(int64), pointer, intent(inout) :: values(:, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, I64, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_i64_6(values, ref, ierror)
    integer(int64), pointer, intent(inout) :: values(:, :, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, I64, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_i64_7(values, ref, ierror)
    integer(int64), pointer, intent(inout) :: values(:, :, :, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, I64, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_f32_0(values, ref, ierror)
    real(real32), pointer, intent(inout) :: values
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(0)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) address = c_loc(values)
    call seal(associated(values), address, extents, F32, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_f32_1(values, ref, ierror)
    real(real32), pointer, intent(inout) :: values(:)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, F32, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_f32_2(values, ref, ierror)
    real(real32), pointer, intent(inout) :: values(:, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, F32, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_f32_3(values, ref, ierror)
    real(real32), pointer, intent(inout) :: values(:, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, F32, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_f32_4(values, ref, ierror)
    real(real32), pointer, intent(inout) :: values(:, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, F32, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_f32_5(values, ref, ierror)
    real(real32), pointer, intent(inout) :: values(:, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, F32, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_f32_6(values, ref, ierror)
    real(real32), pointer, intent(inout) :: values(:, :, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, F32, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_f32_7(values, ref, ierror)
    real(real32), pointer, intent(inout) :: values(:, :, :, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, F32, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_f64_0(values, ref, ierror)
    real(real64), pointer, intent(inout) :: values
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(0)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) address = c_loc(values)
    call seal(associated(values), address, extents, F64, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_f64_1(values, ref, ierror)
    real(real64), pointer, intent(inout) :: values(:)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, F64, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_f64_2(values, ref, ierror)
    real(real64), pointer, intent(inout) :: values(:, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, F64, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_f64_3(values, ref, ierror)
    real(real64), pointer, intent(inout) :: values(:, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, F64, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_f64_4(values, ref, ierror)
    real(real64), pointer, intent(inout) :: values(:, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, F64, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_f64_5(values, ref, ierror)
    real(real64), pointer, intent(inout) :: values(:, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, F64, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_f64_6(values, ref, ierror)
    real(real64), pointer, intent(inout) :: values(:, :, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, F64, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_f64_7(values, ref, ierror)
    real(real64), pointer, intent(inout) :: values(:, :, :, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, F64, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_c64_0(values, ref, ierror)
    complex(real32), pointer, intent(inout) :: values
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(0)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) address = c_loc(values)
    call seal(associated(values), address, extents, C64, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_c64_1(values, ref, ierror)
    complex(real32), pointer, intent(inout) :: values(:)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, C64, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_c64_2(values, ref, ierror)
    complex(real32), pointer, intent(inout) :: values(:, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, C64, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_c64_3(values, ref, ierror)
    complex(real32), pointer, intent(inout) :: values(:, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, C64, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_c64_4(values, ref, ierror)
    complex(real32), pointer, intent(inout) :: values(:, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, C64, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_c64_5(values, ref, ierror)
    complex(real32), pointer, intent(inout) :: values(:, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, C64, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_c64_6(values, ref, ierror)
    complex(real32), pointer, intent(inout) :: values(:, :, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, C64, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_c64_7(values, ref, ierror)
    complex(real32), pointer, intent(inout) :: values(:, :, :, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, C64, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_c128_0(values, ref, ierror)
    complex(real64), pointer, intent(inout) :: values
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(0)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) address = c_loc(values)
    call seal(associated(values), address, extents, C128, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_c128_1(values, ref, ierror)
    complex(real64), pointer, intent(inout) :: values(:)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, C128, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_c128_2(values, ref, ierror)
    complex(real64), pointer, intent(inout) :: values(:, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, C128, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_c128_3(values, ref, ierror)
    complex(real64), pointer, intent(inout) :: values(:, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, C128, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_c128_4(values, ref, ierror)
    complex(real64), pointer, intent(inout) :: values(:, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, C128, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_c128_5(values, ref, ierror)
    complex(real64), pointer, intent(inout) :: values(:, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, C128, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_c128_6(values, ref, ierror)
    complex(real64), pointer, intent(inout) :: values(:, :, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, C128, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine seal_c128_7(values, ref, ierror)
    complex(real64), pointer, intent(inout) :: values(:, :, :, :, :, :, :)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call seal(associated(values), address, extents, C128, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_i8_0(values, ierror)
    integer(int8), pointer, intent(inout) :: values
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) address = c_loc(values)
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_i8_1(values, ierror)
    integer(int8), pointer, intent(inout) :: values(:)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_i8_2(values, ierror)
    integer(int8), pointer, intent(inout) :: values(:, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_i8_3(values, ierror)
    integer(int8), pointer, intent(inout) :: values(:, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_i8_4(values, ierror)
    integer(int8), pointer, intent(inout) :: values(:, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_i8_5(values, ierror)
    integer(int8), pointer, intent(inout) :: values(:, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_i8_6(values, ierror)
    integer(int8), pointer, intent(inout) :: values(:, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_i8_7(values, ierror)
    integer(int8), pointer, intent(inout) :: values(:, :, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_i16_0(values, ierror)
    integer(int16), pointer, intent(inout) :: values
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) address = c_loc(values)
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_i16_1(values, ierror)
    integer(int16), pointer, intent(inout) :: values(:)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_i16_2(values, ierror)
    integer(int16), pointer, intent(inout) :: values(:, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_i16_3(values, ierror)
    integer(int16), pointer, intent(inout) :: values(:, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_i16_4(values, ierror)
    integer(int16), pointer, intent(inout) :: values(:, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_i16_5(values, ierror)
    integer(int16), pointer, intent(inout) :: values(:, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_i16_6(values, ierror)
    integer(int16), pointer, intent(inout) :: values(:, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_i16_7(values, ierror)
    integer(int16), pointer, intent(inout) :: values(:, :, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_i32_0(values, ierror)
    integer(int32), pointer, intent(inout) :: values
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) address = c_loc(values)
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_i32_1(values, ierror)
    integer(int32), pointer, intent(inout) :: values(:)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_i32_2(values, ierror)
    integer(int32), pointer, intent(inout) :: values(:, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_i32_3(values, ierror)
    integer(int32), pointer, intent(inout) :: values(:, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_i32_4(values, ierror)
    integer(int32), pointer, intent(inout) :: values(:, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_i32_5(values, ierror)
    integer(int32), pointer, intent(inout) :: values(:, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_i32_6(values, ierror)
    integer(int32), pointer, intent(inout) :: values(:, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_i32_7(values, ierror)
    integer(int32), pointer, intent(inout) :: values(:, :, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_i64_0(values, ierror)
    integer(int64), pointer, intent(inout) :: values
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) address = c_loc(values)
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_i64_1(values, ierror)
    integer(int64), pointer, intent(inout) :: values(:)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_i64_2(values, ierror)
    integer(int64), pointer, intent(inout) :: values(:, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_i64_3(values, ierror)
    integer(int64), pointer, intent(inout) :: values(:, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_i64_4(values, ierror)
    integer(int64), pointer, intent(inout) :: values(:, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_i64_5(values, ierror)
    integer(int64), pointer, intent(inout) :: values(:, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_i64_6(values, ierror)
    integer(int64), pointer, intent(inout) :: values(:, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_i64_7(values, ierror)
    integer(int64), pointer, intent(inout) :: values(:, :, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_f32_0(values, ierror)
    real(real32), pointer, intent(inout) :: values
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) address = c_loc(values)
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_f32_1(values, ierror)
    real(real32), pointer, intent(inout) :: values(:)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_f32_2(values, ierror)
    real(real32), pointer, intent(inout) :: values(:, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_f32_3(values, ierror)
    real(real32), pointer, intent(inout) :: values(:, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_f32_4(values, ierror)
    real(real32), pointer, intent(inout) :: values(:, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_f32_5(values, ierror)
    real(real32), pointer, intent(inout) :: values(:, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_f32_6(values, ierror)
    real(real32), pointer, intent(inout) :: values(:, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_f32_7(values, ierror)
    real(real32), pointer, intent(inout) :: values(:, :, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_f64_0(values, ierror)
    real(real64), pointer, intent(inout) :: values
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) address = c_loc(values)
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_f64_1(values, ierror)
    real(real64), pointer, intent(inout) :: values(:)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_f64_2(values, ierror)
    real(real64), pointer, intent(inout) :: values(:, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_f64_3(values, ierror)
    real(real64), pointer, intent(inout) :: values(:, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_f64_4(values, ierror)
    real(real64), pointer, intent(inout) :: values(:, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_f64_5(values, ierror)
    real(real64), pointer, intent(inout) :: values(:, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_f64_6(values, ierror)
    real(real64), pointer, intent(inout) :: values(:, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_f64_7(values, ierror)
    real(real64), pointer, intent(inout) :: values(:, :, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_c64_0(values, ierror)
    complex(real32), pointer, intent(inout) :: values
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) address = c_loc(values)
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_c64_1(values, ierror)
    complex(real32), pointer, intent(inout) :: values(:)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_c64_2(values, ierror)
    complex(real32), pointer, intent(inout) :: values(:, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_c64_3(values, ierror)
    complex(real32), pointer, intent(inout) :: values(:, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_c64_4(values, ierror)
    complex(real32), pointer, intent(inout) :: values(:, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_c64_5(values, ierror)
    complex(real32), pointer, intent(inout) :: values(:, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_c64_6(values, ierror)
    complex(real32), pointer, intent(inout) :: values(:, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_c64_7(values, ierror)
    complex(real32), pointer, intent(inout) :: values(:, :, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_c128_0(values, ierror)
    complex(real64), pointer, intent(inout) :: values
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) address = c_loc(values)
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_c128_1(values, ierror)
    complex(real64), pointer, intent(inout) :: values(:)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_c128_2(values, ierror)
    complex(real64), pointer, intent(inout) :: values(:, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_c128_3(values, ierror)
    complex(real64), pointer, intent(inout) :: values(:, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_c128_4(values, ierror)
    complex(real64), pointer, intent(inout) :: values(:, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_c128_5(values, ierror)
    complex(real64), pointer, intent(inout) :: values(:, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_c128_6(values, ierror)
    complex(real64), pointer, intent(inout) :: values(:, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine discard_c128_7(values, ierror)
    complex(real64), pointer, intent(inout) :: values(:, :, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call discard(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i8_0(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int8), pointer, intent(out) :: values
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(0)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I8, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i8_0_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int8), pointer, intent(out) :: values
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(0)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I8, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i8_1(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int8), pointer, intent(out) :: values(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I8, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i8_1_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int8), pointer, intent(out) :: values(:)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I8, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i8_1_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int8), pointer, intent(out) :: values(:)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I8, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i8_2(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int8), pointer, intent(out) :: values(:, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I8, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i8_2_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int8), pointer, intent(out) :: values(:, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I8, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i8_2_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int8), pointer, intent(out) :: values(:, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I8, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i8_3(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int8), pointer, intent(out) :: values(:, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I8, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i8_3_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int8), pointer, intent(out) :: values(:, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I8, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i8_3_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int8), pointer, intent(out) :: values(:, :, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I8, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i8_4(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int8), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I8, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i8_4_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int8), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I8, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i8_4_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int8), pointer, intent(out) :: values(:, :, :, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I8, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i8_5(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int8), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I8, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i8_5_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int8), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I8, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i8_5_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int8), pointer, intent(out) :: values(:, :, :, :, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I8, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i8_6(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int8), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I8, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i8_6_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int8), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I8, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i8_6_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int8), pointer, intent(out) :: values(:, :, :, :, :, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I8, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i8_7(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int8), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I8, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i8_7_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int8), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I8, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i8_7_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int8), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I8, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i16_0(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int16), pointer, intent(out) :: values
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(0)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I16, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i16_0_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int16), pointer, intent(out) :: values
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(0)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I16, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i16_1(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int16), pointer, intent(out) :: values(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I16, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i16_1_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int16), pointer, intent(out) :: values(:)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I16, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i16_1_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int16), pointer, intent(out) :: values(:)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I16, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i16_2(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int16), pointer, intent(out) :: values(:, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I16, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i16_2_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int16), pointer, intent(out) :: values(:, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I16, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i16_2_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int16), pointer, intent(out) :: values(:, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I16, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i16_3(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int16), pointer, intent(out) :: values(:, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I16, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i16_3_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int16), pointer, intent(out) :: values(:, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I16, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i16_3_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int16), pointer, intent(out) :: values(:, :, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I16, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i16_4(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int16), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I16, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i16_4_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int16), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I16, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i16_4_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int16), pointer, intent(out) :: values(:, :, :, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I16, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i16_5(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int16), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I16, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i16_5_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int16), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I16, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i16_5_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int16), pointer, intent(out) :: values(:, :, :, :, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I16, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i16_6(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int16), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I16, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i16_6_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int16), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I16, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i16_6_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int16), pointer, intent(out) :: values(:, :, :, :, :, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I16, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i16_7(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int16), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I16, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i16_7_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int16), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I16, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i16_7_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int16), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I16, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i32_0(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int32), pointer, intent(out) :: values
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(0)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I32, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i32_0_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int32), pointer, intent(out) :: values
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(0)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I32, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i32_1(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int32), pointer, intent(out) :: values(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I32, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i32_1_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int32), pointer, intent(out) :: values(:)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I32, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i32_1_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int32), pointer, intent(out) :: values(:)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I32, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i32_2(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int32), pointer, intent(out) :: values(:, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I32, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i32_2_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int32), pointer, intent(out) :: values(:, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I32, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i32_2_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int32), pointer, intent(out) :: values(:, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I32, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i32_3(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int32), pointer, intent(out) :: values(:, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I32, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i32_3_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int32), pointer, intent(out) :: values(:, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I32, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i32_3_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int32), pointer, intent(out) :: values(:, :, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I32, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i32_4(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int32), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I32, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i32_4_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int32), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I32, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i32_4_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int32), pointer, intent(out) :: values(:, :, :, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I32, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i32_5(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int32), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I32, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i32_5_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int32), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I32, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i32_5_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int32), pointer, intent(out) :: values(:, :, :, :, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I32, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i32_6(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int32), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I32, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i32_6_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int32), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I32, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i32_6_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int32), pointer, intent(out) :: values(:, :, :, :, :, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I32, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i32_7(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int32), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I32, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i32_7_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int32), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I32, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i32_7_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int32), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I32, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i64_0(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int64), pointer, intent(out) :: values
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(0)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i64_0_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int64), pointer, intent(out) :: values
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(0)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I64, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i64_1(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int64), pointer, intent(out) :: values(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i64_1_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int64), pointer, intent(out) :: values(:)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i64_1_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int64), pointer, intent(out) :: values(:)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I64, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i64_2(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int64), pointer, intent(out) :: values(:, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i64_2_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int64), pointer, intent(out) :: values(:, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i64_2_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int64), pointer, intent(out) :: values(:, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I64, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i64_3(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int64), pointer, intent(out) :: values(:, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i64_3_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int64), pointer, intent(out) :: values(:, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i64_3_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int64), pointer, intent(out) :: values(:, :, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I64, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i64_4(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int64), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i64_4_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int64), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i64_4_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int64), pointer, intent(out) :: values(:, :, :, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I64, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i64_5(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int64), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i64_5_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int64), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i64_5_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int64), pointer, intent(out) :: values(:, :, :, :, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I64, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i64_6(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int64), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i64_6_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int64), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i64_6_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int64), pointer, intent(out) :: values(:, :, :, :, :, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I64, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i64_7(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int64), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i64_7_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int64), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_i64_7_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    integer(int64), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, I64, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f32_0(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real32), pointer, intent(out) :: values
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(0)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F32, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f32_0_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real32), pointer, intent(out) :: values
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(0)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F32, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f32_1(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real32), pointer, intent(out) :: values(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F32, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f32_1_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real32), pointer, intent(out) :: values(:)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F32, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f32_1_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real32), pointer, intent(out) :: values(:)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F32, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f32_2(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real32), pointer, intent(out) :: values(:, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F32, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f32_2_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real32), pointer, intent(out) :: values(:, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F32, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f32_2_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real32), pointer, intent(out) :: values(:, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F32, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f32_3(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real32), pointer, intent(out) :: values(:, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F32, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f32_3_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real32), pointer, intent(out) :: values(:, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F32, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f32_3_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real32), pointer, intent(out) :: values(:, :, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F32, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f32_4(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real32), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F32, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f32_4_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real32), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F32, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f32_4_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real32), pointer, intent(out) :: values(:, :, :, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F32, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f32_5(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real32), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F32, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f32_5_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real32), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F32, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f32_5_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real32), pointer, intent(out) :: values(:, :, :, :, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F32, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f32_6(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real32), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F32, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f32_6_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real32), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F32, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f32_6_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real32), pointer, intent(out) :: values(:, :, :, :, :, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F32, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f32_7(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real32), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F32, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f32_7_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real32), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F32, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f32_7_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real32), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F32, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f64_0(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real64), pointer, intent(out) :: values
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(0)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f64_0_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real64), pointer, intent(out) :: values
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(0)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F64, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f64_1(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real64), pointer, intent(out) :: values(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f64_1_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real64), pointer, intent(out) :: values(:)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f64_1_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real64), pointer, intent(out) :: values(:)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F64, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f64_2(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real64), pointer, intent(out) :: values(:, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f64_2_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real64), pointer, intent(out) :: values(:, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f64_2_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real64), pointer, intent(out) :: values(:, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F64, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f64_3(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real64), pointer, intent(out) :: values(:, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f64_3_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real64), pointer, intent(out) :: values(:, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f64_3_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real64), pointer, intent(out) :: values(:, :, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F64, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f64_4(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real64), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f64_4_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real64), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f64_4_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real64), pointer, intent(out) :: values(:, :, :, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F64, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f64_5(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real64), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f64_5_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real64), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f64_5_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real64), pointer, intent(out) :: values(:, :, :, :, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F64, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f64_6(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real64), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f64_6_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real64), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f64_6_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real64), pointer, intent(out) :: values(:, :, :, :, :, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F64, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f64_7(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real64), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f64_7_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real64), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_f64_7_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    real(real64), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, F64, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c64_0(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real32), pointer, intent(out) :: values
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(0)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c64_0_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real32), pointer, intent(out) :: values
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(0)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C64, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c64_1(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real32), pointer, intent(out) :: values(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c64_1_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real32), pointer, intent(out) :: values(:)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c64_1_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real32), pointer, intent(out) :: values(:)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C64, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c64_2(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real32), pointer, intent(out) :: values(:, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c64_2_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real32), pointer, intent(out) :: values(:, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c64_2_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real32), pointer, intent(out) :: values(:, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C64, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c64_3(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real32), pointer, intent(out) :: values(:, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c64_3_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real32), pointer, intent(out) :: values(:, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c64_3_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real32), pointer, intent(out) :: values(:, :, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C64, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c64_4(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real32), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c64_4_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real32), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c64_4_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real32), pointer, intent(out) :: values(:, :, :, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C64, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c64_5(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real32), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c64_5_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real32), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c64_5_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real32), pointer, intent(out) :: values(:, :, :, :, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C64, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c64_6(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real32), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c64_6_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real32), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c64_6_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real32), pointer, intent(out) :: values(:, :, :, :, :, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C64, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c64_7(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real32), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c64_7_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real32), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c64_7_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real32), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C64, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c128_0(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real64), pointer, intent(out) :: values
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(0)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C128, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c128_0_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real64), pointer, intent(out) :: values
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(0)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C128, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c128_1(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real64), pointer, intent(out) :: values(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C128, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c128_1_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real64), pointer, intent(out) :: values(:)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C128, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c128_1_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real64), pointer, intent(out) :: values(:)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C128, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c128_2(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real64), pointer, intent(out) :: values(:, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C128, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c128_2_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real64), pointer, intent(out) :: values(:, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C128, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c128_2_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real64), pointer, intent(out) :: values(:, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C128, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c128_3(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real64), pointer, intent(out) :: values(:, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C128, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c128_3_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real64), pointer, intent(out) :: values(:, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C128, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c128_3_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real64), pointer, intent(out) :: values(:, :, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C128, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c128_4(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real64), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C128, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c128_4_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real64), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C128, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c128_4_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real64), pointer, intent(out) :: values(:, :, :, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C128, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c128_5(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real64), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C128, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c128_5_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real64), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C128, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c128_5_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real64), pointer, intent(out) :: values(:, :, :, :, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C128, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c128_6(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real64), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C128, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c128_6_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real64), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C128, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c128_6_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real64), pointer, intent(out) :: values(:, :, :, :, :, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C128, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c128_7(ref, values, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real64), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C128, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c128_7_shape(ref, values, shape, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real64), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C128, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine get_c128_7_timeout(ref, values, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    complex(real64), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    real(real64), intent(in) :: timeout
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, C128, extents, address, status, timeout=timeout)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_i8_0(values, ierror)
    integer(int8), pointer, intent(inout) :: values
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) address = c_loc(values)
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_i8_1(values, ierror)
    integer(int8), pointer, intent(inout) :: values(:)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_i8_2(values, ierror)
    integer(int8), pointer, intent(inout) :: values(:, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_i8_3(values, ierror)
    integer(int8), pointer, intent(inout) :: values(:, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_i8_4(values, ierror)
    integer(int8), pointer, intent(inout) :: values(:, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_i8_5(values, ierror)
    integer(int8), pointer, intent(inout) :: values(:, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_i8_6(values, ierror)
    integer(int8), pointer, intent(inout) :: values(:, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_i8_7(values, ierror)
    integer(int8), pointer, intent(inout) :: values(:, :, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_i16_0(values, ierror)
    integer(int16), pointer, intent(inout) :: values
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) address = c_loc(values)
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_i16_1(values, ierror)
    integer(int16), pointer, intent(inout) :: values(:)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_i16_2(values, ierror)
    integer(int16), pointer, intent(inout) :: values(:, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_i16_3(values, ierror)
    integer(int16), pointer, intent(inout) :: values(:, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_i16_4(values, ierror)
    integer(int16), pointer, intent(inout) :: values(:, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_i16_5(values, ierror)
    integer(int16), pointer, intent(inout) :: values(:, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_i16_6(values, ierror)
    integer(int16), pointer, intent(inout) :: values(:, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_i16_7(values, ierror)
    integer(int16), pointer, intent(inout) :: values(:, :, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_i32_0(values, ierror)
    integer(int32), pointer, intent(inout) :: values
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) address = c_loc(values)
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_i32_1(values, ierror)
    integer(int32), pointer, intent(inout) :: values(:)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_i32_2(values, ierror)
    integer(int32), pointer, intent(inout) :: values(:, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_i32_3(values, ierror)
    integer(int32), pointer, intent(inout) :: values(:, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_i32_4(values, ierror)
    integer(int32), pointer, intent(inout) :: values(:, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_i32_5(values, ierror)
    integer(int32), pointer, intent(inout) :: values(:, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_i32_6(values, ierror)
    integer(int32), pointer, intent(inout) :: values(:, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_i32_7(values, ierror)
    integer(int32), pointer, intent(inout) :: values(:, :, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_i64_0(values, ierror)
    integer(int64), pointer, intent(inout) :: values
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) address = c_loc(values)
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_i64_1(values, ierror)
    integer(int64), pointer, intent(inout) :: values(:)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_i64_2(values, ierror)
    integer(int64), pointer, intent(inout) :: values(:, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_i64_3(values, ierror)
    integer(int64), pointer, intent(inout) :: values(:, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_i64_4(values, ierror)
    integer(int64), pointer, intent(inout) :: values(:, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_i64_5(values, ierror)
    integer(int64), pointer, intent(inout) :: values(:, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_i64_6(values, ierror)
    integer(int64), pointer, intent(inout) :: values(:, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_i64_7(values, ierror)
    integer(int64), pointer, intent(inout) :: values(:, :, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_f32_0(values, ierror)
    real(real32), pointer, intent(inout) :: values
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) address = c_loc(values)
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_f32_1(values, ierror)
    real(real32), pointer, intent(inout) :: values(:)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_f32_2(values, ierror)
    real(real32), pointer, intent(inout) :: values(:, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_f32_3(values, ierror)
    real(real32), pointer, intent(inout) :: values(:, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_f32_4(values, ierror)
    real(real32), pointer, intent(inout) :: values(:, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_f32_5(values, ierror)
    real(real32), pointer, intent(inout) :: values(:, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_f32_6(values, ierror)
    real(real32), pointer, intent(inout) :: values(:, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_f32_7(values, ierror)
    real(real32), pointer, intent(inout) :: values(:, :, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_f64_0(values, ierror)
    real(real64), pointer, intent(inout) :: values
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) address = c_loc(values)
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_f64_1(values, ierror)
    real(real64), pointer, intent(inout) :: values(:)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_f64_2(values, ierror)
    real(real64), pointer, intent(inout) :: values(:, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_f64_3(values, ierror)
    real(real64), pointer, intent(inout) :: values(:, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_f64_4(values, ierror)
    real(real64), pointer, intent(inout) :: values(:, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_f64_5(values, ierror)
    real(real64), pointer, intent(inout) :: values(:, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_f64_6(values, ierror)
    real(real64), pointer, intent(inout) :: values(:, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_f64_7(values, ierror)
    real(real64), pointer, intent(inout) :: values(:, :, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_c64_0(values, ierror)
    complex(real32), pointer, intent(inout) :: values
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) address = c_loc(values)
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_c64_1(values, ierror)
    complex(real32), pointer, intent(inout) :: values(:)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_c64_2(values, ierror)
    complex(real32), pointer, intent(inout) :: values(:, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_c64_3(values, ierror)
    complex(real32), pointer, intent(inout) :: values(:, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_c64_4(values, ierror)
    complex(real32), pointer, intent(inout) :: values(:, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_c64_5(values, ierror)
    complex(real32), pointer, intent(inout) :: values(:, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_c64_6(values, ierror)
    complex(real32), pointer, intent(inout) :: values(:, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_c64_7(values, ierror)
    complex(real32), pointer, intent(inout) :: values(:, :, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_c128_0(values, ierror)
    complex(real64), pointer, intent(inout) :: values
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) address = c_loc(values)
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_c128_1(values, ierror)
    complex(real64), pointer, intent(inout) :: values(:)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_c128_2(values, ierror)
    complex(real64), pointer, intent(inout) :: values(:, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_c128_3(values, ierror)
    complex(real64), pointer, intent(inout) :: values(:, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_c128_4(values, ierror)
    complex(real64), pointer, intent(inout) :: values(:, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_c128_5(values, ierror)
    complex(real64), pointer, intent(inout) :: values(:, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_c128_6(values, ierror)
    complex(real64), pointer, intent(inout) :: values(:, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive subroutine release_c128_7(values, ierror)
    complex(real64), pointer, intent(inout) :: values(:, :, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    if (associated(values)) then
      if (size(values) > 0) address = c_loc(values)
    end if
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine

  recursive function value_i8_0(scalar) result(argument)
    integer(int8), intent(in) :: scalar
    type(mobula_arg_value) :: argument
    argument = scalar_value(transfer(scalar, [0_int8]), I8)
  end function

  recursive function value_i8_1(array) result(argument)
    integer(int8), target, contiguous, intent(in) :: array(:)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), I8)
  end function

  recursive function value_i8_2(array) result(argument)
    integer(int8), target, contiguous, intent(in) :: array(:, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), I8)
  end function

  recursive function value_i8_3(array) result(argument)
    integer(int8), target, contiguous, intent(in) :: array(:, :, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), I8)
  end function

  recursive function value_i8_4(array) result(argument)
    integer(int8), target, contiguous, intent(in) :: array(:, :, :, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), I8)
  end function

  recursive function value_i8_5(array) result(argument)
    integer(int8), target, contiguous, intent(in) :: array(:, :, :, :, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), I8)
  end function

  recursive function value_i8_6(array) result(argument)
    integer(int8), target, contiguous, intent(in) :: array(:, :, :, :, :, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), I8)
  end function

  recursive function value_i8_7(array) result(argument)
    integer(int8), target, contiguous, intent(in) :: array(:, :, :, :, :, :, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), I8)
  end function

  recursive function value_i16_0(scalar) result(argument)
    integer(int16), intent(in) :: scalar
    type(mobula_arg_value) :: argument
    argument = scalar_value(transfer(scalar, [0_int8]), I16)
  end function

  recursive function value_i16_1(array) result(argument)
    integer(int16), target, contiguous, intent(in) :: array(:)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), I16)
  end function

  recursive function value_i16_2(array) result(argument)
    integer(int16), target, contiguous, intent(in) :: array(:, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), I16)
  end function

  recursive function value_i16_3(array) result(argument)
    integer(int16), target, contiguous, intent(in) :: array(:, :, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), I16)
  end function

  recursive function value_i16_4(array) result(argument)
    integer(int16), target, contiguous, intent(in) :: array(:, :, :, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), I16)
  end function

  recursive function value_i16_5(array) result(argument)
    integer(int16), target, contiguous, intent(in) :: array(:, :, :, :, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), I16)
  end function

  recursive function value_i16_6(array) result(argument)
    integer(int16), target, contiguous, intent(in) :: array(:, :, :, :, :, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), I16)
  end function

  recursive function value_i16_7(array) result(argument)
    integer(int16), target, contiguous, intent(in) :: array(:, :, :, :, :, :, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), I16)
  end function

  recursive function value_i32_0(scalar) result(argument)
    integer(int32), intent(in) :: scalar
    type(mobula_arg_value) :: argument
    argument = scalar_value(transfer(scalar, [0_int8]), I32)
  end function

  recursive function value_i32_1(array) result(argument)
    integer(int32), target, contiguous, intent(in) :: array(:)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), I32)
  end function

  recursive function value_i32_2(array) result(argument)
    integer(int32), target, contiguous, intent(in) :: array(:, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), I32)
  end function

  recursive function value_i32_3(array) result(argument)
    integer(int32), target, contiguous, intent(in) :: array(:, :, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), I32)
  end function

  recursive function value_i32_4(array) result(argument)
    integer(int32), target, contiguous, intent(in) :: array(:, :, :, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), I32)
  end function

  recursive function value_i32_5(array) result(argument)
    integer(int32), target, contiguous, intent(in) :: array(:, :, :, :, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), I32)
  end function

  recursive function value_i32_6(array) result(argument)
    integer(int32), target, contiguous, intent(in) :: array(:, :, :, :, :, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), I32)
  end function

  recursive function value_i32_7(array) result(argument)
    integer(int32), target, contiguous, intent(in) :: array(:, :, :, :, :, :, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), I32)
  end function

  recursive function value_i64_0(scalar) result(argument)
    integer(int64), intent(in) :: scalar
    type(mobula_arg_value) :: argument
    argument = scalar_value(transfer(scalar, [0_int8]), I64)
  end function

  recursive function value_i64_1(array) result(argument)
    integer(int64), target, contiguous, intent(in) :: array(:)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), I64)
  end function

  recursive function value_i64_2(array) result(argument)
    integer(int64), target, contiguous, intent(in) :: array(:, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), I64)
  end function

  recursive function value_i64_3(array) result(argument)
    integer(int64), target, contiguous, intent(in) :: array(:, :, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), I64)
  end function

  recursive function value_i64_4(array) result(argument)
    integer(int64), target, contiguous, intent(in) :: array(:, :, :, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), I64)
  end function

  recursive function value_i64_5(array) result(argument)
    integer(int64), target, contiguous, intent(in) :: array(:, :, :, :, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), I64)
  end function

  recursive function value_i64_6(array) result(argument)
    integer(int64), target, contiguous, intent(in) :: array(:, :, :, :, :, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), I64)
  end function

  recursive function value_i64_7(array) result(argument)
    integer(int64), target, contiguous, intent(in) :: array(:, :, :, :, :, :, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), I64)
  end function

  recursive function value_f32_0(scalar) result(argument)
    real(real32), intent(in) :: scalar
    type(mobula_arg_value) :: argument
    argument = scalar_value(transfer(scalar, [0_int8]), F32)
  end function

  recursive function value_f32_1(array) result(argument)
    real(real32), target, contiguous, intent(in) :: array(:)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), F32)
  end function

  recursive function value_f32_2(array) result(argument)
    real(real32), target, contiguous, intent(in) :: array(:, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), F32)
  end function

  recursive function value_f32_3(array) result(argument)
    real(real32), target, contiguous, intent(in) :: array(:, :, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), F32)
  end function

  recursive function value_f32_4(array) result(argument)
    real(real32), target, contiguous, intent(in) :: array(:, :, :, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), F32)
  end function

  recursive function value_f32_5(array) result(argument)
    real(real32), target, contiguous, intent(in) :: array(:, :, :, :, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), F32)
  end function

  recursive function value_f32_6(array) result(argument)
    real(real32), target, contiguous, intent(in) :: array(:, :, :, :, :, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), F32)
  end function

  recursive function value_f32_7(array) result(argument)
    real(real32), target, contiguous, intent(in) :: array(:, :, :, :, :, :, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), F32)
  end function

  recursive function value_f64_0(scalar) result(argument)
    real(real64), intent(in) :: scalar
    type(mobula_arg_value) :: argument
    argument = scalar_value(transfer(scalar, [0_int8]), F64)
  end function

  recursive function value_f64_1(array) result(argument)
    real(real64), target, contiguous, intent(in) :: array(:)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), F64)
  end function

  recursive function value_f64_2(array) result(argument)
    real(real64), target, contiguous, intent(in) :: array(:, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), F64)
  end function

  recursive function value_f64_3(array) result(argument)
    real(real64), target, contiguous, intent(in) :: array(:, :, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), F64)
  end function

  recursive function value_f64_4(array) result(argument)
    real(real64), target, contiguous, intent(in) :: array(:, :, :, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), F64)
  end function

  recursive function value_f64_5(array) result(argument)
    real(real64), target, contiguous, intent(in) :: array(:, :, :, :, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), F64)
  end function

  recursive function value_f64_6(array) result(argument)
    real(real64), target, contiguous, intent(in) :: array(:, :, :, :, :, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), F64)
  end function

  recursive function value_f64_7(array) result(argument)
    real(real64), target, contiguous, intent(in) :: array(:, :, :, :, :, :, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), F64)
  end function

  recursive function value_c64_0(scalar) result(argument)
    complex(real32), intent(in) :: scalar
    type(mobula_arg_value) :: argument
    argument = scalar_value(transfer(scalar, [0_int8]), C64)
  end function

  recursive function value_c64_1(array) result(argument)
    complex(real32), target, contiguous, intent(in) :: array(:)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), C64)
  end function

  recursive function value_c64_2(array) result(argument)
    complex(real32), target, contiguous, intent(in) :: array(:, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), C64)
  end function

  recursive function value_c64_3(array) result(argument)
    complex(real32), target, contiguous, intent(in) :: array(:, :, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), C64)
  end function

  recursive function value_c64_4(array) result(argument)
    complex(real32), target, contiguous, intent(in) :: array(:, :, :, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), C64)
  end function

  recursive function value_c64_5(array) result(argument)
    complex(real32), target, contiguous, intent(in) :: array(:, :, :, :, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), C64)
  end function

  recursive function value_c64_6(array) result(argument)
    complex(real32), target, contiguous, intent(in) :: array(:, :, :, :, :, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), C64)
  end function

  recursive function value_c64_7(array) result(argument)
    complex(real32), target, contiguous, intent(in) :: array(:, :, :, :, :, :, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), C64)
  end function

  recursive function value_c128_0(scalar) result(argument)
    complex(real64), intent(in) :: scalar
    type(mobula_arg_value) :: argument
    argument = scalar_value(transfer(scalar, [0_int8]), C128)
  end function

  recursive function value_c128_1(array) result(argument)
    complex(real64), target, contiguous, intent(in) :: array(:)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), C128)
  end function

  recursive function value_c128_2(array) result(argument)
    complex(real64), target, contiguous, intent(in) :: array(:, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), C128)
  end function

  recursive function value_c128_3(array) result(argument)
    complex(real64), target, contiguous, intent(in) :: array(:, :, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), C128)
  end function

  recursive function value_c128_4(array) result(argument)
    complex(real64), target, contiguous, intent(in) :: array(:, :, :, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), C128)
  end function

  recursive function value_c128_5(array) result(argument)
    complex(real64), target, contiguous, intent(in) :: array(:, :, :, :, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), C128)
  end function

  recursive function value_c128_6(array) result(argument)
    complex(real64), target, contiguous, intent(in) :: array(:, :, :, :, :, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), C128)
  end function

  recursive function value_c128_7(array) result(argument)
    complex(real64), target, contiguous, intent(in) :: array(:, :, :, :, :, :, :)
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    argument = array_value(address, shape(array, kind=int64), C128)
  end function

  recursive subroutine arg_i8_0(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int8), pointer, intent(out) :: values
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(0)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I8, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i8_1(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int8), pointer, intent(out) :: values(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I8, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i8_1_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int8), pointer, intent(out) :: values(:)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I8, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i8_2(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int8), pointer, intent(out) :: values(:, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I8, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i8_2_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int8), pointer, intent(out) :: values(:, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I8, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i8_3(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int8), pointer, intent(out) :: values(:, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I8, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i8_3_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int8), pointer, intent(out) :: values(:, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I8, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i8_4(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int8), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I8, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i8_4_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int8), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I8, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i8_5(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int8), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I8, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i8_5_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int8), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I8, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i8_6(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int8), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I8, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i8_6_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int8), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I8, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i8_7(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int8), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I8, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i8_7_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int8), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I8, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i16_0(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int16), pointer, intent(out) :: values
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(0)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I16, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i16_1(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int16), pointer, intent(out) :: values(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I16, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i16_1_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int16), pointer, intent(out) :: values(:)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I16, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i16_2(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int16), pointer, intent(out) :: values(:, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I16, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i16_2_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int16), pointer, intent(out) :: values(:, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I16, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i16_3(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int16), pointer, intent(out) :: values(:, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I16, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i16_3_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int16), pointer, intent(out) :: values(:, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I16, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i16_4(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int16), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I16, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i16_4_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int16), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I16, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i16_5(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int16), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I16, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i16_5_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int16), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I16, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i16_6(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int16), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I16, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i16_6_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int16), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I16, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i16_7(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int16), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I16, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i16_7_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int16), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I16, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i32_0(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int32), pointer, intent(out) :: values
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(0)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I32, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i32_1(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int32), pointer, intent(out) :: values(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I32, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i32_1_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int32), pointer, intent(out) :: values(:)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I32, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i32_2(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int32), pointer, intent(out) :: values(:, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I32, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i32_2_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int32), pointer, intent(out) :: values(:, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I32, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i32_3(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int32), pointer, intent(out) :: values(:, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I32, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i32_3_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int32), pointer, intent(out) :: values(:, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I32, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i32_4(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int32), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I32, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i32_4_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int32), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I32, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i32_5(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int32), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I32, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i32_5_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int32), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I32, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i32_6(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int32), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I32, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i32_6_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int32), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I32, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i32_7(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int32), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I32, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i32_7_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int32), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I32, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i64_0(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int64), pointer, intent(out) :: values
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(0)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i64_1(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int64), pointer, intent(out) :: values(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i64_1_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int64), pointer, intent(out) :: values(:)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i64_2(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int64), pointer, intent(out) :: values(:, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i64_2_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int64), pointer, intent(out) :: values(:, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i64_3(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int64), pointer, intent(out) :: values(:, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i64_3_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int64), pointer, intent(out) :: values(:, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i64_4(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int64), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i64_4_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int64), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i64_5(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int64), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i64_5_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int64), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i64_6(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int64), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i64_6_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int64), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i64_7(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int64), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_i64_7_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int64), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, I64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_f32_0(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real32), pointer, intent(out) :: values
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(0)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, F32, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_f32_1(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real32), pointer, intent(out) :: values(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, F32, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_f32_1_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real32), pointer, intent(out) :: values(:)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, F32, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_f32_2(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real32), pointer, intent(out) :: values(:, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, F32, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_f32_2_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real32), pointer, intent(out) :: values(:, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, F32, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_f32_3(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real32), pointer, intent(out) :: values(:, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, F32, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_f32_3_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real32), pointer, intent(out) :: values(:, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, F32, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_f32_4(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real32), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, F32, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_f32_4_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real32), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, F32, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_f32_5(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real32), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, F32, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_f32_5_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real32), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, F32, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_f32_6(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real32), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, F32, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_f32_6_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real32), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, F32, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_f32_7(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real32), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, F32, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_f32_7_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real32), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, F32, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_f64_0(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real64), pointer, intent(out) :: values
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(0)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, F64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_f64_1(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real64), pointer, intent(out) :: values(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, F64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_f64_1_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real64), pointer, intent(out) :: values(:)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, F64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_f64_2(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real64), pointer, intent(out) :: values(:, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, F64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_f64_2_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real64), pointer, intent(out) :: values(:, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, F64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_f64_3(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real64), pointer, intent(out) :: values(:, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, F64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_f64_3_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real64), pointer, intent(out) :: values(:, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, F64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_f64_4(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real64), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, F64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_f64_4_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real64), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, F64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_f64_5(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real64), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, F64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_f64_5_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real64), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, F64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_f64_6(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real64), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, F64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_f64_6_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real64), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, F64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_f64_7(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real64), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, F64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_f64_7_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real64), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, F64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_c64_0(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real32), pointer, intent(out) :: values
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(0)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, C64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_c64_1(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real32), pointer, intent(out) :: values(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, C64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_c64_1_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real32), pointer, intent(out) :: values(:)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, C64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_c64_2(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real32), pointer, intent(out) :: values(:, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, C64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_c64_2_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real32), pointer, intent(out) :: values(:, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, C64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_c64_3(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real32), pointer, intent(out) :: values(:, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, C64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_c64_3_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real32), pointer, intent(out) :: values(:, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, C64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_c64_4(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real32), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, C64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_c64_4_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real32), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, C64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_c64_5(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real32), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, C64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_c64_5_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real32), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, C64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_c64_6(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real32), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, C64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_c64_6_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real32), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, C64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_c64_7(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real32), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, C64, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_c64_7_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real32), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, C64, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_c128_0(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real64), pointer, intent(out) :: values
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(0)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, C128, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_c128_1(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real64), pointer, intent(out) :: values(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, C128, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_c128_1_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real64), pointer, intent(out) :: values(:)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(1)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, C128, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_c128_2(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real64), pointer, intent(out) :: values(:, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, C128, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_c128_2_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real64), pointer, intent(out) :: values(:, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(2)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, C128, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_c128_3(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real64), pointer, intent(out) :: values(:, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, C128, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_c128_3_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real64), pointer, intent(out) :: values(:, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(3)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, C128, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_c128_4(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real64), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, C128, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_c128_4_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real64), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(4)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, C128, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_c128_5(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real64), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, C128, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_c128_5_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real64), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(5)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, C128, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_c128_6(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real64), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, C128, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_c128_6_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real64), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(6)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, C128, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_c128_7(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real64), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, C128, extents, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine arg_c128_7_shape(call, index, values, shape, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real64), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(in) :: shape(:)
    integer, intent(out), optional :: ierror
    integer(int64) :: extents(7)
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, C128, extents, address, status, wanted=shape)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_i8_0(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int8), target, intent(in) :: array
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), I8, ierror)
  end subroutine

  recursive subroutine return_i8_1(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int8), target, contiguous, intent(in) :: array(:)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), I8, ierror)
  end subroutine

  recursive subroutine return_i8_2(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int8), target, contiguous, intent(in) :: array(:, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), I8, ierror)
  end subroutine

  recursive subroutine return_i8_3(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int8), target, contiguous, intent(in) :: array(:, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), I8, ierror)
  end subroutine

  recursive subroutine return_i8_4(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int8), target, contiguous, intent(in) :: array(:, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), I8, ierror)
  end subroutine

  recursive subroutine return_i8_5(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int8), target, contiguous, intent(in) :: array(:, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), I8, ierror)
  end subroutine

  recursive subroutine return_i8_6(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int8), target, contiguous, intent(in) :: array(:, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), I8, ierror)
  end subroutine

  recursive subroutine return_i8_7(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int8), target, contiguous, intent(in) :: array(:, :, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), I8, ierror)
  end subroutine

  recursive subroutine return_i16_0(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int16), target, intent(in) :: array
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), I16, ierror)
  end subroutine

  recursive subroutine return_i16_1(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int16), target, contiguous, intent(in) :: array(:)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), I16, ierror)
  end subroutine

  recursive subroutine return_i16_2(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int16), target, contiguous, intent(in) :: array(:, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), I16, ierror)
  end subroutine

  recursive subroutine return_i16_3(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int16), target, contiguous, intent(in) :: array(:, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), I16, ierror)
  end subroutine

  recursive subroutine return_i16_4(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int16), target, contiguous, intent(in) :: array(:, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), I16, ierror)
  end subroutine

  recursive subroutine return_i16_5(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int16), target, contiguous, intent(in) :: array(:, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), I16, ierror)
  end subroutine

  recursive subroutine return_i16_6(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int16), target, contiguous, intent(in) :: array(:, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), I16, ierror)
  end subroutine

  recursive subroutine return_i16_7(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int16), target, contiguous, intent(in) :: array(:, :, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), I16, ierror)
  end subroutine

  recursive subroutine return_i32_0(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int32), target, intent(in) :: array
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), I32, ierror)
  end subroutine

  recursive subroutine return_i32_1(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int32), target, contiguous, intent(in) :: array(:)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), I32, ierror)
  end subroutine

  recursive subroutine return_i32_2(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int32), target, contiguous, intent(in) :: array(:, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), I32, ierror)
  end subroutine

  recursive subroutine return_i32_3(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int32), target, contiguous, intent(in) :: array(:, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), I32, ierror)
  end subroutine

  recursive subroutine return_i32_4(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int32), target, contiguous, intent(in) :: array(:, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), I32, ierror)
  end subroutine

  recursive subroutine return_i32_5(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int32), target, contiguous, intent(in) :: array(:, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), I32, ierror)
  end subroutine

  recursive subroutine return_i32_6(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int32), target, contiguous, intent(in) :: array(:, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), I32, ierror)
  end subroutine

  recursive subroutine return_i32_7(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int32), target, contiguous, intent(in) :: array(:, :, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), I32, ierror)
  end subroutine

  recursive subroutine return_i64_0(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int64), target, intent(in) :: array
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), I64, ierror)
  end subroutine

  recursive subroutine return_i64_1(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int64), target, contiguous, intent(in) :: array(:)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), I64, ierror)
  end subroutine

  recursive subroutine return_i64_2(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int64), target, contiguous, intent(in) :: array(:, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), I64, ierror)
  end subroutine

  recursive subroutine return_i64_3(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int64), target, contiguous, intent(in) :: array(:, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), I64, ierror)
  end subroutine

  recursive subroutine return_i64_4(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int64), target, contiguous, intent(in) :: array(:, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), I64, ierror)
  end subroutine

  recursive subroutine return_i64_5(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int64), target, contiguous, intent(in) :: array(:, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), I64, ierror)
  end subroutine

  recursive subroutine return_i64_6(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int64), target, contiguous, intent(in) :: array(:, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), I64, ierror)
  end subroutine

  recursive subroutine return_i64_7(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int64), target, contiguous, intent(in) :: array(:, :, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), I64, ierror)
  end subroutine

  recursive subroutine return_f32_0(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real32), target, intent(in) :: array
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), F32, ierror)
  end subroutine

  recursive subroutine return_f32_1(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real32), target, contiguous, intent(in) :: array(:)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), F32, ierror)
  end subroutine

  recursive subroutine return_f32_2(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real32), target, contiguous, intent(in) :: array(:, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), F32, ierror)
  end subroutine

  recursive subroutine return_f32_3(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real32), target, contiguous, intent(in) :: array(:, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), F32, ierror)
  end subroutine

  recursive subroutine return_f32_4(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real32), target, contiguous, intent(in) :: array(:, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), F32, ierror)
  end subroutine

  recursive subroutine return_f32_5(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real32), target, contiguous, intent(in) :: array(:, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), F32, ierror)
  end subroutine

  recursive subroutine return_f32_6(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real32), target, contiguous, intent(in) :: array(:, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), F32, ierror)
  end subroutine

  recursive subroutine return_f32_7(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real32), target, contiguous, intent(in) :: array(:, :, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), F32, ierror)
  end subroutine

  recursive subroutine return_f64_0(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real64), target, intent(in) :: array
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), F64, ierror)
  end subroutine

  recursive subroutine return_f64_1(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real64), target, contiguous, intent(in) :: array(:)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), F64, ierror)
  end subroutine

  recursive subroutine return_f64_2(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real64), target, contiguous, intent(in) :: array(:, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), F64, ierror)
  end subroutine

  recursive subroutine return_f64_3(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real64), target, contiguous, intent(in) :: array(:, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), F64, ierror)
  end subroutine

  recursive subroutine return_f64_4(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real64), target, contiguous, intent(in) :: array(:, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), F64, ierror)
  end subroutine

  recursive subroutine return_f64_5(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real64), target, contiguous, intent(in) :: array(:, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), F64, ierror)
  end subroutine

  recursive subroutine return_f64_6(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real64), target, contiguous, intent(in) :: array(:, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), F64, ierror)
  end subroutine

  recursive subroutine return_f64_7(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real64), target, contiguous, intent(in) :: array(:, :, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), F64, ierror)
  end subroutine

  recursive subroutine return_c64_0(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real32), target, intent(in) :: array
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), C64, ierror)
  end subroutine

  recursive subroutine return_c64_1(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real32), target, contiguous, intent(in) :: array(:)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), C64, ierror)
  end subroutine

  recursive subroutine return_c64_2(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real32), target, contiguous, intent(in) :: array(:, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), C64, ierror)
  end subroutine

  recursive subroutine return_c64_3(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real32), target, contiguous, intent(in) :: array(:, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), C64, ierror)
  end subroutine

  recursive subroutine return_c64_4(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real32), target, contiguous, intent(in) :: array(:, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), C64, ierror)
  end subroutine

  recursive subroutine return_c64_5(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real32), target, contiguous, intent(in) :: array(:, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), C64, ierror)
  end subroutine

  recursive subroutine return_c64_6(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real32), target, contiguous, intent(in) :: array(:, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), C64, ierror)
  end subroutine

  recursive subroutine return_c64_7(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real32), target, contiguous, intent(in) :: array(:, :, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), C64, ierror)
  end subroutine

  recursive subroutine return_c128_0(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real64), target, intent(in) :: array
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), C128, ierror)
  end subroutine

  recursive subroutine return_c128_1(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real64), target, contiguous, intent(in) :: array(:)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), C128, ierror)
  end subroutine

  recursive subroutine return_c128_2(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real64), target, contiguous, intent(in) :: array(:, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), C128, ierror)
  end subroutine

  recursive subroutine return_c128_3(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real64), target, contiguous, intent(in) :: array(:, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), C128, ierror)
  end subroutine

  recursive subroutine return_c128_4(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real64), target, contiguous, intent(in) :: array(:, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), C128, ierror)
  end subroutine

  recursive subroutine return_c128_5(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real64), target, contiguous, intent(in) :: array(:, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), C128, ierror)
  end subroutine

  recursive subroutine return_c128_6(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real64), target, contiguous, intent(in) :: array(:, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), C128, ierror)
  end subroutine

  recursive subroutine return_c128_7(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real64), target, contiguous, intent(in) :: array(:, :, :, :, :, :, :)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(array) > 0) address = c_loc(array)
    call set_result(call, index, address, shape(array, kind=int64), C128, ierror)
  end subroutine

  recursive subroutine return_create_i8_0(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int8), pointer, intent(out) :: values
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, [integer(int64) ::], I8, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_i8_1(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int8), pointer, intent(out) :: values(:)
    integer(int32), intent(in) :: extents
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, [int(extents, int64)], I8, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, [extents])
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_i8_1_wide(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int8), pointer, intent(out) :: values(:)
    integer(int64), intent(in) :: extents
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, [int(extents, int64)], I8, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, [extents])
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_i8_2(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int8), pointer, intent(out) :: values(:, :)
    integer, intent(in) :: extents(2)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), I8, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_i8_3(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int8), pointer, intent(out) :: values(:, :, :)
    integer, intent(in) :: extents(3)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), I8, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_i8_4(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int8), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(in) :: extents(4)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), I8, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_i8_5(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int8), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(in) :: extents(5)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), I8, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_i8_6(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int8), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(in) :: extents(6)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), I8, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_i8_7(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int8), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(in) :: extents(7)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), I8, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_i16_0(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int16), pointer, intent(out) :: values
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, [integer(int64) ::], I16, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_i16_1(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int16), pointer, intent(out) :: values(:)
    integer(int32), intent(in) :: extents
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, [int(extents, int64)], I16, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, [extents])
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_i16_1_wide(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int16), pointer, intent(out) :: values(:)
    integer(int64), intent(in) :: extents
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, [int(extents, int64)], I16, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, [extents])
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_i16_2(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int16), pointer, intent(out) :: values(:, :)
    integer, intent(in) :: extents(2)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), I16, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_i16_3(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int16), pointer, intent(out) :: values(:, :, :)
    integer, intent(in) :: extents(3)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), I16, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_i16_4(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int16), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(in) :: extents(4)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), I16, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_i16_5(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int16), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(in) :: extents(5)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), I16, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_i16_6(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int16), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(in) :: extents(6)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), I16, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_i16_7(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int16), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(in) :: extents(7)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), I16, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_i32_0(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int32), pointer, intent(out) :: values
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, [integer(int64) ::], I32, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_i32_1(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int32), pointer, intent(out) :: values(:)
    integer(int32), intent(in) :: extents
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, [int(extents, int64)], I32, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, [extents])
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_i32_1_wide(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int32), pointer, intent(out) :: values(:)
    integer(int64), intent(in) :: extents
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, [int(extents, int64)], I32, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, [extents])
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_i32_2(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int32), pointer, intent(out) :: values(:, :)
    integer, intent(in) :: extents(2)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), I32, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_i32_3(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int32), pointer, intent(out) :: values(:, :, :)
    integer, intent(in) :: extents(3)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), I32, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_i32_4(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int32), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(in) :: extents(4)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), I32, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_i32_5(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int32), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(in) :: extents(5)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), I32, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_i32_6(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int32), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(in) :: extents(6)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), I32, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_i32_7(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int32), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(in) :: extents(7)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), I32, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_i64_0(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int64), pointer, intent(out) :: values
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, [integer(int64) ::], I64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_i64_1(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int64), pointer, intent(out) :: values(:)
    integer(int32), intent(in) :: extents
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, [int(extents, int64)], I64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, [extents])
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_i64_1_wide(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int64), pointer, intent(out) :: values(:)
    integer(int64), intent(in) :: extents
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, [int(extents, int64)], I64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, [extents])
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_i64_2(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int64), pointer, intent(out) :: values(:, :)
    integer, intent(in) :: extents(2)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), I64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_i64_3(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int64), pointer, intent(out) :: values(:, :, :)
    integer, intent(in) :: extents(3)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), I64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_i64_4(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int64), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(in) :: extents(4)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), I64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_i64_5(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int64), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(in) :: extents(5)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), I64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_i64_6(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int64), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(in) :: extents(6)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), I64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_i64_7(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int64), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(in) :: extents(7)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), I64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_f32_0(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real32), pointer, intent(out) :: values
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, [integer(int64) ::], F32, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_f32_1(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real32), pointer, intent(out) :: values(:)
    integer(int32), intent(in) :: extents
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, [int(extents, int64)], F32, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, [extents])
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_f32_1_wide(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real32), pointer, intent(out) :: values(:)
    integer(int64), intent(in) :: extents
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, [int(extents, int64)], F32, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, [extents])
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_f32_2(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real32), pointer, intent(out) :: values(:, :)
    integer, intent(in) :: extents(2)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), F32, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_f32_3(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real32), pointer, intent(out) :: values(:, :, :)
    integer, intent(in) :: extents(3)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), F32, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_f32_4(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real32), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(in) :: extents(4)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), F32, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_f32_5(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real32), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(in) :: extents(5)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), F32, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_f32_6(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real32), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(in) :: extents(6)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), F32, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_f32_7(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real32), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(in) :: extents(7)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), F32, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_f64_0(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real64), pointer, intent(out) :: values
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, [integer(int64) ::], F64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_f64_1(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real64), pointer, intent(out) :: values(:)
    integer(int32), intent(in) :: extents
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, [int(extents, int64)], F64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, [extents])
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_f64_1_wide(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real64), pointer, intent(out) :: values(:)
    integer(int64), intent(in) :: extents
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, [int(extents, int64)], F64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, [extents])
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_f64_2(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real64), pointer, intent(out) :: values(:, :)
    integer, intent(in) :: extents(2)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), F64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_f64_3(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real64), pointer, intent(out) :: values(:, :, :)
    integer, intent(in) :: extents(3)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), F64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_f64_4(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real64), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(in) :: extents(4)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), F64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_f64_5(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real64), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(in) :: extents(5)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), F64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_f64_6(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real64), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(in) :: extents(6)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), F64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_f64_7(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    real(real64), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(in) :: extents(7)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), F64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_c64_0(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real32), pointer, intent(out) :: values
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, [integer(int64) ::], C64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_c64_1(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real32), pointer, intent(out) :: values(:)
    integer(int32), intent(in) :: extents
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, [int(extents, int64)], C64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, [extents])
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_c64_1_wide(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real32), pointer, intent(out) :: values(:)
    integer(int64), intent(in) :: extents
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, [int(extents, int64)], C64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, [extents])
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_c64_2(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real32), pointer, intent(out) :: values(:, :)
    integer, intent(in) :: extents(2)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), C64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_c64_3(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real32), pointer, intent(out) :: values(:, :, :)
    integer, intent(in) :: extents(3)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), C64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_c64_4(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real32), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(in) :: extents(4)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), C64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_c64_5(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real32), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(in) :: extents(5)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), C64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_c64_6(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real32), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(in) :: extents(6)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), C64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_c64_7(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real32), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(in) :: extents(7)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), C64, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_c128_0(call, index, values, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real64), pointer, intent(out) :: values
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, [integer(int64) ::], C128, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_c128_1(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real64), pointer, intent(out) :: values(:)
    integer(int32), intent(in) :: extents
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, [int(extents, int64)], C128, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, [extents])
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_c128_1_wide(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real64), pointer, intent(out) :: values(:)
    integer(int64), intent(in) :: extents
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, [int(extents, int64)], C128, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, [extents])
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_c128_2(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real64), pointer, intent(out) :: values(:, :)
    integer, intent(in) :: extents(2)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), C128, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_c128_3(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real64), pointer, intent(out) :: values(:, :, :)
    integer, intent(in) :: extents(3)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), C128, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_c128_4(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real64), pointer, intent(out) :: values(:, :, :, :)
    integer, intent(in) :: extents(4)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), C128, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_c128_5(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real64), pointer, intent(out) :: values(:, :, :, :, :)
    integer, intent(in) :: extents(5)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), C128, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_c128_6(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real64), pointer, intent(out) :: values(:, :, :, :, :, :)
    integer, intent(in) :: extents(6)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), C128, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine

  recursive subroutine return_create_c128_7(call, index, values, extents, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    complex(real64), pointer, intent(out) :: values(:, :, :, :, :, :, :)
    integer, intent(in) :: extents(7)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, int(extents, int64), C128, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values, extents)
    call report(status, ierror)
  end subroutine
  ! end of generated

  ! ---- Inside of a task ----

  ! Whether the call has that argument. Arguments that hold shapes are none of the task's.
  recursive subroutine check_index(call, index, what, status)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    character(len=*), intent(in) :: what
    integer, intent(out) :: status
    integer :: count
    call mobula_arg_count(call, count, status)
    if (status /= MOBULA_OK .or. (index >= 1 .and. index <= count)) return
    status = MOBULA_ERR_TYPE
    call record(status, what // ": it wants an argument " // number(int(index, int64)) // ", and got " // &
      number(int(count, int64)) // " arguments, counted from 1")
  end subroutine

  ! Says what C said of an argument, whose positions it counts from 0, as the module's own messages are.
  recursive subroutine tell_position(what, status, position, text)
    character(len=*), intent(in) :: what, text
    integer, intent(in) :: status, position
    integer :: at
    at = index(text, ": argument " // number(position - 1_int64) // ": ")
    if (at == 0) return
    at = at + len(": argument " // number(position - 1_int64))
    call record(status, what // ": argument " // number(int(position, int64)) // text(at:))
  end subroutine

  ! The shape of an argument, as far as it is known.
  recursive subroutine argument_shape(call, index, shape)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int64), intent(out) :: shape(8)
    type(c_view) :: view
    integer(int64) :: position
    shape = no_shape()
    if (.not. associated(call%arguments)) return
    if (size(call%arguments) < 8 * index + 1) return
    shape = call%arguments(8 * index - 6:8 * index + 1)
    if (shape(1) /= PENDING) return
    position = shape(2)
    if (c_arg_any(call%handle, int(shape(3), c_size_t), view) == MOBULA_OK) then
      call read_shape(view, position, shape)
    else
      shape = no_shape()
    end if
  end subroutine

  recursive subroutine view_argument(call, index, element, extents, address, status, wanted)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(c_int), intent(in) :: element
    integer(int64), intent(inout) :: extents(:)
    type(c_ptr), intent(out) :: address
    integer, intent(out) :: status
    integer, intent(in), optional :: wanted(:)
    type(c_view) :: view
    integer(int64) :: shape(8)
    call check_index(call, index, "mobula_arg", status)
    if (status /= MOBULA_OK) return
    status = int(c_arg_any(call%handle, int(index - 1, c_size_t), view))
    ! C says what is wrong with the type.
    if (status == MOBULA_OK .and. .not. is_read_as(view%element, element)) &
      status = int(c_arg(call%handle, int(index - 1, c_size_t), element, view))
    if (status /= MOBULA_OK) then
      call tell_position("mobula_arg", status, index, mobula_last_error())
      return
    end if
    call argument_shape(call, index, shape)
    address = view%data
    call fit(shape, int(view%count, int64), wanted, extents, index, status)
  end subroutine

  ! How many arguments there are.
  recursive subroutine mobula_arg_count(call, count, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(out) :: count
    integer, intent(out), optional :: ierror
    integer(c_size_t) :: found
    integer :: status
    status = MOBULA_OK
    if (associated(call%arguments)) then
      count = int(call%arguments(1))
    else
      found = 0
      status = int(c_arg_count(call%handle, found))
      count = int(found)
    end if
    call report(status, ierror)
  end subroutine

  ! A reference that was passed by mobula_as_is.
  recursive subroutine mobula_arg_ref(call, index, ref, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: handle, shapes
    integer(int64) :: shape(8)
    integer :: status
    call check_index(call, index, "mobula_arg_ref", status)
    if (status /= MOBULA_OK) then
      call report(status, ierror)
      return
    end if
    status = int(c_arg_ref(call%handle, int(index - 1, c_size_t), handle))
    if (status == MOBULA_OK) then
      shape = no_shape()
      shapes = c_null_ptr
      if (associated(call%arguments)) then
        if (size(call%arguments) >= 8 * index + 1) shape = call%arguments(8 * index - 6:8 * index + 1)
      end if
      if (shape(1) == PENDING) status = int(c_arg_ref(call%handle, int(shape(3), c_size_t), shapes))
      call own(ref, handle, shapes, shape)
    else
      call tell_position("mobula_arg_ref", status, index, mobula_last_error())
    end if
    call report(status, ierror)
  end subroutine

  ! A handle that was passed by mobula_by_actor.
  recursive subroutine mobula_arg_actor(call, index, actor, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    type(mobula_actor), target, intent(inout) :: actor
    integer, intent(out), optional :: ierror
    type(c_ptr) :: handle
    integer :: status
    call check_index(call, index, "mobula_arg_actor", status)
    if (status /= MOBULA_OK) then
      call report(status, ierror)
      return
    end if
    status = int(c_arg_actor(call%handle, int(index - 1, c_size_t), handle))
    if (status == MOBULA_OK) then
      call own_actor(actor, handle)
    else
      call tell_position("mobula_arg_actor", status, index, mobula_last_error())
    end if
    call report(status, ierror)
  end subroutine

  ! Whether the call has that result; the one that holds shapes is none of the task's.
  recursive subroutine check_result(call, index, what, status)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    character(len=*), intent(in) :: what
    integer, intent(out) :: status
    status = MOBULA_OK
    if (associated(call%results)) then
      if (index <= size(call%results, 2) .and. index >= 1) return
    else if (index >= 1) then
      return
    end if
    status = MOBULA_ERR_TYPE
    call record(status, what // ": the function has no result " // number(int(index, int64)))
  end subroutine

  recursive subroutine note_shape(call, index, shape)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int64), intent(in) :: shape(8)
    if (associated(call%results)) call%results(:, index) = shape
  end subroutine

  recursive subroutine set_result(call, index, address, extents, element, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    type(c_ptr), intent(in) :: address
    integer(int64), intent(in) :: extents(:)
    integer(c_int), intent(in) :: element
    integer, intent(out), optional :: ierror
    integer :: status
    call check_result(call, index, "mobula_return", status)
    if (status /= MOBULA_OK) then
      call report(status, ierror)
      return
    end if
    status = int(c_return(call%handle, int(index - 1, c_size_t), address, int(product(extents), c_size_t), element))
    if (status == MOBULA_OK) call note_shape(call, index, shape_of(extents))
    call report(status, ierror)
  end subroutine

  recursive subroutine create_result(call, index, extents, element, address, status)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    integer(int64), intent(in) :: extents(:)
    integer(c_int), intent(in) :: element
    type(c_ptr), intent(out) :: address
    integer, intent(out) :: status
    call check_result(call, index, "mobula_return_create", status)
    if (status /= MOBULA_OK) return
    if (any(extents < 0)) then
      status = MOBULA_ERR_INVALID_ARGUMENT
      call record(status, "mobula_return_create: an extent is below 0")
      return
    end if
    status = int(c_return_create(call%handle, int(index - 1, c_size_t), int(product(extents), c_size_t), element, &
      address))
    if (status == MOBULA_OK) call note_shape(call, index, shape_of(extents))
  end subroutine

  ! Sets a result to the elements of an object, without a copy: waits for it.
  recursive subroutine mobula_return_ref(call, index, ref, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    type(mobula_ref), intent(in) :: ref
    integer, intent(out), optional :: ierror
    type(c_view) :: shapes
    integer(int64) :: shape(8)
    integer :: status
    call check_result(call, index, "mobula_return_ref", status)
    if (status /= MOBULA_OK) then
      call report(status, ierror)
      return
    end if
    status = int(c_return_ref(call%handle, int(index - 1, c_size_t), ref%handle))
    shape = ref%shape
    if (status == MOBULA_OK .and. shape(1) == PENDING) then
      status = int(c_get(ref%shapes, -1.0_c_double, shapes))
      if (status == MOBULA_OK) then
        call read_shape(shapes, ref%shape(2), shape)
        call c_release(shapes)
      end if
    end if
    if (status == MOBULA_OK) call note_shape(call, index, shape)
    call report(status, ierror)
  end subroutine

  ! Sets a result to an actor, which mobula_get_actor gets, and mobula_arg_actor in a call that has it by reference.
  recursive subroutine mobula_return_actor(call, index, actor, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    type(mobula_actor), intent(in) :: actor
    integer, intent(out), optional :: ierror
    integer :: status
    call check_result(call, index, "mobula_return_actor", status)
    if (status == MOBULA_OK) status = int(c_return_actor(call%handle, int(index - 1, c_size_t), actor%handle))
    call report(status, ierror)
  end subroutine

  ! Makes the task fail with this text: call mobula_fail(call, "why", ierror); return
  recursive subroutine mobula_fail(call, why, ierror)
    type(mobula_call), intent(in) :: call
    character(len=*), intent(in) :: why
    integer, intent(out), optional :: ierror
    integer :: status
    status = int(c_fail(call%handle, c_text(why)))
    if (present(ierror)) ierror = status
  end subroutine

  ! ---- Actors ----

  ! Registers a class, before the first mobula_init and on every rank alike. construct creates the state; `save` returns
  ! it as result 1 of its call, and `restore` creates it from argument 1: for an actor whose rank died. What `save`
  ! returns has no shape. As a function, a class is registered twice, and each of its methods.
  recursive subroutine mobula_register_actor(name, construct, methods, save, restore, ierror)
    character(len=*), intent(in) :: name
    procedure(constructor) :: construct
    type(mobula_method), intent(in) :: methods(:)
    procedure(method), optional :: save
    procedure(constructor), optional :: restore
    integer, intent(out), optional :: ierror
    type(registered_class), pointer :: registered
    type(c_class) :: class
    type(c_method), target :: given(2 * size(methods))
    character(kind=c_char), target :: names(101, 2 * size(methods))
    character(kind=c_char), allocatable, target :: label(:)
    integer :: i, status
    if (size(methods) > MAX_METHODS) then
      call record(MOBULA_ERR_CONFIG, "mobula_register_actor: " // trim(name) // " has more than " // &
        number(int(MAX_METHODS, int64)) // " methods")
      call report(MOBULA_ERR_CONFIG, ierror)
      return
    end if
    allocate(registered)
    registered%construct => construct
    allocate(registered%methods(size(methods)))
    do i = 1, size(methods)
      registered%methods(i) = methods(i)
      call add(2 * i - 1, trim(methods(i)%name), plain_method(i), methods(i)%num_returns)
      call add(2 * i, trim(methods(i)%name) // SHAPED, shaped_method(i), methods(i)%num_returns + 1)
    end do
    class%size = c_sizeof(class)
    class%user = c_loc(registered)
    class%destroy = c_funloc(run_destroy)
    if (size(methods) > 0) class%methods = c_loc(given)
    class%num_methods = size(given)
    if (present(save)) then
      registered%save => save
      class%save = c_funloc(run_save)
    end if
    if (present(restore)) then
      registered%restore => restore
      class%restore = c_funloc(run_restore)
    end if
    allocate(label, source=letters_of(name))
    class%name = c_loc(label)
    class%construct = c_funloc(run_plain_construct)
    status = int(c_register_actor(class))
    if (status == MOBULA_OK) then
      label = letters_of(trim(name) // SHAPED)
      class%name = c_loc(label)
      class%construct = c_funloc(run_shaped_construct)
      status = int(c_register_actor(class))
    end if
    call report(status, ierror)
  contains
    subroutine add(place, method_name, function, num_returns)
      integer, intent(in) :: place, num_returns
      character(len=*), intent(in) :: method_name
      type(c_funptr), intent(in) :: function
      names(:len(method_name) + 1, place) = letters_of(method_name)
      given(place)%name = c_loc(names(1, place))
      given(place)%call = function
      given(place)%num_returns = int(num_returns, c_int32_t)
    end subroutine
  end subroutine

  recursive function run_plain_construct(handle, user, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, user
    type(c_ptr), intent(inout) :: state
    integer(c_int32_t) :: status
    type(registered_class), pointer :: class
    call c_f_pointer(user, class)
    status = construct_state(handle, class, class%construct, .false., state)
  end function

  recursive function run_shaped_construct(handle, user, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, user
    type(c_ptr), intent(inout) :: state
    integer(c_int32_t) :: status
    type(registered_class), pointer :: class
    call c_f_pointer(user, class)
    status = construct_state(handle, class, class%construct, .true., state)
  end function

  recursive function run_restore(handle, user, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, user
    type(c_ptr), intent(inout) :: state
    integer(c_int32_t) :: status
    type(registered_class), pointer :: class
    call c_f_pointer(user, class)
    status = construct_state(handle, class, class%restore, .false., state)
  end function

  recursive function construct_state(handle, class, construct, is_shaped, state) result(status)
    type(c_ptr), intent(in) :: handle
    type(registered_class), pointer, intent(in) :: class
    procedure(constructor) :: construct
    logical, intent(in) :: is_shaped
    type(c_ptr), intent(inout) :: state
    integer(c_int32_t) :: status
    type(mobula_call) :: call
    type(actor_state), pointer :: made
    integer :: ierror
    allocate(made)
    made%class => class
    call begin(call, handle, is_shaped, 0, ierror)
    if (ierror == MOBULA_OK) call construct(call, made%state, ierror)
    if (ierror == MOBULA_OK .and. .not. associated(made%state)) then
      ierror = MOBULA_ERR_INVALID_ARGUMENT
      call record(ierror, "the constructor has not allocated the state")
    end if
    call finish(call, ierror, status)
    if (ierror == MOBULA_OK) then
      state = c_loc(made)
    else
      if (associated(made%state)) deallocate(made%state)
      deallocate(made)
    end if
  end function

  recursive subroutine run_destroy(state) bind(C, name="")
    type(c_ptr), value :: state
    type(actor_state), pointer :: made
    call c_f_pointer(state, made)
    deallocate(made%state)
    deallocate(made)
  end subroutine

  recursive function run_save(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    type(actor_state), pointer :: made
    type(mobula_call) :: call
    integer :: ierror
    call c_f_pointer(state, made)
    call begin(call, handle, .false., 1, ierror)
    call made%class%save(call, made%state, ierror)
    call finish(call, ierror, status)
  end function

  recursive function run_method(handle, state, index, is_shaped) result(status)
    type(c_ptr), intent(in) :: handle, state
    integer, intent(in) :: index
    logical, intent(in) :: is_shaped
    integer(c_int32_t) :: status
    type(actor_state), pointer :: made
    type(mobula_call) :: call
    integer :: ierror
    call c_f_pointer(state, made)
    call begin(call, handle, is_shaped, made%class%methods(index)%num_returns, ierror)
    if (ierror == MOBULA_OK) call made%class%methods(index)%call(call, made%state, ierror)
    call finish(call, ierror, status)
  end function

  ! Creates an actor somewhere in the cluster; its handle is there at once.
  recursive subroutine create_actor(class, args, actor, status, options)
    character(len=*), intent(in) :: class
    type(mobula_arg_value), target, intent(in) :: args(:)
    type(mobula_actor), target, intent(inout) :: actor
    integer, intent(out) :: status
    type(mobula_options), intent(in), optional :: options
    type(c_argument) :: given(2 * size(args) + 1)
    type(c_view) :: copies(size(args))
    type(c_options) :: chosen
    type(c_ptr) :: handle
    character(kind=c_char), allocatable, target :: resources(:), name(:), host(:)
    integer(int64), target :: shapes(8 * size(args) + 1)
    integer :: count
    call read_arguments(args, given, copies, status)
    if (status == MOBULA_OK) then
      call read_options(chosen, resources, name, host, options)
      call describe(args, given, count, shapes)
      status = int(c_actor_create(c_text(trim(class) // SHAPED), given, int(count, c_size_t), chosen, handle))
      ! A class of another language.
      if (status == MOBULA_ERR_UNKNOWN_FUNCTION) &
        status = int(c_actor_create(c_text(class), given, size(args, kind=c_size_t), chosen, handle))
      if (status == MOBULA_OK) call own_actor(actor, handle)
    end if
    call free_copies(copies)
  end subroutine

  recursive subroutine create_with_args(class, args, actor, ierror)
    character(len=*), intent(in) :: class
    type(mobula_arg_value), target, intent(in) :: args(:)
    type(mobula_actor), target, intent(inout) :: actor
    integer, intent(out), optional :: ierror
    integer :: status
    call create_actor(class, args, actor, status)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_with_args_options(class, args, actor, options, ierror)
    character(len=*), intent(in) :: class
    type(mobula_arg_value), target, intent(in) :: args(:)
    type(mobula_actor), target, intent(inout) :: actor
    type(mobula_options), intent(in) :: options
    integer, intent(out), optional :: ierror
    integer :: status
    call create_actor(class, args, actor, status, options)
    call report(status, ierror)
  end subroutine

  recursive subroutine create_no_args(class, actor, ierror)
    character(len=*), intent(in) :: class
    type(mobula_actor), target, intent(inout) :: actor
    integer, intent(out), optional :: ierror
    type(mobula_arg_value) :: args(0)
    call create_with_args(class, args, actor, ierror)
  end subroutine

  recursive subroutine create_no_args_options(class, actor, options, ierror)
    character(len=*), intent(in) :: class
    type(mobula_actor), target, intent(inout) :: actor
    type(mobula_options), intent(in) :: options
    integer, intent(out), optional :: ierror
    type(mobula_arg_value) :: args(0)
    call create_with_args_options(class, args, actor, options, ierror)
  end subroutine

  ! handles: as in `submit`.
  recursive subroutine call_method(actor, method, args, handles, status)
    type(mobula_actor), intent(in) :: actor
    character(len=*), intent(in) :: method
    type(mobula_arg_value), target, intent(in) :: args(:)
    type(c_ptr), intent(inout) :: handles(:)
    integer, intent(out) :: status
    type(c_argument) :: given(2 * size(args) + 1)
    type(c_view) :: copies(size(args))
    integer(int64), target :: shapes(8 * size(args) + 1)
    integer :: count
    handles(size(handles)) = c_null_ptr
    call read_arguments(args, given, copies, status)
    if (status == MOBULA_OK) then
      call describe(args, given, count, shapes)
      status = int(c_actor_call(actor%handle, c_text(trim(method) // SHAPED), given, int(count, c_size_t), handles, &
        merge(0_c_size_t, size(handles, kind=c_size_t), size(handles) == 1)))
      ! An actor of another language.
      if (status == MOBULA_ERR_UNKNOWN_FUNCTION) status = int(c_actor_call(actor%handle, c_text(method), given, &
        size(args, kind=c_size_t), handles, size(handles, kind=c_size_t) - 1))
    end if
    call free_copies(copies)
  end subroutine

  recursive subroutine call_one(actor, method, args, ref, ierror)
    type(mobula_actor), intent(in) :: actor
    character(len=*), intent(in) :: method
    type(mobula_arg_value), target, intent(in) :: args(:)
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: handles(2)
    integer :: status
    call call_method(actor, method, args, handles, status)
    if (status == MOBULA_OK) then
      call give_one(handles, 1, ref)
      call c_ref_free(handles(2))
    end if
    call report(status, ierror)
  end subroutine

  recursive subroutine call_many(actor, method, args, refs, ierror)
    type(mobula_actor), intent(in) :: actor
    character(len=*), intent(in) :: method
    type(mobula_arg_value), target, intent(in) :: args(:)
    type(mobula_ref), target, intent(inout) :: refs(:)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: handles(size(refs) + 1)
    integer :: status
    call call_method(actor, method, args, handles, status)
    if (status == MOBULA_OK) call give(handles, refs)
    call report(status, ierror)
  end subroutine

  recursive subroutine call_none(actor, method, args, ierror)
    type(mobula_actor), intent(in) :: actor
    character(len=*), intent(in) :: method
    type(mobula_arg_value), target, intent(in) :: args(:)
    integer, intent(out), optional :: ierror
    type(c_ptr) :: handles(1)
    integer :: status
    call call_method(actor, method, args, handles, status)
    call report(status, ierror)
  end subroutine

  recursive subroutine call_one_no_args(actor, method, ref, ierror)
    type(mobula_actor), intent(in) :: actor
    character(len=*), intent(in) :: method
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(mobula_arg_value) :: args(0)
    call call_one(actor, method, args, ref, ierror)
  end subroutine

  recursive subroutine call_many_no_args(actor, method, refs, ierror)
    type(mobula_actor), intent(in) :: actor
    character(len=*), intent(in) :: method
    type(mobula_ref), target, intent(inout) :: refs(:)
    integer, intent(out), optional :: ierror
    type(mobula_arg_value) :: args(0)
    call call_many(actor, method, args, refs, ierror)
  end subroutine

  recursive subroutine call_none_no_args(actor, method, ierror)
    type(mobula_actor), intent(in) :: actor
    character(len=*), intent(in) :: method
    integer, intent(out), optional :: ierror
    type(mobula_arg_value) :: args(0)
    call call_none(actor, method, args, ierror)
  end subroutine

  ! The actor that was created with that name, by any rank.
  recursive subroutine mobula_actor_find(name, actor, ierror)
    character(len=*), intent(in) :: name
    type(mobula_actor), target, intent(inout) :: actor
    integer, intent(out), optional :: ierror
    type(c_ptr) :: handle
    integer :: status
    status = int(c_actor_find(c_text(name), handle))
    if (status == MOBULA_OK) call own_actor(actor, handle)
    call report(status, ierror)
  end subroutine

  ! Ends an actor: calls that have not run, and later ones, fail with MOBULA_ERR_ACTOR_DIED.
  recursive subroutine mobula_actor_kill(actor, ierror)
    type(mobula_actor), intent(in) :: actor
    integer, intent(out), optional :: ierror
    call report(int(c_actor_kill(actor%handle)), ierror)
  end subroutine

  ! Waits for an object that is an actor: what a task returned by mobula_return_actor.
  recursive subroutine mobula_get_actor(ref, actor, timeout, ierror)
    type(mobula_ref), intent(in) :: ref
    type(mobula_actor), target, intent(inout) :: actor
    real(real64), intent(in), optional :: timeout
    integer, intent(out), optional :: ierror
    real(c_double) :: seconds
    type(c_ptr) :: handle
    integer :: status
    seconds = -1
    if (present(timeout)) seconds = timeout
    status = int(c_get_actor(ref%handle, seconds, handle))
    if (status /= MOBULA_OK) call tell_name(status, mobula_last_error())
    if (status == MOBULA_OK) call own_actor(actor, handle)
    call report(status, ierror)
  end subroutine

  ! generated: methods
  function plain_method(index) result(function)
    integer, intent(in) :: index
    type(c_funptr) :: function
    select case (index)
    case (1)
      function = c_funloc(plain_1)
    case (2)
      function = c_funloc(plain_2)
    case (3)
      function = c_funloc(plain_3)
    case (4)
      function = c_funloc(plain_4)
    case (5)
      function = c_funloc(plain_5)
    case (6)
      function = c_funloc(plain_6)
    case (7)
      function = c_funloc(plain_7)
    case (8)
      function = c_funloc(plain_8)
    case (9)
      function = c_funloc(plain_9)
    case (10)
      function = c_funloc(plain_10)
    case (11)
      function = c_funloc(plain_11)
    case (12)
      function = c_funloc(plain_12)
    case (13)
      function = c_funloc(plain_13)
    case (14)
      function = c_funloc(plain_14)
    case (15)
      function = c_funloc(plain_15)
    case (16)
      function = c_funloc(plain_16)
    case (17)
      function = c_funloc(plain_17)
    case (18)
      function = c_funloc(plain_18)
    case (19)
      function = c_funloc(plain_19)
    case (20)
      function = c_funloc(plain_20)
    case (21)
      function = c_funloc(plain_21)
    case (22)
      function = c_funloc(plain_22)
    case (23)
      function = c_funloc(plain_23)
    case (24)
      function = c_funloc(plain_24)
    case (25)
      function = c_funloc(plain_25)
    case (26)
      function = c_funloc(plain_26)
    case (27)
      function = c_funloc(plain_27)
    case (28)
      function = c_funloc(plain_28)
    case (29)
      function = c_funloc(plain_29)
    case (30)
      function = c_funloc(plain_30)
    case (31)
      function = c_funloc(plain_31)
    case (32)
      function = c_funloc(plain_32)
    case default
      function = c_null_funptr
    end select
  end function

  recursive function plain_1(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 1, .false.)
  end function

  recursive function plain_2(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 2, .false.)
  end function

  recursive function plain_3(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 3, .false.)
  end function

  recursive function plain_4(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 4, .false.)
  end function

  recursive function plain_5(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 5, .false.)
  end function

  recursive function plain_6(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 6, .false.)
  end function

  recursive function plain_7(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 7, .false.)
  end function

  recursive function plain_8(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 8, .false.)
  end function

  recursive function plain_9(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 9, .false.)
  end function

  recursive function plain_10(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 10, .false.)
  end function

  recursive function plain_11(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 11, .false.)
  end function

  recursive function plain_12(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 12, .false.)
  end function

  recursive function plain_13(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 13, .false.)
  end function

  recursive function plain_14(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 14, .false.)
  end function

  recursive function plain_15(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 15, .false.)
  end function

  recursive function plain_16(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 16, .false.)
  end function

  recursive function plain_17(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 17, .false.)
  end function

  recursive function plain_18(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 18, .false.)
  end function

  recursive function plain_19(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 19, .false.)
  end function

  recursive function plain_20(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 20, .false.)
  end function

  recursive function plain_21(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 21, .false.)
  end function

  recursive function plain_22(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 22, .false.)
  end function

  recursive function plain_23(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 23, .false.)
  end function

  recursive function plain_24(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 24, .false.)
  end function

  recursive function plain_25(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 25, .false.)
  end function

  recursive function plain_26(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 26, .false.)
  end function

  recursive function plain_27(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 27, .false.)
  end function

  recursive function plain_28(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 28, .false.)
  end function

  recursive function plain_29(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 29, .false.)
  end function

  recursive function plain_30(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 30, .false.)
  end function

  recursive function plain_31(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 31, .false.)
  end function

  recursive function plain_32(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 32, .false.)
  end function

  function shaped_method(index) result(function)
    integer, intent(in) :: index
    type(c_funptr) :: function
    select case (index)
    case (1)
      function = c_funloc(shaped_1)
    case (2)
      function = c_funloc(shaped_2)
    case (3)
      function = c_funloc(shaped_3)
    case (4)
      function = c_funloc(shaped_4)
    case (5)
      function = c_funloc(shaped_5)
    case (6)
      function = c_funloc(shaped_6)
    case (7)
      function = c_funloc(shaped_7)
    case (8)
      function = c_funloc(shaped_8)
    case (9)
      function = c_funloc(shaped_9)
    case (10)
      function = c_funloc(shaped_10)
    case (11)
      function = c_funloc(shaped_11)
    case (12)
      function = c_funloc(shaped_12)
    case (13)
      function = c_funloc(shaped_13)
    case (14)
      function = c_funloc(shaped_14)
    case (15)
      function = c_funloc(shaped_15)
    case (16)
      function = c_funloc(shaped_16)
    case (17)
      function = c_funloc(shaped_17)
    case (18)
      function = c_funloc(shaped_18)
    case (19)
      function = c_funloc(shaped_19)
    case (20)
      function = c_funloc(shaped_20)
    case (21)
      function = c_funloc(shaped_21)
    case (22)
      function = c_funloc(shaped_22)
    case (23)
      function = c_funloc(shaped_23)
    case (24)
      function = c_funloc(shaped_24)
    case (25)
      function = c_funloc(shaped_25)
    case (26)
      function = c_funloc(shaped_26)
    case (27)
      function = c_funloc(shaped_27)
    case (28)
      function = c_funloc(shaped_28)
    case (29)
      function = c_funloc(shaped_29)
    case (30)
      function = c_funloc(shaped_30)
    case (31)
      function = c_funloc(shaped_31)
    case (32)
      function = c_funloc(shaped_32)
    case default
      function = c_null_funptr
    end select
  end function

  recursive function shaped_1(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 1, .true.)
  end function

  recursive function shaped_2(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 2, .true.)
  end function

  recursive function shaped_3(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 3, .true.)
  end function

  recursive function shaped_4(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 4, .true.)
  end function

  recursive function shaped_5(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 5, .true.)
  end function

  recursive function shaped_6(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 6, .true.)
  end function

  recursive function shaped_7(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 7, .true.)
  end function

  recursive function shaped_8(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 8, .true.)
  end function

  recursive function shaped_9(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 9, .true.)
  end function

  recursive function shaped_10(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 10, .true.)
  end function

  recursive function shaped_11(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 11, .true.)
  end function

  recursive function shaped_12(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 12, .true.)
  end function

  recursive function shaped_13(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 13, .true.)
  end function

  recursive function shaped_14(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 14, .true.)
  end function

  recursive function shaped_15(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 15, .true.)
  end function

  recursive function shaped_16(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 16, .true.)
  end function

  recursive function shaped_17(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 17, .true.)
  end function

  recursive function shaped_18(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 18, .true.)
  end function

  recursive function shaped_19(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 19, .true.)
  end function

  recursive function shaped_20(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 20, .true.)
  end function

  recursive function shaped_21(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 21, .true.)
  end function

  recursive function shaped_22(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 22, .true.)
  end function

  recursive function shaped_23(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 23, .true.)
  end function

  recursive function shaped_24(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 24, .true.)
  end function

  recursive function shaped_25(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 25, .true.)
  end function

  recursive function shaped_26(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 26, .true.)
  end function

  recursive function shaped_27(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 27, .true.)
  end function

  recursive function shaped_28(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 28, .true.)
  end function

  recursive function shaped_29(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 29, .true.)
  end function

  recursive function shaped_30(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 30, .true.)
  end function

  recursive function shaped_31(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 31, .true.)
  end function

  recursive function shaped_32(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, 32, .true.)
  end function
  ! end of generated

end module
