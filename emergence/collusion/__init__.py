"""Collusion: index, temptation and deterrence, impulse response, equilibrium, controls; the rule.

What the figures mean: `docs/probes/collusion.md`.
"""

from .index import frozen_index
from .rematched import rematch

__all__ = ["frozen_index", "rematch"]
