"""Q-learners and fixed policy tables, learning after every round."""

from .config import QLearningConfig
from .group import TabularGroup

__all__ = ["QLearningConfig", "TabularGroup"]
