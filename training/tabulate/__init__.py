"""Bots as policy tables: every row asked, and first whether the bot is a function of what it sees.

found = tabulate(open_door(config), market, "provider_0")
found.passes_gate, found.table, found.reasons
"""

from .asking import Budget
from .tabulation import Tabulation, tabulate

__all__ = ["Budget", "Tabulation", "tabulate"]
