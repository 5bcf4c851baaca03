! Objects: handles, shapes, sections, arrays without elements, what is refused. Every type and rank is tested elsewhere.
module holders
  use mobula
  implicit none
  type :: holder
    type(mobula_ref) :: inner
  end type
contains
  subroutine make(value, ref)
    integer, intent(in) :: value
    type(mobula_ref), intent(inout) :: ref
    call mobula_put(value, ref)
  end subroutine
end module

program objects
  use mobula
  use check_that
  use holders
  use, intrinsic :: iso_fortran_env
  implicit none
  type(mobula_config) :: config
  config%num_cpus = 2
  config%resources = "Custom=2,Licence=1"
  config%store_bytes = 64 * 1024 * 1024
  call check(.not. mobula_is_initialized(), "no cluster yet")
  call mobula_init(config)
  if (mobula_rank() /= 0) then
    call mobula_serve()
    stop
  end if
  call check(mobula_is_initialized(), "a cluster runs")
  call check(mobula_size() >= 1, "it has ranks")
  call check(mobula_resource_total("Custom") >= 2.0_real64, "a resource of the configuration")
  call check(mobula_resource_available("Other") <= 0.0_real64, "a resource that nobody has")
  call in_place()
  call written_in_place()
  call sections()
  call without_elements()
  call handles()
  call refused()
  call waited_for()
  call mobula_shutdown()
  print "(a)", "ok: objects of Fortran"

contains

  subroutine in_place()
    real(real64) :: matrix(3, 4)
    real(real64), pointer :: one(:, :), other(:, :), flat(:)
    type(mobula_ref) :: ref
    integer :: i
    matrix = reshape([(real(i, real64), i = 1, 12)], [3, 4])
    call mobula_put(matrix, ref)
    call mobula_get(ref, one)
    call mobula_get(ref, other)
    call check(all(shape(one) == [3, 4]) .and. all(abs(one - matrix) <= 0), "shape and order are kept")
    call check(associated(one, other), "two views of an object are the same memory")
    call mobula_get(ref, flat, shape=[12])
    call check(all(abs(flat - [(real(i, real64), i = 1, 12)]) <= 0), "a shape that is asked for")
    call mobula_free(ref)
    call mobula_release(other)
    call check(.not. associated(other), "a released pointer is null")
    call check(abs(one(3, 4) - 12) <= 0, "the other view keeps the bytes")
    call mobula_release(one)
    call mobula_release(flat)
  end subroutine

  subroutine written_in_place()
    integer(int64), pointer :: cube(:, :, :), part(:, :, :), read_only(:, :, :), scalar, none(:)
    type(mobula_ref) :: ref
    integer :: i, ierror
    call mobula_create(cube, [2, 3, 4])
    cube = reshape([(int(i, int64), i = 1, 24)], [2, 3, 4])
    part => cube(:, :, 1:2)
    call mobula_seal(part, ref, ierror)
    call failed(ierror, MOBULA_ERR_INVALID_ARGUMENT, "the pointer is to a part")
    call mobula_seal(cube, ref)
    call check(.not. associated(cube), "a sealed pointer is null")
    call mobula_seal(cube, ref, ierror)
    call failed(ierror, MOBULA_ERR_INVALID_ARGUMENT, "mobula_create did not associate this pointer")
    call mobula_get(ref, read_only)
    call check(all(shape(read_only) == [2, 3, 4]) .and. read_only(2, 3, 4) == 24, "what was written in place")
    call mobula_seal(read_only, ref, ierror)
    call failed(ierror, MOBULA_ERR_INVALID_ARGUMENT, "mobula_create did not associate this pointer")
    call mobula_discard(read_only, ierror)
    call failed(ierror, MOBULA_ERR_INVALID_ARGUMENT, "mobula_discard: mobula_create did not associate this pointer")
    call mobula_release(read_only)
    call mobula_create(scalar)
    scalar = 7
    call mobula_seal(scalar, ref)
    call mobula_get(ref, scalar)
    call check(scalar == 7, "a scalar that was written in place")
    call mobula_release(scalar)
    call mobula_create(none, 0_int64)
    call mobula_seal(none, ref)
    call mobula_get(ref, none)
    call check(size(none) == 0, "no elements, written in place")
    call mobula_create(none, 1000)
    call mobula_discard(none)
    call mobula_create(none, -1, ierror)
    call failed(ierror, MOBULA_ERR_INVALID_ARGUMENT, "mobula_create: an extent is below 0")
  end subroutine

  subroutine sections()
    integer :: numbers(4, 6), i
    integer, pointer :: values(:, :)
    type(mobula_ref) :: ref
    numbers = reshape([(i, i = 1, 24)], [4, 6])
    call mobula_put(numbers(2:4:2, 1:6:3), ref)
    call mobula_get(ref, values)
    call check(all(shape(values) == [2, 2]) .and. all(values == numbers(2:4:2, 1:6:3)), "a section")
    call mobula_release(values)
  end subroutine

  subroutine without_elements()
    real(real32) :: nothing(0, 5)
    real(real32), pointer :: values(:, :)
    type(mobula_ref) :: ref
    call mobula_put(nothing, ref)
    call mobula_get(ref, values)
    call check(all(shape(values) == [0, 5]), "an array without elements keeps its shape")
    call mobula_release(values)
  end subroutine

  subroutine handles()
    type(mobula_ref) :: a, b, grid(2, 3)
    type(mobula_ref), allocatable :: many(:)
    type(holder) :: one, other
    integer, pointer :: value
    integer :: i
    call make(7, a)
    b = a
    a = a
    call mobula_free(a)
    call mobula_get(b, value)
    call check(value == 7, "an assigned handle is one more")
    call mobula_release(value)
    allocate(many(10))
    do i = 1, 10
      call make(i, many(i))
    end do
    many(2:10) = many(1:9)
    many(1) = b
    grid(:, 1) = many(1:2)
    grid(:, 2:3) = grid(:, 1:2)
    grid(1:1, 1:2) = grid(2:2, 1:2)
    do i = 2, 10
      call mobula_get(many(i), value)
      call check(value == i - 1, "handles in an array that are moved")
      call mobula_release(value)
    end do
    deallocate(many)
    call mobula_get(grid(2, 2), value)
    call check(value == 1, "handles in a matrix")
    call mobula_release(value)
    one%inner = b
    other = one
    call mobula_free(one%inner)
    call mobula_get(other%inner, value)
    call check(value == 7, "a handle in another type is assigned")
    call mobula_release(value)
  end subroutine

  subroutine refused()
    real(real64) :: matrix(2, 3)
    real(real64), pointer :: values(:), cube(:, :, :), scalar, moved(:, :)
    integer, pointer :: whole(:, :)
    type(mobula_ref) :: ref, none
    integer :: ierror
    matrix = 1
    call mobula_put(matrix, ref, ierror)
    call check(ierror == MOBULA_OK, "no error")
    call mobula_get(ref, whole, ierror=ierror)
    call failed(ierror, MOBULA_ERR_TYPE, "elements of the type f64, and i32 was asked for")
    call mobula_get(ref, values, ierror=ierror)
    call failed(ierror, MOBULA_ERR_TYPE, "the object has 6 elements and rank 2, and rank 1 was asked for")
    call check(.not. associated(values), "after a failure the pointer is null")
    call mobula_get(ref, cube, shape=[2, 3, 2], ierror=ierror)
    call failed(ierror, MOBULA_ERR_TYPE, "6 elements and rank 2, which is not the given shape")
    call mobula_get(ref, scalar, ierror=ierror)
    call failed(ierror, MOBULA_ERR_TYPE, "and a scalar was asked for")
    call mobula_get(none, values, 1.0_real64, ierror)
    call failed(ierror, MOBULA_ERR_INVALID_ARGUMENT, "mobula_get: ref is NULL")
    call mobula_get(ref, moved)
    cube(1:1, 1:1, 1:1) => array_of_the_program()
    call mobula_release(cube, ierror)
    call failed(ierror, MOBULA_ERR_INVALID_ARGUMENT, "mobula_get did not associate this pointer")
    call mobula_release(moved, ierror)
    call check(ierror == MOBULA_OK .and. .not. associated(moved), "released")
    call mobula_release(moved, ierror)
    call check(ierror == MOBULA_OK, "a null pointer may be released")
    call mobula_init(ierror)
    call failed(ierror, MOBULA_ERR_CONFIG, "mobula_init")
    call check(mobula_status_name(ierror) == "MOBULA_ERR_CONFIG", "the status has a name")
  end subroutine

  function array_of_the_program() result(pointer_to_it)
    real(real64), target, save :: own(1) = 1
    real(real64), pointer :: pointer_to_it(:)
    pointer_to_it => own
  end function

  subroutine waited_for()
    type(mobula_ref) :: refs(3)
    logical :: ready(3), short(2)
    integer :: num_ready, ierror
    call make(1, refs(1))
    call make(2, refs(2))
    call make(3, refs(3))
    call mobula_wait(refs, ready=ready, num_ready=num_ready)
    call check(all(ready) .and. num_ready == 3, "all are ready")
    call mobula_wait(refs, 1, 10.0_real64)
    call mobula_wait(refs, ready=short, ierror=ierror)
    call failed(ierror, MOBULA_ERR_INVALID_ARGUMENT, "ready has not as many elements as refs")
    call mobula_wait(refs, 4, ierror=ierror)
    call failed(ierror, MOBULA_ERR_INVALID_ARGUMENT, "num_returns is 4")
    call mobula_cancel(refs(1))
  end subroutine
end program
