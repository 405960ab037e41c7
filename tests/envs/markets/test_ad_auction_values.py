"""Private values, several slots and chat, by hand-computed rounds and mistakes."""

from __future__ import annotations

from math import erf, log, sqrt

import numpy as np
import pytest

from tacit.envs.ad_auction.positions import LAST_BIDS, ORDER, VALUE
from tacit.envs.engine.engine import Engine
from tacit.envs.errors import ConfigError
from tacit.envs.registry import make_market
from tacit.envs.rng import fold, moment, u

PRIVATE = {"kind": "list", "values": [0.2, 0.5, 1.0], "probabilities": [0.5, 0.2, 0.3]}
SLOTS = {"bidders": 4, "slots": 3, "click_rates": [1.0, 0.6, 0.2]}


def sold(bids: list[float], copies: int = 1, **config) -> tuple[Engine, np.ndarray]:
    """One round of bids in money; measures [copies, S + 1, M]."""
    market = make_market("ad_auction", config)
    engine = Engine(market, copies=copies)
    engine.reset()
    actions = [seat.role.encode_action(bid=b) for seat, b in zip(market.seats, bids, strict=True)]
    engine.step(np.tile(actions, (copies, 1)))
    return engine, engine.measures


def column(engine: Engine, name: str, r: int = 0) -> list[float]:
    return engine.measures[r, :, engine.market.columns[name]].tolist()


# --- values ----------------------------------------------------------------------------------


def grid(value: dict) -> dict[float, float]:
    market = make_market("ad_auction", {"value": value})
    return dict(zip(market.values, market.probabilities, strict=True))


def test_grids_of_values():
    assert grid({"kind": "common", "value": 3}) == {3.0: 1.0}
    uniform = {"kind": "uniform", "low": 0.2, "high": 1, "levels": 5}
    assert grid(uniform) == pytest.approx(dict.fromkeys([0.2, 0.4, 0.6, 0.8, 1.0], 0.2))
    assert grid(PRIVATE) == {0.2: 0.5, 0.5: 0.2, 1.0: 0.3}
    assert grid({"kind": "list", "values": [1, 2]}) == {1.0: 0.5, 2.0: 0.5}


def test_a_lognormal_grid_has_the_mass_of_what_is_nearest():
    def below(x: float) -> float:
        return 0.5 * (1 + erf((log(x) - 1.0) / (0.5 * sqrt(2))))

    value = {"kind": "lognormal", "mu": 1.0, "sigma": 0.5, "cap": 6.0, "levels": 3}
    wanted = {2.0: below(3), 4.0: below(5) - below(3), 6.0: 1 - below(5)}
    assert grid(value) == pytest.approx(wanted)
    atoms = [{"value": 1.5, "probability": 0.1}, {"value": 4, "probability": 0.15}]
    shrunk = {v: 0.75 * p for v, p in wanted.items()} | {1.5: 0.1}
    shrunk[4.0] += 0.15
    found = grid(value | {"atoms": atoms})
    assert list(found) == [1.5, 2.0, 4.0, 6.0]
    assert found == pytest.approx(shrunk)


def test_values_are_drawn_for_every_bidder_and_round_by_its_key():
    market = make_market("ad_auction", {"value": PRIVATE, "bidders": 3})
    engine = Engine(market, copies=512)
    engine.reset()
    cumulative = np.array([0.5, 0.7, 1.0])
    keys = [fold(key, 0) for key in engine.nature]
    drawn = []
    for round_ in range(8):
        types = engine.rows.state[:, LAST_BIDS + 3 : LAST_BIDS + 6]
        draws = [[u(np.uint64(k), VALUE + i) for i in range(3)] for k in keys]
        np.testing.assert_array_equal(types, np.searchsorted(cumulative, draws, side="right"))
        seen = [market.role("bidder").decode_observation(o) for o in engine.observations.ravel()]
        assert [s["value"] for s in seen] == [market.values[int(t)] for t in types.ravel()]
        drawn.append(types.copy())
        engine.step(np.zeros((512, 3), np.int64))
        keys = [moment(key, 0, round_, 0) for key in engine.nature]
    shares = np.bincount(np.array(drawn, int).ravel()) / np.size(drawn)
    np.testing.assert_allclose(shares, [0.5, 0.2, 0.3], atol=4 * 0.5 / np.sqrt(np.size(drawn)))
    flat = np.array(drawn).reshape(-1, 3).T
    assert np.all(np.abs(np.corrcoef(flat)[np.triu_indices(3, 1)]) < 4 / np.sqrt(flat.shape[1]))


def test_winners_get_their_own_value():
    engine, measures = sold([0.3, 0.8], copies=64, value=PRIVATE)
    fresh = Engine(engine.market, copies=64)
    fresh.reset()
    worth = np.array(engine.market.values)[fresh.rows.state[:, LAST_BIDS + 2 :][:, :2].astype(int)]
    columns = engine.market.columns
    np.testing.assert_allclose(measures[:, 1, columns["profit"]], worth[:, 1] - 0.3)
    np.testing.assert_allclose(measures[:, :2, columns["shading"]], worth - [0.3, 0.8])
    np.testing.assert_allclose(measures[:, 2, columns["welfare"]], worth[:, 1])


# --- slots -----------------------------------------------------------------------------------


def test_each_slot_costs_the_next_lower_bid_per_click():
    engine, _ = sold([0.3, 0.8, 0.1, 0.5], **SLOTS)
    assert column(engine, "spend") == pytest.approx([0.2 * 0.1, 1.0 * 0.5, 0, 0.6 * 0.3, 0])
    assert column(engine, "profit") == pytest.approx([0.2 * 0.9, 1.0 * 0.5, 0, 0.6 * 0.7, 0])
    assert column(engine, "win") == [1, 1, 0, 1, 0]
    assert column(engine, "revenue")[-1] == pytest.approx(0.7)
    assert column(engine, "fill")[-1] == 3
    assert column(engine, "welfare")[-1] == pytest.approx(1.8)
    assert column(engine, "clearing_price") == pytest.approx([0.7 / 1.8] * 5)


def test_a_mix_moves_each_price_towards_the_own_bid():
    engine, _ = sold([0.3, 0.8, 0.1, 0.5], price_mix=0.25, **SLOTS)
    per_click = [0.25 * 0.3 + 0.75 * 0.1, 0.25 * 0.8 + 0.75 * 0.5, 0, 0.25 * 0.5 + 0.75 * 0.3, 0]
    rates = [0.2, 1.0, 0, 0.6, 0]
    paid = [c * p for c, p in zip(rates, per_click, strict=True)]
    assert column(engine, "spend") == pytest.approx(paid)


def test_the_floor_leaves_slots_unsold_and_prices_the_last_one_sold():
    engine, _ = sold([0.3, 0.8, 0.1, 0.5], reserve=0.4, **SLOTS)
    assert column(engine, "spend") == pytest.approx([0, 0.5, 0, 0.6 * 0.4, 0])
    assert column(engine, "fill")[-1] == 2


def test_a_slot_for_everybody_costs_the_last_one_the_reserve_only():
    rates = {"bidders": 2, "slots": 2, "click_rates": [1.0, 0.5]}
    assert column(sold([0.3, 0.8], **rates)[0], "spend") == pytest.approx([0, 0.3, 0])
    engine, _ = sold([0.3, 0.8], reserve=0.2, **rates)
    assert column(engine, "spend") == pytest.approx([0.1, 0.3, 0])


def test_one_slot_may_have_any_click_rate():
    engine, _ = sold([0.3, 0.8], click_rates=[0.5])
    assert column(engine, "profit") == pytest.approx([0, 0.35, 0])
    assert column(engine, "clearing_price") == pytest.approx([0.3] * 3)


def test_ties_get_slots_in_the_order_of_their_draws():
    engine, measures = sold([0.5, 0.5, 0.5, 0.5], copies=2400, price_mix=1.0, **SLOTS)
    spend = measures[:, :4, engine.market.columns["spend"]]
    for r in range(50):
        key = np.uint64(moment(engine.nature[r], 0, 0, 0))
        order = np.argsort([-u(key, ORDER + i) for i in range(4)])
        assert spend[r, order].tolist() == pytest.approx([0.5, 0.3, 0.1, 0.0])
    orders = np.unique(np.argsort(-spend, axis=1), axis=0, return_counts=True)[1]
    assert len(orders) == 24
    assert np.all(np.abs(orders - 100) < 5 * 10)


@pytest.mark.parametrize("value", [{"kind": "common"}, PRIVATE])
@pytest.mark.parametrize("keys", [SLOTS, {"bidders": 4}])
def test_shared_ties_are_the_mean_of_sampled_ones(keys, value):
    keys = keys | {"price_mix": 0.3, "value": value}
    for bids in ([0.5, 0.8, 0.5, 0.5], [0.5, 0.5, 0.2, 0.5], [0.5] * 4):
        engine, sampled = sold(bids, copies=4000, **keys)
        _, shared = sold(bids, copies=4000, ties="shared", **keys)
        own = [k for k, m in enumerate(engine.market.measures) if m.name not in ("clearing_price",)]
        mean = (sampled.mean(axis=0) - shared.mean(axis=0))[:, own]
        np.testing.assert_allclose(mean, 0, atol=5 / np.sqrt(4000))
        columns = engine.market.columns
        for money in ("revenue", "fill", "clearing_price"):
            np.testing.assert_allclose(
                sampled[:, -1, columns[money]], shared[:, -1, columns[money]]
            )


# --- chat ------------------------------------------------------------------------------------


def test_tokens_are_seen_before_bidding_and_cost_nothing():
    market = make_market("ad_auction", {"chat": 3, "value": PRIVATE, "publisher": True})
    assert market.phases == ("floor", "chat", "bid")
    bidder, engine = market.role("bidder"), Engine(market)
    engine.reset()
    floor, token = market.role("publisher").encode_action(floor=0.25), bidder.encode_action
    engine.step(np.array([[0, 0, floor]]))
    own = [bidder.decode_observation(o) for o in engine.observations[0, :2]]
    assert all(set(seen) == {"phase", "value", "floor"} for seen in own)
    engine.step(np.array([[token(chat=2), token(chat=1), 0]]))
    for before, o in zip(own, engine.observations[0, :2], strict=True):
        tokens = {"phase": 2, "chat_0": 2, "chat_1": 1}
        assert bidder.decode_observation(o) == before | tokens
    engine.step(np.array([[token(bid=0.3), token(bid=0.8), 0]]))
    assert column(engine, "spend")[:2] == pytest.approx([0, 0.3])


def test_chat_changes_no_round_of_bids():
    for chat in (0, 4):
        market = make_market("ad_auction", {"chat": chat, "observe": "bids"})
        engine = Engine(market)
        engine.reset()
        if chat:
            engine.step(np.array([[3, 0]]))
        engine.step(np.array([[market.role("bidder").encode_action(bid=b) for b in (0.3, 0.8)]]))
        seen = market.role("bidder").decode_observation(engine.observations[0, 0])
        assert (seen["last_bid_0"], seen["last_bid_1"]) == pytest.approx((0.3, 0.8))
        assert column(engine, "profit") == pytest.approx([0, 0.7, 0])


# --- mistakes --------------------------------------------------------------------------------

VALUES = [
    (
        {"kind": "unform"},
        "kind: must be 'common', 'fixed', 'uniform', 'lognormal' or 'list', got 'unform'.",
    ),
    ({"kind": "uniform", "levels": 1}, "levels: must be greater than or equal to 2, got 1."),
    ({"kind": "uniform", "low": 1}, "high: must be greater than low (1), got 1."),
    ({"kind": "uniform", "lw": 1}, "lw: unknown key. Did you mean 'low'?"),
    ({"kind": "lognormal", "sigma": 0}, "sigma: must be greater than 0, got 0."),
    ({"kind": "lognormal", "atoms": [{"value": 2, "probability": 0.1}]},
     "atoms: must lie at or below cap (1), got 2."),
    ({"kind": "lognormal", "atoms": [{"value": 0.3, "probability": 0.6}] * 2},
     "atoms: must have probabilities of at most 1 together, got 1.2."),
    ({"kind": "lognormal", "atoms": [{"valu": 2, "value": 1, "probability": 0.1}]},
     "atoms.0.valu: unknown key. Did you mean 'value'?"),
    ({"kind": "list"}, "values: missing."),
    ({"kind": "list", "values": []}, "values: must have at least 1, got 0: []."),
    ({"kind": "list", "values": [2, 1]}, "values: must ascend, got [2.0, 1.0]."),
    ({"kind": "list", "values": [0]}, "values: must end above 0, got [0.0]."),
    ({"kind": "list", "values": [1, 2], "probabilities": [1]},
     "probabilities: must be as many as values (2), got 1."),
    ({"kind": "list", "values": [1, 2], "probabilities": [0.5, 0.4]},
     "probabilities: must sum to 1, got 0.9."),
    ({"kind": "list", "values": [1, 2], "cycle": [[0.5, 0.5]]},
     "cycle: must have 2 .. 99 rows, parts of a day, got 1."),
    ({"kind": "list", "values": [1, 2], "cycle": [[0.5, 0.5], [0.5, 0.4]]},
     "cycle: row 1 must sum to 1, got 0.9."),
    ({"kind": "list", "values": [1, 2], "cycle": [[0.5, 0.5], [1]]},
     "cycle: row 1 must be as long as values (2), got 1."),
    ({"kind": "list", "values": [1], "cycle": [[1], [1]]},
     "cycle: needs at least two values, and stands in place of probabilities."),
    ({"kind": "list", "values": [1, 2], "probabilities": [1.5, -0.5]},
     "probabilities.0: must be less than or equal to 1, got 1.5."),
]  # fmt: skip
KEYS = [
    ({"slots": 3, "click_rates": [1, 1, 1]}, "slots: must be at most the number of bidders (2)"),
    ({"slots": 2}, "click_rates: must be as many as slots (2), got 1."),
    ({"slots": 2, "click_rates": [0.5, 1]}, "click_rates: must not increase, got [0.5, 1.0]."),
    ({"click_rates": [0]}, "click_rates.0: must be greater than 0, got 0."),
    ({"chat": -1}, "chat: must be greater than or equal to 0, got -1."),
]


@pytest.mark.parametrize(
    ("config", "message"),
    [({"value": v}, f"value.{message}") for v, message in VALUES] + KEYS,
)
def test_a_mistake_is_reported_with_its_key(config, message):
    with pytest.raises(ConfigError) as error:
        make_market("ad_auction", config)
    assert error.value.mistakes[0].startswith(f"market.{message}")


def test_too_many_tokens_come_with_a_remedy():
    with pytest.raises(ConfigError, match="fewer bids, value levels or chat tokens"):
        make_market("ad_auction", {"bidders": 8, "chat": 9})
