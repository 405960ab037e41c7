"""What learned tables earn when they are played."""

from __future__ import annotations

import numpy as np
import pytest
from support.populations import scripted

from tacit.emergence.play import learned_response
from tacit.emergence.play.limit_path import limit_path
from tacit.envs.engine.engine import Engine


def test_what_constant_prices_earn_is_their_profit_a_round_from_any_state():
    population = scripted("collusive")
    market, kpi = population.market, population.kpi
    path = limit_path(population)
    profit = path.measures[0, :2, market.columns["profit"]]
    for seat in range(2):
        earned = learned_response.mean_payoff(market, kpi, population.tables, seat, 0)
        assert earned == pytest.approx(profit[seat])


def test_play_begins_in_the_state_that_is_given():
    """Grim trigger on its path collude for ever; after a low price it never does again."""
    population = scripted("grim_trigger")
    market = population.market
    high = limit_path(population).measures[0, 0, market.columns["profit"]]
    engine = Engine(market, population.kpi)
    engine.reset()
    start = [population.market, population.kpi, population.tables, 0, 0]
    assert learned_response.mean_payoff(*start, engine.rows) == pytest.approx(high)
    engine.step(np.zeros((1, 2), np.int64))
    assert learned_response.mean_payoff(*start, engine.rows) < 0.9 * high
