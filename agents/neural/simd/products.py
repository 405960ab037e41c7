"""Products of matrices that lie in flat arrays, with what follows them.

Each function below fills C `[m, n]` from A `[m, k]` and B `[k, n]`, whose entries lie at

    A(i, p) = a[a_at + i a_row + p a_step]
    B(p, j) = b[b_at + p b_step + j]
    C(i, j) = c[c_at + i c_row + j]

so that A may be a transpose. All arrays are of one dtype, float32 or float64.

| function | C |
|---|---|
| `product` | A B |
| `affine` | A B + bias, bias(j) = extra[extra_at + j] |
| `affine_tanh` | tanh(A B + bias) |
| `product_tanh_grad` | A B (1 - e^2), e(i, j) = extra[extra_at + i c_row + j] |
"""

from __future__ import annotations

from typing import Any

from tacit.agents.neural.simd.tiles import (
    AFFINE,
    AFFINE_TANH,
    BYTES,
    PLAIN,
    TANH_GRAD,
    tanh_strip,
    tile,
)
from tacit.envs.jit.decorators import called_kernel


def _of_tiles(ends: int) -> Any:
    """A product whose tiles end so."""
    # Six rows of four vectors keep 24 of 32 registers busy, and six of one 12 of 16.
    six_four, six_two, six_one = (tile(6, n, ends, masked=n == 1) for n in (4, 2, 1))
    three_four, three_two, three_one = (tile(3, n, ends, masked=n == 1) for n in (4, 2, 1))
    one_four, one_two, one_one = (tile(1, n, ends, masked=n == 1) for n in (4, 2, 1))

    def filled(a: Any, a_at: Any, a_row: Any, a_step: Any, b: Any, b_at: Any, b_step: Any, c: Any,
               c_at: Any, c_row: Any, m: Any, n: Any, k: Any, extra: Any, extra_at: Any) -> None:  # fmt: skip
        lanes = BYTES // c.itemsize
        j = 0
        while j < n:
            left = n - j
            width = 4 if left >= 4 * lanes else 2 if left >= 2 * lanes else 1
            i = 0
            while i < m:
                rows = 6 if m - i >= 6 else 3 if m - i >= 3 else 1
                row_a, row_c, own = a_at + i * a_row, c_at + i * c_row + j, extra_at + j
                if ends == TANH_GRAD:
                    own += i * c_row
                if rows == 6:
                    if width == 4:
                        six_four(a, row_a, a_row, a_step, b, b_at + j, b_step, c, row_c, c_row, k, extra, own, left)
                    elif width == 2:
                        six_two(a, row_a, a_row, a_step, b, b_at + j, b_step, c, row_c, c_row, k, extra, own, left)
                    else:
                        six_one(a, row_a, a_row, a_step, b, b_at + j, b_step, c, row_c, c_row, k, extra, own, left)
                elif rows == 3:
                    if width == 4:
                        three_four(a, row_a, a_row, a_step, b, b_at + j, b_step, c, row_c, c_row, k, extra, own, left)
                    elif width == 2:
                        three_two(a, row_a, a_row, a_step, b, b_at + j, b_step, c, row_c, c_row, k, extra, own, left)
                    else:
                        three_one(a, row_a, a_row, a_step, b, b_at + j, b_step, c, row_c, c_row, k, extra, own, left)
                elif width == 4:
                    one_four(a, row_a, a_row, a_step, b, b_at + j, b_step, c, row_c, c_row, k, extra, own, left)
                elif width == 2:
                    one_two(a, row_a, a_row, a_step, b, b_at + j, b_step, c, row_c, c_row, k, extra, own, left)
                else:
                    one_one(a, row_a, a_row, a_step, b, b_at + j, b_step, c, row_c, c_row, k, extra, own, left)
                i += rows
            j += width * lanes

    return called_kernel(filled)


product, affine, affine_tanh, product_tanh_grad = map(_of_tiles, (PLAIN, AFFINE, AFFINE_TANH, TANH_GRAD))


_tanh_lanes = tanh_strip()


@called_kernel
def tanh_all(x: Any, start: Any, end: Any) -> None:
    """tanh of the entries `x[start:end]`, in place."""
    for k in range(start, end, BYTES // x.itemsize):
        _tanh_lanes(x, k, end - k)
