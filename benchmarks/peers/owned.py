"""The engine's step as one would first write it: with ordinary slices, which own a reference.

It plays the same rounds as `tacit.envs.engine.engine_loop.step`; only `row()` and `borrow()` are
missing.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from benchmarks.players import MARKET, draw
from tacit.envs.ad_auction.kernels import observe, play
from tacit.envs.engine.engine import Engine
from tacit.envs.kpi import score
from tacit.envs.registry import make_market
from tacit.envs.rng import moment


@numba.njit(error_model="numpy", nogil=True)  # type: ignore[untyped-decorator]
def step_owned(game: Any, nature: Any, rows: Any, episode: Any, round_: Any, phase: Any) -> None:
    """One round of a market of one phase in every copy."""
    for r in range(len(nature)):
        state, measures = rows.state[r], rows.measures[r]
        measures[:] = 0.0
        key = moment(nature[r], episode, round_, phase)
        play(game.params, state, phase, rows.actions[r], measures, key)
        score(game.terms, measures, rows.scores[r])
        for s in range(game.acts.shape[1]):
            rows.observations[r, s] = observe(game.params, state, 0, s)


def check_owned(copies: int = 64, rounds: int = 50) -> None:
    """Both loops must play the same rounds, or their times cannot be compared."""
    engines = [Engine(make_market("ad_auction", MARKET), copies=copies) for _ in range(2)]
    steps = (engines[0].loops.step, step_owned)
    for engine, step in zip(engines, steps, strict=True):
        engine.reset()
        for k, bids in enumerate(draw(rounds, copies)):
            engine.rows.actions[:] = bids
            step(engine.game, engine.nature, engine.rows, 0, k, 0)
    for one, two in zip(engines[0].rows, engines[1].rows, strict=True):
        if not np.array_equal(one, two):
            raise RuntimeError("the loop with owned slices plays other rounds")
