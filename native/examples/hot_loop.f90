! hot_loop: a program in which one loop takes the time. The loop's iterations become tasks; the rest stays as it is.
!
! A column of air has reactions in each of its cells. How many steps the integration of a cell takes depends on its
! state, so that columns take unequal time, and equal shares of them would leave cores idle.
!
!   gfortran -frecursive $(pkg-config --variable=fortran mobula) hot_loop.f90 -o hot_loop \
!       $(pkg-config --libs mobula) -lpthread
!   mpirun -n 4 ./hot_loop
module chemistry
  use, intrinsic :: iso_fortran_env, only: real64
  implicit none
contains
  ! The code that was there before: it knows nothing of tasks.
  pure subroutine react(column)
    real(real64), intent(inout) :: column(:)
    real(real64) :: rate, step
    integer :: cell, i, steps
    do cell = 1, size(column)
      steps = 10 + int(200 * column(cell)**2)
      step = 0.5_real64 / steps
      do i = 1, steps
        rate = column(cell) * (1 - column(cell)) * exp(-column(cell))
        column(cell) = column(cell) + step * rate
      end do
    end do
  end subroutine

  pure subroutine advect(field)
    real(real64), intent(inout) :: field(:, :)
    field = cshift(field, 1, dim=2)
  end subroutine
end module

module chemistry_tasks
  use mobula
  use chemistry
  implicit none
  integer, parameter :: CHUNK = 8                ! columns of a task: some hundred microseconds of work or more
contains
  ! The task: the body of the loop, for some columns.
  subroutine react_columns(call, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(out) :: ierror
    real(real64), pointer :: before(:, :), after(:, :)
    integer :: j
    call mobula_arg(call, 1, before, ierror=ierror)
    if (ierror /= 0) return
    call mobula_return_create(call, 1, after, shape(before), ierror)
    if (ierror /= 0) return
    after = before                               ! arguments are only read
    do j = 1, size(after, 2)
      call react(after(:, j))
    end do
  end subroutine

  ! What replaces the loop
  !     do j = 1, size(field, 2)
  !       call react(field(:, j))
  !     end do
  subroutine react_all(field)
    real(real64), intent(inout) :: field(:, :)
    type(mobula_ref), allocatable :: refs(:)
    real(real64), pointer :: after(:, :)
    integer :: i, first, last
    allocate(refs((size(field, 2) + CHUNK - 1) / CHUNK))
    do i = 1, size(refs)
      first = (i - 1) * CHUNK + 1
      last = min(i * CHUNK, size(field, 2))
      call mobula_submit("react_columns", [mobula_value(field(:, first:last))], refs(i))
    end do
    do i = 1, size(refs)
      first = (i - 1) * CHUNK + 1
      call mobula_get(refs(i), after)            ! waits for this task; the others go on
      field(:, first:first + size(after, 2) - 1) = after
      call mobula_release(after)
    end do
  end subroutine
end module

program hot_loop
  use chemistry_tasks
  implicit none
  integer, parameter :: CELLS = 40, COLUMNS = 150, STEPS = 5
  real(real64) :: field(CELLS, COLUMNS), expected(CELLS, COLUMNS)
  integer :: step, i, j

  call mobula_register("react_columns", react_columns)
  call mobula_init()
  if (mobula_rank() /= 0) then
    call mobula_serve()                          ! ranks other than 0 only run tasks
    stop
  end if

  field = reshape([((0.01_real64 + mod(i * j, 97) / 100.0_real64, i = 1, CELLS), j = 1, COLUMNS)], [CELLS, COLUMNS])
  expected = field
  do step = 1, STEPS
    call advect(field)
    call react_all(field)
  end do
  call mobula_shutdown()

  do step = 1, STEPS                             ! the program as it was
    call advect(expected)
    do j = 1, COLUMNS
      call react(expected(:, j))
    end do
  end do
  if (.not. maxval(abs(field - expected)) < 1e-12_real64) error stop "hot_loop: the tasks computed something else"
  print "(a, i0, a, i0, a, f0.3)", "ok: ", COLUMNS, " columns, ", STEPS, " steps, sum ", sum(field)
end program
