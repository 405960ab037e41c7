"""Profiles in which equal seats play alike: first-price auctions that can be solved by hand."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from tacit.agents.policy import deterministic
from tacit.envs import kpi as kpis
from tacit.envs.registry import make_market
from tacit.oversight.lint.stable import symmetric
from tacit.oversight.lint.stable.pricing import price
from tacit.oversight.lint.stable.symmetric import (
    Reply,
    SymmetricGame,
    strategies,
    symmetric_game,
)


def priced(kpi, **config):
    market = make_market("ad_auction", {"bids": 3, "price_mix": 1, **config})  # .25, .5, .75
    return price(market, kpis.resolve(market, kpi))


def stable_prices(pricing, scripts):
    game = symmetric_game(pricing, scripts)
    return game.outcomes(pricing.weights)[:, -1, pricing.market.columns["clearing_price"]].tolist()


@pytest.mark.parametrize(
    ("win", "stable"),
    [
        # At .25 each gets .375, and .5 by bidding .5. At .5 each gets .25, as by bidding .75.
        (0.0, [0.5, 0.75]),
        # Paid .1 for a win: at .5 each gets .3, and .35 by bidding .75.
        (0.1, [0.75]),
        # To win costs .4: at .25 each gets .175 and .1 by bidding .5; at .5 .05 by each; at .75
        # -.075, and nothing by bidding less.
        (-0.4, [0.25, 0.5]),
        # To win costs 1: everybody would bid less, and at .25 nobody can.
        (-1.0, [0.25]),
    ],
)
def test_profiles_from_which_no_seat_gains_by_leaving(win, stable):
    pricing = priced({"bidder": {"profit": 1, "win": win}})
    assert len(pricing.groups) == 1
    assert stable_prices(pricing, (None, None)) == stable


def test_seats_that_are_paid_otherwise_choose_by_themselves():
    """bidder_0 is paid for profit; bidder_1 for winning as well, at any price."""
    pricing = priced({"bidder_0": {"profit": 1}, "bidder_1": {"win": 1}})
    assert [group.seats for group in pricing.groups] == [(0,), (1,)]
    # bidder_1 bids .75 if bidder_0 does not bid less; then bidder_0 gets .125 by .75, else nothing.
    found = stable_prices(pricing, (None, None))
    assert found == [0.75]


def test_a_scripted_seat_keeps_its_bid():
    """Against .25, .5 is best: .5, where .25 gets .375 and .75 gets .25."""
    pricing = priced({"bidder_0": {"profit": 1}, "bidder_1": {"profit": 1, "win": 0}})
    script = deterministic(pricing.market.seats[1].role, [0])
    assert stable_prices(pricing, (None, script)) == [0.5]
    game = symmetric_game(pricing, (None, script))
    (measures,) = game.outcomes(pricing.weights)
    columns = [pricing.market.columns[name] for name in ("profit", "win")]
    np.testing.assert_allclose(measures[:2, columns], [[0.5, 1], [0, 0]])
    assert "play alike" in game.method


def test_profiles_are_played_once_for_all_weights(monkeypatch):
    pricing = priced({"bidder": {"profit": 1, "win": 0}})
    game = symmetric_game(pricing, (None, None))
    game.outcomes(pricing.weights)
    monkeypatch.setattr(SymmetricGame, "_play", None)
    paid = pricing.weights.copy()
    paid[[n == "win" for n in pricing.names]] = 0.1
    assert game.outcomes(paid)[:, -1, pricing.market.columns["clearing_price"]].tolist() == [0.75]


@pytest.mark.parametrize("inexact", [0, 1])
def test_payoffs_are_exact_if_every_group_s_are(inexact, monkeypatch):
    """Of two groups either may be a mean over draws."""
    pricing = priced({"bidder_0": {"profit": 1}, "bidder_1": {"win": 1}})
    plain, calls = symmetric.enumerate_round, []

    def enumerated(*given):
        calls.append(given)
        tree = plain(*given)
        return replace(tree, exact=tree.exact and (len(calls) - 1) % 2 != inexact)

    assert all(exact for _, _, exact in symmetric_game(pricing, (None, None))._play())
    monkeypatch.setattr(symmetric, "enumerate_round", enumerated)
    assert not any(exact for _, _, exact in symmetric_game(pricing, (None, None))._play())


def test_at_most_64_profiles_and_one_decision_a_seat():
    assert symmetric_game(priced({"bidder": {"profit": 1}}, bids=64), (None, None)) is not None
    assert symmetric_game(priced({"bidder": {"profit": 1}}, bids=65), (None, None)) is None
    two = {"bidder_0": {"profit": 1}, "bidder_1": {"win": 1}}
    assert symmetric_game(priced(two, bids=8), (None, None)) is not None
    assert symmetric_game(priced(two, bids=9), (None, None)) is None
    market = make_market("procurement")  # a supplier offers, and answers a counter
    pricing = price(market, kpis.resolve(market, None))
    assert symmetric_game(pricing, (None, None)) is None


def test_a_strategy_gives_every_observation_a_legal_action():
    role = SimpleNamespace(legal=np.array([[0, 1], [1, 2], [3, 3]], np.int32))
    found = [own.tolist() for own in strategies(role)]
    assert found == [[0, a, b] for a in (1, 2) for b in (3, 4, 5)]


@pytest.mark.parametrize(
    ("gain", "exact", "stays"),
    [
        (0.0, True, True),
        (0.5e-9, True, True),
        (0.009, True, False),
        (0.009, False, True),
        (0.011, False, False),
    ],
)
def test_a_gain_within_the_error_of_samples_is_none(gain, exact, stays):
    """Weights of other seats' terms do not count, nor do actions that do not occur."""
    terms = np.array([[[1.0, 0], [1.0 + gain, 9]], [[0.5, 0], [7.0, 0]]])
    reached = np.array([[True, True], [True, False]])
    reply = Reply(1, terms, reached, np.array([0, 0]))
    game = SymmetricGame(SimpleNamespace(owner=np.array([1, 0])), (), ())
    assert game._stays(reply, np.ones(2), exact) is stays
    game._played.append((np.zeros((3, 2)), [reply], exact))
    assert (game.outcomes(np.ones(2)) is None) is not stays
