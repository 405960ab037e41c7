"""Amounts for which benchmarks cannot be computed are refused in words."""

from __future__ import annotations

from math import isfinite

import pytest

from tacit.envs.errors import ConfigError
from tacit.envs.registry import make_market


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"differentiation": 1e-300}, r"differentiation: must be 0 or at least 2e-09, 1e-09 of"),
        ({"quality": 1e9, "differentiation": 0.25}, r"differentiation: must be 0 or at least 1,"),
        ({"capacity": 1e-300}, r"capacity: must be at least a millionth of the demand, 1e-06, got"),
        ({"capacity": 1e-5, "background_demand": 100}, r"capacity: must be .*, 0.0001, got 1e-05"),
    ],
)
def test_quotients_that_would_overflow(keys, told):
    with pytest.raises(ConfigError, match=told):
        make_market("cloud_bandwidth", keys)


@pytest.mark.parametrize("keys", [{"differentiation": 2.1e-9}, {"capacity": 1.1e-6}])
def test_at_the_bounds_benchmarks_are_computed(keys):
    benchmarks = make_market("cloud_bandwidth", {**keys, "prices": 3}).benchmarks()
    assert {"competitive", "collusive"} <= benchmarks.keys()
    assert all(isfinite(x) for outcome in benchmarks.values() for x in outcome.values.values())
