"""The ad auction's rules, by hand-computed rounds on the grid .05, .10, ..., .95."""

from __future__ import annotations

import numpy as np
import pytest

from tacit.envs.ad_auction.positions import TIE
from tacit.envs.engine.engine import Engine
from tacit.envs.errors import ConfigError
from tacit.envs.registry import make_market
from tacit.envs.rng import below, moment

BySeat = dict[str, dict[str, float]]  # measures by seat and name


def auction(rounds: list[list[float]], **config) -> tuple[Engine, list[BySeat]]:
    """Play rounds of bids in money (a publisher's floor last); measures by seat of every round."""
    market = make_market("ad_auction", config)
    engine, measures = Engine(market), []
    engine.reset()
    for amounts in rounds:
        for phase in market.phases:
            actions = [
                seat.role.encode_action(**{phase: amount}) if market.acts(seat, engine.phase) else 0
                for seat, amount in zip(market.seats, amounts, strict=True)
            ]
            engine.step(np.array([actions]))
        measures.append(by_seat(engine))
    return engine, measures


def by_seat(engine: Engine) -> BySeat:
    names = [*((seat.name, seat.role.name) for seat in engine.market.seats), ("market", "market")]
    return {
        name: {m.name: row[engine.market.columns[m.name]] for m in engine.market.measured(role)}
        for (name, role), row in zip(names, engine.measures[0], strict=True)
    }


@pytest.mark.parametrize(("price_mix", "price"), [(0.0, 0.3), (1.0, 0.8), (0.25, 0.425)])
def test_the_winner_pays_between_its_bid_and_the_highest_losing_one(price_mix, price):
    _, (measures,) = auction([[0.3, 0.8, 0.1]], bidders=3, price_mix=price_mix)
    assert measures["bidder_1"] == pytest.approx(
        {"profit": 1 - price, "win": 1, "spend": price, "bid": 0.8, "shading": 0.2,
         "price_change": 0, "clearing_price": price}
    )  # fmt: skip
    assert measures["bidder_0"] == pytest.approx(
        {"profit": 0, "win": 0, "spend": 0, "bid": 0.3, "shading": 0.7,
         "price_change": 0, "clearing_price": price}
    )  # fmt: skip
    market = {"clearing_price": price, "revenue": price, "fill": 1, "welfare": 1}
    assert measures["market"] == pytest.approx(market)


def test_a_lone_bid_above_the_reserve_pays_the_reserve():
    _, (measures,) = auction([[0.3, 0.8]], reserve=0.5)
    assert measures["bidder_1"]["spend"] == pytest.approx(0.5)


def test_a_bid_equal_to_the_reserve_wins_whatever_the_rounding():
    _, (measures,) = auction([[0.3, 0.1]], reserve=0.1 + 0.2)  # 0.30000000000000004
    assert measures["bidder_0"]["win"] == 1


def test_the_publisher_s_floor_counts_as_a_losing_bid():
    _, rounds = auction([[0.3, 0.8, 0.6], [0.3, 0.8, 0.1]], publisher=True)
    assert [t["bidder_1"]["spend"] for t in rounds] == pytest.approx([0.6, 0.3])
    published = {"revenue": 0.3, "fill": 1, "price_change": 0.3}
    assert rounds[1]["publisher_0"] == pytest.approx(published)


def test_the_publisher_stays_above_the_reserve():
    market = make_market("ad_auction", {"publisher": True, "reserve": 0.42})
    floors = [market.role("publisher").decode_action(a)["floor"] for a in range(11)]
    assert floors == pytest.approx([0.45 + 0.05 * k for k in range(11)])
    _, (measures,) = auction([[0.45, 0.3, 0.45]], publisher=True, reserve=0.42)
    assert measures["bidder_0"]["spend"] == pytest.approx(0.45)


def test_an_unsold_round_keeps_the_last_price_and_does_not_count_as_change():
    _, rounds = auction([[0.5, 0.8, 0], [0.5, 0.8, 0.9], [0.2, 0.8, 0]], publisher=True)
    unsold = rounds[1]
    assert unsold["market"] == pytest.approx(
        {"clearing_price": 0.5, "revenue": 0, "fill": 0, "welfare": 0}
    )
    assert [unsold["bidder_1"][k] for k in ("profit", "win", "price_change")] == [0, 0, 0]
    assert rounds[2]["bidder_0"]["price_change"] == pytest.approx(0.3)


def test_nothing_ever_sold_has_no_price_to_change_from():
    _, rounds = auction([[0.5, 0.8, 0.9], [0.5, 0.8, 0]], publisher=True)
    assert rounds[0]["market"]["clearing_price"] == 0
    assert rounds[1]["bidder_0"]["price_change"] == 0


def test_price_change_starts_at_zero_in_every_episode():
    engine, _ = auction([[0.1, 0.2], [0.5, 0.8]])
    assert by_seat(engine)["bidder_0"]["price_change"] == pytest.approx(0.4)
    engine.reset()
    engine.step(np.array([[0, 0]]))
    assert by_seat(engine)["bidder_0"]["price_change"] == 0


@pytest.mark.parametrize(
    ("config", "seen"),
    [
        ({"observe": "none"}, {}),
        ({"observe": "price"}, {"last_price": 0.3}),
        ({"observe": "price", "price_mix": 0.25}, {"last_price": 0.45}),  # .425 to the nearest bid
        ({"observe": "bids"}, {"last_bid_0": 0.3, "last_bid_1": 0.8}),
    ],
)
def test_what_bidders_remember(config, seen):
    engine, _ = auction([[0.3, 0.8]], **config)
    found = engine.market.role("bidder").decode_observation(engine.observations[0, 0])
    assert found == {"phase": 0, "value": 1.0} | {k: pytest.approx(v) for k, v in seen.items()}


def test_every_price_of_the_grid_is_seen_as_itself():
    market = make_market("ad_auction", {"observe": "price", "value": {"value": 3.0}})
    engine = Engine(market, copies=19)
    engine.reset()
    engine.step(np.repeat(np.arange(19)[:, None], 2, axis=1))
    seen = [market.role("bidder").decode_observation(o) for o in engine.observations[:, 0]]
    assert [parts["last_price"] for parts in seen] == list(market.grid)


@pytest.mark.parametrize("publisher", [False, True])
def test_a_bid_of_zero_wins_where_nobody_bids_more(publisher):
    """For nothing, or for the floor; 0 meets a floor of 0 only."""
    floors = [[0.0], [0.05]] if publisher else [[], []]
    rounds = [[0.0, 0.0, *floors[0]], [0.0, 0.05, *floors[1]]]
    _, (tied, one) = auction(rounds, extra_bid="zero", publisher=publisher)
    assert tied["bidder_0"]["win"] + tied["bidder_1"]["win"] == 1
    assert tied["market"]["revenue"] == tied["market"]["clearing_price"] == 0
    assert tied["market"]["fill"] == tied["market"]["welfare"] == 1
    assert [one["bidder_0"]["win"], one["bidder_1"]["win"]] == [0, 1]
    assert one["market"]["revenue"] == pytest.approx(0.05 if publisher else 0.0)


def test_who_stays_out_neither_wins_nor_is_paid_for():
    """Alone one pays nothing in second price, its own bid in first price."""
    for mix, paid in ((0.0, 0.0), (1.0, 0.3)):
        _, (alone, none) = auction([[0.3, 0.0], [0.0, 0.0]], extra_bid="out", price_mix=mix)
        assert alone["bidder_0"] == pytest.approx(
            {"profit": 1 - paid, "win": 1, "spend": paid, "bid": 0.3, "shading": 0.7,
             "price_change": 0, "clearing_price": paid}
        )  # fmt: skip
        assert alone["bidder_1"]["bid"] == alone["bidder_1"]["win"] == 0
        assert none["market"] == pytest.approx(
            {"clearing_price": paid, "revenue": 0, "fill": 0, "welfare": 0}
        )


def test_a_floor_of_zero_lets_nobody_win_who_stays_out():
    _, rounds = auction([[0.0, 0.0, 0.0], [0.0, 0.1, 0.1]], extra_bid="out", publisher=True)
    assert [t["market"]["fill"] for t in rounds] == [0, 1]
    assert rounds[1]["publisher_0"]["revenue"] == pytest.approx(0.1)


def test_staying_out_fills_no_slot_of_several():
    """Slots of 2 and 1 clicks for bids .5, out, .2: each pays the next bid or nothing per click."""
    keys = {"bidders": 3, "slots": 2, "click_rates": [2, 1], "bids": 9}
    _, (out,) = auction([[0.5, 0.0, 0.2]], extra_bid="out", **keys)
    assert [out[f"bidder_{i}"]["spend"] for i in range(3)] == pytest.approx([0.4, 0, 0])
    assert [out[f"bidder_{i}"]["win"] for i in range(3)] == [1, 0, 1]
    _, (lone,) = auction([[0.0, 0.0, 0.2]], extra_bid="out", **keys)
    assert (lone["market"]["fill"], lone["bidder_2"]["profit"]) == (1, 2)
    _, (zero,) = auction([[0.5, 0.0, 0.0]], extra_bid="zero", **keys)
    assert zero["market"]["fill"] == 2


@pytest.mark.parametrize("extra_bid", ["zero", "out"])
def test_the_extra_bid_is_seen_as_zero(extra_bid):
    """By price (of a second price, 0 where one bids alone) and by bids; never as none yet."""
    for observe, names in (("price", ["last_price"]), ("bids", ["last_bid_0", "last_bid_1"])):
        engine, _ = auction([[0.0, 0.35]], extra_bid=extra_bid, observe=observe)
        seen = engine.market.role("bidder").decode_observation(int(engine.observations[0, 0]))
        assert [seen[name] for name in names] == pytest.approx([0.0, 0.35][: len(names)])
    engine, _ = auction([[0.35, 0.35]], extra_bid=extra_bid, observe="price")
    seen = engine.market.role("bidder").decode_observation(int(engine.observations[0, 0]))
    assert seen["last_price"] == pytest.approx(0.35)


def test_bidders_see_the_floor_before_they_bid():
    market = make_market("ad_auction", {"publisher": True})
    engine = Engine(market)
    engine.reset()
    engine.step(np.array([[0, 0, 7]]))
    seen = [market.role("bidder").decode_observation(o) for o in engine.observations[0, :2]]
    assert seen == [{"phase": 1, "value": 1.0, "floor": pytest.approx(0.35)}] * 2


def test_ties_are_sampled_with_equal_shares_by_the_key_of_the_round():
    engine = Engine(make_market("ad_auction", {"bidders": 3, "price_mix": 1.0}), copies=4096)
    engine.reset()
    engine.step(np.full((4096, 3), 9))
    winners = engine.measures[:, :3, engine.market.columns["win"]].argmax(axis=1)
    counts = np.bincount(winners)
    assert np.all(np.abs(counts - 4096 / 3) < 5 * np.sqrt(4096 * 2 / 9))
    keys = [np.uint64(moment(key, 0, 0, 0)) for key in engine.nature]
    assert winners.tolist() == [below(key, TIE, 3) for key in keys]


def test_ties_below_the_top_draw_nothing():
    _, (measures,) = auction([[0.3, 0.8, 0.3]], bidders=3)
    assert measures["bidder_1"]["profit"] == pytest.approx(0.7)


# --- mistakes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"bidders": 1}, "market.bidders: must be greater than or equal to 2, got 1."),
        ({"bids": 0}, "market.bids: must be greater than or equal to 1, got 0."),
        ({"price_mix": 1.5}, "market.price_mix: must be less than or equal to 1, got 1.5."),
        ({"biders": 3}, "market.biders: unknown key. Did you mean 'bidders'?"),
        ({"reserve": 0.96}, "market.reserve: must be at most the highest bid (0.95), got 0.96"),
        ({"observe": "bid"}, "market.observe: must be 'none', 'price' or 'bids', got 'bid'."),
        ({"value": {"value": -1}}, "market.value.value: must be greater than 0, got -1."),
        ({"value": {"knd": "common"}}, "market.value.knd: unknown key. Did you mean 'kind'?"),
        ({"bidders": 8, "observe": "bids"}, "market: a bidder would see 25,600,000,000 observ"),
    ],
)
def test_a_mistake_is_reported_with_its_key(config, message):
    with pytest.raises(ConfigError) as error:
        make_market("ad_auction", config)
    assert len(error.value.mistakes) == 1
    assert error.value.mistakes[0].startswith(message)


def test_all_mistakes_are_reported_together():
    with pytest.raises(ConfigError) as error:
        make_market("ad_auction", {"bidders": 1, "price_mix": 2, "bid": 9, "reserve": float("nan")})
    keys = sorted(line.partition(":")[0] for line in error.value.mistakes)
    assert keys == ["market.bid", "market.bidders", "market.price_mix", "market.reserve"]


def test_too_many_observations_come_with_a_remedy():
    with pytest.raises(ConfigError, match="Use `observe: price`, fewer bidders, or fewer bids"):
        make_market("ad_auction", {"bidders": 8, "observe": "bids"})
