"""Many batches of learners without hidden layers in one call have the bits of single batches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.toy_markets.errand import Errand

from tacit.agents.batch.group import BatchGroup
from tacit.agents.batch.learner import Diverged
from tacit.agents.group import make_group
from tacit.agents.neural.config import IdqnConfig, IppoConfig
from tacit.agents.neural.tables import batches
from tacit.agents.scripted import ScriptedConfig
from tacit.agents.tabular.config import QLearningConfig
from tacit.envs import kpi
from tacit.envs.registry import make_market

TABLE = IppoConfig(
    hidden=(), encoding="observation", rounds_per_update=1, discount=0.0, epochs=1, minibatches=1,
    learning_rate=0.05, normalise_advantages=False, max_gradient=0.0,
)  # fmt: skip
SCHEDULED = {"learning_rate_end": 0.0, "entropy_end": 0.0, "average_from": 0.4}
KPI = {"caller": {"pay": 1.0, "again": {"measure": "pay", "weight": -0.5, "transform": "square"}}}
ROUNDS = (1, 40, 6, 75)  # some are single batches, and some end within one


@pytest.fixture(autouse=True)
def short_trainings_too(monkeypatch):
    monkeypatch.setattr(batches, "LEAST_UPDATES", 0)


def group(keys: Any = None, agents: Any = None, **others: Any) -> BatchGroup:
    """A caller and two workers, a worker of whom has a choice in some rounds only."""
    market, config = Errand(), TABLE.model_copy(update=keys or {})
    named = {seat.name: config for seat in market.seats} | (agents or {})
    others = {"copies": 2, "episode_rounds": 7, "total_rounds": 200, **others}
    return make_group(market, kpi.resolve(market, KPI), named, 3, **others)


def one_by_one(made: BatchGroup) -> BatchGroup:
    """A group that plays batch by batch, and whose learners make an update step by step."""
    made.batches_at_once = None
    for learner in made.learners.values():
        learner._at_once = None
    return made


def assert_same(one: BatchGroup, other: BatchGroup) -> None:
    np.testing.assert_equal(one.state(), other.state())
    np.testing.assert_equal(one.figures, other.figures)
    for mine, yours in zip(one.tables(), other.tables(), strict=True):
        np.testing.assert_array_equal(mine, yours)
    played, others = (each.seed_state.q_arrays.cumulative for each in (one, other))
    np.testing.assert_array_equal(played, others)


@pytest.mark.parametrize(
    "keys",
    [
        {},
        SCHEDULED,
        {
            "rounds_per_update": 4,
            "discount": 0.9,
            "normalise_advantages": True,
            "max_gradient": 0.1,
        },
        {"rounds_per_update": 3, "epochs": 2, "minibatches": 5, "encoding": "digits", **SCHEDULED},
    ],
    ids=["plain", "scheduled", "discounted", "minibatches"],
)
def test_many_batches_are_single_ones(keys):
    whole, single = group(keys), one_by_one(group(keys))
    for rounds in ROUNDS:
        assert whole.run(rounds) == single.run(rounds) == rounds
        assert_same(whole, single)
    worker = whole.learners["worker_1"]
    assert 0 < worker.updates <= whole.rounds // whole.batch_rounds
    if whole.batch_rounds == 1:  # with so few copies, some batches hold no sample of a worker
        assert worker.updates < whole.rounds


def test_one_call_is_what_plays(monkeypatch):
    """Batch by batch only where one is left, or where rounds are recorded."""
    made, called = group(), []
    run = made.batches_at_once.run
    monkeypatch.setattr(made.batches_at_once, "run", lambda n: called.append(n) or run(n))
    made.run(50)
    made.run(1)
    made.run(2)
    assert called == [50, 2]


def test_a_call_makes_no_more_steps_than_it_has_memory_for(monkeypatch):
    monkeypatch.setattr(batches, "MOST_STEPS", 16)
    short, long = group(SCHEDULED), one_by_one(group(SCHEDULED))
    short.run(50)
    long.run(50)
    assert_same(short, long)


@pytest.mark.parametrize("rounds_per_update", [1, 4])
def test_told_to_halt_it_plays_one_round(rounds_per_update):
    halted, single = (group({"rounds_per_update": rounds_per_update}) for _ in range(2))
    one_by_one(single)
    for _ in range(5):
        for each in (halted, single):
            each.halt[0] = 1
            assert each.run(20) == 1
        assert_same(halted, single)
    halted.halt[0] = single.halt[0] = 0
    halted.run(21)
    single.run(21)
    assert_same(halted, single)


def test_it_goes_on_from_a_saved_state():
    first, second, whole = group(SCHEDULED), group(SCHEDULED), group(SCHEDULED)
    first.run(30)
    second.load(first.state())
    second.run(40)
    whole.run(70)
    np.testing.assert_equal(second.state(), whole.state())


def test_learners_that_diverge_are_named_alike():
    messages = []
    for prepare in (lambda made: made, one_by_one):
        made = prepare(group({"learning_rate": 1e30, "adam_betas": (0.0, 0.0)}))
        with pytest.raises(Diverged) as error:
            made.run(100)
        messages.append((str(error.value), made.rounds))
    assert messages[0] == messages[1]


RANDOM = ScriptedConfig(rule="random")


@pytest.mark.parametrize(
    ("keys", "agents"),
    [
        ({"hidden": (4,)}, {}),
        ({"engine": "torch"}, {}),
        ({}, {"caller_0": QLearningConfig()}),
        ({}, {"caller_0": IdqnConfig(rounds_per_update=1)}),
        ({}, {"caller_0": TABLE.model_copy(update={"precision": "float64"})}),
        ({"rounds_per_update": batches.MOST_ROUNDS}, {}),
    ],
    ids=["hidden", "torch", "Q-learner", "DQN", "precisions", "large"],
)
def test_other_groups_play_batch_by_batch(keys, agents):
    assert group(keys, agents).batches_at_once is None
    assert group({}, {"caller_0": RANDOM}).batches_at_once is not None


def test_rounds_that_are_looked_up_stay_so():
    market = make_market("cloud_bandwidth", {"prices": 3})
    table = kpi.resolve(market, None)
    for rounds, looked_up in ((1, False), (4, True)):
        config = TABLE.model_copy(update={"rounds_per_update": rounds})
        made = make_group(market, table, {seat.name: config for seat in market.seats}, 0, 8)
        assert made.may_look_up == looked_up
        assert (made.batches_at_once is None) == looked_up


def test_a_market_whose_table_would_be_too_large_has_batches_at_once():
    market = make_market("cloud_bandwidth", {"prices": 40})
    config = TABLE.model_copy(update={"rounds_per_update": 4})
    named = {seat.name: config for seat in market.seats}
    made = make_group(market, kpi.resolve(market, None), named, 0, 8)
    assert made.may_look_up
    assert made.batches_at_once is not None


def test_a_short_training_is_not_worth_the_compiler(monkeypatch):
    monkeypatch.setattr(batches, "LEAST_UPDATES", 100)
    four = {"rounds_per_update": 4}
    for keys, rounds, long in (
        ({}, 99, False),
        ({}, 100, True),
        (four, 399, False),
        (four, 400, True),
    ):
        assert (group(keys, total_rounds=rounds).batches_at_once is not None) == long
