"""Oversight: who did what to a run, who stands behind it. Lint and breakers are planned."""

from .ledger import Ledger, first_broken, read

__all__ = ["Ledger", "first_broken", "read"]
