"""Samples of a file and of a market, and how near one is to the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tacit.envs.types import Floats

QUANTILES = (0.1, 0.5, 0.9)
NEAR = 0.1  # a quantile of the market is near the file's if it is within this share of it
POINT = 0.01  # a share is near if it is within one point
ROUNDING = 1e-9  # relative: a bound that is met but for rounding is met


@dataclass(frozen=True)
class Sample:
    """Values of one quantity.

    Attributes:
        quantity: what they are values of.
        values: float64 `[n]`, in `unit`.
        unit: for the table.
        quantiles: at which two samples are compared.
        whole: a quantity counted in units, of which one is always near enough.
        share: compared by the mean, not at quantiles; values are 0 or 1.
    """

    quantity: str
    values: Floats
    unit: str = ""
    quantiles: tuple[float, ...] = QUANTILES
    whole: bool = False
    share: bool = False


@dataclass(frozen=True)
class Quantity:
    """One figure of the file beside the same figure of the market; a row of the table.

    Attributes:
        quantity: what is compared.
        figure: the quantile, as `10%`, or `share`.
        unit: of the next two.
        observed: in the file.
        simulated: in the market.
        n: the number of values in the file.
        within: whether one is near the other.
    """

    quantity: str
    figure: str
    unit: str
    observed: float
    simulated: float
    n: int
    within: bool


def compare_samples(observed: Sequence[Sample], simulated: Sequence[Sample]) -> list[Quantity]:
    """Figure by figure; both must hold the same quantities in the same order."""
    rows = []
    for file, market in zip(observed, simulated, strict=True):
        assert file.quantity == market.quantity, (file.quantity, market.quantity)
        points: list[tuple[str, float | None]] = [("share", None)]
        if not file.share:
            points = [(f"{q:.0%}", q) for q in file.quantiles]
        for figure, q in points:
            of_file, of_market = _figure(file.values, q), _figure(market.values, q)
            near = POINT if file.share else max(NEAR * abs(of_file), float(file.whole))
            within = abs(of_market - of_file) <= near * (1 + ROUNDING)
            rows.append(
                Quantity(
                    file.quantity, figure, file.unit, of_file, of_market, len(file.values), within
                )
            )
    return rows


def _figure(values: Floats, q: float | None) -> float:
    """The quantile q, or the mean for None; NaN where there are no values."""
    if not values.size:
        return float("nan")
    return float(values.mean() if q is None else np.quantile(values, q))
