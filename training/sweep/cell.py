"""Training one cell: the same whichever process, engine or machine does it, and in which order."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass

from tacit.envs.errors import ConfigError
from tacit.training.config.arms import Experiment
from tacit.training.config.load import load
from tacit.training.runs.progress import NoProgress, SeedProgress
from tacit.training.runs.runner import Paused, train_experiment
from tacit.training.storage.run_lock import told_holder
from tacit.training.tabulate.into_tables import frozen

from .plan import SweepPlan
from .sweep_folder import SweepFolder

Report = Callable[[float], None]  # is told the share of a cell that is trained


@dataclass(frozen=True)
class CellOutcome:
    """How the training of a cell ended.

    Attributes:
        k: the cell.
        failure: why it failed, in a line; None if it is done.
        is_elsewhere: another process is training it, so that nothing was done here.
    """

    k: int
    failure: str | None = None
    is_elsewhere: bool = False


def cell_experiment(folder: SweepFolder, plan: SweepPlan, k: int) -> Experiment:
    """The experiment of cell k, with tables in the place of bots that were asked.

    Raises:
        ConfigError: every mistake in it.
    """
    experiment = load(folder.experiment_file(plan), plan.words(k), plan.arms)
    return frozen(experiment, folder.path)


def train_cell(folder: SweepFolder, plan: SweepPlan, k: int, report: Report) -> CellOutcome:
    """Train what is missing of cell k.

    Whatever goes wrong is kept in the cell's log, so that one cell does not end the others.

    Args:
        folder: of the sweep.
        plan: its plan.
        k: the cell.
        report: is told the share of it that is trained.

    Raises:
        Interrupted: stopped by a signal; what was trained is kept.
        ConfigError: the log itself cannot be written, as on a full disk.
    """
    run = folder.cell(plan, k)
    if folder.is_done(plan, k):
        return CellOutcome(k)
    if run.path.exists() and told_holder(run) is not None:
        return CellOutcome(k, is_elsewhere=True)
    folder.failure_log(plan, k).unlink(missing_ok=True)
    try:
        train_experiment(cell_experiment(folder, plan, k), run, _Share(report))
    except Paused as paused:
        return _failed(folder, plan, k, paused.advice, paused.advice)
    except ConfigError as error:
        return _failed(folder, plan, k, error.mistakes[0], "\n".join(error.mistakes))
    except Exception as error:
        return _failed(folder, plan, k, f"{type(error).__name__}: {error}", traceback.format_exc())
    folder.mark_done(plan, k)
    return CellOutcome(k)


def _failed(folder: SweepFolder, plan: SweepPlan, k: int, line: str, text: str) -> CellOutcome:
    """Keep in the log of cell k why it failed."""
    folder.mark_failed(plan, k, f"{text}\n")
    return CellOutcome(k, " ".join(line.split()))


class _Share(NoProgress):
    """Adds up the rounds of all seeds of a cell."""

    def __init__(self, report: Report) -> None:
        self._report, self._total, self._done = report, 1, 0

    def begin(self, total_rounds: int, finished_rounds: int) -> None:
        self._total, self._done = total_rounds, finished_rounds
        self._report(finished_rounds / total_rounds)

    def advance(self, arm: str, progress: SeedProgress) -> None:
        self._done += progress.rounds
        self._report(min(1.0, self._done / self._total))
