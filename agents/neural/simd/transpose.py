"""Transposes in LLVM's vectors: a block of a matrix in registers.

Left to itself LLVM moves one number at a time, and the transpose of a layer of 64 x 64 weights
takes as long as forty rows of its product.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from tacit.agents.neural.simd.tiles import Vectors, pointer_to

SIDE = 8  # rows and columns of a block


@intrinsic  # type: ignore[untyped-decorator]
def transpose_block(_typing: Any, source: Any, begin: Any, stride: Any, out: Any, out_begin: Any,
                    out_stride: Any) -> Any:  # fmt: skip
    """Set out[out_begin + j out_stride + i] = source[begin + i stride + j] for i, j < SIDE.

    Both arrays are flat, of one dtype, and do not overlap.
    """
    word = types.int64

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        dtype = signature.args[0].dtype
        v = Vectors(builder, context.get_value_type(dtype), dtype.bitwidth // 8)
        v.lanes, v.kind = SIDE, ir.VectorType(v.item, SIDE)

        def line(k: int, i: int) -> Any:
            """Where row i of argument k begins."""
            offset = builder.add(args[k + 1], builder.mul(args[k + 2], args[k + 2].type(i)))
            return pointer_to(context, builder, signature.args[k], args[k], offset)

        rows = [v.load(line(0, i)) for i in range(SIDE)]
        for i, x in enumerate(_transposed(builder, rows)):
            v.store(x, line(3, i))
        return context.get_dummy_value()

    return types.void(source, word, word, out, word, word), codegen


def _transposed(builder: Any, rows: list[Any]) -> list[Any]:
    """LLVM code: blocks of 2 x 2, then those of 4 x 4, and so on, change the two corners that are
    not on the diagonal."""
    side, step = len(rows), 1
    while step < side:
        own, other = [], []  # lanes of the two new rows; from `side` on those of the second old one
        for lane in range(side):
            is_right = bool(lane & step)
            own.append(side + lane - step if is_right else lane)
            other.append(side + lane if is_right else lane + step)
        masks = [ir.Constant(ir.VectorType(ir.IntType(32), side), lanes) for lanes in (own, other)]
        for i in range(side):
            if not i & step:
                pair = rows[i], rows[i + step]
                rows[i], rows[i + step] = (builder.shuffle_vector(*pair, m) for m in masks)
        step *= 2
    return rows
