"""Entries of the ledger as rows of the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

HIDDEN = (
    "n", "time", "act", "by", "what", "reason", "previous", "hash", "screen", "id", "rounds",
    "before",
)  # fmt: skip
HASHES = ("_hashes", "_sha256")  # end the names of what no reader compares by eye
MOST_REST = 200  # characters of what else an entry says


def act_of(entry: Mapping[str, Any]) -> dict[str, str]:
    """One entry of the ledger: who did what, why and when, and what else it says."""
    rest = "; ".join(
        f"{key}: {_listed(value)}"
        for key, value in entry.items()
        if key not in HIDDEN and not key.endswith(HASHES) and value
    )
    what = entry.get("what") or entry.get("act", "")
    rounds = entry.get("rounds")
    return {
        "n": str(entry.get("n", "")),
        "time": str(entry.get("time", "")),
        "who": str(entry.get("by", "")),
        "what": f"{what} {rounds:,}" if what == "step" and isinstance(rounds, int) else str(what),
        "why": str(entry.get("reason", "")),
        "rest": rest[:MOST_REST],
    }


def _listed(value: object) -> str:
    """A value of an entry in words; of acts of people, what holds the run after them."""
    if isinstance(value, Mapping) and set(value) == {"latches"}:
        return f"held by {', '.join(map(str, value['latches'])) or 'nothing'}"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
