"""What follows if a frozen population plays on, or if one seat leaves its policy.

For markets of one phase, but for `limit_path` and `visits`, which play any market.
"""

from .best_response import BestResponse, best_responses
from .chain import Chain, DecisionProblem, build_chain
from .deviation_replays import DeviationOutcome, DeviationReplays
from .deviations import Deviations
from .learned_response import LearnedResponse, learned_best_response
from .limit_path import LimitPath
from .one_step_payoffs import OneStepPayoffs
from .replays import Replays
from .state_index import StateIndex

__all__ = [
    "BestResponse",
    "Chain",
    "DecisionProblem",
    "DeviationOutcome",
    "DeviationReplays",
    "Deviations",
    "LearnedResponse",
    "LimitPath",
    "OneStepPayoffs",
    "Replays",
    "StateIndex",
    "best_responses",
    "build_chain",
    "learned_best_response",
]
