"""Which figures of a round have a column of their own in a table, and how sums of columns become
sums of figures.

Measures and scores of a round, laid end to end, are its F *figures*. Those that are always 0 have
no column; those that are always equal share one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tacit.envs.types import Floats, Ints


class FigureColumns(NamedTuple):
    """Columns of a table by figure.

    Attributes:
        column_of: the column of each figure; -1: it is always 0; int64 `[F]`.
        total: how many columns there are, with those that only fill a block up.
    """

    column_of: Ints
    total: int

    def sums_of(self, figures: Floats) -> Floats | None:
        """Running sums of all columns, float64 `[total]`, from those of figures, float64 `[F]`.

        Returns:
            None if figures that share a column differ so far, as they may after another KPI.
        """
        used = self.column_of >= 0
        sums = np.zeros(self.total)
        sums[self.column_of[used]] = figures[used]
        same = sums[self.column_of[used]].view(np.int64) == figures[used].view(np.int64)
        return sums if same.all() else None

    def figures_of(self, sums: Floats, figures: Floats) -> Floats:
        """Running sums of figures, float64 `[F]`, from those of all columns; the inverse of
        `sums_of`. Figures that have no column stay as they are in `figures`."""
        used = self.column_of >= 0
        found = figures.copy()
        found[used] = sums[self.column_of[used]]
        return found


def distinct_columns(figures: Floats, at_once: int) -> tuple[Floats, Ints]:
    """Figures `[C, K]` of C cells without those that repeat an earlier one, to the bit.

    Returns:
        The others in blocks, the last one filled up with zeros, float64 `[B, C, at_once]`; and in
        which column each of the K stands now, blocks end to end, int64 `[K]`.
    """
    known: dict[bytes, int] = {}
    places = [known.setdefault(own.tobytes(), len(known)) for own in figures.T]
    first = [places.index(k) for k in range(len(known))]
    padded = np.pad(figures[:, first], ((0, 0), (0, -len(known) % at_once)))
    blocks = padded.reshape(len(figures), -1, at_once).transpose(1, 0, 2)
    return np.ascontiguousarray(blocks), np.array(places, np.int64)
