"""An arm's row in the table of HParams: one session, written from the summary, over all seeds.

A seed is no session: TensorBoard is given the curves of the first seeds only, and would average
over these. So settings, verdict, n and interval are written as columns of text, and means as
scalars, into the arm's folder of bands.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tacit.emergence.stats import Estimate, interval, number
from tacit.emergence.words import short, words_given
from tacit.envs.market import Market
from tacit.training.config.arm_settings import settings_by_role
from tacit.training.config.arms import Arm

from .bands import INDEX
from .event_file import EventFile
from .plugin_messages import hparams_session

ArmSummary = Mapping[str, Any]  # an arm's part of summary.json
PREFIX = "summary/"  # of the tags that hold means of summary.json


def text_columns(market: Market) -> list[str]:
    """Columns of text: what stands beside the headline measure."""
    return [f"{market.headline}, mean [95 %]", "n", "verdict"]


def metric_titles(market: Market) -> dict[str, str]:
    """Tags of the means that are shown, each with the title of its column."""
    names = [market.headline, *(m.name for m in market.measured("market"))]
    names += [f"{seat.role.fundamental}/{seat.name}" for seat in market.seats]
    return {f"{PREFIX}{name}": name for name in dict.fromkeys([*names, INDEX])}


def write_arm_session(events: EventFile, arm: Arm, summary: ArmSummary) -> None:
    """Write the arm's row to its file of bands.

    Args:
        events: the file.
        arm: the arm.
        summary: its part of summary.json, with verdicts.
    """
    measures = summary["measures"]
    shown = ""
    if (headline := measures.get(arm.market.headline)) is not None:
        low, high = (float("nan") if end is None else end for end in headline["ci95"])
        found = Estimate(headline["mean"], low, high, headline["n"])
        shown = f"{number(found.mean)} {interval(found)}"
    texts = [shown, str(summary["seeds"]), ", ".join(map(short, words_given(summary["verdicts"])))]
    beside = dict(zip(text_columns(arm.market), texts, strict=True))
    events.summary(hparams_session(settings_by_role(arm) | beside, arm.name))
    means = {
        tag: measures[name]["mean"]
        for tag, name in metric_titles(arm.market).items()
        if name in measures
    }
    events.scalars(arm.train.rounds, means)
