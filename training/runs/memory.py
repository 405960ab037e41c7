"""Whether the copies of a market fit into memory, asked before they are made."""

from __future__ import annotations

import os
import tracemalloc

from tacit.agents.group import make_group
from tacit.envs.errors import ConfigError
from tacit.training.config.arms import Arm, Experiment
from tacit.training.storage.machine import workers

ASKED_FROM = 10_000  # copies; below, no market comes near
SAMPLE = 1_000  # copies by which the size of one is measured
SAVING = 2  # a save copies all arrays before they are written
SHARE = 0.8  # of the machine's memory that may be used


def check_memory(experiment: Experiment) -> None:
    """Check that the seeds that are trained side by side fit into memory.

    Raises:
        ConfigError: every arm that does not fit, with the estimate.
    """
    mistakes = []
    for name, arm in experiment.arms.items():
        if arm.train.copies < ASKED_FROM:
            continue
        # Repetitions that wait for one another are all in memory.
        side_by_side = arm.seeds if arm.has_arm_breakers else min(workers(), arm.seeds)
        need = bytes_of_a_seed(arm) * side_by_side
        if need > SHARE * memory():
            seeds = f"{side_by_side} seeds side by side" if side_by_side > 1 else "one seed"
            mistakes.append(
                f"arms.{name}.train.copies: {arm.train.copies:,} copies need about "
                f"{need / 1e9:,.0f} GB for {seeds}; this machine has {memory() / 1e9:,.0f} GB."
            )
    if mistakes:
        raise ConfigError(mistakes)


def bytes_of_a_seed(arm: Arm) -> int:
    """An estimate of the memory of one repetition: that of few copies, extended to all."""
    _size(arm, 1)  # what is made once for all groups, such as a market's tables, is not counted
    one, more = _size(arm, 1), _size(arm, 1 + SAMPLE)
    return SAVING * (one + (more - one) * (arm.train.copies - 1) // SAMPLE)


def _size(arm: Arm, copies: int) -> int:
    """Bytes that a new group of so many copies holds."""
    train = arm.train
    tracemalloc.start()
    try:
        group = make_group(
            arm.market,
            arm.kpi,
            arm.agents,
            arm.seed,
            copies,
            train.episode_rounds,
            train.rounds,
            arm.vendors,
        )
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    del group
    return size


def memory() -> int:
    """The machine's memory in bytes; without an end where the system does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 2**62
