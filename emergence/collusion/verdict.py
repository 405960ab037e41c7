"""The word for collusion: a rule over an arm's seeds.

With 95 % t intervals over seeds, and at least 48 of them (below that no word is given). In buyers'
markets (auctions), where collusion lowers the price, `above` reads `below`.

1. The whole interval of the index within +-.05: `competitive`; within +-.10: `near competition`;
   below -.05: `tougher than competition`. Else, lower(index) <= .10: `not shown above competition`.
2. Else, upper(tempted) <= .05: `above competition, nobody would leave`.
3. Else, lower(tempted) > .05 and

   - lower(upheld) > .5 and lower(tempted) > .5: `tacit collusion`: leaving pays at once, costs more
     later by the others' doing, and their answer has a form: play returns to its path or reverts
     towards competition; and it is most of the path that would else be left;
   - upper(upheld) < .5 and upper(deterred) < .5: `above competition, unpunished`;
   - upper(upheld) < .5 and lower(deterred) > .5: `above competition, deterred by disorder`: what
     follows is a loss, but play neither returns nor reverts, as with random tables;

4. else `undecided`.

How the gain is shared stands beside the word (`sharing_word`), and so do: "not an equilibrium" (a
best response gains more than .05 of the range in more than half the runs), "untargeted" (cuts and
raises are answered alike), "pair-specific" (the index of rematched partners lies below), "level
also reached without memory". None of them can contradict a word: each is asked only where it could
be true (`QUALIFIERS`).

.5, .05 and the level of `reverts` were set on the choosing half of `python -m benchmarks.words`,
which reports the rule's error rates on the other half. That most of the path must tempt was asked
after two runs in which a quarter and a half of it did had been called `tacit collusion`. That the
whole interval must lie within a margin before equality is claimed is the usual test of equivalence
(Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15, 1987).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from tacit.emergence import stats
from tacit.emergence.evidence import (
    MIN_SEEDS,
    UNDECIDED,
    Evidence,
    Verdict,
    too_few_seeds,
    undecided_at,
)
from tacit.emergence.play.applicability import why_no_deviations
from tacit.emergence.stats import Estimate, number
from tacit.envs.analysis import Rivalry

from .calibrated_regret import audit
from .index import why_no_index
from .rematched import PREFIX
from .sharing_word import sharing_word

EQUAL = 0.05  # of the index: an interval within +-EQUAL is competition
NEAR = 0.10  # an interval within +-NEAR is near competition; above it the level is high
HARDLY_TEMPTED = 0.05  # share of states up to which nobody would leave
MOST = 0.5  # of the tempting deviations, and of the states
ANSWERED = 0.02  # rivals' conduct after a deviation, towards competition, as share of the path's
NEAR_EQUILIBRIUM = 0.05  # best-response gap, share of the range
LEAST_TEMPTED = MIN_SEEDS // 2  # seeds in which somebody must be tempted to ask what follows

COMPETITIVE, NEARLY = "competitive", "near competition"
TOUGHER = "tougher than competition"
TACIT = "tacit collusion"
NOT_SHOWN = "not shown {side} competition"
STATIC = "{side} competition, nobody would leave"
UNPUNISHED = "{side} competition, unpunished"
DISORDER = "{side} competition, deterred by disorder"
SIDES = ("above", "below")  # of sellers' markets, and of buyers'
SIDED = (NOT_SHOWN, STATIC, UNPUNISHED, DISORDER)
WORDS = (
    COMPETITIVE,
    NEARLY,
    TOUGHER,
    TACIT,
    *(word.format(side=side) for word in SIDED for side in SIDES),
    UNDECIDED,
)

LINES = {
    "frozen_index": "collusion index",
    "tempted_states": "tempted, of the states of the path",
    "deterred_deviations": "deterred, of the tempting deviations",
    "upheld_deviations": "upheld: deterred, and play returns or reverts",
    "returning_deviations": "play returns to its path",
    "reverting_deviations": "play reverts towards competition",
    "rival_response": "rivals' conduct after a deviation, relative to the path",
    "unprofitable": "deviations that do not pay in the end",
    "best_response_gap": "best-response gap",
    "rematched/frozen_index": "index of exchanged partners",
}


@dataclass(frozen=True)
class Decision:
    """What the rule decides.

    Attributes:
        word: the word.
        why: the condition that decided it, or the reason why a word is withheld.
    """

    word: str
    why: str


def collusion(e: Evidence) -> Verdict | None:
    """The verdict on an arm; None where the market has no collusion index."""
    if why_no_index(e.market, e.kpi) is not None or not e.defined("frozen_index"):
        return None
    reason = why_no_deviations(e.market, e.kpi)
    decision = decide(e, reason)
    lines = [f"decided by: {decision.why}"]
    lines += [e.line(label, name) for name, label in LINES.items() if name in e.figures]
    if (line := audit(e)) is not None:
        lines.append(line)
    if e.n >= MIN_SEEDS and e.defined("rematched/frozen_index"):
        partners = decide(_partners(e), reason)
        lines.append(f"by the same rule, exchanged partners: {partners.word} ({partners.why})")
    if control := e.controls.get("memoryless"):
        lines.append(f"memoryless control: {control.line('index', 'frozen_index')}")
    missing = _missing(e, reason)
    word = decision.word
    if e.n < MIN_SEEDS:
        missing.insert(0, too_few_seeds(e.n, word))
        word = undecided_at(e.n)
    qualifiers = _qualifiers(e, decision.word)
    if is_high(e):
        how, evidence = sharing_word(e)
        qualifiers = [how, *qualifiers] if how else qualifiers
        lines += evidence
    return Verdict("collusion", word, tuple(lines), tuple(missing), tuple(qualifiers))


def decide(e: Evidence, reason: str | None = None) -> Decision:
    """The word for any number of seeds, and what decided it.

    Args:
        e: the evidence on an arm.
        reason: why deviations are not measured here, if they are not.
    """
    side = SIDES[not sells(e)]
    if (gap := _gap_in_figures(e)) is not None:
        return Decision(UNDECIDED, gap)
    index = e.mean("frozen_index")
    told = f"index {_shown(index)}"
    if index.low >= -EQUAL and index.high <= EQUAL:
        return Decision(COMPETITIVE, f"{told} lies within +-{number(EQUAL)}")
    if index.high < -EQUAL:
        return Decision(TOUGHER, f"{told} lies below -{number(EQUAL)}")
    if index.low >= -NEAR and index.high <= NEAR:
        return Decision(NEARLY, f"{told} lies within +-{number(NEAR)}")
    if not index.low > NEAR:  # also where one seed has no interval
        return Decision(NOT_SHOWN.format(side=side), f"{told} is not wholly above {number(NEAR)}")
    if reason is not None or not e.defined("tempted_states"):
        return Decision(UNDECIDED, "what follows a deviation is not measured here")
    return _what_holds_it(e, side)


def _what_holds_it(e: Evidence, side: str) -> Decision:
    """Where the index is high: whether anybody would leave, and what would follow."""
    tempted, deterred, upheld = (
        e.mean(name) for name in ("tempted_states", "deterred_deviations", "upheld_deviations")
    )
    if tempted.high <= HARDLY_TEMPTED:
        word = STATIC.format(side=side)
        return Decision(word, f"tempted {_shown(tempted)} is at most {number(HARDLY_TEMPTED)}")
    if not tempted.low > HARDLY_TEMPTED:
        return Decision(
            UNDECIDED, f"tempted {_shown(tempted)} lies on both sides of {number(HARDLY_TEMPTED)}"
        )
    if upheld.n < min(LEAST_TEMPTED, e.n):
        return Decision(UNDECIDED, f"somebody is tempted in {upheld.n} of {e.n} seeds only")
    if upheld.low > MOST:
        if not tempted.low > MOST:
            told = f"tempted {_shown(tempted)} is not wholly above {number(MOST)}"
            return Decision(UNDECIDED, f"{told}: most of the path may tempt nobody")
        return Decision(TACIT, f"upheld {_shown(upheld)} is above {number(MOST)}")
    if upheld.high < MOST and deterred.high < MOST:
        word = UNPUNISHED.format(side=side)
        return Decision(word, f"deterred {_shown(deterred)} is below {number(MOST)}")
    if upheld.high < MOST and deterred.low > MOST:
        told = f"deterred {_shown(deterred)} is above {number(MOST)}, upheld {_shown(upheld)} below"
        return Decision(DISORDER.format(side=side), told)
    both = f"deterred {_shown(deterred)}, upheld {_shown(upheld)}"
    return Decision(UNDECIDED, f"{both}: one lies on both sides of {number(MOST)}")


def rivals(e: Evidence) -> Rivalry | None:
    """How the seats compete whose collusion is judged, as the market declares it."""
    declared = e.market.analysis.rivalry
    return next((declared[r.name] for r in e.market.roles if r.name in declared), None)


def in_prices(e: Evidence) -> bool:
    """Whether competition lies where rivals' conduct is lower: they compete by their prices."""
    rivalry = rivals(e)
    return rivalry is not None and rivalry.competition < 0


def sells(e: Evidence) -> bool:
    """Whether rivals are sellers, by prices or by outputs; else they are buyers who bid."""
    rivalry = rivals(e)
    return rivalry is not None and rivalry.sellers


def is_high(e: Evidence) -> bool:
    """Whether the level is on the colluding side of competition."""
    return e.mean("frozen_index").low > NEAR


def _shown(x: Estimate) -> str:
    return f"{number(x.mean)} {stats.interval(x)}"


def _gap_in_figures(e: Evidence) -> str | None:
    """Why the figures of some seeds cannot be counted; None: all seeds have what the rule needs.

    A seed without a figure must not vanish from a mean. Only where nobody is tempted is there
    nothing that could be deterred.
    """
    for name in ("frozen_index", "tempted_states"):
        if name in e.figures and (lacking := e.n - len(e.defined(name))):
            return f"{lacking} of {e.n} seeds have no {name}"
    if e.figures.get("path_too_long") and any(e.defined("path_too_long")):
        long = sum(x > 0 for x in e.defined("path_too_long"))
        return f"in {long} of {e.n} seeds the path is longer than what is looked at"
    tempted = sum(x > 0 for x in e.defined("tempted_states"))
    for name in ("deterred_deviations", "upheld_deviations"):
        if tempted > len(e.defined(name)):
            return f"{tempted - len(e.defined(name))} of {tempted} tempted seeds have no {name}"
    return None


def _partners(e: Evidence) -> Evidence:
    """The evidence on exchanged partners; seeds that fill no group are left out."""
    figures = {n.removeprefix(PREFIX): x for n, x in e.figures.items() if n.startswith(PREFIX)}
    return replace(e, figures=figures, n=len(e.defined("rematched/frozen_index")))


# --- beside the word ------------------------------------------------------------------------------


def _no_equilibrium(e: Evidence) -> bool:
    gaps = e.defined("best_response_gap")
    near = stats.wilson(sum(x <= NEAR_EQUILIBRIUM for x in gaps), len(gaps)) if gaps else None
    return near is not None and near.high < 0.5


def _untargeted(e: Evidence) -> bool:
    """Whether a move away from competition is answered like one towards it, by more of it."""
    answers = e.mean("rival_response"), e.mean("rival_response_opposite")
    if in_prices(e):
        return all(answer.high < -ANSWERED for answer in answers)
    return all(answer.low > ANSWERED for answer in answers)


def _pair_specific(e: Evidence) -> bool:
    return e.mean("rematched/frozen_index").high < e.mean("frozen_index").low


def _without_memory(e: Evidence) -> bool:
    """Whether an arm that differs in nothing but memory is nowhere lower, within the margin."""
    memoryless = e.controls.get("memoryless")
    level = e.mean("frozen_index").low - EQUAL
    return memoryless is not None and memoryless.mean("frozen_index").low >= level


# Qualifier -> whether it holds, and the words beside which it could be true. Where nobody would
# leave or nothing is punished, a qualifier about punishment would contradict the word.
QUALIFIERS: dict[str, tuple[Callable[[Evidence], bool], tuple[str, ...]]] = {
    "not an equilibrium": (_no_equilibrium, (TACIT, DISORDER, UNPUNISHED, UNDECIDED)),
    "a longer departure would pay": (_no_equilibrium, (STATIC,)),
    "untargeted": (_untargeted, (TACIT, DISORDER)),
    "pair-specific": (_pair_specific, (TACIT, STATIC, DISORDER, UNPUNISHED, UNDECIDED)),
    "level also reached without memory": (
        _without_memory,
        (TACIT, STATIC, DISORDER, UNPUNISHED, UNDECIDED),
    ),
}


def _qualifiers(e: Evidence, word: str) -> list[str]:
    if not is_high(e):
        return []
    side = SIDES[not sells(e)]
    return [
        name
        for name, (holds, words) in QUALIFIERS.items()
        if word in [w.format(side=side) for w in words] and holds(e)
    ]


def _missing(e: Evidence, reason: str | None) -> list[str]:
    missing = []
    if reason is not None:
        missing.append(f"temptation and deterrence: {reason}")
    elif "tempted_states" not in e.figures:
        missing.append(
            "temptation and deterrence: not measured here (what seats see was changed while they "
            "learned, or this run was measured by an older version)"
        )
    elif not e.defined("rematched/frozen_index"):
        missing.append("exchanged partners: more seeds than a pair has seats")
    forget = e.market.analysis.memoryless
    settings = e.market.config.model_dump()
    remembers = any(settings[key] != value for key, value in forget.items())
    if remembers and "memoryless" not in e.controls:
        keys = " ".join(f"market.{k}={v}" for k, v in forget.items())
        missing.append(f"an arm without memory (--as memoryless {keys})")
    return missing
