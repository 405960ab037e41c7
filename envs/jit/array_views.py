"""Rows of arrays without a reference count, for inner loops.

Numba counts references of every slice that a loop hands to a kernel, with atomic instructions:
three slices per copy cost more than the auction itself (176 against 34 ns a step at 4,096 copies,
`python -m benchmarks.engine --rows`). `row(a, i)` is `a[i]` and `borrow(a)` is `a`, but as views
that own nothing; they are valid only while the caller holds the array.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba.core import cgutils, types
from numba.extending import intrinsic, overload
from numba.np.arrayobj import make_array, populate_array
from numpy.typing import NDArray

from .decorators import kernel


def row(array: Any, index: Any) -> Any:
    """`array[index]` along the first axis of a C-contiguous array, owned by nobody."""
    return array[index]


def borrow(value: Any) -> Any:
    """An array, or a tuple of arrays, owned by nobody."""
    return value


def _view(context: Any, builder: Any, kind: Any, value: Any, result: Any, index: Any) -> Any:
    source = make_array(kind)(context, builder, value)
    shape = cgutils.unpack_tuple(builder, source.shape)
    strides = cgutils.unpack_tuple(builder, source.strides)
    data = source.data
    if index is not None:
        raw = builder.bitcast(data, cgutils.voidptr_t)
        raw = builder.gep(raw, [builder.mul(index, strides[0])])
        data = builder.bitcast(raw, source.data.type)
        shape, strides = shape[1:], strides[1:]
    target = make_array(result)(context, builder)
    populate_array(
        target, data=data, shape=shape, strides=strides, itemsize=source.itemsize,
        meminfo=None, parent=None,
    )  # fmt: skip
    return target._getvalue()


@intrinsic  # type: ignore[untyped-decorator]
def _row(_typing: Any, array: Any, index: Any) -> Any:
    result = array.copy(ndim=array.ndim - 1)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _view(context, builder, signature.args[0], args[0], result, args[1])

    return result(array, types.intp), codegen


@intrinsic  # type: ignore[untyped-decorator]
def _borrow(_typing: Any, value: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = signature.args[0]
        if not isinstance(kind, types.BaseTuple):  # type: ignore[attr-defined]
            return _view(context, builder, kind, args[0], kind, None)
        fields = cgutils.unpack_tuple(builder, args[0])
        views = [
            _view(context, builder, k, field, k, None)
            for k, field in zip(kind.types, fields, strict=True)
        ]
        return context.make_tuple(builder, kind, views)

    return value(value), codegen


@overload(row)  # type: ignore[untyped-decorator]
def _row_compiled(array: Any, index: Any) -> Any:
    def compiled(array: Any, index: Any) -> Any:
        return _row(array, index)

    return compiled


@overload(borrow)  # type: ignore[untyped-decorator]
def _borrow_compiled(value: Any) -> Any:
    def compiled(value: Any) -> Any:
        return _borrow(value)

    return compiled


@kernel
def at(index: Any) -> Any:
    """An index known not to be negative: saves the test that every signed one costs."""
    return np.uint64(index)


# --- one call with one argument ---------------------------------------------------------------


def bind(arrays: Sequence[NDArray[Any]]) -> NDArray[np.int64]:
    """Addresses and shapes of C-contiguous arrays as one int64 array, for `at`.

    Handing a compiled function fifteen arrays costs two microseconds, more than a round of one
    copy. Who binds arrays must keep them alive and never replace them.
    """
    words: list[int] = []
    for array in arrays:
        if not array.flags.c_contiguous:
            raise ValueError("only C-contiguous arrays can be bound")
        words += [array.ctypes.data, *(*array.shape, 1, 1)[:3]]
    return np.array(words, np.int64)


@intrinsic  # type: ignore[untyped-decorator]
def pointer(_typing: Any, address: Any, like: Any) -> Any:
    """The int64 `address` as a pointer to items of dtype `like`, for `numba.carray`."""
    result = types.CPointer(like.dtype)  # type: ignore[attr-defined]

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], context.get_value_type(result))

    return result(address, like), codegen
