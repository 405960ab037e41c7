"""Which action a draw means: a search in a row of cumulative probabilities, sixteen at a time.

A search by halves is compiled to branches, half of which are mispredicted, and takes several times
as long as sixteen comparisons at once in LLVM's vectors.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from tacit.envs.jit.array_views import at
from tacit.envs.jit.decorators import kernel

ENTRIES_AT_ONCE = 16  # entries compared at once


@intrinsic  # type: ignore[untyped-decorator]
def _count_at_most(_typing: Any, line: Any, begin: Any, draw: Any) -> Any:
    """How many of `line[begin : begin + ENTRIES_AT_ONCE]`, float64, are at most `draw`."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = make_array(signature.args[0])(context, builder, args[0])
        vector = ir.VectorType(ir.DoubleType(), ENTRIES_AT_ONCE)
        place = builder.gep(array.data, [args[1]])
        entries = builder.load(builder.bitcast(place, vector.as_pointer()), align=8)
        undefined = ir.Constant(vector, ir.Undefined)
        first = builder.insert_element(undefined, args[2], ir.IntType(32)(0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), ENTRIES_AT_ONCE), [0] * ENTRIES_AT_ONCE)
        draws = builder.shuffle_vector(first, undefined, zeros)
        bits = builder.bitcast(
            builder.fcmp_ordered("<=", entries, draws), ir.IntType(ENTRIES_AT_ONCE)
        )
        return builder.zext(builder.ctpop(bits), ir.IntType(64))

    return types.int64(line, types.int64, types.float64), codegen


@kernel
def entries_at_most(line: Any, draw: Any) -> Any:
    """How many entries of an ascending row, float64 `[W]`, are at most `draw`.

    W is a multiple of ENTRIES_AT_ONCE.
    """
    begin = 0
    while begin + ENTRIES_AT_ONCE < len(line) and line[at(begin + ENTRIES_AT_ONCE - 1)] <= draw:
        begin += ENTRIES_AT_ONCE
    return begin + _count_at_most(line, begin, draw)
