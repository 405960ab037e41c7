"""The kinds of scripted adopters, and series of repetitions of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from tacit.envs import rng
from tacit.envs.types import Floats

from .prices import Markets, among, drawn_markets, equilibrium_prices

REPETITIONS = 48


@dataclass(frozen=True)
class ScriptedAdopters:
    """One kind.

    Attributes:
        name: as in `expected.yaml`.
        spread: of what is drawn, money.
        weight: what an adopter counts of another adopter's profit.
        everybody: what everybody counts of everybody's profit, whoever adopts.
        providers: N; arms have 1 .. N adopters.
        saving: by how much adopting lowers an adopter's cost, money.
        selection: by how much costs are higher with each adopter more, money.
    """

    name: str
    spread: float
    weight: float = 0.0
    everybody: float = 0.0
    providers: int = 3
    saving: float = 0.0
    selection: float = 0.0

    @property
    def numbers(self) -> tuple[int, ...]:
        """Adopters of each arm."""
        return tuple(range(1, self.providers + 1))

    def markets(self, adopters: int, count: int, key: np.uint64) -> Markets:
        """Drawn markets in which so many adopt."""
        drawn = drawn_markets(count, self.providers, self.spread, key)
        cost = drawn.cost + self.selection * (adopters - 1)
        cost[:, :adopters] -= self.saving
        return replace(drawn, cost=cost)

    def prices(self, adopters: int, count: int, key: np.uint64) -> Floats:
        """Prices float64 `[count, N]` in as many markets; the first `adopters` seats adopt."""
        weights = np.maximum(
            among(adopters, self.providers, self.weight),
            among(self.providers, self.providers, self.everybody),
        )
        return equilibrium_prices(self.markets(adopters, count, key), weights)

    def series(self, count: int) -> Iterator[tuple[list[Floats], Floats]]:
        """Independent series: the adopters' mean by repetition float64 `[48]` for each arm, and
        the prices of all seats where one adopts, float64 `[48, N]`.

        Args:
            count: of series.
        """
        name = sum(ord(letter) * 257**k for k, letter in enumerate(self.name)) % 2**31
        key = rng.seed_key(name, rng.PROBE)
        arms = [
            self.prices(n, count * REPETITIONS, rng.child_key(key, n)).reshape(
                count, REPETITIONS, self.providers
            )
            for n in self.numbers
        ]
        for k in range(count):
            means = [arm[k, :, :n].mean(axis=1) for n, arm in zip(self.numbers, arms, strict=True)]
            yield means, arms[0][k]


CASES = (
    ScriptedAdopters("independent, spread .05", 0.05),
    ScriptedAdopters("independent, spread .1", 0.1),
    ScriptedAdopters("independent, spread .2", 0.2),
    ScriptedAdopters("independent, four providers", 0.1, providers=4),
    ScriptedAdopters("agreed, spread .05", 0.05, weight=1.0),
    ScriptedAdopters("agreed, spread .1", 0.1, weight=1.0),
    ScriptedAdopters("agreed, spread .2", 0.2, weight=1.0),
    ScriptedAdopters("agreed, four providers", 0.1, weight=1.0, providers=4),
    ScriptedAdopters("weight .5, spread .1", 0.1, weight=0.5),
    ScriptedAdopters("weight .25, spread .1", 0.1, weight=0.25),
    ScriptedAdopters("weight .25, spread .2", 0.2, weight=0.25),
    ScriptedAdopters("weight .1, spread .1", 0.1, weight=0.1),
    ScriptedAdopters("all collude, whoever adopts", 0.1, everybody=0.5),
    ScriptedAdopters("adopters have lower costs", 0.1, saving=0.1),
    ScriptedAdopters("more adopt where costs are higher", 0.1, selection=0.1),
)
