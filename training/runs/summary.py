"""summary.json: what a run found, arm by arm, with intervals; the contract is in docs/runs.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tacit.emergence import stats
from tacit.envs.errors import ConfigError
from tacit.training.config.arms import Arm

from . import checkpoint
from .legacy import upgrade_summary
from .machine import machine
from .probing import figures_of
from .training_curve import summarise


def arm_summary(experiment: str, arm: Arm, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One arm's part of summary.json from its seeds' records, in order of seed; without verdicts.

    `agent_steps_per_second` is per worker: steps over the seconds that seeds took one by one.
    """
    steps = sum(record["agent_steps"] for record in records)
    seconds = sum(record["seconds"] for record in records)
    names = dict.fromkeys(name for record in records for name in record["measures"])
    measures = {}
    for name in names:
        per_seed = [record["measures"].get(name) for record in records]
        if None in per_seed:  # not defined in every run: it has no mean
            continue
        estimate = stats.estimate(name, per_seed)
        measures[name] = {**estimate.plain(), "per_seed": per_seed}
    probed = [figures_of(record) for record in records]
    for name in dict.fromkeys(name for figures in probed for name in figures):
        per_seed = [figures.get(name) for figures in probed]
        defined = [x for x in per_seed if x is not None]
        if defined:  # a mean over the seeds that have it; n says how many
            estimate = stats.estimate(name, defined)
            measures[name] = {**estimate.plain(), "per_seed": per_seed}
    curve = summarise([record.get("training_curve", {}) for record in records])
    return {
        "experiment": experiment,
        "market": arm.market.name,
        "kpi_hash": arm.kpi_hash,
        "seeds": len(records),
        "agent_steps": steps,
        "agent_steps_per_second": round(steps / seconds, 1) if seconds > 0 else None,
        "machine": machine(),
        "measures": measures,
        "verdicts": [],
        **({"training_curve": curve} if curve else {}),
    }


def assemble(experiment: str, arms: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """The whole file: flat for a run whose only arm is `base`, else by arm."""
    if list(arms) == ["base"]:
        return arms["base"]
    return {"experiment": experiment, "arms": dict(arms)}


def arms_of(summary: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """A summary's arms by name, whichever form and version it has."""
    arms = summary.get("arms", {"base": summary})
    return {
        name: upgrade_summary(arm) if isinstance(arm, Mapping) else arm
        for name, arm in arms.items()
    }


def read_summary(path: Path) -> dict[str, dict[str, Any]]:
    """The arms that a summary.json holds by name; none where there is no file yet.

    Raises:
        ConfigError: there is a file, and it is no summary.
    """
    advice = "Move it away; tacit resume writes it anew from the seeds that are kept."
    try:
        summary = checkpoint.read_json(path)
    except ConfigError as error:
        raise ConfigError(f"{error} {advice}") from None
    arms = arms_of(summary) if summary else {}
    if not all(isinstance(arm, dict) and "measures" in arm for arm in arms.values()):
        raise ConfigError(f"{path}: is not a summary. {advice}")
    return arms


def estimate_of(arm: Mapping[str, Any], measure: str) -> stats.Estimate | None:
    """A measure of an arm's summary as an estimate, or None where it has none."""
    found = arm["measures"].get(measure)
    if found is None:
        return None
    low, high = (float("nan") if x is None else x for x in found["ci95"])
    return stats.Estimate(found["mean"], low, high, found["n"])


def difference(
    arm: Mapping[str, Any], reference: Mapping[str, Any], measure: str
) -> stats.Estimate | None:
    """The paired difference of two arms over their shared seeds."""
    if measure not in arm["measures"] or measure not in reference["measures"]:
        return None
    pairs = zip(*(a["measures"][measure]["per_seed"] for a in (arm, reference)), strict=False)
    both = [(own, other) for own, other in pairs if own is not None and other is not None]
    if not both:
        return None
    return stats.paired(*zip(*both, strict=True))
