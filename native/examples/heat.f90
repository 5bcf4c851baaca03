! heat: 2-D heat in a program of MPI, with the halo exchange by actors. heat_mpi.c is the same in plain MPI, and in C.
!
! Each rank has some columns of the plate, in several blocks. These are actors: they run in parallel on the threads of
! the rank, and other ranks can call them. In every step each block is given the last columns of its neighbours, as
! references: no thread waits for a column, and whichever block has both of them computes. The ranks agree on the
! largest change by MPI_Allreduce, as before.
!
!   mpifort -frecursive $(pkg-config --variable=fortran mobula) heat.f90 -o heat \
!       $(pkg-config --libs mobula) -lpthread
!   mpirun -n 4 ./heat
module plate
  use, intrinsic :: iso_fortran_env, only: real64
  implicit none
  integer, parameter :: ROWS = 48, COLUMNS = 64   ! of the plate, with its edge, whose temperature stays
  integer, parameter :: STEPS = 200               ! at most
  real(real64), parameter :: STEADY = 0.0015_real64 ! a step that changes less is the last
contains
  ! One step of columns of which the first is column `first` of the plate; returns the largest change. Before and after
  ! them, in `now`, are the columns of the neighbours.
  subroutine relax(now, next, first, change)
    real(real64), intent(in) :: now(:, 0:)
    real(real64), intent(inout) :: next(:, 0:)
    integer, intent(in) :: first
    real(real64), intent(out) :: change
    integer :: i, j, column
    next = now
    do j = 1, size(now, 2) - 2
      column = first + j - 1
      if (column == 1 .or. column == COLUMNS) cycle
      do i = 2, ROWS - 1
        next(i, j) = 0.25_real64 * (now(i, j - 1) + now(i, j + 1) + now(i - 1, j) + now(i + 1, j))
      end do
    end do
    change = maxval(abs(next(:, 1:size(now, 2) - 2) - now(:, 1:size(now, 2) - 2)))
  end subroutine

  ! Columns first to last at the beginning, with space for those before and after them: one edge is hot.
  subroutine begin(values, first, last)
    real(real64), allocatable, intent(out) :: values(:, :)
    integer, intent(in) :: first, last
    allocate(values(ROWS, 0:last - first + 2))
    values = 0
    if (first == 1) values(:, 1) = 1
  end subroutine

  ! If the plate is what one process computes in so many steps.
  logical function is_right(whole, num_steps)
    real(real64), intent(in) :: whole(:, :)
    integer, intent(in) :: num_steps
    real(real64), allocatable :: now(:, :), next(:, :)
    real(real64) :: change
    integer :: step
    call begin(now, 1, COLUMNS)
    next = now
    do step = 1, num_steps
      call relax(now, next, 1, change)
      now = next
    end do
    is_right = maxval(abs(whole - now(:, 1:COLUMNS))) < 1e-12_real64
  end function
end module

! A block: what was the state of a rank.
module blocks
  use mobula
  use plate
  implicit none
  integer, parameter :: LEFT = 1, RIGHT = 2
  type, extends(mobula_state) :: block_state
    integer :: first = 0, steps = 0               ! its first column; steps that it has made
    ! After `steps` steps; after one less, until the next step.
    real(real64), allocatable :: now(:, :), next(:, :)
  end type
contains
  subroutine block_new(call, state, ierror)
    type(mobula_call), intent(in) :: call
    class(mobula_state), pointer, intent(out) :: state
    integer, intent(out) :: ierror
    type(block_state), pointer :: made
    integer, pointer :: first, last
    nullify(state)
    call mobula_arg(call, 1, first, ierror)
    if (ierror /= 0) return
    call mobula_arg(call, 2, last, ierror)
    if (ierror /= 0) return
    allocate(made)
    made%first = first
    call begin(made%now, first, last)
    made%next = made%now
    state => made
  end subroutine

  ! The column at an end of the block after a step. A neighbour may ask when this block is a step further than itself,
  ! but no more: there is an MPI_Allreduce between.
  subroutine edge(call, state, ierror)
    type(mobula_call), intent(in) :: call
    class(mobula_state), intent(inout) :: state
    integer, intent(out) :: ierror
    integer, pointer :: which, step
    integer :: j
    call mobula_arg(call, 1, which, ierror)
    if (ierror /= 0) return
    call mobula_arg(call, 2, step, ierror)
    if (ierror /= 0) return
    select type (state)
    type is (block_state)
      j = 1
      if (which == RIGHT) j = ubound(state%now, 2) - 1
      if (step == state%steps) then
        call mobula_return(call, 1, state%now(:, j), ierror)
      else if (step == state%steps - 1) then
        call mobula_return(call, 1, state%next(:, j), ierror)
      else
        call mobula_fail(call, "edge: that step is over", ierror)
      end if
    end select
  end subroutine

  ! One step with the columns before and after, of which there are none at the edge of the plate; the largest change.
  subroutine make_step(call, state, ierror)
    type(mobula_call), intent(in) :: call
    class(mobula_state), intent(inout) :: state
    integer, intent(out) :: ierror
    real(real64), pointer :: before(:), after(:)
    real(real64), allocatable :: swap(:, :)
    real(real64) :: change
    call mobula_arg(call, 1, before, ierror=ierror)
    if (ierror /= 0) return
    call mobula_arg(call, 2, after, ierror=ierror)
    if (ierror /= 0) return
    select type (state)
    type is (block_state)
      if (size(before) > 0) state%now(:, 0) = before
      if (size(after) > 0) state%now(:, ubound(state%now, 2)) = after
      call relax(state%now, state%next, state%first, change)
      call move_alloc(state%now, swap)
      call move_alloc(state%next, state%now)
      call move_alloc(swap, state%next)
      state%steps = state%steps + 1
      call mobula_return(call, 1, change, ierror)
    end select
  end subroutine

  subroutine values_of(call, state, ierror)
    type(mobula_call), intent(in) :: call
    class(mobula_state), intent(inout) :: state
    integer, intent(out) :: ierror
    select type (state)
    type is (block_state)
      call mobula_return(call, 1, state%now(:, 1:ubound(state%now, 2) - 1), ierror)
    end select
  end subroutine
end module

program heat
  use blocks
  use mpi_f08
  implicit none
  integer, parameter :: BLOCKS_EACH = 2           ! of each rank: while one waits for a column, another computes
  type(mobula_actor) :: actors(0:BLOCKS_EACH + 1) ! this rank's, between those before and after
  type(mobula_ref) :: columns_of(2, BLOCKS_EACH), changed(BLOCKS_EACH), answer
  real(real64), allocatable :: own(:, :)
  real(real64), pointer :: values(:, :), one_change
  real(real64) :: whole(ROWS, COLUMNS), own_change, change
  integer, allocatable :: starts(:), counts(:)
  integer :: rank, num_ranks, level, step, i, begins
  logical :: is_wrong

  call mobula_register_actor("block", block_new, &
    [mobula_method("edge", edge), mobula_method("step", make_step), mobula_method("values", values_of)])
  call MPI_Init_thread(MPI_THREAD_MULTIPLE, level) ! less works, too: see the guide
  call MPI_Comm_rank(MPI_COMM_WORLD, rank)
  call MPI_Comm_size(MPI_COMM_WORLD, num_ranks)
  if (num_ranks * BLOCKS_EACH > COLUMNS) call MPI_Abort(MPI_COMM_WORLD, 2) ! a block has a column at least
  call mobula_init_with_comm(MPI_COMM_WORLD%MPI_VAL) ! each rank drives its own blocks, and serves the others

  do i = 1, BLOCKS_EACH
    call create(actors(i), rank * BLOCKS_EACH + i - 1)
  end do
  call MPI_Barrier(MPI_COMM_WORLD)                ! all blocks are there
  if (rank > 0) call mobula_actor_find(name_of(rank * BLOCKS_EACH - 1), actors(0))
  if (rank + 1 < num_ranks) call mobula_actor_find(name_of((rank + 1) * BLOCKS_EACH), actors(BLOCKS_EACH + 1))

  change = 1
  step = 0
  do while (step < STEPS .and. change > STEADY)
    do i = 1, BLOCKS_EACH
      call get_edge(columns_of(1, i), rank * BLOCKS_EACH + i - 2, actors(i - 1), RIGHT)
      call get_edge(columns_of(2, i), rank * BLOCKS_EACH + i, actors(i + 1), LEFT)
    end do
    do i = 1, BLOCKS_EACH                         ! runs when its two columns are there
      call mobula_actor_call(actors(i), "step", [mobula_by_ref(columns_of(1, i)), mobula_by_ref(columns_of(2, i))], &
        changed(i))
    end do
    own_change = 0
    do i = 1, BLOCKS_EACH
      call mobula_get(changed(i), one_change)
      own_change = max(own_change, one_change)
      call mobula_release(one_change)
    end do
    call MPI_Allreduce(own_change, change, 1, MPI_DOUBLE_PRECISION, MPI_MAX, MPI_COMM_WORLD)
    step = step + 1
  end do

  begins = first_of(rank * BLOCKS_EACH)
  allocate(own(ROWS, begins:first_of((rank + 1) * BLOCKS_EACH) - 1))
  do i = 1, BLOCKS_EACH
    call mobula_actor_call(actors(i), "values", answer)
    call mobula_get(answer, values)
    begins = first_of(rank * BLOCKS_EACH + i - 1)
    own(:, begins:begins + size(values, 2) - 1) = values
    call mobula_release(values)
  end do
  allocate(starts(num_ranks), counts(num_ranks))
  do i = 1, num_ranks
    starts(i) = (first_of((i - 1) * BLOCKS_EACH) - 1) * ROWS
    counts(i) = (first_of(i * BLOCKS_EACH) - 1) * ROWS - starts(i)
  end do
  call MPI_Gatherv(own, size(own), MPI_DOUBLE_PRECISION, whole, counts, starts, MPI_DOUBLE_PRECISION, 0, MPI_COMM_WORLD)
  call mobula_shutdown()                          ! all ranks together, and before MPI_Finalize
  is_wrong = .false.
  if (rank == 0) is_wrong = .not. is_right(whole, step)
  if (rank == 0 .and. .not. is_wrong) &
    print "(a, i0, a, i0, a, f8.6)", "ok: ", step, " steps on ", num_ranks, " ranks, the last changed ", change
  call MPI_Finalize()
  if (is_wrong) error stop "heat: this is not what one process computes"

contains

  function name_of(number)
    integer, intent(in) :: number
    character(len=:), allocatable :: name_of
    character(len=40) :: text
    write (text, "(a, i0)") "block ", number
    name_of = trim(text)
  end function

  ! The first column of a block.
  integer function first_of(number)
    integer, intent(in) :: number
    first_of = number * COLUMNS / (num_ranks * BLOCKS_EACH) + 1
  end function

  subroutine create(actor, number)
    type(mobula_actor), intent(inout) :: actor
    integer, intent(in) :: number
    type(mobula_options) :: options
    type(mobula_actor) :: found
    options%placement = MOBULA_PLACE_RANK
    options%rank = rank
    options%name = name_of(number)
    call mobula_actor_create("block", [mobula_value(first_of(number)), mobula_value(first_of(number + 1) - 1)], actor, &
      options)
    call mobula_actor_find(options%name, found)   ! then every rank finds it
  end subroutine

  ! The column at an end of that block, which is `actor`; an empty one beyond the plate.
  subroutine get_edge(column, number, actor, which)
    type(mobula_ref), intent(inout) :: column
    integer, intent(in) :: number, which
    type(mobula_actor), intent(in) :: actor
    if (number < 0 .or. number == num_ranks * BLOCKS_EACH) then
      call mobula_put([real(real64) ::], column)
    else
      call mobula_actor_call(actor, "edge", [mobula_value(which), mobula_value(step)], column)
    end if
  end subroutine
end program
