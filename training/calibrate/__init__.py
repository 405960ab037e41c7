"""Fits a market to a user's file, and compares what the fitted market does with the file.

    result = calibrate("procurement", Path("orders.csv"), Request(columns="sent=...,..."))
    result.keys      # the market's keys that were fitted
    result.rows      # quantity by quantity: of the file, and of the market when it is played

A fit reads nothing but the file. What it is compared with is played by the engine, in the market
with the fitted keys and otherwise its defaults; no figure of the list that was fitted is shown.

`calibration.py` leads through it; `data_file.py` reads the file; each market's own file declares
its `FIT`, found through `fits.py`; `samples.py` compares; `report.py` and `preset.py` put the
result into words, JSON and YAML.
"""

from .calibration import Calibration, Request, calibrate
from .fits import FITS, find_fit
from .market_fit import MarketFit
from .samples import Quantity, Sample

__all__ = [
    "FITS",
    "Calibration",
    "MarketFit",
    "Quantity",
    "Request",
    "Sample",
    "calibrate",
    "find_fit",
]
