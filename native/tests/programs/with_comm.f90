! A program of Fortran that uses MPI itself, by each of its modules.
module work
  use mobula
  use, intrinsic :: iso_fortran_env, only: real64
  implicit none
contains
  recursive subroutine add(call, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(out) :: ierror
    real(real64), pointer :: a, b
    call mobula_arg(call, 1, a, ierror)
    if (ierror == 0) call mobula_arg(call, 2, b, ierror)
    if (ierror == 0) call mobula_return(call, 1, a + b, ierror)
  end subroutine

  ! Sends a task to the next rank.
  subroutine send_task()
    type(mobula_options) :: options
    type(mobula_ref) :: y
    real(real64), pointer :: value
    options%placement = MOBULA_PLACE_RANK
    options%rank = modulo(mobula_rank() + 1, mobula_size())
    call mobula_submit("add", [mobula_value(real(mobula_rank(), real64)), mobula_value(2.0_real64)], y, options)
    call mobula_get(y, value)
    if (nint(value) /= mobula_rank() + 2) error stop "another sum"
    call mobula_release(value)
  end subroutine
end module

module of_f08
  use work
  use mpi_f08
  implicit none
contains
  subroutine cluster_of_reversed_ranks()
    type(MPI_Comm) :: reversed
    integer :: rank
    call MPI_Comm_rank(MPI_COMM_WORLD, rank)
    call MPI_Comm_split(MPI_COMM_WORLD, 0, -rank, reversed)
    call mobula_init_with_comm(reversed%MPI_VAL)
    if (mobula_rank() /= mobula_size() - 1 - rank) error stop "another rank than the communicator's"
    call send_task()
    call mobula_shutdown()
    call MPI_Comm_free(reversed)
  end subroutine
end module

program with_comm
  use mpi
  use work
  use of_f08, only: cluster_of_reversed_ranks
  use check_that
  implicit none
  integer :: ierror, level, rank, size, sum
  call mobula_register("add", add)
  call MPI_Init_thread(MPI_THREAD_MULTIPLE, level, ierror)
  call MPI_Comm_rank(MPI_COMM_WORLD, rank, ierror)
  call MPI_Comm_size(MPI_COMM_WORLD, size, ierror)
  call mobula_init_with_comm(MPI_COMM_NULL, ierror)
  call failed(ierror, MOBULA_ERR_CONFIG, "mobula_init_with_comm: the communicator that was passed is MPI_COMM_NULL")
  call mobula_init_with_comm(MPI_COMM_WORLD, mobula_config(workers=1))
  call check(mobula_rank() == rank .and. mobula_size() == size, "rank and size are those of the communicator")
  call send_task()
  call MPI_Allreduce(1, sum, 1, MPI_INTEGER, MPI_SUM, MPI_COMM_WORLD, ierror)
  call check(sum == size, "a collective during the cluster")
  call mobula_shutdown()
  call cluster_of_reversed_ranks()
  call MPI_Allreduce(1, sum, 1, MPI_INTEGER, MPI_SUM, MPI_COMM_WORLD, ierror)
  call check(sum == size, "a collective after the clusters")
  call MPI_Finalize(ierror)
  call mobula_init_with_comm(MPI_COMM_WORLD, ierror)
  call failed(ierror, MOBULA_ERR_CONFIG, "MPI was already finalized")
  if (rank == 0) print "(a, i0, a)", "ok: Fortran with a communicator of ", size, " ranks"
end program
