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

from tacit.agents.policy import cumulative
from tacit.agents.tabular import STABLE, TabularGroup
from tacit.envs import rng
from tacit.envs.engine import Engine
from tacit.envs.market import Market

from . import checkpoint
from .bands import by_role
from .config import Arm, TrainConfig
from .events import EventFile, hparams_trial
from .layout import RunFolder

Array = NDArray[np.float64]
POINTS = 24  # evaluation points of a run that names no interval
STRETCH = 100_000  # rounds between two looks at the stop flag
TRACE = 2_048  # rounds of greedy play in which a limit cycle is looked for


@dataclass
class Progress:
    """What a seed tells while it trains: rounds done since last told, and the headline measure."""

    rounds: int
    headline: float
    skipped: bool = False  # rounds that an agent which stopped by itself left unplayed


def named_measures(market: Market, measures: Array) -> dict[str, float]:
    """Mean measures `[S + 1, M]` under the names of summary.json.

    `profit/bidder_0` per seat, `profit` their mean; a measure of the market itself goes by its
    bare name; `<fundamental>/best` and `/worst` are the seats that earn most and least.
    """
    named: dict[str, float] = {}
    for measure in market.measures:
        column = market.columns[measure.name]
        seats = [s for s in market.seats if s.role.name in measure.roles]
        values = [float(measures[s.index, column]) for s in seats]
        named |= {f"{measure.name}/{s.name}": v for s, v in zip(seats, values, strict=True)}
        if "market" in measure.roles:
            named[measure.name] = float(measures[-1, column])
        elif seats:
            named[measure.name] = float(np.mean(values))
        for role in market.roles:
            if role.fundamental == measure.name and role.seats > 1:
                named[f"{measure.name}/best"] = max(values)
                named[f"{measure.name}/worst"] = min(values)
    return named | market.derived(named)


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


def cycle(states: Array, longest: int = 512) -> int:
    """The period of the tail of a path `[T, W]` of market states, or 0 if it has none."""
    tail = states[-2 * longest :]
    for period in range(1, longest + 1):
        if np.array_equal(tail[period:], tail[:-period]):
            return period
    return 0


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
    group = arm.group(k)
    terms = [(seat.name, name) for seat in market.seats for name in arm.kpi[seat.name]]
    marks = evaluation_points(train)
    points: list[tuple[int, Array]] = []  # (rounds, mean measures) of each stretch
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
            events.scalars(group.rounds, scalars(market, terms, measures, scores) | group.figures)
            tell(Progress(0, float(measures[-1, market.columns[market.headline]])))
        final, extra = final_measures(group, points, train.measure_last)
        named = named_measures(market, final) | extra
        ending = {f"probe/{name}": v for name, v in extra.items() if isfinite(v)}
        events.scalars(group.rounds, ending)
    record = {
        "arm": arm.plain,
        "seed": arm.seed + k,
        "rounds": group.rounds,
        "agent_steps": agent_steps(market, group.rounds * train.copies),
        "seconds": round(time.perf_counter() - began, 4),
        "measures": {name: v if isfinite(v) else None for name, v in named.items()},
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
    group: TabularGroup, points: list[tuple[int, Array]], last: int
) -> tuple[Array, dict[str, float]]:
    """Measures of a finished seed, and what is said of its end.

    Agents that stop by themselves are measured on the limit cycle of their policies without
    exploration; others over the last `last` rounds as they were played. `rounds_to_stop` counts up
    to the last change of a greedy policy, without the rounds in which the stopping rule waited.
    """
    market, policies = group.market, group.tables()
    told = {f"{name}_theory": value for name, value in market.theory().items()}
    period, on_cycle = limit_cycle(group)
    still = group.pop.clock[STABLE] if group.stopped else 0
    extra = {"rounds_to_stop": float(group.rounds - still), "converged": float(group.stopped)}
    if not group.stop_after:
        extra = {"rounds_to_stop": float("nan"), "converged": float("nan")}
    kinds = {"cycle_1_share": period == 1, "cycle_2_share": period == 2}
    kinds["cycle_3plus_share"] = period > 2
    extra |= {name: float(hit) if period else float("nan") for name, hit in kinds.items()}
    extra |= market.policy_figures(policies) | told
    if group.stop_after and group.stopped:
        return on_cycle, extra
    total, weight = np.zeros_like(points[-1][1]), 0
    for count, measures in reversed(points):
        if weight >= last:
            break
        total += count * measures
        weight += count
    return total / weight, extra


def limit_cycle(group: TabularGroup) -> tuple[int, Array]:
    """Play on from the end without exploration or learning, on a copy.

    Returns the period of the market's states (0: none found) and mean measures `[S + 1, M]` over
    one period (over the second half of the path if there is none).
    """
    engine = Engine(group.market, group.table, seeds=[group.seed], stream=rng.PROBE)
    engine.reset()
    for own, trained in zip(engine.rows, group.rows, strict=True):
        own[:] = trained[:1]
    states, measures = engine.trace(cumulative(group.market, group.tables())[None], TRACE)
    period = cycle(states)
    path = measures[-(period or TRACE // 2) :]
    mean: Array = path.mean(axis=0)
    return period, mean
