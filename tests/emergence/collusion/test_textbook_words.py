"""Textbook cases get the word that the textbook gives them."""

from __future__ import annotations

import pytest
from support import battery
from support.populations import default_kpi

from tacit.emergence.coalition.rotation import rotation, why_no_rotation
from tacit.emergence.collusion.index import frozen_index
from tacit.emergence.collusion.sharing import sharing
from tacit.emergence.collusion.temptation import temptation
from tacit.emergence.collusion.verdict import TACIT, collusion
from tacit.emergence.evidence import MIN_SEEDS, Evidence
from tacit.emergence.population import freeze
from tacit.envs.registry import make_market

players = battery.load("collusion_tables")
PRICES, BIDS = {"start": "collusive"}, {"observe": "bids", "bids": 9}


def judged(market, tables_of):
    """The verdict on 48 seeds; where all play one table, seeds are equal and one is measured."""
    kpi = default_kpi(market)
    figures: dict[str, list[float]] = {}
    made = [tables_of(seed) for seed in range(MIN_SEEDS)] if callable(tables_of) else [tables_of]
    for seed, tables in enumerate(made):
        population = freeze(market, kpi, tables, seed)
        found = frozen_index(population) | temptation(population) | sharing(population)
        if why_no_rotation(market, kpi) is None:
            found |= rotation(population)
        for name, x in found.items():
            figures.setdefault(name, []).append(x)
    times = MIN_SEEDS // len(made)
    return collusion(Evidence(market, kpi, {n: x * times for n, x in figures.items()}, MIN_SEEDS))


@pytest.mark.parametrize("rule", ["grim", "tit_for_tat", "win_stay"])
@pytest.mark.parametrize("mu", [0.25, 0.01, 0.0])
def test_triggers_hold_a_cartel_up_at_every_differentiation(rule, mu):
    """Also in Bertrand competition, where grim trigger is an exact equilibrium (Friedman 1971)."""
    market = make_market("cloud_bandwidth", {**PRICES, "differentiation": mu})
    stage = players.Stage(market)
    verdict = judged(market, players.tables(stage, getattr(players, rule)))
    assert verdict.word == TACIT
    assert verdict.qualifiers[0] == "shared"


@pytest.mark.parametrize("mu", [0.25, 0.01, 0.0])
def test_random_tables_around_a_collusive_pair_are_disorder(mu):
    market = make_market("cloud_bandwidth", {**PRICES, "differentiation": mu})
    stage = players.Stage(market)
    verdict = judged(market, lambda seed: players.junk(stage, stage.high, seed))
    assert verdict.word == "above competition, deterred by disorder"


@pytest.mark.parametrize("shock", [0.1, 0.3])
def test_shocks_of_demand_change_no_word(shock):
    market = make_market("cloud_bandwidth", {**PRICES, "outside_shock": shock})
    stage = players.Stage(market)
    assert judged(market, players.tables(stage, players.grim)).word == TACIT
    constant = judged(market, players.tables(stage, players.always_high))
    assert constant.word == "above competition, unpunished"


@pytest.mark.parametrize("mix", [0.0, 1.0])
@pytest.mark.parametrize("bidders", [2, 3])
def test_a_ring_that_takes_turns_under_threat(mix, bidders):
    """The round's winner has nothing to gain by leaving, and yet the ring is held up."""
    market = make_market("ad_auction", {**BIDS, "price_mix": mix, "bidders": bidders})
    stage = players.Stage(market)
    ring = players.tables(stage, players.ring(players.second_lowest, True))
    verdict = judged(market, ring)
    assert (verdict.word, verdict.qualifiers[0]) == (TACIT, "rotation")
    loose = players.tables(stage, players.ring(players.second_lowest, False))
    verdict = judged(market, loose)
    assert (verdict.word, verdict.qualifiers[0]) == ("below competition, unpunished", "rotation")


@pytest.mark.parametrize(
    ("bids", "word"),
    [
        (9, "below competition, unpunished"),  # a step of the grid is worth more than the level
        (39, "below competition, nobody would leave"),
    ],
)
def test_one_who_takes_all_and_one_who_gives_in(bids, word):
    """Second price: one bids highest for ever, the other lowest; nobody is deterred."""
    market = make_market("ad_auction", {**BIDS, "bids": bids})
    verdict = judged(market, players.tables(players.Stage(market), players.one_sided))
    assert (verdict.word, verdict.qualifiers[0]) == (word, "one-sided")


def test_competition_on_the_grid_is_competitive():
    market = make_market("cloud_bandwidth", PRICES)
    verdict = judged(market, players.tables(players.Stage(market), players.competes))
    assert (verdict.word, verdict.qualifiers) == ("competitive", ())
