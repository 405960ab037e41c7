"""How the seats share what they earn above competition, on the limit path.

    share_i = (profit_i - profit_N,i) / (sum over seats profit - profit_N)

One seat may take all: two bidders of whom one bids top for ever and the other bottom leave the
seller with as little as two who take turns. NaN where the seats together gain less than .1 of the
range: shares of next to nothing say nothing. The index of the auction is the seller's loss; the
shares are the seats' own.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tacit.emergence.payoffs import benchmark_range
from tacit.emergence.play.limit_path import limit_path
from tacit.emergence.population import FrozenPopulation
from tacit.envs.types import Floats

LEAST_GAIN = 0.1  # of the range, per seat, from which on shares are told

FIGURES = {
    "gain_share/least": "share of the gain above competition of the seat that gains least",
    "gain_forgone": "what that seat earns less than an equal share of it, money a round",
    "gain_share/": "share of the gain above competition by seat",
}


def sharing(population: FrozenPopulation) -> dict[str, float]:
    """Per seed: see `FIGURES`."""
    market = population.market.analysis.expected()
    expected = population if market is population.market else replace(population, market=market)
    names = [seat.name for seat in market.seats]
    fundamental = market.roles[0].fundamental
    earned = limit_path(expected).mean[: len(names), market.columns[fundamental]]
    competitive = market.benchmarks()["competitive"].values
    each = [competitive.get(f"{fundamental}/{n}", competitive[fundamental]) for n in names]
    gain: Floats = earned - np.array(each, float)
    low, high = benchmark_range(market)
    if not gain.mean() >= LEAST_GAIN * (high - low):  # also refuses NaN
        keys = ["gain_share/least", "gain_forgone", *(f"gain_share/{n}" for n in names)]
        return dict.fromkeys(keys, float("nan"))
    share = gain / gain.sum()
    return {
        "gain_share/least": float(share.min()),
        "gain_forgone": float(gain.mean() - gain.min()),
        **{f"gain_share/{n}": float(s) for n, s in zip(names, share, strict=True)},
    }
