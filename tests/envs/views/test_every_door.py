"""What holds of every environment alike: what an action is, and that copies go on by themselves."""

from __future__ import annotations

import copy
import pickle

import gymnasium
import numpy as np
import pytest
import torch

from tacit.envs.engine.engine import Engine
from tacit.envs.registry import make_market
from tacit.envs.views.gymnasium_env import SeatEnv
from tacit.envs.views.gymnasium_vector_env import SeatVectorEnv
from tacit.envs.views.pettingzoo_env import MarketParallelEnv
from tacit.envs.views.sb3_vec_env import SeatVecEnv


@pytest.mark.parametrize(
    "dress",
    [int, np.int32, np.uint8, lambda a: np.array(a, np.int64), lambda a: torch.tensor(a)],
)
def test_an_integer_is_an_action_in_any_dress_at_every_door(dress):
    """As SB3's `predict` gives it (a 0-d array), torch's scalars, NumPy's."""
    made = make_market("ad_auction", {"bids": 3})
    env = SeatEnv(made, "bidder_0")
    env.reset(seed=0)
    *_, info = env.step(dress(2))
    assert info["measures"]["bid"] == 0.75
    vector = SeatVectorEnv(made, "bidder_0", num_envs=2)
    vector.reset(seed=0)
    vector.step([dress(2), dress(0)])
    assert vector.seats.rows.actions[:, 0].tolist() == [2, 0]
    rows = SeatVecEnv(made, "bidder", copies=1)
    rows.reset()
    rows.step_async([dress(2), dress(0)])
    rows.step_wait()
    assert rows.seats.rows.actions[0].tolist() == [2, 0]
    parallel = MarketParallelEnv(made)
    parallel.reset(seed=0)
    *_, infos = parallel.step({"bidder_0": dress(2), "bidder_1": dress(0)})
    assert [infos[f"bidder_{i}"]["measures"]["bid"] for i in range(2)] == [0.75, 0.25]
    engine = Engine(made)
    engine.reset()
    engine.step([[dress(2), dress(0)]])
    assert engine.rows.actions[0].tolist() == [2, 0]


def test_a_seat_s_view_has_nothing_to_draw():
    env = gymnasium.make("tacit/ad_auction-v0", seat="bidder_0", render_mode=None)
    assert env.render_mode is None
    with pytest.raises(ValueError, match=r"render_mode must be None, got 'ansi'"):
        SeatEnv(make_market("ad_auction"), "bidder_0", render_mode="ansi")


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
@pytest.mark.parametrize("make", [SeatEnv, SeatVectorEnv, SeatVecEnv])
def test_a_copy_goes_on_as_the_first_does(make, copied):
    """Also from within an episode, and each by itself: no rows are shared."""
    env = make(make_market("ad_auction", {"observe": "bids", "bids": 4}), "bidder_0")
    n = env.seats.copies
    env.reset(seed=7) if make is not SeatVecEnv else (env.seed(7), env.reset())
    step = env.step if make is not SeatEnv else lambda a: env.step(a[0])
    step(np.full(n, 2))
    other = copied(env)
    ahead = other.step if make is not SeatEnv else lambda a: other.step(a[0])
    taken = [np.full(n, k % 4) for k in range(9)]
    before = [ahead(a) for a in taken]
    after = [step(a) for a in taken]
    for one, two in zip(before, after, strict=True):
        np.testing.assert_equal(two, one)
