"""RLlib trains on a market; skipped without it, since it needs an older Gymnasium."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from support.interop import neighbours

pytestmark = [
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.slow,
    pytest.mark.skipif(
        find_spec("ray") is None or find_spec("tree") is None,
        reason="ray[rllib] is not installed: an environment of its own (docs/interop.md)",
    ),
]


@pytest.fixture(scope="module")
def loops():
    with neighbours.start_method_kept():
        found = neighbours.load("with_rllib")
        found.start()
    yield found
    found.ray.shutdown()


@pytest.mark.parametrize("name", ["ad_auction", "procurement", "cheap_talk"])
def test_a_policy_for_every_role_is_learned(loops, name):
    assert loops.ppo(name, 250) >= 250
