"""The word for collusion: a rule over an arm's seeds.

With 95 % t intervals, and at least 48 seeds (below that the strongest word is `undecided at n`):

1. lower(index) <= .10: `not shown above competition` (`competitive` if the mean is <= .10 too).
2. else, upper(tempted) <= .05: `supra-competitive, static equilibrium`: nobody gains by leaving;
   lower(tempted) <= .5: `supra-competitive, partly tempted`: some would gain by leaving (one seat
   of two, say), too few to ask what deters them.
3. else, lower(deterred) >= .70 and, in price markets, upper(rival's response) < -.02:
   `tacit collusion`: leaving pays at once, costs more later, and it is the rivals who make it so.
4. else: `supra-competitive, unpunished`.

Beside the word, never against it: "not an equilibrium" (a best response gains more than .05 of the
range in more than half the runs), "untargeted" (cuts and raises are answered alike),
"pair-specific" (the index of rematched partners lies below), "level also reached without memory".
The .70 and 48 were set on other runs than those that shipped experiments are judged by;
`python -m benchmarks.collusion` shows the rule's error rates on scripted players.
"""

from __future__ import annotations

from dataclasses import replace

from tacit.emergence.evidence import (
    MIN_SEEDS,
    UNDECIDED,
    Evidence,
    Verdict,
    too_few_seeds,
    undecided_at,
)
from tacit.emergence.play.applicability import why_no_deviations

from .index import why_no_index
from .rematched import PREFIX

ABOVE_COMPETITION = 0.10  # of the index
NOBODY_TEMPTED = 0.05  # share of (state, seat) up to which nobody counts as tempted
TEMPTED = 0.5  # share up to which too few are tempted
DETERRED = 0.70  # share of the tempted
ANSWERED = -0.02  # rivals' conduct after a deviation, relative to the path
NEAR_EQUILIBRIUM = 0.05  # best-response gap, share of the range

COMPETITIVE = "competitive"
NOT_SHOWN = "not shown above competition"
STATIC = "supra-competitive, static equilibrium"
PARTLY = "supra-competitive, partly tempted"
TACIT = "tacit collusion"
UNPUNISHED = "supra-competitive, unpunished"
WORDS = (COMPETITIVE, NOT_SHOWN, STATIC, PARTLY, TACIT, UNPUNISHED, UNDECIDED)

LINES = {
    "frozen_index": "collusion index",
    "tempted": "tempted",
    "deterred": "deterred, of the tempted",
    "rival_response": "rivals' conduct after a deviation, relative to the path",
    "unprofitable": "deviations that do not pay in the end",
    "best_response_gap": "best-response gap",
    "rematched/frozen_index": "index of exchanged partners",
}


def collusion(e: Evidence) -> Verdict | None:
    """The verdict on an arm; None where the market has no collusion index."""
    if why_no_index(e.market, e.kpi) is not None or not e.defined("frozen_index"):
        return None
    reason = why_no_deviations(e.market, e.kpi)
    word = _word(e, reason)
    lines = [e.line(label, name) for name, label in LINES.items() if name in e.figures]
    if e.n >= MIN_SEEDS and e.defined("rematched/tempted"):
        partners = {n.removeprefix(PREFIX): x for n, x in e.figures.items() if n.startswith(PREFIX)}
        lines.append(
            f"by the same rule, exchanged partners: {_word(replace(e, figures=partners), None)}"
        )
    if control := e.controls.get("memoryless"):
        lines.append(f"memoryless control: {control.line('index', 'frozen_index')}")
    missing = _missing(e, reason)
    if e.n < MIN_SEEDS and word != NOT_SHOWN:
        missing.insert(0, too_few_seeds(e.n, word))
        word = NOT_SHOWN if word == COMPETITIVE else undecided_at(e.n)
    above = e.mean("frozen_index").low > ABOVE_COMPETITION
    return Verdict("collusion", word, tuple(lines), tuple(missing), _qualifiers(e) if above else ())


def _word(e: Evidence, reason: str | None) -> str:
    """The word for any number of seeds; `reason`: why deviations are not measured here."""
    index, tempted, deterred = (e.mean(x) for x in ("frozen_index", "tempted", "deterred"))
    if index.low <= ABOVE_COMPETITION:
        return COMPETITIVE if index.mean <= ABOVE_COMPETITION else NOT_SHOWN
    if reason is not None or not tempted.n:
        return UNDECIDED
    if tempted.low <= TEMPTED:
        return STATIC if tempted.high <= NOBODY_TEMPTED else PARTLY
    answered = not in_prices(e) or e.mean("rival_response").high < ANSWERED
    return TACIT if deterred.low >= DETERRED and answered else UNPUNISHED


def in_prices(e: Evidence) -> bool:
    """Whether rivals compete by their prices."""
    return e.market.analysis.price_competition


def _qualifiers(e: Evidence) -> tuple[str, ...]:
    index, answer = e.mean("frozen_index"), e.mean("rival_response")
    gaps, opposite = e.defined("best_response_gap"), e.mean("rival_response_opposite")
    near = sum(gap <= NEAR_EQUILIBRIUM for gap in gaps)
    memoryless = e.controls.get("memoryless")
    found = {
        "not an equilibrium": bool(gaps) and near < len(gaps) / 2,
        "untargeted": in_prices(e) and max(answer.high, opposite.high) < ANSWERED,
        "pair-specific": e.mean("rematched/frozen_index").high < index.low,
        "level also reached without memory": (
            memoryless is not None and memoryless.mean("frozen_index").high >= index.low
        ),
    }
    return tuple(name for name, holds in found.items() if holds)


def _missing(e: Evidence, reason: str | None) -> list[str]:
    missing = []
    if reason is not None:
        missing.append(f"temptation and deterrence: {reason}")
    elif not e.defined("rematched/frozen_index"):
        missing.append("exchanged partners: more seeds than a pair has seats")
    forget = e.market.analysis.memoryless
    settings = e.market.config.model_dump()
    remembers = any(settings[key] != value for key, value in forget.items())
    if remembers and "memoryless" not in e.controls:
        keys = " ".join(f"market.{k}={v}" for k, v in forget.items())
        missing.append(f"an arm without memory (--as memoryless {keys})")
    return missing
