"""Oversight: who did what to a run. Today the ledger; cards, lint and breakers are planned."""

from .ledger import Ledger, first_broken, read

__all__ = ["Ledger", "first_broken", "read"]
