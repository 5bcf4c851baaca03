! Actors: state, order of calls, shapes, names, handles as arguments, the end, failures, saved state.
module counters
  use mobula
  use, intrinsic :: iso_fortran_env
  implicit none
  type, extends(mobula_state) :: counter
    integer :: value = 0
    real(real64), allocatable :: field(:, :)
  end type
contains
  ! Begins at a number, with a field.
  subroutine counter_new(call, state, ierror)
    type(mobula_call), intent(in) :: call
    class(mobula_state), pointer, intent(out) :: state
    integer, intent(out) :: ierror
    integer, pointer :: start
    real(real64), pointer :: field(:, :)
    type(counter), pointer :: made
    nullify(state)
    call mobula_arg(call, 1, start, ierror)
    if (ierror /= 0) return
    call mobula_arg(call, 2, field, ierror=ierror)
    if (ierror /= 0) return
    if (start < 0) then
      call mobula_fail(call, "a counter begins at 0 or above", ierror)
      return
    end if
    allocate(made)
    made%value = start
    made%field = field
    state => made
  end subroutine

  subroutine counter_save(call, state, ierror)
    type(mobula_call), intent(in) :: call
    class(mobula_state), intent(inout) :: state
    integer, intent(out) :: ierror
    select type (state)
    type is (counter)
      call mobula_return(call, 1, [state%value, shape(state%field)], ierror)
    end select
  end subroutine

  subroutine counter_restore(call, state, ierror)
    type(mobula_call), intent(in) :: call
    class(mobula_state), pointer, intent(out) :: state
    integer, intent(out) :: ierror
    integer, pointer :: saved(:)
    type(counter), pointer :: made
    nullify(state)
    call mobula_arg(call, 1, saved, ierror=ierror)
    if (ierror /= 0) return
    allocate(made)
    made%value = saved(1)
    allocate(made%field(saved(2), saved(3)))
    state => made
  end subroutine

  subroutine increment(call, state, ierror)
    type(mobula_call), intent(in) :: call
    class(mobula_state), intent(inout) :: state
    integer, intent(out) :: ierror
    select type (state)
    type is (counter)
      state%value = state%value + 1
      call mobula_return(call, 1, state%value, ierror)
    end select
  end subroutine

  subroutine add(call, state, ierror)
    type(mobula_call), intent(in) :: call
    class(mobula_state), intent(inout) :: state
    integer, intent(out) :: ierror
    integer, pointer :: more
    call mobula_arg(call, 1, more, ierror)
    if (ierror /= 0) return
    select type (state)
    type is (counter)
      state%value = state%value + more
    end select
  end subroutine

  ! The field, and the rank on which it is.
  subroutine field(call, state, ierror)
    type(mobula_call), intent(in) :: call
    class(mobula_state), intent(inout) :: state
    integer, intent(out) :: ierror
    select type (state)
    type is (counter)
      call mobula_return(call, 1, state%field, ierror)
      if (ierror == 0) call mobula_return(call, 2, mobula_rank(), ierror)
    end select
  end subroutine

  ! A task that increments the counter that it gets a handle of.
  subroutine increment_twice(call, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(out) :: ierror
    type(mobula_actor) :: actor
    type(mobula_ref) :: ref
    integer, pointer :: value
    call mobula_arg_actor(call, 1, actor, ierror)
    if (ierror /= 0) return
    call mobula_actor_call(actor, "increment", ref, ierror)
    if (ierror /= 0) return
    call mobula_actor_call(actor, "increment", ref, ierror)
    if (ierror /= 0) return
    call mobula_get(ref, value, ierror=ierror)
    if (ierror /= 0) return
    call mobula_return(call, 1, value, ierror)
    call mobula_release(value)
  end subroutine

  ! A task that returns an actor.
  subroutine returned(call, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(out) :: ierror
    type(mobula_actor) :: actor
    call mobula_arg_actor(call, 1, actor, ierror)
    if (ierror == 0) call mobula_return_actor(call, 1, actor, ierror)
  end subroutine
end module

program actors
  use mobula
  use check_that
  use counters
  implicit none
  type(mobula_method) :: methods(3)
  integer :: rank
  methods = [mobula_method("increment", increment), mobula_method("add", add, 0), mobula_method("field", field, 2)]
  call mobula_register_actor("counter", counter_new, methods)
  call mobula_register_actor("saved counter", counter_new, methods, counter_save, counter_restore)
  call mobula_register("increment twice", increment_twice)
  call mobula_register("returned", returned)
  call mobula_init()
  if (mobula_rank() /= 0) then
    call mobula_serve()
    stop
  end if
  do rank = 0, mobula_size() - 1
    call one("counter")
    call one("saved counter")
    call by_name()
  end do
  call failing()
  call mobula_shutdown()
  print "(a)", "ok: actors of Fortran"

contains

  recursive integer function whole(ref)
    type(mobula_ref), intent(in) :: ref
    integer, pointer :: value
    call mobula_get(ref, value)
    whole = value
    call mobula_release(value)
  end function

  subroutine one(class)
    character(len=*), intent(in) :: class
    type(mobula_options) :: options
    type(mobula_actor) :: actor, same
    type(mobula_ref) :: refs(100), both(2)
    real(real64) :: start(5, 6)
    real(real64), pointer :: values(:, :)
    integer :: i
    start = 3
    options%placement = MOBULA_PLACE_RANK
    options%rank = rank
    call mobula_actor_create(class, [mobula_value(10), mobula_value(start)], actor, options)
    do i = 1, size(refs)
      call mobula_actor_call(actor, "increment", refs(i))
    end do
    do i = 1, size(refs)
      call check(whole(refs(i)) == 10 + i, "calls run in the order made")
    end do
    call mobula_actor_call(actor, "add", [mobula_value(5)])
    call mobula_actor_call(actor, "field", both)
    call mobula_get(both(1), values)
    call check(all(shape(values) == [5, 6]) .and. all(abs(values - 3) <= 0), "the shape of a state's array")
    call mobula_release(values)
    call check(whole(both(2)) == rank, "the actor is where it was placed")
    same = actor
    call mobula_free(actor)
    do i = 0, mobula_size() - 1
      options%rank = i
      call mobula_submit("increment twice", [mobula_by_actor(same)], refs(1), options)
      call check(whole(refs(1)) == 117 + 2 * i, "a handle as an argument")
      call mobula_submit("returned", [mobula_by_actor(same)], refs(1), options)
      call mobula_submit("returned", [mobula_by_ref(refs(1))], refs(1), options)
      call mobula_get_actor(refs(1), same)
    end do
  end subroutine

  subroutine by_name()
    type(mobula_options) :: options
    type(mobula_actor) :: actor, found
    type(mobula_ref) :: ref
    integer, pointer :: value
    integer :: ierror
    real(real64) :: start(1, 1)
    start = 0
    call mobula_actor_find("visits", found, ierror)
    call failed(ierror, MOBULA_ERR_ACTOR_DIED, 'no actor has the name "visits"')
    options%placement = MOBULA_PLACE_RANK
    options%rank = rank
    options%name = "visits"
    call mobula_actor_create("counter", [mobula_value(0), mobula_value(start)], actor, options)
    call mobula_free(actor)
    call mobula_actor_find("visits", found)
    call mobula_actor_call(found, "increment", ref)
    call check(whole(ref) == 1, "an actor that was found")
    call mobula_actor_kill(found)
    call mobula_actor_call(found, "increment", ref)
    call mobula_get(ref, value, ierror=ierror)
    call failed(ierror, MOBULA_ERR_ACTOR_DIED, "counter")
  end subroutine

  subroutine failing()
    type(mobula_actor) :: actor
    type(mobula_ref) :: ref
    integer, pointer :: value
    integer :: ierror
    real(real64) :: start(1, 1)
    start = 0
    call mobula_actor_create("counter", [mobula_value(-1), mobula_value(start)], actor)
    call mobula_actor_call(actor, "increment", ref)
    call mobula_get(ref, value, ierror=ierror)
    call failed(ierror, MOBULA_ERR_ACTOR_DIED, "a counter begins at 0 or above")
    call mobula_actor_create("account", actor, ierror=ierror)
    call failed(ierror, MOBULA_ERR_UNKNOWN_FUNCTION, 'no actor class named "account" is registered')
    call mobula_actor_create("counter", [mobula_value(1), mobula_value(start)], actor)
    call mobula_actor_call(actor, "decrement", ref, ierror)
    call failed(ierror, MOBULA_ERR_UNKNOWN_FUNCTION, 'no method named "decrement"')
    call mobula_actor_call(actor, "increment", ref)
    call check(whole(ref) == 2, "an actor goes on after a wrong call")
  end subroutine
end program
