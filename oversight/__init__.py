"""Oversight: lint of KPIs, signed cards, breakers, and the ledger of a run."""

from .ledger import Ledger, first_broken, read

__all__ = ["Ledger", "first_broken", "read"]
