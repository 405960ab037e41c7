"""Bluffing and feigned disinterest in closed form, held to the kernels by exact enumeration."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from support.tenders import TYPES, earned, played

from tacit.envs.procurement import positions
from tacit.envs.procurement.benchmarks import bluffing, disinterest
from tacit.envs.procurement.measures import (
    MARGIN,
    MEASURES,
    SURPLUS,
    WIN,
)
from tacit.envs.registry import make_market

MARKETS, SLACK = 10_000, 1e-12
LOW, HIGH = 0, 1
# offers (price, claim), as the kernels number them
LOW_PLENTY, LOW_SCARCE, HIGH_PLENTY, HIGH_SCARCE = range(4)
WALK, ACCEPT, COUNTER_LOW = range(3)
PAYOFFS = np.array([[0, MARGIN], [1, SURPLUS], [0, WIN]])


# --- the stock claim ------------------------------------------------------------------------------


def bluff_keys(luck, count: int) -> dict[str, np.ndarray]:
    """Random markets inside the conditions of `bluffing`."""
    low = luck.uniform(0.05, 0.9, count)
    high = low + luck.uniform(0.02, 0.9, count)
    discount = luck.uniform(0.3, 1.0, count)
    return {
        "low": low,
        "high": high,
        "value": high + luck.uniform(0, 0.6, count) * luck.integers(0, 2, count),
        "scarcity": luck.uniform(0.01, 0.99, count),
        "discount": discount,
        "stockout": luck.uniform(0, 0.6, count),
        "outside": discount * low + luck.uniform(0, 1, count) * (high - discount * low),
        "fine": (high - low) * luck.uniform(0, 1.25, count),
    }


def bluff_params(keys: dict[str, np.ndarray]) -> np.ndarray:
    params = np.tile(make_market("procurement").params, (len(keys["low"]), 1))
    params[:, [positions.PRICES, positions.PRICES + 1]] = np.stack([keys["low"], keys["high"]], 1)
    params[:, [positions.CALM_VALUE, positions.URGENT_VALUE]] = keys["value"][:, None]
    params[:, -1] = keys["scarcity"]
    params[:, positions.WAIT_DISCOUNT] = keys["discount"]
    params[:, positions.STOCKOUT_COST] = keys["stockout"]
    params[:, positions.OUTSIDE_PRICE] = keys["outside"]
    params[:, positions.CLAIM_FINE] = keys["fine"]
    return params


def bluff_game(keys: dict[str, np.ndarray]) -> np.ndarray:
    """Payoffs [M, stock, offer, response, answer, who]; a scarce supplier can only have sold."""
    sold, accept, refuse = 4, 5, 6
    joint = [
        [[offer, 0], [0, response], [answer, 0]]
        for offer, response, answer in product(range(4), range(4), (accept, refuse, sold))
    ]
    game = played(bluff_params(keys), TYPES["bluffing"], np.array(joint), PAYOFFS[:2])
    game = game.reshape(-1, 2, 4, 4, 3, 2)
    return np.stack([game[:, 0, ..., :2, :], game[:, 1][..., [2, 2], :]], axis=1)


def bluff_policies(found, accept=0.0, bluff=0.0):
    """Equilibrium policies: offers [M, stock, offer], responses [M, offer, response]; the mixing
    probabilities may be shifted."""
    count = len(found)
    offers, responses = np.zeros((count, 2, 4)), np.zeros((count, 4, 4))
    b = np.array([f.bluff for f in found]) + bluff
    a = np.array([f.accept for f in found]) + accept
    stubborn = np.array([f.regime == "no haggling" for f in found])
    offers[:, 1, HIGH_SCARCE] = 1.0
    offers[:, 0, HIGH_SCARCE] = b
    offers[:, 0, LOW_PLENTY] = np.where(stubborn, 0.0, 1 - b)
    offers[:, 0, HIGH_PLENTY] = np.where(stubborn, 1.0, 0.0)
    responses[:, [LOW_PLENTY, LOW_SCARCE], ACCEPT] = 1.0
    responses[:, HIGH_PLENTY, ACCEPT] = stubborn
    responses[:, HIGH_PLENTY, COUNTER_LOW] = ~stubborn
    responses[:, HIGH_SCARCE, ACCEPT] = a
    responses[:, HIGH_SCARCE, COUNTER_LOW] = 1 - a
    return offers, responses


def bluff_gains(game, scarcity, offers, responses):
    """What each side earns, and gains by its best deviation: four arrays [M]."""
    chance = np.stack([1 - scarcity, scarcity], 1)
    margins, surpluses = game[..., 0], game[..., 1]
    best_answer = margins.max(-1)  # (taking the counter, in every market drawn here)
    by_offer = np.einsum("mtor,mor->mto", best_answer, responses)
    margin = np.einsum("mt,mto,mto->m", chance, offers, by_offer)
    supplier = np.einsum("mt,mt->m", chance, by_offer.max(-1)) - margin
    taken = np.take_along_axis(surpluses, margins.argmax(-1)[..., None], -1)[..., 0]
    by_response = np.einsum("mt,mto,mtor->mor", chance, offers, taken)
    surplus = np.einsum("mor,mor->m", by_response, responses)
    buyer = by_response.max(-1).sum(-1) - surplus
    return margin, surplus, supplier, buyer


def solve_bluffing(luck, count=MARKETS):
    keys = bluff_keys(luck, count)
    found = [bluffing(*row) for row in zip(*keys.values(), strict=True)]
    return keys, found, bluff_game(keys)


def test_no_deviation_pays_and_payoffs_are_the_closed_form_s(luck):
    keys, found, game = solve_bluffing(luck)
    regimes = [f.regime for f in found]
    assert min(regimes.count(r) for r in ("no haggling", "honest", "mixed", "pooling")) > 500
    assert np.all(game[:, 0, :, COUNTER_LOW, 0, 0] >= game[:, 0, :, COUNTER_LOW, 1, 0])
    margin, surplus, supplier, buyer = bluff_gains(game, keys["scarcity"], *bluff_policies(found))
    np.testing.assert_allclose(margin, [f.margin for f in found], rtol=0, atol=SLACK)
    np.testing.assert_allclose(surplus, [f.surplus for f in found], rtol=0, atol=SLACK)
    assert supplier.max() < SLACK
    assert buyer.max() < SLACK


@pytest.mark.parametrize("shift", [-0.01, 0.01])
def test_off_the_equilibrium_one_side_gains(luck, shift):
    keys, found, game = solve_bluffing(luck, 2_000)
    inner = [0.02 < f.bluff < 0.98 and 0.02 < f.accept < 0.98 for f in found]
    mixed = np.flatnonzero([f.regime == "mixed" for f in found] & np.array(inner))
    keys, game = {k: v[mixed] for k, v in keys.items()}, game[mixed]
    found = [found[m] for m in mixed]
    assert len(found) > 100
    moved = bluff_policies(found, accept=shift)
    _, _, supplier, buyer = bluff_gains(game, keys["scarcity"], *moved)
    assert supplier.min() > 1e-7
    assert buyer.max() < SLACK  # the buyer is indifferent still
    moved = bluff_policies(found, bluff=shift)
    _, _, supplier, buyer = bluff_gains(game, keys["scarcity"], *moved)
    assert buyer.min() > 1e-7
    assert supplier.max() < SLACK


def bluff_tables(market, found):
    """The equilibrium as policy tables of the market, through its own names."""
    supplier, buyer = market.seats
    one = [np.zeros((s.role.observations, s.role.actions)) for s in market.seats]
    low, high = market.config.prices

    def put(seat, o, share, **parts):
        one[seat.index][o, seat.role.encode_action(**parts)] += share

    haggles = found.regime != "no haggling"
    for o in range(supplier.role.observations):
        seen = supplier.role.decode_observation(o)
        if market.phases[seen["phase"]] == "offer" and seen["stock"] == "plenty":
            put(supplier, o, found.bluff, price=high, claim="scarce")
            put(supplier, o, 1 - found.bluff, price=low if haggles else high, claim="plenty")
        elif market.phases[seen["phase"]] == "offer":
            put(supplier, o, 1.0, price=high, claim="scarce")
        elif "counter" in seen:
            put(supplier, o, 1.0, answer="accept")
        else:
            one[0][o, supplier.role.legal[o, 0]] = 1.0
    for o in range(buyer.role.observations):
        seen = buyer.role.decode_observation(o)
        if market.phases[seen["phase"]] != "respond":
            one[1][o, buyer.role.legal[o, 0]] = 1.0
            continue
        accept = 1.0 if seen["price_0"] == low or not haggles else 0.0
        accept = found.accept if (seen["price_0"], seen["claim_0"]) == (high, "scarce") else accept
        put(buyer, o, accept, response="accept supplier_0")
        put(buyer, o, 1 - accept, response=f"counter supplier_0 at {low:g}")
    return one


BLUFFS = {
    "mixed": {},
    "honest": {"false_claim_fine": 0.41},
    "pooling": {"scarcity": 0.5},
    "no haggling": {"value": 3.0, "wait_discount": 0.5, "outside_price": 0.3},
}


@pytest.mark.parametrize("cost", [0.0, 0.1])
@pytest.mark.parametrize("regime", BLUFFS)
def test_tables_of_the_equilibrium_earn_what_the_benchmark_says(regime, cost):
    market = make_market("procurement", {"cost": cost} | BLUFFS[regime])
    mark, c = market.benchmarks()["equilibrium"], market.config
    assert f"bluffing, regime {regime}:" in mark.source
    found = bluffing(
        0.4 - cost, 0.8 - cost, c.value - cost, c.scarcity[0], c.wait_discount, 0.2,
        c.outside_price - cost, c.false_claim_fine,
    )  # fmt: skip
    tables = bluff_tables(market, found)
    measures = earned(market, tables, TYPES["bluffing"], c.scarcity[0])
    assert measures["margin/supplier_0"] == pytest.approx(mark.values["margin"], rel=0, abs=SLACK)
    assert measures["surplus/buyer_0"] == pytest.approx(mark.values["surplus"], rel=0, abs=SLACK)
    lies = measures["false_scarcity/supplier_0"]
    assert lies == pytest.approx(mark.values["false_scarcity"], rel=0, abs=SLACK)


@pytest.mark.parametrize(
    ("scarcity", "stockout", "bluff", "accept"),
    [(0.1, 0.2, 0.131, 0.205), (0.2, 0.2, 0.294, 0.205), (0.3, 0.2, 0.504, 0.205),
     (0.2, 0.0, 0.147, 0.205), (0.2, 0.4, 0.441, 0.205)],
)  # fmt: skip
def test_known_numbers(scarcity, stockout, bluff, accept):
    found = bluffing(0.4, 0.8, 1.0, scarcity, 0.9, stockout, 0.72, 0.05)
    assert (found.bluff, found.accept) == (
        pytest.approx(bluff, abs=5e-4), pytest.approx(accept, abs=5e-4)
    )  # fmt: skip


# --- the brief ------------------------------------------------------------------------------------


def brief_keys(luck, count: int) -> dict[str, np.ndarray]:
    """Random markets inside the conditions of `disinterest`."""
    low = luck.uniform(0.05, 0.9, count)
    gap = luck.uniform(0.02, 0.9, count)
    return {
        "low": low,
        "high": low + gap,
        "urgent": low + gap + luck.uniform(0.001, 0.8, count),
        "calm": low + gap * luck.uniform(0.001, 0.999, count),
        "urgent_share": luck.uniform(0.01, 0.99, count),
        "fine": gap * luck.uniform(0, 1.25, count) * (luck.uniform(0, 1, count) > 0.2),
        "win_weight": luck.uniform(0, 0.5, count) * luck.integers(0, 2, count),
    }


BRIEF = {"urgency": {}, "brief": True, "counters": False, "scarcity": 0}


def brief_game(keys: dict[str, np.ndarray]) -> np.ndarray:
    """KPIs [M, urgency, stated, price, accepted, who]: margin + w win, and surplus."""
    params = np.tile(make_market("procurement", BRIEF).params, (len(keys["low"]), 1))
    params[:, [positions.PRICES, positions.PRICES + 1]] = np.stack([keys["low"], keys["high"]], 1)
    params[:, positions.CALM_VALUE] = keys["calm"]
    params[:, positions.URGENT_VALUE] = keys["urgent"]
    params[:, positions.URGENCY_FINE] = keys["fine"]
    joint = [
        [[0, stated], [price, 0], [0, 2 + accepted]]
        for stated, price, accepted in product(range(2), range(2), range(2))
    ]
    game = played(params, TYPES["disinterest"], np.array(joint), PAYOFFS)
    game[..., 0] += keys["win_weight"][:, None, None] * game[..., 2]
    return game[..., :2].reshape(-1, 2, 2, 2, 2, 2)


def brief_gains(game, keys, found, lie=0.0, cheap=0.0):
    """KPIs of both, and what each gains by its best deviation, at shifted equilibrium policies."""
    count = len(found)
    x, y = (np.array([getattr(f, k) for f in found]) for k in ("lie", "cheap"))
    says, asks = np.zeros((count, 2, 2)), np.zeros((count, 2, 2))
    says[:, 0, 0] = 1.0
    says[:, 1, 0], says[:, 1, 1] = x + lie, 1 - x - lie
    asks[:, 1, HIGH] = 1.0
    asks[:, 0, LOW], asks[:, 0, HIGH] = y + cheap, 1 - y - cheap
    chance = np.stack([1 - keys["urgent_share"], keys["urgent_share"]], 1)
    best = game[..., 1].max(-1)
    margin = np.take_along_axis(game[..., 0], game[..., 1].argmax(-1)[..., None], -1)[..., 0]
    by_said = np.einsum("mtsp,msp->mts", best, asks)
    surplus = np.einsum("mt,mts,mts->m", chance, says, by_said)
    buyer = np.einsum("mt,mt->m", chance, by_said.max(-1)) - surplus
    by_price = np.einsum("mt,mts,mtsp->msp", chance, says, margin)
    paid = np.einsum("msp,msp->m", by_price, asks)
    supplier = by_price.max(-1).sum(-1) - paid
    return paid, surplus, supplier, buyer, np.einsum("mt,mts,msp->mtsp", chance, says, asks)


def solve_brief(luck, count=MARKETS):
    keys = brief_keys(luck, count)
    return keys, [disinterest(*row) for row in zip(*keys.values(), strict=True)], brief_game(keys)


def test_no_deviation_from_the_brief_pays(luck):
    keys, found, game = solve_brief(luck)
    regimes = [f.regime for f in found]
    assert min(regimes.count(r) for r in ("inert", "honest", "mixed", "babbling")) > 500
    paid, surplus, supplier, buyer, mass = brief_gains(game, keys, found)
    wins = mass[:, 1].sum((1, 2)) + mass[:, 0, :, LOW].sum(-1)  # urgent ones buy at either price
    margin = paid - keys["win_weight"] * wins
    np.testing.assert_allclose(margin, [f.margin for f in found], rtol=0, atol=SLACK)
    np.testing.assert_allclose(surplus, [f.surplus for f in found], rtol=0, atol=SLACK)
    assert supplier.max() < SLACK
    assert buyer.max() < SLACK


@pytest.mark.parametrize("shift", [-0.01, 0.01])
def test_off_the_brief_s_equilibrium_one_side_gains(luck, shift):
    keys, found, _ = solve_brief(luck, 3_000)
    inner = np.array([0.02 < f.lie < 0.98 and 0.02 < f.cheap < 0.98 for f in found])
    mixed = np.flatnonzero(inner & [f.regime == "mixed" for f in found])
    keys = {k: v[mixed] for k, v in keys.items()}
    found, game = [found[m] for m in mixed], brief_game(keys)
    assert len(found) > 100
    _, _, supplier, buyer, _ = brief_gains(game, keys, found, lie=shift)
    assert supplier.min() > 1e-7
    assert buyer.max() < SLACK
    _, _, supplier, buyer, _ = brief_gains(game, keys, found, cheap=shift)
    assert buyer.min() > 1e-7
    assert supplier.max() < SLACK


FEIGNS = {
    "mixed": ({"false_urgency_fine": 0.2}, 0.6),
    "honest": ({"false_urgency_fine": 0.4}, 0.6),
    "babbling": ({}, 0.6),
    "inert": ({"false_urgency_fine": 0.2}, 0.4),
}


@pytest.mark.parametrize("cost", [0.0, 0.1])
@pytest.mark.parametrize("regime", FEIGNS)
def test_tables_of_the_brief_earn_what_the_benchmark_says(regime, cost):
    keys, share = FEIGNS[regime]
    keys = BRIEF | {"cost": cost, "urgency": {"probability": share}} | keys
    market = make_market("procurement", keys)
    mark = market.benchmarks()["equilibrium"]
    assert f"feigned disinterest, regime {regime}:" in mark.source
    fine = market.config.false_urgency_fine
    found = disinterest(0.4 - cost, 0.8 - cost, 1.0 - cost, 0.5 - cost, share, fine)
    tables = [np.zeros((s.role.observations, s.role.actions)) for s in market.seats]
    for seat, table in zip(market.seats, tables, strict=True):
        for o in range(seat.role.observations):
            seen, encode = seat.role.decode_observation(o), seat.role.encode_action
            if "lead" in seen:
                cheap = found.cheap if seen["stated_urgency"] == "calm" else 0.0
                table[o, encode(price=0.4)], table[o, encode(price=0.8)] = cheap, 1 - cheap
            elif "price_0" in seen:
                buys = seen["urgency"] == "urgent" or seen["price_0"] == 0.4
                table[o, encode(response="accept supplier_0" if buys else "walk")] = 1.0
            elif "urgency" in seen:
                lie = found.lie if seen["urgency"] == "urgent" else 1.0
                table[o, encode(stated_urgency="calm")] = lie
                table[o, encode(stated_urgency="urgent")] = 1 - lie
            else:
                table[o, seat.role.legal[o, 0]] = 1.0
    measures = earned(market, tables, TYPES["disinterest"], share)
    for name, measure in (("margin", "margin/supplier_0"), ("surplus", "surplus/buyer_0"),
                          ("false_urgency", "false_urgency/buyer_0")):  # fmt: skip
        assert measures[measure] == pytest.approx(mark.values[name], rel=0, abs=SLACK)


def test_the_known_lie():
    found = disinterest(0.4, 0.8, 1.0, 0.5, 0.6, 0.2)
    assert (found.lie, found.cheap) == (pytest.approx(2 / 3), pytest.approx(0.5))


# --- where they do not hold -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"outside_price": 0.3}, "outside_price: must lie in 0.36 .. 0.8 (wait_discount x low"),
        ({"outside_price": 0.81}, "high price), got 0.81"),
        ({"value": 0.7}, "value: must be at least the high price 0.8, got 0.7"),
        ({"suppliers": 2}, "suppliers: must be 1, got 2"),
        ({"prices": [0.4, 0.6, 0.8]}, "prices: must be two, got 3"),
        ({"cost": 0.4}, "prices: the low one must exceed cost 0.4, got 0.4"),
        ({"scarcity": 0}, "scarcity: must be above 0 and below 1, got 0"),
        ({"counters": False}, "counters: must be true"),
        ({"lead_times": [0, 1]}, "lead_times: must be [0], got [0, 1]"),
        ({"delays": {}}, "delays: must be null"),
    ],
)
def test_benchmarks_say_why_not_and_so_does_the_condition(config, message):
    market = make_market("procurement", config)
    mark = market.benchmarks()["equilibrium"]
    assert not mark.values
    assert message in mark.source
    (line,) = market.conditions()["bluffing"]
    assert message in line


def test_where_a_closed_form_holds_nothing_stands_against_it():
    assert make_market("procurement").conditions()["bluffing"] == []
    assert make_market("procurement", BRIEF).conditions()["disinterest"] == []
    keys = BRIEF | {"urgency": {"calm": 0.9}}
    (line,) = make_market("procurement", keys).conditions()["disinterest"]
    assert line == "urgency.calm: must lie between 0.4 and 0.8, got 0.9"


def test_the_enumeration_s_width_is_the_market_s():
    assert len(make_market("procurement").measures) == 18 == len(MEASURES) - 2
