"""Kernels that are called once from Python, without compiling them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def in_python(function: F) -> F:
    """A kernel as the Python function that it was written as; other functions as they are.

    The first call of any kernel imports Numba and compiles, which takes a second. Commands that
    only read (`tacit show`, `tacit list`) make markets and ask them what they declare, and should
    not wait for that. Only for arithmetic that Python and Numba do alike: sums of small integers,
    such as positions of params and state.
    """
    plain: F = getattr(function, "py_func", function)
    return plain
