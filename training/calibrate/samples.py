"""Samples of a file and of a market, and how near one is to the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
QUANTILES = (0.1, 0.5, 0.9)
NEAR = 0.1  # a quantile of the market is near the file's if it is within this share of it
POINT = 0.01  # and a share if it is within one point

SEEN = 5  # entries of a list that players see: every entry makes their tables larger
UNSEEN = 15  # entries of a list that nobody sees


@dataclass(frozen=True)
class Sample:
    """Values of one quantity, float64 `[n]`: compared at quantiles, or by their mean if `share`.

    `whole`: a quantity counted in units, of which one is always near enough.
    """

    quantity: str
    values: Array
    unit: str = ""
    quantiles: tuple[float, ...] = QUANTILES
    whole: bool = False
    share: bool = False


@dataclass(frozen=True)
class Quantity:
    """One figure of the file (of n values) beside the same figure of the market."""

    quantity: str
    figure: str
    unit: str
    observed: float
    simulated: float
    n: int
    within: bool


def compare(observed: Sequence[Sample], simulated: Sequence[Sample]) -> list[Quantity]:
    """Figure by figure; both must hold the same quantities in the same order."""
    rows = []
    for file, market in zip(observed, simulated, strict=True):
        assert file.quantity == market.quantity, (file.quantity, market.quantity)
        points = [("share", None)] if file.share else [(f"{q:.0%}", q) for q in file.quantiles]
        for figure, q in points:
            a, b = (_figure(s.values, q) for s in (file, market))
            near = POINT if file.share else max(NEAR * abs(a), float(file.whole))
            within = abs(b - a) <= near * (1 + 1e-9)  # (a bound met but for rounding is met)
            rows.append(Quantity(file.quantity, figure, file.unit, a, b, len(file.values), within))
    return rows


def _figure(values: Array, q: float | None) -> float:
    if not values.size:
        return float("nan")
    return float(values.mean() if q is None else np.quantile(values, q))


def centres(values: Array, count: int) -> Array:
    """A list of equally likely entries in place of a sample: the quantiles (k + 1/2)/count.

    With `count` an odd multiple of 5, the list's quantiles at 10, 50 and 90 % are the sample's, as
    each of these lies in the middle of an entry's probability. A list of more than 5 ends in the
    mean of the sample's highest 1/count, whose middle would cut a long tail.
    """
    made: Array = np.quantile(values, (np.arange(count) + 0.5) / count)
    if count > SEEN:
        made[-1] = values[values >= np.quantile(values, 1 - 1 / count)].mean()
    return made


def whole(values: Array, least: int = 0) -> list[int]:
    """To whole numbers."""
    return [max(least, int(np.floor(v + 0.5))) for v in values]


def rounded(values: Array, digits: int) -> list[float]:
    """To so many significant digits."""
    return [float(f"{v:.{digits}g}") for v in values]
