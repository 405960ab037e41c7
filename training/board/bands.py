"""What TensorBoard shows of a whole run: HParams, bands over seeds, KPIs in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tacit.emergence import stats
from tacit.envs import kpi as kpis
from tacit.training.config.arms import Arm, Experiment
from tacit.training.runs.run_folder import RunFolder

from .event_file import EventFile, band_layout, hparams_config
from .read_scalars import read_scalars

MISSING = "-"  # a setting that an arm does not have


def flat(plain: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A resolved arm as dotted keys."""
    items: dict[str, Any] = {}
    for key, value in plain.items():
        name = f"{prefix}.{key}" if prefix else str(key)
        items |= flat(value, name) if isinstance(value, Mapping) else {name: value}
    return items


def by_role(arm: Arm) -> dict[str, Any]:
    """An arm's settings as a person would write them: per role where its seats agree.

    A measure that no term prices has weight 0.
    """
    plain: dict[str, Any] = {"market": arm.plain["market"], "train": arm.plain["train"]}
    for group in ("kpi", "agents"):
        seats = arm.plain[group]
        plain[group] = {}
        for role in arm.market.roles:
            own = {s.name: seats[s.name] for s in arm.market.seats if s.role.name == role.name}
            values = list(own.values())
            same = all(v == values[0] for v in values)
            plain[group] |= {role.name: values[0]} if same else own
    weights = {
        owner: _unpriced(arm, owner) | {name: term["weight"] for name, term in terms.items()}
        for owner, terms in plain["kpi"].items()
    }
    return flat({**plain, "kpi": weights})


def _unpriced(arm: Arm, owner: str) -> dict[str, float]:
    role = next(s.role.name for s in arm.market.seats if owner in (s.name, s.role.name))
    return {m.name: 0.0 for m in arm.market.measured(role)}


def differing(arms: Mapping[str, Arm]) -> dict[str, dict[str, Any]]:
    """Per arm, the settings in which the arms differ; a missing weight is 0, another value '-'."""
    settings = {name: by_role(arm) for name, arm in arms.items()}
    keys = dict.fromkeys(k for values in settings.values() for k in values)

    def value(name: str, key: str) -> Any:
        missing = 0.0 if key.startswith("kpi.") else MISSING
        return settings[name].get(key, missing)

    varied = [k for k in keys if len({str(value(name, k)) for name in arms}) > 1]
    return {name: {k: value(name, k) for k in varied} for name in arms}


def columns(varied: Mapping[str, Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Settings worth a column, with the values that arms have there.

    A key that only some arms have (another agent's) is shown if it differs among those.
    """
    shown = {}
    for key in next(iter(varied.values()), {}):
        values = [row[key] for row in varied.values() if row[key] != MISSING]
        if key.endswith(".name") or len({str(v) for v in values}) > 1:
            shown[key] = values
    return shown


def write_root(events: EventFile, experiment: Experiment) -> None:
    """The run's own event file: columns of HParams, Custom Scalars, texts."""
    first = next(iter(experiment.arms.values()))
    metrics = [f"measure/market/{m.name}" for m in first.market.measured("market")]
    metrics += [f"fundamental/{seat.name}" for seat in first.market.seats]
    events.summary(
        hparams_config(columns(differing(experiment.arms)), [*metrics, "probe/collusion_index"])
    )
    shown = [m.name for m in first.market.measured("market")] + ["collusion_index"]
    title = f"{experiment.name}: mean and 95 % band, n = {first.seeds} seeds"
    events.summary(band_layout(shown, title))
    lines = ["| arm | seat | KPI |", "|---|---|---|"]
    for name, arm in experiment.arms.items():
        for seat, terms in arm.kpi.items():
            lines.append(f"| {name} | {seat} | {kpis.words(terms)} |")
    note = "*Unvalidated objective: nobody has signed these KPIs.*"
    events.text("incentives", "\n".join([note, "", *lines]))
    if experiment.file.question:
        events.text("question", f"**{experiment.file.question}** {experiment.file.explains}")


def write_band(events: EventFile, run: RunFolder, name: str, arm: Arm) -> None:
    """`band/<measure>/{mean,lo,hi}` over seeds at every evaluation point they share."""
    tags = {m.name: f"measure/market/{m.name}" for m in arm.market.measured("market")}
    tags["collusion_index"] = "probe/collusion_index"
    series = [read_scalars(run.seed(name, k), set(tags.values())) for k in range(arm.seeds)]
    shared = set.intersection(*({step for _, step in s} for s in series))
    for step in sorted(shared):
        points: dict[str, float] = {}
        for measure, tag in tags.items():
            values = [s[tag, step] for s in series if (tag, step) in s]
            if len(values) < len(series):
                continue
            e = stats.student(values)
            ends = (e.low, e.high) if e.n > 1 else (e.mean, e.mean)
            points |= dict(
                zip((f"band/{measure}/{p}" for p in ("mean", "lo", "hi")),
                    (e.mean, *ends), strict=True)
            )  # fmt: skip
        events.scalars(step, points)
