"""Claims: how much they tell, whom they move, who gains by false ones; the rule for their words.

What the figures mean: `docs/probes/claims.md`.
"""

from .channels import Channel, channels
from .counterfactual import CounterfactualClaims, Listener, counterfactual_claims

__all__ = [
    "Channel",
    "CounterfactualClaims",
    "Listener",
    "channels",
    "counterfactual_claims",
]
