"""The markets by name: those that ship, those of installed packages, those of the user.

A market that ships is one module and one line in `shipped.py`. A package of somebody else offers
one by an entry point (`installed.py`), and a file of one's own registers one by
`tacit.register_market` (`tacit.envs.plugins`). A module is imported when its market is first asked
for (`lookup.py`), so one that fails breaks no other. PettingZoo and Gymnasium are told of all when
they are imported (`registration.py`).
"""

from .installed import INSTALLED, MarketNameWarning, find_installed
from .lookup import make_market, market_class
from .shipped import MARKETS, SHIPPED

__all__ = [
    "INSTALLED",
    "MARKETS",
    "SHIPPED",
    "MarketNameWarning",
    "find_installed",
    "make_market",
    "market_class",
]
