"""One repetition among those of its arm, where breakers judge all of them together.

member.come(rounds, values)          # at an evaluation point: what was read there
member.give(kept)                    # for all others to see
...                                  # until `member.state` is COMPLETE
for name, value, count in member.means(): ...
member.judged()
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import isfinite
from typing import Any

from tacit.training.acts.gate import COMPLETE
from tacit.training.config.breaker_settings import BreakerConfig

from .points import ArmPoints, Given, Reading, Values, given_from


class ArmMember:
    """What one repetition has given at the points of its arm, and how far it has judged them.

    Attributes:
        points: of the arm.
        k: the repetition.
        at: rounds of the point at which all are to be judged, which holds it; None: none does.
        last: the mean of each breaker at the point that was judged last; None: withheld.
    """

    def __init__(self, points: ArmPoints, k: int, saved: Mapping[str, Any]) -> None:
        """Begin, or go on with what `plain` gave.

        Raises:
            LookupError, TypeError, ValueError: it is not that.
        """
        self.points, self.k = points, k
        self._given = [given_from(own) for own in saved.get("given", [])] or [Given()]
        at = saved.get("at")
        self.at: int | None = None if at is None else int(at)
        self.last: Values = dict(saved.get("last", {}))
        self._new: Values | None = None  # read at a point, and not given yet

    def begin(self, wake: Callable[[], None]) -> None:
        """Take part from now on; `wake` is called where there may be something to do."""
        self.points.begin(self.k, self._given, wake)

    @property
    def generation(self) -> int:
        """How often it has gone back with the whole arm."""
        return len(self._given) - 1

    @property
    def state(self) -> str:
        """Of the point that holds it; COMPLETE where none does."""
        return COMPLETE if self.at is None else self.points.state(self.generation, self.at)

    def come(self, rounds: int, values: Mapping[str, float]) -> None:
        """Come to an evaluation point; one that was given in this generation is not given again.

        Args:
            rounds: of the point.
            values: readings by breaker; NaN is withheld.
        """
        given = self._given[-1].rounds
        if not given or rounds > given[-1]:
            self.at = rounds
            self._new = {name: x if isfinite(x) else None for name, x in values.items()}

    def give(self, kept: Callable[[], Mapping[int, int]]) -> None:
        """Give what was read at the point, if that is not done yet.

        Args:
            kept: tells to which states it could go back from there: rounds -> branch.
        """
        if self._new is not None and self.at is not None:
            new, self._new = self._new, None
            self.points.give(self.k, self.at, Reading(new, kept()))

    def means(self, breakers: Mapping[str, BreakerConfig]) -> Iterator[tuple[str, float, int]]:
        """The mean over all repetitions at the point, of each breaker that watches it.

        Yields:
            Name, mean (NaN where nobody has a reading), and over how many repetitions.
        """
        assert self.at is not None
        found = self.points.readings(self.generation, self.at)
        for name in breakers:
            values = [x for own in found.values() if (x := own.values.get(name)) is not None]
            yield name, sum(values) / len(values) if values else float("nan"), len(values)

    def common(self, rounds: int) -> dict[int, dict[int, int]]:
        """The states that all repetitions that came to a point had kept by then.

        Returns:
            By rounds of the state, ascending: which branch of each repetition has kept it.
        """
        found = self.points.readings(self.generation, rounds)
        each = [set(own.kept) for own in found.values()]
        return {
            at: {k: own.kept[at] for k, own in found.items()}
            for at in sorted(set.intersection(*each))
        }

    def judged(self, means: Mapping[str, float]) -> None:
        """The point no longer holds it; these were the means there, by breaker."""
        self.at = None
        self.last = {name: x if isfinite(x) else None for name, x in means.items()}

    def go_back(self) -> None:
        """Begin the next generation."""
        self.at = None
        self.points.next_generation(self.k)

    def plain(self) -> dict[str, Any]:
        """What a save and a record hold, as JSON."""
        at = {} if self.at is None else {"at": self.at}
        return {"given": [own.plain() for own in self._given], "last": self.last, **at}
