"""What the PettingZoo views hand out belongs to the caller, copies of a whole view included."""

from __future__ import annotations

import copy
import pickle

import cloudpickle
import numpy as np
import pytest

from tacit.envs import ad_auction_v0

PUBLISHER = {"publisher": True, "bidders": 3, "bids": 4}


def test_infos_carry_measures_and_terms_by_name():
    kpi = {"bidder": {"gain": {"measure": "profit", "weight": 3}, "win": 1}}
    env = ad_auction_v0.parallel_env(market={"bids": 9}, kpi=kpi)
    env.reset(seed=0)
    _, rewards, _, _, infos = env.step({"bidder_0": 2, "bidder_1": 6})
    info = infos["bidder_1"]
    assert info["measures"]["profit"] == pytest.approx(0.7)
    assert list(info["measures"]) == [m.name for m in env.market.measured("bidder")]
    assert info["kpi"] == pytest.approx({"gain": 0.7, "win": 1})  # unweighted
    assert rewards == pytest.approx({"bidder_0": 0.0, "bidder_1": 3.1})


def test_infos_survive_copies_and_pickles():
    env = ad_auction_v0.parallel_env(market=PUBLISHER)
    _, infos = env.reset(seed=0)
    for again in (copy.deepcopy(infos), pickle.loads(pickle.dumps(infos))):
        np.testing.assert_equal(again, infos)
        assert all(type(info) is dict for info in again.values())


@pytest.mark.parametrize("view", ["parallel", "aec"])
def test_observations_are_the_caller_s_own(view):
    env = ad_auction_v0.parallel_env() if view == "parallel" else ad_auction_v0.raw_env()
    shown = env.reset(seed=0)
    mine = shown[0]["bidder_0"] if view == "parallel" else env.observe("bidder_0")
    mine[:] = 9
    again = env.reset(seed=0)
    fresh = again[0]["bidder_0"] if view == "parallel" else env.observe("bidder_0")
    assert not fresh.any()


def test_masks_are_shared_and_read_only():
    _, infos = ad_auction_v0.parallel_env(market=PUBLISHER).reset(seed=0)
    mask = infos["publisher_0"]["action_mask"]
    assert (mask.dtype, mask.tolist()) == (np.int8, [1, 1, 1, 1, 1, 0])
    with pytest.raises(ValueError, match="read-only"):
        mask[0] = 0


COPIERS = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda env: pickle.loads(pickle.dumps(env)),
    "cloudpickle": lambda env: cloudpickle.loads(cloudpickle.dumps(env)),  # as SuperSuit copies
}


@pytest.mark.parametrize("copier", COPIERS.values(), ids=COPIERS)
@pytest.mark.parametrize("view", [ad_auction_v0.parallel_env, ad_auction_v0.raw_env])
def test_a_copied_view_goes_on_alone_and_alike(view, copier):
    """Also from the middle of a round; what one of them plays, the other does not notice."""
    env = view(market=PUBLISHER | {"observe": "bids"}, kpi={"bidder": {"spend": -1}})
    env.reset(seed=3)
    play(env, [2])
    kept = env.state()
    other = copier(env)
    play(other, [3, 3, 1, 0, 2, 2, 3])
    np.testing.assert_array_equal(env.state(), kept)
    played = other.state()
    assert not np.array_equal(played, kept)
    play(env, [3, 3, 1, 0, 2, 2, 3])
    np.testing.assert_array_equal(env.state(), played)
    np.testing.assert_equal(env.session.outputs(), other.session.outputs())
    assert not other.session.outputs()[2]["bidder_0"]["action_mask"].flags.writeable


def play(env, actions: list[int]) -> None:
    """One action after the other, in the order of the seats that act."""
    left = list(actions)
    while left:
        acting = env.session.acting[env.session.engine.phase]
        chosen = {seat.name: left.pop(0) for seat in acting}
        if hasattr(env, "agent_selection"):
            for action in chosen.values():
                env.step(action)
        else:
            env.step(chosen)
