"""Rounds a second and memory of Q-learners, and of networks, as a setting grows."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tacit.agents.group import Group
from tacit.training.config.arms import Arm
from tacit.training.config.load import load
from tacit.training.studies.cost import ArmCost, arm_cost, states

from .settings import AUCTION, CLOUD, Setting, settings

REPEATS, ROUNDS = 3, 400_000  # of which the fastest counts; rounds of all copies
FIRST = 20_000  # rounds before the clock starts, in which loops are compiled and a table is made
Q_LEARNER = {"name": "q_learning", "initial_q": 0}
UPDATES = 6  # of a network, that are timed


class Measured(NamedTuple):
    """What was measured of a setting.

    Attributes:
        setting: which one.
        arm: as it would be trained.
        nanoseconds: of a round of one copy, CPU time of one thread.
        looked_up: whether rounds were looked up.
        cells: of the transition table; 0 without one.
        memory: bytes that a new seed holds.
    """

    setting: Setting
    arm: Arm
    nanoseconds: float
    looked_up: bool
    cells: int
    memory: int

    @property
    def estimate(self) -> ArmCost:
        """What the formula says."""
        return arm_cost(self.arm)


LEARNS = {AUCTION: "bidder", CLOUD: "provider"}  # the role that learns


def arm_of(market: str, keys: Mapping[str, Any], agent: Mapping[str, Any], *words: str) -> Arm:
    """One arm of a market under its default KPI, one kind of agent in all seats."""
    raw = {"market": {"name": market, **keys}, "agents": {LEARNS[market]: dict(agent)}}
    return load(raw, ["seeds=1", *words], [], None).arms["base"]


def measured() -> Iterator[Measured]:
    """Every setting with Q-learners."""
    for setting in settings():
        arm = arm_of(setting.market, setting.keys, Q_LEARNER, f"train.copies={setting.copies}")
        arm.group(0)  # what is made once for all seeds of a market is not counted
        tracemalloc.start()
        group = arm.group(0)
        memory, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        seconds = _seconds_a_round(group, ROUNDS // setting.copies, max(1, FIRST // setting.copies))
        table = getattr(group, "lookup_table", None)
        cells = 0 if table is None else table.cells
        yield Measured(
            setting, arm, 1e9 * seconds / setting.copies, table is not None, cells, memory
        )


def _seconds_a_round(group: Group, rounds: int, first: int) -> float:
    """CPU-seconds of a round of all copies, the fastest of some repeats."""
    group.run(first)
    best = float("inf")
    for _ in range(REPEATS):
        before = time.process_time()
        played = group.run(max(1, rounds))
        best = min(best, (time.process_time() - before) / max(1, played))
    return best


def networks() -> Iterator[tuple[str, int, float, float]]:
    """Pricing by PPO: what grows, agent-steps an update, microseconds an agent-step, formula."""
    cases = [
        (f"{copies} copies", ("market.memory=1", f"train.copies={copies}"))
        for copies in (1, 16, 256)
    ] + [
        (f"hidden {hidden}, 16 copies", (f"agents.provider.hidden={hidden}", "train.copies=16"))
        for hidden in ("[32,32]", "[256,256]")
    ]
    for name, words in cases:
        arm = arm_of(CLOUD, {}, {"name": "ippo"}, *words, "train.rounds=100000")
        group, copies = arm.group(0), arm.train.copies
        batch = next(iter(arm.agents.values())).model_dump()["rounds_per_update"]
        seconds = _seconds_a_round(group, UPDATES * batch, 2 * batch) / (2 * copies)
        rounds = arm_cost(arm).rounds
        assert rounds is not None
        yield (
            name,
            2 * batch * copies,
            1e6 * seconds,
            1e6 * rounds / (2 * copies * arm.train.rounds),
        )


__all__ = ["Measured", "arm_of", "measured", "networks", "states"]
