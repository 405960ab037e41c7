"""Figures that summaries derive, and columns of tables: meaning and unit, in a line.

What a market reports is declared there (`Market.measures`, `Market.derived_meanings`), figures of
probes in the probes (`tacit.emergence.registry`), words of verdicts in `tacit.emergence.words`;
what is left is declared here. `tacit explain` tells all of them.
"""

from __future__ import annotations

from collections.abc import Mapping

# name -> (unit, meaning)
DERIVED: Mapping[str, tuple[str, str]] = {
    "collusion_index": (
        "share",
        "where the level lies between competition (0) and what rivals would choose as one firm (1)",
    ),
    "goodhart_gap": (
        "share",
        "of its fundamental that a seat loses against the arm that is paid the fundamental",
    ),
    "rounds_to_stop": ("rounds", "up to the last change of a greedy policy"),
    "converged": ("share", "of repetitions whose agents had stopped by themselves"),
    "cycle_1_share": ("share", "of repetitions whose play comes to rest in one place"),
    "cycle_2_share": ("share", "of repetitions whose play goes round in two rounds"),
    "cycle_3plus_share": ("share", "of repetitions whose play goes round in three rounds or more"),
}
COLUMNS: Mapping[str, tuple[str, str]] = {
    "arm": ("", "one configuration of an experiment; all repetitions of it share every setting"),
    "n": ("", "repetitions behind a number, each a group of agents of its own"),
    "95 %": ("", "the interval of the mean over repetitions; also as [low, high] beside it"),
    "difference to first": (
        "that of the measure",
        "this arm less the first, repetition by repetition, with its own interval",
    ),
    "own-firm loss": (
        "money a round",
        "what a firm earns less because its agent follows the KPI instead of the firm's own "
        "profit, alone (rivals as they play here) or with all others, whichever is more; then as a "
        "share of what it would earn",
    ),
    "harm": (
        "that of the measure",
        "lost against best replies to profit: the part that best replies to the KPI alone lose, "
        "and what learning adds",
    ),
    "verdict": ("", "words that written rules give an arm, by the figures of 48 repetitions"),
    "best / worst seat earns": (
        "money a round",
        "the seat that earns most and least in each repetition; means over repetitions",
    ),
}
