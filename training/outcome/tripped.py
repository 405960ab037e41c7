"""What breakers did to the repetitions of an arm, for its summary, verdicts and table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tacit.training.config.arms import Arm
from tacit.training.config.breaker_settings import ROLLBACK, STOP

Record = Mapping[str, Any]  # a repetition's


def breaker_counts(arm: Arm, records: Sequence[Record]) -> dict[str, Any]:
    """How many repetitions breakers have stopped, rolled back, and redirected.

    Args:
        arm: the arm.
        records: of its repetitions, in order.

    Returns:
        `stopped`; `rolled_back`, some of which may have been stopped later; `redirected`: rolled
        back, and trained on under another KPI or market; `trips` by breaker. Empty where the arm
        has no breakers.
    """
    if not arm.breakers:
        return {}
    every = [record.get("trips", []) for record in records]
    redirecting = {name for name, own in arm.breakers.items() if own.changes.changes_objective}
    names = [trip["breaker"] for trips in every for trip in trips]
    return {
        "stopped": sum(any(t["action"] == STOP for t in trips) for trips in every),
        "rolled_back": sum(any(t["action"] == ROLLBACK for t in trips) for trips in every),
        "redirected": sum(
            any(t["action"] == ROLLBACK and t["breaker"] in redirecting for t in trips)
            for trips in every
        ),
        "trips": {name: names.count(name) for name in arm.breakers},
    }


def tripped_seeds(summary: Mapping[str, Any]) -> int:
    """How many seeds of an arm were not trained to the end under its own KPI and market."""
    counts = summary.get("breakers", {})
    return int(counts.get("stopped", 0)) + int(counts.get("redirected", 0))


def counts_text(summary: Mapping[str, Any]) -> str:
    """What breakers did to an arm's seeds, in a few words; empty where they did nothing."""
    counts, seeds = summary.get("breakers", {}), summary["seeds"]
    told = (
        f"{counts[key]} of {seeds} {key.replace('_', ' ')}"
        for key in ("stopped", "rolled_back", "redirected")
        if counts.get(key)
    )
    return ", ".join(told)
