! Tasks: shapes of arguments and results, by value and by reference, several results, options, failures, on every rank.
module the_tasks
  use mobula
  use, intrinsic :: iso_fortran_env
  implicit none
contains
  subroutine saxpy(call, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(out) :: ierror
    real(real64), pointer :: a, x(:), y(:)
    call mobula_arg(call, 1, a, ierror)
    if (ierror /= 0) return
    call mobula_arg(call, 2, x, ierror)
    if (ierror /= 0) return
    call mobula_return_create(call, 1, y, size(x), ierror)
    if (ierror /= 0) return
    y = a * x
  end subroutine

  ! Two results: the transposed matrix, and its trace. It declares no intents.
  subroutine transposed(call, ierror)
    type(mobula_call) :: call
    integer :: ierror
    real(real64), pointer :: matrix(:, :), result(:, :)
    integer :: i
    call mobula_arg(call, 1, matrix, ierror=ierror)
    if (ierror /= 0) return
    call mobula_return_create(call, 1, result, [size(matrix, 2), size(matrix, 1)], ierror)
    if (ierror /= 0) return
    result = transpose(matrix)
    call mobula_return(call, 2, sum([(matrix(i, i), i = 1, minval(shape(matrix)))]), ierror)
  end subroutine

  ! The shape of a cube of numbers, and how many arguments there are.
  subroutine shape_of_cube(call, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(out) :: ierror
    integer(int32), pointer :: cube(:, :, :)
    integer :: count
    call mobula_arg_count(call, count, ierror)
    if (ierror /= 0) return
    call mobula_arg(call, 2, cube, ierror=ierror)
    if (ierror /= 0) return
    call mobula_return(call, 1, [shape(cube), count], ierror)
  end subroutine

  subroutine where_it_runs(call, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(out) :: ierror
    call mobula_return(call, 1, mobula_rank(), ierror)
  end subroutine

  ! Gets a reference, and waits for it by itself: the sum of its matrix. Submits a task, too.
  subroutine sum_of_reference(call, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(out) :: ierror
    type(mobula_ref) :: ref, turned(2)
    real(real64), pointer :: matrix(:, :), other(:, :)
    call mobula_arg_ref(call, 1, ref, ierror)
    if (ierror /= 0) return
    call mobula_get(ref, matrix, ierror=ierror)
    if (ierror /= 0) return
    call mobula_submit("transposed", [mobula_by_ref(ref)], turned, ierror=ierror)
    if (ierror /= 0) return
    call mobula_get(turned(1), other, ierror=ierror)
    if (ierror /= 0) return
    call mobula_return(call, 1, [sum(matrix), real(size(other, 1), real64)], ierror)
    call mobula_release(matrix)
    call mobula_release(other)
  end subroutine

  ! Hands an object on as its result.
  subroutine handed_on(call, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(out) :: ierror
    type(mobula_ref) :: ref
    call mobula_arg_ref(call, 1, ref, ierror)
    if (ierror == 0) call mobula_return_ref(call, 1, ref, ierror)
  end subroutine

  subroutine failing(call, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(out) :: ierror
    integer, pointer :: how, wrong(:, :)
    type(mobula_ref) :: ref
    type(mobula_actor) :: actor
    call mobula_arg(call, 1, how, ierror)
    if (ierror /= 0) return
    select case (how)
    case (1)
      call mobula_fail(call, "the matrix is singular", ierror)
    case (2)
      ierror = -7
    case (3)
      call mobula_arg(call, 1, wrong, ierror=ierror)
    case (4)
      call mobula_arg(call, 2, wrong, ierror=ierror)
    case (5)
      call mobula_return(call, 2, how, ierror)
    case (6)
      call mobula_arg(call, 1, wrong, ierror=ierror)
      call mobula_return(call, 1, how, ierror) ! it goes on
    case (7)
      ierror = MOBULA_ERR_TYPE
      call mobula_set_last_error(ierror, "the mesh has triangles")
    case (8)
      ierror = -17
      call mobula_set_last_error(ierror, "the mesh is empty")
    case (9)
      call mobula_arg_ref(call, 1, ref, ierror)
    case (10)
      call mobula_arg_actor(call, 1, actor, ierror)
    end select
  end subroutine
end module

program tasks
  use mobula
  use check_that
  use the_tasks
  implicit none
  integer :: ierror, rank
  call mobula_register("saxpy", saxpy)
  call mobula_register("transposed", transposed, 2)
  call mobula_register("shape of cube", shape_of_cube)
  call mobula_register("where", where_it_runs)
  call mobula_register("sum of reference", sum_of_reference)
  call mobula_register("handed on", handed_on)
  call mobula_register("failing", failing, num_returns=1)
  call mobula_register("saxpy", saxpy, ierror=ierror)
  call failed(ierror, MOBULA_ERR_CONFIG, "a function named saxpy is registered already")
  call mobula_init()
  if (mobula_rank() /= 0) then
    call mobula_serve()
    stop
  end if
  do rank = 0, mobula_size() - 1
    call vectors(rank)
    call matrices(rank)
    call references(rank)
    call failures(rank)
  end do
  call many()
  call mobula_shutdown()
  print "(a)", "ok: tasks of Fortran"

contains

  function on(rank) result(options)
    integer, intent(in) :: rank
    type(mobula_options) :: options
    options%placement = MOBULA_PLACE_RANK
    options%rank = rank
  end function

  subroutine vectors(rank)
    integer, intent(in) :: rank
    real(real64), target :: array(1000)
    real(real64), pointer :: values(:)
    integer, pointer :: found
    type(mobula_ref) :: x, y
    integer :: i
    array = [(real(i, real64), i = 1, 1000)]
    call mobula_put(array, x)
    call mobula_submit("saxpy", [mobula_value(2.0_real64), mobula_by_ref(x)], y, on(rank))
    call mobula_submit("saxpy", [mobula_value(0.5_real64), mobula_by_ref(y)], x, on(rank))
    call mobula_get(y, values)
    call check(all(abs(values - 2 * array) <= 0), "saxpy of an object")
    call mobula_release(values)
    call mobula_get(x, values)
    call check(all(abs(values - array) <= 0), "saxpy of a result that was to come")
    call mobula_release(values)
    call mobula_submit("saxpy", [mobula_value(3.0_real64), mobula_value(array(1:9:2))], y, on(rank))
    call mobula_get(y, values)
    call check(all(abs(values - 3 * array(1:9:2)) <= 0), "saxpy of a section by value")
    call mobula_release(values)
    call mobula_submit("where", y, on(rank))
    call mobula_get(y, found, 60.0_real64)
    call check(found == rank, "the task ran where it was placed")
    call mobula_release(found)
  end subroutine

  subroutine matrices(rank)
    integer, intent(in) :: rank
    real(real64) :: matrix(3, 50)
    real(real64), pointer :: turned(:, :), back(:, :), trace
    integer, pointer :: found(:)
    integer :: cube(2, 3, 4), i
    type(mobula_ref) :: x, first(2), second(2)
    matrix = reshape([(real(i, real64), i = 1, 150)], shape(matrix))
    call mobula_put(matrix, x)
    call mobula_submit("transposed", [mobula_by_ref(x)], first, on(rank))
    call mobula_submit("transposed", [mobula_by_ref(first(1))], second, on(mod(rank + 1, mobula_size())))
    call mobula_get(second(1), back)
    call check(all(shape(back) == [3, 50]) .and. all(abs(back - matrix) <= 0), "a shape that was to come")
    call mobula_release(back)
    call mobula_get(first(1), turned)
    call check(all(shape(turned) == [50, 3]) .and. all(abs(turned - transpose(matrix)) <= 0), "a result's shape")
    call mobula_release(turned)
    call mobula_get(first(2), trace)
    call check(abs(trace - (matrix(1, 1) + matrix(2, 2) + matrix(3, 3))) <= 0, "a scalar beside a matrix")
    call mobula_release(trace)
    call mobula_submit("transposed", [mobula_value(matrix)], first, on(rank))
    call mobula_get(first(1), turned)
    call check(all(shape(turned) == [50, 3]), "a matrix by value")
    call mobula_release(turned)
    cube = 1
    call mobula_submit("shape of cube", [mobula_value(0), mobula_value(cube), mobula_by_ref(first(1))], x, on(rank))
    call mobula_get(x, found)
    call check(all(found == [2, 3, 4, 3]), "a cube by value, and the number of arguments")
    call mobula_release(found)
  end subroutine

  subroutine references(rank)
    integer, intent(in) :: rank
    real(real64) :: matrix(4, 5)
    real(real64), pointer :: values(:), same(:, :)
    type(mobula_ref) :: x, y, pending(2)
    matrix = 1
    call mobula_put(matrix, x)
    call mobula_submit("sum of reference", [mobula_as_is(x)], y, on(rank))
    call mobula_get(y, values)
    call check(all(abs(values - [20, 5]) <= 0), "a reference as it is")
    call mobula_release(values)
    call mobula_submit("transposed", [mobula_by_ref(x)], pending)
    call mobula_submit("sum of reference", [mobula_as_is(pending(1))], y, on(rank))
    call mobula_get(y, values)
    call check(all(abs(values - [20, 4]) <= 0), "a reference to what is to come, as it is")
    call mobula_release(values)
    call mobula_submit("handed on", [mobula_as_is(pending(1))], y, on(rank))
    call mobula_get(y, same)
    call check(all(shape(same) == [5, 4]), "a result that is another's object keeps its shape")
    call mobula_release(same)
  end subroutine

  subroutine failures(rank)
    integer, intent(in) :: rank
    type(mobula_arg_value) :: args(1)
    type(mobula_ref) :: y
    integer, pointer :: value
    call fails(rank, 1, "the matrix is singular", MOBULA_ERR_TASK)
    call fails(rank, 2, "it returned the status -7", MOBULA_ERR_TASK)
    call fails(rank, 3, "mobula_arg: argument 1 has 1 elements, and rank 2 was asked for", MOBULA_ERR_TYPE)
    call fails(rank, 4, "it wants an argument 2, and got 1 arguments, counted from 1", MOBULA_ERR_TYPE)
    call fails(rank, 5, "mobula_return: the function has no result 2", MOBULA_ERR_TYPE)
    call fails(rank, 7, "the mesh has triangles", MOBULA_ERR_TYPE)
    call fails(rank, 8, "the mesh is empty (status -17)", MOBULA_ERR_TASK)
    call fails(rank, 9, "failing: mobula_arg_ref: argument 1: it wants a reference", MOBULA_ERR_TYPE)
    call fails(rank, 10, "failing: mobula_arg_actor: argument 1: it wants an actor", MOBULA_ERR_TYPE)
    call mobula_submit("failing", [mobula_value(6)], y, on(rank))
    call mobula_get(y, value)
    call check(value == 6, "a task goes on after a failure")
    call mobula_release(value)
    call mobula_submit("failing", [mobula_value(1.0_real64)], y, on(rank))
    call mobula_get(y, value, ierror)
    call failed(ierror, MOBULA_ERR_TYPE, &
      "mobula_get: failing: mobula_arg: argument 1: it wants MOBULA_I32, and got MOBULA_F64")
    args = [mobula_value([1, 2])]
    call mobula_submit("failing", args, y, on(rank))
    call mobula_get(y, value, ierror=ierror)
    call failed(ierror, MOBULA_ERR_TYPE, "argument 1 has 2 elements, and a scalar was asked for")
    call mobula_submit("failing", args, y, on(rank), ierror)
    call failed(ierror, MOBULA_ERR_INVALID_ARGUMENT, "args(1): an array by value is passed by one call")
    call mobula_submit("missing", y, ierror)
    call failed(ierror, MOBULA_ERR_UNKNOWN_FUNCTION, 'no function named "missing" is registered')
  end subroutine

  subroutine fails(rank, how, text, status)
    integer, intent(in) :: rank, how, status
    character(len=*), intent(in) :: text
    type(mobula_ref) :: y
    integer, pointer :: value
    call mobula_submit("failing", [mobula_value(how)], y, on(rank))
    call mobula_get(y, value, ierror=ierror)
    call failed(ierror, status, text)
  end subroutine

  subroutine many()
    type(mobula_ref) :: refs(200)
    type(mobula_options) :: options
    integer, pointer :: value
    integer :: i, num_ready, ranks
    ranks = mobula_size()
    options%placement = MOBULA_PLACE_SPREAD
    options%name = "a task with a name"
    do i = 1, size(refs)
      call mobula_submit("where", refs(i), options)
    end do
    call mobula_wait(refs, num_ready=num_ready)
    call check(num_ready == size(refs), "all have ended")
    do i = 1, size(refs)
      call mobula_get(refs(i), value)
      call check(value >= 0 .and. value < ranks, "a rank")
      call mobula_release(value)
    end do
    call mobula_submit("where")
    call mobula_submit("saxpy", [mobula_value(1.0_real64), mobula_value([1.0_real64])])
  end subroutine
end program
