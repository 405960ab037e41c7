"""Words of `--grid` and `--range`: read as YAML, refused in words, all at once."""

from __future__ import annotations

import pytest

from tacit.envs.errors import ConfigError
from tacit.training.sweep.axes import Axis, Range, check_distinct, parse_grids, parse_ranges


def refused(call, *words):
    with pytest.raises(ConfigError) as error:
        call(*words)
    return error.value.mistakes


def test_values_are_yaml_and_keep_their_order():
    words = ["kpi.bidder.price_change=0,-0.5,1e-3", "market.cost=[0.1, 0.2],[0.3]", "agents=a,b"]
    assert parse_grids(words) == (
        Axis("kpi.bidder.price_change", (0, -0.5, 1e-3)),
        Axis("market.cost", ([0.1, 0.2], [0.3])),
        Axis("agents", ("a", "b")),
    )
    assert [type(v) for v in parse_grids(["market.n=2,2.5,true"])[0].values] == [int, float, bool]


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("market.bidders", "must be key=values, as in --grid"),
        ("=1,2", "must be key=values"),
        ("market.bidders=", "must be key=values"),
        ("markt.bidders=1", "unknown key. Did you mean 'market'?"),
        ("market.bidders=2,,3", "not valid YAML"),
        ("market.bidders=2,~", "a value is missing between two commas"),
        ("market.bidders=2,3,2", "a value stands twice"),
        ("market.bidders=[2", "not valid YAML"),
    ],
)
def test_grids_that_are_refused(word, told):
    (line,) = refused(parse_grids, [word])
    assert told in line


def test_ranges():
    words = ["train.epsilon=0.01:0.1:log", "market.bidders=2:4:int", "kpi.bidder.win=-1:1"]
    log, whole, plain = parse_ranges(words)
    assert log == Range("train.epsilon", 0.01, 0.1, "log")
    assert log.at(0.5) == pytest.approx(0.1**1.5)  # the geometric mean of the ends
    assert [whole.at(x) for x in (0.0, 0.33, 0.34, 0.66, 0.67, 1 - 2**-53)] == [2, 2, 3, 3, 4, 4]
    assert all(isinstance(whole.at(x), int) for x in (0.0, 0.5))
    assert [plain.at(x) for x in (0.0, 0.25, 0.5)] == [-1.0, -0.5, 0.0]


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("market.x=1", "must be LOW:HIGH"),
        ("market.x=1:2:log:3", "must be LOW:HIGH"),
        ("market.x=1:2:lgo", "unknown kind 'lgo'. Did you mean 'log'?"),
        ("market.x=a:2", "its ends must be numbers"),
        ("market.x=2:2", "the first end must be below the second"),
        ("market.x=3:2", "the first end must be below the second"),
        ("market.x=nan:2", "the first end must be below the second"),
        ("market.x=1:inf", "the first end must be below the second"),
        ("market.x=0:2:log", "must be above 0"),
        ("market.x=1.5:3:int", "must be whole numbers"),
    ],
)
def test_ranges_that_are_refused(word, told):
    (line,) = refused(parse_ranges, [word])
    assert told in line


def test_all_mistakes_at_once():
    lines = refused(parse_grids, ["market.a=2,2", "nothing", "market.b=1"])
    assert len(lines) == 2


def test_a_key_is_varied_once():
    axes = (Axis("market.a", (1,)), Axis("market.b", (1,)), Axis("kpi.bidder.win.weight", (1,)))
    ranges = (Range("market.a", 0, 1), Range("kpi.bidder.win", 0, 1))
    assert refused(check_distinct, axes, ranges, ["market.b=3"]) == [
        "market.a: is varied twice.",
        "market.b: is varied, and set to one value as well.",
        "kpi.bidder.win.weight: lies within kpi.bidder.win, which is varied as well.",
    ]
    check_distinct(axes[:2], (), ["market.c=1"])
