"""A sweep from its words to its cells: planned, checked, trained, resumed.

from tacit.training.sweep import sweep
states = sweep("volatility_kpi", ["kpi.bidder.price_change=0,-1"], arms=["volatility"])
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from tacit.envs.errors import ConfigError
from tacit.training.config.arms import Experiment
from tacit.training.config.load import load, name_and_data
from tacit.training.config.mistakes import MistakeList
from tacit.training.storage.atomic_files import read_json
from tacit.training.storage.run_folder import RunFolder, named
from tacit.training.storage.run_lock import writing
from tacit.training.tabulate.into_tables import Bot, ask, bots_of
from tacit.training.trust.outside_agents import SWEEP_ADVICE, check_no_outside_agents

from .axes import Axis, Range, check_distinct, parse_grids, parse_ranges
from .cell import CellOutcome
from .engine import SweepEngine, SweepListener
from .plan import SweepPlan, check_size, plan_from
from .sweep_folder import CellState, SweepFolder

ALL_CHECKED = 48  # cells; in larger sweeps every value of an axis is checked once
MOST_VALUES = 12  # of one axis that are checked, where they are numbers: the ends and some between


def make_plan(
    config: str,
    grids: Sequence[str],
    ranges: Sequence[str] = (),
    random: int = 0,
    settings: Sequence[str] = (),
    arms: Sequence[str] = (),
    seed: int = 0,
    is_trusted: bool = False,
) -> tuple[SweepPlan, dict[str, Any]]:
    """The plan of a sweep, checked, and the experiment file's data.

    Args:
        config: an experiment's or a market's name, or a YAML file.
        grids: `key=value,value,...` words.
        ranges: `key=low:high` words.
        random: draws of the ranges for each cell of the grid.
        settings: `key=value` words of all cells.
        arms: only these arms.
        seed: of the draws.
        is_trusted: whether bots in it may be asked (`ask_bots`).

    Raises:
        ConfigError: every mistake in words, keys and values at once, before anything is written.
    """
    mistakes = MistakeList()
    axes: tuple[Axis, ...] = ()
    drawn: tuple[Range, ...] = ()
    with mistakes.collecting():
        axes = parse_grids(grids)
    with mistakes.collecting():
        drawn = parse_ranges(ranges)
    if random < 0:
        mistakes.append(f"--random: must be at least 0, got {random}.")
    mistakes.raise_if_any()
    check_distinct(axes, drawn, settings)
    name, raw = name_and_data(config)
    source = hashlib.sha256(json.dumps(raw, sort_keys=True).encode()).hexdigest()
    plan = SweepPlan(name, source, tuple(arms), tuple(settings), axes, drawn, random, seed)
    check_size(plan)
    check_cells(plan, raw, is_trusted)
    return plan, raw


def check_cells(plan: SweepPlan, raw: dict[str, Any], is_trusted: bool = False) -> None:
    """Check the cells of a plan before anything is trained: all of few; of many, every value of an
    axis beside the first values of the others. The rest is checked when its turn comes.

    Raises:
        ConfigError: every mistake at once.
    """
    mistakes = MistakeList()
    for words in _checked(plan):
        with mistakes.collecting():
            cell = load(raw, words, plan.arms)
            check_no_live_agents(cell)
            if not is_trusted:
                check_no_outside_agents(cell, advice=SWEEP_ADVICE)
    if mistakes:
        raise ConfigError(list(dict.fromkeys(mistakes)))


def check_no_live_agents(cell: Experiment) -> None:
    """Whether nobody has to be asked while a cell is trained.

    Raises:
        ConfigError: somebody has; every one is named.
    """
    lines = [
        f"{arm.name}.agents.{seat}: is live, and a sweep asks nobody while it trains; leave out "
        "live to have it asked once, or train these settings with tacit train."
        for arm in cell.arms.values()
        for seat in arm.live
    ]
    if lines:
        raise ConfigError(lines)


# --- bots -----------------------------------------------------------------------------------------


def bots_to_ask(folder: SweepFolder, plan: SweepPlan, raw: dict[str, Any]) -> list[Bot]:
    """The bots of a sweep whose tables are not there yet; nothing is run. Cells in which a seat is
    asked the same share one.

    Raises:
        ConfigError: mistakes in a cell.
    """
    found: dict[Path, Bot] = {}
    for k in range(plan.count):
        found |= bots_of(load(raw, plan.words(k), plan.arms), folder.path)
    return [bot for bot in found.values() if not bot.is_known]


def cost_line(bots: Sequence[Bot], plan: SweepPlan) -> str:
    """What asking the bots of a sweep will cost, in words."""
    least, most = (sum(bot.cost[which] for bot in bots) for which in (0, 1))
    return (
        f"{len(bots):,} table{'s' * (len(bots) != 1)} to ask for, for {plan.count:,} cells: about "
        f"{least:,} questions if answers never vary, up to {most:,} if they do"
    )


def ask_bots(bots: Sequence[Bot], allowed: tuple[str, ...], tell: Callable[[str], None]) -> None:
    """Ask the bots of a sweep, whose user trusts them, and keep their tables in its folder.

    Raises:
        ConfigError: a bot does not start or answer, or is no function of what it sees.
    """
    for bot in bots:
        ask(bot, allowed, tell)


def _checked(plan: SweepPlan) -> Iterator[list[str]]:
    """The words of the cells that are checked."""
    if plan.count <= ALL_CHECKED:
        yield from map(plan.words, range(plan.count))
        return
    first = dict(plan.settings(0))
    values = {axis.key: _telling(axis.values) for axis in plan.axes}
    values |= {r.key: [r.at(0.0), r.at(1 - 2**-53)] for r in plan.ranges}
    yield plan.words(0)
    for key, own in values.items():
        for value in own:
            changed = first | {key: value}
            yield [*plan.fixed, *(f"{k}={json.dumps(v)}" for k, v in changed.items())]


def _telling(values: Sequence[Any]) -> Sequence[Any]:
    """The values of an axis that are checked: of many numbers the ends and some between, since
    what numbers may be is bounded from below and above."""
    if len(values) <= MOST_VALUES or len({type(value) for value in values}) > 1:
        return values
    if not isinstance(values[0], int | float):
        return values
    ordered = sorted(values)
    step = (len(ordered) - 1) / (MOST_VALUES - 1)
    return [ordered[round(n * step)] for n in range(MOST_VALUES)]


# --- the folder of a sweep ------------------------------------------------------------------------


def sweep_folder(results: Path, name: str) -> SweepFolder:
    """The folder of a sweep by its name.

    Raises:
        ConfigError: it cannot be a folder's name, or is that of a run.
    """
    run = named(results, name)
    if run.config.exists():
        raise ConfigError(f"--name: {run.path} is a run of its own; choose another --name.")
    return SweepFolder(run.path)


@contextmanager
def sweeping(folder: SweepFolder, plan: SweepPlan, raw: dict[str, Any]) -> Iterator[SweepPlan]:
    """Hold the lock of a sweep, whose plan stands in its folder then.

    Args:
        folder: of the sweep.
        plan: as the command line asks for it.
        raw: the experiment file's data.

    Yields:
        The plan in the folder: with the cells that refinement has added.

    Raises:
        ConfigError: another process holds the lock, or the folder is that of another sweep.
    """
    with writing(RunFolder(folder.path), clean=False):
        yield _stored(folder, plan, raw)


def _stored(folder: SweepFolder, plan: SweepPlan, raw: dict[str, Any]) -> SweepPlan:
    data = read_json(folder.plan_file)
    if not data:
        folder.write_plan(plan, raw)
        return plan
    known = plan_from(data, str(folder.plan_file))
    if replace(known, added=()) == replace(plan, added=()):
        return known
    differing = [
        name
        for name, value in replace(known, added=()).plain().items()
        if replace(plan, added=()).plain()[name] != value
    ]
    told = {"source": "the experiment file", "fixed": "key=value settings"}
    names = ", ".join(told.get(name, name) for name in differing)
    raise ConfigError(
        f"{folder.path}: holds another sweep ({names} differ). Nothing was changed. Give this one "
        "a --name of its own."
    )


def to_train(folder: SweepFolder, plan: SweepPlan) -> list[int]:
    """The cells that are not done: whose summary is missing, or is not the one that was written."""
    states = folder.states(plan)
    return [
        k
        for k, state in enumerate(states)
        if state != CellState.DONE or not folder.is_done(plan, k)
    ]


class _Counting:
    """Counts how cells ended, and passes everything on."""

    def __init__(self, listener: SweepListener) -> None:
        self._listener = listener
        self.failed: dict[int, str] = {}
        self.elsewhere: list[int] = []

    def share(self, k: int, share: float) -> None:
        self._listener.share(k, share)

    def note(self, text: str) -> None:
        self._listener.note(text)

    def ended(self, outcome: CellOutcome) -> None:
        if outcome.failure is not None:
            self.failed[outcome.k] = outcome.failure
        if outcome.is_elsewhere:
            self.elsewhere.append(outcome.k)
        self._listener.ended(outcome)


def train_cells(
    folder: SweepFolder,
    plan: SweepPlan,
    engine: SweepEngine,
    listener: SweepListener,
    cells: Sequence[int] | None = None,
) -> tuple[dict[int, str], list[int]]:
    """Train the cells of a sweep that are not done.

    Args:
        folder: of the sweep, whose lock is held.
        plan: its plan.
        engine: trains them.
        listener: receives the progress.
        cells: only these; by default all that are not done.

    Returns:
        Why cells failed, by number; and the cells that another process is training.

    Raises:
        ConfigError, Interrupted: as `SweepEngine.train`.
    """
    counting = _Counting(listener)
    engine.train(folder, plan, to_train(folder, plan) if cells is None else cells, counting)
    return dict(sorted(counting.failed.items())), sorted(counting.elsewhere)
