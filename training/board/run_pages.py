"""What TensorBoard shows of a whole run: columns of HParams, charts of bands, KPIs in words."""

from __future__ import annotations

from collections.abc import Mapping

from tacit.emergence.words import word_page
from tacit.envs import kpi as kpis
from tacit.oversight.objective import state_lines
from tacit.training.config.arm_settings import column_values, differing_settings
from tacit.training.config.arms import Experiment

from .arm_session import metric_titles, text_columns
from .bands import banded_measures
from .event_file import EventFile
from .plugin_messages import band_charts, hparams_columns


def write_run_pages(
    events: EventFile, experiment: Experiment, states: Mapping[str, str], ledger: str
) -> None:
    """Write the pages of a run to the event file in its root.

    Args:
        events: the file.
        experiment: the run with all its arms.
        states: who stands behind the objective of each arm, in words.
        ledger: how many acts it holds, and its head, when this is written.
    """
    first = next(iter(experiment.arms.values()))
    columns = column_values(differing_settings(experiment.arms))
    texts, metrics = text_columns(first.market.headline), metric_titles(first.market)
    events.summary(hparams_columns(columns, texts, metrics))
    title = f"{experiment.name}: mean and 95 % band, n = {first.seeds} seeds"
    events.summary(band_charts([*banded_measures(first)], title))
    events.text("incentives", _incentives(experiment, states, ledger))
    events.text("words", word_page())
    if experiment.headline:
        events.text("question", f"**{experiment.headline}** {experiment.explains}".rstrip())


def _incentives(experiment: Experiment, states: Mapping[str, str], ledger: str) -> str:
    """Every seat's KPI in words, as a table in Markdown, below who stands behind it.

    Whoever made this page checked the signatures with a list of signers of their own.
    """
    lines = [f"*{line}*  " for line in state_lines(states)]
    lines.append(f"*Ledger when this page was written: {ledger}.*  ")
    lines += ["", "| arm | seat | KPI |", "|---|---|---|"]
    lines += [
        f"| {name} | {seat} | {kpis.sentence(terms)} |"
        for name, arm in experiment.arms.items()
        for seat, terms in arm.kpi.items()
    ]
    return "\n".join(lines)
