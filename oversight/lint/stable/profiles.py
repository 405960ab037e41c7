"""Every pure profile of a round that no seat would leave, exactly; for one decision a round.

A profile is a joint action a. The round before it was a as well, so it is judged in the state that
a itself leaves behind: it is *stable* if no seat gains by another action in one round,

    u_i(state(a), a) >= u_i(state(a), (b, a_-i))   for every seat i that learns and every action b,

up to 1e-9 of the largest payoff. It is *patiently* stable if no seat gains by any plan of its own
over all rounds to come, at its own discount, while the others repeat a: value iteration on the
states that the seat can lead to (Puterman, Markov Decision Processes, Wiley 1994, chapter 6).

Letters: G payoff histories (`tacit.emergence.tree.payoff_history`), J joint actions in S axes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tacit.agents.policy import PolicyTable
from tacit.emergence.tree.payoff_history import PayoffHistories
from tacit.envs.types import Bools, Floats, Ints

from .pricing import Pricing

ROUNDING = 1e-9  # of the largest payoff: a gain up to this is none
SETTLED = 1e-12  # of the largest payoff: value iteration ends when no value changes by more


@dataclass(frozen=True, eq=False)
class ProfileGame:
    """A round of one decision per seat, enumerated after every payoff history.

    Attributes:
        pricing: the market and its terms.
        histories: the histories, and the round after each of them.
        sizes: how many actions each seat has.
        learned: whether each seat learns; the others keep to their script.
        scripts: the policy table float64 `[O, A]` of each scripted seat, None for a learner.
    """

    pricing: Pricing
    histories: PayoffHistories
    sizes: tuple[int, ...]
    learned: tuple[bool, ...]
    scripts: Sequence[PolicyTable | None]

    method = "every pure profile of a round, exactly"

    def outcomes(self, weights: Floats) -> Floats | None:
        """Measures of all stable profiles, float64 `[K, S + 1, M]`; None: there is none.

        `weights` float64 `[T]`.
        """
        found = np.flatnonzero(self.stable(weights))
        return self.measures()[found] if len(found) else None

    def payoffs(self, weights: Floats) -> Floats:
        """Payoffs after each history, float64 `[G, J, S]`; `weights` float64 `[T]`."""
        flat = self.pricing.payoffs(self.histories.tree.scores, weights)
        return flat.reshape(self.histories.count, -1, flat.shape[1])

    def own_history(self) -> Ints:
        """The history that each profile leaves behind, int64 `[J]`."""
        return self.histories.following[: int(np.prod(self.sizes))]

    def measures(self) -> Floats:
        """Measures of each profile after its own history, float64 `[J, S + 1, M]`."""
        every = self.histories.tree.measures
        every = every.reshape(self.histories.count, -1, *every.shape[1:])
        own: Floats = every[self.own_history(), np.arange(every.shape[1])]
        return own

    def gains(self, weights: Floats) -> Floats:
        """What each seat gains by its best other action in one round, float64 `[J, S]`.

        0 for scripted seats. `weights` float64 `[T]`.
        """
        payoffs, own = self.payoffs(weights), self.own_history()
        joint = np.arange(payoffs.shape[1])
        found = np.zeros((len(joint), payoffs.shape[2]))
        for i in self._learners():
            u = payoffs[:, :, i].reshape(-1, *self.sizes)
            best = np.broadcast_to(u.max(axis=i + 1, keepdims=True), u.shape)
            best = best.reshape(len(payoffs), -1)
            found[:, i] = best[own, joint] - payoffs[own, joint, i]
        return found

    def stable(self, weights: Floats) -> Bools:
        """Which profiles no learner would leave for one round, bool `[J]`; `weights` `[T]`."""
        level = ROUNDING * max(1e-300, float(np.abs(self.payoffs(weights)).max()))
        found: Bools = (self.gains(weights) <= level).all(axis=1) & self._as_scripted()
        return found

    def patient_gains(self, weights: Floats, discounts: Sequence[float]) -> Floats:
        """What each seat gains per round by its best plan, the others repeating: float64 `[J, S]`.

        Args:
            weights: float64 `[T]`.
            discounts: of each seat.
        """
        payoffs, own = self.payoffs(weights), self.own_history()
        joint = np.arange(payoffs.shape[1])
        found = np.zeros((len(joint), payoffs.shape[2]))
        for i in self._learners():
            plan = self._best_plan(payoffs[:, :, i], i, discounts[i])
            found[:, i] = (1.0 - discounts[i]) * plan[own, joint] - payoffs[own, joint, i]
        return np.maximum(found, 0.0)

    def _best_plan(self, payoff: Floats, i: int, discount: float) -> Floats:
        """The value of seat i's best plan, float64 `[G, J]` (the same along its own axis).

        `payoff` float64 `[G, J]`.
        """
        following, shape = self.own_history(), (len(payoff), *self.sizes)
        value = np.zeros_like(payoff)
        level = SETTLED * max(1.0, float(np.abs(payoff).max()))
        while True:
            # After action b against others' actions, the history is that of the joint action.
            later = value[following, np.arange(payoff.shape[1])]
            best = (payoff + discount * later).reshape(shape).max(axis=i + 1, keepdims=True)
            new = np.broadcast_to(best, shape).reshape(payoff.shape)
            if np.abs(new - value).max() <= level:
                return new
            value = new

    def _learners(self) -> list[int]:
        return [i for i, own in enumerate(self.learned) if own]

    def _as_scripted(self) -> Bools:
        """Which profiles have only actions that scripts play, bool `[J]`."""
        layer = self.histories.tree.layers[0]
        count = int(np.prod(self.sizes))
        good = np.ones(count, bool)
        for i, script in enumerate(self.scripts):
            if script is not None:
                observed = layer.observations[layer.node[:count], i]
                good &= script[observed, layer.actions[:count, i]] > 0
        return good


def profile_game(
    pricing: Pricing,
    histories: PayoffHistories,
    learned: Sequence[bool],
    scripts: Sequence[PolicyTable | None],
) -> ProfileGame | None:
    """The round as a game of pure profiles; None where a seat knows something privately.

    Args:
        pricing: the market and its terms.
        histories: the payoff histories, and the round after each of them.
        learned: whether each seat learns.
        scripts: the policy table float64 `[O, A]` of each scripted seat, None for a learner.
    """
    tree = histories.tree
    layer = tree.layers[0]
    if len(tree.layers) > 1 or len(layer.origin) != histories.count:
        return None
    observed = layer.observations[0]
    sizes = tuple(
        int(seat.role.legal[observed[seat.index], 1]) if layer.acts[seat.index] else 1
        for seat in pricing.market.seats
    )
    return ProfileGame(pricing, histories, sizes, tuple(learned), tuple(scripts))
