"""The word for what the KPI has done: does the KPI explain it, or learning?

A seed passes a regret at no more than .02 of the value scale (`tacit.emergence.objective.regret`).
With Wilson 95 % intervals of the share of seeds that pass, and at least 48 seeds (below that
`undecided at n`):

1. lower(share passing KPI regret) > .5 and upper(share passing fundamental regret) < .5:
   `KPI-made`. Agents reply best to their KPI, and for their fundamental they would do otherwise.
2. upper(share passing KPI regret) < .5: `learned`: the KPI does not explain what they do.
3. else: `undecided`. Where the lower ends of both shares lie above .5 there is nothing to explain,
   and "KPI and fundamental both ask for this play" stands beside it.

Beside the word stands the split of the harm, where the best-response benchmark (mirror) could be
computed. It is evidence, no part of the rule: a KPI may have many equilibria, and regret needs no
choice among them.
"""

from __future__ import annotations

from tacit.emergence import stats
from tacit.emergence.evidence import (
    MIN_SEEDS,
    UNDECIDED,
    Evidence,
    Verdict,
    too_few_seeds,
    undecided_at,
)
from tacit.emergence.payoffs import NEGLIGIBLE_GAIN
from tacit.emergence.stats import Estimate, interval, number

from .harm import harm_measures, why_no_mirror
from .regret import why_no_regret

HALF = 0.5
KPI_MADE, LEARNED = "KPI-made", "learned"
WORDS = (KPI_MADE, LEARNED, UNDECIDED)
BOTH = "KPI and fundamental both ask for this play"


def kpi_or_learning(e: Evidence) -> Verdict | None:
    """The verdict on an arm; None where no regret was measured."""
    if why_no_regret(e.market, e.kpi) is not None or not e.defined("kpi_regret"):
        return None
    in_kpi, in_fundamental = passing(e, "kpi_regret"), passing(e, "fundamental_regret")
    word = _word(in_kpi, in_fundamental)
    lines = [_line("KPI regret", in_kpi), _line("fundamental regret", in_fundamental)]
    missing = []
    if e.n < MIN_SEEDS:
        missing.append(too_few_seeds(e.n, word))
        word = undecided_at(e.n)
    if any(e.defined(f"harm/{name}") for name in harm_measures(e.market)):
        lines += _split(e)
    elif (reason := why_no_mirror(e.market, e.kpi)) is not None:
        missing.append(f"split of the harm: {reason}")
    both = word == UNDECIDED and min(in_kpi.low, in_fundamental.low) > HALF
    qualifiers = (BOTH,) if both else ()
    return Verdict("KPI", word, tuple(lines), tuple(missing), qualifiers)


def passing(e: Evidence, regret: str) -> Estimate:
    """The share of seeds whose regret is negligible, of those that have the figure."""
    values = e.defined(regret)
    return stats.wilson(sum(value <= NEGLIGIBLE_GAIN for value in values), len(values))


def _word(in_kpi: Estimate, in_fundamental: Estimate) -> str:
    if in_kpi.low > HALF and in_fundamental.high < HALF:
        return KPI_MADE
    return LEARNED if in_kpi.high < HALF else UNDECIDED


def _line(label: str, share: Estimate) -> str:
    passed = f"{number(share.mean)} {interval(share)}, n = {share.n}"
    return f"seeds with a {label} of at most {number(NEGLIGIBLE_GAIN)}: {passed}"


def _split(e: Evidence) -> list[str]:
    """`harm in revenue .439 = .214 by the KPI + .225 by learning`."""
    lines = []
    for name in harm_measures(e.market):
        whole, kpi, learning = (
            e.mean(f"{part}/{name}") for part in ("harm", "harm_kpi", "harm_learning")
        )
        low, high = e.mean(f"mirror_low/{name}").mean, e.mean(f"mirror_high/{name}").mean
        mirror = f"mirror {number(e.mean(f'mirror/{name}').mean)} [{number(low)}, {number(high)}]"
        parts = f"{number(kpi.mean)} by the KPI + {number(learning.mean)} by learning"
        lines.append(f"harm in {name} {number(whole.mean)} {interval(whole)} = {parts}; {mirror}")
    return lines
