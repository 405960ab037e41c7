"""Compiled kernels as the plain Python that they are written in: an independent second opinion."""

from __future__ import annotations

import importlib
from functools import cache
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any

import numpy as np
from support.play import random_actions

from tacit.envs import kpi, rng
from tacit.envs.engine.engine import Engine
from tacit.envs.jit.decorators import Kernel
from tacit.envs.market import Market


@cache
def _plain(kernel: Kernel) -> FunctionType:
    """`.py_func` in globals of its own, in which every compiled name is its plain version."""
    source = kernel.py_func
    plain = FunctionType(source.__code__, {}, source.__name__, source.__defaults__)
    for name in source.__code__.co_names:
        if name in source.__globals__:
            plain.__globals__[name] = _plain_value(source.__globals__[name])
    return plain


@cache
def _plain_module(module: ModuleType) -> SimpleNamespace:
    """A module of tacit with plain versions of its kernels."""
    return SimpleNamespace(**{name: _plain_value(value) for name, value in vars(module).items()})


def _plain_value(value: Any) -> Any:
    """A kernel, or a module that has kernels, without compiled code; anything else as it is."""
    if isinstance(value, Kernel):
        return _plain(value)
    if isinstance(value, ModuleType) and value.__name__.startswith("tacit."):
        return _plain_module(value)
    return value


def pure(kernel: Kernel) -> Any:
    """The kernel in pure Python, the kernels that it calls included.

    64-bit products overflow by design, so numpy's warning about it is silenced.
    """
    assert isinstance(kernel, Kernel), f"{kernel} is not compiled: nothing to compare"
    return np.errstate(over="ignore")(_plain(kernel))


class PlainCopy:
    """One copy of a market in pure Python: the engine's loop written a second time."""

    def __init__(self, market: Market, table: kpi.KpiTable, seed: int, copy: int) -> None:
        module = importlib.import_module(market.kernels)
        self.observe, self.play = pure(module.observe), pure(module.play)
        self.market, self.terms = market, kpi.compile_kpi(market, table)
        self.fold, self.moment = pure(rng.fold), pure(rng.moment)
        self.key = self.fold(pure(rng.stream)(seed, rng.NATURE), copy)
        self.state = np.zeros(market.state_width)
        pure(module.reset)(market.params, self.state, self.fold(self.key, 0))
        self.measures = np.zeros((len(market.seats) + 1, len(market.measures)))
        self.scores = np.zeros(len(self.terms) + len(market.seats))

    def step(self, actions: np.ndarray, round_: int, phase: int) -> list[int]:
        """Returns what every seat sees next."""
        if phase == 0:
            self.measures[:] = 0.0
        key = self.moment(self.key, 0, round_, phase)
        self.play(self.market.params, self.state, phase, actions, self.measures, key)
        following = (phase + 1) % len(self.market.phases)
        if following == 0:
            pure(kpi.score)(self.terms, self.measures, self.scores)
        seats = range(len(self.market.seats))
        return [self.observe(self.market.params, self.state, following, s) for s in seats]


def assert_plays_as_in_pure_python(
    market: Market, table: kpi.KpiTable, luck: Any, rounds: int
) -> None:
    """The engine and pure Python agree bit for bit, phase by phase, under random actions."""
    copies = 6
    engine = Engine(market, table, seeds=[11], copies=copies)
    plain = [PlainCopy(market, table, 11, copy) for copy in range(copies)]
    engine.reset()
    for round_ in range(rounds):
        for phase in range(len(market.phases)):
            actions = random_actions(engine, luck)
            engine.step(actions)
            seen = [p.step(a, round_, phase) for p, a in zip(plain, actions, strict=True)]
            assert seen == engine.observations.tolist()
            for r, copy in enumerate(plain):
                np.testing.assert_array_equal(engine.rows.state[r], copy.state)
                np.testing.assert_array_equal(engine.measures[r], copy.measures)
        for r, copy in enumerate(plain):
            np.testing.assert_array_equal(engine.rows.scores[r], copy.scores)
