"""On which side of the middle a population lies."""

from __future__ import annotations

import numpy as np
import pytest

from tacit.emergence.collusion.index import frozen_index
from tacit.emergence.population import freeze
from tacit.envs.registry import make_market


@pytest.mark.parametrize(("bid", "nearer"), [(0.05, 1), (0.45, 1), (0.5, 0), (0.55, 0), (0.95, 0)])
def test_half_way_is_not_nearer_to_collusion(bid, nearer):
    """Second price: .95 is competition and .05 collusion, so .5 is half way."""
    market = make_market("ad_auction")
    table = np.zeros((1, 19))
    table[0, market.seats[0].role.encode_action(bid=bid)] = 1
    found = frozen_index(freeze(market, None, [table, table], 0))
    assert found["frozen_index"] == pytest.approx((0.95 - bid) / 0.9)
    assert found["nearer_collusive"] == nearer


def test_without_an_index_there_is_no_side():
    market = make_market("ad_auction", {"slots": 2, "click_rates": [1, 0.5], "price_mix": 1})
    found = frozen_index(freeze(market, None, [np.full((1, 19), 1 / 19)] * 2, 0))
    assert np.isnan(found["frozen_index"])
    assert np.isnan(found["nearer_collusive"])
