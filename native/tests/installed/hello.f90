! A task on the last rank, with the installed library.
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
end module

program hello
  use work
  implicit none
  type(mobula_options) :: options
  type(mobula_ref) :: y
  real(real64), pointer :: values
  call mobula_register("twice", twice)
  call mobula_init()
  if (mobula_rank() /= 0) then
    call mobula_serve()
    stop
  end if
  options%placement = MOBULA_PLACE_RANK
  options%rank = mobula_size() - 1
  call mobula_submit("twice", [mobula_value(21.0_real64)], y, options)
  call mobula_get(y, values)
  print "(a, i0, a, i0)", "ok: ", nint(values), " from Fortran, ranks: ", mobula_size()
  call mobula_release(values)
  call mobula_shutdown()
end program
