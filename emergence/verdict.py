"""Verdicts: every rule by the behaviour it judges, and a function for users.

A rule takes an arm's evidence and gives a verdict, or None where the behaviour cannot occur. To add
one: a rule in a module of its own, and a line in `RULES` and `WORDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite

from .adoption import verdict as adoption
from .anchored import verdict as anchored
from .claims import verdict as claims
from .coalition import verdict as coalition
from .collusion import verdict as collusion
from .evidence import DISCLAIMER, Evidence, Verdict
from .objective import verdict as objective
from .population import FrozenPopulation
from .registry import run_controls, run_probes

__all__ = ["DISCLAIMER", "RULES", "WORDS", "Evidence", "Verdict", "evidence_of", "verdicts"]

RULES: dict[str, Callable[[Evidence], Verdict | None]] = {
    "collusion": collusion.collusion,
    "KPI": objective.kpi_or_learning,
    "claims": claims.claims,
    "coalition": coalition.coalition,
    "inheritance": anchored.inheritance,
    "adoption": adoption.adoption,
}
WORDS: dict[str, tuple[str, ...]] = {
    "collusion": collusion.WORDS,
    "KPI": objective.WORDS,
    "claims": claims.WORDS,
    "coalition": coalition.WORDS,
    "inheritance": anchored.WORDS,
    "adoption": adoption.WORDS,
}


def verdicts(arm: Evidence | Sequence[FrozenPopulation]) -> list[Verdict]:
    """What every rule says of an arm.

    Frozen populations are probed first: every probe and control that applies is run.

        market = tacit.make_market("cloud_bandwidth", {"start": "collusive"})
        kpi, rule = kpis.resolve(market, None), ScriptedConfig(rule="grim_trigger")
        tables = [Scripted(rule, market, seat).table() for seat in market.seats]
        arm = [tacit.freeze(market, kpi, tables, seed) for seed in range(48)]
        for verdict in tacit.verdicts(arm):
            print(f"{verdict.behaviour}: {verdict.word}")

    prints `collusion: tacit collusion` and `KPI: scripted`. Where policies were learned elsewhere,
    say so: `tacit.freeze(..., learned=True)`.

    Args:
        arm: the evidence on one arm, or its populations in order of seed.

    Returns:
        One verdict for each behaviour that can occur.

    Raises:
        ValueError: no populations, or populations of different markets, KPIs or learners.
    """
    evidence = arm if isinstance(arm, Evidence) else evidence_of(arm)
    found = [rule(evidence) for rule in RULES.values()]
    return [verdict for verdict in found if verdict is not None]


def evidence_of(populations: Sequence[FrozenPopulation]) -> Evidence:
    """The figures of one arm: every probe and control that applies, over all its seeds.

    Args:
        populations: all populations of the arm, in order of seed.

    Returns:
        Evidence without other arms and without training curves; figures that no seed has are left
        out, as in summary.json.

    Raises:
        ValueError: no populations, or populations of different markets, KPIs or learners.
    """
    if not populations:
        raise ValueError("a verdict needs at least one population")
    first = populations[0]
    for other in populations:
        if (other.market.name, other.market.config) != (first.market.name, first.market.config):
            raise ValueError("populations of one arm must have the same market and config")
        if other.kpi != first.kpi:
            raise ValueError("populations of one arm must have the same KPI")
        if other.learned != first.learned:
            raise ValueError("in populations of one arm the same seats must have learned")
    per_seed: list[dict[str, float]] = [{} for _ in populations]
    for own, population in zip(per_seed, populations, strict=True):
        for of_probe in run_probes(population).values():
            own.update(of_probe)
    for of_control in run_controls(populations).values():
        for own, of_seed in zip(per_seed, of_control, strict=True):
            own.update(of_seed)
    names = dict.fromkeys(name for own in per_seed for name in own)
    figures = {name: [own.get(name, float("nan")) for own in per_seed] for name in names}
    defined = {name: values for name, values in figures.items() if any(map(isfinite, values))}
    n = len(populations)
    return Evidence(first.market, first.kpi, defined, n, learned=first.learned)
