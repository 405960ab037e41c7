"""Who wins after whom: a screen that needs the bidders' names and the order of tenders.

Winners in order of time, w_1, w_2, ...: mutual information of successive winners,

    sum_ij p_ij ln[p_ij / (p_i p_j)]   (nats; p_ij the share of steps from winner i to winner j),

that is, the transition matrix against independence, and the share of repeats, P(w_t+1 = w_t).
Control: the same winners in shuffled order. A ring whose members win in turn has more information
and fewer repeats; so do firms that are short of capacity after a win.

Source: rotation and its explanation by capacity: Zona, Porter, "Detection of bid rigging in
procurement auctions", JPE 101(3), 1993.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tacit.envs.types import Floats, Ints

from .screen_draws import SHUFFLE, uniform_draws
from .tenders import PositionsBySize, positions_by_size

LEAST_STEPS = 10  # from winner to winner
SHUFFLES, WORK = 200, 2_000_000  # at most so many shuffles; winners drawn in all
FEWEST_SHUFFLES = 20


@dataclass(frozen=True)
class ShuffledFigure:
    """A figure of a sequence, beside the same figure of its shuffles.

    Attributes:
        value: of the sequence.
        mean: of the shuffles.
        low: 2.5 % of the shuffles lie below it.
        high: 2.5 % of the shuffles lie above it.
    """

    value: float
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class WinnerRotation:
    """How the winner depends on the last winner.

    Attributes:
        information: mutual information of successive winners, in nats.
        repeats: share of steps in which the same bidder wins again.
        steps: steps from winner to winner.
    """

    information: ShuffledFigure
    repeats: ShuffledFigure
    steps: int


def winners(tender: Ints, bid: Floats, bidder: Ints, rows: PositionsBySize | None = None) -> Ints:
    """The lowest bidder of each tender, in order of tenders' numbers.

    Ties at the bottom and tenders with one bid are left out.

    Args:
        tender: the number of each bid's tender, int64 `[B]`.
        bid: the bids, float64 `[B]`.
        bidder: the number of each bid's bidder, int64 `[B]`.
        rows: `positions_by_size(tender, bid)`, where the caller has them.

    Returns:
        Numbers of bidders, int64 `[.]`.
    """
    rows = rows or positions_by_size(tender, bid)
    lowest = [r[bid[r[:, 0]] < bid[r[:, 1]], 0] for r in rows.values()]
    first = np.concatenate([np.empty(0, np.int64), *lowest])
    found: Ints = bidder[first[np.argsort(tender[first], kind="stable")]]
    return found


def successive_information(sequence: Ints) -> float:
    """Mutual information of successive entries of `sequence` int64 `[N]`, in nats."""
    steps = len(sequence) - 1
    count = int(sequence.max()) + 1
    pairs = sequence[:-1] * count + sequence[1:]
    both, before, after = (_counts(x) for x in (pairs, sequence[:-1], sequence[1:]))
    return float(
        _sum_p_log_p(both, steps) - _sum_p_log_p(before, steps) - _sum_p_log_p(after, steps)
    )


def _counts(numbers: Ints) -> Ints:
    """How often each number of `[N]` occurs, ascending by number; without those that do not."""
    if int(numbers.max()) > 4 * len(numbers):  # a table of all numbers would be mostly empty
        return np.unique(numbers, return_counts=True)[1]
    count = np.bincount(numbers)
    return count[count > 0]


def _sum_p_log_p(count: Ints, total: int) -> float:
    p = count / total
    return float((p * np.log(p)).sum())


def winner_rotation(sequence: Ints) -> WinnerRotation | None:
    """Both figures of a sequence of winners beside its shuffles; None if it is too short.

    Args:
        sequence: the winner of each tender in order of time, int64 `[N]`.
    """
    steps = len(sequence) - 1
    if steps < LEAST_STEPS:
        return None
    shuffled = []
    for k in range(min(SHUFFLES, max(FEWEST_SHUFFLES, WORK // steps))):
        order = np.argsort(uniform_draws(len(sequence), SHUFFLE, k))
        shuffled.append((successive_information(sequence[order]), _repeats(sequence[order])))
    low, high = np.quantile(shuffled, [0.025, 0.975], axis=0)
    mean = np.mean(shuffled, axis=0)
    own = (successive_information(sequence), _repeats(sequence))
    information, repeats = (
        ShuffledFigure(own[k], float(mean[k]), float(low[k]), float(high[k])) for k in range(2)
    )
    return WinnerRotation(information, repeats, steps)


def _repeats(sequence: Ints) -> float:
    return float((sequence[1:] == sequence[:-1]).mean())
