"""One thread for the arithmetic of a process: seeds run side by side instead.

Two threads of BLAS or of torch collapse when seeds contend for cores, and results of a matrix
product may depend on how it is split.
"""

from __future__ import annotations

import sys
from functools import cache

import scipy.linalg  # noqa: F401  (its BLAS must be loaded before it can be limited)
from threadpoolctl import threadpool_limits


@cache
def _limit_blas() -> None:
    threadpool_limits(limits=1)


def one_thread() -> None:
    """From now on, for the whole process."""
    _limit_blas()
    torch = sys.modules.get("torch")
    if torch is not None and torch.get_num_threads() != 1:
        torch.set_num_threads(1)
