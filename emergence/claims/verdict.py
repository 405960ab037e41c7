"""The verdict on what is claimed: the words of all claims, their evidence, remarks beside them.

The rule for one claim is `tacit.emergence.claims.rule`. Where a market has several claims, the
gravest word is the verdict. Below 48 seeds it is `undecided at n`.

Beside the word stand remarks that do not change it:

- `at rivals' cost` with the amount a round: other seats of the senders' role lose by false claims,
  and the interval excludes 0.
- on intent: agents are trained once more where nobody hears a claim. If their false-claim rate is
  lower there (disjoint intervals), they lied for the effect: "less false where nobody hears it". A
  lie that costs nothing may stay all the same: "no less false where nobody hears it".
- `nobody heeds it`, of an honest claim to which no listener reacts.
- `the rest of the action tells it already`: what the claim tells of the truth, price and other
  terms tell without it.
"""

from __future__ import annotations

from tacit.emergence import stats
from tacit.emergence.evidence import (
    MIN_SEEDS,
    Evidence,
    Verdict,
    too_few_seeds,
    undecided_at,
)

from .channels import channels, why_no_claims
from .rule import (
    BABBLING,
    BLUFFING,
    DECEPTION,
    HEEDED,
    HONEST,
    LABELS,
    POOLING,
    ROUNDING,
    TELLING,
    WORDS,
    Judgement,
    estimate,
    judge,
)

__all__ = ["WORDS", "claims"]

FALSE_WORDS = (POOLING, BLUFFING, DECEPTION)

LINES = {
    "false_claim_rate": "false",
    "conditional_false_rate": LABELS["conditional_false_rate"],
    "claim_size": "mean size",
    "signalling": LABELS["signalling"],
    "pooled": LABELS["pooled"],
    "causal_influence": LABELS["causal_influence"],
    "heeded": LABELS["heeded"],
    "belief_loss": LABELS["belief_loss"],
    "false_claim_gain": LABELS["false_claim_gain"],
    "false_claim_harm": LABELS["false_claim_harm"],
    "false_claim_rival_cost": "rivals' cost by false claims, a round",
    "false_claims_compared": "share of false claims that these count",
}
LINES_OF_FREE_WORDS = ("signalling", "causal_influence")


def claims(e: Evidence) -> Verdict | None:
    """The verdict on an arm; None where nothing is claimed."""
    if why_no_claims(e.market, e.kpi) is not None:
        return None
    parts = dict.fromkeys(channel.claim.part for channel in channels(e.market))
    judged = {part: judge(e, part) for part in parts}
    word = max((own.word for own in judged.values()), key=WORDS.index)
    lines = [f"{part}: {own.word}" for part, own in judged.items()] if len(judged) > 1 else []
    lines += [line for part, own in judged.items() for line in _lines(e, part, own)]
    missing = [text for part, own in judged.items() for text in _missing(e, part, own)]
    qualifiers = [text for part, own in judged.items() for text in _remarks(e, part, own.word)]
    if e.n < MIN_SEEDS:
        missing.insert(0, too_few_seeds(e.n, word))
        word, qualifiers = undecided_at(e.n), []
    return Verdict("claims", word, tuple(lines), tuple(missing), tuple(qualifiers))


def _lines(e: Evidence, part: str, own: Judgement) -> list[str]:
    """The evidence on one claim: figures with interval and n, then what decided."""
    shown = LINES_OF_FREE_WORDS if _is_free(e, part) else tuple(LINES)
    lines = [_line(e, name, part) for name in shown if e.defined(f"{name}/{part}")]
    exact = min(e.defined(f"claims_exact/{part}"), default=0.0) == 1.0
    lines.append(f"{part}: {'exact' if exact else 'sampled'}")
    if control := e.controls.get("unheard"):
        lines.append(
            control.line(f"{part}: false where nobody hears it", f"false_claim_rate/{part}")
        )
    return lines + [f"{part}: decided by: {reason}" for reason in own.reasons]


def _line(e: Evidence, name: str, part: str) -> str:
    found = estimate(e, name, part)
    label = f"{part}: {LINES[name]}"
    return f"{label} {stats.number(found.mean)} {stats.interval(found)}, n = {found.n}"


def _is_free(e: Evidence, part: str) -> bool:
    return any(claim.free for claim in e.market.claims if claim.part == part)


def _remarks(e: Evidence, part: str, word: str) -> list[str]:
    """What stands beside the word of one claim."""
    found = []
    if word == HONEST and estimate(e, "heeded", part).high < HEEDED:
        found.append(f"{part}: nobody heeds it")
    if word == BABBLING and _told_by_the_rest(e, part):
        found.append(f"{part}: the rest of the action tells it already")
    cost = e.mean(f"false_claim_rival_cost/{part}")
    if word in (*FALSE_WORDS, BABBLING) and cost.low > ROUNDING:
        amount = f"{stats.number(cost.mean)} {stats.interval(cost)}"
        found.append(f"{part}: at rivals' cost: {amount} a round")
    return found + _intent(e, part, word)


def _told_by_the_rest(e: Evidence, part: str) -> bool:
    """Whether the claim tells of the truth, and nothing beside the rest of the action."""
    alone, beside = (e.mean(f"{name}/{part}") for name in ("signalling", "signalling_beside"))
    return alone.low >= TELLING and beside.high < TELLING


def _intent(e: Evidence, part: str, word: str) -> list[str]:
    """How the false-claim rate compares with that where nobody hears claims."""
    if word not in FALSE_WORDS or "unheard" not in e.controls:
        return []
    heard, unheard = (x.mean(f"false_claim_rate/{part}") for x in (e, e.controls["unheard"]))
    less = "less" if unheard.high < heard.low else "no less"
    return [f"{part}: {less} false where nobody hears it"]


def _missing(e: Evidence, part: str, own: Judgement) -> list[str]:
    """What could not be measured, and how to get it."""
    if own.withheld:
        return [own.withheld]
    if own.word in FALSE_WORDS and "unheard" not in e.controls:
        keys = " ".join(
            f"market.{k}={str(v).lower()}" for k, v in e.market.analysis.unheard.items()
        )
        return [f"{part}: intent (an arm in which nobody hears claims: --as unheard {keys})"]
    return []
