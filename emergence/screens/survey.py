"""All screens of a set of tenders, with intervals, beside a competitive control.

Intervals at 95 %. Medians over tenders: the order statistics that hold the median (binomial,
exact). Quotients of sums (D, the hole): percentiles of a bootstrap over whole tenders, since bids
of one tender are not independent. Control: the mean over deals of the same bids among tenders with
the same number of them (`screens.dealt`), and their 2.5 and 97.5 % quantiles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from tacit.emergence.stats import Estimate, median

from . import bid_screens as screens
from .bid_screens import SCREENS, Strata

RESAMPLES, DEALS = 1_000, 200  # at most; large files make do with fewer
WORK_RESAMPLES, WORK_DEALS = 20_000_000, 5_000_000  # tenders, bids drawn in all
NAN = float("nan")
DRAWN = 200_000  # margins of the control that are kept for figures, if one deal has fewer
FEWEST_RESAMPLES, FEWEST_DEALS = 50, 10  # (a quantile of few is crude, but they hardly vary then)


@dataclass(frozen=True)
class ScreenReading:
    """One screen: its value with interval over n tenders; the control's mean and quantiles."""

    name: str
    value: Estimate
    control: Estimate
    suspicious: str  # 'low', 'high', or '' where neither is
    kind: str  # 'median' or 'share'

    @property
    def against(self) -> str:
        """Where the value's interval lies to the control's: 'below', 'above', 'like control'."""
        ends = (self.value.low, self.value.high, self.control.low, self.control.high)
        if not all(isfinite(x) for x in ends):
            return "undecided"
        if self.value.high < self.control.low:
            return "below"
        return "above" if self.value.low > self.control.high else "like control"

    @property
    def fires(self) -> bool:
        """Whether it differs from the control in the direction that arranged bids would."""
        return self.against == {"low": "below", "high": "above"}.get(self.suspicious)


@dataclass(frozen=True)
class Survey:
    """Readings of a set of tenders, and how they were made."""

    readings: list[ScreenReading]
    tenders: int
    bids: int
    resamples: int
    deals: int
    one_scale: bool  # whether the control dealt the bids as they are; else relative to their mean
    alone: int  # tenders that share their number of bids with no other: no deal moves them
    margins: NDArray[np.float64]  # of the bids
    control_margins: NDArray[np.float64]  # of several deals, end to end


def survey(strata: Strata, rhos: Sequence[float]) -> Survey:
    """Read every screen. Raises ValueError without at least two tenders of two bids."""
    tenders = sum(len(bids) for bids in strata.values())
    bids = sum(b.size for b in strata.values())
    if tenders < 2:
        raise ValueError(f"screens need two tenders with two bids or more, got {tenders}")
    resamples = int(np.clip(WORK_RESAMPLES // tenders, FEWEST_RESAMPLES, RESAMPLES))
    deals = int(np.clip(WORK_DEALS // bids, FEWEST_DEALS, DEALS))
    one_scale = screens.comparable(strata)
    base = strata if one_scale else screens.on_one_scale(strata)
    names, above, below = screens.shares(strata, rhos)
    found = screens.quotient(above, below)
    drawn = screens.bootstrap(above, below, resamples)
    dealt_medians, dealt_shares = [], []
    for deal in range(deals):
        control = screens.dealt(base, deal)
        dealt_medians.append([*screens.medians(control).values()])
        dealt_shares.append(screens.quotient(*screens.shares(control, rhos)[1:]))
    readings = [
        ScreenReading(name, Estimate(float(found[k]), *_ends(drawn[:, k]), tenders),
                _spread_of(np.array(dealt_shares)[:, k], deals),
                "low" if name == "hole" else "", "share")
        for k, name in enumerate(names)
    ]  # fmt: skip
    for k, screen in enumerate(SCREENS):
        values = screens.per_tender(strata, screen)
        own = median(values.tolist()) if len(values) else Estimate(NAN, NAN, NAN, 0)
        control_of = _spread_of(np.array(dealt_medians)[:, k], deals)
        readings.append(ScreenReading(screen.name, own, control_of, screen.suspicious, "median"))
    shown = int(np.clip(DRAWN // bids, 1, deals))
    control_margins = np.concatenate([_margins(screens.dealt(base, k)) for k in range(shown)])
    alone = sum(len(b) == 1 for b in strata.values())
    return Survey(readings, tenders, bids, resamples, deals, one_scale, alone,
                  _margins(strata), control_margins)  # fmt: skip


def _ends(values: NDArray[np.float64]) -> tuple[float, float]:
    """2.5 and 97.5 % quantiles of what is defined."""
    known = values[np.isfinite(values)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.quantile(known, [0.025, 0.975])
    return float(low), float(high)


def _spread_of(values: NDArray[np.float64], n: int) -> Estimate:
    known = values[np.isfinite(values)]
    mean = float(known.mean()) if len(known) else float("nan")
    return Estimate(mean, *_ends(values), n)


def _margins(strata: Strata) -> NDArray[np.float64]:
    return np.concatenate([screens.margins(bids).ravel() for bids in strata.values()])
