"""What every market that ships declares; the files that it comes with: `test_new_market.py`."""

from __future__ import annotations

import importlib

import pytest
from pettingzoo import aec_registry, parallel_registry

from tacit.envs.errors import ConfigError
from tacit.envs.registry import SHIPPED, make_market


@pytest.mark.parametrize("name", SHIPPED)
def test_measures_say_what_they_are(name):
    market = make_market(name)
    names = [m.name for m in market.measures]
    assert len(set(names)) == len(names)
    assert market.headline in names
    for measure in market.measures:
        assert measure.sign in (-1, 0, 1)
        assert measure.unit
        assert measure.meaning
    for role in market.roles:
        signs = {m.name: m.sign for m in market.measured(role.name)}
        assert signs[role.fundamental] == 1
        assert role.default_kpi in signs


@pytest.mark.parametrize("name", SHIPPED)
def test_benchmarks_name_measures_and_their_source(name):
    market = make_market(name)
    marks = market.benchmarks()
    pairs = (
        "competitive collusive",
        "babbling informative",
        "monopsony everybody_hired",
        "by_lot efficient",
    )
    assert any(set(pair.split()) <= set(marks) for pair in pairs)
    for mark in marks.values():
        assert mark.source
        assert set(mark.values) <= set(market.columns)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_market_is_an_environment(name):
    version = make_market(name).version
    module = importlib.import_module(f"tacit.envs.{name}_v{version}")
    assert module.env().unwrapped.metadata["name"] == f"{name}_v{version}"
    assert f"tacit/{name}-v{version}" in parallel_registry
    assert f"tacit/{name}-v{version}" in aec_registry


def test_an_unknown_market_is_reported_with_the_nearest():
    with pytest.raises(
        ConfigError, match=r"unknown market 'ad_action'\. Did you mean 'ad_auction'\?"
    ):
        make_market("ad_action")
