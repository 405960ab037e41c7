"""One round enumerated: every draw of nature, every joint action, and sums over them."""

from .best_reply import BestReply
from .enumeration import enumerate_round
from .expectations import action_probability, edge_probability, expected_outcome, expected_value
from .payoff_history import PayoffHistories, payoff_histories
from .round_tree import PhaseLayer, RoundTree, legal_actions, played_actions

__all__ = [
    "BestReply",
    "PayoffHistories",
    "PhaseLayer",
    "RoundTree",
    "action_probability",
    "edge_probability",
    "enumerate_round",
    "expected_outcome",
    "expected_value",
    "legal_actions",
    "payoff_histories",
    "played_actions",
]
