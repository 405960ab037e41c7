"""What people have changed in a repetition, as the ledger of its run says.

A change is on record before it takes effect, with the branch and the round at which it does. So a
repetition that was interrupted in between, or one that is trained anew from configuration, seed and
ledger alone, comes to the same change at the same round.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from tacit.envs.errors import ConfigError
from tacit.oversight import ledger as ledgers

ACT = "act of a person"  # in the ledger

Change = Mapping[str, Any]  # as the ledger holds it, without arm and seed


def changes_of(entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The changes in an entry of a ledger; none where it is no act of a person."""
    found = entry.get("changes", []) if entry.get("act") == ACT else []
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def scheduled(ledger: Path, arm: str, k: int, done: Collection[str]) -> list[Change]:
    """Changes of one repetition that the ledger holds and that are not done yet, in order.

    Args:
        ledger: of the run; it may be missing.
        arm: the arm's name.
        k: the repetition.
        done: ids of acts that are done.

    Raises:
        ConfigError: the ledger cannot be read.
    """
    entries = ledgers.read(ledger) if ledger.is_file() else []
    own = [c for e in entries for c in changes_of(e) if (c.get("arm"), c.get("seed")) == (arm, k)]
    return [without_seed(change) for change in own if change.get("act") not in done]


def without_seed(change: Change) -> dict[str, Any]:
    """A change as the repetition's own record holds it."""
    return {key: value for key, value in change.items() if key not in ("arm", "seed")}


class Schedule:
    """Changes that a repetition comes to at their rounds.

    Attributes:
        left: those it has not come to, in order.
    """

    def __init__(self, ledger: Path, left: list[Change]) -> None:
        """Changes that are not done yet."""
        self.left, self._ledger = left, ledger

    def due(self, branch: int, rounds: int) -> Change | None:
        """The change that is to be made here, if one is; it is left out from now on.

        Args:
            branch: that is under way.
            rounds: played per copy.

        Raises:
            ConfigError: the next one was to be made earlier: the ledger is not that of this run.
        """
        if not self.left or self.left[0].get("branch") != branch:
            return None
        at = self.left[0].get("round")
        if not isinstance(at, int) or at < rounds:
            raise ConfigError(
                f"{self._ledger}: act {self.left[0].get('act')} is said to be at round {at} of "
                f"branch {branch}, which was played without it; the ledger was altered."
            )
        return self.left.pop(0) if at == rounds else None

    def rounds_left(self, branch: int, rounds: int, most: int) -> int:
        """How many rounds may be played until the next change, at most `most`."""
        if not self.left or self.left[0].get("branch") != branch:
            return most
        return min(most, int(self.left[0]["round"]) - rounds)
