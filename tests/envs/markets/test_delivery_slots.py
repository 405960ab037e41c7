"""Delivery slots: rules by hand, closed form against deviations by play, scripted players."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from tacit.agents.policy import PolicyTable, cumulative, deterministic, uniform
from tacit.agents.scripted import Scripted, ScriptedConfig
from tacit.envs.engine.engine import Engine
from tacit.envs.errors import ConfigError
from tacit.envs.one_file import delivery_slots as slots
from tacit.envs.one_file.delivery_slots import DeliverySlots

CALM, URGENT = 0, 1
TWO_BY_THREE = {"carriers": 2, "shippers": 3, "offers": [0.1, 0.3, 0.5], "false_claim_fine": 0.2}


def requests(market: DeliverySlots, *asked: dict) -> list[int]:
    role = market.role("shipper")
    return [role.encode_action(**parts) for parts in asked]


def played(market: DeliverySlots, needs: list[int], asked: list[int], given: list[int]):
    """Measures of one round of one copy, by name, float64 [S + 1]."""
    engine = Engine(market)
    engine.reset()
    engine.rows.state[0, slots.NEED :: slots.WIDTH] = needs
    for actions in ([*given, *asked], [*given, *asked]):
        engine.rows.actions[0] = actions
        engine.advance()
    return {m.name: engine.measures[0, :, k] for k, m in enumerate(market.measures)}


def test_a_round_by_hand():
    """Two carriers, three shippers: a truthful urgent one, a calm liar, an urgent one that lies."""
    market = DeliverySlots(TWO_BY_THREE)
    asked = requests(
        market,
        {"carrier": "carrier_0", "offer": 0.5, "claim": "urgent"},
        {"carrier": "carrier_1", "offer": 0.3, "claim": "urgent"},
        {"carrier": "carrier_1", "offer": 0.1, "claim": "calm"},
    )
    found = played(market, [URGENT, CALM, URGENT], asked, given=[0, 1])
    zero = {"revenue": [0.5, 0.3, 0, 0, 0, 0], "urgent_served": [1, 1, 0, 0, 0, 0]}
    expected = zero | {
        "surplus": [0, 0, 0.5, 0.4 - 0.3 - 0.2, -0.2, 0],
        "early": [0, 0, 1, 1, 0, 0],
        "offer": [0, 0, 0.5, 0.3, 0.1, 0],
        "false_urgent": [0, 0, 0, 1, 0, 0],
        "false_calm": [0, 0, 0, 0, 1, 0],
        "urgent_late": [0, 0, 0, 0, 1, 0],
        "misplaced": [0, 0, 0, 0, 0, 1],
        "fines": [0, 0, 0, 0, 0, 0.4],
        "welfare": [0, 0, 0, 0, 0, 1.0 + 0.4 - 0.4],
    }
    assert {name: pytest.approx(x, abs=1e-12) for name, x in expected.items()} == {
        name: column.tolist() for name, column in found.items()
    }


def test_a_slot_that_is_given_to_one_that_asked_elsewhere_stays_empty():
    market = DeliverySlots(TWO_BY_THREE)
    parts = {"carrier": "carrier_0", "offer": 0.5, "claim": "urgent"}
    found = played(market, [URGENT] * 3, requests(market, *[parts] * 3), given=[2, 0])
    assert found["revenue"].tolist() == [0.5, 0, 0, 0, 0, 0]
    assert found["early"].tolist() == [0, 0, 0, 0, 1, 0]
    assert found["misplaced"][-1] == 0  # no calm shipment is early


def test_what_a_carrier_sees():
    market = DeliverySlots(TWO_BY_THREE)
    engine = Engine(market)
    engine.reset()
    engine.rows.actions[0, 2:] = requests(
        market,
        {"carrier": "carrier_0", "offer": 0.1, "claim": "calm"},
        {"carrier": "carrier_1", "offer": 0.3, "claim": "urgent"},
        {"carrier": "carrier_0", "offer": 0.5, "claim": "urgent"},
    )
    engine.advance()
    sees = [market.role("carrier").decode_observation(int(o)) for o in engine.observations[0, :2]]
    nothing = {"phase": 1, "offer_0": "none", "claim_0": "calm", "offer_1": "none",
               "claim_1": "calm", "offer_2": "none", "claim_2": "calm"}  # fmt: skip
    assert sees[0] == nothing | {"offer_0": 0.1, "offer_2": 0.5, "claim_2": "urgent"}
    assert sees[1] == nothing | {"offer_1": 0.3, "claim_1": "urgent"}


def test_needs_are_drawn_as_declared_and_apart():
    engine = Engine(DeliverySlots({"urgent_probability": 0.3}), copies=40_000)
    engine.reset()
    needs = engine.rows.state[:, slots.NEED :: slots.WIDTH]
    assert needs.mean(axis=0) == pytest.approx([0.3, 0.3], abs=0.01)
    assert np.corrcoef(needs.T)[0, 1] == pytest.approx(0, abs=0.015)


# --- closed form ----------------------------------------------------------------------------------


def chooses_by(market: DeliverySlots, rank) -> PolicyTable:
    """A carrier that serves whoever has the highest `rank(offer, claim)`, equal ones by lot."""
    role, count = market.role("carrier"), market.config.shippers
    table = uniform(role)
    for o in range(1, role.observations):
        seen = role.decode_observation(o)
        ranks = [rank(seen[f"offer_{i}"], seen[f"claim_{i}"]) for i in range(count)]
        best = [float(r == max(ranks)) for r in ranks]
        table[o] = [x / sum(best) for x in best] + [0.0]
    return table


def payoffs(market: DeliverySlots, rank, own: tuple[int, int], others: tuple[int, int]):
    """Expected surplus of shipper 0 by its need, float64 [2], every case counted by play.

    `own` and `others` are the requests of a calm and of an urgent shipper."""
    c, total, weight = market.config, np.zeros(2), np.zeros(2)
    table = chooses_by(market, rank)
    for needs in product((CALM, URGENT), repeat=c.shippers):
        p = float(np.prod([c.urgent_probability if n else 1 - c.urgent_probability for n in needs]))
        asked = [own[needs[0]], *(others[n] for n in needs[1:])]
        engine = Engine(market)
        engine.reset()
        engine.rows.state[0, slots.NEED :: slots.WIDTH] = needs
        engine.rows.actions[0] = [0, *asked]
        engine.advance()
        chances = table[int(engine.observations[0, 0])]
        for given in np.flatnonzero(chances):
            found = played(market, list(needs), asked, [int(given)])
            total[needs[0]] += p * chances[given] * found["surplus"][1]
        weight[needs[0]] += p
    return total / weight


REVENUE = lambda offer, claim: offer  # noqa: E731
PROMISES = lambda offer, claim: claim == "urgent"  # noqa: E731


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"shippers": 3},
        {"offers": [0.1, 0.3, 0.5]},
        {"offers": [0.1, 0.3]},  # calm shippers can follow
        {"offers": [0.1, 0.8]},  # too dear for urgent ones
        {"urgent_probability": 0.9, "offers": [0.1, 0.2, 0.5]},
    ],
)
def test_offers_sort_exactly_where_no_deviation_pays(config):
    market = DeliverySlots(config)
    last = len(market.config.offers) - 1
    low, high = 0, 2 * last  # claims are not looked at
    kept = payoffs(market, REVENUE, (low, high), (low, high))
    gains = [
        (payoffs(market, REVENUE, (2 * k, 2 * k), (low, high)) - kept).max()
        for k in range(last + 1)
    ]
    assert market.sorts() == (max(gains) <= 1e-12)


@pytest.mark.parametrize("shippers", [2, 3])
def test_the_lie_pays_exactly_below_its_border(shippers):
    border = (0.4 - 0.1) / shippers
    for fine, pays in ((border - 0.01, True), (border + 0.01, False)):
        market = DeliverySlots({"false_claim_fine": fine, "shippers": shippers})
        liars, honest = (1, 1), (0, 1)
        lies, tells = (payoffs(market, PROMISES, own, liars)[CALM] for own in (liars, honest))
        assert (lies > tells) == market.lie_pays() == pays


def test_with_two_shippers_the_lie_gains_the_same_whatever_the_other_says():
    market = DeliverySlots({})
    for others in ((0, 1), (1, 1), (0, 0)):
        gain = payoffs(market, PROMISES, (1, 1), others) - payoffs(market, PROMISES, (0, 0), others)
        assert gain == pytest.approx([0.15, 0.45])


@pytest.mark.parametrize("config", [{}, {"shippers": 3, "urgent_probability": 0.3}])
def test_benchmarks_are_what_their_tables_earn(config):
    market = DeliverySlots(config)
    truthful = deterministic(
        market.role("shipper"), np.array([0, 1, 2 * len(market.config.offers)])
    )
    ways = {"efficient": PROMISES, "by_lot": lambda offer, claim: 0}
    for name, rank in ways.items():
        engine = Engine(market, copies=4000)
        engine.reset()
        tables = [chooses_by(market, rank), *[truthful] * market.config.shippers]
        sums = engine.play(cumulative(market, tables)[None], 20)
        mean = sums.measures.mean(axis=0)[-1] / 20
        for measure, value in market.benchmarks()[name].values.items():
            assert mean[market.columns[measure]] == pytest.approx(value, abs=0.006)


def test_benchmarks_by_hand():
    """Two carriers, three shippers, each urgent half of the time: two slots for three."""
    marks = DeliverySlots({"carriers": 2, "shippers": 3}).benchmarks()
    served = (1 * 2 * 0.4 + 3 * 1.4 + 4 * 2) / 8  # with none, one, two or three urgent ones
    assert marks["efficient"].values == pytest.approx({"welfare": served, "misplaced": 0})
    # One urgent: left out in 1 of 3. Two urgent: one of them left out in 2 of 3.
    assert marks["by_lot"].values == pytest.approx({"welfare": 1.4, "misplaced": 3 / 8})


# --- players and mistakes -------------------------------------------------------------------------


def test_scripted_players():
    market = DeliverySlots({"carriers": 2, "offers": [0.1, 0.3, 0.5]})
    carrier, shipper = market.seats[0], market.seats[-1]

    def table(rule, seat):
        return Scripted(ScriptedConfig(rule=rule), market, seat).table()

    def done(rule, need):
        row = table(rule, shipper)[need]
        return [shipper.role.decode_action(int(a)) for a in np.flatnonzero(row)]

    both = [{"carrier": f"carrier_{k}"} for k in range(2)]
    calm, urgent = {"offer": 0.3, "claim": "calm"}, {"offer": 0.5, "claim": "urgent"}
    assert done("truthful", CALM) == [where | calm for where in both]
    assert done("truthful", URGENT) == [where | urgent for where in both]
    bluff = {"offer": 0.1, "claim": "urgent"}
    assert done("always_bluff", CALM) == done("always_bluff", URGENT) == [b | bluff for b in both]
    trusts, role = table("trusting", carrier), carrier.role
    for o in range(1, role.observations):
        seen = role.decode_observation(o)
        ranks = [
            (seen[f"offer_{i}"] != "none", seen[f"claim_{i}"] == "urgent",
             0 if seen[f"offer_{i}"] == "none" else seen[f"offer_{i}"])
            for i in range(2)
        ]  # fmt: skip
        first, second = float(ranks[0] >= ranks[1]), float(ranks[1] >= ranks[0])
        total = first + second
        assert trusts[o].tolist() == [first / total, second / total, 0.0]
    with pytest.raises(ConfigError, match="trusting"):
        Scripted(ScriptedConfig(rule="trusting"), market, shipper)


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"offers": [0.5, 0.1]}, "offers: must ascend, got [0.5, 0.1]"),
        ({"calm_value": 2}, "calm_value: must not exceed urgent_value (1.0), got 2.0"),
        ({"carriers": 3}, "carriers"),
        ({"shippers": 1}, "shippers"),
        ({"urgent": 1}, "urgent"),
    ],
)
def test_mistakes_in_words(config, told):
    with pytest.raises(ConfigError) as error:
        DeliverySlots(config)
    assert any(told in line for line in error.value.mistakes)
