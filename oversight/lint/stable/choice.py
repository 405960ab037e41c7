"""Stable play under given weights: what seats settle on that gain nothing by leaving.

One of four ways, the first that fits: every pure profile (`profiles.py`), best responders
(`best_responders.py`), symmetric profiles (`symmetric.py`), best replies from the competitive
benchmark (`from_competition.py`). Each answers with the mean measures of K stable outcomes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tacit.agents.policy import PolicyTable
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
from .symmetric import symmetric_game

MOST_ENDS = 60_000  # ends of a round that are enumerated
MOST_PLAYED = 15_000  # ends of a round on which best responders are played


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
