"""TorchRL's wrapper of PettingZoo takes both views of every market; skipped without TorchRL."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from support.interop import neighbours

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # it warns of every PettingZoo but 1.24.3
    pytest.mark.slow,
    pytest.mark.skipif(
        find_spec("torchrl") is None, reason="torchrl is not installed (extra interop)"
    ),
]
NAMES = list(neighbours.load("markets").MARKETS)


@pytest.fixture(scope="module")
def loops():
    with neighbours.start_method_kept():
        return neighbours.load("with_torchrl")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("observation", "infos"), [("onehot", "mask"), ("box", "flat"), ("digits", None)]
)
def test_the_specs_of_parallel_are_true(loops, name, observation, infos):
    """Also through the ends of episodes, and with the keys that infos have at a step."""
    env = loops.wrap(name, observation, infos)
    env.rollout(12, break_when_any_done=False)
    loops.check_env_specs(env)
    roles = {seat.role.name for seat in env._env.market.seats}
    assert set(env.group_map) == roles


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("infos", ["mask", "flat"])
def test_the_specs_of_aec_are_true(loops, name, infos):
    """TorchRL draws legal actions only, since the masks are handed on."""
    env = loops.wrap_aec(name, "onehot", infos)
    env.rollout(12, break_when_any_done=False)
    loops.check_env_specs(env)


@pytest.mark.parametrize("name", ["ad_auction", "procurement", "cheap_talk"])
def test_a_policy_for_every_role_is_learned(loops, name):
    assert loops.ppo(name, 250) == 250
