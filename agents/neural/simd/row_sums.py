"""Sums of chosen rows of weights in LLVM's vectors: a first layer over one-hot digits.

The sums of a whole row stay in registers until its tanh is taken, which then works on several
vectors in turns: by itself each would wait for its own last product.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from tacit.agents.neural.simd.tiles import AFFINE_TANH, VECTORS, Vectors, pointer_to


def row_sums(ends: int) -> Any:
    """An intrinsic that fills one row of a first layer, AFFINE or AFFINE_TANH.

    Its arguments; arrays are flat, and all but `chosen` of one dtype:

        chosen, at, ones         int32: which rows of weights, from `chosen[at]` on, and how many
        weights, first, width    row r begins at weights[first + r width]
        bias                     the sum begins with weights[bias + j]
        out, out_at              filled
        vectors                  one of VECTORS
        columns                  how many j exist, where there is but one vector
    """

    @intrinsic  # type: ignore[untyped-decorator]
    def made(_typing: Any, chosen: Any, at: Any, ones: Any, weights: Any, first: Any, width: Any,
             bias: Any, out: Any, out_at: Any, vectors: Any, columns: Any) -> Any:  # fmt: skip
        word = types.int64
        signature = types.void(
            chosen, word, word, weights, word, word, word, out, word, word, word
        )  # fmt: skip

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            kinds = signature.args
            item = context.get_value_type(kinds[3].dtype)
            digits, rows, start, place = (
                pointer_to(context, builder, kinds[k], args[k], args[offset])
                for k, offset in ((0, 1), (3, 4), (3, 6), (7, 8))
            )
            given = [digits, args[2], rows, args[5], start, place, args[10]]
            for count in VECTORS:
                with builder.if_then(builder.icmp_signed("==", args[9], args[9].type(count))):
                    function = _function(builder.module, [x.type for x in given], count, ends, item)
                    builder.call(function, given)
            return context.get_dummy_value()

        return signature, codegen

    return made


def _function(module: Any, given: list[Any], vectors: int, ends: int, item: Any) -> Any:
    """LLVM's function of one width."""
    name = f"tacit_row_sums_{ends}_{vectors}_{item}"
    function = cgutils.get_or_insert_function(module, ir.FunctionType(ir.VoidType(), given), name)
    if not function.is_declaration:
        return function
    function.linkage = "linkonce_odr"
    function.attributes.add("noinline")
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    digits, ones, rows, width, start, place, columns = function.args
    v = Vectors(builder, item, 4 if isinstance(item, ir.FloatType) else 8)
    if vectors == 1:
        v.keep_first(columns)

    def beside(pointer: Any, j: int) -> Any:
        return builder.gep(pointer, [ones.type(j * v.lanes)])

    kept = [cgutils.alloca_once_value(builder, v.load(beside(start, j))) for j in range(vectors)]
    with cgutils.for_range(builder, ones) as loop:
        digit = builder.load(builder.gep(digits, [loop.index]))
        begin = builder.mul(builder.sext(digit, ones.type), width)
        own = builder.gep(rows, [begin])
        for j in range(vectors):
            builder.store(builder.fadd(builder.load(kept[j]), v.load(beside(own, j))), kept[j])
    sums = [builder.load(x) for x in kept]
    if ends == AFFINE_TANH:
        sums = [v.tanh(x) for x in sums]
    for j in range(vectors):
        v.store(sums[j], beside(place, j))
    builder.ret_void()
    return function
