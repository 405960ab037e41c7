"""One thread for the arithmetic of a process: seeds run side by side instead.

Two threads of BLAS or of torch are slower than one when seeds contend for cores, and the bits of a
matrix product may depend on how it is split between threads.
"""

from __future__ import annotations

import sys
from functools import lru_cache

from threadpoolctl import ThreadpoolController


@lru_cache(maxsize=1)
def _pools(modules: int) -> ThreadpoolController:
    """All thread pools of the process, looked for anew once more modules are imported.

    To find them takes some milliseconds, more than a short run of a group; a library that brings
    another pool is loaded by an import.
    """
    return ThreadpoolController()


def one_thread() -> None:
    """Limit BLAS and torch to one thread, for the whole process.

    Call it before every use, not once: code that limits threads for a while, as `tacit.training`
    does, restores the earlier number afterwards.
    """
    import scipy.linalg  # noqa: F401  (its BLAS must be loaded before it can be limited)

    _pools(len(sys.modules)).limit(limits=1)
    torch = sys.modules.get("torch")
    if torch is not None and torch.get_num_threads() != 1:
        torch.set_num_threads(1)
