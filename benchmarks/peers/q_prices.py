"""Two Q-learning providers that remember last prices: looked up, played, and in plain Python.

Settings of the published experiment: Calvano, Calzolari, Denicolo, Pastorello, "Artificial
Intelligence, Algorithmic Pricing, and Collusion", AER 110(10), 2020.
"""

from __future__ import annotations

import math
import random
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.timing import Case, Work
from tacit.agents.tabular.config import QLearningConfig
from tacit.agents.tabular.group import TabularGroup
from tacit.envs import kpi
from tacit.envs.registry import make_market

ALPHA, DISCOUNT, DECAY, STILL = 0.15, 0.95, 4e-6, 100_000
PRICES, LOW, HIGH = 15, 1.42772, 1.97019  # Nash and joint-profit price, a tenth wider
QUALITY, COST, MU = 2.0, 1.0, 0.25


def payoffs() -> NDArray[np.float64]:
    """Logit profits `[2, prices, prices]`."""
    grid = np.linspace(LOW, HIGH, PRICES)
    weight = np.exp((QUALITY - grid) / MU)
    share = weight[:, None] / (1.0 + weight[:, None] + weight)
    first = (grid[:, None] - COST) * share
    return np.stack([first, first.T])


def learn(rounds: int, seed: int = 0) -> NDArray[np.float64]:
    """Plain Python over NumPy tables; returns Q `[2, prices^2, prices]`."""
    luck = random.Random(seed)
    profit = payoffs()
    q = np.empty((2, PRICES**2, PRICES))
    q[0], q[1] = (profit[i].mean(axis=1 - i) / (1.0 - DISCOUNT) for i in (0, 1))
    seen = luck.randrange(PRICES**2)
    for t in range(rounds):
        epsilon = math.exp(-DECAY * t)
        a, b = (
            luck.randrange(PRICES) if luck.random() < epsilon else int(q[i, seen].argmax())
            for i in (0, 1)
        )
        now = a * PRICES + b
        for i, action in enumerate((a, b)):
            target = profit[i, a, b] + DISCOUNT * q[i, now].max()
            q[i, seen, action] += ALPHA * (target - q[i, seen, action])
        seen = now
    return q


def plain_case(name: str, rounds: int) -> Case:
    """The loop above."""

    def play() -> int:
        learn(rounds)
        return rounds

    return Case(name, lambda: play)


def tacit_cases(
    names: dict[Literal["always", "never"], str],
    rounds: int,
    update: Literal["asynchronous", "synchronous"] = "asynchronous",
) -> list[Case]:
    """`TabularGroup.run` of new groups, at most so many rounds, which are looked up or played.

    Groups of one market share a transition table, as the seeds of a run do: the first round of a
    race, which only warms up, enumerates it.
    """
    market = make_market("cloud_bandwidth")
    config = QLearningConfig(
        learning_rate=ALPHA,
        discount=DISCOUNT,
        epsilon_decay=DECAY,
        stop_after=STILL,
        update=update,
    )
    configs = {seat.name: config for seat in market.seats}
    table = kpi.resolve(market, None)

    def case(name: str, look_up: Literal["always", "never"]) -> Case:
        def prepare() -> Work:
            group = TabularGroup(market, table, configs, seed=0)
            group.look_up = look_up
            return lambda: group.run(rounds)

        return Case(name, prepare)

    return [case(name, look_up) for look_up, name in names.items()]
