"""A market as an environment of PettingZoo, Gymnasium and Stable-Baselines3.

`session.py` is one copy by seat names, on which the views of `pettingzoo_env.py` are built.
`seat_batch.py` is many copies seen from one seat, on which `gymnasium_env.py`,
`gymnasium_vector_env.py` and `sb3_vec_env.py` are built. `choices.py` is how observations and infos
look in all of them. The last of these imports
Stable-Baselines3 and torch, so it is not imported here.
"""

from .choices import INFOS, OBSERVATIONS, ObservationForm, RenderModeError
from .gymnasium_env import SeatEnv
from .gymnasium_vector_env import SeatVectorEnv
from .pettingzoo_env import (
    MarketAECEnv,
    MarketParallelEnv,
    make_aec,
    make_parallel,
    make_raw_aec,
)
from .seat_batch import DigitEncoder, SeatBatch
from .session import Session

__all__ = [
    "INFOS",
    "OBSERVATIONS",
    "DigitEncoder",
    "MarketAECEnv",
    "MarketParallelEnv",
    "ObservationForm",
    "RenderModeError",
    "SeatBatch",
    "SeatEnv",
    "SeatVectorEnv",
    "Session",
    "make_aec",
    "make_parallel",
    "make_raw_aec",
]
