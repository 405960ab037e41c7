"""Which rows of a file are kept, and why others are left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tacit.envs.errors import ConfigError
from tacit.envs.types import Bools, Floats

from .csv_columns import RawColumns, Words

MISSING = frozenset(("", "na", "n/a", "nan", "null", "none", "-", "."))  # cells that say nothing
SHOWN = 3  # lines named for each reason


@dataclass(frozen=True)
class LeftOut:
    """Rows that were left out for one reason.

    Attributes:
        rows: how many.
        lines: numbers of the first few of them in the file.
    """

    rows: int
    lines: list[int]


@dataclass
class RowSieve:
    """Which of the R rows of a file are still kept.

    Attributes:
        raw: the rows.
        path: the file.
        keep: bool `[R]`.
        left_out: by reason.
    """

    raw: RawColumns
    path: Path
    keep: Bools = field(init=False)
    left_out: dict[str, LeftOut] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.keep = np.ones(len(self.raw.line), bool)

    def leave_out(self, reason: str, bad: Bools) -> None:
        """Leave out the rows that are `bad`, bool `[R]`, and still kept."""
        bad = bad & self.keep
        if bad.any():
            lines = [int(line) for line in self.raw.line[bad][:SHOWN]]
            self.left_out[reason] = LeftOut(int(bad.sum()), lines)
            self.keep = self.keep & ~bad

    def leave_out_missing(self, option: str, name: str) -> None:
        """Leave out the rows whose cell of an option, in column `name`, says nothing."""
        self.leave_out(f"no {name}", missing_cells(self.raw.cells[option]))

    def leave_out_unreadable(
        self, option: str, name: str, values: Floats, kind: str, advice: str
    ) -> None:
        """Leave out rows whose cell is missing or is no value; refuse a column of mostly these.

        Args:
            option: which cells.
            name: of their column.
            values: of all rows, float64 `[R]`; NaN where a cell is no value.
            kind: what a cell must be, such as `number`.
            advice: how such values are to be written.

        Raises:
            ConfigError: all cells are missing, or most of the others are no values.
        """
        cells = self.raw.cells[option]
        missing = missing_cells(cells)
        bad = ~missing & ~np.isfinite(values)
        if missing.all() or 2 * bad.sum() > (~missing).sum():
            k = int(np.flatnonzero(bad)[0]) if bad.any() else 0
            raise ConfigError(
                f"{option}: column '{name}' of {self.path.name} holds no {kind}s: "
                f"{bad.sum() + missing.sum():,} of {len(missing):,} cells are none (line "
                f"{self.raw.line[k]}: '{cells.at(k)}'). {advice}"
            )
        self.leave_out(f"no {name}", missing)
        self.leave_out(f"{name} is no {kind}", bad)


def says_nothing(text: str) -> bool:
    """Whether a cell says that there is no value."""
    return text.lower() in MISSING


def telling_words(cells: Words) -> list[str]:
    """The different texts that do not say nothing."""
    return [word for word in cells.words if not says_nothing(word)]


def missing_cells(cells: Words) -> Bools:
    """Which cells say nothing, bool `[R]`."""
    return cells.each(says_nothing) > 0


def reason_lines(left_out: Mapping[str, LeftOut]) -> list[str]:
    """`41 rows: no norm_bid (lines 57, 58, 99, ...)`, a line a reason."""
    lines = []
    for reason, found in left_out.items():
        plural, more = "s" * (found.rows > 1), ", ..." if found.rows > len(found.lines) else ""
        where = ", ".join(str(line) for line in found.lines)
        lines.append(f"{found.rows:,} row{plural}: {reason} (line{plural} {where}{more})")
    return lines
