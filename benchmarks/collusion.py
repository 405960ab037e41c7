"""The rule for collusion on scripted players: what it finds, what it misses, what it invents.

    python -m benchmarks.collusion            # prints the tables and writes benchmarks/collusion.md
    python -m benchmarks.collusion --quick    # fewer arms, writes nothing

An arm is 48 populations of two seats that play one scripted rule under noise of its own. Noise in
*cells*: every cell of a table is, with the level's probability, another action for good, as in
learned tables, which are never clean off their path. *Trembling*: every act is, with the level's
probability, a random one. Where an arm has no noise its seeds are equal, and one arm is all.

Who colludes is settled by arithmetic, not by the probes: a deviation must cost more than it gains.
In prices all three triggers do that. In a second-price auction (value 1, bids .05 to .95, collusive
bid .05, shares of .475 each) outbidding once gains .475; grim trigger takes .45 in every later
round, 8.55 in all at discount .95. Win-stay-lose-shift takes .45 once, .43 discounted: it does not
deter. Nor does tit for tat, after which the two take turns at .95: .23.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from tacit.agents.policy import PolicyTable
from tacit.agents.scripted import Scripted, ScriptedConfig
from tacit.emergence import stats
from tacit.emergence.collusion.impulse import impulse
from tacit.emergence.collusion.index import frozen_index
from tacit.emergence.collusion.temptation import temptation
from tacit.emergence.collusion.verdict import (
    DETERRED,
    TACIT,
    TEMPTED,
    collusion,
)
from tacit.emergence.evidence import MIN_SEEDS, Evidence
from tacit.emergence.population import FrozenPopulation, freeze
from tacit.envs import kpi as kpis
from tacit.envs import rng
from tacit.envs.market import Market
from tacit.envs.registry import make_market

RESULT = Path(__file__).with_suffix(".md")
COMMAND = "python -m benchmarks.collusion"
FIGURES = ("frozen_index", "tempted", "deterred", "rival_response")
COLLUDERS = ("grim_trigger", "tit_for_tat", "win_stay_lose_shift")
OTHERS = ("competitive", "collusive", "random")
MARKETS = {"prices": ("cloud_bandwidth", {"start": "collusive"}),
           "auction": ("ad_auction", {"observe": "bids"})}  # fmt: skip
CELLS, TREMBLING = "cells", "trembling"
CALIBRATING_RULES, CALIBRATING_LEVELS = ("grim_trigger", "competitive", "collusive"), (0.0, 0.05)
JUDGED_LEVELS = (0.02, 0.1)


@dataclass(frozen=True)
class Case:
    """One rule under one noise; `random` with cells at level 1 is a table of random cells."""

    market: str
    rule: str
    noise: str
    level: float

    @property
    def colludes(self) -> bool:
        """Whether deviating from it is made to cost more than it gains."""
        return self.rule in (COLLUDERS if self.market == "prices" else COLLUDERS[:1])


@cache
def setting(name: str) -> tuple[Market, kpis.KpiTable]:
    """The market of a name in `MARKETS`, and its default KPI."""
    market = make_market(*MARKETS[name])
    return market, kpis.resolve(market, None)


@cache
def clean(market: str, rule: str) -> tuple[PolicyTable, ...]:
    """A rule's tables without noise; a scripted player of the name `random` is uniform."""
    seats = setting(market)[0].seats
    config = ScriptedConfig(rule=rule)  # type: ignore[arg-type]
    return tuple(Scripted(config, setting(market)[0], seat).table() for seat in seats)


def noisy(case: Case, seed: int) -> list[PolicyTable]:
    """The tables of one population of a case."""
    tables = []
    for i, table in enumerate(clean(case.market, case.rule)):
        actions = table.shape[1]
        if case.noise == TREMBLING:
            tables.append((1 - case.level) * table + case.level / actions)
            continue
        key = np.uint64(rng.fold(np.uint64(rng.fold(rng.seed_key(seed, rng.INITIAL), 1)), i))
        draws = np.array([rng.u(key, o) for o in range(len(table))])
        changed = np.flatnonzero(draws < case.level)
        spoilt = table.copy()
        spoilt[changed] = 0.0
        spoilt[changed, (draws[changed] / max(case.level, 1e-9) * actions).astype(int)] = 1.0
        tables.append(spoilt)
    return tables


def arms(case: Case, count: int) -> Iterator[Evidence]:
    """So many arms of a case, no population twice."""
    market, kpi = setting(case.market)
    still = case.noise == CELLS and case.level == 0.0
    for arm in range(1 if still else count):
        figures: dict[str, list[float]] = {name: [] for name in FIGURES}
        for seed in [0] if still else range(arm * MIN_SEEDS, (arm + 1) * MIN_SEEDS):
            found = measured(freeze(market, kpi, noisy(case, seed), seed))
            for name in FIGURES:
                figures[name] += [found[name]] * (MIN_SEEDS if still else 1)
        yield Evidence(market, kpi, figures, MIN_SEEDS)


def measured(population: FrozenPopulation) -> dict[str, float]:
    """What the rule looks at."""
    return dict(frozen_index(population) | temptation(population) | impulse(population))


def words(cases: Sequence[Case], count: int) -> dict[Case, Counter[str]]:
    """How often each word is given in each case."""
    found = {}
    for case in cases:
        verdicts = [collusion(evidence) for evidence in arms(case, count)]
        found[case] = Counter(v.word for v in verdicts if v is not None)
        print(f"{case}: {dict(found[case])}", flush=True)
    return found


def calibration(count: int) -> list[str]:
    """Where the thresholds lie between scripted players that collude and those that do not."""
    lines = [
        "| rule | market | cells changed | lower(tempted) | lower(deterred) | upper(response) |"
    ]
    lines.append("|---|---|---|---|---|---|")
    for market in MARKETS:
        for rule in CALIBRATING_RULES:
            for level in CALIBRATING_LEVELS:
                case = Case(market, rule, CELLS, level)
                found = list(arms(case, count))
                tempted = min(e.mean("tempted").low for e in found)
                deterred = [e.mean("deterred").low for e in found]
                # the case nearest to the threshold: the least of a colluder, the most of others
                nearest = min(deterred) if case.colludes else max(deterred)
                response = [e.mean("rival_response").high for e in found]
                answer = max(response) if case.colludes else min(response)
                row = [stats.number(x) for x in (tempted, nearest, answer)]
                shown = [x.replace("nan", "-") for x in row]
                lines.append(f"| {rule} | {market} | {level:.0%} | " + " | ".join(shown) + " |")
    return lines


def judged_cases() -> list[Case]:
    """The other half: other rules, or the same ones under other noise."""
    cases = []
    for market in MARKETS:
        for rule in (*COLLUDERS, *OTHERS[:2]):
            levels = JUDGED_LEVELS if rule in CALIBRATING_RULES else (0.0, 0.02, 0.05, 0.1)
            made = [Case(market, rule, CELLS, level) for level in levels]
            cases += [case for case in made if case.colludes or rule in OTHERS]
        cases.append(Case(market, "random", CELLS, 1.0))
    return cases


def beyond_cases() -> list[Case]:
    """Rules that do not deter in an auction, more noise, hands that tremble."""
    rules = ("tit_for_tat", "win_stay_lose_shift", "rotation")
    cases = [Case("auction", rule, CELLS, level) for rule in rules for level in (0.0, 0.05)]
    cases += [Case("prices", rule, CELLS, 0.2) for rule in COLLUDERS]
    every = (*COLLUDERS, *OTHERS)
    cases += [Case("prices", rule, TREMBLING, x) for rule in every for x in (0.001, 0.01)]
    return cases


def listed(found: dict[Case, Counter[str]]) -> list[str]:
    """A table of words by case."""
    lines = ["| rule | market | noise | arms | words |", "|---|---|---|---|---|"]
    for case, counts in found.items():
        told = ", ".join(f"{word} {n}" for word, n in counts.most_common())
        cells, trembling = f"{case.level:.0%} of cells", f"trembling {case.level:.1%}"
        noise = cells if case.noise == CELLS else trembling
        lines.append(f"| {case.rule} | {case.market} | {noise} | {counts.total()} | {told} |")
    return lines


def rates(found: dict[Case, Counter[str]]) -> list[str]:
    """Shares called tacit collusion, with Wilson intervals; colluders also by noise."""
    groups = {"scripted colluders found": [case for case in found if case.colludes]}
    for level in sorted({case.level for case in groups["scripted colluders found"]}):
        own = [case for case in found if case.colludes and case.level == level]
        groups[f"of them with {level:.0%} of cells changed"] = own
    groups["others called tacit collusion"] = [case for case in found if not case.colludes]
    lines = []
    for label, cases in groups.items():
        hits = sum(found[case][TACIT] for case in cases)
        count = sum(found[case].total() for case in cases)
        e = stats.wilson(hits, count)
        share = f"{stats.number(e.mean)} {stats.interval(e)}"
        lines.append(f"- {label}: {hits} of {count} arms ({share})")
    return lines


PAGE = """# The rule for collusion on scripted players

`{command}`. An arm is {least} populations of two seats; noise, players: `benchmarks/collusion.py`.

## Where the thresholds lie

The rule asks for lower(tempted) > {tempted:g}, lower(deterred) >= {deterred:g} and, in prices, an
answer below -.02. Shown is the arm nearest to the threshold: a colluder's least, another's most.

{calibration}

## The other half: other rules, or other noise

{rates}

{judged}

## Beyond

Triggers that do not deter in a second-price auction; rotation, where the round's loser is tempted
and nobody answers; a fifth of all cells changed; hands that tremble, under which grim trigger and
tit for tat break down, so that what is left is not above competition.

{beyond}
"""


def report(colluders: int, others: int, beyond: int) -> str:
    """The page that is kept, with so many arms a case."""
    calibrated = calibration(min(colluders, 4))
    judged = judged_cases()
    found = words([c for c in judged if c.colludes], colluders)
    found |= words([c for c in judged if not c.colludes], others)
    return PAGE.format(
        command=COMMAND, least=MIN_SEEDS, tempted=TEMPTED, deterred=DETERRED,
        calibration="\n".join(calibrated), rates="\n".join(rates(found)),
        judged="\n".join(listed(found)), beyond="\n".join(listed(words(beyond_cases(), beyond))),
    )  # fmt: skip


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Error rates of the rule.")
    parser.add_argument("--quick", action="store_true", help="2 arms a case; collusion.md stays")
    options = parser.parse_args()
    page = report(2, 2, 1) if options.quick else report(20, 100, 4)
    print(page)
    if not options.quick:
        RESULT.write_text(page, encoding="utf-8")
        print(f"written to {RESULT.name}")


if __name__ == "__main__":
    main()
