! A task on the last rank, with the installed library; and tasks at the same time, each with a large array of its own.
module work
  use mobula
  use, intrinsic :: iso_fortran_env, only: real64
  implicit none
contains
  recursive subroutine twice(call, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(out) :: ierror
    real(real64), pointer :: x
    call mobula_arg(call, 1, x, ierror)
    if (ierror /= 0) return
    call mobula_return(call, 1, 2 * x, ierror)
  end subroutine

  ! Whether its local array is its own: others run while it waits.
  subroutine keeps_its_array(call, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(out) :: ierror
    real(real64) :: array(20000)
    real(real64), pointer :: x, doubled
    type(mobula_ref) :: y
    call mobula_arg(call, 1, x, ierror)
    if (ierror /= 0) return
    array = x
    call mobula_submit("twice", [mobula_value(x)], y, ierror=ierror)
    if (ierror /= 0) return
    call mobula_get(y, doubled, ierror)
    if (ierror /= 0) return
    call mobula_return(call, 1, count(abs(2 * array - doubled) <= 0), ierror)
    call mobula_release(doubled)
  end subroutine
end module

program hello
  use work
  implicit none
  type(mobula_options) :: options
  type(mobula_ref) :: y, checked(100)
  real(real64), pointer :: values
  integer, pointer :: equal
  integer :: i
  call mobula_register("twice", twice)
  call mobula_register("keeps its array", keeps_its_array)
  call mobula_init()
  if (mobula_rank() /= 0) then
    call mobula_serve()
    stop
  end if
  do i = 1, size(checked)
    call mobula_submit("keeps its array", [mobula_value(real(i, real64))], checked(i))
  end do
  do i = 1, size(checked)
    call mobula_get(checked(i), equal)
    if (equal /= 20000) error stop "tasks share their local arrays"
    call mobula_release(equal)
  end do
  options%placement = MOBULA_PLACE_RANK
  options%rank = mobula_size() - 1
  call mobula_submit("twice", [mobula_value(21.0_real64)], y, options)
  call mobula_get(y, values)
  print "(a, i0, a, i0)", "ok: ", nint(values), " from Fortran, ranks: ", mobula_size()
  call mobula_release(values)
  call mobula_shutdown()
end program
