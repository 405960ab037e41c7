"""Compiled kernels as the plain Python that they are written in: an independent second opinion."""

from __future__ import annotations

from functools import cache
from types import FunctionType
from typing import Any

import numpy as np
from numba.core.dispatcher import Dispatcher


@cache
def _plain(dispatcher: Dispatcher) -> FunctionType:
    """`.py_func` in globals of its own, where every compiled name is replaced by its plain twin."""
    source = dispatcher.py_func
    twin = FunctionType(source.__code__, {}, source.__name__, source.__defaults__)
    for name in source.__code__.co_names:
        if name in source.__globals__:
            value = source.__globals__[name]
            twin.__globals__[name] = _plain(value) if isinstance(value, Dispatcher) else value
    return twin


def pure(dispatcher: Dispatcher) -> Any:
    """The kernel in pure Python, the kernels that it calls included.

    64-bit products overflow by design, so numpy's warning about it is silenced.
    """
    assert isinstance(dispatcher, Dispatcher), f"{dispatcher} is not compiled: nothing to compare"
    return np.errstate(over="ignore")(_plain(dispatcher))
