"""The compiled Q-learning loop against a slow one that meets the same draws."""

from __future__ import annotations

import numpy as np
import pytest
from support.independent.slow_q import KPI, SEED, SlowGroup
from support.toy_markets.errand import Errand

from tacit.agents.scripted import ScriptedConfig
from tacit.agents.tabular.config import QLearningConfig as Q
from tacit.agents.tabular.group import TabularGroup
from tacit.agents.tabular.multiplicative_weights import MultiplicativeWeightsConfig as Hedge
from tacit.envs import kpi
from tacit.envs.registry import make_market


def decaying(**keys) -> Q:
    return Q(epsilon_decay=0.01, epsilon_min=0.05, **keys)


PUBLISHER = {"publisher": True, "bids": 4, "observe": "price"}
CASES = {
    "exponential": ({"observe": "price", "bids": 5}, [decaying()], {}),
    "constant": ({"observe": "bids", "bids": 3}, [Q(exploration="constant", epsilon=0.3)], {}),
    "greedy": ({"observe": "bids", "bids": 3}, [Q(exploration="none", initial_q=(0, 9))], {}),
    "boltzmann": (
        {"observe": "price", "bids": 5, "bidders": 3},
        [Q(exploration="boltzmann", temperature=0.5, temperature_decay=0.01, initial_q=0.3)],
        {},
    ),
    "random ties": (
        {"observe": "price", "bids": 5},
        [decaying(tie_break="random", initial_q=0, discount=0)],
        {"copies": 2},
    ),
    "synchronous": (
        {"observe": "price", "bids": 4},
        [decaying(update="synchronous", learning_rate=0.3)],
        {"copies": 2},
    ),
    "synchronous random ties": (
        {"bids": 4, "price_mix": 1.0},
        [decaying(update="synchronous", tie_break="random", initial_q=0)],
        {},
    ),
    "one of each": (
        {"observe": "bids", "bids": 3, "bidders": 3},
        [decaying(update="synchronous"), decaying(discount=0.5), ScriptedConfig(rule="random")],
        {"copies": 3},
    ),
    "multiplicative weights": (
        {"observe": "price", "bids": 4},
        [Hedge(learning_rate=0.7)],
        {"copies": 2, "episode_rounds": 9},
    ),
    "multiplicative weights beside others": (
        {"bids": 3, "bidders": 3, "ties": "shared"},
        [Hedge(), decaying(discount=0.5), ScriptedConfig(rule="random")],
        {},
    ),
    "publisher": (PUBLISHER, [decaying()], {"copies": 2}),
    "publisher beside a scripted bidder": (
        PUBLISHER,
        [decaying(discount=0.9), ScriptedConfig(rule="random"), decaying(learning_rate=0.5)],
        {},
    ),
    "episodes": ({"observe": "price", "bids": 5}, [decaying()], {"episode_rounds": 7}),
    "publisher's episodes": (PUBLISHER, [decaying()], {"episode_rounds": 5, "copies": 2}),
    "twice a round and not every round": (None, [decaying(discount=0.8)], {"copies": 2}),
    "twice a round, in episodes": (None, [decaying(discount=0.8)], {"episode_rounds": 4}),
    "short episodes": ({"observe": "bids", "bids": 3}, [decaying()], {"episode_rounds": 1}),
}


@pytest.mark.parametrize("case", CASES)
def test_the_compiled_loop_equals_a_slow_one(case):
    config, configs, keys = CASES[case]
    market = Errand() if config is None else make_market("ad_auction", config)
    configs = configs * len(market.seats) if len(configs) == 1 else configs
    named = {seat.name: c for seat, c in zip(market.seats, configs, strict=True)}
    table = kpi.resolve(market, KPI[market.name])
    fast = TabularGroup(market, table, named, SEED, **keys)
    shapes = [(s.role.observations, s.role.actions) for s in market.seats]
    ends = np.cumsum([o * a for o, a in shapes])[:-1]
    q = [
        part.reshape(s).copy()
        for part, s in zip(np.split(fast.seed_state.q_arrays.q, ends), shapes, strict=True)
    ]
    slow = SlowGroup(market, configs, q, **keys)
    slow.run(300)
    assert fast.run(300) == 300
    np.testing.assert_allclose(
        fast.seed_state.q_arrays.q, np.concatenate([x.ravel() for x in q]), rtol=1e-12
    )
    mean = slow.measures / 300 / slow.engine.copies
    np.testing.assert_allclose(fast.read()[0], mean, rtol=1e-9, atol=1e-12)
