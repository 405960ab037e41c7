"""Tiles of matrix products in LLVM's vectors: what LLVM does not vectorise well by itself.

A tile is `rows` x (`vectors` * lanes) entries of C = A B, held in registers while the inner index
runs. Lanes are 64 bytes wide: one register with AVX-512, two with AVX2, more on any older
processor, for LLVM splits what a register cannot hold. Without AVX-512 a tile of several vectors is
made one vector at a time, because there are half as many registers.

Every entry is one chain of fused multiply-adds in the order of the inner index, whatever the tile
or the registers: tiles change speed and no bit.
"""

from __future__ import annotations

from itertools import product
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

BYTES = 64  # of a vector: lanes of float32 or float64
# Sizes of tiles. Six rows of four vectors keep 24 of 32 registers busy, six of one 12 of 16. A tile
# of few rows has few sums, each of which waits for its last product: so it is as wide as it can be.
ROWS, VECTORS = (6, 4, 2, 1), (4, 2, 1)
# Instead of one vector where no more columns exist: value heads are one or a few.
NARROW, NARROW_LANES = 0, 4
AVX2_WIDTH = {6: 1, 4: 1, 2: 2, 1: 4}  # vectors at once where there are 16 registers, by rows
# What a tile begins with and ends with.
PLAIN, AFFINE, AFFINE_TANH, TANH_GRAD = range(4)
# Lambert's eleventh convergent of tanh (1761) is x p(x^2) / q(x^2), coefficients from x^0 up; it is
# within 7e-7 on the whole line, and leaves [-1, 1] beyond the bound.
P = (13749310575, 1964187225, 64324260, 675675, 2145, 1)
Q = (13749310575, 6547290750, 413513100, 7567560, 45045, 66)
BOUND = 7.5


class Vectors:
    """Operations on vectors of one dtype in one function under construction."""

    def __init__(self, builder: Any, item: Any, item_bytes: int) -> None:
        self.builder, self.item, self.bytes = builder, item, item_bytes
        self.lanes = BYTES // item_bytes
        self.kind = ir.VectorType(item, self.lanes)
        self.mask: Any = None  # of the lanes that exist; None: all

    def constant(self, x: float) -> Any:
        return ir.Constant(self.kind, [float(x)] * self.lanes)

    def intrinsic(self, name: str, *args: Any) -> Any:
        """LLVM's function of this name on vectors."""
        full = f"llvm.{name}.v{self.lanes}f{8 * self.bytes}"
        wanted = ir.FunctionType(self.kind, [self.kind] * len(args))
        function = cgutils.get_or_insert_function(self.builder.module, wanted, full)
        return self.builder.call(function, args)

    def fma(self, a: Any, b: Any, c: Any) -> Any:
        return self.intrinsic("fma", a, b, c)

    def smaller(self, a: Any, b: Any) -> Any:
        """The smaller of two lanes, `b` where one is NaN: one instruction of x86."""
        return self.builder.select(self.builder.fcmp_ordered("<", a, b), a, b)

    def larger(self, a: Any, b: Any) -> Any:
        """The larger of two lanes, `b` where one is NaN."""
        return self.builder.select(self.builder.fcmp_ordered(">", a, b), a, b)

    def broadcast(self, x: Any) -> Any:
        """A number in every lane."""
        first = self.builder.insert_element(
            ir.Constant(self.kind, ir.Undefined), x, ir.IntType(32)(0)
        )
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), [0] * self.lanes)
        return self.builder.shuffle_vector(first, ir.Constant(self.kind, ir.Undefined), zeros)

    def keep_first(self, count: Any) -> None:
        """From now on loads and stores touch the first `count` lanes only; others load 0."""
        word = ir.IntType(32)  # as wide as a lane of float32: wider masks would be packed first
        lane, zero = ir.VectorType(word, self.lanes), word(0)
        undefined = ir.Constant(lane, ir.Undefined)
        first = self.builder.insert_element(undefined, self.builder.trunc(count, word), zero)
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), [0] * self.lanes)
        counts = self.builder.shuffle_vector(first, undefined, zeros)
        lanes = ir.Constant(lane, list(range(self.lanes)))
        self.mask = self.builder.icmp_signed("<", lanes, counts)

    def _masked(self, name: str, result: Any, given: list[Any], args: list[Any]) -> Any:
        full = f"llvm.masked.{name}.v{self.lanes}f{8 * self.bytes}.p0"
        wanted = ir.FunctionType(result, given)
        function = cgutils.get_or_insert_function(self.builder.module, wanted, full)
        return self.builder.call(function, args)

    def load(self, pointer: Any) -> Any:
        """A vector from memory."""
        place = self.builder.bitcast(pointer, self.kind.as_pointer())
        if self.mask is None:
            return self.builder.load(place, align=self.bytes)
        align = ir.IntType(32)
        return self._masked(
            "load", self.kind, [place.type, align, self.mask.type, self.kind],
            [place, align(self.bytes), self.mask, self.constant(0.0)],
        )  # fmt: skip

    def store(self, x: Any, pointer: Any) -> None:
        """Write a vector to memory."""
        place = self.builder.bitcast(pointer, self.kind.as_pointer())
        if self.mask is None:
            self.builder.store(x, place, align=self.bytes)
            return
        align = ir.IntType(32)
        self._masked(
            "store", ir.VoidType(), [self.kind, place.type, align, self.mask.type],
            [x, place, align(self.bytes), self.mask],
        )  # fmt: skip

    def tanh(self, x: Any) -> Any:
        """tanh of every lane."""
        z = self.larger(self.smaller(x, self.constant(BOUND)), self.constant(-BOUND))
        y = self.builder.fmul(z, z)
        over, under = (self.constant(k[-1] / P[0]) for k in (P, Q))
        for n in range(len(P) - 2, -1, -1):
            over = self.fma(over, y, self.constant(P[n] / P[0]))
            under = self.fma(under, y, self.constant(Q[n] / P[0]))
        ratio = self.builder.fdiv(self.builder.fmul(z, over), under)
        # NaN stays NaN, where the bounds would have hidden it
        return self.builder.select(self.builder.fcmp_ordered("ord", x, x), ratio, x)


def pointer_to(context: Any, builder: Any, kind: Any, array: Any, offset: Any) -> Any:
    """Where entry `offset` of a flat array lies."""
    return builder.gep(make_array(kind)(context, builder, array).data, [offset])


def _strip(v: Vectors, rows: int, vectors: int, ends: int, a: Any, b: Any, c: Any, extra: Any,
           inner: Any) -> None:  # fmt: skip
    """LLVM code of one tile. `a`, `b`, `c`: pointer and strides of each matrix."""
    builder = v.builder
    (a, a_row, a_step), (b, b_step), (c, c_row) = a, b, c
    word = inner.type
    cells = [(i, j) for i in range(rows) for j in range(vectors)]

    def beside(pointer: Any, j: int) -> Any:
        return builder.gep(pointer, [word(j * v.lanes)])

    starts = [v.constant(0.0)] * vectors
    if ends in (AFFINE, AFFINE_TANH):
        starts = [v.load(beside(extra, j)) for j in range(vectors)]
    a_rows = [builder.gep(a, [builder.mul(a_row, word(i))]) for i in range(rows)]
    before = builder.block
    head = builder.append_basic_block("product.head")
    body = builder.append_basic_block("product.body")
    end = builder.append_basic_block("product.end")
    builder.branch(head)
    builder.position_at_end(head)
    p, sums = builder.phi(word), {cell: builder.phi(v.kind) for cell in cells}
    p.add_incoming(word(0), before)
    for cell in cells:
        sums[cell].add_incoming(starts[cell[1]], before)
    builder.cbranch(builder.icmp_signed("<", p, inner), body, end)
    builder.position_at_end(body)
    b_row = builder.gep(b, [builder.mul(b_step, p)])
    right = [v.load(beside(b_row, j)) for j in range(vectors)]
    step = builder.mul(a_step, p)
    new = {}
    for i in range(rows):
        left = v.broadcast(builder.load(builder.gep(a_rows[i], [step])))
        for j in range(vectors):
            new[i, j] = v.fma(left, right[j], sums[i, j])
    p.add_incoming(builder.add(p, word(1)), body)
    for cell in cells:
        sums[cell].add_incoming(new[cell], body)
    builder.branch(head)
    builder.position_at_end(end)
    for i, j in cells:
        x = sums[i, j]
        place = builder.mul(c_row, word(i))
        if ends == AFFINE_TANH:
            x = v.tanh(x)
        elif ends == TANH_GRAD:
            out = v.load(beside(builder.gep(extra, [place]), j))
            x = builder.fmul(x, v.fma(builder.fneg(out), out, v.constant(1.0)))
        v.store(x, beside(builder.gep(c, [place]), j))


def tile(ends: int) -> Any:
    """An intrinsic that makes one tile, which ends as `ends` says.

    PLAIN is A B; AFFINE_TANH takes tanh of what AFFINE gives. Its arguments, all arrays flat and of
    one dtype:

        a, a_at, a_row, a_step   A(i, p) = a[a_at + i a_row + p a_step]
        b, b_at, b_step          B(p, j) = b[b_at + p b_step + j]
        c, c_at, c_row           C(i, j) = c[c_at + i c_row + j]
        inner                    how many p there are
        extra, extra_at          AFFINE and AFFINE_TANH begin with extra[extra_at + j]; TANH_GRAD
                                 multiplies by 1 - e^2, e = extra[extra_at + i c_row + j]
        rows, vectors            of the tile: one of ROWS; one of VECTORS, or NARROW
        columns                  how many j exist, where there is but one vector
    """

    @intrinsic  # type: ignore[untyped-decorator]
    def made(_typing: Any, a: Any, a_at: Any, a_row: Any, a_step: Any, b: Any, b_at: Any,
             b_step: Any, c: Any, c_at: Any, c_row: Any, inner: Any, extra: Any, extra_at: Any,
             rows: Any, vectors: Any, columns: Any) -> Any:  # fmt: skip
        word = types.int64
        signature = types.void(
            a, word, word, word, b, word, word, c, word, word, word, extra, word, word, word, word
        )

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            kinds, wanted = signature.args, args[13:15]
            item = context.get_value_type(kinds[0].dtype)
            places = {
                k: pointer_to(context, builder, kinds[k], args[k], args[k + 1])
                for k in (0, 4, 7, 11)
            }
            wide = "+avx512f" in context.codegen().magic_tuple()[2]
            given = [places[0], args[2], args[3], places[4], args[6], places[7], args[9], args[10],
                     places[11], args[15]]  # fmt: skip
            for size in product(ROWS, (*VECTORS, NARROW)):
                alike = [
                    builder.icmp_signed("==", have, have.type(is_))
                    for have, is_ in zip(wanted, size, strict=True)
                ]
                with builder.if_then(builder.and_(*alike)):
                    types_given = [x.type for x in given]
                    function = _function(builder.module, types_given, size, ends, item, wide)
                    builder.call(function, given)
            return context.get_dummy_value()

        return signature, codegen

    return made


def _function(
    module: Any, given: list[Any], size: tuple[int, int], ends: int, item: Any, wide: bool
) -> Any:
    """LLVM's function of one size of tile.

    Each has a function of its own, never inlined: registers are then given out for one size at a
    time, and a product is compiled once, not once for each size in each caller.
    """
    name = f"tacit_tile_{ends}_{size[0]}_{size[1]}_{item}"
    function = cgutils.get_or_insert_function(module, ir.FunctionType(ir.VoidType(), given), name)
    if not function.is_declaration:
        return function
    function.linkage = "linkonce_odr"
    function.attributes.add("noinline")
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    a, a_row, a_step, b, b_step, c, c_row, inner, extra, columns = function.args
    v = Vectors(builder, item, 4 if isinstance(item, ir.FloatType) else 8)
    rows, vectors = size
    if vectors == NARROW:
        v.lanes, vectors = NARROW_LANES, 1
        v.kind = ir.VectorType(item, v.lanes)
    if vectors == 1:
        v.keep_first(columns)
    width = vectors if wide else min(vectors, AVX2_WIDTH[rows])  # at once
    for first in range(0, vectors, width):
        move = columns.type(first * v.lanes)
        beside = [builder.gep(pointer, [move]) for pointer in (b, c, extra)]
        _strip(v, rows, width, ends, (a, a_row, a_step), (beside[0], b_step),
               (beside[1], c_row), beside[2], inner)  # fmt: skip
    builder.ret_void()
    return function
