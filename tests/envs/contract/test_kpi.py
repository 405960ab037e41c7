"""KPI tables: their forms, their mistakes, their hash, their words."""

from __future__ import annotations

import pytest

from tacit.envs import kpi
from tacit.envs.errors import ConfigError
from tacit.envs.registry import make_market

MARKET = make_market("ad_auction", {"bidders": 3, "publisher": True, "bids": 9})
BIDDERS = ("bidder_0", "bidder_1", "bidder_2")


# --- forms -----------------------------------------------------------------------------------


def test_a_missing_role_gets_its_default():
    table = kpi.resolve(MARKET, {"publisher": {"fill": 2}})
    assert table["bidder_2"] == {"profit": kpi.Term(measure="profit", weight=1.0)}
    assert list(table["publisher_0"]) == ["fill"]


def test_short_and_long_form_are_one():
    short, long = {"profit": -2}, {"profit": {"weight": -2.0, "measure": "profit", "scope": "own"}}
    assert kpi.resolve(MARKET, {"bidder": short}) == kpi.resolve(MARKET, {"bidder": long})


def test_a_seat_replaces_its_role_s_whole_table():
    table = kpi.resolve(MARKET, {"bidder": {"profit": 1, "win": 1}, "bidder_1": {"spend": -1}})
    assert [list(table[b]) for b in BIDDERS] == [["profit", "win"], ["spend"], ["profit", "win"]]


# --- mistakes --------------------------------------------------------------------------------


def test_all_mistakes_are_reported_together_with_the_nearest_name():
    table = {
        "biddr": {"profit": 1},
        "bidder": {
            "profti": 1,
            "win": float("nan"),
            "a": {"measure": "win", "weight": 1, "transform": "squar"},
            "b": {"measure": "win", "weight": 1, "scope": "rival"},
            "c": {"measure": "win", "weight": 1, "transform": "above"},
            "d": {"measure": "win", "weight": 1, "threshold": 0.5},
            "e": {"measure": "win", "weight": 1, "transform": "below", "threshold": float("inf")},
            "f": {"measure": "win", "wieght": 1},
            "g": {"measure": "revenue", "weight": 1},
            "h": {"measure": "fil", "weight": 1, "scope": "publisher_0"},
        },
        "publisher": {"revenue": {"weight": 1, "scope": "rivals"}},
        "bidder_1": {"wni": 1},
        "bidder_2": 3,
    }
    with pytest.raises(ConfigError) as error:
        kpi.resolve(MARKET, table)
    assert sorted(error.value.mistakes) == sorted(
        [
            "kpi.biddr: unknown role or seat. Did you mean 'bidder'?",
            "kpi.bidder.profti: unknown measure of ad_auction. Did you mean 'profit'?",
            "kpi.bidder.win: weight must be a finite number, got nan.",
            "kpi.bidder.a.transform: unknown 'squar'. Did you mean 'square'?",
            "kpi.bidder.b.scope: unknown 'rival'. Did you mean 'rivals'?",
            "kpi.bidder.c.threshold: transform 'above' needs a threshold.",
            "kpi.bidder.d.threshold: transform 'value' takes no threshold.",
            "kpi.bidder.e.threshold: must be a finite number, got inf.",
            "kpi.bidder.f.weight: missing.",
            "kpi.bidder.f.wieght: unknown key. Did you mean 'weight'?",
            "kpi.bidder.g: unknown measure of ad_auction. One of: bid, clearing_price, "
            "price_change, profit, shading, spend, win.",
            "kpi.bidder.h: unknown measure of ad_auction. Did you mean 'fill'?",
            "kpi.publisher.revenue.scope: 'publisher_0' has no rivals in its role.",
            "kpi.bidder_1.wni: unknown measure of ad_auction. Did you mean 'win'?",
            "kpi.bidder_2: must be a table of terms, got 3.",
        ]
    )


@pytest.mark.parametrize("weight", ["much", None, [1]])
def test_a_weight_is_a_number(weight):
    with pytest.raises(ConfigError, match=r"kpi\.bidder\.profit\.weight: must be a valid number"):
        kpi.resolve(MARKET, {"bidder": {"profit": weight}})


def test_a_table_is_a_table():
    with pytest.raises(ConfigError, match="must be a table of roles or seats"):
        kpi.resolve(MARKET, ["profit"])


def test_a_market_s_own_measure_is_nobody_s_kpi():
    with pytest.raises(ConfigError, match="unknown measure"):
        kpi.resolve(MARKET, {"bidder": {"welfare": {"weight": 1, "scope": "market"}}})


# --- hash and words --------------------------------------------------------------------------


def hashed(table: dict) -> str:
    return kpi.kpi_hash(kpi.resolve(MARKET, table))


def test_the_hash_knows_what_is_meant_and_not_how_it_is_written():
    one = {"bidder": {"profit": 1, "win": 2}, "publisher": {"revenue": 1}}
    reordered = {"publisher": {"revenue": 1.0}, "bidder": {"win": 2.0, "profit": 1.0}}
    by_seat = {"publisher_0": {"revenue": 1}} | dict.fromkeys(BIDDERS, one["bidder"])
    assert hashed(one) == hashed(reordered) == hashed(by_seat)


@pytest.mark.parametrize(
    "change",
    [{"weight": 1.0000001}, {"transform": "absolute"}, {"scope": "rivals"}, {"measure": "win"}],
)
def test_the_hash_changes_with_every_field(change):
    term = {"measure": "profit", "weight": 1.0}
    assert hashed({"bidder": {"gain": term}}) != hashed({"bidder": {"gain": term | change}})
    assert hashed({"bidder": {"gain": term}}) != hashed({"bidder": {"yield": term}})


def test_short():
    terms = {
        "profit": 1,
        "partner": {"measure": "profit", "weight": 0.5, "scope": "bidder_0"},
        "dear": {"measure": "spend", "weight": -3, "transform": "above", "threshold": 0.4},
    }
    table = kpi.resolve(MARKET, {"bidder_1": terms})
    assert kpi.label(table["bidder_1"]) == "profit 1, partner 0.5 (bidder_0), dear -3 (above)"
    assert kpi.label({}) == "none"


@pytest.mark.parametrize(
    ("term", "fragments"),
    [
        ({"weight": 2.5}, ("is paid 2.5 x its own bid",)),
        ({"weight": -2.5, "scope": "rivals"}, ("is paid less 2.5 x its rivals' mean bid",)),
        ({"weight": 0}, ("is paid nothing; monitored at weight 0: its own bid",)),
        ({"weight": 1, "scope": "bidder_1"}, ("bidder_1's bid", "called term")),
        ({"weight": 1, "transform": "below", "threshold": 0.9}, ("short of 0.9",)),
    ],
)
def test_words(term, fragments):
    table = kpi.resolve(MARKET, {"bidder_0": {"term": {"measure": "bid", **term}}})
    said = kpi.sentence(table["bidder_0"])
    assert [f for f in fragments if f not in said] == []


def test_no_kpi_in_words():
    assert kpi.sentence({}) == "is paid nothing."
