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

Numba is imported when a loop is made or a kernel is first called, not before: a command that
compiles nothing does not wait for it.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])

# One thread at a time makes a dispatcher: a kernel with two of them would be compiled twice.
_MAKING = threading.RLock()


class Kernel:
    """A function for which Numba's dispatcher is made when it is first needed.

    It can be called like a function, and compiled functions may call it. Attributes of Numba's
    dispatcher (`overloads`, `inspect_llvm`) can be read from it.

    Attributes:
        py_func: the function in plain Python.
    """

    def __init__(self, f: Callable[..., Any], options: dict[str, Any]) -> None:
        functools.update_wrapper(self, f)
        self.py_func = f
        self._options = options
        self._made: Any = None

    @property
    def dispatcher(self) -> Any:
        """Numba's dispatcher, one for each kernel."""
        if self._made is None:
            with _MAKING:
                if self._made is None:
                    self._made = _jit(self.py_func, self._options)
        return self._made

    @property
    def _numba_type_(self) -> Any:
        """What Numba asks an object that it does not know: the type to compile it as."""
        return self.dispatcher._numba_type_

    def __call__(self, *args: Any) -> Any:
        return self.dispatcher(*args)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # asked of every object, by `copy` and `inspect` say
            raise AttributeError(name)
        return getattr(self.dispatcher, name)

    def __repr__(self) -> str:
        return f"Kernel({self.py_func.__module__}.{self.py_func.__qualname__})"


def _jit(f: Callable[..., Any], options: dict[str, Any]) -> Any:
    """Numba's dispatcher of a function.

    From here on compiled views are known, and compilation is announced.
    """
    import numba

    from . import compiled_views  # noqa: F401
    from .compiling import follow_numba

    follow_numba()
    return numba.njit(error_model="numpy", **options)(f)


def kernel(f: F) -> F:
    """Compile a scalar function of one copy, to be inlined into its callers by LLVM.

    `forceinline` acts on LLVM's level and keeps every bit. A real call would pass each array
    argument as seven or more machine words.
    """
    return cast(F, Kernel(f, {"forceinline": True}))


def called_kernel(f: F) -> F:
    """Compile a kernel that stays a call of its own: for long rules beside a short path.

    Inlined everywhere, long rules would cost every loop seconds of compilation.
    """
    return cast(F, Kernel(f, {}))


def inlined(f: F) -> F:
    """Compile a part of a loop into its callers, on Numba's level.

    Such a part may take whole tuples of arrays, which are too many words to pass in a real call.
    """
    return cast(F, Kernel(f, {"inline": "always"}))


def loop(f: F) -> F:
    """Compile a loop of a generated file: cached on disk, and free of the interpreter lock."""
    dispatcher = _jit(f, {"nogil": True})
    from .disk_cache import LoopCache

    dispatcher._cache = LoopCache(f)  # as `cache=True` does with Numba's own
    return cast(F, dispatcher)
