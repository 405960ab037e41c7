"""One seed of one arm: trained in stretches, logged, measured at the end, saved."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.agents.tabular import STABLE, TabularGroup
from tacit.emergence.measures import named_measures
from tacit.emergence.path import Path, limit
from tacit.envs.market import Market

from . import checkpoint
from .bands import by_role
from .config import Arm, TrainConfig
from .course import Course, follow
from .events import EventFile, hparams_trial
from .layout import RunFolder
from .lineage import first_group
from .probing import figures_of, population_of, probe_seed

Array = NDArray[np.float64]
POINTS = 24  # evaluation points of a run that names no interval
STRETCH = 100_000  # rounds between two looks at the stop flag


@dataclass
class Progress:
    """What a seed tells while it trains: rounds done since last told, and the headline measure."""

    rounds: int
    headline: float
    skipped: bool = False  # rounds that an agent which stopped by itself left unplayed


def scalars(
    market: Market, terms: list[tuple[str, str]], measures: Array, scores: Array
) -> dict[str, float]:
    """TensorBoard's tags for one evaluation point."""
    tags: dict[str, float] = {}
    for seat in market.seats:
        tags[f"reward/{seat.name}"] = float(scores[len(terms) + seat.index])
        column = market.columns[seat.role.fundamental]
        tags[f"fundamental/{seat.name}"] = float(measures[seat.index, column])
        for measure in market.measured(seat.role.name):
            value = measures[seat.index, market.columns[measure.name]]
            tags[f"measure/{seat.name}/{measure.name}"] = float(value)
    for measure in market.measured("market"):
        value = measures[-1, market.columns[measure.name]]
        tags[f"measure/market/{measure.name}"] = float(value)
    tags |= {f"kpi/{seat}/{name}": float(scores[k]) for k, (seat, name) in enumerate(terms)}
    derived = market.derived(named_measures(market, measures))
    return tags | {f"probe/{name}": value for name, value in derived.items() if isfinite(value)}


def train_seed(
    run: RunFolder,
    arm: Arm,
    k: int,
    tell: Callable[[Progress], None],
    stop: Callable[[], bool],
) -> dict[str, Any] | None:
    """Train seed number k of an arm from its start; its record, or None when stopped on the way.

    The record holds every summary measure of the seed; it is on disk when this returns.
    """
    market, train, began = arm.market, arm.train, time.perf_counter()
    group = first_group(run, arm, k)
    terms = [(seat.name, name) for seat in market.seats for name in arm.kpi[seat.name]]
    marks = evaluation_points(train)
    points: list[tuple[int, Array]] = []  # (rounds, mean measures) of each stretch
    followed: Course = {}
    if train.starts_from is not None:
        follow(followed, population_of(arm, k, group), 0)
    with EventFile(run.seed(arm.name, k)) as events:
        events.summary(hparams_trial(by_role(arm), arm.name))
        while group.rounds < train.rounds and not group.stopped:
            start = group.rounds
            due = marks[bisect_right(marks, start)]
            while group.rounds < due and not group.stopped:
                if stop():
                    return None
                done = group.run(min(due - group.rounds, max(1, STRETCH // train.copies)))
                tell(Progress(done, float("nan")))
            count = group.rounds - start
            measures, scores = group.read()
            points.append((count, measures))
            now = follow(followed, population_of(arm, k, group), group.rounds)
            tags = scalars(market, terms, measures, scores) | group.figures
            events.scalars(group.rounds, tags | {f"probe/{name}": x for name, x in now.items()})
            tell(Progress(0, float(measures[-1, market.columns[market.headline]])))
        population = population_of(arm, k, group)
        final, extra = final_measures(group, limit(population), points, train.measure_last)
        named = named_measures(market, final) | extra
        probes = probe_seed(population)
        ending = {f"probe/{name}": v for name, v in extra.items() if isfinite(v)}
        ending |= {
            f"probe/{name}": value
            for name, value in figures_of({"probes": probes}).items()
            if value is not None and "/" not in name
        }
        events.scalars(group.rounds, ending)
    record = {
        "arm": arm.plain,
        "seed": arm.seed + k,
        "rounds": group.rounds,
        "agent_steps": agent_steps(market, group.rounds * train.copies),
        "seconds": round(time.perf_counter() - began, 4),
        "measures": {name: v if isfinite(v) else None for name, v in named.items()},
        "probes": probes,
        **({"course": followed} if followed else {}),
    }
    checkpoint.save(run.checkpoint(arm.name, k), group.state(), record)
    tell(Progress(train.rounds - group.rounds, float("nan"), skipped=True))
    return record


def evaluation_points(train: TrainConfig) -> list[int]:
    """Rounds after which a seed is read, ascending: multiples of the interval, or 24 points, evenly
    before and evenly in what the summary measures, which begins and ends at one of its own."""
    end = train.rounds
    cut = end - train.measure_last
    if train.evaluate_every:
        return sorted({*range(train.evaluate_every, end, train.evaluate_every), cut, end} - {0})
    after = max(1, round(POINTS * train.measure_last / end))
    before = max(1, POINTS - after)
    early = (cut * k // before for k in range(1, before + 1))
    late = (cut + train.measure_last * k // after for k in range(1, after + 1))
    return sorted({*early, *late} - {0})


def agent_steps(market: Market, rounds: int) -> int:
    """Decisions that seats made in so many rounds of copies."""
    deciding = sum(
        market.acts(seat, phase) for seat in market.seats for phase in range(len(market.phases))
    )
    return rounds * deciding


def final_measures(
    group: TabularGroup, path: Path, points: list[tuple[int, Array]], last: int
) -> tuple[Array, dict[str, float]]:
    """Measures of a finished seed, and what is said of its end.

    Agents that stop by themselves are measured on the limit cycle of their policies without
    exploration; others over the last `last` rounds as they were played. `rounds_to_stop` counts up
    to the last change of a greedy policy, without the rounds in which the stopping rule waited.
    """
    market, policies = group.market, group.tables()
    still = group.pop.clock[STABLE] if group.stopped else 0
    extra = {"rounds_to_stop": float(group.rounds - still), "converged": float(group.stopped)}
    if not group.stop_after:
        extra = {"rounds_to_stop": float("nan"), "converged": float("nan")}
    kinds = {"cycle_1_share": path.period == 1, "cycle_2_share": path.period == 2}
    kinds["cycle_3plus_share"] = path.period > 2
    extra |= {name: float(hit) if path.period else float("nan") for name, hit in kinds.items()}
    extra |= market.policy_figures(policies)
    extra |= {f"{name}_theory": value for name, value in market.theory().items()}
    if group.stop_after and group.stopped:
        return path.mean, extra
    total, weight = np.zeros_like(points[-1][1]), 0
    for count, measures in reversed(points):
        if weight >= last:
            break
        total += count * measures
        weight += count
    return total / weight, extra
