"""Impulse response: what the rivals do after one seat deviated for one round.

From every state of the limit path, every seat in turn plays its static best reply once
(`tacit.emergence.play.deviations`); then all follow their tables. Round 0 is the round before,
round 1 the deviation, round 2 the first that can answer it.

    response = mean over deviations of p_2 / path_2 - 1,   p the rivals' mean conduct

relative to the undeviated path *at the same date*: many pairs cycle, and a path's own movement is
no answer. Dates at which the path's conduct is 0 have no such share and are left out. `opposite` is
the same after a deviation of as many steps the other way: a rise in prices. Rivals that answer a
rise as they answer a cut punish nothing in particular.

Sources: the exercise is that of Calvano, Calzolari, Denicolo, Pastorello, AER 110(10), 2020; its
counterpart for price rises that of Epivent, Lambin, Economics Letters, 2024.
"""

from __future__ import annotations

import numpy as np

from tacit.emergence.play.deviations import deviations
from tacit.emergence.population import FrozenPopulation
from tacit.emergence.stats import mean_or_nan
from tacit.envs.types import Floats

SHOWN_ROUNDS = 11  # rounds 0 .. 10
ANSWER = 1  # the first round that can answer, counted from the deviation

FIGURES = {
    "rival_response": "the rivals' conduct in the round after a best reply, share of the path's",
    "rival_response_opposite": "the same after as many steps the other way (in prices: up)",
    "return_round": "first round (1: the deviation) whose outcome is on the path again",
    "impulse/rival/": "rivals' mean conduct in rounds 0 .. 10 (1: the deviation)",
    "impulse/deviator/": "the deviator's conduct in the same rounds",
    "impulse/path/": "the rivals' conduct without a deviation",
    "impulse/relative/": "rivals' conduct as a share of the path's at the same date",
}


def impulse(population: FrozenPopulation) -> dict[str, float]:
    """Per seed: see `FIGURES`; means over the deviations that gain anything in their round."""
    d = deviations(population)
    profitable = d.profitable
    own = np.arange(len(d.seat))
    # [D, S]: the weight of each seat in the mean over the deviator's rivals
    rival_weight = np.ones((len(d.seat), d.path.shape[2]))
    rival_weight[own, d.seat] = 0.0
    rival_weight /= rival_weight.sum(axis=1, keepdims=True)

    def rivals(conduct: Floats) -> Floats:
        """The rivals' mean conduct `[D, R]` from everybody's `[D, R, S]`."""
        # NaN of the deviator must not enter the sum with weight 0.
        of_rivals = np.where(rival_weight[:, None] > 0, conduct, 0.0)
        mixed: Floats = np.einsum("drs,ds->dr", of_rivals, rival_weight)
        return mixed

    path, after, opposite = (rivals(x) for x in (d.path, d.after, d.opposite))
    relative, relative_opposite = (
        np.divide(x, path, out=np.full(path.shape, np.nan), where=path != 0.0)
        for x in (after, opposite)
    )
    has_opposite = profitable & np.isfinite(d.opposite).all(axis=(1, 2))
    figures = {
        "rival_response": finite_mean((relative - 1.0)[profitable, ANSWER]),
        "rival_response_opposite": finite_mean((relative_opposite - 1.0)[has_opposite, ANSWER]),
        "return_round": mean_or_nan(d.returned[profitable & np.isfinite(d.returned)]),
    }
    before = (d.before * rival_weight).sum(axis=1)
    curves = {
        "rival": (before, after),
        "deviator": (d.before[own, d.seat], d.after[own, :, d.seat]),
        "path": (before, path),
        "relative": (np.ones(len(own)), relative),
    }
    for name, (round_before, from_deviation) in curves.items():
        curve = np.column_stack([round_before, from_deviation])[profitable]
        figures |= {f"impulse/{name}/{t}": finite_mean(curve[:, t]) for t in range(SHOWN_ROUNDS)}
    return figures


def finite_mean(values: Floats) -> float:
    """The mean of the finite entries of an array `[.]`; NaN where there is none."""
    return mean_or_nan(values[np.isfinite(values)])
