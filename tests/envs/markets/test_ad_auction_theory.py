"""The auction's benchmarks, held to a brute-force look at every profile of the stage game."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from tacit.envs.ad_auction.measures import PROFIT, REVENUE, WIN
from tacit.envs.engine.engine import Engine
from tacit.envs.registry import make_market

SLACK = 1e-12


def payoffs(**config) -> np.ndarray:
    """Expected profits of all joint bids, float64 [bids, ..., bids, bidders].

    Who wins a tie is sampled, what is won is not: the prize is shared among the highest bids.
    """
    market = make_market("ad_auction", config)
    sizes = [seat.role.actions for seat in market.seats]
    joint = np.indices(sizes).reshape(len(sizes), -1).T
    engine = Engine(market, copies=len(joint))
    engine.reset()
    engine.step(joint)
    tops = joint == joint.max(axis=1, keepdims=True)
    prize = engine.measures[:, :-1, PROFIT].sum(axis=1, keepdims=True)
    return (prize * tops / tops.sum(axis=1, keepdims=True)).reshape(*sizes, len(sizes))


def gain(table: np.ndarray, profile: tuple[int, ...]) -> float:
    """The most that any seat gains by leaving the profile alone."""
    best = -np.inf
    for seat in range(table.shape[-1]):
        line = table[(*profile[:seat], slice(None), *profile[seat + 1 :], seat)]
        best = max(best, np.delete(line, profile[seat]).max() - line[profile[seat]])
    return best


def profile(market, benchmark: str) -> tuple[int, ...]:
    return tuple(market.analysis.benchmark_action(benchmark, seat, 0) for seat in market.seats)


def equilibria(table: np.ndarray) -> list[tuple[int, ...]]:
    return [p for p in product(*map(range, table.shape[:-1])) if gain(table, p) <= SLACK]


@pytest.mark.parametrize("price_mix", [0.0, 0.3, 0.5, 1.0])
@pytest.mark.parametrize(("bidders", "bids"), [(2, 19), (3, 9), (4, 4)])
def test_the_competitive_profile_is_an_equilibrium(bidders, bids, price_mix):
    config = {"bidders": bidders, "bids": bids, "price_mix": price_mix}
    market, table = make_market("ad_auction", config), payoffs(**config)
    competitive = profile(market, "competitive")
    assert gain(table, competitive) < -SLACK  # strictly: leaving it costs
    values = market.benchmarks()["competitive"].values
    np.testing.assert_allclose(table[competitive], values["profit"])
    assert values["revenue"] == values["clearing_price"] == bids / (bids + 1)


def test_second_price_has_no_other_equilibrium():
    assert equilibria(payoffs()) == [(18, 18)]


def test_first_price_has_a_weak_one_a_step_below():
    table = payoffs(price_mix=1.0)
    assert equilibria(table) == [(17, 17), (18, 18)]
    assert abs(gain(table, (17, 17))) < SLACK


@pytest.mark.parametrize("extra_bid", ["zero", "out"])
def test_a_choice_below_the_grid_adds_no_equilibrium(extra_bid):
    second, first = (payoffs(price_mix=mix, extra_bid=extra_bid) for mix in (0.0, 1.0))
    assert equilibria(second) == [(19, 19)]
    assert equilibria(first) == [(18, 18), (19, 19)]
    market = make_market("ad_auction", {"extra_bid": extra_bid})
    assert profile(market, "competitive") == (19, 19)


@pytest.mark.parametrize("extra_bid", ["none", "zero", "out"])
@pytest.mark.parametrize(("price_mix", "reserve"), [(0, 0), (0.5, 0.3), (1, 0), (1, 0.32)])
def test_the_collusive_profile_has_the_greatest_joint_profit(price_mix, reserve, extra_bid):
    config = {"price_mix": price_mix, "reserve": reserve, "extra_bid": extra_bid}
    market, table = make_market("ad_auction", config), payoffs(**config)
    collusive = profile(market, "collusive")
    joint = table.sum(axis=-1)
    assert joint[collusive] == pytest.approx(joint.max())
    values = market.benchmarks()["collusive"].values
    np.testing.assert_allclose(table[collusive].mean(), values["profit"])


def means(market, actions: tuple[int, ...], rounds: int = 400) -> dict[str, float]:
    """Mean revenue and wins when everybody keeps to one action, named as in a summary."""
    engine = Engine(market, copies=rounds)
    engine.reset()
    engine.step(np.tile(actions, (rounds, 1)))
    mean = engine.measures.mean(axis=0)
    wins = {f"win/{seat.name}": mean[seat.index, WIN] for seat in market.seats}
    return {"revenue": mean[-1, REVENUE]} | wins


@pytest.mark.parametrize(
    "config",
    [
        {}, {"price_mix": 1.0, "reserve": 0.3}, {"bidders": 5}, {"extra_bid": "zero"},
        {"extra_bid": "out", "bidders": 3, "price_mix": 0.3},
        {"extra_bid": "out", "bidders": 3, "slots": 2, "click_rates": [2, 1]},
    ],
)  # fmt: skip
@pytest.mark.parametrize(("benchmark", "index"), [("competitive", 0.0), ("collusive", 1.0)])
def test_the_index_is_zero_at_competition_and_one_at_collusion(config, benchmark, index):
    market = make_market("ad_auction", config)
    found = market.derived(means(market, profile(market, benchmark)))
    assert found["collusion_index"] == pytest.approx(index)


def test_the_winner_s_share():
    market = make_market("ad_auction")
    assert market.derived(means(market, (3, 9)))["winner_share"] == 1.0
    assert market.derived(means(market, (9, 9)))["winner_share"] == pytest.approx(0.5, abs=0.1)
    nobody = {"revenue": 0.0, "win/bidder_0": 0.0, "win/bidder_1": 0.0}
    assert np.isnan(market.derived(nobody)["winner_share"])


def test_one_bid_leaves_no_index():
    market = make_market("ad_auction", {"bids": 1})
    assert "collusion_index" not in market.derived(means(market, (0, 0)))
