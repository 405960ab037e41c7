"""Learners that go on in another group: what a seat's learner knows is put into another state.

    state = with_learners(group, state, {"bidder_1": other})    # all else is as in `state`
    learner_hash(group, state, "bidder_1")                      # that of `other`

What a learner knows is its values or networks, its optimiser, its samples, and its last decision,
of which it still learns. The copies of the market and the counters stay where they are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from .group import Group
from .tabular.arrays import STABLE_ROUNDS
from .tabular.seed_state import CLOCK_NAME

State = dict[str, NDArray[Any]]  # what `Group.state()` returns


def with_learners(
    group: Group, state: Mapping[str, NDArray[Any]], others: Mapping[str, State]
) -> State:
    """A state in which the learners of some seats are those of other states.

    Args:
        group: of the same configuration as all states.
        state: of a group; it stays as it is.
        others: by seat's name, the state from which its learner comes.

    Returns:
        Copies of all arrays. A rule that stops learners whose policies stay as they are counts from
        0 again.
    """
    after = {name: array.copy() for name, array in state.items()}
    for seat, other in others.items():
        own, theirs = group.learner_part(after, seat), group.learner_part(other, seat)
        # Whole arrays are replaced: a learner may have some that another one lacks.
        for name in [name for name, array in own.items() if array is after[name]]:
            del after[name]
        for name, array in theirs.items():
            if array is other[name]:
                after[name] = array.copy()
            else:
                own[name][...] = array
    if others:
        after[CLOCK_NAME][STABLE_ROUNDS] = 0
    return after


def learner_hash(group: Group, state: Mapping[str, NDArray[Any]], seat: str) -> str:
    """SHA-256 of what the learner of a seat knows in a state: names, types, shapes, and bytes."""
    digest = hashlib.sha256()
    for name, array in sorted(group.learner_part(state, seat).items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
