"""Q-learners, multiplicative weights and fixed policy tables, learning after every round."""

from .config import QLearningConfig
from .group import TabularGroup
from .multiplicative_weights import MultiplicativeWeightsConfig

__all__ = ["MultiplicativeWeightsConfig", "QLearningConfig", "TabularGroup"]
