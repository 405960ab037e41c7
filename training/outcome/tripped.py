"""What breakers and people did to the repetitions of an arm, for its summary and verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tacit.training.config.arms import Arm
from tacit.training.config.breaker_settings import ROLLBACK, STOP
from tacit.training.config.in_force import is_by_person, rule_of

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
    every = [[t for t in r.get("trips", []) if not is_by_person(t)] for r in records]
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


def people_counts(arm: Arm, records: Sequence[Record]) -> dict[str, int]:
    """In how many repetitions people have changed what is learned.

    Args:
        arm: the arm.
        records: of its repetitions, in order.

    Returns:
        `rolled_back`; `redirected`: trained on under another KPI or market; `overridden`: rounds
        were played with other actions than those that seats chose. Empty where nobody did.
    """
    every = [[t for t in r.get("trips", []) if is_by_person(t)] for r in records]
    overridden = sum(bool(record.get("forced")) for record in records)
    if not overridden and not any(every):
        return {}
    return {
        "rolled_back": sum(any(t["to"] < t["round"] for t in trips) for trips in every),
        "redirected": sum(
            any(rule_of(arm, t).changes.changes_objective for t in trips) for trips in every
        ),
        "overridden": overridden,
    }


def tripped_seeds(summary: Mapping[str, Any]) -> int:
    """How many seeds of an arm were not trained to the end under its own KPI and market."""
    counts, people = summary.get("breakers", {}), summary.get("people", {})
    ended = int(counts.get("stopped", 0)) + int(counts.get("redirected", 0))
    return ended + int(people.get("redirected", 0))


def counts_text(summary: Mapping[str, Any], by: str = "breakers") -> str:
    """What breakers or people did to an arm's seeds, in a few words; empty where they did nothing.

    Args:
        summary: of the arm.
        by: `breakers` or `people`.
    """
    counts, seeds = summary.get(by, {}), summary["seeds"]
    told = (
        f"{counts[key]} of {seeds} {key.replace('_', ' ')}"
        for key in ("stopped", "rolled_back", "redirected", "overridden")
        if counts.get(key)
    )
    return ", ".join(told)
