"""What Numba puts in place of `array_views.row`, `borrow` and `add_rows`: built in LLVM.

`decorators.py` imports this module before it compiles anything, and the hash in the name of every
generated loop includes it (`loops.py`).
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic, lower_builtin, overload, type_callable
from numba.np.arrayobj import make_array, populate_array

from .array_views import add_rows, borrow, row, unlikely


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


@type_callable(unlikely)  # type: ignore[untyped-decorator]
def _unlikely_type(_context: Any) -> Any:
    return lambda condition: types.boolean


@lower_builtin(unlikely, types.boolean)  # type: ignore[untyped-decorator]
def _unlikely(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
    """LLVM heeds it only in the function that branches, so it must not be a call of its own."""
    bit = ir.IntType(1)
    kind = ir.FunctionType(bit, [bit, bit])
    expect = cgutils.get_or_insert_function(builder.module, kind, "llvm.expect.i1")
    return builder.call(expect, [args[0], bit(0)])


@intrinsic  # type: ignore[untyped-decorator]
def pointer(_typing: Any, address: Any, like: Any) -> Any:
    """The int64 `address` as a pointer to items of dtype `like`, for `numba.carray`."""
    result = types.CPointer(like.dtype)  # type: ignore[attr-defined]

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], context.get_value_type(result))

    return result(address, like), codegen


@intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]
def _add_rows(_typing: Any, table: Any, chosen: Any, count: Any, sums: Any, lanes: Any) -> Any:
    width = lanes.literal_value

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        table, chosen, sums = (
            make_array(signature.args[i])(context, builder, args[i]) for i in (0, 1, 3)
        )
        vector = ir.VectorType(ir.DoubleType(), width)
        stride = cgutils.unpack_tuple(builder, table.strides)[0]
        first = builder.bitcast(table.data, cgutils.voidptr_t)
        target = builder.bitcast(sums.data, vector.as_pointer())
        kept = cgutils.alloca_once(builder, vector)  # LLVM makes a register of it
        # Rows begin at multiples of 8 bytes, not of a whole vector.
        builder.store(builder.load(target, align=8), kept)
        with cgutils.for_range(builder, args[2]) as loop:
            number = builder.load(builder.gep(chosen.data, [loop.index]))
            place = builder.gep(first, [builder.mul(number, stride)])
            row = builder.load(builder.bitcast(place, vector.as_pointer()), align=8)
            builder.store(builder.fadd(builder.load(kept), row), kept)
        builder.store(builder.load(kept), target, align=8)
        return context.get_dummy_value()

    return types.void(table, chosen, types.intp, sums, lanes), codegen


@overload(add_rows, prefer_literal=True)  # type: ignore[untyped-decorator]
def _add_rows_compiled(table: Any, chosen: Any, count: Any, sums: Any, lanes: Any) -> Any:
    def compiled(table: Any, chosen: Any, count: Any, sums: Any, lanes: Any) -> Any:
        _add_rows(table, chosen, count, sums, lanes)

    return compiled
