"""The second, optional contract of a market: what probes and scripted players ask of it.

A `Market` (`tacit.envs.market`) is all that training needs. An `Analysis` says what is true of the
market beyond its rules: what nature draws, by which act rivals compete, what luck averages to.
Where a market declares none, it still trains, and every probe that needs one says what it lacks.

    class MyAnalysis(Analysis):
        conduct = {"seller": "price"}        # sellers compete by the measure `price`

    class MyMarket(Market):
        analysis_class = MyAnalysis

Every method has a neutral default, so an analysis overrides only what applies to its market.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .market import Market, Role, Seat


@dataclass(frozen=True)
class Draw:
    """A number that nature writes into the state before a phase: a private type, the weather.

    Attributes:
        column: where it stands in the state row.
        values: the numbers that can be drawn.
        chances: probabilities of `values`, one row, or one row for each value 0, 1, ... of `given`.
        given: the column of an earlier draw of the same phase that this one depends on.
        lasting: it goes on from round to round, and `chances` is its long-run law.
    """

    column: int
    values: tuple[float, ...]
    chances: tuple[tuple[float, ...], ...]
    given: int | None = None
    lasting: bool = False


class Analysis:
    """What probes and scripted players ask of a market."""

    market: Market

    probe_discount: ClassVar[float] = 0.95  # of a later round, in what probes add up over time

    # --- rivalry: probes of collusion -----------------------------------------------------------
    conduct: ClassVar[Mapping[str, str]] = {}  # role -> the measure by which its seats compete
    price_competition: ClassVar[bool] = False  # whether that measure is a posted price
    wins: ClassVar[Mapping[str, str]] = {}  # role -> the measure that is 1 for a round's winner

    # --- settings of control arms ---------------------------------------------------------------
    memoryless: ClassVar[Mapping[str, Any]] = {}  # keys under which seats remember nothing
    unheard: ClassVar[Mapping[str, Any]] = {}  # keys under which nobody hears a claim
    sees_actions_with: ClassVar[str] = ""  # the key under which `last_actions` can tell them

    def __init__(self, market: Market) -> None:
        self.market = market

    # --- luck -----------------------------------------------------------------------------------

    def draws(self, phase: int) -> tuple[Draw, ...]:
        """What nature has freshly drawn into the state when a phase begins."""
        return ()

    @property
    def luck(self) -> bool:
        """Whether what a round pays depends on draws within `play`, beside those of `draws`."""
        return True

    def expected(self) -> Market:
        """The market with the luck of `play` replaced by its mean: the same states, observations,
        actions and successors, measures in expectation. The market itself where there is no such
        form (`luck` and `Market.play_draws` then say whether luck remains)."""
        return self.market

    def chances(self, seat: Seat, part: str) -> tuple[float, ...] | None:
        """Probabilities of the values of an observation part that is drawn anew each round and
        independently of all else; None if it is not."""
        return None

    # --- scale ----------------------------------------------------------------------------------

    def value_scale(self, role: Role) -> float:
        """What a deal of one round is worth at most: the unit in which a gain is called small."""
        return 1.0

    # --- scripted players -----------------------------------------------------------------------

    def benchmark_action(self, benchmark: str, seat: Seat, observation: int) -> int | None:
        """The action that plays a benchmark ('competitive', 'collusive', 'rotation') at an
        observation; None if no action does."""
        return None

    def scripted_actions(self, rule: str, seat: Seat, observation: int) -> tuple[int, ...]:
        """What a rule that the market spells out itself does here, all equally likely; empty where
        the rule does not fit the seat."""
        return ()

    def last_actions(self, seat: Seat, observation: int) -> dict[str, int | None] | None:
        """Last round's actions by seat as far as an observation tells (an action is None in the
        first round); None: it does not tell."""
        return None

    # --- theory ---------------------------------------------------------------------------------

    def theory(self) -> dict[str, float]:
        """What theory gives for policies here, probabilities or shares, by name."""
        return {}

    def policy_figures(self, tables: Sequence[NDArray[np.float64]]) -> dict[str, float]:
        """The same figures as policy tables `[O, A]`, one a seat, have them."""
        return {}
