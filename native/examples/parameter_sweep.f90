! parameter_sweep: runs that take unequal time; a bounded number at a time, results taken as they come.
!
! The runs are logistic maps x -> r x (1 - x) with their own r. The sweep counts those that converge, and finds the
! widest swing.
!
!   gfortran -frecursive $(pkg-config --variable=fortran mobula) parameter_sweep.f90 -o parameter_sweep \
!       $(pkg-config --libs mobula) -lpthread
!   mpirun -n 4 ./parameter_sweep
module sweep
  use mobula
  use, intrinsic :: iso_fortran_env, only: real64
  implicit none
  integer, parameter :: RUNS = 1500              ! parameters tried: 2.500, 2.501, ... 3.999
  integer, parameter :: AT_WORK = 16             ! runs that are running or queued at any time
  real(real64), parameter :: STEADY = 1e-3_real64 ! a run with a smaller swing has converged
contains
  ! How far apart the last values of the map lie. The number of steps differs from run to run by a factor of ten.
  pure real(real64) function swing_of(r)
    real(real64), intent(in) :: r
    real(real64) :: x, low, high
    integer :: i
    x = 0.5_real64
    do i = 1, 2000 + mod(int(r * 1000), 10) * 2000
      x = r * x * (1 - x)
    end do
    low = x
    high = x
    do i = 1, 64
      x = r * x * (1 - x)
      low = min(low, x)
      high = max(high, x)
    end do
    swing_of = high - low
  end function

  pure real(real64) function parameter_of(run)
    integer, intent(in) :: run
    parameter_of = 2.5_real64 + (run - 1) / 1000.0_real64
  end function

  ! The task: from r to an array of two, [r, swing].
  subroutine swing(call, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(out) :: ierror
    real(real64), pointer :: r
    call mobula_arg(call, 1, r, ierror)
    if (ierror /= 0) return
    call mobula_return(call, 1, [r, swing_of(r)], ierror)
  end subroutine
end module

program parameter_sweep
  use sweep
  implicit none
  type(mobula_ref) :: refs(AT_WORK)              ! those at work are refs(1:working)
  logical :: ready(AT_WORK)
  real(real64), pointer :: outcome(:)
  real(real64) :: widest(2)
  integer :: submitted, working, kept, ended, num_steady, expected, i

  call mobula_register("swing", swing)
  call mobula_init()
  if (mobula_rank() /= 0) then
    call mobula_serve()
    stop
  end if

  submitted = 0
  ended = 0
  num_steady = 0
  widest = 0
  do working = 1, AT_WORK
    call submit(refs(working))
  end do
  working = AT_WORK
  do while (working > 0)
    call mobula_wait(refs(1:working), 1, ready=ready(1:working)) ! until at least one is ready
    kept = 0
    do i = 1, working
      if (ready(i)) then
        call mobula_get(refs(i), outcome)
        ended = ended + 1
        if (outcome(2) < STEADY) num_steady = num_steady + 1
        if (outcome(2) > widest(2)) widest = outcome
        call mobula_release(outcome)
        if (submitted == RUNS) cycle
        call submit(refs(i))                     ! a new run for each one that ends
      end if
      kept = kept + 1
      if (kept < i) refs(kept) = refs(i)
    end do
    working = kept
  end do
  call mobula_shutdown()

  ! The same without tasks.
  expected = count([(swing_of(parameter_of(i)) < STEADY, i = 1, RUNS)])
  print "(a, f5.3, a, f5.3)", "the widest swing is ", widest(2), ", at r = ", widest(1)
  if (ended /= RUNS .or. num_steady /= expected) error stop "parameter_sweep: the tasks counted differently"
  print "(a, i0, a, i0, a)", "ok: ", ended, " runs, ", num_steady, " of them steady"

contains

  subroutine submit(ref)
    type(mobula_ref), intent(inout) :: ref
    submitted = submitted + 1
    call mobula_submit("swing", [mobula_value(parameter_of(submitted))], ref)
  end subroutine
end program
