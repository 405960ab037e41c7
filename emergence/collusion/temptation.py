"""Temptation and deterrence: would a deviation pay at once, and would it pay in the end?

With g, L and L_own of `tacit.emergence.play.deviations`, in units of profit_M - profit_N:

    tempted  = share of (state of the limit path, seat) with g >= .01
    deterred = share of the tempted with L > g and L - L_own > g

The second condition asks that it is the others' answer that makes the deviation a loss, not what
the deviator's own table does to it afterwards. Without memory nothing is answered: L = 0.
"""

from __future__ import annotations

from tacit.emergence.play.deviations import deviations
from tacit.emergence.population import FrozenPopulation
from tacit.emergence.stats import mean_or_nan

TEMPTING = 0.01  # of profit_M - profit_N

FIGURES = {
    "tempted": "share of (state, seat) whose best reply gains 1 % of the range at once",
    "deterred": "share of the tempted who lose more later, through the others' answer",
    "temptation": "mean gain of the best reply in its round, share of the range",
    "punishment": "mean later loss of the tempted through the others' answer (L - L_own), summed "
    "with the discount, share of the range",
    "unprofitable": "share of deviations by the best reply that do not pay in the end (L >= g)",
    "deviations_exact": "1 if nothing is left to chance, 0 if states and replays are a sample",
}


def temptation(population: FrozenPopulation) -> dict[str, float]:
    """Per seed: see `FIGURES`; NaN of what needs a tempted seat where none is."""
    d = deviations(population)
    tempted = d.gain >= TEMPTING
    loss_by_others = d.loss - d.own_loss
    deterred = (d.loss > d.gain) & (loss_by_others > d.gain)
    return {
        "tempted": float(tempted.mean()),
        "deterred": mean_or_nan(deterred[tempted]),
        "temptation": float(d.gain.mean()),
        "punishment": mean_or_nan(loss_by_others[tempted]),
        "unprofitable": mean_or_nan((d.loss >= d.gain)[d.profitable]),
        "deviations_exact": float(d.exact),
    }
