"""Markets, KPIs, the engine, and environments for PettingZoo, Gymnasium and Stable-Baselines3.

Importing this package registers every market with PettingZoo, and one seat of it, against frozen
policy tables, with Gymnasium:

    pettingzoo.make("parallel", "tacit/ad_auction-v0", market={"bidders": 3})
    gymnasium.make("tacit/ad_auction-v0", seat="bidder_0", market={"bidders": 3})

So are markets of installed packages, as version 0, and those that `tacit.register_market` is given.

The names in `__all__` are imported when they are first used: `SeatVecEnv` needs Stable-Baselines3
and torch, and nothing else here does.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import gymnasium
from pettingzoo import aec_registry, parallel_registry, register

from .registry import MARKETS, SHIPPED, find_installed

if TYPE_CHECKING:
    from .analysis import Analysis
    from .engine import Engine
    from .market import Market
    from .registry import make_market
    from .views.gymnasium_env import SeatEnv
    from .views.gymnasium_vector_env import SeatVectorEnv
    from .views.sb3_vec_env import SeatVecEnv

__all__ = [
    "Analysis",
    "Engine",
    "Market",
    "SeatEnv",
    "SeatVecEnv",
    "SeatVectorEnv",
    "make_market",
]

_HOME = {
    "Analysis": "tacit.envs.analysis",
    "Engine": "tacit.envs.engine",
    "Market": "tacit.envs.market",
    "SeatEnv": "tacit.envs.views.gymnasium_env",
    "SeatVecEnv": "tacit.envs.views.sb3_vec_env",
    "SeatVectorEnv": "tacit.envs.views.gymnasium_vector_env",
    "make_market": "tacit.envs.registry",
}


def __getattr__(name: str) -> Any:
    """A name of `__all__`, imported when it is first used.

    Raises:
        AttributeError: any other name.
    """
    if name not in _HOME:
        raise AttributeError(f"module 'tacit.envs' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def register_environments(name: str, version: int = 0) -> None:
    """Register a market as `tacit/NAME-vVERSION` with PettingZoo and Gymnasium, unless it is."""
    label = f"tacit/{name}-v{version}"
    views = "tacit.envs.views.pettingzoo_env"
    named = {"name": name}
    if label not in parallel_registry and name in SHIPPED:
        register("parallel", label, f"tacit.envs.{name}_v{version}:parallel_env")
    elif label not in parallel_registry:
        register("parallel", label, f"{views}:make_parallel", kwargs=named)
    if label not in aec_registry and name in SHIPPED:
        register("aec", label, f"tacit.envs.{name}_v{version}:env")
    elif label not in aec_registry:
        register("aec", label, f"{views}:make_aec", kwargs=named)
    if label not in gymnasium.registry:
        gymnasium.register(
            label,
            "tacit.envs.views.gymnasium_env:make_seat_env",
            vector_entry_point="tacit.envs.views.gymnasium_vector_env:make_seat_vector_env",
            kwargs=named,
        )


find_installed()
for _name in MARKETS:
    register_environments(_name)
