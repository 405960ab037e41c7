"""One seed of one arm: trained in stretches, logged, measured at the end, saved."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable
from math import isfinite
from typing import Any

import numpy as np

from tacit.agents.group import Group
from tacit.emergence.named_measures import named_measures
from tacit.emergence.play.limit_path import LimitPath, limit_path
from tacit.envs.market import Market
from tacit.envs.types import Floats
from tacit.training.board.event_file import EventFile
from tacit.training.board.plugin_messages import hparams_trial
from tacit.training.config.arm_settings import settings_by_role
from tacit.training.config.arms import Arm
from tacit.training.config.experiment_file import TrainConfig

from . import checkpoint
from .partial import Partial, Points, Saver
from .probing import figures_of, population_of, probe_seed
from .progress import SeedProgress
from .run_folder import RunFolder
from .training_curve import follow
from .warm_start import first_group

POINTS = 24  # evaluation points of a run that names no interval
STRETCH = 100_000  # rounds between two looks at the stop flag
LISTED_SEEDS = 16  # of an arm in TensorBoard, which selects nothing where there are more than 500


def scalars(
    market: Market, terms: list[tuple[str, str]], measures: Floats, scores: Floats
) -> dict[str, float]:
    """TensorBoard's tags for one evaluation point.

    Args:
        market: the market.
        terms: seat and name of each KPI term.
        measures: means since the last point, float64 `[S + 1, M]`.
        scores: the same of KPI terms and rewards, float64 `[T + S]`.
    """
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
    report: Callable[[SeedProgress], None],
    stop: Callable[[], bool],
) -> dict[str, Any] | None:
    """Train seed number k of an arm, from where it was cut; its record, or None when stopped.

    The record holds every summary measure of the seed; it is on disk when this returns.
    """
    seed = Seed(run, arm, k)
    with seed.events:
        report(SeedProgress(seed.group.rounds * arm.train.copies, float("nan"), skipped=True))
        if not seed.train(report, stop):
            seed.save()
            return None
        record = seed.finish()
    checkpoint.save(run.checkpoint(arm.name, k), seed.group.state(), record)
    seed.saver.clear()
    left = arm.train.rounds - seed.group.rounds
    report(SeedProgress(left * arm.train.copies, float("nan"), skipped=True))
    return record


class Seed:
    """A seed on its way: its group, what was read of it so far, and its event file."""

    def __init__(self, run: RunFolder, arm: Arm, k: int) -> None:
        self._began = time.perf_counter()
        self.arm, self.k, self.group = arm, k, first_group(run, arm, k)
        self.saver = Saver(run.seed(arm.name, k), arm, k)
        before = self.saver.load(self.group)
        self.points, self.curve, self._worked, size = before or Partial([], {}, 0.0, {})
        self.events = EventFile(run.seed(arm.name, k), size, listed=k < LISTED_SEEDS)
        if before is None:
            self.events.summary(hparams_trial(settings_by_role(arm), arm.name))
            if arm.train.starts_from is not None:
                follow(self.curve, population_of(arm, k, self.group), 0)

    @property
    def seconds(self) -> float:
        """Worked on it so far."""
        return self._worked + time.perf_counter() - self._began

    def save(self) -> None:
        """Write what it needs to go on from here."""
        partial = Partial(self.points, self.curve, self.seconds, self.events.size())
        self.saver.save(self.group, partial)

    def train(self, report: Callable[[SeedProgress], None], stop: Callable[[], bool]) -> bool:
        """To the end, reading at every evaluation point; False when stopped on the way."""
        market, train, group = self.arm.market, self.arm.train, self.group
        marks, longest = evaluation_points(train), max(1, STRETCH // train.copies)
        while group.rounds < train.rounds and not group.stopped:
            due = marks[bisect_right(marks, group.rounds)]
            while group.rounds < due and not group.stopped:
                if stop():
                    return False
                done = group.run(min(due - group.rounds, longest))
                report(SeedProgress(done * train.copies, float("nan")))
            measures = self._read()
            report(SeedProgress(0, float(measures[-1, market.columns[market.headline]])))
            if self.saver.due:
                self.save()
        return True

    def _read(self) -> Floats:
        """One evaluation point: measures since the last one, and what quick probes say."""
        arm, group = self.arm, self.group
        terms = [(seat.name, name) for seat in arm.market.seats for name in arm.kpi[seat.name]]
        count = group.rounds_since_read
        measures, scores = group.read()
        self.points.append((count, measures))
        now = follow(self.curve, population_of(arm, self.k, group), group.rounds)
        tags = scalars(arm.market, terms, measures, scores) | group.figures
        self.events.scalars(group.rounds, tags | {f"probe/{name}": x for name, x in now.items()})
        return measures

    def finish(self) -> dict[str, Any]:
        """Measure and probe the trained seed; its record."""
        arm, group = self.arm, self.group
        population = population_of(arm, self.k, group)
        path = limit_path(population)
        final, extra = final_measures(group, path, self.points, arm.train.measure_last)
        named = named_measures(arm.market, final) | extra
        probes = probe_seed(population)
        ending = {f"probe/{name}": v for name, v in extra.items() if isfinite(v)}
        ending |= {
            f"probe/{name}": value
            for name, value in figures_of({"probes": probes}).items()
            if value is not None and "/" not in name
        }
        self.events.scalars(group.rounds, ending)
        return {
            "arm": arm.plain,
            "seed": arm.seed + self.k,
            "rounds": group.rounds,
            "agent_steps": agent_steps(arm.market, group.rounds * arm.train.copies),
            "seconds": round(self.seconds, 4),
            "measures": {name: v if isfinite(v) else None for name, v in named.items()},
            "probes": probes,
            **({"training_curve": self.curve} if self.curve else {}),
        }


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
    group: Group, path: LimitPath, points: Points, last: int
) -> tuple[Floats, dict[str, float]]:
    """Measures of a finished seed, float64 `[S + 1, M]`, and figures of its end.

    Agents that stop by themselves are measured on the limit cycle of their policies without
    exploration; others over the last `last` rounds as they were played. `rounds_to_stop` counts up
    to the last change of a greedy policy, without the rounds in which the stopping rule waited.
    """
    market, policies = group.market, group.tables()
    still = group.stable_rounds if group.stopped else 0
    extra = {"rounds_to_stop": float(group.rounds - still), "converged": float(group.stopped)}
    if not group.stop_after:
        extra = {"rounds_to_stop": float("nan"), "converged": float("nan")}
    kinds = {"cycle_1_share": path.period == 1, "cycle_2_share": path.period == 2}
    kinds["cycle_3plus_share"] = path.period > 2
    extra |= {name: float(hit) if path.period else float("nan") for name, hit in kinds.items()}
    if market.analysis_class is not None:
        extra |= market.analysis.policy_figures(policies)
        theory = market.analysis.theory()
        extra |= {f"{name}_theory": value for name, value in theory.items()}
    if group.stop_after and group.stopped:
        return path.mean, extra
    total, weight = np.zeros_like(points[-1][1]), 0
    for count, measures in reversed(points):
        if weight >= last:
            break
        total += count * measures
        weight += count
    return total / weight, extra
