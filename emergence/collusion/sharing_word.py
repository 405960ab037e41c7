"""How the gain above competition is shared: a word beside the word for collusion, never a veto.

1. `rotation`: lower(dependence of the winner on the last winner) > .5, and upper(imbalance) < .1:
   who wins next follows from who won last, and all win equally often.
2. `one-sided`: upper(the least share of the gain) < .1: one seat gets next to nothing of it. What
   it earns less than an equal share is told in money.
3. `shared`: lower(the least share) >= .1.

A seed in which one seat always wins has no dependence; it counts as 0.
"""

from __future__ import annotations

from math import isfinite

from tacit.emergence import stats
from tacit.emergence.evidence import Evidence
from tacit.emergence.stats import interval, number

DEPENDENT = 0.5  # of the entropy of winners
BALANCED = 0.1  # distance of a seat's share of wins from an equal one
NEXT_TO_NOTHING = 0.1  # share of the gain

ROTATION, ONE_SIDED, SHARED = "rotation", "one-sided", "shared"
SHARING_WORDS = (ROTATION, ONE_SIDED, SHARED)
LINES = {
    "gain_share/least": "share of the gain of the seat that gains least",
    "winner_dependence": "how far the last winner fixes the next one",
    "winner_imbalance": "distance of the winners' shares from equal ones",
}


def sharing_word(e: Evidence) -> tuple[str | None, list[str]]:
    """The word, if the figures allow one, and the lines of evidence."""
    lines = [e.line(label, name) for name, label in LINES.items() if e.defined(name)]
    dependence = [x if isfinite(x) else 0.0 for x in e.figures.get("winner_dependence", ())]
    imbalance, least = e.mean("winner_imbalance"), e.mean("gain_share/least")
    if dependence and stats.student(dependence).low > DEPENDENT and imbalance.high < BALANCED:
        return ROTATION, lines
    if least.high < NEXT_TO_NOTHING:
        forgone = e.mean("gain_forgone")
        told = f"{number(forgone.mean)} {interval(forgone)} less than an equal share of it a round"
        return ONE_SIDED, [*lines, f"one-sided: that seat earns {told}"]
    return (SHARED if least.low >= NEXT_TO_NOTHING else None), lines
