"""Train and measure one cell, all its seeds, with what `tacit train` runs; nothing is kept."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from tacit.agents.group import Group
from tacit.agents.tabular.q_values import rank
from tacit.agents.tabular.recording import build_recording
from tacit.emergence.collusion.rematched import rematch
from tacit.emergence.named_measures import named_measures
from tacit.emergence.play.limit_path import limit_path
from tacit.emergence.population import FrozenPopulation
from tacit.envs.engine.game_arrays import build_game
from tacit.envs.market import Role
from tacit.envs.types import Floats
from tacit.training.config.arms import Arm
from tacit.training.config.breaker_settings import ROLLBACK
from tacit.training.config.in_force import PERSON, arm_in_force
from tacit.training.config.load import load
from tacit.training.outcome.final_measures import end_figures, final_measures
from tacit.training.outcome.linting import lint_arm
from tacit.training.outcome.probing import population_of
from tacit.training.runs.arm_points.together import train_together
from tacit.training.runs.seed_run import Repetition
from tacit.training.storage.run_folder import RunFolder

from .cells import CASES, EXCHANGE, REVISE, VETO, Case, Cell

WATCHED = 2_000  # rounds that are recorded at the end, to see how near prices are to a band's end
CLOCK, STABLE_ROUNDS = "q_arrays.clock", 1


@dataclass(frozen=True)
class Played:
    """What one seed came to.

    Attributes:
        harm: the case's figure.
        welfare: what everybody has together, a round.
        trips: how often a breaker tripped.
        at_end: share of rounds whose price is the end of the band, or the nearest to it within.
        next_to_it: share whose price is one step further within.
    """

    harm: float
    welfare: float
    trips: int = 0
    at_end: float = nan
    next_to_it: float = nan


def settings_of(case: Case, cell: Cell) -> tuple[str, ...]:
    """The cell's settings, with the weight that lint proposes where the cell is that repair."""
    if not cell.repaired:
        return (*case.settings, *cell.settings)
    arm = load(case.config, case.settings, [case.arm]).arms[case.arm]
    for finding in lint_arm(arm).findings:
        if finding.repair is not None:
            own = finding.repair
            return (*case.settings, f"kpi.{own.owner}.{own.term}={own.to}")
    raise ValueError(f"{case.config}: lint proposes no repair")


def arm_of(case: Case, cell: Cell, seeds: int) -> Arm:
    """The arm that a cell trains, with so many seeds."""
    words = [*settings_of(case, cell), f"seeds={seeds}"]
    arm = load(case.config, words, [case.arm]).arms[case.arm]
    if not cell.redirect:
        return arm
    asked = {"action": ROLLBACK, PERSON: "the study", "act": "redirect", "redirect": cell.redirect}
    return arm_in_force(arm, [asked])


def play_cell(job: tuple[int, str, int]) -> tuple[list[Played], str]:
    """All seeds of a cell: number of the case, guardrail, how many seeds.

    Returns:
        What each came to, and the settings that were used, in words.
    """
    number, rail, seeds = job
    case = CASES[number]
    cell = case.cells[rail]
    arm = arm_of(case, cell, seeds)
    with threadpool_limits(limits=1):
        if cell.act == EXCHANGE:
            found = _exchanged(case, arm)
        else:
            found = [_played(case, arm, own, cell, rail == VETO) for own in _trained(arm)]
    told = [*settings_of(case, cell)[len(case.settings) :], *_words(cell.redirect)]
    return found, "; ".join(told)


def _words(redirect: Mapping[str, object]) -> list[str]:
    return [f"from the start: {key}: {value}" for key, value in redirect.items()]


def _trained(arm: Arm) -> list[Repetition]:
    """All seeds, trained to their ends."""
    with tempfile.TemporaryDirectory() as folder:
        return train_together(RunFolder(Path(folder) / "run"), arm)


def _played(case: Case, arm: Arm, repetition: Repetition, cell: Cell, is_banded: bool) -> Played:
    """One seed that was trained to its end, and further after an act."""
    group, ended, points = repetition.group, repetition.breakers.arm, repetition.points
    if cell.act == REVISE:
        revise(case, group)
        points = _learn_on(group, case.more_rounds, arm.train.measure_last)
    population = population_of(ended, repetition.k, group)
    harm, welfare = _measured(case, ended, group, population, points)
    trips = len(repetition.breakers.trips)
    if not is_banded:
        return Played(harm, welfare, trips)
    return Played(harm, welfare, trips, *near_the_end(case, ended, group, population))


def _measured(
    case: Case, arm: Arm, group: Group, population: FrozenPopulation, points: Any
) -> tuple[float, float]:
    """Harm and welfare as `tacit train` measures them at the end."""
    path = limit_path(population)
    means = named_measures(arm.market, final_measures(group, path, points, arm.train.measure_last))
    figures = {**means, **end_figures(group, path)}
    return figures[case.figure], means["welfare"]


def _learn_on(group: Group, rounds: int, last: int) -> list[tuple[int, Floats]]:
    """Let agents learn on; the evaluation points of that."""
    points = []
    for stretch in (rounds - last, last):
        played = 0
        while played < stretch and not group.stopped:
            played += group.run(stretch - played)
        if played:
            measures, _ = group.read()
            points.append((played, measures))
    return points


# --- acts on agents that have learned ------------------------------------------------------------


def revise(case: Case, group: Group) -> None:
    """Tell agents once: where their best action is outside the band, another becomes the best.

    In every row of Q values whose greedy action is outside, the actions outside get the row's
    lowest value, so that the best one within is greedy. Nothing else is changed, and they learn on.
    """
    state = group.state()
    q, greedy = state["q_arrays.q"], state["q_arrays.greedy"]
    cell = row = 0
    for seat in group.market.seats:
        outside = _outside(seat.role, case.band)
        for _ in range(seat.role.observations):
            width = seat.role.actions
            own = q[cell : cell + width]
            if outside[greedy[row]]:
                own[outside] = own.min()
                greedy[row], _, state["q_arrays.runner_up"][row] = rank(q, cell, 0, width)
            cell, row = cell + width, row + 1
    state[CLOCK][STABLE_ROUNDS] = 0
    group.load(state)


def _outside(role: Role, band: tuple[float, float]) -> Any:
    """Which actions of a role post a price outside the band, bool `[A]`."""
    (part,) = role.choices[0]
    values = np.array(part.values, float)
    return (values < band[0] - 1e-9) | (values > band[1] + 1e-9)


def _exchanged(case: Case, arm: Arm) -> list[Played]:
    """Frozen play of agents that have learned, each with a partner of another seed."""
    populations, tables = [], []
    for repetition in _trained(arm):
        populations.append(population_of(arm, repetition.k, repetition.group))
        tables.append(repetition.group)
    found = []
    for population, group in zip(rematch(populations), tables, strict=False):
        path = limit_path(population)
        means = named_measures(arm.market, path.mean)
        figures = {**end_figures(group, path), **means}
        found.append(Played(figures[case.figure], means["welfare"]))
    return found


# --- near the end of a band ----------------------------------------------------------------------


def near_the_end(
    case: Case, arm: Arm, group: Group, population: FrozenPopulation
) -> tuple[float, float]:
    """Shares of the last rounds whose price is at the band's end, and one step within."""
    market = arm.market
    column = market.columns[market.headline]
    rows = [seat.index for seat in market.seats] if market.headline == "price" else [-1]
    if group.stopped:  # nothing is learned any more, so it stays on its limit path
        measures = limit_path(population).measures[:, None]
    else:
        made = build_recording(build_game(market, arm.kpi), group.rows, WATCHED)
        measures = made.measures[: group.run(WATCHED, made)]
    prices = measures[:, :, rows, column].ravel()
    (part,) = market.seats[0].role.choices[0]
    grid = np.array(part.values, float)
    step = float(np.diff(grid).mean())
    end = case.band[0] if case.better > 0 else float(grid.max())
    far = np.abs(prices - end)
    return float((far < 0.5 * step).mean()), float(
        ((far >= 0.5 * step) & (far < 1.5 * step)).mean()
    )
