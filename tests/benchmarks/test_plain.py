"""The hand-written yardstick of the speed benchmark plays the same auction as the view."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import numpy as np
import pytest
from support.paths import ROOT

from tacit.envs import ad_auction_v0

SOURCE = ROOT / "benchmarks/peers/plain.py"


@pytest.fixture(scope="module")
def plain() -> ModuleType:
    """Loaded by its path: the repository's root on sys.path would make `envs` importable too."""
    spec = importlib.util.spec_from_file_location("plain_auction", SOURCE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def assert_same(one: tuple, two: tuple) -> None:
    """What two calls of step() returned, exactly; masks may be of any integer type."""
    for a, b in zip(one, two, strict=True):
        np.testing.assert_equal(a, b)


@pytest.mark.parametrize("bidders", [2, 3])
@pytest.mark.parametrize("price_mix", [0.0, 0.5, 1.0])
def test_full_episodes_are_the_same(plain, price_mix, bidders, luck):
    market = {"observe": "bids", "price_mix": price_mix, "bidders": bidders}
    view = ad_auction_v0.parallel_env(market=market)
    yardstick = plain.PlainAuction(bidders, price_mix=price_mix)
    ties = 0
    for seed in (3, None, 4):
        one, two = view.reset(seed=seed), yardstick.reset(seed=seed)
        np.testing.assert_equal(one[0], two[0])
        while view.agents:
            actions = {agent: int(luck.integers(19)) for agent in view.agents}
            bids = sorted(actions.values())
            ties += bids[-1] == bids[-2]
            assert_same(view.step(actions), yardstick.step(actions))
        assert yardstick.agents == []
    assert ties > 0


def test_the_spaces_are_the_same(plain):
    view = ad_auction_v0.parallel_env(market={"observe": "bids"})
    yardstick = plain.PlainAuction()
    for agent in view.possible_agents:
        assert view.observation_space(agent) == yardstick.observation_space(agent)
        assert view.action_space(agent) == yardstick.action_space(agent)
