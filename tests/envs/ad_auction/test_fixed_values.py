"""Known values that differ by bidder: rounds, benchmarks, mistakes, by hand and by enumeration."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest

from tacit.agents.scripted import Scripted, ScriptedConfig
from tacit.emergence.objective import mirror
from tacit.emergence.play.applicability import why_no_deviations
from tacit.emergence.population import freeze
from tacit.emergence.registry import run_probes
from tacit.envs import kpi
from tacit.envs.engine.engine import Engine
from tacit.envs.errors import ConfigError
from tacit.envs.market import Market
from tacit.envs.registry import make_market

# Edelman, Ostrovsky, Schwarz, AER 97(1), 2007: three bidders, two positions of 200 and 100 clicks.
POSITIONS = {
    "bidders": 3,
    "value": {"kind": "fixed", "values": [10, 4, 2]},
    "slots": 2,
    "click_rates": [200, 100],
}


def auction(values: list[float], **keys) -> Market:
    config = {"bidders": len(values), "value": {"kind": "fixed", "values": values}}
    return make_market("ad_auction", config | keys)


def played(market: Market, bids: list[float]) -> Engine:
    """A round of bids; one below 0 is to stay out."""
    engine = Engine(market)
    engine.reset()
    seats = zip(market.seats, bids, strict=True)
    engine.step(np.array([[s.role.encode_action(bid=max(b, 0.0)) for s, b in seats]]))
    return engine


def column(engine: Engine, name: str) -> list[float]:
    return engine.measures[0, :, engine.market.columns[name]].tolist()


# --- the rules -------------------------------------------------------------------------------


def test_truthful_bids_pay_a_thousand_in_the_published_example():
    engine = played(make_market("ad_auction", POSITIONS), [9.5, 4, 2])
    assert column(engine, "spend") == pytest.approx([800, 200, 0, 0])
    assert column(engine, "profit") == pytest.approx([200 * 6, 100 * 2, 0, 0])
    assert column(engine, "shading") == pytest.approx([0.5, 0, 0, 0])
    assert column(engine, "revenue")[-1] == pytest.approx(1000)
    assert column(engine, "welfare")[-1] == pytest.approx(2400)


def test_the_winner_of_one_slot_gets_its_own_value():
    engine = played(auction([3, 8, 5]), [4.0, 2.0, 3.6])
    assert column(engine, "profit") == pytest.approx([3 - 3.6, 0, 0, 0])
    assert column(engine, "welfare")[-1] == pytest.approx(3)
    shared = played(auction([2, 8, 4], ties="shared"), [4.0, 4.0, 2.0])
    assert column(shared, "profit") == pytest.approx([-1, 2, 0, 0])
    assert column(shared, "welfare")[-1] == pytest.approx(5)


def test_nothing_is_drawn_and_all_bidders_observe_the_same():
    market = auction([10, 4, 2], observe="price")
    assert [p.name for p in market.role("bidder").blocks[0].sees] == ["last_price"]
    assert market.role("bidder").observations == 20
    assert market.analysis.draws(0) == ()
    assert not market.analysis.expected().play_draws
    assert why_no_deviations(market, kpi.resolve(market, None)) is None


def test_values_stand_behind_tokens_and_bids():
    market = auction([1, 4], chat=3, publisher=True)
    engine = Engine(market)
    engine.reset()
    engine.step(_first_legal(engine))  # a floor of 0
    engine.step(_first_legal(engine))  # tokens
    bid = _first_legal(engine)
    bid[0, 1] += 5  # bids .2 and 1.2
    engine.step(bid)
    assert column(engine, "profit")[:2] == pytest.approx([0, 4 - 0.2])
    assert column(engine, "shading")[:2] == pytest.approx([1 - 0.2, 4 - 1.2])


def _first_legal(engine: Engine) -> np.ndarray:
    seats = engine.market.seats
    return np.array(
        [[s.role.legal[o, 0] for s, o in zip(seats, engine.observations[0], strict=True)]]
    )


def test_a_transcript_names_each_value():
    market = auction([10, 4])
    engine = played(market, [5, 2.5])
    lines = market.transcript(engine.rows.actions[:1], engine.measures[0])
    assert lines[:2] == ["bidder_0 (worth 10) bids 5", "bidder_1 (worth 4) bids 2.5"]


# --- benchmarks ------------------------------------------------------------------------------


def test_the_lowest_envy_free_revenue_of_the_published_example_is_that_of_vcg():
    market = make_market("ad_auction", POSITIONS)
    found = market.benchmarks()["competitive"].values
    assert found["revenue"] == pytest.approx(200 * 3 + 100 * 2) == 800
    assert found["welfare"] == pytest.approx(2400)
    assert [found[f"profit/bidder_{i}"] for i in range(3)] == pytest.approx([1400, 200, 0])
    assert found["profit"] == pytest.approx(1600 / 3)
    assert found["clearing_price"] == pytest.approx(800 / 300)
    assert market.known_round.competitive == pytest.approx((9.5, 3, 2))
    # VCG: what the others lose by one's presence
    clicks, values = [200, 100, 0], [10, 4, 2]

    def best(present: list[float]) -> float:
        return sum(c * v for c, v in zip(clicks, sorted(present, reverse=True), strict=False))

    harm = [
        best(values[:i] + values[i + 1 :]) - (best(values) - clicks[i] * values[i])
        for i in range(3)
    ]
    assert sum(harm) == pytest.approx(found["revenue"])


@pytest.mark.parametrize("values", [[10, 4, 2], [2, 10, 4], [4, 2, 10]])
@pytest.mark.parametrize(
    ("keys", "revenue"),
    [
        ({}, 4),
        ({"price_mix": 1}, 4),
        ({"price_mix": 1, "bids": 9}, 4),
        ({"price_mix": 0.5, "bids": 9}, 3.5),
        ({"reserve": 6}, 6),
        ({"price_mix": 1, "reserve": 6}, 6),
    ],
)
def test_one_slot_goes_to_the_highest_value_at_the_second_one(values, keys, revenue):
    market = auction(values, **keys)
    found = market.benchmarks()["competitive"].values
    assert found["revenue"] == pytest.approx(revenue)
    assert found["welfare"] == pytest.approx(10)
    winner = values.index(10)
    assert found[f"profit/bidder_{winner}"] == pytest.approx(10 - revenue)


def outcomes(market: Market, bids: list[float]) -> list[float]:
    """Profits by play, ties shared."""
    return column(played(market.analysis.expected(), bids), "profit")[:-1]


ROUNDS = [
    ([3, 2], {"price_mix": 1, "bids": 5}),
    ([3, 2], {"price_mix": 0.5, "bids": 5}),
    ([3, 2, 1], {"price_mix": 1, "bids": 5}),
    ([3, 3, 1], {"price_mix": 1, "bids": 5}),
    ([3, 2.9, 2.5], {"price_mix": 1, "bids": 5}),
    ([3, 0.1], {"price_mix": 1, "bids": 5}),
    ([3, 0.1], {"price_mix": 1, "bids": 1}),
    ([3, 2.5, 2.5], {"price_mix": 0.5, "bids": 5}),
    ([3, 0, 0], {"price_mix": 0.5, "bids": 5}),
    ([3, 1], {"price_mix": 1, "bids": 5, "reserve": 1.5}),
    ([3, 2], {"bids": 5}),
    ([3, 2, 1], {"bids": 5, "reserve": 1}),
    ([3, 2, 0.1], {"bids": 5, "extra_bid": "out"}),
    ([3, 0.1], {"bids": 5, "price_mix": 1, "extra_bid": "zero"}),
    ([3, 0.1, 0.1], {"bids": 5, "price_mix": 0.5, "extra_bid": "out"}),
]


@pytest.mark.parametrize(("values", "keys"), ROUNDS)
def test_nobody_gains_by_leaving_the_competitive_bids(values, keys):
    market = auction(values, **keys)
    bids = list(market.known_round.competitive)
    kept = outcomes(market, bids)
    mark = market.benchmarks()["competitive"].values
    assert kept == pytest.approx([mark[f"profit/bidder_{i}"] for i in range(len(values))])
    for i, other in product(range(len(values)), market.shown):
        left = [*bids[:i], other, *bids[i + 1 :]]
        assert outcomes(market, left)[i] <= kept[i] + 1e-9, (i, other)


def test_first_price_bids_of_close_and_of_far_values():
    assert auction([4, 2.2], price_mix=1, bids=7).known_round.competitive == (2.5, 2.0)
    assert auction([4, 3.1], price_mix=1, bids=7).known_round.competitive == (3.5, 3.0)
    assert auction([4, 3.6, 3.5], price_mix=1, bids=7).known_round.competitive == (3.5, 3.5, 3.0)
    assert auction([4, 0.1], price_mix=1, bids=7).known_round.competitive == (1.0, 0.5)
    assert auction([4, 0.1], price_mix=1, bids=1).known_round.competitive == (2.0, 2.0)
    assert auction([4, 3, 1], price_mix=1, bids=7).known_round.competitive == (3.0, 2.5, 1.0)
    assert auction([4, 3, 3], price_mix=1, bids=7).known_round.competitive == (3.0, 2.5, 2.5)


def test_a_reserve_counts_as_the_lowest_bid_of_positions():
    """Telescoped: (200 - 100) 4 + 100 x 3 for the first, 100 x 3 for the second position."""
    market = make_market("ad_auction", POSITIONS | {"reserve": 3})
    assert market.known_round.competitive == pytest.approx((9.5, 3.5, 2))
    assert market.benchmarks()["competitive"].values["revenue"] == pytest.approx(700 + 300)


def test_several_slots_with_a_price_mix_have_no_competitive_benchmark():
    assert list(make_market("ad_auction", POSITIONS | {"price_mix": 0.5}).benchmarks()) == [
        "collusive"
    ]


@pytest.mark.parametrize(
    ("values", "keys"),
    [
        ([3, 2], {}),
        ([3, 2, 1], {"price_mix": 0.5}),
        ([3, 3, 1], {}),
        ([3, 1, 1], {"reserve": 1.2}),
        ([1, 3, 2], {"slots": 2, "click_rates": [2, 1]}),
        ([1, 3, 2.9], {"slots": 2, "click_rates": [2, 1.9]}),
        ([3, 2, 1], {"slots": 2, "click_rates": [2, 1], "reserve": 1, "price_mix": 1}),
        ([3, 2], {"slots": 2, "click_rates": [2, 1]}),
        ([3, 2, 1], {"extra_bid": "out"}),
        ([3, 2, 1], {"extra_bid": "zero", "price_mix": 0.5}),
        ([1, 3, 2.9], {"slots": 2, "click_rates": [2, 1.9], "extra_bid": "out"}),
    ],
)
def test_no_bids_of_the_grid_bring_more_together_than_the_collusive_ones(values, keys):
    market = auction(values, bids=5, **keys)
    most = max(
        sum(outcomes(market, list(bids))) for bids in product(market.shown, repeat=len(values))
    )
    mark = market.benchmarks()["collusive"].values
    assert len(values) * mark["profit"] == pytest.approx(most)
    assert sum(outcomes(market, list(market.known_round.collusive))) == pytest.approx(most)


@pytest.mark.parametrize("mix", [0, 0.3, 1])
def test_the_theory_of_a_sale_is_what_is_played(mix):
    market = make_market("ad_auction", POSITIONS | {"price_mix": mix, "reserve": 3, "bids": 4})
    for bids in product(market.grid, repeat=3):
        sale = market.known_round.sale(bids)
        engine = played(market.analysis.expected(), list(bids))
        assert column(engine, "profit")[:-1] == pytest.approx(sale.profits)
        assert column(engine, "revenue")[-1] == pytest.approx(sale.revenue)
        assert column(engine, "welfare")[-1] == pytest.approx(sale.welfare)


def test_seats_are_only_names():
    marks = {}
    for order in permutations([10, 4, 2]):
        values = auction(list(order), slots=2, click_rates=[200, 100]).benchmarks()
        for name, mark in values.items():
            by_value = {v: mark.values[f"profit/bidder_{i}"] for i, v in enumerate(order)}
            assert marks.setdefault(name, by_value) == pytest.approx(by_value)


# --- scripted players and probes -------------------------------------------------------------


def figures(market: Market, rule: str) -> dict[str, float]:
    config = ScriptedConfig(rule=rule)
    tables = [Scripted(config, market, seat).table() for seat in market.seats]
    found = run_probes(freeze(market, None, tables, 0))
    return {name: x for own in found.values() for name, x in own.items()}


def test_benchmark_scripts_lie_at_the_ends_of_the_index(monkeypatch):
    monkeypatch.setattr(mirror, "STEPS", 40)  # nothing of the mirror is looked at here
    monkeypatch.setattr(mirror, "_KNOWN", {})
    market = make_market("ad_auction", POSITIONS)
    competitive, collusive = figures(market, "competitive"), figures(market, "collusive")
    assert competitive["frozen_index"] == pytest.approx(0)
    assert collusive["frozen_index"] == pytest.approx(1)
    assert competitive["tempted_states"] == 0
    assert competitive["best_response_gap"] == pytest.approx(0)
    assert collusive["tempted_states"] == 1


def test_a_rotation_of_unequal_bidders_is_refused():
    with pytest.raises(ConfigError, match=r"no rotation action"):
        figures(auction([2, 1], observe="bids"), "rotation")


@pytest.mark.parametrize("rule", ["competitive", "collusive"])
def test_scripts_bid_before_they_chat(rule):
    assert bids_behind_chat(rule) == {"competitive": [9.5, 4.0], "collusive": [1.0, 0.5]}[rule]


def bids_behind_chat(rule: str) -> list[float]:
    market = auction([10, 4], chat=2)
    bids = []
    for seat in market.seats:
        table = Scripted(ScriptedConfig(rule=rule), market, seat).table()
        bids.append(float(seat.role.decode_action(int(table[-1].argmax()))["bid"]))
    return bids


# --- mistakes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"value": {"kind": "fixed", "values": [1, 2, 3]}},
         "market.value.values: must have one entry for each of 2 bidders, got 3: [1.0, 2.0, 3.0]."),
        ({"value": {"kind": "fixed", "values": [0, 0]}},
         "market.value.values: must have an entry above 0, got [0.0, 0.0]."),
        ({"value": {"kind": "fixed"}}, "market.value.values: missing"),
        ({"value": {"kind": "fixd", "values": [1, 2]}}, "got 'fixd'"),
        ({"value": {"kind": "fixed", "value": [1, 2]}},
         "market.value.value: unknown key. Did you mean 'values'?"),
    ],
)  # fmt: skip
def test_a_mistake_is_named(config, message):
    with pytest.raises(ConfigError) as error:
        make_market("ad_auction", config)
    assert any(message in mistake for mistake in error.value.mistakes), error.value.mistakes
