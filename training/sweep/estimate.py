"""How long a sweep takes, from playing a few of its cells for a moment."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tacit.training.config.arms import Arm, Experiment
from tacit.training.config.load import load

from .plan import SweepPlan

FIXED_SECONDS = 0.15  # of a seed beside its rounds: probes, files, its share of the summary
FIRST_ROUNDS = 2_000  # played before the clock starts, so that loops are compiled
LONG_ENOUGH = 0.3  # seconds that are timed


@dataclass(frozen=True)
class SweepCost:
    """What a sweep costs.

    Attributes:
        core_seconds: of one core, for all cells that are not done.
        cells: that were played for a moment.
    """

    core_seconds: float
    cells: int


def estimate(raw: Mapping[str, Any], plan: SweepPlan, cells: Sequence[int]) -> SweepCost:
    """An estimate from the first, the middle and the last of some cells.

    Args:
        raw: the experiment file's data.
        plan: its plan.
        cells: that are to be trained.

    Raises:
        ConfigError: mistakes in a cell.
    """
    chosen = sorted({cells[0], cells[len(cells) // 2], cells[-1]}) if cells else []
    seconds = [_seconds(load(raw, plan.words(k), plan.arms)) for k in chosen]
    mean = sum(seconds) / len(seconds) if seconds else 0.0
    return SweepCost(mean * len(cells), len(chosen))


def _seconds(experiment: Experiment) -> float:
    """Core-seconds of a cell."""
    return sum(arm.seeds * (_seed_seconds(arm) + FIXED_SECONDS) for arm in experiment.arms.values())


def _seed_seconds(arm: Arm) -> float:
    """Core-seconds of the rounds of one repetition; agents that stop by themselves take fewer."""
    group, rounds = arm.group(0), arm.train.rounds
    group.run(min(FIRST_ROUNDS, rounds))
    block, played, spent = FIRST_ROUNDS, 0, 0.0
    while spent < LONG_ENOUGH and group.rounds + block <= rounds:
        before, start = group.rounds, time.perf_counter()
        group.run(block)
        spent += time.perf_counter() - start
        played += group.rounds - before
        if group.rounds == before:
            break  # agents stopped by themselves
        block *= 2
    return spent / played * rounds if played else 0.0
