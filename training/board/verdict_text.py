"""Verdicts as a person reads them: lines for the terminal, a page and pictures for TensorBoard."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tacit.emergence.verdict import DISCLAIMER

from . import plots as portraits
from .event_file import EventFile


def lines(arms: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Every arm's verdicts with evidence, qualifiers and what is missing; the disclaimer last."""
    told = []
    for name, arm in arms.items():
        for verdict in arm.get("verdicts", []):
            told.append(f"{name}, {verdict['behaviour']}: {verdict['word']}")
            told += [f"  {line}" for line in _details(verdict)]
    return [*told, DISCLAIMER] if told else []


def _details(verdict: Mapping[str, Any]) -> list[str]:
    return [
        *verdict["evidence"],
        *(f"beside it: {text}" for text in verdict.get("qualifiers", [])),
        *(f"missing: {text}" for text in verdict["missing"]),
    ]


def page(name: str, arm: Mapping[str, Any]) -> str:
    """An arm's verdicts as markdown."""
    parts = []
    for verdict in arm.get("verdicts", []):
        parts += [f"**{name}, {verdict['behaviour']}: {verdict['word']}**", ""]
        parts += [f"- {line}" for line in _details(verdict)] + [""]
    return "\n".join([*parts, f"*{DISCLAIMER}*"]) if parts else ""


def write(events: EventFile, folder: Path, name: str, arm: Mapping[str, Any]) -> None:
    """The arm's page of verdicts and its pictures, also as PNG in its folder."""
    text = page(name, arm)
    if text:
        events.text("verdict", text)
    for tag, picture in portraits.draw(name, arm["measures"]).items():
        (folder / f"{tag}.png").write_bytes(picture.png)
        events.image(tag, picture.png, picture.width, picture.height)
