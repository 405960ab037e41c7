"""How much of the harm the KPI alone explains, and how much learning adds.

    harm = [benchmark(fundamental) - benchmark(KPI)] + [benchmark(KPI) - learned]

for each measure by which the market judges harm (`Measure.in_harm`): every role's fundamental, and
the market's own, such as the revenue of a seller without a seat, or welfare. `benchmark` is the
mean over starts of what memoryless best responders settle on (`tacit.emergence.objective.mirror`);
`learned` is what the frozen tables earn in the long run. The first bracket is what best responders
lose who follow the KPI instead of the fundamental. The second, by which the learners do worse
still, is memory, exploration, habit. A negative harm is a gain. Units: the measure's.
"""

from __future__ import annotations

from tacit.emergence.named_measures import named_measures
from tacit.emergence.payoffs import fundamental_kpi
from tacit.emergence.play.applicability import why_no_stage_game
from tacit.emergence.play.limit_path import limit_path
from tacit.emergence.population import FrozenPopulation
from tacit.emergence.tree.enumeration import count_ends, enumerate_round, too_large
from tacit.emergence.tree.expectations import expected_outcome
from tacit.emergence.tree.initial_states import state_without_past, without_memory
from tacit.emergence.tree.round_tree import played_actions
from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError
from tacit.envs.market import Market

from .mirror import MOST_ENDS, mirror

INSTEAD = "KPI regret and fundamental regret do"
FIGURES = {
    "mirror/": "mean over starts of what best responders to the KPI settle on",
    "mirror_low/": "10 % of starts lie below it",
    "mirror_high/": "10 % of starts lie above it",
    "harm/": "lost against best responders to the fundamentals",
    "harm_kpi/": "the part of it that best responders to the KPI lose as well",
    "harm_learning/": "the part of it that only the learners lose",
    "mirror_exact": "1 if the payoffs of the mirrors depend on no draws within a round; else 0",
    "mirror_moved": "largest change of a probability in the last quarter of fictitious play, times "
    "how likely play comes there; of both mirrors",
}


def harm(population: FrozenPopulation) -> dict[str, float]:
    """Per seed: see `FIGURES`; what follows the slash is a measure.

    All figures are NaN where the benchmark cannot be computed; `why_no_mirror` gives the reason.
    """
    market = population.market
    measures = harm_measures(market)
    try:
        own = mirror(market, population.kpi)
        ideal = mirror(market, fundamental_kpi(market))
    except ConfigError:
        by_measure = [part for part in FIGURES if part.endswith("/")]
        return {f"{part}{name}": float("nan") for part in by_measure for name in measures}
    learned = long_run_measures(population)
    figures: dict[str, float] = {
        "mirror_exact": float(own.exact and ideal.exact),
        "mirror_moved": round(max(own.moved, ideal.moved), 12),
    }
    for name in measures:
        low, high = own.range(name)
        parts = {
            "mirror": own.mean(name),
            "mirror_low": low,
            "mirror_high": high,
            "harm": ideal.mean(name) - learned[name],
            "harm_kpi": ideal.mean(name) - own.mean(name),
            "harm_learning": own.mean(name) - learned[name],
        }
        # Rounded so that a difference of equal numbers is 0; adding 0.0 turns -0.0 into 0.0.
        figures |= {f"{part}/{name}": round(x, 12) + 0.0 for part, x in parts.items()}
    return figures


def harm_measures(market: Market) -> list[str]:
    """The measures by which the market judges harm, of those that somebody has in its config."""
    return [measure.name for measure in market.measures if measure.in_harm and measure.roles]


def long_run_measures(population: FrozenPopulation) -> dict[str, float]:
    """Mean measures of the frozen tables by name, as in summary.json.

    Exact where seats remember nothing and the round can be enumerated, else those of the limit
    path.
    """
    market = population.market
    if without_memory(market) is market:
        try:
            start = state_without_past(market, population.kpi)
            allowed = played_actions(market, population.tables)
            tree = enumerate_round(market, population.kpi, allowed, start)
            mean = expected_outcome(tree, population.tables, tree.measures)
            return named_measures(market, mean)
        except ConfigError:
            pass
    return named_measures(market, limit_path(population).mean)


def why_no_harm_split(market: Market, kpi: kpis.KpiTable) -> str | None:
    """Why there is no best-response benchmark here, and what is; None: nothing speaks against it.

    Quick: the benchmark itself is not tried out.
    """
    if (reason := why_no_stage_game(market, "draws")) is not None:
        return reason
    if (ends := count_ends(market)) > MOST_ENDS:
        return f"no mirror: {too_large(market, ends, MOST_ENDS)} {INSTEAD}"
    return None


def why_no_mirror(market: Market, kpi: kpis.KpiTable) -> str | None:
    """`why_no_harm_split`, or why the benchmark failed when it was tried; None: there is one."""
    if (reason := why_no_harm_split(market, kpi)) is not None:
        return reason
    try:
        mirror(market, kpi)
    except ConfigError as error:
        return f"no mirror: {error} {INSTEAD}"
    return None
