"""Coalitions: revealed weights, rotation of winners, leadership; the rule for their words.

What the figures mean: `docs/probes/coalitions.md`.
"""

from .verdict import Betrayal

__all__ = ["Betrayal"]
