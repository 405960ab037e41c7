"""`unlikely` changes where compiled code lies, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from tacit.envs.jit.array_views import at, unlikely
from tacit.envs.jit.decorators import inlined, kernel


@kernel
def step(x):
    if unlikely(x < 0 and x != -5):
        return 100
    return x


@inlined
def write(out, x, n):
    for i in range(n):
        out[0, at(i)] = step(x[i])
        if unlikely(out[0, i] == 7 or x[i] > 50):
            n = i + 1
            break
    return n


@kernel
def write_both(out, x, n, twice):
    count = write(out, x, n)
    if twice:
        count += write(out, x[::-1].copy(), n)
    return count


@pytest.mark.parametrize("write_all", [write_both, write_both.py_func])
@pytest.mark.parametrize(
    ("x", "twice", "expected", "count"),
    [
        ([1, -1, -5, 2], False, [1, 100, -5, 2], 4),
        ([1, 7, 3, 60], False, [1, 7, 0, 0], 2),
        ([1, -1, 3, 60], True, [60, 100, 3, 60], 5),  # the second pass ends at once
    ],
)
def test_compiled_and_plain_branches_agree(write_all, x, twice, expected, count):
    out = np.zeros((1, 4), np.int64)
    found = write_all(out, np.array(x), 4, twice)
    assert (found, out[0].tolist()) == (count, expected)
