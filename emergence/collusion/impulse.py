"""Impulse response: what the rivals do after one seat deviated for one round.

From every state of the limit path, every seat in turn plays its static best reply once
(`tacit.emergence.play.deviations`); then all follow their tables. Round 0 is the round before,
round 1
the deviation, round 2 the first that can answer it.

    response = mean over deviations of p_2 / path_2 - 1,   p the rivals' mean conduct

relative to the undeviated path *at the same date*: many pairs cycle, and a path's own movement is
no answer. `opposite` is the same after a deviation of as many steps the other way: a rise in
prices. Rivals that answer a rise as they answer a cut punish nothing in particular.

Sources: the exercise is that of Calvano, Calzolari, Denicolo, Pastorello, AER 110(10), 2020; its
counterpart for price rises that of Epivent, Lambin, Economics Letters, 2024.
"""

from __future__ import annotations

import numpy as np

from tacit.emergence.play.deviations import deviations
from tacit.emergence.play.replays import Array
from tacit.emergence.population import FrozenPopulation

from .temptation import mean

SHOWN = 11  # rounds 0 .. 10

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
    """Per seed: see `FIGURES`."""
    d = deviations(population)
    leaves = d.leaves
    own = np.arange(len(d.seat))
    others = np.ones((len(d.seat), d.path.shape[2]))
    others[own, d.seat] = 0.0
    others /= others.sum(axis=1, keepdims=True)

    def rivals(conduct: Array) -> Array:
        mixed: Array = np.einsum("drs,ds->dr", np.where(others[:, None] > 0, conduct, 0.0), others)
        return mixed

    path, after, up = (rivals(x) for x in (d.path, d.after, d.opposite))
    opposite = leaves & np.isfinite(d.opposite).all(axis=(1, 2))
    figures = {
        "rival_response": mean((after / path - 1.0)[leaves, 1]),
        "rival_response_opposite": mean((up / path - 1.0)[opposite, 1]),
        "return_round": mean(d.returned[leaves & np.isfinite(d.returned)]),
    }
    seen = (d.before * others).sum(axis=1)
    deviator, one = d.before[own, d.seat], np.ones(len(own))
    curves = {
        "rival": (seen, after),
        "deviator": (deviator, d.after[own, :, d.seat]),
        "path": (seen, path),
        "relative": (one, after / path),
    }
    for name, (first, curve) in curves.items():
        whole = np.column_stack([first, curve])[leaves]
        figures |= {f"impulse/{name}/{t}": mean(whole[:, t]) for t in range(SHOWN)}
    return figures
