"""The control of bids that are shares: the same ones dealt anew among tenders with as many bids.

The bids of a dealt tender come from different tenders, so nothing in it is arranged. What the bids
of a tender have in common for innocent reasons (costs, district, season) is lost as well. Sums of
money are never dealt: tenders that only differ in size would look arranged. For these:
`competitive_law`.
"""

from __future__ import annotations

import numpy as np

from tacit.envs.types import Floats

from .screen_draws import DEAL, uniform_draws
from .tenders import BidsBySize

SCALES_DIFFER = 3.0  # 90 % over 10 % quantile of tenders' mean bids, above which scales differ
SHARES = (0.1, 2.0)  # between which 98 % of the bids lie where they are shares of a reserve


def is_on_one_scale(tenders: BidsBySize) -> bool:
    """Whether bids of different tenders can be compared: whether they are shares of a reserve.

    `tenders`: bids float64 `[T, n]` by n.
    """
    all_bids = np.concatenate([bids.ravel() for bids in tenders.values()])
    lowest, highest = np.quantile(all_bids, [0.01, 0.99])
    if lowest < SHARES[0] or highest > SHARES[1]:
        return False
    means: Floats = np.concatenate([bids.mean(axis=1) for bids in tenders.values()])
    low, high = np.quantile(means, [0.1, 0.9])
    return bool(high <= SCALES_DIFFER * low)


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
