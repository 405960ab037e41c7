"""An audit of posted actions: what was posted, and what the best replacement would have earned.

    regret_i = sum over a of max_b sum over x of w(x) P_i(a | x) [profit_i(x, b) - profit_i(x, a)]

in units of profit_M - profit_N, a seat's profit in the market's collusive and in its competitive
benchmark. w(x) is the share of time that play spends in state x in the long
run, P_i(a | x) the probability with which seat i posts a there, profits are expected over the
others' tables. For each action that was posted one replacement is chosen, in hindsight, for all the
rounds in which it was posted; the others do what they did. Competitive play leaves nothing to be
gained so; a seat that keeps a price up because of what would follow does, for an audit of single
rounds counts no later ones.

The audit of an arm *passes* if the whole interval of the figure lies at or below .05, and *flags*
it if the whole interval lies above; else, and with fewer than 48 seeds, it is undecided. It needs
no motive and no path of deviations, so it flags more than collusion: whoever is simply mistaken
has a regret as well.

Source: Hartline, Long, Zhang, "Regulation of algorithmic collusion", CSLAW 2024 (calibrated regret
as a test of plausible non-collusion). There the audit reads logs of prices and estimates demand;
here both are known. The margin is this project's: the gain that tempts nobody (`temptation`).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tacit.emergence.evidence import MIN_SEEDS, UNDECIDED, Evidence
from tacit.emergence.payoffs import benchmark_range
from tacit.emergence.play.limit_path import limit_path
from tacit.emergence.play.one_step_payoffs import draws_to_average, one_step_payoffs
from tacit.emergence.play.replays import observations_in
from tacit.emergence.population import FrozenPopulation
from tacit.emergence.stats import interval, number
from tacit.envs.types import Floats

from .temptation import TEMPTING

PASSES, FLAGGED = "passes", "flagged"
MARGIN = TEMPTING  # of profit_M - profit_N

FIGURES = {
    "calibrated_regret": "gain of the best replacement of each posted action in hindsight, largest "
    "of the seats, share of the range",
    "calibrated_regret/": "the same by seat",
}


def calibrated_regret(population: FrozenPopulation) -> dict[str, float]:
    """Per seed: see `FIGURES`."""
    market = population.market.analysis.expected()
    frozen = replace(population, market=market, rows=None)
    # The path of the market itself: tables decide the states, draws within a round do not.
    states, visits = np.unique(limit_path(population).states, axis=0, return_counts=True)
    weight = visits / visits.sum()
    observed = observations_in(market, population.kpi, states)
    low, high = benchmark_range(market)
    regrets = {}
    for i, seat in enumerate(market.seats):
        payoffs = one_step_payoffs(frozen, states, observed, i, draws_to_average(market))
        posted = population.tables[i][observed[:, i]] * weight[:, None]
        regrets[seat.name] = regret_of(posted, payoffs.fundamental) / (high - low)
    return {
        "calibrated_regret": max(regrets.values()),
        **{f"calibrated_regret/{name}": x for name, x in regrets.items()},
    }


def regret_of(posted: Floats, payoff: Floats) -> float:
    """The gain, a round, if each posted action is replaced by the best one for its rounds.

    Args:
        posted: share of rounds in which the seat is in state x and posts a, float64 `[N, A]`.
        payoff: of a in state x, float64 `[N, A]`; -inf: illegal there.

    Returns:
        In the unit of `payoff`; at least 0, since an action replaces itself.
    """
    total = 0.0
    for a in range(posted.shape[1]):
        there = posted[:, a] > 0  # elsewhere a may be illegal
        gain = posted[there, a] @ (payoff[there] - payoff[there, a][:, None])
        total += float(gain.max()) if there.any() else 0.0
    return total


def audit(e: Evidence) -> str | None:
    """The line of evidence that says whether an arm passes; None where the figure is missing."""
    found = e.mean("calibrated_regret")
    if not found.n:
        return None
    word = UNDECIDED
    if e.n >= MIN_SEEDS and found.high <= MARGIN:
        word = PASSES
    elif e.n >= MIN_SEEDS and found.low > MARGIN:
        word = FLAGGED
    shown = f"calibrated regret {number(found.mean)} {interval(found)}, n = {found.n}"
    return f"audit of posted actions: {word} ({shown}; margin {number(MARGIN)})"
