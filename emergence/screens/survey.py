"""All screens of a set of tenders, with intervals, beside a competitive control.

Intervals at 95 %. Medians over tenders: the order statistics that hold the median (binomial,
exact). Quotients of sums (D, the hole): percentiles of a bootstrap over whole tenders, since bids
of one tender are not independent. Control: the mean over deals, and their 2.5 and 97.5 % quantiles.
Bids on one scale are dealt anew among tenders with as many of them (`competitive_control`); where
tenders differ in size, independent bids are drawn as the tenders' own bids are distributed
(`competitive_law`).

A resample of a figure without a single margin near zero has none either, so the bootstrap would
give the hole 0 an interval of no width. Its upper end is then the one of a Poisson count of 0
(-ln .025 = 3.69 tenders, two margins each): Garwood, "Fiducial limits for the Poisson
distribution", Biometrika 28, 1936.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import isfinite, log

import numpy as np

from tacit.emergence.stats import Estimate, median
from tacit.envs.errors import ConfigError
from tacit.envs.types import Floats

from .bid_screens import SCREENS, medians, per_tender
from .competitive_control import deal_anew, is_on_one_scale
from .competitive_law import fit_law
from .tenders import BidsBySize
from .win_shares import bootstrap, margins, quotient, win_shares

RESAMPLES, DEALS = 1_000, 200  # at most; large files make do with fewer
WORK_RESAMPLES, WORK_DEALS = 20_000_000, 5_000_000  # tenders, bids drawn in all
FEWEST_RESAMPLES, FEWEST_DEALS = 50, 10  # a quantile of few is crude, but large files hardly vary
KEPT_MARGINS = 200_000  # of the control, for figures, if one deal has fewer
NAN = float("nan")
ANY = (0.0, float("inf"))
EDGE = 1e-9  # what rounding may add
NONE_SEEN = -log(0.025)  # expected tenders above which none is seen less often than in 2.5 %
NEEDS_SCALE = ("cv", "spread")  # say nothing where tenders differ in size: nothing to compare with


@dataclass(frozen=True)
class ScreenReading:
    """One screen of a set of tenders.

    Attributes:
        name: the screen's name.
        value: its value with interval; n tenders.
        control: the mean over deals, with their 2.5 and 97.5 % quantiles; n deals.
        suspicious: 'low' or 'high': where arranged bids lie; '': neither, or the control says
            nothing about it.
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
        one_scale: the control dealt the bids as they are; else it drew independent ones, as the
            tenders differ in size.
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
    deal = partial(deal_anew, tenders) if one_scale else fit_law(tenders).draw
    dealt_medians, dealt_shares = [], []
    for k in range(deals):
        control = deal(k)
        dealt_medians.append([*medians(control).values()])
        dealt_shares.append(quotient(*win_shares(control, rhos)[1:]))
    shares = _share_readings(tenders, rhos, resamples, np.array(dealt_shares))
    readings = shares + _median_readings(tenders, np.array(dealt_medians), one_scale)
    check_control(readings, max(tenders))
    shown = int(np.clip(KEPT_MARGINS // bids, 1, deals))
    return Survey(
        readings=readings,
        tenders=count,
        bids=bids,
        resamples=resamples,
        deals=deals,
        one_scale=one_scale,
        alone=sum(len(b) == 1 for b in tenders.values()) if one_scale else 0,
        margins=_all_margins(tenders),
        control_margins=np.concatenate([_all_margins(deal(k)) for k in range(shown)]),
    )


def check_control(readings: Sequence[ScreenReading], most_bids: int) -> None:
    """Stop if a figure of the control is one that no bids above 0 can have.

    Args:
        readings: of the screens.
        most_bids: of a tender.

    Raises:
        ConfigError: such a figure; then the bids were misread, or the control is wrong.
    """
    ranges = {screen.name: screen.possible(most_bids) for screen in SCREENS} | {"hole": ANY}
    mistakes = []
    for reading in readings:
        low, high = ranges.get(reading.name, (0.0, 1.0))  # the others are shares
        e = reading.control
        outside = [x for x in (e.low, e.mean, e.high) if x < low - EDGE or x > high + EDGE]
        if outside:
            mistakes.append(
                f"control of {reading.name}: {outside[0]:.4g} lies outside its possible range, "
                f"{low:.4g} .. {high:.4g}. Look at how the bids were read (--decimal, --tender)."
            )
    if mistakes:
        raise ConfigError(mistakes)


def _share_readings(
    tenders: BidsBySize, rhos: Sequence[float], resamples: int, dealt: Floats
) -> list[ScreenReading]:
    """Readings of D(rho) and the hole; `dealt` float64 `[deals, figures]`: the control's."""
    names, above, below = win_shares(tenders, rhos)
    found = quotient(above, below)
    resampled = bootstrap(above, below, resamples)
    ends = [_quantiles(resampled[:, k]) for k in range(len(names))]
    if found[-1] == 0.0:  # the hole
        ends[-1] = (0.0, 2.0 * NONE_SEEN / float(below[:, -1].sum()))
    return [
        ScreenReading(
            name,
            value=Estimate(float(found[k]), *ends[k], len(above)),
            control=_mean_and_quantiles(dealt[:, k]),
            suspicious="low" if name == "hole" else "",
            kind="share",
        )
        for k, name in enumerate(names)
    ]


def _median_readings(tenders: BidsBySize, dealt: Floats, one_scale: bool) -> list[ScreenReading]:
    """Readings of the screens per tender; `dealt` float64 `[deals, screens]`: the control's."""
    readings = []
    for k, screen in enumerate(SCREENS):
        values = per_tender(tenders, screen)
        own = median(values.tolist()) if len(values) else Estimate(NAN, NAN, NAN, 0)
        control = _mean_and_quantiles(dealt[:, k])
        side = "" if screen.name in NEEDS_SCALE and not one_scale else screen.suspicious
        readings.append(ScreenReading(screen.name, own, control, side, "median"))
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
