"""Groups with networks, bit for bit: saved and loaded, beside other seeds and on two threads."""

from __future__ import annotations

import hashlib
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from support.toy_markets.errand import Errand
from threadpoolctl import threadpool_info, threadpool_limits

from tacit.agents import group as module
from tacit.agents.batch.group import BatchGroup
from tacit.agents.batch.single_thread import one_thread
from tacit.agents.group import make_group
from tacit.agents.neural.arrays import CELLS_AT_ONCE
from tacit.agents.neural.config import IdqnConfig, IppoConfig
from tacit.agents.scripted import ScriptedConfig
from tacit.agents.tabular.config import QLearningConfig as Q
from tacit.emergence.objective import mirror
from tacit.envs import kpi
from tacit.envs.registry import make_market
from tacit.training import train
from tacit.training.board import verdict_text

BATCH = 16
NET = {"hidden": (8,), "rounds_per_update": BATCH, "learning_rate": 0.01}
IPPO = IppoConfig(**NET, learning_rate_end=0.0, average_from=0.3)
IDQN = IdqnConfig(**NET, replay=300, batch=32, steps=4, target_every=7, epsilon_decay=0.01)
LOOSE = Q(epsilon_decay=0.01, initial_q=(0.0, 1.0))
TABLE = {"caller": {"pay": 1.0, "again": {"measure": "pay", "weight": -0.5, "transform": "square"}}}


def group(configs: Any, seed: int = 0, **keys: Any) -> BatchGroup:
    """A caller and two workers before training; one config for all, or a list."""
    market = Errand()
    configs = configs if isinstance(configs, list) else [configs] * 3
    named = {seat.name: config for seat, config in zip(market.seats, configs, strict=True)}
    table = kpi.resolve(market, TABLE)
    keys = {"copies": 4, "episode_rounds": 7, "total_rounds": 200, **keys}
    return make_group(market, table, named, seed, **keys)


def torch(config):
    return config.model_copy(update={"engine": "torch"})


MIXES = {
    "ippo": IPPO,
    "idqn": IDQN,
    "pytorch's": [torch(IPPO), torch(IDQN), torch(IPPO)],
    "all kinds": [LOOSE, IPPO, IDQN],
    "a scripted one": [IPPO, ScriptedConfig(rule="random"), LOOSE],
}


def assert_same(one: BatchGroup, other: BatchGroup) -> None:
    """All that changes, and the tables that play."""
    np.testing.assert_equal(one.state(), other.state())
    for mine, yours in zip(one.tables(), other.tables(), strict=True):
        np.testing.assert_array_equal(mine, yours)
    played, others = (each.seed_state.q_arrays.cumulative for each in (one, other))
    np.testing.assert_array_equal(played, others)


# --- an update ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"minibatches": 3, "epochs": 3, "entropy": 0.01},
        {"minibatches": 100, "epochs": 2},  # more than there are samples
        {"hidden": (), "normalise_advantages": False, "discount": 0.0},
        {"precision": "float32", "minibatches": 2},
    ],
    ids=str,
)
def test_an_update_at_once_is_its_steps(keys):
    whole, stepwise = (group(IPPO.model_copy(update=keys)) for _ in range(2))
    for one, other in zip(whole.learners.values(), stepwise.learners.values(), strict=True):
        assert one._at_once is not None
        other._at_once = None
    for rounds in (BATCH, 3 * BATCH, 5):
        whole.run(rounds)
        stepwise.run(rounds)
        assert_same(whole, stepwise)
        assert whole.figures == stepwise.figures


@pytest.mark.parametrize("terms", [None, {"provider": {"profit": 1.0, "price_change": -0.5}}])
@pytest.mark.parametrize("minibatches", [1, 3, 4, 7])
def test_epochs_that_are_summed_in_one_pass_are_summed_one_by_one(minibatches, terms):
    """8,000 samples of at most 9 observations and 3 actions: fewer cells than samples."""
    market = make_market("cloud_bandwidth", {"prices": 3})
    config = IppoConfig(hidden=(4,), rounds_per_update=25, minibatches=minibatches)
    assert config.epochs * minibatches * 27 < 25 * 320 <= CELLS_AT_ONCE
    named = {seat.name: config for seat in market.seats}
    whole, stepwise = (
        make_group(market, kpi.resolve(market, terms), named, 0, 320, None, 1000) for _ in range(2)
    )
    for learner in stepwise.learners.values():
        learner._at_once = None
    for _ in range(2):
        whole.run(25)
        stepwise.run(25)
        assert_same(whole, stepwise)


@pytest.mark.parametrize("discount", [0.0, 0.9])
def test_what_is_behind_a_batch_is_not_looked_for_where_it_does_not_count(discount):
    """Learned alike with and without looking ahead; with a discount all groups look ahead."""
    market = make_market("procurement")
    config = IppoConfig(**NET, discount=discount)
    named = {seat.name: config for seat in market.seats}
    one, other = (
        make_group(market, kpi.resolve(market, None), named, 0, 32, 5, 1000) for _ in range(2)
    )
    assert one.looks_ahead == (discount > 0.0)
    other.looks_ahead = True
    for group_ in (one, other):
        group_.run(4 * BATCH)
    assert_same(one, other)


# --- saved and loaded -----------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("rounds", [4 * BATCH, 4 * BATCH + 5], ids=["between", "within a batch"])
@pytest.mark.parametrize("mix", MIXES)
def test_saved_and_loaded_it_goes_on_as_if_never_stopped(mix, rounds):
    whole, first, second = (group(MIXES[mix]) for _ in range(3))
    whole.run(2 * rounds)
    first.run(rounds)
    second.load(first.state())
    second.run(rounds)
    assert_same(second, whole)


@pytest.mark.parametrize("rounds", [2 * BATCH, 2 * BATCH + 5], ids=["between", "within a batch"])
def test_a_group_goes_back_to_where_it_was(rounds):
    """Also from the middle of another batch, with decisions still open: a rollback."""
    each, other = group(MIXES["all kinds"]), group(MIXES["all kinds"])
    each.run(rounds)
    before = each.state()
    each.run(BATCH + 6)
    each.load(before)
    other.run(rounds)
    assert_same(each, other)
    each.run(2 * BATCH)
    other.run(2 * BATCH)
    assert_same(each, other)


def test_pieces_of_a_run_are_the_run():
    whole, pieces = group(MIXES["all kinds"]), group(MIXES["all kinds"])
    whole.run(100)
    for rounds in (1, 15, 40, 44):
        assert pieces.run(rounds) == rounds
    assert_same(pieces, whole)


@pytest.mark.parametrize(
    "other",
    [
        {"hidden": (9,)},
        {"precision": "float64"},
        {"encoding": "observation"},
        {"average_from": None},
    ],
    ids=str,
)
def test_a_state_that_does_not_fit_changes_nothing(other):
    """Not even the counters: the clocks of both groups differ."""
    each, unlike = group(IPPO), group(IPPO.model_copy(update=other))
    each.run(BATCH)
    unlike.run(5)
    before = each.state()
    for state in (unlike.state(), {}, {k: v for k, v in before.items() if "return_scale" not in k}):
        with pytest.raises(ValueError, match="the saved state does not fit this configuration"):
            each.load(state)
        np.testing.assert_equal(each.state(), before)


def test_a_rollout_buffer_of_another_length_does_not_fit():
    each, unlike = group(IPPO), group(IPPO.model_copy(update={"rounds_per_update": 32}))
    each.run(3)
    unlike.run(5)
    before = each.state()
    with pytest.raises(ValueError, match=r"rollout_buffer\.observation: the saved state does not"):
        each.load(unlike.state())
    np.testing.assert_equal(each.state(), before)


# --- seeds, threads -------------------------------------------------------------------------------


def test_threads_and_neighbours_change_nothing():
    def learned(seed: int) -> dict[str, np.ndarray]:
        each = group([IPPO, IDQN, torch(IPPO)], seed)
        each.run(3 * BATCH)
        return each.state()

    alone = [learned(seed) for seed in range(4)]
    with ThreadPoolExecutor(2) as threads:
        beside = list(threads.map(learned, range(4)))
    for one, two in zip(alone, beside, strict=True):
        np.testing.assert_equal(one, two)
    name = "learner.caller_0.actor_critic.actor.parameters"
    assert not np.array_equal(alone[0][name], alone[1][name])


RUN = (
    "market.suppliers=2", "agents.buyer.name=idqn", "agents.supplier.name=ippo",
    "agents.supplier.rounds_per_update=32", "agents.buyer.rounds_per_update=32",
    "agents.supplier.hidden=[16,16]", "agents.buyer.batch=64",
    "agents.supplier_1.engine=torch", "train.rounds=320",
    "train.copies=8", "train.measure_last=32", "train.episode_rounds=20",
)  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """SHA-256 of seed 0's checkpoint, by (seeds, threads)."""

    def sha(seeds: int, threads: int) -> str:
        results = tmp_path_factory.mktemp("exact")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TACIT_THREADS", str(threads))
            patch.setattr(mirror, "STEPS", 20)  # what is judged at the end is not asked here
            patch.setattr(mirror, "STARTS", 2)
            patch.setattr(mirror, "_KNOWN", {})
            patch.setattr(verdict_text, "draw_plots", lambda arm, measures: {})
            train("procurement", [*RUN, f"seeds={seeds}"], results=results)
        [file] = Path(results).glob("*/*/s0/checkpoint.safetensors")
        return hashlib.sha256(file.read_bytes()).hexdigest()

    return sha


@pytest.mark.slow
def test_weights_do_not_depend_on_seeds_and_threads_beside(trained):
    assert len({trained(1, 1), trained(2, 2)}) == 1


@pytest.mark.slow
def test_weights_do_not_depend_on_sixteen_seeds_beside(trained):
    assert len({trained(1, 2), trained(16, 1), trained(16, 2)}) == 1


def test_arithmetic_runs_on_one_thread(monkeypatch):
    """From the first initial weight on, whatever somebody set before."""
    counts: list[int] = []
    plain = module.make_learner

    def counting(*given):
        counts.extend(pool["num_threads"] for pool in threadpool_info())
        return plain(*given)

    monkeypatch.setattr(module, "make_learner", counting)
    for _ in range(2):
        threadpool_limits(2)
        assert any(pool["num_threads"] == 2 for pool in threadpool_info())
        group(IPPO)
        counts.extend(pool["num_threads"] for pool in threadpool_info())
    assert len(counts) > 2
    assert set(counts) == {1}


def test_torch_is_limited_where_it_is_imported_and_only_if_need_be(monkeypatch):
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    one_thread()  # without it
    limits = []
    for threads in (1, 2):
        stub = SimpleNamespace(get_num_threads=lambda n=threads: n, set_num_threads=limits.append)
        monkeypatch.setitem(sys.modules, "torch", stub)
        one_thread()
    assert limits == [1]
