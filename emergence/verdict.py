"""Verdicts: every rule by the behaviour it judges. To add one: a rule, and a line here.

A rule takes an arm's evidence and gives a verdict, or None where the behaviour cannot occur.
"""

from __future__ import annotations

from collections.abc import Callable

from .claims import verdict as verdict_claims
from .coalition import verdict as verdict_coalition
from .collusion import verdict as collusion
from .evidence import DISCLAIMER, Evidence, Verdict
from .objective import verdict as verdict_kpi

__all__ = ["DISCLAIMER", "RULES", "WORDS", "Evidence", "Verdict", "verdicts"]

RULES: dict[str, Callable[[Evidence], Verdict | None]] = {
    "collusion": collusion.collusion,
    "KPI": verdict_kpi.kpi_or_learning,
    "claims": verdict_claims.claims,
    "coalition": verdict_coalition.coalition,
}
WORDS: dict[str, tuple[str, ...]] = {
    "collusion": collusion.WORDS,
    "KPI": verdict_kpi.WORDS,
    "claims": verdict_claims.WORDS,
    "coalition": verdict_coalition.WORDS,
}


def verdicts(evidence: Evidence) -> list[Verdict]:
    """What every rule says of an arm."""
    found = [rule(evidence) for rule in RULES.values()]
    return [verdict for verdict in found if verdict is not None]
