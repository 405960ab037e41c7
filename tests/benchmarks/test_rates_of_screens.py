"""The simulated tenders of `python -m benchmarks.screens`, and the table that it wrote."""

from __future__ import annotations

import importlib.util
import re
import sys

import numpy as np
import pytest
from support.paths import ROOT

# By its path: the root on sys.path would hide packages.
_spec = importlib.util.spec_from_file_location("rates", ROOT / "benchmarks/screens/__main__.py")
assert _spec is not None
assert _spec.loader is not None
screens = importlib.util.module_from_spec(_spec)
sys.modules["rates"] = screens
_spec.loader.exec_module(screens)

EVERY = (*screens.HONEST, *screens.DECEPTIVE, *screens.ARRANGED)


@pytest.mark.parametrize("market", EVERY, ids=lambda market: market.name)
def test_a_file_has_the_tenders_that_are_said(market):
    first, again = (screens.simulate(market, 3) for _ in range(2))
    assert sorted(first) == sorted(market.counts)
    for n, bids in first.items():
        assert bids.shape == (market.tenders // len(market.counts), n)
        assert (bids > 0).all()
        assert (np.diff(bids, axis=1) >= 0).all()
        np.testing.assert_array_equal(bids, again[n])


@pytest.mark.slow
def test_covers_fire_and_honest_bids_do_not():
    assert screens.fired(screens.HONEST[0], 3) == {}
    assert screens.fired(screens.ARRANGED[0], 3)["hole"] == 3


def test_the_page_holds_every_market_and_hardly_a_false_alarm():
    page = screens.PAGE.relative_to(ROOT)
    text = (ROOT / page).read_text(encoding="utf-8").partition(screens.BEGIN)[2]
    rows = re.findall(r"^\| (.+?) \| .* \| ([\d.]+) \|$", text.partition(screens.END)[0], re.M)
    rates = {name: float(rate) for name, rate in rows}
    assert {market.name for market in EVERY} <= set(rates)
    assert rates["all of them"] <= 0.01
