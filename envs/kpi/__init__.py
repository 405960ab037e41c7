"""KPIs are data: per role or seat a table of terms, each a weight on a named measure.

    bidder:
      profit: 1.0
      price_change: -1.0                                     # short form  measure: weight
      partner: {measure: profit, weight: 0.5, scope: bidder_0}
    bidder_1:                                                # a seat replaces its role's table
      fill: {weight: -0.5, transform: below, threshold: 0.9}

A term's value is its measure, first transformed, then averaged over its scope. A seat's reward is
the sum of weight x value over its terms, scored once a round after the last phase:

    reward(i) = sum over terms t of i:  weight(t) x mean over j in scope(t) of transform(measure(j))

`table.py` checks tables, `scoring.py` compiles them and holds the kernels that score a round,
`text.py` says them in words.
"""

from .scoring import compile_kpi, reward, score, term_value
from .table import KpiTable, Term, canonical, kpi_hash, parse_term, resolve
from .text import label, sentence

__all__ = [
    "KpiTable",
    "Term",
    "canonical",
    "compile_kpi",
    "kpi_hash",
    "label",
    "parse_term",
    "resolve",
    "reward",
    "score",
    "sentence",
    "term_value",
]
