"""What the page shows of a run that does not change while it trains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tacit.envs import kpi as kpis
from tacit.training.config.arms import Experiment
from tacit.training.plain_text import visible

from .reading.standing import weights_of

# Names of the two benchmarks that rivals have, as the page calls them.
BENCHMARKS = {"competitive": "competitive", "collusive": "joint profit"}


def facts_of(name: str, experiment: Experiment, user: str) -> dict[str, Any]:
    """What the page is told once.

    Args:
        name: of the run.
        experiment: the run with all its arms.
        user: who has opened the page, as a first value for the author of acts.
    """
    first = next(iter(experiment.arms.values()))
    market = first.market
    measure = next(m for m in market.measures if m.name == market.headline)
    facts: dict[str, Any] = made_visible({
        "run": name,
        "user": user,
        "question": experiment.headline,
        "market": market.name,
        "headline": {"name": measure.name, "unit": measure.unit, "meaning": measure.meaning},
        "rounds": max(arm.train.rounds for arm in experiment.arms.values()),
        "seeds": sum(arm.seeds for arm in experiment.arms.values()),
        "benchmarks": benchmark_lines(experiment),
        "kpis": kpi_lines(experiment),
        "arms": {
            name: {"seats": [s.name for s in arm.market.seats], "weights": weights_of(arm)}
            for name, arm in experiment.arms.items()
        },
    })  # fmt: skip
    return facts


def benchmark_lines(experiment: Experiment) -> list[dict[str, Any]]:
    """The benchmarks of the headline: label and value, each once.

    Where arms play different markets, the label says for which arms a value holds.
    """
    found: dict[tuple[str, float], list[str]] = {}
    for name, arm in experiment.arms.items():
        for key, benchmark in arm.market.benchmarks().items():
            value = benchmark.values.get(arm.market.headline)
            if key in BENCHMARKS and value is not None:
                found.setdefault((BENCHMARKS[key], float(value)), []).append(name)
    every = len(experiment.arms)
    return [
        {"label": label if len(arms) == every else f"{label} ({', '.join(arms)})", "value": value}
        for (label, value), arms in found.items()
    ]


def kpi_lines(experiment: Experiment) -> list[dict[str, Any]]:
    """Every seat's KPI in words; arms under the same KPI share their lines."""
    arms: dict[str, list[str]] = {}
    for name, arm in experiment.arms.items():
        arms.setdefault(arm.kpi_hash, []).append(name)
    return [
        {
            "arms": ", ".join(names),
            "lines": [
                f"{seat} {kpis.sentence(terms)}"
                for seat, terms in experiment.arms[names[0]].kpi.items()
            ],
        }
        for names in arms.values()
    ]


def made_visible(value: Any) -> Any:
    """The same JSON value, in whose texts characters that are not printed are written as escapes.

    The page sets texts as text only, so that no tag in them has an effect; this is about codes that
    turn the direction of text or hide a part of it.
    """
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, Mapping):
        return {visible(str(key)): made_visible(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [made_visible(inner) for inner in value]
    return value
