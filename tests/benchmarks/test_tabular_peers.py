"""Peers of tabular learning play the same game by the same rule: else speed would mean nothing."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from support.paths import benchmark_module


def load(name: str) -> ModuleType:
    return benchmark_module(f"tabular_peers.{name}")


peers, c_code, games, numpy_seeds = map(load, ("checks", "c_code", "games", "numpy_seeds"))

needs_c = pytest.mark.skipif(bool(c_code.missing()), reason=c_code.missing() or "gcc is here")


@needs_c
@pytest.mark.parametrize("game", games.GAMES, ids=lambda game: game.name)
def test_c_with_the_same_draws_learns_the_same_bits(game):
    assert len(peers.check_bits(game, 3_000)) == 1


@needs_c
def test_another_rule_is_found():
    game = games.GAMES[1]
    other = games.Game(**{**vars(game), "agent": game.agent.model_copy(update={"discount": 0.9})})
    each = games.group(game, game.make(), 0, "never")
    q, seen = games.q_values(each), games.first_observation(each)
    each.run(101)
    c_code.learn(other, q, seen, 100, games.episode_keys(each), c_code.COUNTED)
    assert not np.array_equal(q, games.q_values(each))


def test_numpy_learns_what_one_session_alone_learns():
    """Two sessions beside each other, and a third rule: the update written out."""
    game = games.GAMES[2]
    q = np.random.default_rng(0).uniform(9.9, 10.1, (2, 3, 1, 19))  # noqa: TID251 (any values)
    before = q.copy()
    numpy_seeds.learn(game, q, 0, 1, 5)
    moved = np.argwhere(q != before)
    assert len(moved) == 6
    for seat, session, _, action in moved:
        rival = next(a for s, n, _, a in moved if s != seat and n == session)
        price = (min(action, rival) + 1) / 20
        won = [1.0 - price] if action > rival else [0.0] if action < rival else [0.0, 1.0 - price]
        targets = [0.1 * (x + 0.95 * before[seat, session].max()) for x in won]
        old = 0.9 * before[seat, session, 0, action]
        assert min(abs(q[seat, session, 0, action] - old - x) for x in targets) < 1e-12


@pytest.mark.slow
@pytest.mark.parametrize("game", games.GAMES, ids=lambda game: game.name)
def test_peers_with_draws_of_their_own_reach_the_same_prices(game):
    assert len(peers.check_prices(game)) == 1
