! farm: a master that hands out work with arrays, and takes the results in the order in which they are ready.
!
! The work is a matrix product A B = C. A is put once, and every task reads it in place: each host gets one copy, not
! each task. A task gets some columns of B and returns those columns of C. Arrays keep their shape.
!
!   gfortran -frecursive $(pkg-config --variable=fortran mobula) farm.f90 -o farm $(pkg-config --libs mobula) -lpthread
!   mpirun -n 4 ./farm
module farm_tasks
  use mobula
  use, intrinsic :: iso_fortran_env, only: real64
  implicit none
contains
  ! The task: both arguments are views of the store, and the result is written where it stays.
  subroutine product_of(call, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(out) :: ierror
    real(real64), pointer :: a(:, :), b(:, :), c(:, :)
    call mobula_arg(call, 1, a, ierror=ierror)
    if (ierror /= 0) return
    call mobula_arg(call, 2, b, ierror=ierror)
    if (ierror /= 0) return
    if (size(a, 2) /= size(b, 1)) then
      call mobula_fail(call, "product_of: these matrices have no product", ierror)
      return
    end if
    call mobula_return_create(call, 1, c, [size(a, 1), size(b, 2)], ierror)
    if (ierror /= 0) return
    c = matmul(a, b)
  end subroutine
end module

program farm
  use farm_tasks
  implicit none
  integer, parameter :: N = 240                  ! of the matrices, N x N
  integer, parameter :: COLUMNS = 10, TASKS = N / COLUMNS
  type(mobula_ref) :: a_ref, parts(TASKS)        ! those at work are parts(1:working)
  integer :: first_column(TASKS)
  logical :: ready(TASKS)
  real(real64), pointer :: a(:, :), values(:, :)
  real(real64), allocatable :: b(:, :), c(:, :), expected(:, :)
  real(real64) :: difference
  integer :: i, working, kept

  call mobula_register("product_of", product_of)
  call mobula_init()
  if (mobula_rank() /= 0) then
    call mobula_serve()
    stop
  end if

  allocate(b(N, N), c(N, N))
  b = matrix(13)
  c = 0

  ! A is written in place, in the store. From mobula_seal on it is immutable.
  call mobula_create(a, [N, N])
  a = matrix(7)
  expected = matmul(a, b)                        ! the same without tasks
  call mobula_seal(a, a_ref)

  do i = 1, TASKS
    first_column(i) = (i - 1) * COLUMNS + 1
    call mobula_submit("product_of", &
      [mobula_by_ref(a_ref), mobula_value(b(:, first_column(i):first_column(i) + COLUMNS - 1))], parts(i))
  end do

  ! Whatever is ready is taken; the others go on.
  working = TASKS
  do while (working > 0)
    call mobula_wait(parts(1:working), 1, ready=ready(1:working))
    kept = 0
    do i = 1, working
      if (ready(i)) then
        call mobula_get(parts(i), values)
        c(:, first_column(i):first_column(i) + size(values, 2) - 1) = values
        call mobula_release(values)
      else
        kept = kept + 1
        first_column(kept) = first_column(i)
        if (kept < i) parts(kept) = parts(i)
      end if
    end do
    working = kept
  end do
  call mobula_shutdown()

  difference = maxval(abs(c - expected))
  if (.not. difference < 1e-12_real64) error stop "farm: this is not the product" ! a NaN is wrong, too
  print "(a, i0, a, i0, a, i0, a)", "ok: ", N, " x ", N, " matrices, ", TASKS, " tasks"

contains

  function matrix(factor)
    integer, intent(in) :: factor
    real(real64) :: matrix(N, N)
    integer :: row, column
    do column = 1, N
      do row = 1, N
        matrix(row, column) = real(mod((row + N * column) * factor, 101) - 50, real64) / 50
      end do
    end do
  end function
end program
