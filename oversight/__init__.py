"""Oversight: the ledger; cards, lint, breakers and the control room are to come."""
