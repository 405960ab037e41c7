"""A count and a sum that lie side by side, moved in one step by LLVM's vectors."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from tacit.agents.neural.simd.tiles import pointer_to


@intrinsic  # type: ignore[untyped-decorator]
def add_to_pair(_typing: Any, pairs: Any, place: Any, value: Any) -> Any:
    """Add 1 to `pairs[2 place]` and `value` to `pairs[2 place + 1]`, float64 `[2 n]`."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        vector, one = ir.VectorType(ir.DoubleType(), 2), ir.Constant(args[1].type, 1)
        begin = builder.shl(args[1], one)
        where = pointer_to(context, builder, signature.args[0], args[0], begin)
        pair = builder.bitcast(where, vector.as_pointer())
        added = builder.insert_element(ir.Constant(vector, [1.0, 0.0]), args[2], ir.IntType(32)(1))
        builder.store(builder.fadd(builder.load(pair, align=8), added), pair, align=8)
        return context.get_dummy_value()

    return types.void(pairs, types.int64, types.float64), codegen
