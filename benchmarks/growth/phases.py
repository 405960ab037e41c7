"""Rounds of several phases, looked up and played, in shipped experiments with Q-learners."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import NamedTuple

from tacit.agents.tabular.group import TabularGroup
from tacit.training.config.load import load
from tacit.training.studies.cost import looked_up_round

ARMS = (
    ("cost_of_hire", "profit"),
    ("priority_claims", "revenue"),
    ("unheard", "heard"),
    ("overpromise", "booking"),
    ("overpromise", "trusted_booking"),
    ("missing_clause", "savings"),
    ("cheap_talk", "bias_0"),
)
ROUNDS, REPEATS = 200_000, 3  # of which the fastest counts


class Phases(NamedTuple):
    """What was measured of an arm.

    Attributes:
        experiment, arm: which one.
        market: its name.
        cells: of its table.
        looked_up: nanoseconds of a round, CPU time of one thread.
        played: the same where the kernels play.
        estimate: the same of a round that is looked up, by the formula.
    """

    experiment: str
    arm: str
    market: str
    cells: int
    looked_up: float
    played: float
    estimate: float


def phase_times() -> Iterator[Phases]:
    """Every arm of ARMS; both ways play the same rounds, by turns."""
    for experiment, name in ARMS:
        arm = load(experiment, arms=[name]).arms[name]
        groups = {}
        for way in ("never", "always"):
            group = arm.group(0)
            assert isinstance(group, TabularGroup)
            group.look_up = way  # type: ignore[assignment]
            groups[way] = group
            group.run(2)  # compiled, and the table is made
        best = dict.fromkeys(groups, float("inf"))
        for _ in range(REPEATS):
            for way, group in groups.items():
                best[way] = min(best[way], _seconds(group, ROUNDS) / ROUNDS)
        table = groups["always"].lookup_table
        assert table is not None
        yield Phases(
            experiment, name, arm.market.name, table.cells,
            1e9 * best["always"], 1e9 * best["never"], 1e9 * looked_up_round(arm.market),
        )  # fmt: skip


def _seconds(group: TabularGroup, rounds: int) -> float:
    """CPU-seconds of so many rounds."""
    before = time.process_time()
    group.run(rounds)
    return time.process_time() - before
