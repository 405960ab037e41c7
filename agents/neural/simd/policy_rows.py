"""The gradient of PPO's policy loss in one row of a table, in LLVM's vectors.

A row has few actions, so loops over them are too short for LLVM to make vectors of. Here the whole
row lies in one register or two, of the network's dtype.
"""

from __future__ import annotations

from math import factorial, log
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from tacit.agents.neural.simd.tiles import Vectors, pointer_to

MOST = 2  # vectors of a row
# Columns of `stats`: of the row's objective; its policy's denominator, largest and mean logit.
OBJECTIVE, TOTAL, LARGEST, MEAN = range(4)
STATS = 4
# By bytes of an item: smallest exponent that counts, degree of the series of e^r, bits of the
# mantissa, ln 2 as its leading bits and the rest, and what stands for an old probability of 0.
EXPONENT = {
    4: (-87.0, 6, 23, 0.693359375, log(2.0) - 0.693359375, 1e-37),
    8: (-700.0, 12, 52, 0.693147180369123816490, 1.90821492927058770002e-10, 1e-300),
}


def _exp(v: Vectors, x: Any) -> Any:
    """e to the power of every lane, at most 0: x = k ln 2 + r, a series of e^r, times 2^k."""
    builder = v.builder
    least, degree, bits, high, low, _ = EXPONENT[v.bytes]
    rounding = v.constant(1.5 * 2.0**bits)  # what is added to it is rounded to an integer
    z = v.intrinsic("maxnum", x, v.constant(least))
    shifted = v.fma(z, v.constant(1.0 / log(2.0)), rounding)
    k = builder.fsub(shifted, rounding)
    r = v.fma(k, v.constant(-low), v.fma(k, v.constant(-high), z))
    y = v.constant(1.0 / factorial(degree))
    for n in range(degree - 1, -1, -1):
        y = v.fma(y, r, v.constant(1.0 / factorial(n)))
    whole = ir.VectorType(ir.IntType(8 * v.bytes), v.lanes)
    shift = ir.Constant(whole, [bits] * v.lanes)
    power = builder.shl(builder.bitcast(shifted, whole), shift)
    raised = builder.bitcast(builder.add(builder.bitcast(y, whole), power), v.kind)
    counts = builder.fcmp_ordered(">=", x, v.constant(least))
    return builder.select(counts, raised, v.constant(0.0))


def _reduce(v: Vectors, combine: Any, x: Any) -> Any:
    """All lanes combined, by halves: in the same order on every processor."""
    undefined, width = ir.Constant(v.kind, ir.Undefined), v.lanes // 2
    while width:
        lanes = [k + width if k < width else 0 for k in range(v.lanes)]
        mask = ir.Constant(ir.VectorType(ir.IntType(32), v.lanes), lanes)
        x = combine(x, v.builder.shuffle_vector(x, undefined, mask))
        width //= 2
    return v.builder.extract_element(x, ir.IntType(32)(0))


class _Row:
    """One row under construction: a list of vectors for each quantity."""

    def __init__(self, v: Vectors, chunks: int, actions: Any) -> None:
        self.v, self.actions, self.chunks = v, actions, range(chunks)
        self.word = actions.type

    def load(self, pointer: Any, *, wide: bool) -> list[Any]:
        """Entries from `pointer` on; `wide`: of float64, whatever the dtype of the row."""
        found, v = [], self.v
        for c in self.chunks:
            kind = Vectors(v.builder, ir.DoubleType(), 8) if wide else v
            kind.lanes, kind.kind = v.lanes, ir.VectorType(kind.item, v.lanes)
            kind.keep_first(self.left(c))
            x = kind.load(v.builder.gep(pointer, [self.word(c * v.lanes)]))
            kind.mask = None
            found.append(v.builder.fptrunc(x, v.kind) if wide and v.bytes == 4 else x)
        return found

    def store(self, rows: list[Any], pointer: Any) -> None:
        for c, x in zip(self.chunks, rows, strict=True):
            self.v.keep_first(self.left(c))
            self.v.store(x, self.v.builder.gep(pointer, [self.word(c * self.v.lanes)]))
            self.v.mask = None

    def left(self, c: int) -> Any:
        """How many actions there are from vector c on."""
        return self.v.builder.sub(self.actions, self.word(c * self.v.lanes))

    def each(self, f: Any, *rows: list[Any]) -> list[Any]:
        return [f(*vectors) for vectors in zip(*rows, strict=True)]

    def reduce(self, combine: Any, x: list[Any]) -> Any:
        whole = x[0]
        for other in x[1:]:
            whole = combine(whole, other)
        return _reduce(self.v, combine, whole)

    def legal(self, first: Any, count: Any) -> list[Any]:
        """Which lanes are legal actions."""
        v, masks = self.v, []
        for c in self.chunks:
            before = v.builder.sub(first, self.word(c * v.lanes))
            v.keep_first(v.builder.add(before, count))
            inside = v.mask
            v.keep_first(before)
            masks.append(v.builder.and_(inside, v.builder.not_(v.mask)))
            v.mask = None
        return masks


def policy_row(chunks: int) -> Any:
    """An intrinsic for rows of at most so many vectors; see `tacit.agents.neural.ppo_loop`.

    Arguments (arrays are flat; `logits`, `gradients` Real, the others float64):

        logits, logits_at        the row's logits; gradients lie at the same place
        gradients
        old, old_at              the policy that played
        sums, gains_at, losses_at   sums of positive and of negative advantages
        first, count, actions    legal actions, and how many there are
        numbers                  visits, 1 / samples of the minibatch, clip range, weight of the
                                 entropy
        stats, stats_at          filled: see OBJECTIVE and the names behind it
    """

    @intrinsic  # type: ignore[untyped-decorator]
    def made(_typing: Any, logits: Any, logits_at: Any, gradients: Any, old: Any, old_at: Any,
             sums: Any, gains_at: Any, losses_at: Any, first: Any, count: Any, actions: Any,
             numbers: Any, stats: Any, stats_at: Any) -> Any:  # fmt: skip
        word, real = types.int64, types.float64
        signature = types.void(
            logits, word, gradients, old, word, sums, word, word, word, word, word,
            types.UniTuple(real, 4), stats, word,  # type: ignore[attr-defined]
        )  # fmt: skip

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            def at(k: int, offset: Any) -> Any:
                return pointer_to(context, builder, signature.args[k], args[k], offset)

            dtype = signature.args[0].dtype
            v = Vectors(builder, context.get_value_type(dtype), dtype.bitwidth // 8)
            row = _Row(v, chunks, args[10])
            given = [builder.extract_value(args[11], k) for k in range(4)]
            if v.bytes == 4:
                given = [builder.fptrunc(x, v.item) for x in given]
            visits, per_sample, clip, weight = map(v.broadcast, given)
            gains, losses = (row.load(at(5, args[k]), wide=True) for k in (6, 7))
            x, played = row.load(at(0, args[1]), wide=False), row.load(at(3, args[4]), wide=True)
            out = _row_gradient(row, x, row.legal(args[8], args[9]), played, gains, losses,
                                (visits, per_sample, clip, weight))  # fmt: skip
            row.store(out[0], at(2, args[1]))
            place = at(12, args[13])
            for k, figure in enumerate(out[1]):
                wide = builder.fpext(figure, ir.DoubleType()) if v.bytes == 4 else figure
                builder.store(wide, builder.gep(place, [row.word(k)]))
            return context.get_dummy_value()

        return signature, codegen

    return made


def _row_gradient(row: _Row, x: Any, legal: Any, played: Any, gains: Any, losses: Any,
                  numbers: Any) -> Any:  # fmt: skip
    """LLVM code of the formulas in `ppo_loop.policy_gradient`: gradients, and stats."""
    v, builder = row.v, row.v.builder
    visits, per_sample, clip, weight = numbers
    zero, one = v.constant(0.0), v.constant(1.0)

    def most(a: Any, b: Any) -> Any:
        return v.intrinsic("maxnum", a, b)

    def least(a: Any, b: Any) -> Any:
        return v.intrinsic("minnum", a, b)

    lowest = v.constant(-3e38)
    top = row.reduce(most, row.each(lambda z, m: builder.select(m, z, lowest), x, legal))
    tops = v.broadcast(top)
    e = row.each(
        lambda z, m: builder.select(m, _exp(v, least(builder.fsub(z, tops), zero)), zero), x, legal
    )
    total = row.reduce(builder.fadd, e)
    inverse = builder.fdiv(one, v.broadcast(total))
    p = row.each(lambda z: builder.fmul(z, inverse), e)
    mean = row.reduce(
        builder.fadd,
        row.each(lambda q, z, m: builder.select(m, builder.fmul(q, z), zero), p, x, legal),
    )
    means = v.broadcast(mean)
    tiny = v.constant(EXPONENT[v.bytes][-1])
    ratio = row.each(lambda q, old: builder.fdiv(q, most(old, tiny)), p, played)
    highest, lowest_ratio = builder.fadd(one, clip), builder.fsub(one, clip)
    objective = row.reduce(builder.fadd, row.each(
        lambda r, g, s: v.fma(g, least(r, highest), builder.fmul(s, most(r, lowest_ratio))),
        ratio, gains, losses,
    ))  # fmt: skip

    def unclipped(r: Any, g: Any, s: Any) -> Any:
        gain = builder.select(builder.fcmp_ordered("<", r, highest), g, zero)
        loss = builder.select(builder.fcmp_ordered(">", r, lowest_ratio), s, zero)
        return builder.fmul(builder.fadd(gain, loss), r)

    u = row.each(unclipped, ratio, gains, losses)
    whole = v.broadcast(row.reduce(builder.fadd, u))
    spread = builder.fmul(weight, visits)

    def gradient(q: Any, z: Any, own: Any) -> Any:
        by_probability = v.fma(spread, builder.fsub(z, means), whole)
        return builder.fmul(per_sample, builder.fsub(builder.fmul(q, by_probability), own))

    gradients = row.each(gradient, p, x, u)
    return gradients, (objective, total, top, mean)
