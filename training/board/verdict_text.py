"""Verdicts in words: lines for the terminal; a page and plots for TensorBoard."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tacit.emergence.verdict import DISCLAIMER
from tacit.emergence.words import key_lines, words_given
from tacit.training.storage.atomic_files import write_atomically

from .plots import Picture, draw_plots

if TYPE_CHECKING:
    from .event_file import EventFile

ArmSummary = Mapping[str, Any]  # an arm's part of summary.json


def verdict_lines(arms: Mapping[str, ArmSummary]) -> list[str]:
    """Every arm's verdicts with evidence, qualifiers and what is missing; the disclaimer last.

    Args:
        arms: summaries by arm.
    """
    lines = []
    for name, arm in arms.items():
        for verdict in arm.get("verdicts", []):
            lines.append(f"{name}, {verdict['behaviour']}: {verdict['word']}")
            lines += [f"  {line}" for line in _details(verdict)]
    return [*lines, DISCLAIMER] if lines else []


def verdict_page(name: str, arm: ArmSummary) -> str:
    """An arm's verdicts as Markdown, what each word means first; empty if it has none."""
    parts = []
    for verdict in arm.get("verdicts", []):
        parts += [f"**{name}, {verdict['behaviour']}: {verdict['word']}**", ""]
        parts += [f"- {line}" for line in _details(verdict)] + [""]
    if not parts:
        return ""
    words = words_given(arm["verdicts"])
    return "\n".join([*(f"{line}  " for line in key_lines(words)), "", *parts, f"*{DISCLAIMER}*"])


def write_verdicts(
    events: EventFile,
    folder: Path,
    name: str,
    arm: ArmSummary,
    pictures: Mapping[str, Picture] | None = None,
) -> None:
    """Write the arm's page of verdicts and its plots, the latter also as PNG into `folder`.

    Args:
        events: the arm's event file.
        folder: where the PNGs go.
        name: of the arm.
        arm: its part of summary.json.
        pictures: its plots by name; None: they are drawn now.
    """
    text = verdict_page(name, arm)
    if text:
        events.text("verdict", text)
    drawn = draw_plots(name, arm["measures"]) if pictures is None else pictures
    for plot, picture in drawn.items():
        write_atomically(folder / f"{plot}.png", picture.png)
        events.image(plot, picture.png, picture.width, picture.height)


def _details(verdict: Mapping[str, Any]) -> list[str]:
    return [
        *verdict["evidence"],
        *(f"beside it: {text}" for text in verdict.get("qualifiers", [])),
        *(f"missing: {text}" for text in verdict["missing"]),
    ]
