"""The markets that every library trains on: small, and with all of their phases."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np

from tacit.envs.registry import make_market
from tacit.envs.views import MarketParallelEnv, make_parallel
from tacit.envs.views.sb3_vec_env import SeatVecEnv

# name: its config, and the seat that learns where a library trains one
MARKETS: dict[str, tuple[dict[str, Any], str]] = {
    "ad_auction": ({"publisher": True, "bids": 4, "observe": "bids"}, "bidder_0"),
    "procurement": ({"suppliers": 2}, "supplier_0"),
    "cloud_bandwidth": ({"prices": 3, "tenants": 2, "capacity": 2}, "provider_0"),
    "quantity_competition": ({"outputs": 5}, "firm_0"),
    "cheap_talk": ({}, "sender_0"),
    "hiring": ({}, "employer_0"),
    "delivery_slots": ({}, "shipper_0"),
}
EPISODE = 25  # rounds


def seat_env(name: str, **keys: Any) -> gymnasium.Env[Any, Any]:
    """One seat as a Gymnasium env; the others play at random."""
    config, seat = MARKETS[name]
    made: gymnasium.Env[Any, Any] = gymnasium.make(
        f"tacit/{name}-v0", seat=seat, market=config, episode_rounds=EPISODE, **keys
    )
    return made


def seat_rows(name: str, copies: int, **keys: Any) -> SeatVecEnv:
    """The same seat in several copies, for Stable-Baselines3."""
    config, seat = MARKETS[name]
    market = make_market(name, config)
    return SeatVecEnv(market, seat, copies=copies, episode_rounds=EPISODE, **keys)


def all_seats(name: str, **keys: Any) -> MarketParallelEnv:
    """All seats as a PettingZoo parallel env."""
    return make_parallel(name, market=MARKETS[name][0], episode_rounds=EPISODE, **keys)


def check_moved(before: list[Any], after: list[Any]) -> None:
    """Check that training changed parameters, and that all of them are finite.

    Args:
        before: arrays or tensors of a learner, from before it trained.
        after: the same afterwards.

    Raises:
        RuntimeError: nothing has changed, or something is NaN or infinite.
    """
    pairs = [(np.asarray(one), np.asarray(two)) for one, two in zip(before, after, strict=True)]
    if all(np.array_equal(one, two) for one, two in pairs):
        raise RuntimeError("no parameter has changed")
    if not all(np.isfinite(two).all() for _, two in pairs):
        raise RuntimeError("a parameter is not finite")
