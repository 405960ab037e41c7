"""The control beside every screen: the same bids dealt anew among tenders with as many bids.

The bids of a dealt tender come from different tenders, so nothing in it is arranged. What the bids
of a tender have in common for innocent reasons (costs, district, season) is lost as well.
"""

from __future__ import annotations

import numpy as np

from tacit.envs.types import Floats

from .screen_draws import DEAL, uniform_draws
from .tenders import BidsBySize

SCALES_DIFFER = 3.0  # 90 % over 10 % quantile of tenders' mean bids, above which scales differ


def is_on_one_scale(tenders: BidsBySize) -> bool:
    """Whether bids of different tenders are on one scale, as shares of a reserve are.

    `tenders`: bids float64 `[T, n]` by n.
    """
    means: Floats = np.concatenate([bids.mean(axis=1) for bids in tenders.values()])
    low, high = np.quantile(means, [0.1, 0.9])
    return bool(high <= SCALES_DIFFER * low)


def on_one_scale(tenders: BidsBySize) -> BidsBySize:
    """Bids relative to their tender's mean, with deviations stretched by sqrt(n/(n-1)).

    A tender's own mean takes up a share of the variation. Stretched, bids dealt from these vary
    within a tender as much as the given ones do. `tenders` and the result: float64 `[T, n]` by n.
    """
    found = {}
    for n, bids in tenders.items():
        relative = bids / bids.mean(axis=1, keepdims=True)
        found[n] = 1.0 + (relative - 1.0) * np.sqrt(n / (n - 1))
    return found


def deal_anew(tenders: BidsBySize, deal: int) -> BidsBySize:
    """The same bids dealt anew among the tenders with as many of them; `deal` numbers the draw.

    `tenders` and the result: float64 `[T, n]` by n, each row ascending.
    """
    found = {}
    for n, bids in tenders.items():
        order = np.argsort(uniform_draws(bids.size, DEAL, deal, n))
        dealt = bids.ravel()[order].reshape(bids.shape)
        dealt.sort(axis=1)
        found[n] = np.asfortranarray(dealt)
    return found
