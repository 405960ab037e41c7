"""What stable play under given weights does to the measures by which harm is judged.

One of four ways, the first that fits: every pure profile (`profiles.py`), best responders
(`best_responders.py`), symmetric profiles (`symmetric.py`), best replies from the competitive
benchmark (`from_competition.py`). Each answers with the mean measures of K stable outcomes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from tacit.agents.policy import PolicyTable
from tacit.emergence.objective.harm import harm_measures
from tacit.emergence.payoffs import rewards_only_fundamental
from tacit.emergence.play.applicability import why_no_stage_game
from tacit.emergence.tree.enumeration import count_ends
from tacit.emergence.tree.payoff_history import payoff_histories
from tacit.envs.errors import ConfigError
from tacit.envs.market import Market
from tacit.envs.types import Floats

from .best_responders import best_responders
from .from_competition import from_competition
from .pricing import Pricing
from .profiles import profile_game
from .report import HIGH, MEDIUM, Harm, StableRange
from .symmetric import symmetric_game

MOST_ENDS = 60_000  # ends of a round that are enumerated
MOST_PLAYED = 15_000  # ends of a round on which best responders are played
HIGH_SHARE = 0.1  # of what the fundamentals give: a loss of so much is high


class StablePlay(Protocol):
    """A way to find stable play."""

    @property
    def method(self) -> str:
        """The way in words."""
        ...

    def outcomes(self, weights: Floats) -> Floats | None:
        """Measures of K stable outcomes, float64 `[K, S + 1, M]`; None: there is none.

        `weights` float64 `[T]`.
        """
        ...


def stable_play(
    pricing: Pricing, learned: Sequence[bool], scripts: Sequence[PolicyTable | None]
) -> tuple[StablePlay | None, str | None]:
    """The way that fits a market.

    Args:
        pricing: the market and its terms.
        learned: whether each seat learns.
        scripts: the policy table float64 `[O, A]` of each scripted seat, None for a learner.

    Returns:
        The way and None; or None and the reason why there is none.
    """
    market = pricing.market
    if (reason := why_no_stage_game(market, "draws and expected payoffs")) is not None:
        return None, reason
    if (ends := count_ends(market)) <= MOST_ENDS:
        try:
            histories = payoff_histories(market, pricing.table, MOST_ENDS)
        except ConfigError as error:
            return None, str(error)
        profiles = profile_game(pricing, histories, learned, scripts)
        if profiles is not None:
            return profiles, None
        if ends <= MOST_PLAYED:
            return best_responders(pricing, histories, scripts), None
    small = symmetric_game(pricing, scripts) or from_competition(pricing, learned, scripts)
    if small is not None:
        return small, None
    return None, (
        f"a round can end in {ends:,} ways, over {MOST_PLAYED:,}, equal seats have too many "
        "strategies, and the market names no competitive action to begin with"
    )


def harms(pricing: Pricing, ideal: Floats, own: Floats) -> list[Harm]:
    """What stable play under the KPIs loses at its worst, the largest share first.

    Losses up to what a gain must be to count (`tacit.emergence.payoffs.gain_unit`) are none. What a
    role loses is a transfer if its own KPI is its fundamental and no measure of the market loses.

    Args:
        pricing: the market and its terms.
        ideal: outcomes under the fundamentals, float64 `[K, S + 1, M]`.
        own: outcomes under the KPIs, float64 `[K', S + 1, M]`.
    """
    market = pricing.market
    level = pricing.negligible
    found = []
    for name in harm_measures(market):
        before, after = measured(market, ideal, name), measured(market, own, name)
        amount = float(before.min() - after.min())
        if not amount <= level:  # also where the level is NaN
            share = amount / float(before.min()) if before.min() > level else None
            measure = market.measures[market.columns[name]]
            found.append(
                Harm(name, measure.unit, _ends(before), _ends(after), False, amount, share)
            )
    shared = any("market" in market.measures[market.columns[h.measure]].roles for h in found)
    misled = {
        seat.role.fundamental
        for seat in market.seats
        if not rewards_only_fundamental(seat, pricing.kpi)
    }
    found = [replace(h, transfer=not shared and h.measure not in misled) for h in found]
    return sorted(found, key=lambda harm: -(harm.share or 0.0))


def worse_measures(market: Market, ideal: Floats, own: Floats) -> list[str]:
    """Measures of which less is better and of which there is more, the largest rise first.

    Args:
        market: the market.
        ideal: outcomes under the fundamentals, float64 `[K, S + 1, M]`.
        own: outcomes under the KPIs, float64 `[K', S + 1, M]`.
    """
    rises = {
        m.name: float(measured(market, own, m.name).max() - measured(market, ideal, m.name).max())
        for m in market.measures
        if m.sign < 0 and m.roles
    }
    return sorted((name for name, rise in rises.items() if rise > 0), key=lambda n: -rises[n])


def severity_of(found: Sequence[Harm]) -> str:
    """High from a tenth of what the fundamentals give on, also where that is 0; else medium.

    A mere transfer between roles is medium.
    """
    grave = [h for h in found if not h.transfer and (h.share is None or h.share >= HIGH_SHARE)]
    return HIGH if grave else MEDIUM


def measured(market: Market, outcomes: Floats, name: str) -> Floats:
    """A measure of each outcome, float64 `[K]`: the market's own, else the mean over its seats.

    `outcomes` float64 `[K, S + 1, M]`.
    """
    measure, column = market.measures[market.columns[name]], market.columns[name]
    if "market" in measure.roles:
        found: Floats = outcomes[:, -1, column]
        return found
    seats = [seat.index for seat in market.seats if seat.role.name in measure.roles]
    mean: Floats = outcomes[:, seats, column].mean(axis=1)
    return mean


def stable_range(market: Market, method: str, ideal: Floats, own: Floats) -> StableRange:
    """The headline under the KPIs and under the fundamentals; both `[K, S + 1, M]`."""
    measure = market.measures[market.columns[market.headline]]
    before, after = (measured(market, x, market.headline) for x in (ideal, own))
    return StableRange(
        method, measure.name, measure.unit, _ends(after), _ends(before), len(own), len(ideal)
    )


def _ends(values: Floats) -> tuple[float, float]:
    low, high = np.round([values.min(), values.max()], 9) + 0.0
    return float(low), float(high)
