"""Results of a sweep's cells, read from their summaries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tacit.envs.errors import ConfigError, nearest
from tacit.envs.registry import market_class
from tacit.training.config import files
from tacit.training.config.mistakes import MistakeList
from tacit.training.outcome.summary import ArmSummary, read_summary

from .plan import SweepPlan
from .sweep_folder import CellState, SweepFolder


@dataclass(frozen=True)
class CellResult:
    """One arm of one cell that is done.

    Attributes:
        k: the cell.
        settings: what it varies, by key.
        arm: the arm's name.
        summary: its part of summary.json.
    """

    k: int
    settings: Mapping[str, Any]
    arm: str
    summary: ArmSummary

    @property
    def headline(self) -> str:
        """The measure that the market puts first."""
        return market_class(self.summary["market"]).headline

    def values(self, measure: str) -> list[float | None] | None:
        """A measure of every repetition; None where the arm has it not."""
        found = self.summary["measures"].get(measure)
        return None if found is None else list(found["per_seed"])


Filter = Mapping[str, Any]  # keys and the values that a cell must have


def parse_filter(words: Sequence[str], plan: SweepPlan) -> dict[str, Any]:
    """`key=value` words of `--where`.

    Raises:
        ConfigError: a word of another form, or a key that the sweep does not vary.
    """
    wanted: dict[str, Any] = {}
    mistakes = MistakeList()
    for word in words:
        key, separator, text = word.partition("=")
        if not separator:
            mistakes.append(f"--where {word}: must be key=value.")
        elif key not in plan.keys:
            mistakes.append(f"--where {key}: is not varied. {nearest(key, plan.keys)}")
        else:
            with mistakes.collecting():
                wanted[key] = files.parse(text, f"--where {key}")
    mistakes.raise_if_any()
    return wanted


def read_results(
    folder: SweepFolder, plan: SweepPlan, where: Filter | None = None, arm: str | None = None
) -> Iterator[CellResult]:
    """Arms of the cells that are done, in the order of cells; one at a time, so memory is flat.

    Args:
        folder: of the sweep.
        plan: its plan.
        where: only cells with these values.
        arm: only this arm.

    Raises:
        ConfigError: a summary that was altered since its cell was done.
    """
    for k, state in enumerate(folder.states(plan)):
        settings = dict(plan.settings(k))
        if state != CellState.DONE or any(settings[key] != v for key, v in (where or {}).items()):
            continue
        yield from (found for found in cell_arms(folder, plan, k) if arm in (None, found.arm))


def cell_arms(folder: SweepFolder, plan: SweepPlan, k: int) -> Iterator[CellResult]:
    """The arms of a cell that is done.

    Raises:
        ConfigError: a summary that was altered since the cell was done.
    """
    if not folder.is_done(plan, k):
        raise ConfigError(
            f"{folder.cell(plan, k).summary}: is not what was written when cell {k} was done. "
            f"The sweep writes it anew: {folder.command('sweep')}"
        )
    for name, summary in read_summary(folder.cell(plan, k).summary).items():
        yield CellResult(k, dict(plan.settings(k)), name, summary)


def only_arm(results: Sequence[CellResult]) -> str:
    """The arm of results that must have one in common.

    Raises:
        ConfigError: there are none, or several arms.
    """
    names = list(dict.fromkeys(result.arm for result in results))
    if not names:
        raise ConfigError("SWEEP: no cell that is asked for is done.")
    if len(names) > 1:
        raise ConfigError(f"--arm: choose one of {', '.join(names)}.")
    return names[0]
