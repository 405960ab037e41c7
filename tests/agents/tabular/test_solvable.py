"""The solvable markets themselves: their rules, and that what is said to be best is best."""

from __future__ import annotations

import numpy as np
import pytest
from support.toy_markets.solvable import BEST, EARNS, KINDS, Solvable, chain_q

from tacit.agents.policy import cumulative, uniform
from tacit.agents.tabular.config import QLearningConfig as Q
from tacit.agents.tabular.group import TabularGroup
from tacit.envs import kpi
from tacit.envs.engine.engine import Engine

SOLVED = pytest.mark.parametrize("game", BEST)


def best_tables(market: Solvable) -> list[np.ndarray]:
    """The tables of `BEST`, uniform where everything is equally good."""
    tables = []
    for seat in market.seats:
        table = uniform(seat.role)
        for o, action in BEST[market.config.game].items():
            table[o] = np.arange(seat.role.actions) == action
        tables.append(table)
    return tables


def pay(market: Solvable, tables: list[np.ndarray], copies: int = 512) -> np.ndarray:
    """Mean pay of every seat over 64 rounds."""
    engine = Engine(market, copies=copies)
    engine.reset()
    sums = engine.play(cumulative(market, tables)[None], 64)
    mean: np.ndarray = sums.measures[:, :-1, 0].mean(axis=0) / 64
    return mean


@SOLVED
def test_the_best_earn_what_is_said(game):
    market = Solvable({"game": game})
    # (the chain starts at 0; a bandit's guess wins every other time)
    np.testing.assert_allclose(pay(market, best_tables(market)), EARNS[game], atol=0.025)


@SOLVED
def test_no_other_choice_earns_more(game):
    """In every row of the first seat's table, against the best of the other."""
    market = Solvable({"game": game})
    best = best_tables(market)
    top = pay(market, best)[0]
    for o, action in BEST[game].items():
        first, count = market.seats[0].role.legal[o]
        for other in set(range(first, first + count)) - {action}:
            changed = best[0].copy()
            changed[o] = np.arange(changed.shape[1]) == other
            # never a gain: the same luck meets both
            assert pay(market, [changed, *best[1:]])[0] <= top


def test_without_memory_a_bandit_wins_half():
    market = Solvable({"game": "bandit"})
    always = np.tile([1.0, 0.0], (5, 1))
    np.testing.assert_allclose(pay(market, [always, uniform(market.roles[0])]), 0.5, atol=0.01)


def test_pennies_are_matched_or_not():
    market = Solvable({"game": "pennies"})
    heads, tails = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    assert pay(market, [heads, heads], 1).tolist() == [1, -1]
    assert pay(market, [heads, tails], 1).tolist() == [-1, 1]


@SOLVED
def test_q_learning_solves_them(game):
    market = Solvable({"game": game})
    config = Q(learning_rate=0.05, discount=0.5, exploration="constant", epsilon=0.5, initial_q=0.0)
    agents = {seat.name: config for seat in market.seats}
    group = TabularGroup(market, kpi.resolve(market, None), agents, seed=0, copies=4)
    group.run(4_000)
    for table in group.tables():
        assert {o: int(table[o].argmax()) for o in BEST[game]} == BEST[game]
    if game == "chain":
        known = chain_q(0.5)
        learned = np.where(
            np.isnan(known), np.nan, group.seed_state.q_arrays.q.reshape(known.shape)
        )
        np.testing.assert_allclose(learned, known, atol=0.02)


def test_the_four_games_are_four():
    assert {Solvable({"game": game}).params[0] for game in KINDS} == {0, 1, 2, 3}
