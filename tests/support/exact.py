"""Evidence whose intervals are given end by end, so that a bound can be met exactly."""

from __future__ import annotations

from tacit.emergence.evidence import Evidence
from tacit.emergence.stats import Estimate


class Exact(Evidence):
    """Evidence in which some figures have the intervals that `exact` was given."""

    given: dict[str, Estimate]

    def mean(self, name: str) -> Estimate:
        return self.given.get(name) or super().mean(name)


def exact(e: Evidence, intervals: dict[str, tuple[float, float]]) -> Exact:
    """The same evidence, but for these ends of intervals; the mean lies in the middle."""
    made = Exact(**vars(e))
    given = {
        name: Estimate((low + high) / 2, low, high, e.n) for name, (low, high) in intervals.items()
    }
    object.__setattr__(made, "given", given)
    return made
