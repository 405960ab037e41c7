"""Every probe and control by name, and what it reports (`tacit explain PROBE` tells it).

A probe turns one population into named figures; NaN is a figure that this population does not have
(the deterrence of a seat that is never tempted). A control needs several populations of an arm at
once and turns them into one set of figures each. Where a probe does not apply, it gives the reason
and names what does.

To add a probe: a module with its formula, unit, source and `FIGURES`, and a line in `PROBES`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError
from tacit.envs.market import Market
from tacit.envs.plugins import remember

from .anchored import inheritance
from .claims import deception, false_claims, signalling
from .claims.channels import why_no_claims
from .coalition import leadership, revealed_weights, rotation
from .collusion import (
    calibrated_regret,
    census,
    discounted_gain,
    equilibrium,
    impulse,
    index,
    rematched,
    sharing,
    temptation,
)
from .objective import harm, own_firm_loss, regret
from .play.applicability import why_no_deviations
from .population import Figures, FrozenPopulation

WhyNot = Callable[[Market, kpis.KpiTable], str | None]


@dataclass(frozen=True)
class Probe:
    """A probe of one population.

    Attributes:
        name: the name under which records of seeds keep its figures.
        run: a population -> its figures.
        why_not: market and KPI -> the reason why the probe says nothing there, and what does; None
            where it applies.
        figures: figure -> meaning and unit. A name that ends in a slash stands for one figure for
            each seat, pair, claim or measure, whose name follows the slash.
        along_training: it is quick, and also taken at the evaluation points of training.
        reports: in a line, what the figures are about.
    """

    name: str
    run: Callable[[FrozenPopulation], Figures]
    why_not: WhyNot
    figures: Mapping[str, str]
    along_training: bool = False
    reports: str = ""

    def applies(self, market: Market, kpi: kpis.KpiTable) -> bool:
        """Whether the probe says something of this market under this KPI."""
        return self.why_not(market, kpi) is None


@dataclass(frozen=True)
class Control:
    """A probe of all populations of an arm at once.

    Attributes:
        name: the name under which records keep its figures.
        run: all populations of an arm, in order of seed -> one set of figures each.
        why_not: as for a `Probe`.
        figures: as for a `Probe`.
        reports: as for a `Probe`.
    """

    name: str
    run: Callable[[Sequence[FrozenPopulation]], Sequence[Figures]]
    why_not: WhyNot
    figures: Mapping[str, str]
    reports: str = ""

    def applies(self, market: Market, kpi: kpis.KpiTable) -> bool:
        """Whether the control says something of this market under this KPI."""
        return self.why_not(market, kpi) is None


PROBES: dict[str, Probe] = {
    probe.name: probe
    for probe in (
        Probe(
            "index",
            index.frozen_index,
            index.why_no_index,
            index.FIGURES,
            reports="collusion index on the limit path",
        ),
        Probe(
            "temptation",
            temptation.temptation,
            why_no_deviations,
            temptation.FIGURES,
            reports="gain of a static best reply, later loss, who is deterred",
        ),
        Probe(
            "sharing",
            sharing.sharing,
            why_no_deviations,
            sharing.FIGURES,
            reports="how the seats share the gain above competition",
        ),
        Probe(
            "impulse_response",
            impulse.impulse,
            why_no_deviations,
            impulse.FIGURES,
            reports="rivals' conduct after a deviation, round of return, curves",
        ),
        Probe(
            "equilibrium",
            equilibrium.equilibrium,
            why_no_deviations,
            equilibrium.FIGURES,
            reports="gain of the best response, checks for an equilibrium",
        ),
        Probe(
            "start_gain",
            discounted_gain.discounted_gain,
            why_no_deviations,
            discounted_gain.FIGURES,
            reports="discounted profit above competition from round 1 on",
        ),
        Probe(
            "audit",
            calibrated_regret.calibrated_regret,
            why_no_deviations,
            calibrated_regret.FIGURES,
            reports="calibrated regret: the best replacement of each posted action",
        ),
        Probe(
            "census",
            census.census,
            census.why_no_census,
            census.FIGURES,
            reports="which strategy of one round of memory each of two rivals plays",
        ),
        Probe(
            "coalitions",
            revealed_weights.revealed_weights,
            revealed_weights.why_no_weights,
            revealed_weights.FIGURES,
            along_training=True,
            reports="revealed weight of each seat on each other seat's fundamental",
        ),
        Probe(
            "rotation",
            rotation.rotation,
            rotation.why_no_rotation,
            rotation.FIGURES,
            reports="how far the last winner determines the next one",
        ),
        Probe(
            "leadership",
            leadership.leadership,
            leadership.why_no_leadership,
            leadership.FIGURES,
            reports="whose changes of conduct come first",
        ),
        Probe(
            "signalling",
            signalling.signalling,
            why_no_claims,
            signalling.FIGURES,
            reports="share of the truth that a claim carries",
        ),
        Probe(
            "claims",
            deception.claims,
            why_no_claims,
            deception.FIGURES,
            reports="false claims, their influence, who gains and who loses",
        ),
        Probe(
            "false_claims",
            false_claims.false_claims,
            why_no_claims,
            false_claims.FIGURES,
            reports="those on words that are said, summed over rounds: what is judged",
        ),
        Probe(
            "regrets",
            regret.regrets,
            regret.why_no_regret,
            regret.FIGURES,
            reports="gain of a best reply, in one round and patient, in KPI and fundamental",
        ),
        Probe(
            "harm",
            harm.harm,
            harm.why_no_harm_split,
            harm.FIGURES,
            reports="what the KPI costs, by the KPI alone and by learning",
        ),
        Probe(
            "own_firm_loss",
            own_firm_loss.own_firm_loss,
            regret.why_no_regret,
            own_firm_loss.FIGURES,
            reports="what following the KPI costs the firm itself, alone or with all",
        ),
        Probe(
            "inheritance",
            inheritance.inheritance,
            inheritance.why_no_inheritance,
            inheritance.FIGURES,
            reports="rates of play beside the prior, the equilibrium and both at once",
        ),
    )
}
CONTROLS: dict[str, Control] = {
    control.name: control
    for control in (
        Control(
            "rematched",
            rematched.rematched,
            why_no_deviations,
            rematched.FIGURES,
            reports="index, temptation and response with partners exchanged between seeds",
        ),
    )
}


def register_probe(probe: Probe) -> Probe:
    """Add a probe of one's own: it runs on every seed of every run from now on.

    Raises:
        ConfigError: a probe or a figure of this name exists, or `run` or `why_not` does not take
            what it is given.
    """
    mistakes = list(_probe_mistakes(probe))
    if mistakes:
        raise ConfigError(mistakes)
    PROBES[probe.name] = probe
    remember(getattr(probe.run, "__module__", "__main__"))
    return probe


def _probe_mistakes(probe: Probe) -> Iterator[str]:
    """What is wrong with a probe, a line each: found here, not after hours of training."""
    if probe.name in PROBES or probe.name in CONTROLS:
        yield f"{probe.name}: a probe of this name exists."
    for role, count in (("run", 1), ("why_not", 2)):
        function = getattr(probe, role)
        try:
            inspect.signature(function).bind(*[None] * count)
        except TypeError as error:
            taken = "a population" if role == "run" else "a market and a KPI"
            yield f"{probe.name}.{role}: must be a function of {taken}: {error}."
        except ValueError:
            continue  # a builtin whose signature Python does not know
    if not isinstance(probe.figures, Mapping) or not probe.figures:
        yield f"{probe.name}.figures: must map the name of a figure to its meaning and unit."
        return
    every: list[Probe | Control] = [*PROBES.values(), *CONTROLS.values()]
    owners = {figure: other.name for other in every for figure in other.figures}
    for figure in probe.figures:
        if figure in owners:  # figures of all probes are kept side by side, under their names
            yield f"{probe.name}.figures: '{figure}' is a figure of the probe {owners[figure]}."


def run_probes(population: FrozenPopulation, known: Collection[str] = ()) -> dict[str, Figures]:
    """The figures of every probe that applies.

    Args:
        population: the frozen population.
        known: names of probes that are left out, because their figures are known already.

    Returns:
        Probe name -> figures.
    """
    return {
        name: probe.run(population)
        for name, probe in PROBES.items()
        if name not in known and probe.applies(population.market, population.kpi)
    }


def run_controls(populations: Sequence[FrozenPopulation]) -> dict[str, Sequence[Figures]]:
    """The figures of every control that applies to one arm.

    Args:
        populations: all populations of the arm, in order of seed; at least one.

    Returns:
        Control name -> one set of figures for each population.
    """
    market, kpi = populations[0].market, populations[0].kpi
    return {
        name: control.run(populations)
        for name, control in CONTROLS.items()
        if control.applies(market, kpi)
    }


def training_curve_figures(population: FrozenPopulation) -> dict[str, float]:
    """The figures that are also taken at the evaluation points of training."""
    figures: dict[str, float] = {}
    for probe in probes_along_training(population.market, population.kpi):
        figures |= probe.run(population)
    return figures


def probes_along_training(market: Market, kpi: kpis.KpiTable) -> list[Probe]:
    """The probes that are also taken at the evaluation points of training, of those that apply."""
    return [p for p in PROBES.values() if p.along_training and p.applies(market, kpi)]


def inapplicable(market: Market, kpi: kpis.KpiTable) -> dict[str, str]:
    """Probes and controls that say nothing of this market -> why, and what does."""
    every: list[Probe | Control] = [*PROBES.values(), *CONTROLS.values()]
    reasons = {probe.name: probe.why_not(market, kpi) for probe in every}
    return {name: reason for name, reason in reasons.items() if reason is not None}
