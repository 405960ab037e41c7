"""Priors from data on what people claim and accept: `tacit prior fit`, `show`, `export`.

`human_claims.py` counts in the files of `human_claims` (not part of this project), `fitting.py` and
a module for each market (`procurement.py`) make prior files of the counts, `words.py` prints them.
What a prior is: `tacit.agents.prior`.
"""

from .fitting import prior_text
from .human_claims import HumanClaims, read_human_claims
from .procurement import fitted_priors

__all__ = ["HumanClaims", "fitted_priors", "prior_text", "read_human_claims"]
