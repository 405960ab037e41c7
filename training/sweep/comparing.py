"""`tacit compare SWEEP`: cells side by side, filtered, grouped, sorted, tested.

All cells train the same seeds, so a cell is compared with another by the differences of equal
seeds (Student's t). With many cells some differ by chance; so p values are corrected by Holm's
method ("A simple sequentially rejective multiple test procedure", Scandinavian Journal of
Statistics 6, 1979), which keeps the chance of any false finding in the table below 5 %.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tacit.emergence import stats
from tacit.envs.errors import ConfigError, nearest

from .cell_table import CellResult

LEVEL = 0.05  # chance of any false finding in a table


@dataclass(frozen=True)
class ComparedCells:
    """A row of the table: a cell's arm, or all cells with one value of a key.

    Attributes:
        settings: keys and values.
        arm: the arm's name.
        cells: their numbers.
        estimate: the measure's mean over seeds, with its interval.
        difference: to the first row, over seeds that both have; None in that row.
        p: of that difference, corrected; None where there is none.
    """

    settings: Mapping[str, Any]
    arm: str
    cells: Sequence[int]
    estimate: stats.Estimate
    difference: stats.Estimate | None
    p: float | None


def compare_cells(
    results: Iterable[CellResult],
    measure: str | None = None,
    by: str | None = None,
    sort: bool = False,
) -> tuple[str, list[ComparedCells]]:
    """Rows of the table.

    Args:
        results: arms of cells, as `read_results` gives them.
        measure: what is compared; by default the market's headline.
        by: a key: cells with the same value of it are averaged, seed by seed.
        sort: the greatest mean first, after the row that all are compared with.

    Returns:
        The measure, and the rows: the first of the sweep first, with which all others are compared.

    Raises:
        ConfigError: no cell is done, or none has the measure.
    """
    groups: dict[tuple[Any, ...], list[tuple[CellResult, list[float]]]] = {}
    known: set[str] = set()
    for result in results:
        measure = measure or result.headline
        known.update(result.summary["measures"])
        values = result.values(measure)
        if values is None or None in values:
            continue  # not defined in every seed
        key = _key(result, by)
        groups.setdefault(key, []).append((result, [float(v) for v in values if v is not None]))
    if not known:
        raise ConfigError("SWEEP: no cell that is asked for is done.")
    if not groups:
        raise ConfigError(f"--measure: no cell has '{measure}'. {nearest(str(measure), known)}")
    per_seed = [_mean_per_seed([values for _, values in group]) for group in groups.values()]
    raw = [_p_value(own, per_seed[0]) for own in per_seed[1:]]
    corrected = [None, *holm(raw)]
    rows = [
        ComparedCells(
            dict(group[0][0].settings) if by is None else {by: group[0][0].settings[by]},
            group[0][0].arm,
            [result.k for result, _ in group],
            stats.estimate(str(measure), own),
            stats.paired(*_common(own, per_seed[0])) if k else None,
            corrected[k],
        )
        for k, (group, own) in enumerate(zip(groups.values(), per_seed, strict=True))
    ]
    if sort:
        rows[1:] = sorted(rows[1:], key=lambda row: -row.estimate.mean)
    return str(measure), rows


def _key(result: CellResult, by: str | None) -> tuple[Any, ...]:
    if by is None:
        return result.k, result.arm
    if by not in result.settings:
        raise ConfigError(f"--by {by}: is not varied. {nearest(by, result.settings)}")
    return repr(result.settings[by]), result.arm


def _mean_per_seed(values: Sequence[Sequence[float]]) -> list[float]:
    """The mean over cells of every seed that all have."""
    seeds = min(len(own) for own in values)
    return [float(x) for x in np.mean([own[:seeds] for own in values], axis=0)]


def _common(own: Sequence[float], other: Sequence[float]) -> tuple[list[float], list[float]]:
    """Values of the seeds that both have."""
    seeds = min(len(own), len(other))
    return list(own[:seeds]), list(other[:seeds])


def _p_value(own: Sequence[float], other: Sequence[float]) -> float:
    """Of a paired difference (Student's t, two-sided); NaN with one seed or equal differences."""
    from scipy.special import stdtr

    differences = np.subtract(*_common(own, other))
    n = len(differences)
    spread = differences.std(ddof=1) if n > 1 else 0.0
    if spread == 0.0:
        return float("nan")
    t = abs(differences.mean()) / (spread / np.sqrt(n))
    return float(2 * stdtr(n - 1, -t))


def holm(p: Sequence[float]) -> list[float | None]:
    """P values corrected by Holm's method; None for those that are NaN, which count as no test.

    The smallest of m is multiplied by m, the next by m - 1, and so on; none may fall below the one
    before it, nor exceed 1.
    """
    tested = [k for k, value in enumerate(p) if not np.isnan(value)]
    corrected: list[float | None] = [None] * len(p)
    highest = 0.0
    for rank, k in enumerate(sorted(tested, key=lambda k: p[k])):
        highest = max(highest, min(1.0, (len(tested) - rank) * p[k]))
        corrected[k] = highest
    return corrected
