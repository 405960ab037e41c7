"""Branches of a repetition: a rollback goes back to a kept state, and a new branch begins there.

Branch 0 is the one with which every repetition begins. Which branches there are follows from its
trips: each rollback leaves one branch and begins the next. What a branch begins with follows from
the configuration and the state that was kept: so a branch is played again like any other stretch of
training, and nothing of one that was left is erased.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tacit.agents.group import Group
from tacit.envs import rng
from tacit.envs.errors import ConfigError
from tacit.envs.shown import carried_over
from tacit.envs.types import Floats
from tacit.oversight.breakers import readings
from tacit.oversight.ledger import Ledger
from tacit.training.acts.forks import fork_text
from tacit.training.config.arms import Arm
from tacit.training.config.breaker_settings import ARM, ROLLBACK, BreakerConfig, round_of
from tacit.training.config.in_force import (
    Trip,
    arm_in_force,
    is_by_person,
    rollbacks,
    rule_of,
    stream_in_force,
)
from tacit.training.storage.keyframes import read_keyframes
from tacit.training.storage.run_folder import RunFolder

from .arm_points.exchange import exchanged, kept_state
from .warm_start import first_group

if TYPE_CHECKING:
    from .seed_run import Repetition

# The child of a seed from which the seeds of branches with other draws are made. It has the number
# of a stream of `envs/rng.py` (7 is PLAY too), but no draw is shared: what is made of it is a seed,
# not a key of draws. Another number would change the draws of runs that exist.
FRESH = 7
FIRST_FRESH = 2**31  # above every number that a user gives a repetition


class Branch(NamedTuple):
    """A branch of a repetition.

    Attributes:
        number: 0, 1, ...
        parent: the branch whose state it began with; None: it is the first.
        start: rounds played there.
        end: rounds played when it was left; None: it was not.
    """

    number: int
    parent: int | None
    start: int
    end: int | None

    def plain(self, end: int) -> dict[str, int | None]:
        """As a repetition's record holds it; `end` is that of the repetition."""
        return {
            "branch": self.number,
            "from": self.parent,
            "start": self.start,
            "end": end if self.end is None else self.end,
        }


def branches_of(trips: Iterable[Trip], first: int = 0) -> list[Branch]:
    """All branches of a repetition, by number; the last one is under way, or its result.

    Args:
        trips: of the repetition, in order.
        first: rounds played when it began (`Arm.first_round`).
    """
    found = [Branch(0, None, first, None)]
    for trip in rollbacks(trips):
        found[-1] = found[-1]._replace(end=trip["round"])
        found.append(Branch(len(found), trip["from"], trip["to"], None))
    return found


def branches_in(trips: Iterable[Trip], arm: Arm, path: Path) -> list[Branch]:
    """`branches_of` trips that were read from a file, which may say anything.

    Raises:
        ConfigError: they are not those of the arm's breakers.
    """
    try:
        found = branches_of(trips, arm.first_round)
        wrong = [t for t in trips if not is_by_person(t) and t["breaker"] not in arm.breakers]
        orderly = all(_is_orderly(branch, found) for branch in found[1:])
    except (LookupError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path}: its trips cannot be read ({error!r}).") from None
    if wrong or not orderly:
        raise ConfigError(f"{path}: its trips are not those of arm {arm.name}.")
    return found


def _is_orderly(branch: Branch, branches: Sequence[Branch]) -> bool:
    """Whether a branch begins within an earlier one, and does not end before its own beginning."""
    parent = branch.parent
    if parent is None or type(parent) is not int or not 0 <= parent < branch.number:
        return False
    end = branches[parent].end or 0
    own_end = branch.start if branch.end is None else branch.end
    whole = type(branch.start) is int and type(own_end) is int and type(end) is int
    # A person may redirect a repetition twice at the same round: a branch may have no rounds.
    return whole and 0 <= branch.start <= end and branch.start <= own_end


def path_to(branches: Sequence[Branch], number: int, end: int) -> list[tuple[int, int, int]]:
    """The rounds that led to the end of a branch, in order: (branch, first round, the one behind
    the last)."""
    found: list[tuple[int, int, int]] = []
    at: int | None = number
    while at is not None:
        branch = branches[at]
        if branch.start < end:
            found.append((at, branch.start, end))
        at, end = branch.parent, min(end, branch.start)
    return found[::-1]


def kept_before(
    folder: Path, branches: Sequence[Branch], own: Iterable[int], rounds: int
) -> dict[int, int]:
    """The states to which the branch under way can go back: rounds -> the branch that kept it.

    Args:
        folder: of the repetition.
        branches: all so far.
        own: rounds of the states that the branch under way has kept.
        rounds: only states before these rounds.

    Raises:
        ConfigError: states of an earlier branch cannot be read.
    """
    found = {branches[0].start: 0}
    for number, first, last in path_to(branches, branches[-1].number, rounds):
        states = own if number == branches[-1].number else read_keyframes(folder, number)
        # The state with which a branch began is its parent's.
        found |= {at: number for at in states if first < at <= last and at < rounds}
    return dict(sorted(found.items()))


def target(breaker: BreakerConfig, kept: Sequence[int], since: int) -> int:
    """To which of the kept states a breaker goes back.

    Args:
        breaker: its `to`.
        kept: rounds of the kept states before the trip, ascending; the first is the beginning.
        since: rounds at the first point outside.
    """
    if isinstance(breaker.to, int):
        return kept[max(0, len(kept) - breaker.to)]
    at = round_of(breaker)
    return max(r for r in kept if r == kept[0] or (r < since if at is None else r <= at))


def branch_group(run: RunFolder, arm: Arm, k: int, trips: Sequence[Trip], number: int) -> Group:
    """Repetition k of an arm as a branch of it begins.

    Args:
        run: where earlier branches have kept their states.
        arm: as it was configured.
        k: the repetition.
        trips: of the repetition.
        number: of the branch.

    Raises:
        ConfigError: the state that it begins with is missing, or does not fit.
    """
    if number == 0:
        return first_group(run, arm, k)
    before = rollbacks(trips)[:number]
    trip = before[-1]
    group = _empty_group(arm, k, before)
    state = kept_state(run, arm, k, trip["from"], trip["to"])
    state = exchanged(run, arm, group, trip, state)
    try:
        group.branch_from(carried_over(group.market, state), rule_of(arm, trip).changes.forget)
    except (ValueError, LookupError) as error:
        folder = run.seed(arm.name, k)
        raise ConfigError(f"{folder}: branch {number} does not fit: {error}.") from None
    return group


def _empty_group(arm: Arm, k: int, before: Sequence[Trip]) -> Group:
    """A group under what these rollbacks have left in force, before training."""
    own = arm_in_force(arm, before)
    return replace(own, seed=seed_in_force(arm, k, before) - k).group(k)


def seed_in_force(arm: Arm, k: int, trips: Sequence[Trip]) -> int:
    """The number from which repetition k makes its draws after some trips."""
    stream = stream_in_force(arm, trips)
    if not stream:
        return arm.seed + k
    key = rng.child_key(rng.seed_key(arm.seed + k, FRESH), stream)
    # 31 bits: some learners' libraries take no larger seed.
    return FIRST_FRESH + int(np.uint64(key) >> np.uint64(33))


def trips_of(record: Mapping[str, Any]) -> list[Trip]:
    """The trips in a repetition's record; none where it has no breakers."""
    found = record.get("trips", [])
    return list(found) if isinstance(found, list) else []


def trip_text(trip: Trip) -> str:
    """A trip in words."""
    if is_by_person(trip):
        return fork_text(trip)
    low, high = ("" if end is None else f"{end:g}" for end in trip["band"])
    what = f"the mean of {trip['seeds']} seeds of " if trip.get("scope") == ARM else ""
    text = (
        f"breaker {trip['breaker']}: {what}{trip['watch']} was {trip['value']:.4g} at round "
        f"{trip['round']:,} of branch {trip['branch']}, outside {low}..{high}: {trip['action']}"
    )
    if "after_rollbacks" in trip:
        return f"{text}, for it has rolled back {trip['after_rollbacks']} times"
    if trip["action"] != ROLLBACK:
        return text
    return f"{text} to round {trip['to']:,}, branch {trip['into']}; redirect: {trip['redirect']}"


# --- readings of a branch that is left -----------------------------------------------------------


def points_until(repetition: Repetition, rounds: int) -> list[tuple[int, Floats]]:
    """The evaluation points up to some rounds: rounds since the point before, and means, float64
    `[S + 1, M]`."""
    played, kept = repetition.arm.first_round, list[tuple[int, Floats]]()
    for count, measures in repetition.points:
        played += count
        if played > rounds:
            break
        kept.append((count, measures))
    return kept


def readings_left(repetition: Repetition, trip: Trip) -> dict[str, Any]:
    """What was read after the state that a trip goes back to, as the record keeps it."""
    market = repetition.breakers.arm.market
    played, rounds, figures = (
        repetition.arm.first_round,
        list[int](),
        dict[str, list[float | None]](),
    )
    for count, measures in repetition.points:
        played += count
        if played > trip["to"]:
            rounds.append(played)
            for name, x in readings(market, measures, {}).items():
                figures.setdefault(name, []).append(x if isfinite(x) else None)
    curve = repetition.curve
    later = [n for n, at in enumerate(curve.get("rounds", [])) if at > trip["to"]]
    for name, values in curve.get("figures", {}).items():
        figures[name] = [values[n] for n in later]
    return {"branch": trip["branch"], "rounds": rounds, "figures": figures}


def cut_curve(curve: dict[str, Any], rounds: int) -> None:
    """Cut a training curve, in place, after so many rounds."""
    if not curve:
        return
    kept = sum(at <= rounds for at in curve["rounds"])
    curve["rounds"] = curve["rounds"][:kept]
    curve["figures"] = {name: values[:kept] for name, values in curve["figures"].items()}


def record_act(run: RunFolder, act: str, **details: Any) -> None:
    """Record an act of or on a breaker, unless the ledger has it: a repetition that was interrupted
    between the entry and its effect comes to the same act again.

    Raises:
        ConfigError: the ledger cannot be written.
    """
    Ledger(run.ledger).append_once(act, **details)
