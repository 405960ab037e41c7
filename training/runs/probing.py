"""Probes and verdicts of a run: measured on every finished seed, kept in its record.

What a record lacks (an older run, a probe that is new) is measured from the seed's checkpoint.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from math import isfinite
from typing import Any

from tacit.agents.group import Group
from tacit.emergence.evidence import Evidence
from tacit.emergence.population import Figures, FrozenPopulation, freeze
from tacit.emergence.registry import CONTROLS, PROBES, run_controls, run_probes
from tacit.emergence.verdict import verdicts
from tacit.envs.analysis import Analysis
from tacit.training.config.arms import Arm

from . import checkpoint
from .legacy import upgrade_controls
from .load_run import learned_group
from .run_folder import RunFolder
from .training_curve import read_training_curves

Record = dict[str, Any]
Plain = dict[str, float | None]  # figures as JSON holds them, NaN as null


def population_of(arm: Arm, k: int, group: Group) -> FrozenPopulation:
    """Seed number k of an arm, frozen as training left it."""
    return freeze(arm.market, arm.kpi, group.tables(), arm.seed + k, group.rows)


def probe_seed(population: FrozenPopulation, known: Collection[str] = ()) -> dict[str, Plain]:
    """A seed's figures by probe, as its record holds them; `known` probes are left out."""
    return {probe: _plain(own) for probe, own in run_probes(population, known).items()}


def _plain(figures: Figures) -> Plain:
    return {name: float(x) if isfinite(x) else None for name, x in figures.items()}


def complete(run: RunFolder, arm: Arm, records: Sequence[Record]) -> None:
    """Put what is missing into the records of an arm's seeds: probes of each, controls of all."""
    due = {n for n, probe in PROBES.items() if probe.applies(arm.market, arm.kpi)}
    for k, record in enumerate(records):
        own = record.setdefault("probes", {})
        if due - set(own):
            own |= probe_seed(population_of(arm, k, learned_group(run, arm, k)), known=own)
            sealed = checkpoint.read_record(run.checkpoint(arm.name, k)) or {}
            path = run.checkpoint(arm.name, k).with_suffix(".json")
            checkpoint.write_json(path, {**sealed, "probes": own})
    for name, figures in _controls(run, arm, len(records)).items():
        for record, own in zip(records, figures, strict=False):
            record["probes"][name] = own


def _controls(run: RunFolder, arm: Arm, seeds: int) -> dict[str, list[Plain]]:
    """Figures of every control that applies, one set a seed (none where seeds are too few); kept
    in the arm's folder under the hashes of the seeds that they were made from."""
    due = [n for n, c in CONTROLS.items() if c.applies(arm.market, arm.kpi)]
    if not due:
        return {}
    sealed = [checkpoint.read_record(run.checkpoint(arm.name, k)) or {} for k in range(seeds)]
    hashes = [record.get("sha256") for record in sealed]
    stored = upgrade_controls(checkpoint.read_json(run.controls(arm.name)))
    if stored.get("seeds") == hashes and set(stored.get("figures", ())) == set(due):
        return dict(stored["figures"])
    every = [population_of(arm, k, learned_group(run, arm, k)) for k in range(seeds)]
    found = {name: [_plain(own) for own in seeds] for name, seeds in run_controls(every).items()}
    checkpoint.write_json(run.controls(arm.name), {"seeds": hashes, "figures": found})
    return found


def figures_of(record: Mapping[str, Any]) -> Plain:
    """All of a seed's figures, whichever probe they are from."""
    return {name: x for own in record.get("probes", {}).values() for name, x in own.items()}


def judge(arms: Mapping[str, Arm], summaries: Mapping[str, dict[str, Any]]) -> None:
    """Write the verdicts of all arms into their summaries."""
    evidence = {name: _evidence(arm, summaries[name]) for name, arm in arms.items()}
    for name, arm in arms.items():
        analysis = arm.market.analysis_class or Analysis
        lacking = {"memoryless": analysis.memoryless, "unheard": analysis.unheard}
        control_arms = {
            what: next((n for n, other in arms.items() if _differs(arm, other, keys)), None)
            for what, keys in lacking.items()
        }
        controls = {what: evidence[other] for what, other in control_arms.items() if other}
        found = verdicts(replace(evidence[name], controls=controls))
        summaries[name]["verdicts"] = [verdict.plain() for verdict in found]


def _evidence(arm: Arm, summary: Mapping[str, Any]) -> Evidence:
    figures = {
        name: [float("nan") if x is None else x for x in measure["per_seed"]]
        for name, measure in summary["measures"].items()
    }
    curves = read_training_curves(summary.get("training_curve", {}))
    return Evidence(arm.market, arm.kpi, figures, summary["seeds"], training_curves=curves)


def _differs(arm: Arm, other: Arm, keys: Mapping[str, Any]) -> bool:
    """Whether the other arm is this one but for these keys of the market."""
    plain = {**arm.plain, "market": {**arm.plain["market"], **keys}}
    return bool(keys) and plain != arm.plain and other.same(plain | {"seeds": other.seeds})
