"""All screens of a set of tenders, with intervals, beside a competitive control.

Intervals at 95 %. Medians over tenders: the order statistics that hold the median (binomial,
exact). Quotients of sums (D, the hole): percentiles of a bootstrap over whole tenders, since bids
of one tender are not independent. Control: the mean over deals of the same bids among tenders with
the same number of them (`tacit.emergence.screens.competitive_control`), and their 2.5 and 97.5 %
quantiles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from tacit.emergence.stats import Estimate, median
from tacit.envs.types import Floats

from .bid_screens import SCREENS, medians, per_tender
from .competitive_control import deal_anew, is_on_one_scale, on_one_scale
from .tenders import BidsBySize
from .win_shares import bootstrap, margins, quotient, win_shares

RESAMPLES, DEALS = 1_000, 200  # at most; large files make do with fewer
WORK_RESAMPLES, WORK_DEALS = 20_000_000, 5_000_000  # tenders, bids drawn in all
FEWEST_RESAMPLES, FEWEST_DEALS = 50, 10  # a quantile of few is crude, but large files hardly vary
KEPT_MARGINS = 200_000  # of the control, for figures, if one deal has fewer
NAN = float("nan")


@dataclass(frozen=True)
class ScreenReading:
    """One screen of a set of tenders.

    Attributes:
        name: the screen's name.
        value: its value with interval; n tenders.
        control: the mean over deals, with their 2.5 and 97.5 % quantiles; n deals.
        suspicious: 'low' or 'high': where arranged bids lie; '': neither.
        kind: 'median' over tenders or 'share' of bids.
    """

    name: str
    value: Estimate
    control: Estimate
    suspicious: str
    kind: str

    @property
    def against(self) -> str:
        """How the interval lies: 'below' or 'above' the control's, 'like control', 'undecided'."""
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
    """All screens of a set of tenders, and how they were made.

    Attributes:
        readings: one for each screen.
        tenders: the number of tenders.
        bids: the number of bids.
        resamples: of the bootstrap.
        deals: of the control.
        one_scale: the control dealt the bids as they are; else relative to their tender's mean.
        alone: tenders that share their number of bids with no other, so that no deal moves them.
        margins: of the bids (best other bid / bid - 1), float64 `[bids]`.
        control_margins: of several deals, end to end, float64 `[.]`.
    """

    readings: list[ScreenReading]
    tenders: int
    bids: int
    resamples: int
    deals: int
    one_scale: bool
    alone: int
    margins: Floats
    control_margins: Floats


def survey(tenders: BidsBySize, rhos: Sequence[float]) -> Survey:
    """Read every screen.

    Args:
        tenders: bids by tender, float64 `[T, n]` by n, each row ascending.
        rhos: the changes of bids for which D(rho) is read.

    Raises:
        ValueError: there are fewer than two tenders with two bids or more.
    """
    count = sum(len(bids) for bids in tenders.values())
    bids = sum(b.size for b in tenders.values())
    if count < 2:
        raise ValueError(f"screens need two tenders with two bids or more, got {count}")
    resamples = int(np.clip(WORK_RESAMPLES // count, FEWEST_RESAMPLES, RESAMPLES))
    deals = int(np.clip(WORK_DEALS // bids, FEWEST_DEALS, DEALS))
    one_scale = is_on_one_scale(tenders)
    base = tenders if one_scale else on_one_scale(tenders)
    dealt_medians, dealt_shares = [], []
    for deal in range(deals):
        control = deal_anew(base, deal)
        dealt_medians.append([*medians(control).values()])
        dealt_shares.append(quotient(*win_shares(control, rhos)[1:]))
    shares = _share_readings(tenders, rhos, resamples, np.array(dealt_shares))
    shown = int(np.clip(KEPT_MARGINS // bids, 1, deals))
    return Survey(
        readings=shares + _median_readings(tenders, np.array(dealt_medians)),
        tenders=count,
        bids=bids,
        resamples=resamples,
        deals=deals,
        one_scale=one_scale,
        alone=sum(len(b) == 1 for b in tenders.values()),
        margins=_all_margins(tenders),
        control_margins=np.concatenate([_all_margins(deal_anew(base, k)) for k in range(shown)]),
    )


def _share_readings(
    tenders: BidsBySize, rhos: Sequence[float], resamples: int, dealt: Floats
) -> list[ScreenReading]:
    """Readings of D(rho) and the hole; `dealt` float64 `[deals, figures]`: the control's."""
    names, above, below = win_shares(tenders, rhos)
    found = quotient(above, below)
    resampled = bootstrap(above, below, resamples)
    return [
        ScreenReading(
            name,
            value=Estimate(float(found[k]), *_quantiles(resampled[:, k]), len(above)),
            control=_mean_and_quantiles(dealt[:, k]),
            suspicious="low" if name == "hole" else "",
            kind="share",
        )
        for k, name in enumerate(names)
    ]


def _median_readings(tenders: BidsBySize, dealt: Floats) -> list[ScreenReading]:
    """Readings of the screens per tender; `dealt` float64 `[deals, screens]`: the control's."""
    readings = []
    for k, screen in enumerate(SCREENS):
        values = per_tender(tenders, screen)
        own = median(values.tolist()) if len(values) else Estimate(NAN, NAN, NAN, 0)
        control = _mean_and_quantiles(dealt[:, k])
        readings.append(ScreenReading(screen.name, own, control, screen.suspicious, "median"))
    return readings


def _quantiles(values: Floats) -> tuple[float, float]:
    """2.5 and 97.5 % quantiles of what is defined in `values` `[.]`; NaN if nothing is."""
    defined = values[np.isfinite(values)]
    if not len(defined):
        return NAN, NAN
    low, high = np.quantile(defined, [0.025, 0.975])
    return float(low), float(high)


def _mean_and_quantiles(values: Floats) -> Estimate:
    defined = values[np.isfinite(values)]
    mean = float(defined.mean()) if len(defined) else NAN
    return Estimate(mean, *_quantiles(values), len(values))


def _all_margins(tenders: BidsBySize) -> Floats:
    return np.concatenate([margins(bids).ravel() for bids in tenders.values()])
