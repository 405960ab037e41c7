"""Entries of the ledger as rows of the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tacit.training.acts.forcing import forced_text, is_force
from tacit.training.acts.forks import fork_text
from tacit.training.runs.branches import trip_text
from tacit.training.runs.breakers import TRIPPED

HIDDEN = (
    "n", "time", "act", "by", "what", "reason", "previous", "hash", "screen", "id", "rounds",
    "before",
)  # fmt: skip
HASHES = ("_hashes", "_sha256")  # end the names of what no reader compares by eye
MOST_MARKED = 64  # seeds up to which an act is marked on their time lines
MOST_TOLD = 4  # seeds of an act whose changes are told
MOST_REST = 400  # characters of what else an entry says


def act_of(entry: Mapping[str, Any]) -> dict[str, str]:
    """One entry of the ledger: who did what, why and when, and what else it says."""
    rest = _in_words(entry) or "; ".join(
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


def _in_words(entry: Mapping[str, Any]) -> str:
    """A trip of a breaker, or what an act has changed in seeds, in words; empty of other entries.

    A ledger may be of any version, or say anything; what has no words is told key by key.
    """
    try:
        if entry.get("act") == TRIPPED:
            return f"{entry['arm']}/s{entry['seed']}: {trip_text(entry)}"
        changes = entry.get("changes") or []
        return "; ".join(
            f"{one['arm']}/s{one['seed']}: {forced_text(one) if is_force(one) else fork_text(one)}"
            for one in changes[:MOST_TOLD]
        )
    except (LookupError, TypeError, ValueError, AttributeError):
        return ""


def _listed(value: object) -> str:
    """A value of an entry in words; of acts of people, what holds the run after them."""
    if isinstance(value, Mapping) and set(value) == {"latches"}:
        return f"held by {', '.join(map(str, value['latches'])) or 'nothing'}"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def mark_of(entry: Mapping[str, Any]) -> dict[str, Any] | None:
    """An act of a person as a mark on the time lines of seeds; None of other entries.

    Returns:
        `what`, `by`, `why`, and `at`: rounds that each seed under way had played, by name.
    """
    screen = entry.get("screen")
    seeds = screen.get("seeds") if isinstance(screen, Mapping) else None
    if not isinstance(seeds, Mapping) or len(seeds) > MOST_MARKED:
        return None
    seeds = {name: own for name, own in seeds.items() if isinstance(own, Mapping)}
    at = {name: own.get("round") for name, own in seeds.items()}
    branches = {name: own.get("branch", 0) for name, own in seeds.items()}
    row = act_of(entry)
    return {"n": row["n"], "what": row["what"], "by": row["who"], "why": row["why"],
            "at": at, "branch": branches}  # fmt: skip


def forks_of(entry: Mapping[str, Any]) -> Iterator[tuple[tuple[str, int], int]]:
    """Branches that begin with an entry: the seed's name, the branch, and the round of its start.

    A breaker's trip is an entry of its own; an act of a person has a list of `changes`.
    """
    changes = entry.get("changes")
    for one in [entry, *(changes if isinstance(changes, list) else [])]:
        if not isinstance(one, Mapping):
            continue
        into, to = one.get("into"), one.get("to")
        if type(into) is int and type(to) is int:
            yield (f"{one.get('arm')}/s{one.get('seed')}", into), to
