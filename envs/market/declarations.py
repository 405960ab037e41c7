"""What a market declares beside its roles: measures, claims, lots, benchmarks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

SMALLEST = 2.0**-53  # every draw is a multiple of it


@dataclass(frozen=True)
class Measure:
    """A named figure of a seat and a round, independent of any KPI.

    Attributes:
        name: as KPIs and summaries call it.
        roles: the roles that have it; "market" is the market itself.
        unit: money, days, slot, ...
        sign: +1 if more is better for the seat that it describes, -1 if less is, 0 if neither.
        meaning: one line, for `tacit list`.
        past: whether it depends on an earlier round.
        in_harm: whether harm is judged by it (`tacit.emergence.objective.harm`): a role's
            fundamental, or the market's own such as welfare, in a unit that can be compared, better
            high.
    """

    name: str
    roles: tuple[str, ...]
    unit: str
    sign: int
    meaning: str
    past: bool = False
    in_harm: bool = False


@dataclass(frozen=True)
class Claim:
    """An action part that says something about a private part of the same seat's observation.

    Value k of the one means value k of the other; the claim is false where they differ.

    Attributes:
        role: the role that makes it.
        part: the action part that is the claim.
        about: the observation part that it is about.
        above: the measure that reports a false claim above the truth; None: nothing does.
        below: the measure that reports a false claim below the truth; None: nothing does.
        free: whether the claim's words mean only what players make of them, so that none is a lie.
    """

    role: str
    part: str
    about: str
    above: str | None
    below: str | None
    free: bool = False


@dataclass(frozen=True)
class Lot:
    """A draw within `play` that is used only for which of a few intervals it lies in.

    Attributes:
        slot: the slot that `play` draws with.
        edges: where one interval ends and the next begins, ascending, in (0, 1). The outcome of a
            draw is the number of edges at or below it.
        phase: the phase that draws; None: the last one.
    """

    slot: int
    edges: tuple[float, ...]
    phase: int | None = None

    def __post_init__(self) -> None:
        """Check the edges.

        Raises:
            ValueError: they do not ascend between 0 and 1.
        """
        if any(high <= low for low, high in pairwise((0.0, *self.edges, 1.0))):
            raise ValueError(f"edges must ascend between 0 and 1, got {list(self.edges)}.")

    @classmethod
    def chances(cls, slots: Iterable[int], probability: float) -> tuple[Lot, ...]:
        """Whether the draw of each slot is below a probability; no lots where that is certain."""
        certain = probability <= 0.0 or probability >= 1.0
        return () if certain else tuple(cls(slot, (probability,)) for slot in slots)

    @classmethod
    def below(cls, slot: int, counts: Iterable[int]) -> Lot:
        """What `tacit.envs.rng.below(key, slot, n)` tells, for each n of `counts`."""
        edges = {_least_draw(n, k) for n in counts for k in range(1, n)}
        return cls(slot, tuple(sorted(edges)))


def _least_draw(n: int, k: int) -> float:
    """The least draw of which `below` makes at least `k` of `n`; the product is rounded there."""
    units = k * 2**53 // n - 2
    while units * SMALLEST * n < k:
        units += 1
    return units * SMALLEST


@dataclass(frozen=True)
class Benchmark:
    """A reference outcome.

    Attributes:
        values: expected measures of a round, by name: means over the seats that have them.
        source: where the outcome comes from.
    """

    values: Mapping[str, float]
    source: str
