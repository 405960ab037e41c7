"""Live seats: a bot that is a function learns others the same bits as its frozen table does."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from tacit.agents.external.doors.answers import ACTION, PROBABILITIES
from tacit.agents.external.fixed_seat import FixedSeat
from tacit.agents.group import make_group
from tacit.agents.live.answers import LiveAnswer, LiveDecision
from tacit.agents.live.group import LiveGroup
from tacit.agents.registry import make_config
from tacit.envs import kpi as kpis
from tacit.envs import rng
from tacit.envs.engine.policy_tables import mask
from tacit.envs.registry import make_market

LIVE = {"name": "external", "call": "never:asked", "live": True}
Q = {"name": "q_learning", "learning_rate": 0.2, "epsilon_decay": 0.01}
PPO = {"name": "ippo", "rounds_per_update": 16, "hidden": [8], "minibatches": 2, "epochs": 2}


@dataclass
class Table:
    """Answers from a table, and keeps count of what it was asked."""

    market: object
    tables: dict
    asked: list = field(default_factory=list)

    def answer(self, decision: LiveDecision) -> LiveAnswer:
        self.asked.append(decision)
        role = self.market.seat(decision.seat).role
        first, count = role.legal[decision.observation]
        row = self.tables[decision.seat][decision.observation, first : first + count].copy()
        return LiveAnswer(ACTION if (row == 1.0).any() else PROBABILITIES, 0, row)

    def close(self) -> None:
        pass


def mixed_table(role, seed=0):
    """Random rows, half of them of a single action."""
    shape, key = (role.observations, role.actions), rng.seed_key(seed, rng.PROBE)
    table = rng.draws(rng.child_key(key, 0), role.observations * role.actions).reshape(shape)
    table = (table + 0.01) * mask(role)
    sure = rng.draws(rng.child_key(key, 1), role.observations) < 0.5
    table[sure] = (table == table.max(axis=1, keepdims=True))[sure]
    return table / table.sum(axis=1, keepdims=True)


def groups(market, live, learner, seed=3, **keys):
    """A group with live seats, one with their tables, and the source of answers."""
    kpi = kpis.resolve(market, None)
    learners = {s.name: make_config(learner, "a") for s in market.seats if s.name not in live}
    tables = {name: mixed_table(market.seat(name).role, k) for k, name in enumerate(live)}
    bots = learners | {name: make_config(LIVE, "a") for name in live}
    fixed = learners | {name: FixedSeat.of(table) for name, table in tables.items()}
    one = make_group(market, kpi, bots, seed, total_rounds=10_000, **keys)
    other = make_group(market, kpi, fixed, seed, total_rounds=10_000, **keys)
    assert isinstance(one, LiveGroup)
    one.source = Table(market, tables)
    return one, other, one.source


def learned(group):
    return {k: v for k, v in group.state().items() if not k.startswith("live.")}


def assert_same(one, other):
    own, theirs = learned(one), learned(other)
    assert own.keys() == theirs.keys()
    for name, array in theirs.items():
        np.testing.assert_array_equal(own[name], array, err_msg=name)


CASES = {
    "prices": ("cloud_bandwidth", {"prices": 5}, ["provider_0"], Q, {}),
    "prices, PPO": ("cloud_bandwidth", {"prices": 5}, ["provider_1"], PPO, {}),
    "prices, episodes": (
        "cloud_bandwidth",
        {"prices": 5},
        ["provider_0"],
        Q,
        {"episode_rounds": 7},
    ),
    "a claim": ("cheap_talk", {}, ["sender_0"], Q, {}),
    "who hears it": ("cheap_talk", {}, ["receiver_0"], Q, {}),
    "three phases": ("procurement", {}, ["supplier_0"], Q, {}),
    "the buyer": ("procurement", {}, ["buyer_0"], Q, {}),
}


@pytest.mark.parametrize("case", CASES)
def test_a_function_teaches_the_same_bits_as_its_table(case):
    name, keys, live, learner, more = CASES[case]
    market = make_market(name, keys)
    one, other, source = groups(market, live, learner, **more)
    for rounds in (1, 40, 59):
        assert one.run(rounds) == rounds
    other.run(100)
    assert_same(one, other)
    assert len(set(source.asked)) == len(source.asked)  # nothing was asked twice
    assert one.counts()[live[0]]["answers"] == len(source.asked)
    for own, theirs in zip(one.read(), other.read(), strict=True):
        np.testing.assert_array_equal(own, theirs)
