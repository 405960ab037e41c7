"""The rules of no market: placeholders that loop templates import.

A template is written over `reset`, `observe` and `play` without knowing a market. It imports them
from here, and `tacit.envs.jit.loops.compiled` puts the kernels of the market that is asked for in
their place. A template whose loops call no kernel is compiled with these.

Shapes are those of the market contract (`tacit.envs.market`); `params` is float64 `[.]`.
"""

from __future__ import annotations

from typing import Any

from .jit.decorators import kernel


@kernel
def reset(params: Any, state: Any, key: Any) -> None:
    """Fill `state` float64 `[W]` at the start of an episode; `params` float64 `[.]`."""


@kernel
def observe(params: Any, state: Any, phase: Any, seat: Any) -> Any:
    """What a seat sees in the coming phase, an index in 0 .. O-1; `state` float64 `[W]`."""
    return 0


@kernel
def play(params: Any, state: Any, phase: Any, actions: Any, measures: Any, key: Any) -> None:
    """One phase: move `state` float64 `[W]` by `actions` int64 `[S]`, fill `measures` float64
    `[S + 1, M]`.
    """
