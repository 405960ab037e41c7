"""`tacit screen`: a user's bids, read from CSV, screened, and put into words.

bid_file               the bids of a file, and which of its rows are kept
screening              every screen that the columns allow
report, json_report    what is printed
figure                 margins, D, cv over time
"""

from .bid_file import BidColumns, Bids, read_bids
from .screening import Screening, parse_rhos, screen

__all__ = ["BidColumns", "Bids", "Screening", "parse_rhos", "read_bids", "screen"]
