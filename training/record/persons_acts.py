"""Whether what people have changed in repetitions is what the ledger says, in both directions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tacit.training.acts.forcing import is_force
from tacit.training.acts.schedule import changes_of, without_seed
from tacit.training.config.arms import Arm
from tacit.training.config.in_force import is_by_person
from tacit.training.runs.branches import trips_of
from tacit.training.storage import checkpoint
from tacit.training.storage.run_folder import RunFolder

Entry = Mapping[str, Any]  # of the ledger
Change = Mapping[str, Any]


def changes_on_record(
    run: RunFolder, arms: Mapping[str, Arm], entries: Sequence[Entry]
) -> tuple[int, list[str]]:
    """Look every change in the records of finished repetitions up in the ledger, and back.

    Args:
        run: the run.
        arms: of the run.
        entries: of its ledger.

    Returns:
        How many changes the records hold, and what does not fit, a line each.
    """
    count, wrong = 0, list[str]()
    for name, arm in arms.items():
        for k in range(arm.seeds):
            path = run.checkpoint(name, k)
            record = checkpoint.read_record(path)
            if record is None:
                continue
            own = _changes_in(record)
            said = [
                without_seed(change)
                for entry in entries
                for change in changes_of(entry)
                if (change.get("arm"), change.get("seed")) == (name, k)
            ]
            count += len(own)
            where = path.with_suffix(".json")
            wrong += [f"{where}: the ledger has no {_named(c)}" for c in own if c not in said]
            wrong += [
                f"{where}: does not hold {_named(change)}, which the ledger has"
                for change in said
                if change not in own and not _is_void(change, own)
            ]
    return count, wrong


def _changes_in(record: Mapping[str, Any]) -> list[Change]:
    """What people have changed in a repetition, as its record says."""
    forced = record.get("forced", [])
    trips = [trip for trip in trips_of(record) if is_by_person(trip)]
    return [*trips, *(forced if isinstance(forced, list) else [])]


def _is_void(change: Change, own: Sequence[Change]) -> bool:
    """Whether an action was ordered for a round that was then not played, because a branch began
    there, or was replaced by another one."""
    if not is_force(change):
        return False
    at = (change.get("branch"), change.get("round"))
    forked = any(not is_force(c) and (c.get("branch"), c.get("round")) == at for c in own)
    keys = ("branch", "round", "copy", "phase", "seat")
    return forked or any(all(c.get(key) == change.get(key) for key in keys) for c in own)


def ordered_actions(run: RunFolder, arm: Arm, k: int) -> dict[tuple[int, int, int], list[str]]:
    """Who ordered which seat's action, in words, by branch, round and copy.

    Args:
        run: the run.
        arm: of the run.
        k: the repetition.
    """
    found: dict[tuple[int, int, int], list[str]] = {}
    record = checkpoint.read_record(run.checkpoint(arm.name, k)) or {}
    for change in _changes_in(record):
        if is_force(change):
            at = (change["branch"], change["round"], change["copy"])
            words = f"{change['seat_name']}'s action was ordered by {change['person']}"
            found.setdefault(at, []).append(words)
    return found


def _named(change: Change) -> str:
    """A change in a few words."""
    words = (change.get("what"), change.get("act"), change.get("round"), change.get("branch"))
    return "act {1} ({0}) at round {2} of branch {3}".format(*words)
