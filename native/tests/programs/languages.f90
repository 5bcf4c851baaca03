! Fortran calls functions and actors of C, and C those of Fortran: the objects have elements and no shape.
module of_fortran
  use mobula
  use, intrinsic :: iso_fortran_env
  use, intrinsic :: iso_c_binding
  implicit none
  type, extends(mobula_state) :: total
    real(real64) :: value = 0
  end type
  interface
    subroutine register_c() bind(C)
    end subroutine
    ! Calls `doubled` and the actor `total` of Fortran.
    subroutine call_fortran() bind(C)
    end subroutine
  end interface
contains
  ! A matrix of 2 rows, twice the argument: whose shape C does not say.
  subroutine doubled(call, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(out) :: ierror
    real(real64), pointer :: values(:), matrix(:, :)
    call mobula_arg(call, 1, values, ierror=ierror)
    if (ierror /= 0) return
    call mobula_arg(call, 1, matrix, [2, size(values) / 2], ierror)
    if (ierror == 0) call mobula_return(call, 1, 2 * matrix, ierror)
  end subroutine

  subroutine total_new(call, state, ierror)
    type(mobula_call), intent(in) :: call
    class(mobula_state), pointer, intent(out) :: state
    integer, intent(out) :: ierror
    real(real64), pointer :: start
    type(total), pointer :: made
    nullify(state)
    call mobula_arg(call, 1, start, ierror)
    if (ierror /= 0) return
    allocate(made)
    made%value = start
    state => made
  end subroutine

  subroutine add(call, state, ierror)
    type(mobula_call), intent(in) :: call
    class(mobula_state), intent(inout) :: state
    integer, intent(out) :: ierror
    real(real64), pointer :: more
    call mobula_arg(call, 1, more, ierror)
    if (ierror /= 0) return
    select type (state)
    type is (total)
      state%value = state%value + more
      call mobula_return(call, 1, state%value, ierror)
    end select
  end subroutine
end module

program languages
  use mobula
  use check_that
  use of_fortran
  implicit none
  type(mobula_ref) :: x, y
  type(mobula_actor) :: actor
  real(real64) :: matrix(2, 3)
  real(real64), pointer :: values(:, :), sum_of_all
  integer(int8), pointer :: letters(:)
  integer :: ierror, i
  call register_c()
  call mobula_register("doubled", doubled)
  call mobula_register_actor("total", total_new, [mobula_method("add", add)])
  call mobula_init()
  if (mobula_rank() /= 0) then
    call mobula_serve()
    stop
  end if
  matrix = reshape([(real(i, real64), i = 1, 6)], [2, 3])
  call mobula_put(matrix, x)
  call mobula_submit("c_sum", [mobula_by_ref(x), mobula_value(matrix(:, 1:2))], y)
  call mobula_get(y, sum_of_all)
  call check(abs(sum_of_all - 31) <= 0, "C got the elements of two matrices")
  call mobula_release(sum_of_all)
  call mobula_submit("c_ramp", y)
  call mobula_get(y, values, ierror=ierror)
  call failed(ierror, MOBULA_ERR_TYPE, "6 elements, and rank 2 was asked for: pass its shape")
  call mobula_get(y, values, shape=[2, 3])
  call check(all(abs(values - (matrix - 1)) <= 0), "an array of C in Fortran's order")
  call mobula_release(values)
  call mobula_submit("doubled", [mobula_by_ref(y)], x)
  call mobula_get(x, values)
  call check(all(abs(values - 2 * (matrix - 1)) <= 0), "an array of C as an argument")
  call mobula_release(values)
  call mobula_actor_create("c_total", [mobula_value(1.0_real64)], actor)
  call mobula_actor_call(actor, "add", [mobula_value(2.0_real64)], y)
  call mobula_get(y, sum_of_all)
  call check(abs(sum_of_all - 3) <= 0, "an actor of C")
  call mobula_release(sum_of_all)
  call mobula_submit("c_text", y)
  call mobula_get(y, letters)
  call check(all(letters == [104_int8, 105_int8]), "bytes are read as int8")
  call mobula_release(letters)
  call call_fortran()
  call mobula_shutdown()
  print "(a)", "ok: languages"
end program
