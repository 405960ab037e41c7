"""summary.json: what a run found, arm by arm, with intervals; the contract is in docs/runs.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tacit.emergence import stats
from tacit.envs.errors import ConfigError
from tacit.training.config.arms import Arm
from tacit.training.storage.atomic_files import read_json
from tacit.training.storage.legacy import upgrade_summary
from tacit.training.storage.live.answers_file import LIVE
from tacit.training.storage.machine import machine
from tacit.training.trust.live_doors import NO_PROMISE

from .probing import figures_of
from .training_curve import summarise_curves
from .tripped import breaker_counts, people_counts

ArmSummary = Mapping[str, Any]  # an arm's part of the file


def arm_summary(experiment: str, arm: Arm, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One arm's part of summary.json, without verdicts.

    Args:
        experiment: its name.
        arm: the arm.
        records: of its repetitions, in order.
    """
    steps = sum(record["agent_steps"] for record in records)
    seconds = sum(record["seconds"] for record in records)
    curve = summarise_curves([record.get("training_curve", {}) for record in records])
    measures = measures_of(records)
    unconverged = unconverged_seeds({"measures": measures})
    return {
        "experiment": experiment,
        "market": arm.market.name,
        "kpi_hash": arm.kpi_hash,
        "seeds": len(records),
        "agent_steps": steps,
        # Of one thread: the seconds of all repetitions are added up, whether they ran side by side.
        "agent_steps_per_second": round(steps / seconds, 1) if seconds > 0 else None,
        "machine": machine(),
        "measures": measures,
        "verdicts": [],
        **({} if unconverged is None else {"unconverged": unconverged}),
        **({"training_curve": curve} if curve else {}),
        **({LIVE: live_counts(arm, records)} if arm.live else {}),
        **({"breakers": tripped} if (tripped := breaker_counts(arm, records)) else {}),
        **({"people": changed} if (changed := people_counts(arm, records)) else {}),
    }


def live_counts(arm: Arm, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What was counted of live agents, over all repetitions, by seat; and what it means."""
    found: dict[str, Any] = {}
    for seat in arm.live:
        own = [record.get(LIVE, {}).get(seat, {}) for record in records]
        names = dict.fromkeys(name for counts in own for name in counts)
        found[seat] = {name: sum(int(counts.get(name, 0)) for counts in own) for name in names}
    return {"seats": found, "note": NO_PROMISE}


def measures_of(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Measures and figures of an arm as summary.json has them, without what compares arms.

    Args:
        records: of its repetitions, in order.
    """
    return _measures(records) | _figures(records)


def _measures(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Measures over repetitions; one that is not defined in all of them has no mean."""
    measures = {}
    for name in dict.fromkeys(name for record in records for name in record["measures"]):
        per_seed = [record["measures"].get(name) for record in records]
        if None not in per_seed:
            measures[name] = {**stats.estimate(name, per_seed).plain(), "per_seed": per_seed}
    return measures


def _figures(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Figures of probes, over the repetitions in which they are defined; n says how many."""
    probed = [figures_of(record) for record in records]
    figures = {}
    for name in dict.fromkeys(name for own in probed for name in own):
        per_seed = [own.get(name) for own in probed]
        defined = [x for x in per_seed if x is not None]
        if defined:
            figures[name] = {**stats.estimate(name, defined).plain(), "per_seed": per_seed}
    return figures


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
        summary = read_json(path)
    except ConfigError as error:
        raise ConfigError(f"{error} {advice}") from None
    arms = arms_of(summary) if summary else {}
    if not all(isinstance(arm, dict) and "measures" in arm for arm in arms.values()):
        raise ConfigError(f"{path}: is not a summary. {advice}")
    return arms


def unconverged_seeds(arm: ArmSummary) -> int | None:
    """How many seeds `train.rounds` cut off before their agents had stopped by themselves.

    Returns:
        None where agents have no stopping rule (`stop_after`).
    """
    converged = arm["measures"].get("converged")
    return None if converged is None else sum(x == 0.0 for x in converged["per_seed"])


def estimate_of(arm: ArmSummary, measure: str) -> stats.Estimate | None:
    """A measure of an arm as an estimate; None where it has none."""
    found = arm["measures"].get(measure)
    if found is None:
        return None
    low, high = (float("nan") if x is None else x for x in found["ci95"])
    return stats.Estimate(found["mean"], low, high, found["n"])


def difference(arm: ArmSummary, reference: ArmSummary, measure: str) -> stats.Estimate | None:
    """The paired difference of two arms over the seeds that both have; None if they share none."""
    if measure not in arm["measures"] or measure not in reference["measures"]:
        return None
    pairs = zip(*(a["measures"][measure]["per_seed"] for a in (arm, reference)), strict=False)
    both = [(own, other) for own, other in pairs if own is not None and other is not None]
    if not both:
        return None
    return stats.paired(*zip(*both, strict=True))
