"""Many copies of a market, stepped phase by phase in compiled loops."""

from .engine import Engine, Snapshot, Sums
from .game_arrays import CopyRows, GameArrays, build_game, build_rows
from .policy_tables import PolicyTable, by_seat, cumulative, mask, uniform

__all__ = [
    "CopyRows",
    "Engine",
    "GameArrays",
    "PolicyTable",
    "Snapshot",
    "Sums",
    "build_game",
    "build_rows",
    "by_seat",
    "cumulative",
    "mask",
    "uniform",
]
