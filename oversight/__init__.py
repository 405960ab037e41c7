"""Oversight: lint of KPIs and the ledger of a run; cards and breakers are planned."""

from .ledger import Ledger, first_broken, read

__all__ = ["Ledger", "first_broken", "read"]
