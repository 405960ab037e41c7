"""How much of the harm the KPI explains alone, and how much learning adds.

    harm = [mirror(fundamental) - mirror(KPI)] + [mirror(KPI) - learned]

for each measure that is money and better high: every role's fundamental, and the market's own
(revenue of a seller without a seat, welfare). `mirror` is the mean over starts
(`tacit.emergence.objective.mirror`); `learned` what the frozen tables earn in the long run. The
first bracket
is what best responders lose who follow the KPI instead of the fundamental; the second, by which the
learners do worse still, is memory, exploration, habit. A negative harm is a gain.

Goodhart gap: what is lost of a fundamental, or of welfare, against the same arm with the
fundamental as KPI, as a share of what that arm has. Units: the measure's; the gap has none.
"""

from __future__ import annotations

from collections.abc import Sequence

from tacit.emergence.play.applicability import no_analysis
from tacit.emergence.play.limit_path import limit
from tacit.emergence.play.named_measures import named_measures
from tacit.emergence.population import FrozenPopulation
from tacit.emergence.tree.expectations import mean
from tacit.emergence.tree.initial_states import fresh, without_memory
from tacit.emergence.tree.tree import (
    grow,
    played,
    size,
    too_large,
)
from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError
from tacit.envs.market import Market, Seat

from .mirror import MOST, mirror

INSTEAD = "KPI regret and fundamental regret do"
FIGURES = {
    "mirror/": "mean over starts of what best responders to the KPI settle on",
    "mirror_low/": "10 % of starts lie below it",
    "mirror_high/": "10 % of starts lie above it",
    "harm/": "lost against best responders to the fundamentals",
    "harm_kpi/": "the part of it that best responders to the KPI lose as well",
    "harm_learning/": "the part of it that only the learners lose",
}


def harm(population: FrozenPopulation) -> dict[str, float]:
    """Per seed: see `FIGURES`; what follows the slash is a measure."""
    market = population.market
    try:
        own = mirror(market, population.kpi)
        ideal = mirror(market, fundamental_kpi(market))
    except ConfigError:  # seats see a part of the past, ...: `no_mirror` tells
        return {f"{part}{name}": float("nan") for part in FIGURES for name in judged(market)}
    learned = long_run(population)
    figures: dict[str, float] = {}
    for name in judged(market):
        low, high = own.range(name)
        parts = {
            "mirror": own.mean(name),
            "mirror_low": low,
            "mirror_high": high,
            "harm": ideal.mean(name) - learned[name],
            "harm_kpi": ideal.mean(name) - own.mean(name),
            "harm_learning": own.mean(name) - learned[name],
        }
        figures |= {f"{part}/{name}": round(x, 12) + 0.0 for part, x in parts.items()}
    return figures


def fundamental_kpi(market: Market) -> kpis.KpiTable:
    """The KPI that is every seat's fundamental."""
    return kpis.resolve(market, {role.name: {role.fundamental: 1.0} for role in market.roles})


def judged(market: Market) -> list[str]:
    """Measures by which harm is told: money, better high, a role's fundamental or the market's."""
    good = [m for m in market.measures if m.sign > 0 and m.unit == "money"]
    own = {role.fundamental for role in market.roles}
    return [m.name for m in good if m.name in own or "market" in m.roles]


def long_run(population: FrozenPopulation) -> dict[str, float]:
    """Mean measures by name of the frozen tables: exact where seats remember nothing and the round
    can be enumerated, else those of the limit path."""
    market = population.market
    if without_memory(market) is market:
        try:
            start = fresh(market, population.kpi)
            tree = grow(market, population.kpi, played(market, population.tables), start)
            return named_measures(market, mean(tree, population.tables, tree.measures))
        except ConfigError:
            pass
    return named_measures(market, limit(population).mean)


def no_harm_split(market: Market, kpi: kpis.KpiTable) -> str | None:
    """Why there is no mirror here, as far as it is seen at once, and what does; None: try it."""
    if (reason := no_analysis(market, "draws")) is not None:
        return reason
    if (ends := size(market)) > MOST:
        return f"no mirror: {too_large(market, ends, MOST)} {INSTEAD}"
    return None


def no_mirror(market: Market, kpi: kpis.KpiTable) -> str | None:
    """`no_harm_split`, or why the mirror failed; None: it is there."""
    if (reason := no_harm_split(market, kpi)) is not None:
        return reason
    try:
        mirror(market, kpi)
    except ConfigError as error:
        return f"no mirror: {error} {INSTEAD}"
    return None


def is_fundamental(market: Market, kpi: kpis.KpiTable) -> bool:
    """Whether every seat is paid its fundamental, in whatever unit, and nothing else."""
    return all(paid_fundamental(seat, kpi) for seat in market.seats)


def paid_fundamental(seat: Seat, kpi: kpis.KpiTable) -> bool:
    """The same of one seat."""
    paid = [term for term in kpi[seat.name].values() if term.weight]
    plain = [t for t in paid if (t.transform, t.scope) == ("value", "own") and t.weight > 0]
    return [t.measure for t in plain] == [seat.role.fundamental] and len(plain) == len(paid)


def goodhart_gap(reference: Sequence[float], own: Sequence[float]) -> list[float]:
    """Per seed, the share that is lost of what the same seed has under the fundamental as KPI; NaN
    where that is nothing."""
    return [
        (before - after) / abs(before) if before else float("nan")
        for before, after in zip(reference, own, strict=False)
    ]
