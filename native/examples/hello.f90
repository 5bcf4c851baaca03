! hello: tasks that run anywhere, references that connect them, and one task on every rank.
!
!   gfortran -frecursive $(pkg-config --variable=fortran mobula) hello.f90 -o hello \
!       $(pkg-config --libs mobula) -lpthread
!   ./hello                                    alone
!   mpirun -n 4 ./hello                        or srun -n 4 ./hello
module hello_tasks
  use mobula
  use, intrinsic :: iso_fortran_env, only: real64
  implicit none
contains
  ! A task: the same procedure on every rank. Its arguments are in the call, and so are its results.
  subroutine add(call, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(out) :: ierror
    real(real64), pointer :: a, b
    call mobula_arg(call, 1, a, ierror)
    if (ierror /= 0) return
    call mobula_arg(call, 2, b, ierror)
    if (ierror /= 0) return
    call mobula_return(call, 1, a + b, ierror)
  end subroutine

  subroutine where_am_i(call, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(out) :: ierror
    call mobula_return(call, 1, mobula_rank(), ierror)
  end subroutine
end module

program hello
  use hello_tasks
  implicit none
  type(mobula_ref) :: three, thirteen, answer
  type(mobula_options) :: on_rank
  real(real64), pointer :: total
  integer, pointer :: rank
  logical :: is_right
  integer :: i

  call mobula_register("add", add)               ! before the start, on every rank alike
  call mobula_register("where_am_i", where_am_i)
  call mobula_init()
  if (mobula_rank() /= 0) then
    call mobula_serve()                          ! runs tasks until rank 0 is through
    stop
  end if

  ! A call returns a reference at once; a reference is passed on before its value is there.
  call mobula_submit("add", [mobula_value(1.0_real64), mobula_value(2.0_real64)], three)
  call mobula_submit("add", [mobula_by_ref(three), mobula_value(10.0_real64)], thirteen)

  ! One greeting from every rank.
  on_rank%placement = MOBULA_PLACE_RANK
  do i = 0, mobula_size() - 1
    on_rank%rank = i
    call mobula_submit("where_am_i", answer, on_rank)
    call mobula_get(answer, rank)
    print "(a, i0)", "hello world, from rank ", rank
    call mobula_release(rank)
  end do

  call mobula_get(thirteen, total)               ! waits, and points to where the value lies
  is_right = abs(total - 13) <= 0
  if (is_right) print "(a, f0.1)", "ok: ", total
  call mobula_release(total)
  call mobula_shutdown()
  if (.not. is_right) error stop "hello: this is not 13"
end program
