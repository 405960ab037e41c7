"""BenchMARL trains on a market; skipped without it, since it needs an older TorchRL."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from support.interop import neighbours

pytestmark = [
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.slow,
    pytest.mark.skipif(
        find_spec("benchmarl") is None,
        reason="benchmarl is not installed: an environment of its own (docs/interop.md)",
    ),
]


@pytest.mark.parametrize("name", ["ad_auction", "procurement"])
def test_independent_ppo_learns(name):
    with neighbours.start_method_kept():
        assert neighbours.load("with_benchmarl").ippo(name, 250) == 250
