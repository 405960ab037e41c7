"""Statistical screens of bids, a user's own included, beside a competitive control.

They read data, not policies, and give no word: a screen is a reason to look. `tacit screen` prints
them; what the figures mean: `docs/commands/screen.md`.
"""

from .bid_screens import SCREENS, Screen
from .cover_bids import BidderPair
from .survey import ScreenReading, Survey
from .tenders import BidsBySize
from .winner_rotation import ShuffledFigure, WinnerRotation

__all__ = [
    "SCREENS",
    "BidderPair",
    "BidsBySize",
    "Screen",
    "ScreenReading",
    "ShuffledFigure",
    "Survey",
    "WinnerRotation",
]
