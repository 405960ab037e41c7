"""An arm's row in the table of HParams: one session, written from the summary, over all seeds.

A seed is no session: TensorBoard is given the curves of the first seeds only, and would average
over these. So settings, verdict, n and interval are written as columns of text, and means as
scalars, into the arm's folder of bands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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


def text_columns(headline: str) -> list[str]:
    """Columns of text: what stands beside the headline measure.

    The page shows the first five in the order of their names, capitals first.
    """
    return [f"{headline}, mean [95 %]", "n", "Verdict"]


def metric_titles(market: Market) -> dict[str, str]:
    """Tags of the means that are shown, each with the title of its column."""
    names = [market.headline, *(m.name for m in market.measured("market"))]
    names += [f"{seat.role.fundamental}/{seat.name}" for seat in market.seats]
    return summary_tags([*names, INDEX])


def summary_tags(names: Iterable[str]) -> dict[str, str]:
    """Tags of the means of measures, each with the title of its column."""
    return {f"{PREFIX}{name}": name for name in dict.fromkeys(names)}


def summary_means(names: Iterable[str], summary: ArmSummary) -> dict[str, float]:
    """The means of those measures that a summary has, by tag."""
    measures = summary["measures"]
    return {
        tag: measures[name]["mean"] for tag, name in summary_tags(names).items() if name in measures
    }


def session_texts(headline: str, summary: ArmSummary) -> dict[str, str]:
    """The columns of text: mean and interval of the headline measure, n, the verdict."""
    shown = ""
    if (found := summary["measures"].get(headline)) is not None:
        low, high = (float("nan") if end is None else end for end in found["ci95"])
        estimate = Estimate(found["mean"], low, high, found["n"])
        shown = f"{number(estimate.mean)} {interval(estimate)}"
    texts = [shown, str(summary["seeds"]), ", ".join(map(short, words_given(summary["verdicts"])))]
    return dict(zip(text_columns(headline), texts, strict=True))


def write_arm_session(events: EventFile, arm: Arm, summary: ArmSummary) -> None:
    """Write the arm's row to its file of bands.

    Args:
        events: the file.
        arm: the arm.
        summary: its part of summary.json, with verdicts.
    """
    beside = session_texts(arm.market.headline, summary)
    events.summary(hparams_session(settings_by_role(arm) | beside, arm.name))
    events.scalars(arm.train.rounds, summary_means(metric_titles(arm.market).values(), summary))
