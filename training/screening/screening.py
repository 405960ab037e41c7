"""Reads a user's bids and runs every screen that their columns allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tacit.emergence.screens.bid_screens import rolling_cv
from tacit.emergence.screens.cover_bids import BidderPair, bidder_pairs
from tacit.emergence.screens.survey import Survey, survey
from tacit.emergence.screens.tenders import group_bids, positions_by_size
from tacit.emergence.screens.winner_rotation import WinnerRotation, winner_rotation, winners
from tacit.envs.errors import ConfigError
from tacit.envs.types import Floats, Ints

from .bid_file import BidColumns, Bids, read_bids

WINDOW = 50  # tenders of a rolling figure


@dataclass(frozen=True)
class Screening:
    """What was read of a file, and what screens find in it.

    Attributes:
        path: the file.
        bids: what was kept of it.
        survey: all screens of its tenders.
        rotation: who wins after whom; None without bidders, or with too few steps.
        pairs: who stays below whom; empty without bidders.
        rolling: the number of each window's last tender, int64 `[k]`, and the median cv in it,
            float64 `[k]`; empty without dates, or with too few tenders.
    """

    path: Path
    bids: Bids
    survey: Survey
    rotation: WinnerRotation | None
    pairs: list[BidderPair]
    rolling: tuple[Ints, Floats]


def parse_rhos(text: str) -> list[float]:
    """`-.05,.01` as numbers.

    Raises:
        ConfigError: all that are none, or not in -1 .. 1.
    """
    found, mistakes = [], []
    for word in text.split(","):
        try:
            rho = float(word)
        except ValueError:
            rho = float("nan")
        if -1.0 < rho < 1.0:
            found.append(rho)
        else:
            mistakes.append(f"--rho: must be numbers between -1 and 1, got '{word.strip()}'.")
    if mistakes:
        raise ConfigError(mistakes)
    return list(dict.fromkeys(found))


def screen(path: Path, columns: BidColumns, rhos: Sequence[float]) -> Screening:
    """Read a file and run the screens.

    Args:
        path: the file.
        columns: which column holds what.
        rhos: changes of bids for which D(rho) is read.

    Raises:
        ConfigError: the file cannot be used.
    """
    bids = read_bids(path, columns)
    rows = positions_by_size(bids.tender, bids.bid)
    found = survey(group_bids(bids.tender, bids.bid, rows), rhos)
    rotation, pairs = None, []
    if bids.bidder is not None:
        rotation = winner_rotation(winners(bids.tender, bids.bid, bids.bidder, rows))
        pairs = bidder_pairs(bids.tender, bids.bid, bids.bidder, rows)
    rolling: tuple[Ints, Floats] = (np.empty(0, np.int64), np.empty(0))
    if bids.dates is not None:
        rolling = rolling_cv(bids.tender, bids.bid, WINDOW, rows)
    return Screening(path, bids, found, rotation, pairs, rolling)
