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
| `product_of_transpose` | A B, for an A that lies in memory as its transpose |

`sum_rows` and `sum_rows_tanh` are `affine` and `affine_tanh` for an A of ones and zeros.
"""

from __future__ import annotations

from typing import Any

from tacit.agents.neural.simd.row_sums import row_sums
from tacit.agents.neural.simd.tiles import (
    AFFINE,
    AFFINE_TANH,
    BYTES,
    NARROW,
    NARROW_LANES,
    PLAIN,
    TANH_GRAD,
    tile,
)
from tacit.envs.jit.decorators import called_kernel


def _of_tiles(ends: int) -> Any:
    """A product whose tiles end so."""
    make = tile(ends)

    def filled(a: Any, a_at: Any, a_row: Any, a_step: Any, b: Any, b_at: Any, b_step: Any, c: Any,
               c_at: Any, c_row: Any, m: Any, n: Any, k: Any, extra: Any,
               extra_at: Any) -> None:  # fmt: skip
        """Fill C as the module's table says; `a`, `b`, `c`, `extra` are flat."""
        lanes, j = BYTES // c.itemsize, 0
        while j < n:
            left = n - j
            vectors = 4 if left >= 4 * lanes else 2 if left >= 2 * lanes else 1
            if left <= NARROW_LANES:
                vectors = NARROW
            i = 0
            while i < m:
                rows = 6 if m - i >= 6 else 4 if m - i >= 4 else 2 if m - i >= 2 else 1
                own = extra_at + j
                if ends == TANH_GRAD:
                    own += i * c_row
                make(
                    a, a_at + i * a_row, a_row, a_step, b, b_at + j, b_step, c,
                    c_at + i * c_row + j, c_row, k, extra, own, rows, vectors, left,
                )  # fmt: skip
                i += rows
            j += max(vectors, 1) * lanes

    return called_kernel(filled)


product, affine, affine_tanh, product_tanh_grad = map(
    _of_tiles, (PLAIN, AFFINE, AFFINE_TANH, TANH_GRAD)
)


@called_kernel
def product_of_transpose(a: Any, a_at: Any, a_step: Any, b: Any, b_at: Any, b_step: Any, c: Any,
                         c_at: Any, m: Any, n: Any, k: Any) -> None:  # fmt: skip
    """`product` where `a_row` is 1 and C has no gaps, as for the gradient of a layer's weights."""
    if n == 1:  # C is a row as well as a column: lanes run along A
        product(b, b_at, 1, b_step, a, a_at, a_step, c, c_at, m, 1, m, k, a, a_at)
    else:
        product(a, a_at, 1, a_step, b, b_at, b_step, c, c_at, n, m, n, k, a, a_at)


def _of_rows(ends: int) -> Any:
    """Sums of chosen rows that end so."""
    make = row_sums(ends)

    def filled(chosen: Any, ones: Any, weights: Any, w: Any, b: Any, out: Any, begin: Any,
               rows: Any, width: Any) -> None:  # fmt: skip
        """Fill `out` `[rows, width]` from `begin` on with bias and rows of weights, summed.

        `chosen` int32 `[rows * ones]` says which; row r is `weights[w + r * width:]`, the bias
        begins at `b`. All arrays are flat.
        """
        lanes, j = BYTES // out.itemsize, 0
        while j < width:
            left = width - j
            vectors = 4 if left >= 4 * lanes else 2 if left >= 2 * lanes else 1
            for i in range(rows):
                make(chosen, i * ones, ones, weights, w + j, width, b + j, out,
                     begin + i * width + j, vectors, left)  # fmt: skip
            j += vectors * lanes

    return called_kernel(filled)


sum_rows, sum_rows_tanh = map(_of_rows, (AFFINE, AFFINE_TANH))
