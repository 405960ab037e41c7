"""Oversight: lint of KPIs, signed cards, the ledger of a run; breakers are planned."""

from .ledger import Ledger, first_broken, read

__all__ = ["Ledger", "first_broken", "read"]
