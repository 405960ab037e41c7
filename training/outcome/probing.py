"""Probes of a run's repetitions: measured once, kept in their records.

What a record lacks (it is older than a probe, say) is measured from the repetition's checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from math import isfinite
from numbers import Real
from typing import Any

from tacit.agents.group import Group
from tacit.emergence.population import Figures, FrozenPopulation, freeze
from tacit.emergence.registry import CONTROLS, PROBES, run_controls, run_probes
from tacit.envs.errors import ConfigError
from tacit.training.config.arms import Arm
from tacit.training.storage import checkpoint
from tacit.training.storage.atomic_files import read_json, write_json
from tacit.training.storage.legacy import upgrade_controls
from tacit.training.storage.load_run import learned_group, trained_arm
from tacit.training.storage.run_folder import RunFolder

Record = dict[str, Any]  # what a repetition's checkpoint.json holds
PlainFigures = dict[str, float | None]  # as JSON holds them: null for NaN
Controls = dict[str, list[PlainFigures]]  # by name, figures by repetition


def population_of(arm: Arm, k: int, group: Group) -> FrozenPopulation:
    """Repetition k of an arm, frozen as it is now.

    Raises:
        ConfigError: the policy of a seat is not known, as its agent is live.
    """
    arm.check_policies_known()
    return freeze(
        arm.market, arm.kpi, group.tables(), arm.seed + k, group.rows, arm.learned, arm.discounts,
        arm.anchors,
    )  # fmt: skip


def probe_seed(
    population: FrozenPopulation, known: Collection[str] = ()
) -> dict[str, PlainFigures]:
    """A repetition's figures by probe, as its record holds them.

    Args:
        population: the repetition, frozen.
        known: probes that are left out.

    Raises:
        ConfigError: a probe that returns anything but numbers by the names that it declares.
    """
    found = run_probes(population, known)
    for probe, figures in found.items():
        _check_figures(probe, figures)
    return {probe: _plain(figures) for probe, figures in found.items()}


def _check_figures(probe: str, figures: object) -> None:
    """Whether a probe has returned what it declares.

    Raises:
        ConfigError: it has not.
    """
    if not isinstance(figures, Mapping):
        raise ConfigError(f"probe {probe}: must return figures by name, got {figures!r}.")
    declared = tuple(PROBES[probe].figures)
    for name, value in figures.items():
        if not any(name == d or (d.endswith("/") and name.startswith(d)) for d in declared):
            raise ConfigError(f"probe {probe}: returns '{name}', which its FIGURES do not declare.")
        if not isinstance(value, Real):
            raise ConfigError(f"probe {probe}: '{name}' must be a number, got {value!r}.")


def _plain(figures: Figures) -> PlainFigures:
    return {name: float(x) if isfinite(x) else None for name, x in figures.items()}


def complete(
    run: RunFolder,
    arm: Arm,
    records: Sequence[Record],
    before_write: Callable[[], None],
    controls: Controls | None = None,
) -> None:
    """Add what is missing to the records of an arm: probes of each repetition, controls of all.

    Args:
        run: the run's folder; probes that were missing are written there too.
        arm: whose repetitions these are.
        records: of all of them, in order; changed in place.
        before_write: called before a file of the run is written.
        controls: figures of all controls, where they are known.
    """
    if arm.live:
        for record in records:
            record.setdefault("probes", {})
        return  # no probe applies where a policy is not known
    due = {name for name, probe in PROBES.items() if probe.applies(arm.market, arm.kpi)}
    for k, record in enumerate(records):
        probes = record.setdefault("probes", {})
        if due - set(probes):
            probes |= probe_seed(learned_population(run, arm, k), known=probes)
            before_write()
            path = run.checkpoint(arm.name, k)
            checkpoint.rewrite_record(
                path, {**(checkpoint.read_record(path) or {}), "probes": probes}
            )
    for name, by_repetition in _controls(run, arm, before_write, controls).items():
        # With too few repetitions a control has no figures at all.
        for record, figures in zip(records, by_repetition, strict=False):
            record["probes"][name] = figures


def control_figures(run: RunFolder, arm: Arm) -> Controls:
    """Figures of every control that applies, from the checkpoints of all repetitions.

    Raises:
        ConfigError: one is not finished, or was altered.
    """
    applies = any(control.applies(arm.market, arm.kpi) for control in CONTROLS.values())
    if arm.live or not applies:
        return {}
    populations = [learned_population(run, arm, k) for k in range(arm.seeds)]
    return {
        name: [_plain(figures) for figures in by_repetition]
        for name, by_repetition in run_controls(populations).items()
    }


def _controls(
    run: RunFolder, arm: Arm, before_write: Callable[[], None], known: Controls | None
) -> Controls:
    """Figures of every control that applies, by repetition; none where there are too few.

    They are kept in the arm's folder with the hashes of the checkpoints that they were made from,
    and made anew when one of these changes.
    """
    due = [name for name, control in CONTROLS.items() if control.applies(arm.market, arm.kpi)]
    if not due:
        return {}
    records = [checkpoint.read_record(run.checkpoint(arm.name, k)) or {} for k in range(arm.seeds)]
    hashes = [record.get("sha256") for record in records]
    kept = upgrade_controls(read_json(run.controls(arm.name)))
    if kept.get("seeds") == hashes and set(kept.get("figures", ())) == set(due):
        return dict(kept["figures"])
    found = control_figures(run, arm) if known is None else known
    before_write()
    write_json(run.controls(arm.name), {"seeds": hashes, "figures": found})
    return found


def learned_population(run: RunFolder, arm: Arm, k: int) -> FrozenPopulation:
    """The agents of repetition k of an arm as training left them, in the market and under the KPI
    with which it ended.

    Raises:
        ConfigError: it is not finished, or its checkpoint was altered.
    """
    return population_of(trained_arm(run, arm, k), k, learned_group(run, arm, k))


def figures_of(record: Mapping[str, Any]) -> PlainFigures:
    """All of a repetition's figures, whichever probe they are from."""
    return {name: x for own in record.get("probes", {}).values() for name, x in own.items()}
