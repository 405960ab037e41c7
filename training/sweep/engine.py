"""What every engine of a sweep is: something that trains cells, in any order, anywhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from .cell import CellOutcome
from .plan import SweepPlan
from .sweep_folder import SweepFolder


class SweepListener(Protocol):
    """Receives the progress of a sweep; may be called from several threads."""

    def share(self, k: int, share: float) -> None:
        """This share of cell k is trained."""

    def ended(self, outcome: CellOutcome) -> None:
        """A cell is done, or failed."""

    def note(self, text: str) -> None:
        """Something that deserves a line."""


class SweepEngine(Protocol):
    """Trains cells. The result of a cell depends neither on the engine nor on the order."""

    def train(
        self, folder: SweepFolder, plan: SweepPlan, cells: Iterable[int], listener: SweepListener
    ) -> None:
        """Train cells that are not done.

        Args:
            folder: of the sweep.
            plan: its plan, which stands in the folder.
            cells: their numbers.
            listener: receives the progress.

        Raises:
            ConfigError: no cell can be trained, as where nothing answers at an address.
            Interrupted: stopped by a signal; what was trained is kept.
        """
