"""Two stateless Q-learning bidders: in tacit's compiled loop, and as one writes them in Python.

Settings of the published experiment: Banchio, Skrzypacz, "Artificial Intelligence and Auction
Design", EC 2022 (19 bids, values 1, the winner of a tie drawn).
"""

from __future__ import annotations

import math
import random

import numpy as np
from numpy.typing import NDArray

from benchmarks.timing import Case, Work
from tacit.agents.tabular.config import QLearningConfig
from tacit.agents.tabular.group import TabularGroup
from tacit.envs import kpi
from tacit.envs.registry import make_market

ALPHA, DISCOUNT, EPSILON, DECAY, INITIAL = 0.05, 0.99, 0.025, 2e-4, 100.0
BIDDERS, BIDS = 2, 19


def learn(rounds: int, price_mix: float, seed: int = 0) -> NDArray[np.float64]:
    """Plain Python over a NumPy table; returns Q `[bidders, bids]`."""
    luck = random.Random(seed)
    grid = [(k + 1) / (BIDS + 1) for k in range(BIDS)]
    q = np.full((BIDDERS, BIDS), INITIAL)
    for t in range(rounds):
        epsilon = EPSILON * math.exp(-DECAY * t)
        bids = [
            luck.randrange(BIDS) if luck.random() < epsilon else int(q[i].argmax())
            for i in range(BIDDERS)
        ]
        winner = luck.randrange(BIDDERS) if bids[0] == bids[1] else bids.index(max(bids))
        price = price_mix * grid[bids[winner]] + (1.0 - price_mix) * grid[bids[1 - winner]]
        for i, bid in enumerate(bids):
            profit = 1.0 - price if i == winner else 0.0
            q[i, bid] += ALPHA * (profit + DISCOUNT * q[i].max() - q[i, bid])
    return q


def plain_case(name: str, price_mix: float, rounds: int) -> Case:
    """The loop above."""

    def play() -> int:
        learn(rounds, price_mix)
        return rounds

    return Case(name, lambda: play)


def tacit_case(name: str, price_mix: float, rounds: int) -> Case:
    """`TabularGroup.run`, from the first round on: a new group for every repeat."""
    market = make_market("ad_auction", {"price_mix": price_mix, "bidders": BIDDERS, "bids": BIDS})
    config = QLearningConfig(
        learning_rate=ALPHA,
        discount=DISCOUNT,
        epsilon=EPSILON,
        epsilon_decay=DECAY,
        initial_q=INITIAL,
    )
    configs = {seat.name: config for seat in market.seats}
    table = kpi.resolve(market, None)

    def prepare() -> Work:
        group = TabularGroup(market, table, configs, seed=0)
        return lambda: group.run(rounds)

    return Case(name, prepare)
