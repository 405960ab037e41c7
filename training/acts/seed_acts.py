"""Acts of people in one repetition: looked at, carried out, and kept with its saves.

Between two rounds a repetition carries out what it is asked (`gate.Gate.wait`): first it looks at
an act and says what it would change, then, once that is in the ledger, it makes the change. It does
the same by itself where the ledger holds a change that its save does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tacit.agents.group import Group
from tacit.envs.errors import ConfigError

from .forcing import ForcedAction, force, forced_action, without
from .forks import Standing, fork
from .gate import Reply
from .protocol import FORCES, ActRequest
from .schedule import Change, Schedule, scheduled


class SeedActs:
    """What people change in one repetition.

    Attributes:
        schedule: changes of the ledger to which the repetition has not come yet.
    """

    def __init__(self, ledger: Path, arm: str, k: int, saved: Mapping[str, Any]) -> None:
        """Begin, or go on with what `plain` gave.

        Args:
            ledger: of the run.
            arm: the arm's name.
            k: the repetition.
            saved: what `plain` gave; empty at the beginning.

        Raises:
            ConfigError: that is not what it gave, or the ledger cannot be read.
        """
        try:
            self._done = [str(name) for name in saved.get("done", [])]
            self._pending = [dict(change) for change in saved.get("pending", [])]
            self._played = [dict(change) for change in saved.get("played", [])]
        except (TypeError, ValueError, AttributeError) as error:
            raise ConfigError(f"{ledger.parent / arm}/s{k}: is not a save: {error!r}.") from None
        self.schedule = Schedule(ledger, scheduled(ledger, arm, k, self._done))

    # --- looking ---------------------------------------------------------------------------------

    def look(self, request: ActRequest, standing: Standing, group: Group) -> Reply:
        """What an act would change; nothing is changed.

        Args:
            request: the act.
            standing: of the repetition.
            group: its group, on which a round may be tried; it is put back.

        Returns:
            `change`, and `preview`: lines of text.

        Raises:
            ConfigError: the act cannot be done here.
        """
        if self.schedule.left:
            at = self.schedule.left[0]
            raise ConfigError(
                f"seed: {standing.arm.name}/s{standing.k} is still on its way to round "
                f"{at.get('round')}, where an earlier act is carried out once more; try again."
            )
        if request.act in FORCES:
            pending = self.forced(standing.branch, standing.rounds)
            change, preview = force(request, standing, pending, group)
            return {"change": change, "preview": preview}
        return {"change": fork(request, standing), "preview": []}

    # --- changing --------------------------------------------------------------------------------

    def order(self, change: Change) -> None:
        """An action is ordered for the next round; one for the same decision is replaced.

        Raises:
            ConfigError: the change orders none.
        """
        one = forced_action(change)
        kept = without([forced_action(p) for p in self._pending], one)
        self._pending = [p for p in self._pending if forced_action(p) in kept]
        self._pending.append(dict(change))
        self._done.append(str(change["act"]))

    def forked(self, change: Change) -> None:
        """A branch begins; what was ordered for the next round of the one that is left is void."""
        self._pending = []
        self._done.append(str(change["act"]))

    def forced(self, branch: int, rounds: int) -> list[ForcedAction]:
        """The actions that are ordered for the round after `rounds` rounds of a branch."""
        forced = [forced_action(change) for change in self._pending]
        return [one for one in forced if (one.branch, one.round) == (branch, rounds)]

    def played(self) -> None:
        """The round with the ordered actions was played."""
        self._played += self._pending
        self._pending = []

    # --- what is kept ----------------------------------------------------------------------------

    def plain(self) -> dict[str, Any]:
        """What a save holds, as JSON; empty where nobody has changed anything."""
        kept = {"done": self._done, "pending": self._pending, "played": self._played}
        return kept if self._done else {}

    def record(self) -> dict[str, Any]:
        """What the record of a finished repetition holds: the actions that were forced."""
        return {"forced": self._played} if self._played else {}
