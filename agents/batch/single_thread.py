"""One thread for the arithmetic of a process: seeds run side by side instead.

Two threads of BLAS or of torch collapse when seeds contend for cores, and results of a matrix
product may depend on how it is split.
"""

from __future__ import annotations

import sys

import scipy.linalg  # noqa: F401  (its BLAS must be loaded before it can be limited)
from threadpoolctl import threadpool_limits


def one_thread() -> None:
    """From now on, for the whole process. (Not once for all: who limits threads for a while, as
    `tacit.training` does, sets them back afterwards.)"""
    threadpool_limits(limits=1)
    torch = sys.modules.get("torch")
    if torch is not None and torch.get_num_threads() != 1:
        torch.set_num_threads(1)
