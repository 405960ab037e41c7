"""Figures of a round in the words of a transcript."""

from __future__ import annotations

DECIMALS = 12  # to which a difference of equal amounts is 0


def figure_text(amount: float) -> str:
    """An amount to three digits; what differs from 0 by rounding alone is 0, without a sign."""
    return f"{round(amount, DECIMALS) + 0.0:.3g}"
