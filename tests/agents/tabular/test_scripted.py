"""Scripted players, by the exact traces that they play: L lowest bid, H highest, T a turn."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
import pytest

from tacit.agents.policy import cumulative, deterministic, uniform
from tacit.agents.scripted import REMEMBERS, Scripted, ScriptedConfig
from tacit.envs.engine.engine import Engine
from tacit.envs.errors import ConfigError
from tacit.envs.market import Market
from tacit.envs.registry import make_market

L, T, H = 0, 1, 18
LETTERS = {L: "L", T: "T", H: "H"}


def player(rule: str, market: Market, seat: int) -> Scripted:
    return Scripted(ScriptedConfig(rule=rule), market, market.seats[seat])


@cache
def auction(rules: tuple[str, ...], **config):
    """The market and the tables of its players, which several tests play."""
    market = make_market("ad_auction", {"bidders": len(rules), "observe": "bids"} | config)
    return market, [player(rule, market, i).table() for i, rule in enumerate(rules)]


def trace(*rules: str, rounds: int, forced: Mapping[tuple[int, int], int] = {}, **config) -> str:
    """What the players bid round by round: "LL LH HH". `forced` (round, seat) overrules them."""
    market, tables = auction(rules, **config)
    engine, rounds_played = Engine(market), []
    engine.reset()
    for t in range(rounds):
        rows = [table[o] for table, o in zip(tables, engine.observations[0], strict=True)]
        assert all(np.count_nonzero(row) == 1 for row in rows)
        actions = [forced.get((t, i), int(row.argmax())) for i, row in enumerate(rows)]
        engine.step(np.array([actions]))
        rounds_played.append("".join(LETTERS.get(a, "?") for a in actions))
    return " ".join(rounds_played)


def test_constant_players():
    assert trace("competitive", "collusive", rounds=3) == "HL HL HL"
    assert trace("competitive", "collusive", rounds=2, forced={(0, 0): L}) == "LL HL"


def test_grim_trigger_never_returns():
    assert trace("grim_trigger", "grim_trigger", rounds=4) == "LL LL LL LL"
    deviation = {(1, 1): H}
    assert trace("grim_trigger", "grim_trigger", rounds=5, forced=deviation) == "LL LH HH HH HH"
    assert trace("grim_trigger", "collusive", rounds=4, forced=deviation) == "LL LH HL HL"


@pytest.mark.parametrize("bid", [1, 9])
def test_grim_trigger_answers_any_deviation(bid):
    shown = LETTERS.get(bid, "?")
    story = trace("grim_trigger", "grim_trigger", rounds=3, forced={(0, 0): bid})
    assert story == f"{shown}L HH HH"


def test_tit_for_tat_echoes():
    deviation = {(1, 1): H}
    assert trace("tit_for_tat", "tit_for_tat", rounds=6, forced=deviation) == "LL LH HL LH HL LH"
    assert trace("tit_for_tat", "collusive", rounds=4, forced=deviation) == "LL LH HL LL"
    assert trace("tit_for_tat", "competitive", rounds=3) == "LH HH HH"
    assert trace("tit_for_tat", "grim_trigger", rounds=4, forced=deviation) == "LL LH HH HH"


def test_win_stay_lose_shift_makes_up():
    both = ("win_stay_lose_shift",) * 2
    assert trace(*both, rounds=5, forced={(1, 1): H}) == "LL LH HH LL LL"
    assert trace("win_stay_lose_shift", "competitive", rounds=5) == "LH HH LH HH LH"


@pytest.mark.slow
def test_rotation_takes_turns():
    assert trace(*["rotation"] * 2, rounds=5) == "TL LT TL LT TL"
    assert trace(*["rotation"] * 3, rounds=5) == "TLL LTL LLT TLL LTL"


def test_rotation_starts_over_after_a_muddle():
    """Two took the sale, or nobody did: the first seat is next."""
    assert trace(*["rotation"] * 3, rounds=4, forced={(1, 2): T}) == "TLL LTT TLL LTL"
    assert trace(*["rotation"] * 3, rounds=4, forced={(1, 1): L}) == "TLL LLL TLL LTL"


def test_rotation_shares_the_sale_at_the_lowest_price():
    market = make_market("ad_auction", {"observe": "bids"})
    engine = Engine(market, copies=4)
    engine.reset()
    tables = [player("rotation", market, i).table() for i in range(2)]
    sums = engine.play(cumulative(market, tables)[None], 10).measures
    np.testing.assert_array_equal(sums[:, :2, market.columns["win"]], 5)
    np.testing.assert_allclose(sums[:, :2, market.columns["spend"]], 5 * 0.05)


def test_random_is_uniform():
    market = make_market("ad_auction")
    np.testing.assert_array_equal(player("random", market, 0).table(), np.full((1, 19), 1 / 19))


def test_the_lowest_bid_is_the_lowest_that_can_win():
    market = make_market("ad_auction", {"reserve": 0.32})
    table = player("collusive", market, 1).table()
    assert market.role("bidder").decode_action(int(table[0].argmax()))["bid"] == pytest.approx(0.35)


def test_players_wait_where_there_is_nothing_to_decide():
    market = make_market("ad_auction", {"publisher": True, "observe": "bids", "bids": 4})
    role = market.role("bidder")
    table = player("grim_trigger", market, 0).table()
    assert role.decode_action(int(table[0].argmax())) == {"wait": "wait"}
    publisher = player("competitive", market, 2).table()
    floors = market.role("publisher").decode_action(int(publisher[0].argmax()))
    assert floors == {"floor": 0.0}


# --- mistakes --------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", REMEMBERS)
@pytest.mark.parametrize("observe", ["none", "price"])
def test_who_remembers_must_see(rule, observe):
    market = make_market("ad_auction", {"observe": observe})
    with pytest.raises(ConfigError, match=rf"bidder_1\.rule: {rule} needs .* market\.observe=bids"):
        player(rule, market, 1)


@pytest.mark.parametrize("rule", ["collusive", "grim_trigger"])
def test_a_publisher_has_no_part_in_a_cartel(rule):
    market = make_market("ad_auction", {"publisher": True, "observe": "bids", "bids": 3})
    with pytest.raises(ConfigError, match=r"agents\.publisher_0\.rule"):
        player(rule, market, 2)


# --- tables ----------------------------------------------------------------------------------


def test_an_illegal_action_is_no_policy():
    role = make_market("ad_auction", {"publisher": True, "bids": 4}).role("bidder")
    actions = role.legal[:, 0].astype(np.int64)
    assert deterministic(role, actions).sum(axis=1).tolist() == [1.0] * role.observations
    with pytest.raises(ValueError, match="bidder: action 4 is illegal at 3"):
        deterministic(role, np.where(np.arange(role.observations) == 3, 4, actions))


def test_cumulative_rows_end_at_exactly_one():
    """A sixth summed six times is .999...: a draw above it must not fall outside."""
    market = make_market("ad_auction", {"publisher": True, "bids": 6})
    rows = cumulative(market, [uniform(seat.role) for seat in market.seats])
    bidder = rows[: 2 * 8 * 7].reshape(16, 7)
    assert np.all(bidder[0] == [0, 0, 0, 0, 0, 0, 1])
    assert np.all(bidder[1:8, 5] == 1.0)
    np.testing.assert_allclose(bidder[1:8, :5], np.tile(np.arange(1, 6) / 6, (7, 1)))
