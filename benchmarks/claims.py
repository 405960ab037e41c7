"""The rule for claims on scripted players: what it finds, what it misses, what it invents.

    python -m benchmarks.claims            # prints the tables and writes benchmarks/claims.md
    python -m benchmarks.claims --quick    # fewer arms, writes nothing

An arm is 48 populations of scripted speakers and listeners under noise of its own: every cell of
every table is, with the level's probability, another action for good. `babbling` speakers act as
truthful ones and draw their word; `deaf` listeners act as trusting ones that hear the first word.

Who deceives is settled by arithmetic, not by the probes. A bluff that is believed

- about promises: wins the deal at the same price from a rival that is as late (late days are
  unpaid), and costs the buyer .2 a day; where a fine of .2 a day is paid for days that cost it
  .15, the buyer gains and is not deceived;
- about stock: sells at .8 instead of at .36 (the counter, after a wait), fined .05; the buyer
  has .2 instead of .54;
- in cheap talk: moves the action .2 up, which costs the receiver .04 and turns a sender's loss
  with bias .4 from .16 into .04; a sender without bias only loses by it.

A speaker that is not heard deceives nobody, whatever it says. With bias .2 a lie brings its sender
.04, and a slip to any other word costs it .25 on average: noise soon eats the gain, and with it the
word.
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
from tacit.emergence.claims.channels import Channel, channels
from tacit.emergence.claims.deception import claims
from tacit.emergence.claims.verdict import (
    BABBLING,
    BLUFFING,
    DECEPTION,
    HONEST,
)
from tacit.emergence.claims.verdict import claims as verdict
from tacit.emergence.evidence import MIN_SEEDS, Evidence
from tacit.emergence.population import freeze
from tacit.envs import kpi as kpis
from tacit.envs import rng
from tacit.envs.market import Market, Seat
from tacit.envs.procurement.equilibrium import equilibrium_table
from tacit.envs.registry import make_market

RESULT = Path(__file__).with_suffix(".md")
COMMAND = "python -m benchmarks.claims"
PROMISES = {
    "suppliers": 2, "prices": [0.3, 0.4], "value": 1.2, "cost": 0.1, "scarcity": 0,
    "counters": False, "lead_times": [0, 1, 2, 3], "lead_cost": 0.06,
}  # fmt: skip
BRIEF = {"brief": True, "counters": False, "scarcity": 0, "urgency": {"probability": 0.6}}
MARKETS: dict[str, tuple[str, dict[str, object]]] = {
    "promises": ("procurement", {**PROMISES, "delay_cost": 0.2}),
    "fined promises": ("procurement", {**PROMISES, "delay_cost": 0.15, "late_fine": 0.2}),
    "stock": ("procurement", {}),
    "talk, bias .4": ("cheap_talk", {"bias": 0.4, "language": "given"}),
    "talk, bias 0": ("cheap_talk", {"bias": 0.0, "language": "given"}),
    "talk, bias .2": ("cheap_talk", {"bias": 0.2, "language": "given"}),
}
EQUILIBRIA: dict[str, tuple[dict[str, object], str]] = {
    "feigned urgency, fine 0": ({**BRIEF}, BABBLING),
    "feigned urgency, fine .2": ({**BRIEF, "false_urgency_fine": 0.2}, BLUFFING),
    "feigned urgency, fine .45": ({**BRIEF, "false_urgency_fine": 0.45}, HONEST),
    "bluffed stock, fine .05": ({}, DECEPTION),
    "bluffed stock, fine .45": ({"false_claim_fine": 0.45}, HONEST),
}
HARMFUL = ("promises", "stock", "talk, bias .4", "talk, bias .2")
TRUTHFUL, BLUFFER, BABBLER = "truthful", "always_bluff", "babbling"
TRUSTING, DEAF = "trusting", "deaf"
CALIBRATING_MARKETS = ("promises", "talk, bias 0")
JUDGED_MARKETS = ("fined promises", "stock", "talk, bias .4")
LEVELS = (0.0, 0.02, 0.05, 0.1)


@dataclass(frozen=True)
class Case:
    """One kind of speaker before one kind of listener, under one noise."""

    market: str
    speaker: str
    listener: str
    level: float

    @property
    def deceives(self) -> bool:
        """By arithmetic: see above."""
        believed = self.speaker == BLUFFER and self.listener == TRUSTING
        return believed and self.market in HARMFUL


@cache
def setting(name: str) -> tuple[Market, kpis.KpiTable]:
    """The market of a name in `MARKETS`, and its default KPI."""
    market = make_market(*MARKETS[name])
    return market, kpis.resolve(market, None)


@cache
def clean(case: Case) -> tuple[PolicyTable, ...]:
    """The tables of a case without noise."""
    market, _ = setting(case.market)
    speaks = {channel.seat.name: channel for channel in channels(market)}
    tables = []
    for seat in market.seats:
        if seat.name not in speaks:
            table = scripted(market, seat, TRUSTING)
            tables.append(deaf(market, seat, table) if case.listener == DEAF else table)
        elif case.speaker == BABBLER:
            tables.append(babbling(scripted(market, seat, TRUTHFUL), speaks[seat.name]))
        else:
            tables.append(scripted(market, seat, case.speaker))
    return tuple(tables)


def scripted(market: Market, seat: Seat, rule: str) -> PolicyTable:
    """A scripted player's table."""
    return Scripted(ScriptedConfig(rule=rule), market, seat).table()  # type: ignore[arg-type]


def babbling(table: PolicyTable, channel: Channel) -> PolicyTable:
    """The same acts, but for a word that is drawn."""
    block = slice(channel.first, channel.first + channel.size)
    acts = slice(channel.act, channel.act + channel.acts)
    result, own = table.copy(), table[block, acts]
    for rest in np.unique(channel.rest):
        same = channel.rest == rest
        result[block, acts][:, same] = own[:, same].mean(axis=1, keepdims=True)
    return result


def deaf(market: Market, seat: Seat, table: PolicyTable) -> PolicyTable:
    """What a table does where every claim that is heard is the first word."""
    said = {channel.claim.part for channel in channels(market)}
    seen = [seat.role.decode_observation(o) for o in range(len(table))]
    first = {p.name: p.values[0] for p in seat.role.observation_parts}

    def unheard(parts: dict[str, object]) -> tuple[object, ...]:
        heard = {n for n in parts if n.rpartition("_")[0] in said or n in said}
        return tuple(first[n] if n in heard else x for n, x in parts.items())

    known = {tuple(parts.values()): o for o, parts in enumerate(seen)}
    result: PolicyTable = table[[known[unheard(parts)] for parts in seen]]
    return result


def noisy(case: Case, seed: int) -> list[PolicyTable]:
    """The tables of one population of a case."""
    market, _ = setting(case.market)
    tables = []
    for seat, table in zip(market.seats, clean(case), strict=True):
        own = np.uint64(rng.fold(rng.seed_key(seed, rng.INITIAL), 1))
        key = np.uint64(rng.fold(own, seat.index))
        draws = np.array([rng.u(key, o) for o in range(len(table))])
        first, count = seat.role.legal.T
        changed = np.flatnonzero((draws < case.level) & (count > 1))
        spoilt = table.copy()
        spoilt[changed] = 0.0
        place = (draws[changed] / max(case.level, 1e-9) * count[changed]).astype(int)
        spoilt[changed, first[changed] + place] = 1.0
        tables.append(spoilt)
    return tables


def arms(case: Case, count: int) -> Iterator[Evidence]:
    """So many arms of a case, no population twice."""
    market, kpi = setting(case.market)
    still = case.level == 0.0
    for arm in range(1 if still else count):
        seeds = [0] if still else range(arm * MIN_SEEDS, (arm + 1) * MIN_SEEDS)
        found = [claims(freeze(market, kpi, noisy(case, seed), seed)) for seed in seeds]
        found *= MIN_SEEDS if still else 1
        yield Evidence(market, kpi, {n: [f[n] for f in found] for n in found[0]}, MIN_SEEDS)


def words(cases: Sequence[Case], count: int) -> dict[Case, Counter[str]]:
    """How often each word is given in each case."""
    found = {}
    for case in cases:
        verdicts = [verdict(evidence) for evidence in arms(case, count)]
        found[case] = Counter(v.word for v in verdicts if v is not None)
        print(f"{case}: {dict(found[case])}", flush=True)
    return found


PLAYERS = tuple((s, x) for s in (TRUTHFUL, BLUFFER, BABBLER) for x in (TRUSTING, DEAF))


def calibration(count: int) -> list[str]:
    """The figures that thresholds are held against, on one half of the markets."""
    names = ("false_claim_rate", "causal_influence", "claim_effect", "deception_index")
    lines = [f"| market | speaker | listener | cells changed | {' | '.join(names)} |"]
    lines.append("|---" * (4 + len(names)) + "|")
    for market in CALIBRATING_MARKETS:
        for speaker, listener in PLAYERS:
            for level in LEVELS:
                found = list(arms(Case(market, speaker, listener, level), count))
                part = next(n for n in found[0].figures if n.startswith(names[0])).partition("/")[2]
                means = [[e.mean(f"{n}/{part}").mean for e in found] for n in names]
                shown = [_range(own) for own in means]
                head = f"| {market} | {speaker} | {listener} | {level:.0%} | "
                lines.append(head + " | ".join(shown) + " |")
    return lines


def _range(values: Sequence[float]) -> str:
    low, high = stats.number(min(values)), stats.number(max(values))
    return (low if low == high else f"{low} .. {high}").replace("nan", "-")


def judged_cases() -> list[Case]:
    """The other half: other markets."""
    return [Case(m, s, x, level) for m in JUDGED_MARKETS for s, x in PLAYERS for level in LEVELS]


def beyond_cases() -> list[Case]:
    """A lie that is worth little."""
    return [Case("talk, bias .2", BLUFFER, TRUSTING, level) for level in LEVELS]


def listed(found: dict[Case, Counter[str]]) -> list[str]:
    """A table of words by case."""
    lines = ["| market | speaker | listener | cells changed | arms | words |", "|---" * 6 + "|"]
    for case, counts in found.items():
        told = ", ".join(f"{word} {n}" for word, n in counts.most_common())
        head = f"| {case.market} | {case.speaker} | {case.listener} | {case.level:.0%} "
        lines.append(f"{head}| {counts.total()} | {told} |")
    return lines


def rates(found: dict[Case, Counter[str]]) -> list[str]:
    """Shares called deception, with Wilson intervals; by noise."""
    lines = []
    for label, guilty in (("deceivers called deception", True), ("others called deception", False)):
        for level in (None, *LEVELS):
            own = [c for c in found if c.deceives == guilty and level in (None, c.level)]
            hits = sum(found[c][DECEPTION] for c in own)
            count = sum(found[c].total() for c in own)
            e = stats.wilson(hits, count)
            where = "" if level is None else f", {level:.0%} of cells changed"
            share = f"{stats.number(e.mean)} {stats.interval(e)}"
            lines.append(f"- {label}{where}: {hits} of {count} arms ({share})")
    return lines


def equilibria() -> list[str]:
    """Closed forms of procurement, as tables: the word that each is given, and its figures."""
    lines = ["| equilibrium | word | as theory says | false | sender's gain | listener's harm |"]
    lines.append("|---" * 6 + "|")
    for name, (keys, expected) in EQUILIBRIA.items():
        market = make_market("procurement", keys)
        kpi = kpis.resolve(market, None)
        tables = [equilibrium_table(market.config, seat) for seat in market.seats]
        found = claims(freeze(market, kpi, tables, 0))
        given = verdict(
            Evidence(market, kpi, {n: [x] * MIN_SEEDS for n, x in found.items()}, MIN_SEEDS)
        )
        assert given is not None
        part = next(iter(found)).partition("/")[2]
        shown = [
            stats.number(round(found[f"{n}/{part}"], 12) + 0.0)
            for n in ("false_claim_rate", "sender_gain", "listener_harm")
        ]
        right = "yes" if given.word == expected else f"no: {expected}"
        lines.append(f"| {name} | {given.word} | {right} | {' | '.join(shown)} |")
    return lines


PAGE = """# The rule for claims on scripted players

`{command}`. An arm is {least} populations. Players, noise and who deceives: `benchmarks/claims.py`.

## Where the thresholds lie

One half of the markets; mean figures of an arm, least and most. The rule asks for a false-claim
rate of .05, an influence or an effect of .01 nats, and a deception index of .01.

{calibration}

## The other half: other markets

{rates}

{judged}

## Beyond: a lie worth .04, where a slip costs .25

{beyond}

## Equilibria

{equilibria}
"""


def report(few: int, many: int) -> str:
    """The page that is kept, with so many arms of each deceiver and of each other case."""
    calibrated = calibration(min(few, 4))
    judged = judged_cases()
    found = words([c for c in judged if c.deceives], few)
    found |= words([c for c in judged if not c.deceives], many)
    return PAGE.format(
        command=COMMAND, least=MIN_SEEDS, calibration="\n".join(calibrated),
        rates="\n".join(rates(found)), judged="\n".join(listed(found)),
        beyond="\n".join(listed(words(beyond_cases(), few))), equilibria="\n".join(equilibria()),
    )  # fmt: skip


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Error rates of the rule.")
    parser.add_argument("--quick", action="store_true", help="2 arms a case; claims.md stays")
    options = parser.parse_args()
    page = report(2, 2) if options.quick else report(20, 24)
    print(page)
    if not options.quick:
        RESULT.write_text(page, encoding="utf-8")
        print(f"written to {RESULT.name}")


if __name__ == "__main__":
    main()
