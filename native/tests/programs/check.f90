! What the test programs check with: a failed check prints its text and ends the process.
module check_that
  use mobula, only: mobula_last_error
  use, intrinsic :: iso_fortran_env, only: error_unit
  implicit none
contains
  recursive subroutine check(holds, what)
    logical, intent(in) :: holds
    character(len=*), intent(in) :: what
    if (holds) return
    write (error_unit, "(4a)") "does not hold: ", what, "; last error: ", mobula_last_error()
    error stop 1
  end subroutine

  ! A call has failed with that status, and its message contains the text.
  recursive subroutine failed(ierror, wanted, text)
    integer, intent(in) :: ierror, wanted
    character(len=*), intent(in) :: text
    character(len=:), allocatable :: message
    message = mobula_last_error()
    if (ierror == wanted .and. index(message, text) > 0) return
    write (error_unit, "(a, i0, a, i0, 4a)") "status ", ierror, ", wanted ", wanted, " and '", text, "': ", message
    error stop 1
  end subroutine
end module
