"""What best responders settle on, where a round has several phases or private information.

The best-response benchmark of a KPI (`tacit.emergence.objective.mirror`) with fewer steps and
starts, since lint asks for it many times: fewer, the more ends a round has. Reported are mean
measures of the last two thirds of the steps: the frequencies of the best replies played in them,
without the drawn first tables. A scripted seat keeps to its script: it is paid 1 for every decision
that its script may take, so that nothing else is ever a best reply.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tacit.agents.policy import PolicyTable
from tacit.emergence.objective.mirror import TEMPLATE, first_tables, mean_measures
from tacit.emergence.objective.mirror_build import build_fictitious_play
from tacit.emergence.objective.mirror_game import FictitiousPlayGame
from tacit.emergence.tree.payoff_history import PayoffHistories
from tacit.envs.jit.loops import compiled
from tacit.envs.types import Floats

from .pricing import Pricing

STARTS = 4
FEWEST_STEPS, MOST_STEPS = 60, 1_000
PLAYED_ENDS = 1_500_000  # steps x ends of a round


@dataclass(frozen=True, eq=False)
class BestResponders:
    """Fictitious play under any weights.

    Attributes:
        pricing: the market and its terms.
        histories: the payoff histories, and the round after each of them.
        game: the round in the form that the compiled loop plays.
        scripted: what scripted seats are paid at each end, float64 `[L, S]`; NaN for learners.
        starts: B, from how many drawn tables play begins.
        played_ends: steps x ends of a round that are played, between the fewest and most steps.
    """

    pricing: Pricing
    histories: PayoffHistories
    game: FictitiousPlayGame
    scripted: Floats
    starts: int = STARTS
    played_ends: int = PLAYED_ENDS

    @property
    def steps(self) -> int:
        """How many steps are played."""
        affordable = self.played_ends // len(self.histories.tree.scores)
        return min(MOST_STEPS, max(FEWEST_STEPS, affordable))

    @property
    def method(self) -> str:
        """The way in words."""
        return f"best responders: {self.steps} steps of fictitious play from {self.starts} starts"

    def outcomes(self, weights: Floats) -> Floats:
        """Mean measures from each start, float64 `[B, S + 1, M]`; `weights` float64 `[T]`."""
        payoff = self.pricing.payoffs(self.histories.tree.scores, weights)
        known = np.isfinite(self.scripted)
        payoff = np.where(np.tile(known, (len(payoff) // len(known), 1)), self._script(), payoff)
        shared = 1 if self.histories.seen else self.histories.count
        payoff = payoff.reshape(shared, -1, payoff.shape[1]).transpose(1, 2, 0).copy()
        game = self.game._replace(payoff=payoff, largest=float(np.abs(payoff).max()))
        x = first_tables(game, self.starts)
        history = np.zeros((1 if self.histories.seen else self.histories.count, self.starts))
        loop, last = compiled(TEMPLATE).fictitious_play, self.steps
        first = last // 3
        loop(game, x, 0, first, history)
        before = x.copy()
        loop(game, x, first, last, history)
        # x after t steps is the mean of the first tables and t best replies.
        late = ((last + 1) * x - (first + 1) * before) / (last - first)
        late = np.clip(late, 0.0, 1.0)
        return np.stack(list(mean_measures(self.histories, game, late, history)))

    def _script(self) -> Floats:
        """What scripted seats are paid at every end after every history, float64 `[G * L, S]`."""
        times = len(self.histories.tree.scores) // len(self.scripted)
        return np.tile(self.scripted, (times, 1))


def best_responders(
    pricing: Pricing, histories: PayoffHistories, scripts: Sequence[PolicyTable | None]
) -> BestResponders:
    """Best responders on an enumerated round; `scripts`: tables `[O, A]` of seats that have one."""
    game = build_fictitious_play(histories)
    tree = histories.tree
    seats = range(len(scripts))
    paid = np.zeros((1, len(scripts)))
    for layer in tree.layers:
        here = np.zeros((len(layer.node), len(scripts)))
        for s in seats:
            script = scripts[s]
            if script is not None and layer.acts[s]:
                observed = layer.observations[layer.node, s]
                here[:, s] = script[observed, layer.actions[:, s]] > 0
        # Of the first layer the origins are roots, which have been paid nothing yet.
        before = paid[layer.origin][layer.node] if layer is not tree.layers[0] else 0.0
        paid = before + here
    learners = [s for s in seats if scripts[s] is None]
    paid[:, learners] = np.nan
    return BestResponders(pricing, histories, game, paid)
