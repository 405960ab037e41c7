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
    make = tile(ends)

    def filled(a: Any, a_at: Any, a_row: Any, a_step: Any, b: Any, b_at: Any, b_step: Any, c: Any,
               c_at: Any, c_row: Any, m: Any, n: Any, k: Any, extra: Any,
               extra_at: Any) -> None:  # fmt: skip
        """Fill C as the module's table says; `a`, `b`, `c`, `extra` are flat."""
        lanes, j = BYTES // c.itemsize, 0
        while j < n:
            left = n - j
            vectors = 4 if left >= 4 * lanes else 2 if left >= 2 * lanes else 1
            i = 0
            while i < m:
                rows = 6 if m - i >= 6 else 3 if m - i >= 3 else 1
                own = extra_at + j
                if ends == TANH_GRAD:
                    own += i * c_row
                make(
                    a, a_at + i * a_row, a_row, a_step, b, b_at + j, b_step, c,
                    c_at + i * c_row + j, c_row, k, extra, own, rows, vectors, left,
                )  # fmt: skip
                i += rows
            j += vectors * lanes

    return called_kernel(filled)


product, affine, affine_tanh, product_tanh_grad = map(
    _of_tiles, (PLAIN, AFFINE, AFFINE_TANH, TANH_GRAD)
)
_tanh_lanes = tanh_strip()


@called_kernel
def tanh_all(x: Any, start: Any, end: Any) -> None:
    """tanh of the entries `x[start:end]`, in place."""
    for k in range(start, end, BYTES // x.itemsize):
        _tanh_lanes(x, k, end - k)
