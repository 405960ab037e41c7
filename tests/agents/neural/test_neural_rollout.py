"""What the compiled rollout writes down, against play by hand, PettingZoo and tabular loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.independent.slow_rollout import SlowRollout
from support.neural import TENDER, tender
from support.toy_markets.errand import Errand
from support.toy_markets.solvable import Solvable, chain_q

from tacit.agents.batch.group import NeuralGroup
from tacit.agents.batch.rollout_buffer import RolloutBuffer
from tacit.agents.group import make_group
from tacit.agents.neural.config import IdqnConfig, IppoConfig
from tacit.agents.policy import cumulative
from tacit.agents.scripted import ScriptedConfig
from tacit.agents.tabular.config import QLearningConfig as Q
from tacit.agents.tabular.group import (
    COUNTED,
    EPISODE,
    ROUND,
    T,
    TabularGroup,
)
from tacit.envs import kpi, procurement_v0
from tacit.envs.engine.engine import Engine
from tacit.envs.market import Market

SEED = 5
KPI = {
    "procurement": {
        "supplier": {"margin": 1.0, "false_scarcity": -0.5, "win": 0.0},
        "buyer": {"surplus": 1.0, "false_urgency": -0.1},
    }
}
NET = {"hidden": (8,), "rounds_per_update": 12}
LOOSE = Q(exploration="constant", epsilon=0.5, initial_q=(0.0, 1.0))


def rolled(market: Market, configs: Any, rounds: int = 12, seed: int = SEED, **keys: Any):
    """A group that has played its first batch and not learned from it."""
    table = kpi.resolve(market, KPI.get(market.name))
    if not isinstance(configs, list):
        configs = [configs] * len(market.seats)
    named = {seat.name: config for seat, config in zip(market.seats, configs, strict=True)}
    group = NeuralGroup(market, table, named, seed, **{"copies": 3, **keys})
    group._learn = lambda: None
    group.run(rounds)
    return group


IPPO, IDQN = IppoConfig(**NET), IdqnConfig(**NET, epsilon=0.7, epsilon_min=0.0)
RANDOM = ScriptedConfig(rule="random")
CASES = {
    "tender": (tender, IPPO, {}),
    "tender's episodes": (tender, IPPO, {"episode_rounds": 5}),
    "scripted seats between": (tender, [IPPO, RANDOM, IDQN], {"episode_rounds": 1}),
    "not every round": (Errand, IPPO, {"copies": 6}),
    "not every round, in episodes": (Errand, [IDQN, IPPO, RANDOM], {"episode_rounds": 3}),
}


@pytest.mark.parametrize("case", CASES)
def test_samples_are_those_of_play_by_hand(case):
    make, configs, keys = CASES[case]
    group = rolled(make(), configs, **keys)
    slow = SlowRollout(group)
    slow.run(12, keys.get("episode_rounds"))
    for k, name in enumerate(group.learners):
        for c in range(slow.copies):
            known, book = slow.written[name, c], group.book
            assert book.counts[k, c] == len(known) > 0
            for n, one in enumerate(known):
                own = [array[k, n, c] for array in (book.seen, book.did, book.following, book.gap)]
                assert own == [one.seen, one.did, one.following, one.gap]
                assert bool(book.cut[k, n, c]) == one.cut
                heads = len(one.paid)
                np.testing.assert_allclose(book.reward[k, n, c, :heads], one.paid, rtol=1e-12)
                assert not book.reward[k, n, c, heads:].any()
    gaps = {d.gap for decisions in slow.written.values() for d in decisions}
    assert gaps >= ({0, 1} if make is tender else {0, 1, 2})


def test_hand_play_leaves_decisions_out():
    """(So that the case above does test it: a worker that the look-ahead does not call.)"""
    group = rolled(Errand(), [IDQN, IPPO, RANDOM], episode_rounds=3)
    slow = SlowRollout(group)
    slow.run(12, 3)
    own = [d for (name, _), list_ in slow.written.items() if name == "worker_0" for d in list_]
    assert len({d.t // 3 for d in own if d.cut}) > 1
    assert any(d.cut and d.t % 3 < 2 for d in own)


def test_the_book_is_what_pettingzoo_shows():
    """Copy 0 of a seed is `reset(seed)` of the view: same observations, same rewards."""
    group = rolled(tender(), IPPO, episode_rounds=5)
    env = procurement_v0.parallel_env(market=TENDER, kpi=KPI["procurement"], episode_rounds=5)
    seats, book = env.market.seats, group.book
    left = [list(range(book.counts[s.index, 0])) for s in seats]
    last: dict[str, int] = {}
    for episode in range(2):
        _, infos = env.reset(seed=SEED) if episode == 0 else env.reset()
        while env.agents:
            actions = {}
            for seat in seats:
                mask = infos[seat.name]["action_mask"]
                actions[seat.name] = int(mask.argmax())
                if mask.sum() > 1:
                    n = left[seat.index].pop(0)
                    seen = env.session.engine.observations[0, seat.index]
                    assert book.seen[seat.index, n, 0] == seen
                    actions[seat.name] = int(book.did[seat.index, n, 0])
                    last[seat.name] = n
            ends_round = env.session.engine.phase == len(env.market.phases) - 1
            _, rewards, _, _, infos = env.step(actions)
            for seat in seats if ends_round else ():
                weights = [term.weight for term in group.table[seat.name].values()]
                paid = book.reward[seat.index, last[seat.name], 0, : len(weights)]
                np.testing.assert_allclose(rewards[seat.name], paid @ weights, atol=1e-12)


def arrays(book: RolloutBuffer, copies: slice) -> list[np.ndarray]:
    """What is written of some copies."""
    parts = [book.seen, book.did, book.following, book.gap, book.cut, book.reward]
    return [part[:, :, copies] for part in parts] + [book.counts[:, copies]]


@pytest.mark.parametrize("beside", [RANDOM, LOOSE], ids=["fixed", "learning"])
def test_a_copy_does_not_depend_on_how_many_there_are(beside):
    """(Tabular learners have one Q over all copies; here they never change their minds.)"""
    still = beside.model_copy(update={"learning_rate": 1e-300}) if beside is LOOSE else beside
    few, many = (rolled(Errand(), [IPPO, still, IPPO], copies=n, episode_rounds=4) for n in (2, 5))
    for one, other in zip(arrays(few.book, slice(2)), arrays(many.book, slice(2)), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(many.book.did[:, :, 1], many.book.did[:, :, 4])


def test_seeds_differ():
    one, other = (rolled(tender(), IPPO.model_copy(update={"hidden": ()}), seed=s) for s in (0, 1))
    assert not np.array_equal(one.book.did, other.book.did)


def test_sums_are_those_of_the_engine():
    """Mean measures and scores; the tables that play are the learners'."""
    group = rolled(tender(), IPPO)
    engine = Engine(group.market, group.table, [SEED], 3)
    engine.reset()
    sums = engine.play(cumulative(group.market, group.tables())[None], 12)
    measures, scores = group.read()
    np.testing.assert_allclose(measures, sums.measures.sum(axis=0) / 36, rtol=1e-12)
    np.testing.assert_allclose(scores, sums.scores.sum(axis=0) / 36, rtol=1e-12)


# --- looking ahead --------------------------------------------------------------------------------


def test_a_cut_looks_ahead_to_what_really_comes():
    """The buyer's private urgency is drawn before its brief: a batch that ends there meets the same
    observation as one that goes on; so does an episode's end, where that round is never played."""
    whole = rolled(tender(), IPPO.model_copy(update={"rounds_per_update": 24}), 24)
    half = rolled(tender(), IPPO)
    episodes = rolled(tender(), IPPO, episode_rounds=12)
    buyer = 2
    for c in range(3):
        n = half.book.counts[buyer, c] - 1
        for group in (half, episodes):
            assert group.book.cut[buyer, n, c]
            assert group.book.following[buyer, n, c] == whole.book.following[buyer, n, c]
            assert group.book.gap[buyer, n, c] == whole.book.gap[buyer, n, c] == 1
        assert not whole.book.cut[buyer, n, c]
        assert whole.book.seen[buyer, n + 1, c] == half.book.following[buyer, n, c]
        np.testing.assert_array_equal(half.book.reward[buyer, n, c], whole.book.reward[buyer, n, c])


def test_looking_ahead_moves_nothing():
    """Batches of 4 rounds and of 12 play the same rounds as long as nobody learns."""
    short = rolled(tender(), IPPO.model_copy(update={"rounds_per_update": 4}), 4)
    for _ in range(2):
        short.book.counts[:] = 0
        short.run(4)
    long = rolled(tender(), IPPO)
    for one, other in zip(short.rows, long.rows, strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(short.read(), long.read(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("episode_rounds", [None, 4])
def test_who_plays_best_and_knows_it_has_no_advantage(episode_rounds):
    """The chain has two phases. Under the best policy and its true values every error is zero."""
    market, q = Solvable({"game": "chain"}), np.nan_to_num(chain_q(0.9), nan=-np.inf)
    config = IppoConfig(rounds_per_update=12, hidden=(), encoding="observation", discount=0.9)
    group = rolled(market, config, 0, episode_rounds=episode_rounds)
    learner = group.learners["player_0"]
    best = (q == q.max(axis=1, keepdims=True)).astype(float)
    learner.current[:] = best
    group._act()
    group.run(12)
    book, value = group.book, q.max(axis=1)
    assert book.counts.tolist() == [[24, 24, 24]]
    error = book.reward[0, :24, :, 0] + 0.9 ** book.gap[0] * value[book.following[0]]
    np.testing.assert_allclose(error, value[book.seen[0]], rtol=1e-12)


# --- beside tabular learners ----------------------------------------------------------------------

STANDS = IppoConfig(hidden=(), rounds_per_update=400)  # a uniform policy, exactly
BESIDE = {
    "twice a round": (Errand, [LOOSE, STANDS, LOOSE], {}),
    "in episodes": (Errand, [STANDS, LOOSE, STANDS], {"episode_rounds": 4}),
    "decaying": (Errand, [Q(epsilon_decay=0.01), STANDS, LOOSE], {"episode_rounds": 7}),
}


@pytest.mark.slow  # (a market more to compile two loops for)
def test_synchronous_learners_learn_as_beside_a_fixed_table():
    learner = Q(update="synchronous", epsilon_decay=0.01)
    assert_learns_alike(Solvable(), [learner, STANDS])


@pytest.mark.parametrize("case", BESIDE)
def test_tabular_learners_learn_as_beside_a_fixed_table(case):
    make, configs, keys = BESIDE[case]
    assert_learns_alike(make(), configs, **keys)


def assert_learns_alike(market: Market, configs: list[Any], **keys: Any) -> None:
    """A tabular learner beside `STANDS` is one beside the uniform table, bit for bit."""
    mixed = rolled(market, configs, 300, **keys)
    fixed = [RANDOM if config is STANDS else config for config in configs]
    named = {seat.name: config for seat, config in zip(market.seats, fixed, strict=True)}
    tabular = TabularGroup(market, mixed.table, named, SEED, copies=3, **keys)
    tabular.run(300)
    one, other = mixed.state(), tabular.state()
    clocks = [state.pop("tables.clock")[[T, EPISODE, ROUND, COUNTED]] for state in (one, other)]
    np.testing.assert_array_equal(*clocks)
    for name, array in other.items():
        np.testing.assert_array_equal(one[name], array, err_msg=name)
    np.testing.assert_array_equal(np.sort(mixed.tables()[0]), np.sort(tabular.tables()[0]))


def test_without_networks_a_group_is_tabular():
    market = Solvable()
    named = {seat.name: LOOSE for seat in market.seats}
    table = kpi.resolve(market, None)
    one = make_group(market, table, named, SEED, 2, 7, 1000)
    assert type(one) is TabularGroup
    other = TabularGroup(market, table, named, SEED, 2, 7)
    for group in (one, other):
        group.run(300)
    np.testing.assert_equal(one.state(), other.state())
    assert type(make_group(market, table, named | {"player_0": IPPO}, 0)) is NeuralGroup
