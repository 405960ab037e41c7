"""The census: words by hand, strategies that are known, markets in which it is refused."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from tacit.agents.scripted import Scripted, ScriptedConfig
from tacit.emergence.collusion.census import STRATEGIES, census, strategy_of, why_no_census, word_of
from tacit.emergence.population import freeze
from tacit.envs import kpi
from tacit.envs.registry import make_market

TWO = {"prices": 2, "price_margin": 0, "start": "collusive"}


def table_of(word: str, seat: int) -> np.ndarray:
    """The policy of a word over (own, rival) CC, CD, DC, DD; action 1 is the high price, C.

    An observation counts provider_0's last price, then provider_1's.
    """
    table = np.zeros((4, 2))
    for letter, (own, rival) in zip(word, product((1, 0), repeat=2), strict=True):
        first, second = (own, rival) if seat == 0 else (rival, own)
        table[2 * first + second, int(letter == "C")] = 1
    return table


def found(*words: str, config=TWO) -> dict[str, float]:
    market = make_market("cloud_bandwidth", config)
    tables = [table_of(word, seat) for seat, word in enumerate(words)]
    return dict(census(freeze(market, None, tables, 0)))


@pytest.mark.parametrize("name", STRATEGIES)
def test_pairs_of_the_same_strategy(name):
    figures = found(STRATEGIES[name], STRATEGIES[name])
    assert figures[f"strategy/{name}"] == figures[f"both/{name}"] == 1
    assert sum(x for key, x in figures.items() if key.startswith("strategy/")) == 1
    counted = name in ("win_stay_lose_shift", "grim", "always_defect")
    assert figures["both/other"] == 1 - counted


def test_pairs_of_two_strategies_and_of_no_name():
    figures = found("CDDC", "DDDD")
    assert figures["strategy/win_stay_lose_shift"] == figures["strategy/always_defect"] == 0.5
    assert figures["both/other"] == 1
    assert not any(figures[f"both/{name}"] for name in STRATEGIES)
    figures = found("DCCD", "CDDD")
    assert figures["strategy/other"] == figures["strategy/grim"] == 0.5


def test_every_word_of_four_letters_is_one_strategy():
    names = [strategy_of("".join(w)) for w in product("CD", repeat=4)]
    assert {n: names.count(n) for n in set(names)} == dict.fromkeys(STRATEGIES, 1) | {"other": 11}


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ("win_stay_lose_shift", "win_stay_lose_shift"),
        ("grim_trigger", "grim"),
        ("tit_for_tat", "tit_for_tat"),
        ("competitive", "always_defect"),
        ("collusive", "always_cooperate"),
    ],
)
def test_scripted_players_are_found_under_their_name(rule, name):
    """Also in an auction, where the low bid cooperates, and where a first round is seen."""
    auction = {"bids": 2, "observe": "bids", "price_mix": 1}
    for market in (make_market("cloud_bandwidth", TWO), make_market("ad_auction", auction)):
        config = ScriptedConfig(rule=rule)
        tables = [Scripted(config, market, seat).table() for seat in market.seats]
        assert why_no_census(market, kpi.resolve(market, None)) is None
        assert census(freeze(market, None, tables, 0))[f"both/{name}"] == 1


def test_cooperation_is_counted_on_the_path():
    assert found("CDDC", "CDDC")["both_cooperate"] == 1
    assert found("DDDD", "DDDD")["both_cooperate"] == 0
    assert found("DDDC", "DDDC")["both_cooperate"] == 0.5  # CC, DD, CC, ...
    assert found("CCCC", "DDDD")["both_cooperate"] == 0


def test_a_policy_that_mixes_is_other():
    market = make_market("cloud_bandwidth", TWO)
    mixed = table_of("CDDC", 0)
    mixed[0] = [0.4, 0.6]
    figures = census(freeze(market, None, [mixed, table_of("CDDC", 1)], 0))
    assert figures["strategy/other"] == figures["strategy/win_stay_lose_shift"] == 0.5
    assert word_of(mixed, np.array([3, 2, 1, 0]), (1, 0)) == "CDD?"


@pytest.mark.parametrize(
    ("name", "config", "reason"),
    [
        ("cloud_bandwidth", {}, "cloud_bandwidth has 2 with 15 here"),
        ("cloud_bandwidth", TWO | {"providers": 3}, "cloud_bandwidth has 3 with 2 here"),
        ("cloud_bandwidth", TWO | {"memory": 0}, "(the last actions are not seen here)"),
        ("cloud_bandwidth", TWO | {"memory": 2}, "shows more than the last actions here"),
        ("ad_auction", {"bids": 2, "observe": "price"}, "set market.observe=bids"),
        ("cloud_bandwidth", {"tenants": 1, "prices": 2}, "several roles"),
        ("cloud_bandwidth", {"prices": 2, "price_range": [1, 5]}, "are the same here"),
    ],
)
def test_why_not(name, config, reason):
    market = make_market(name, config)
    assert reason in why_no_census(market, kpi.resolve(market, None))
