! `error stop` in a task ends the rank on which it runs: the task fails, and so does what waits for it.
module stopping
  use mobula
  implicit none
contains
  subroutine stops(call, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(out) :: ierror
    integer, pointer :: code
    call mobula_arg(call, 1, code, ierror)
    if (ierror == 0) error stop 3
  end subroutine
end module

program error_stop
  use mobula
  use check_that
  use stopping
  implicit none
  type(mobula_options) :: options
  type(mobula_ref) :: ref
  integer, pointer :: value
  integer :: ierror
  call mobula_register("stops", stops)
  call mobula_init()
  if (mobula_rank() /= 0) then
    call mobula_serve()
    stop
  end if
  options%placement = MOBULA_PLACE_RANK
  options%rank = 1
  options%max_retries = 0
  call mobula_submit("stops", [mobula_value(1)], ref, options)
  call mobula_get(ref, value, ierror=ierror)
  call failed(ierror, MOBULA_ERR_NODE_DIED, "rank 1")
  call mobula_shutdown()
  print "(a)", "ok: error stop"
end program
