"""What a case of the battery is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from tacit.emergence.evidence import Evidence

Half = Literal["choosing", "reporting"]


@dataclass(frozen=True)
class Case:
    """One kind of players in one market.

    Attributes:
        behaviour: which rule judges it: 'collusion', 'KPI' or 'claims'.
        kind: the kind of players, as the table names it: `grim trigger`.
        market: the market's setting, as the table names it: `logit .25, 15 prices`.
        half: which half the market belongs to.
        right: the words that are right for it; `undecided` is never right, but no error either.
        arms: evidence on so many arms, no population twice; fewer where arms would be equal.
    """

    behaviour: str
    kind: str
    market: str
    half: Half
    right: frozenset[str]
    arms: Callable[[int], Iterator[Evidence]]
