"""RLlib trains on a market; skipped without it, since it needs an older Gymnasium."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from support import neighbours

pytestmark = [
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.slow,
    pytest.mark.skipif(
        find_spec("ray") is None or find_spec("tree") is None,
        reason="ray[rllib] is not installed: an environment of its own (docs/interop.md)",
    ),
]


@pytest.mark.parametrize("name", ["ad_auction", "procurement"])
def test_a_policy_for_every_role_is_learned(name):
    with neighbours.start_method_kept():
        assert neighbours.load("with_rllib").ppo(name, 250) >= 250
