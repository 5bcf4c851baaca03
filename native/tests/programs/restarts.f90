! A rank is killed: its actor goes on from the state that was saved.
module totals
  use mobula
  use, intrinsic :: iso_c_binding
  use, intrinsic :: iso_fortran_env
  implicit none
  type, extends(mobula_state) :: total
    real(real64) :: sums(2, 2) = 0
  end type
  interface
    integer(c_int) function getpid() bind(C)
      import :: c_int
    end function
    integer(c_int) function kill(pid, signal) bind(C)
      import :: c_int
      integer(c_int), value :: pid, signal
    end function
  end interface
contains
  subroutine total_new(call, state, ierror)
    type(mobula_call), intent(in) :: call
    class(mobula_state), pointer, intent(out) :: state
    integer, intent(out) :: ierror
    real(real64), pointer :: sums(:, :)
    type(total), pointer :: made
    nullify(state)
    call mobula_arg(call, 1, sums, [2, 2], ierror) ! what `save` returned has no shape
    if (ierror /= 0) return
    allocate(made)
    made%sums = sums
    state => made
  end subroutine

  subroutine total_save(call, state, ierror)
    type(mobula_call), intent(in) :: call
    class(mobula_state), intent(inout) :: state
    integer, intent(out) :: ierror
    select type (state)
    type is (total)
      call mobula_return(call, 1, state%sums, ierror)
    end select
  end subroutine

  subroutine total_add(call, state, ierror)
    type(mobula_call), intent(in) :: call
    class(mobula_state), intent(inout) :: state
    integer, intent(out) :: ierror
    real(real64), pointer :: more
    call mobula_arg(call, 1, more, ierror)
    if (ierror /= 0) return
    select type (state)
    type is (total)
      state%sums = state%sums + more
      call mobula_return(call, 1, state%sums, ierror)
    end select
  end subroutine

  subroutine process(call, state, ierror)
    type(mobula_call), intent(in) :: call
    class(mobula_state), intent(inout) :: state
    integer, intent(out) :: ierror
    select type (state)
    type is (total)
      call mobula_return(call, 1, int(getpid()), ierror)
    end select
  end subroutine
end module

program restarts
  use mobula
  use check_that
  use totals
  implicit none
  type(mobula_options) :: options
  type(mobula_actor) :: actor
  real(real64) :: start(2, 2)
  call mobula_register_actor("total", total_new, [mobula_method("add", total_add), mobula_method("process", process)], &
    total_save, total_new)
  call mobula_init()
  if (mobula_rank() /= 0) then
    call mobula_serve()
    stop
  end if
  start = 10
  options%max_restarts = 1
  options%max_task_retries = MOBULA_UNBOUNDED
  options%placement = MOBULA_PLACE_SPREAD
  do ! on rank 1
    call mobula_actor_create("total", [mobula_value(start)], actor, options)
    if (process_of() /= int(getpid())) exit
  end do
  call adds(5, 15)
  call adds(7, 22)
  call check(kill(int(process_of(), c_int), 9_c_int) == 0, "a signal is sent")
  call adds(8, 30)
  call check(process_of() == int(getpid()), "the actor is on rank 0")
  call mobula_actor_kill(actor)
  call mobula_shutdown()
  print "(a)", "ok: restarts of Fortran"

contains

  subroutine adds(more, total_of_all)
    integer, intent(in) :: more, total_of_all
    type(mobula_ref) :: ref
    real(real64), pointer :: sums(:, :)
    call mobula_actor_call(actor, "add", [mobula_value(real(more, real64))], ref)
    call mobula_get(ref, sums)
    call check(all(abs(sums - total_of_all) <= 0), "the sums are those of all calls")
    call mobula_release(sums)
  end subroutine

  integer function process_of()
    type(mobula_ref) :: ref
    integer, pointer :: pid
    call mobula_actor_call(actor, "process", ref)
    call mobula_get(ref, pid)
    process_of = pid
    call mobula_release(pid)
  end function
end program
