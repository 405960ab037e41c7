"""Studies of finished runs: comparisons, reproductions, best responses, figures of experiments.

    compare             `tacit compare`: one row an arm
    checks              published values, predictions, expected verdicts beside what was measured
    reproduce           `tacit reproduce`, with `reference_tables` for its pages
    best_responses      `tacit best-response`
    drill               `tacit drill`: whether breakers do what they say
    figures             the figure of an experiment, with `theory_figures` for closed forms

Functions are imported from these modules, some of which have the name of their function.
"""

from .best_responses import ResponseRow
from .checks import Check
from .compare import ArmRow

__all__ = ["ArmRow", "Check", "ResponseRow"]
