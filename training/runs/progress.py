"""What training reports while it goes on, and to whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class SeedProgress:
    """What a seed reports while it trains.

    Attributes:
        rounds: played since its last report, over all copies.
        headline: the market's headline measure at an evaluation point; NaN between two points.
        skipped: these rounds were not played now: they are from before an interruption, or the
            agents stopped by themselves before they were due.
        ended: this is the seed's last report.
        cut_off: it ended because `train.rounds` did, before its agents had stopped by themselves.
    """

    rounds: int
    headline: float
    skipped: bool = False
    ended: bool = False
    cut_off: bool = False


def unconverged_text(unconverged: int, seeds: int) -> str:
    """Says that so many of the seeds that have ended were cut off by `train.rounds`."""
    return f"{unconverged} of {seeds} seeds {'has' if unconverged == 1 else 'have'} not stopped"


class ProgressListener(Protocol):
    """Receives the progress of a run."""

    def begin(self, total_rounds: int, finished_rounds: int) -> None:
        """Training starts.

        Args:
            total_rounds: of all seeds and copies.
            finished_rounds: of seeds that are finished already.
        """

    def advance(self, arm: str, progress: SeedProgress) -> None:
        """A seed of an arm went on; called from the threads that train."""

    def finishing(self, what: str, done: int, of: int) -> None:
        """All seeds are trained, and results are being written.

        Args:
            what: is worked on now.
            done: steps of this work that are done.
            of: all its steps.
        """

    def note(self, text: str) -> None:
        """Something that deserves a line."""


class NoProgress:
    """A listener that shows nothing."""

    def begin(self, total_rounds: int, finished_rounds: int) -> None:
        pass

    def advance(self, arm: str, progress: SeedProgress) -> None:
        pass

    def finishing(self, what: str, done: int, of: int) -> None:
        pass

    def note(self, text: str) -> None:
        pass
