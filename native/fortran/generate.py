#!/usr/bin/env python3
"""Writes the parts of mobula.f90 that are the same for each type and rank: run it after a change to them."""

import pathlib
import re
import textwrap

TYPES = [
    ("i8", "integer(int8)"),
    ("i16", "integer(int16)"),
    ("i32", "integer(int32)"),
    ("i64", "integer(int64)"),
    ("f32", "real(real32)"),
    ("f64", "real(real64)"),
    ("c64", "complex(real32)"),
    ("c128", "complex(real64)"),
]
RANKS = range(8)
MAX_METHODS = 32

PUT = """\
  recursive subroutine put_{name}(array, ref, ierror)
    {type}, target, {contiguous}intent(in) :: array{colons}
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    {address_of_array}
    call put(address, shape(array, kind=int64), {element}, ref, ierror)
  end subroutine
"""
GET = """\
  recursive subroutine get_{name}{suffix}(ref, values{last_shape}{last_timeout}, ierror)
    type(mobula_ref), intent(in) :: ref
    {type}, pointer, intent(out) :: values{colons}
    {declare_shape}{declare_timeout}integer, intent(out), optional :: ierror
    integer(int64) :: extents({rank})
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call get(ref, {element}, extents, address, status{last_keyword_shape}{last_keyword_timeout})
    if (status == MOBULA_OK) call c_f_pointer(address, values{extents})
    call report(status, ierror)
  end subroutine
"""
RELEASE = """\
  recursive subroutine release_{name}(values, ierror)
    {type}, pointer, intent(inout) :: values{colons}
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    {address_of_values}
    call release(address, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine
"""
VALUE = """\
  recursive function value_{name}(array) result(argument)
    {type}, target, {contiguous}intent(in) :: array{colons}
    type(mobula_arg_value) :: argument
    type(c_ptr) :: address
    {address_of_array}
    argument = array_value(address, shape(array, kind=int64), {element})
  end function
"""
SCALAR_VALUE = """\
  recursive function value_{name}(scalar) result(argument)
    {type}, intent(in) :: scalar
    type(mobula_arg_value) :: argument
    argument = scalar_value(transfer(scalar, [0_int8]), {element})
  end function
"""
ARG = """\
  recursive subroutine arg_{name}{suffix}(call, index, values{last_shape}, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    {type}, pointer, intent(out) :: values{colons}
    {declare_shape}integer, intent(out), optional :: ierror
    integer(int64) :: extents({rank})
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call view_argument(call, index, {element}, extents, address, status{last_keyword_shape})
    if (status == MOBULA_OK) call c_f_pointer(address, values{extents})
    call report(status, ierror)
  end subroutine
"""
RETURN = """\
  recursive subroutine return_{name}(call, index, array, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    {type}, target, {contiguous}intent(in) :: array{colons}
    integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    {address_of_array}
    call set_result(call, index, address, shape(array, kind=int64), {element}, ierror)
  end subroutine
"""
RETURN_CREATE = """\
  recursive subroutine return_create_{name}{suffix}(call, index, values{last_given}, ierror)
    type(mobula_call), intent(in) :: call
    integer, intent(in) :: index
    {type}, pointer, intent(out) :: values{colons}
    {declare_given}integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_result(call, index, {given}, {element}, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values{given_extents})
    call report(status, ierror)
  end subroutine
"""
CREATE = """\
  recursive subroutine create_{name}{suffix}(values{last_given}, ierror)
    {type}, pointer, intent(out) :: values{colons}
    {declare_given}integer, intent(out), optional :: ierror
    type(c_ptr) :: address
    integer :: status
    nullify(values)
    call create_buffer({given}, {element}, address, status)
    if (status == MOBULA_OK) call c_f_pointer(address, values{given_extents})
    call report(status, ierror)
  end subroutine
"""
SEAL = """\
  recursive subroutine seal_{name}(values, ref, ierror)
    {type}, pointer, intent(inout) :: values{colons}
    type(mobula_ref), target, intent(inout) :: ref
    integer, intent(out), optional :: ierror
    integer(int64) :: extents({rank})
    type(c_ptr) :: address
    integer :: status
    address = c_null_ptr
    extents = 0
    if (associated(values)) extents = shape(values, kind=int64)
    {address_of_values}
    call seal(associated(values), address, extents, {element}, ref, status)
    if (status == MOBULA_OK) nullify(values)
    call report(status, ierror)
  end subroutine
"""
DISCARD = RELEASE.replace("release", "discard")
ASSIGN = """\
  recursive subroutine assign_{kind}s_{rank}(to, from)
    type(mobula_{kind}), target, intent(inout) :: to({colons})
    type(mobula_{kind}), intent(in) :: from({colons})
    type(mobula_{kind}) :: copies({sizes})
    integer :: i
    call same_shape(all(shape(to) == shape(from)))
    do i = 1, size(from, {rank})
      copies({last}) = from({last})
    end do
    do i = 1, size(to, {rank})
      to({last}) = copies({last})
    end do
  end subroutine
"""
GENERICS = [
    ("mobula_put", "put", "Creates an object: call mobula_put(array, ref, ierror). One copy."),
    ("mobula_create", "create",
     "Memory of the store for an object, to be written in place: call mobula_create(values, extents, ierror).\n"
     "  ! extents: the number of elements for rank 1, an array of extents above, left out for a scalar."),
    ("mobula_seal", "seal",
     "Makes it an object, without a copy: call mobula_seal(values, ref, ierror). The pointer is null from here."),
    ("mobula_discard", "discard", "Or gives the memory back: call mobula_discard(values, ierror)."),
    ("mobula_get", "get",
     "Waits for an object, and associates a pointer without a copy: call mobula_get(ref, values, ierror),\n"
     "  ! mobula_get(ref, values, timeout, ierror), or mobula_get(ref, values, shape, ierror)."),
    ("mobula_release", "release",
     "Ends what mobula_get began, for a pointer as it associated it: call mobula_release(values, ierror)."),
    ("mobula_value", "value", "A scalar or an array as an argument, by value. An array is for one call."),
    ("mobula_arg", "arg",
     "Associates a pointer with an argument: call mobula_arg(call, index, values, ierror), or\n"
     "  ! mobula_arg(call, index, values, shape, ierror)."),
    ("mobula_return", "return", "Sets a result: call mobula_return(call, index, array, ierror). One copy."),
    ("mobula_return_create", "return_create",
     "A result to be written in place: call mobula_return_create(call, index, values, extents, ierror).\n"
     "  ! extents: as of mobula_create."),
]


def specific(template, name, type_, rank, suffix=""):
    """One procedure. Its suffix says of which form: with a shape, with a time-out, with a wide number of elements."""
    is_scalar = rank == 0
    address = "c_null_ptr\n    if (size(array) > 0) address = c_loc(array)"
    has_values = "if (associated(values)) then\n      if (size(values) > 0) address = c_loc(values)\n    end if"
    count = f"integer({'int64' if suffix == '_wide' else 'int32'}), intent(in) :: extents\n    "
    with_shape, with_timeout = suffix == "_shape", suffix == "_timeout"
    return template.format(
        name=f"{name}_{rank}",
        type=type_,
        element=name.upper(),
        rank=rank,
        suffix=suffix,
        contiguous="" if is_scalar else "contiguous, ",
        colons="" if is_scalar else "(" + ", ".join([":"] * rank) + ")",
        address_of_array="address = " + ("c_loc(array)" if is_scalar else address),
        address_of_values="if (associated(values)) address = c_loc(values)" if is_scalar else has_values,
        last_shape=", shape" if with_shape else "",
        last_keyword_shape=", wanted=shape" if with_shape else "",
        declare_shape="integer, intent(in) :: shape(:)\n    " if with_shape else "",
        last_timeout=", timeout" if with_timeout else "",
        last_keyword_timeout=", timeout=timeout" if with_timeout else "",
        declare_timeout="real(real64), intent(in) :: timeout\n    " if with_timeout else "",
        extents="" if is_scalar else ", extents",
        last_given="" if is_scalar else ", extents",
        given={0: "[integer(int64) ::]", 1: "[int(extents, int64)]"}.get(rank, "int(extents, int64)"),
        given_extents={0: "", 1: ", [extents]"}.get(rank, ", extents"),
        declare_given={0: "", 1: count}.get(rank, f"integer, intent(in) :: extents({rank})\n    "),
    )


def forms(short, rank):
    """The suffixes of the procedures of a generic: no optional argument is before ierror."""
    if short == "get":
        return ["", "_timeout"] if rank == 0 else ["", "_shape", "_timeout"]
    if short == "arg" and rank > 0:
        return ["", "_shape"]
    return ["", "_wide"] if "create" in short and rank == 1 else [""]


def procedures():
    """The procedures of all types and ranks, and the interfaces that name them."""
    bodies, names = [], {generic: [] for generic, _, _ in GENERICS}
    templates = {"put": PUT, "get": GET, "release": RELEASE, "arg": ARG, "return": RETURN,
                 "return_create": RETURN_CREATE, "create": CREATE, "seal": SEAL, "discard": DISCARD}
    for generic, short, _ in GENERICS:
        for name, type_ in TYPES:
            for rank in RANKS:
                template = templates.get(short) or (SCALAR_VALUE if rank == 0 else VALUE)
                for suffix in forms(short, rank):
                    bodies.append(specific(template, name, type_, rank, suffix))
                    names[generic].append(f"{short}_{name}_{rank}{suffix}")
    interfaces = []
    for generic, _, comment in GENERICS:
        listed = " &\n      ".join(textwrap.wrap(", ".join(names[generic]), 96))
        interfaces.append(f"  ! {comment}\n  interface {generic}\n    module procedure {listed}\n  end interface\n")
    return "\n".join(interfaces), "\n".join(bodies)


def assignments():
    """Assignments of arrays of handles, of rank 1 to 3: a bound assignment is one of scalars."""
    bodies = [
        ASSIGN.format(
            kind=kind,
            rank=rank,
            colons=", ".join([":"] * rank),
            sizes=", ".join(f"size(from, {i})" for i in range(1, rank + 1)),
            last=", ".join([":"] * (rank - 1) + ["i"]),
        )
        for kind in ["ref", "actor"]
        for rank in [1, 2, 3]
    ]
    return "\n".join(bodies)


def methods():
    """The functions that C calls as methods: C tells them no more than the state, so each index has its own."""
    parts = []
    for kind, flag in [("plain", ".false."), ("shaped", ".true.")]:
        cases = "\n".join(
            f"    case ({i})\n      function = c_funloc({kind}_{i})" for i in range(1, MAX_METHODS + 1))
        parts.append(f"""\
  function {kind}_method(index) result(function)
    integer, intent(in) :: index
    type(c_funptr) :: function
    select case (index)
{cases}
    case default
      function = c_null_funptr
    end select
  end function
""")
        for i in range(1, MAX_METHODS + 1):
            parts.append(f"""\
  recursive function {kind}_{i}(handle, state) bind(C, name="") result(status)
    type(c_ptr), value :: handle, state
    integer(c_int32_t) :: status
    status = run_method(handle, state, {i}, {flag})
  end function
""")
    return "\n".join(parts)


def main():
    path = pathlib.Path(__file__).with_name("mobula.f90")
    text = path.read_text()
    interfaces, bodies = procedures()
    for part, content in [("generics", interfaces), ("types and ranks", bodies), ("methods", methods()),
                          ("assignments", assignments())]:
        pattern = f"(  ! generated: {part}\n).*?(  ! end of generated\n)"
        text, found = re.subn(pattern, lambda match: match[1] + content + match[2], text, flags=re.S)
        assert found == 1, part
    path.write_text(text)


if __name__ == "__main__":
    main()
