"""Priors: what is known of how people play a seat, as a file of figures, and as a policy table.

    prior = read_prior("supplier_diplomacy", "PRIOR")       # tacit.training.config.agent_settings
    found = prior_table(prior, market, "supplier_0")
    found.table                                             # float64 [O, A]
    full_support(found, "anchor")                           # refuses a table with zeros

A file (`prior_file.py`) holds rates with their intervals and sources, and assumptions about what
the data do not say. What they mean in a seat is said by the market
(`tacit.envs.analysis.Analysis.prior_row`). `config.py` is the agent that plays a prior.
"""

from .prior_file import AcceptanceRate, CountedRate, FigureSource, PriorFile, checked_prior
from .prior_table import PriorTable, full_support, prior_table

__all__ = [
    "AcceptanceRate",
    "CountedRate",
    "PriorFile",
    "PriorTable",
    "FigureSource",
    "checked_prior",
    "full_support",
    "prior_table",
]
