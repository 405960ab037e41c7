"""The verdict on what is inherited: the words of all rates whose seat is held to a prior.

The rule for one rate is `tacit.emergence.anchored.rule`. The verdict is the word of the first rate
that the market names among those with a prior: what is said, before what is believed (`bluff_rate`
before `accept_rate`). The words of the others stand beside it. Below 48 seeds it is `undecided at
n`.
"""

from __future__ import annotations

from tacit.emergence.evidence import (
    MIN_SEEDS,
    UNDECIDED,
    Evidence,
    Verdict,
    too_few_seeds,
    undecided_at,
)
from tacit.emergence.stats import number

from .rule import WORDS, Judged, judge

__all__ = ["WORDS", "inheritance"]

PRIOR = "prior/"


def inheritance(e: Evidence) -> Verdict | None:
    """The verdict on an arm; None where no seat with a rate of a closed form has a prior."""
    names = [
        figure.removeprefix(PRIOR)
        for figure in e.figures
        if figure.startswith(PRIOR) and e.defined(figure)
    ]
    if not names:
        return None
    judged = {name: _judged(e, name) for name in names}
    word = judged[names[0]].word
    lines = [line for name, own in judged.items() for line in _lines(e, name, own)]
    missing = [f"{name}: {own.reason}" for name, own in judged.items() if own.word == UNDECIDED]
    beside = [f"{name}: {own.word}" for name, own in list(judged.items())[1:]]
    if e.n < MIN_SEEDS:
        missing.insert(0, too_few_seeds(e.n, word))
        word, beside = undecided_at(e.n), []
    return Verdict("inheritance", word, tuple(lines), tuple(missing), tuple(beside))


def _judged(e: Evidence, name: str) -> Judged:
    """The word for one rate, whose figures must be defined in every seed."""
    rate = e.mean(f"played/{name}")
    if rate.n < e.n:
        return Judged(UNDECIDED, f"played in {rate.n} of {e.n} seeds")
    prior, equilibrium = (e.mean(f"{kind}/{name}").mean for kind in ("prior", "equilibrium"))
    return judge(rate, prior, equilibrium)


def _lines(e: Evidence, name: str, own: Judged) -> list[str]:
    """The evidence on one rate."""
    found = [
        e.line(f"{name}: played", f"played/{name}"),
        f"{name}: of the prior {number(e.mean(f'prior/{name}').mean)}",
        f"{name}: in equilibrium {number(e.mean(f'equilibrium/{name}').mean)}",
    ]
    anchored = e.mean(f"anchored/{name}")
    if anchored.n:
        found.append(f"{name}: computed for learners that are held so {number(anchored.mean)}")
    return [*found, f"{name}: {own.word}: {own.reason}"]
