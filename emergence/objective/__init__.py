"""What a KPI alone asks for: regrets, best-response benchmark (mirror), harm; the rule.

What the figures mean: `docs/probes/mirror.md`.
"""

from .goodhart import goodhart_gap
from .harm import harm_measures
from .mirror import Mirror
from .regret import Regret

__all__ = ["Mirror", "Regret", "goodhart_gap", "harm_measures"]
