"""Temptation, deterrence, and the form of the answer.

Would leaving the path pay at once, would it pay in the end, and where does play go? With g, L and
L_repent of `tacit.emergence.play.deviations`, in units of profit_M - profit_N:

    tempted   a state of the limit path in which some seat gains g >= .05 at once
    deterred  of the tempting deviations, those with L > g and L_repent > g
    returns   afterwards play meets its path again within 100 rounds
    reverts   afterwards it comes to rest, within as many states as there are seats, where the index
              is at most half of the path's
    upheld    deterred, and play returns or reverts

L_repent > g asks that it is the others who make the deviation a loss, whatever the deviator does.
A form is asked for because tables of random cells deter as well: nearly everything that follows is
worse than joint profit. An answer that holds a path up ends, or it gives the path up for
competition; disorder does neither. To rest is to repeat a round (grim trigger), or to take turns,
each seat once (tit for tat, whose blows echo); random tables wander round longer cycles. Without
memory nothing is answered: L = 0.

States, not seats, are tempted: where one seat takes all and the others nothing, or a ring of two
takes turns, only the loser of the round can gain by leaving, and half of (state, seat) says nothing
about either. The level .05 lies above what one step of a grid of 20 or more prices is worth.

Sources: the deterrence of single deviations by a later loss is Friedman's, Review of Economic
Studies 38(1), 1971; levels and forms are set on `python -m benchmarks.words`.
"""

from __future__ import annotations

import numpy as np

from tacit.emergence.named_measures import named_measures
from tacit.emergence.play.deviations import Deviations, deviations
from tacit.emergence.population import FrozenPopulation
from tacit.emergence.stats import mean_or_nan
from tacit.envs.types import Bools, Floats

from .index import INDEX, frozen_index

TEMPTING = 0.05  # of profit_M - profit_N
GIVEN_UP = 0.5  # of the path's index: up to it, play after a deviation has reverted

FIGURES = {
    "tempted_states": "share of states of the path in which some seat gains 5 % of the range",
    "deterred_deviations": "share of the tempting deviations that the others make a loss",
    "upheld_deviations": "share of them that are deterred, and play returns or reverts",
    "returning_deviations": "share of them after which play meets its path within 100 rounds",
    "reverting_deviations": "share of them after which play rests at half of the path's index",
    "temptation": "mean gain of the best reply in its round, share of the range",
    "repented_loss": "mean later loss by the tempting deviations if the deviator goes back at once "
    "(L_repent), summed with the discount, share of the range",
    "unprofitable": "share of deviations by the best reply that do not pay in the end (L >= g)",
    "deviations_exact": "1 if nothing is left to chance, 0 if states and replays are a sample",
}


def temptation(population: FrozenPopulation) -> dict[str, float]:
    """Per seed: see `FIGURES`; NaN of what needs a tempting deviation where none is."""
    d = deviations(population)
    tempting = d.gain >= TEMPTING
    tempted = [bool(tempting[d.state == x].any()) for x in range(int(d.state.max()) + 1)]
    deterred = (d.loss > d.gain) & (d.repented_loss > d.gain)
    reverts = reverted(population, d)
    return {
        "tempted_states": float(np.mean(tempted)),
        "deterred_deviations": mean_or_nan(deterred[tempting]),
        "upheld_deviations": mean_or_nan((deterred & (d.returns | reverts))[tempting]),
        "returning_deviations": mean_or_nan(d.returns[tempting]),
        "reverting_deviations": mean_or_nan(reverts[tempting]),
        "temptation": float(d.gain.mean()),
        "repented_loss": mean_or_nan(d.repented_loss[tempting]),
        "unprofitable": mean_or_nan((d.loss >= d.gain)[d.profitable]),
        "deviations_exact": float(d.exact),
    }


def reverted(population: FrozenPopulation, d: Deviations) -> Bools:
    """Whether play long after each deviation rests at half of the path's index: bool `[D]`."""
    expected = population.market.analysis.expected()
    most = GIVEN_UP * frozen_index(population)["frozen_index"]
    known: dict[bytes, bool] = {}  # many deviations come to rest on the same cycle

    def is_given_up(rest: Floats) -> bool:
        """Whether the index of mean measures float64 `[S + 1, M]` is so low."""
        key = rest.tobytes()
        if key not in known:
            known[key] = named_measures(expected, rest).get(INDEX, np.nan) <= most
        return known[key]

    low: Bools = np.array([is_given_up(rest) for rest in d.rest], bool)
    return low & d.settled
