"""Markets, KPIs, the engine, and environments for PettingZoo, Gymnasium and Stable-Baselines3.

Importing this package registers every market with PettingZoo, and one seat of it, against frozen
policy tables, with Gymnasium:

    pettingzoo.make("parallel", "tacit/ad_auction-v0", market={"bidders": 3})
    gymnasium.make("tacit/ad_auction-v0", seat="bidder_0", market={"bidders": 3})

So are markets of installed packages, as version 0, and those that `tacit.register_market` is given.
Neither library is imported here: `registry/registration.py` waits until somebody else does.

The names in `__all__` are imported when they are first used: `SeatVecEnv` needs Stable-Baselines3
and torch, and nothing else here does.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .registry import find_installed
from .registry.registration import register_all

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


find_installed()
register_all()
