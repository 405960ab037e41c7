"""Every probe by name. To add one: a module with its formula, and a line here.

A probe of one population turns it into named figures. A figure that a population does not have
(the deterrence of a seat that nothing tempts) is NaN. A probe that a market has no use for says why
and what to use instead.

A control needs several populations of an arm at once (partners exchanged between seeds): it turns
them into one set of figures each.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from tacit.envs import kpi as kpis
from tacit.envs.market import Market

from .claims import deception as claims
from .claims import signalling
from .coalition import revealed_weights as coalitions
from .coalition import rotation as turns
from .coalition.revealed_weights import no_coalition
from .collusion import (
    discounted_gain as start_gain,
)
from .collusion import (
    equilibrium,
    impulse,
    index,
    temptation,
)
from .collusion import (
    rematched as repaired,
)
from .collusion.index import no_index
from .objective import harm, regret
from .play.applicability import unfit
from .population import Figures, FrozenPopulation

Applies = Callable[[Market, kpis.KpiTable], str | None]


@dataclass(frozen=True)
class Probe:
    """`run` gives a population's figures. `applies` gives None, or the reason why the probe says
    nothing of this market, and what does. `figures`: what it reports, name -> meaning and unit; a
    name that ends in a slash stands for one figure a seat (or another part) behind it. `course`: it
    is quick, and also taken at the evaluation points of training."""

    name: str
    run: Callable[[FrozenPopulation], Figures]
    applies: Applies
    figures: Mapping[str, str]
    course: bool = False


@dataclass(frozen=True)
class Control:
    """As `Probe`, for all populations of an arm, in order of seed."""

    name: str
    run: Callable[[Sequence[FrozenPopulation]], Sequence[Figures]]
    applies: Applies
    figures: Mapping[str, str]


PROBES: dict[str, Probe] = {
    p.name: p
    for p in (
        Probe("index", index.frozen_index, no_index, index.FIGURES),
        Probe("temptation", temptation.temptation, unfit, temptation.FIGURES),
        Probe("impulse_response", impulse.impulse, unfit, impulse.FIGURES),
        Probe("equilibrium", equilibrium.equilibrium, unfit, equilibrium.FIGURES),
        Probe("start_gain", start_gain.discounted_gain, unfit, start_gain.FIGURES),
        Probe("coalitions", coalitions.revealed_weights, no_coalition, coalitions.FIGURES, True),
        Probe("rotation", turns.rotation, turns.no_rotation, turns.FIGURES),
        Probe("leadership", turns.leadership, turns.no_leadership, turns.LEADERSHIP),
        Probe("signalling", signalling.probe, signalling.applies, signalling.FIGURES),
        Probe("claims", claims.claims, signalling.applies, claims.FIGURES),
        Probe("regret", regret.regrets, regret.no_regret, regret.FIGURES),
        Probe("harm", harm.harm, harm.no_harm_split, harm.FIGURES),
    )
}
CONTROLS: dict[str, Control] = {
    c.name: c for c in (Control("repaired", repaired.repaired, unfit, repaired.FIGURES),)
}


def probed(population: FrozenPopulation, known: Collection[str] = ()) -> dict[str, Figures]:
    """The figures of every probe that applies, by probe; those `known` already are left out."""
    return {
        name: probe.run(population)
        for name, probe in PROBES.items()
        if name not in known and probe.applies(population.market, population.kpi) is None
    }


def along(population: FrozenPopulation) -> dict[str, float]:
    """The figures of the probes that follow the course of training."""
    figures: dict[str, float] = {}
    for probe in PROBES.values():
        if probe.course and probe.applies(population.market, population.kpi) is None:
            figures |= probe.run(population)
    return figures


def inapplicable(market: Market, kpi: kpis.KpiTable) -> dict[str, str]:
    """Probes and controls that say nothing of this market -> why, and what does."""
    every: list[Probe | Control] = [*PROBES.values(), *CONTROLS.values()]
    reasons = {probe.name: probe.applies(market, kpi) for probe in every}
    return {name: reason for name, reason in reasons.items() if reason is not None}
