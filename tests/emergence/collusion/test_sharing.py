"""How the gain above competition is shared, on players whose profits are known."""

from __future__ import annotations

import numpy as np
import pytest
from support import battery
from support.populations import default_kpi, prices, scripted

from tacit.emergence.collusion.sharing import sharing
from tacit.emergence.payoffs import benchmark_range
from tacit.emergence.population import freeze
from tacit.envs.registry import make_market

players = battery.load("collusion_tables")


def test_equal_colluders_share_equally():
    found = sharing(scripted("collusive"))
    assert found["gain_share/least"] == pytest.approx(0.5)
    assert found["gain_forgone"] == pytest.approx(0)
    assert found["gain_share/provider_0"] + found["gain_share/provider_1"] == pytest.approx(1)


def test_shares_of_next_to_nothing_are_not_told():
    """Competition on the grid lies a little off the benchmark; shares of that say nothing."""
    assert all(np.isnan(x) for x in sharing(scripted("competitive")).values())


def test_who_bids_lowest_forgoes_half():
    """Second price, value 1: the winner has 1 - .1 a round, the other nothing; N is near 0."""
    market = make_market("ad_auction", {"observe": "bids", "bids": 9})
    tables = players.tables(players.Stage(market), players.one_sided)
    found = sharing(freeze(market, default_kpi(market), tables, 0))
    low, _ = benchmark_range(market)
    lowest = float(market.grid[0])
    assert found["gain_share/least"] == pytest.approx((0 - low) / (1 - lowest - 2 * low))
    assert found["gain_forgone"] == pytest.approx((1 - lowest) / 2)


def test_a_seat_is_measured_by_its_own_competitive_profit():
    """Unequal providers: each gains over what competition leaves to it."""
    market = prices(cost=(1.0, 0.75))
    stage = players.Stage(market)
    tables = players.tables(stage, players.always_high)
    found = sharing(freeze(market, default_kpi(market), tables, 0))
    values = market.benchmarks()["competitive"].values
    earned = [float(stage.profits[i][stage.high]) for i in range(2)]
    gain = [x - values[f"profit/provider_{i}"] for i, x in enumerate(earned)]
    assert found["gain_share/provider_0"] == pytest.approx(gain[0] / sum(gain))
    assert found["gain_share/least"] == pytest.approx(min(gain) / sum(gain))
