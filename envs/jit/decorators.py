"""The four ways in which tacit compiles a function with Numba.

| decorator | for | compiled |
|---|---|---|
| `kernel` | a scalar function of one copy: `reset`, `observe`, `play`, `score`, draws | once per |
| | | process, inlined by LLVM |
| `called_kernel` | a long kernel beside a short path that runs often | once per process, called |
| `inlined` | a part of a loop that takes whole tuples of arrays | into its callers, by Numba |
| `loop` | a loop of a generated file (`tacit.envs.jit.loops`) | cached on disk, without the |
| | | interpreter lock |

None of them uses fastmath: a kernel and its `.py_func` in plain Python agree bit for bit, which
gives every market a second, independent implementation for its tests. `error_model="numpy"` leaves
out the check for division by zero, which would keep LLVM from vectorising loops.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba

F = TypeVar("F", bound=Callable[..., Any])


def kernel(f: F) -> F:
    """Compile a scalar function of one copy, to be inlined into its callers by LLVM.

    `forceinline` acts on LLVM's level and keeps every bit. A real call would pass each array
    argument as seven or more machine words.
    """
    compiled_f: F = numba.njit(error_model="numpy", forceinline=True)(f)
    return compiled_f


def called_kernel(f: F) -> F:
    """Compile a kernel that stays a call of its own: for long rules beside a short path.

    Inlined everywhere, long rules would cost every loop seconds of compilation.
    """
    compiled_f: F = numba.njit(error_model="numpy")(f)
    return compiled_f


def inlined(f: F) -> F:
    """Compile a part of a loop into its callers, on Numba's level.

    Such a part may take whole tuples of arrays, which are too many words to pass in a real call.
    """
    compiled_f: F = numba.njit(error_model="numpy", inline="always")(f)
    return compiled_f


def loop(f: F) -> F:
    """Compile a loop of a generated file: cached on disk, and free of the interpreter lock."""
    compiled_f: F = numba.njit(error_model="numpy", nogil=True, cache=True)(f)
    return compiled_f
