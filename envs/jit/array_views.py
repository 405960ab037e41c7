"""Rows of arrays without a reference count, for inner loops.

Numba counts references of every slice that a loop hands to a kernel, with atomic instructions:
three slices per copy cost more than the auction itself (176 against 34 ns a step at 4,096 copies,
`python -m benchmarks.engine --rows`). `row(a, i)` is `a[i]` and `borrow(a)` is `a`, but as views
that keep no reference to the memory; they are valid only while the caller holds the array.

In plain Python `row` and `borrow` are the functions below. In compiled code Numba replaces them,
through `overload`, by the intrinsics further down, which build the view in LLVM.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba.core import cgutils, types
from numba.extending import intrinsic, overload
from numba.np.arrayobj import make_array, populate_array
from numpy.typing import NDArray

from tacit.envs.types import Ints

from .decorators import kernel


def row(array: Any, index: Any) -> Any:
    """`array[index]` of a C-contiguous array `[N, ...]`: a view `[...]` without a reference."""
    return array[index]


def borrow(value: Any) -> Any:
    """An array `[...]`, or a tuple of arrays, as views without references."""
    return value


def _view(context: Any, builder: Any, kind: Any, value: Any, result: Any, index: Any) -> Any:
    """LLVM code of a view of array `value`, or of its row `index` unless that is None.

    Args:
        context: Numba's target context.
        builder: LLVM's instruction builder.
        kind: the Numba type of the array.
        value: the LLVM value of the array.
        result: the Numba type of the view.
        index: the LLVM value of an index along the first axis, or None.
    """
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
    # Without `meminfo` the view owns no memory, so Numba emits no reference counts for it.
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
    """An index that is known not to be negative.

    A signed index costs a test, because Python counts negative ones from the end.
    """
    return np.uint64(index)


# --- one call with one argument ---------------------------------------------------------------


def bind(arrays: Sequence[NDArray[Any]]) -> Ints:
    """Addresses and shapes of arrays in one int64 array `[4 * arrays]`, for `pointer`.

    Every array that Python hands to a compiled function costs time: fifteen take two microseconds,
    more than a round of one copy. The caller must keep the arrays alive and never replace them.

    Args:
        arrays: C-contiguous, with one to three axes.

    Returns:
        Four words for each array: its address and three sizes, 1 for axes that it lacks.

    Raises:
        ValueError: an array is not C-contiguous.
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
