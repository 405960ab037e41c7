"""Whose acts each part of an observation depends on, and how old they are, found by playing.

Every decision of every seat is changed in sampled rounds (`trials.py`), all other acts and draws
held; a part that then shows another value is about that act. So a market need not declare what its
parts are about, and a part that says more than its name is found as well.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from tacit.envs.market import Role
from tacit.envs.types import Ints

from .report import SeenPart
from .trials import Change, Played, Trials, decisions

ROUNDS = 3  # the changed one and two more: a memory of two rounds shows


def seen_parts(trials: Trials) -> dict[str, tuple[SeenPart, ...]]:
    """Of each role, the parts of its observation and what moves them."""
    market, base = trials.market, trials.play(ROUNDS)
    digits = _digits_of_all(trials, base)
    moved: dict[tuple[str, str], set[tuple[str, int]]] = defaultdict(set)
    phases = len(market.phases)
    for actor, phase in decisions(market):
        after = trials.play(ROUNDS, _changes(trials, actor, phase), held=base)
        changed = _digits_of_all(trials, after)
        who = market.seats[actor]
        for seat in market.seats:
            about = "own" if seat is who else "rival" if seat.role is who.role else "other"
            for moment in range(phase + 1, len(base.observations)):
                for name, values in digits[seat.index][moment].items():
                    if not np.array_equal(values, changed[seat.index][moment][name]):
                        moved[seat.role.name, name].add((about, moment // phases))
    return {
        role.name: tuple(
            _part(name, moved[role.name, name], _is_public(trials, digits, role, name))
            for name in [part.name for part in role.observation_parts[1:]]
        )
        for role in market.roles
    }


def _part(name: str, moved: set[tuple[str, int]], public: bool) -> SeenPart:
    about = {who for who, _ in moved}
    ages = [age for _, age in moved]
    return SeenPart(
        name, "rival" in about, "other" in about, "own" in about, min(ages, default=None), public
    )


def _changes(trials: Trials, actor: int, phase: int) -> Change:
    """A change of one seat's action in one phase to the next legal one, cyclically."""
    role = trials.market.seats[actor].role

    def change(at: int, seen: Ints, actions: Ints) -> Ints:
        if at != phase:
            return actions
        legal = role.legal[seen[:, actor]].astype(np.int64)
        step = 1 + np.arange(len(actions)) % np.maximum(legal[:, 1] - 1, 1)
        other = legal[:, 0] + (actions[:, actor] - legal[:, 0] + step) % legal[:, 1]
        changed = actions.copy()
        changed[:, actor] = other
        return changed

    return change


def _digits_of_all(trials: Trials, played: Played) -> list[list[dict[str, Ints]]]:
    """Of each seat and moment, every part's digit in each copy, int64 `[N]`, by name.

    A part that is not shown in a phase is left out there.
    """
    found = []
    for seat in trials.market.seats:
        own = []
        for observed in played.observations[:, :, seat.index]:
            values, inverse = np.unique(observed, return_inverse=True)
            rows = np.stack([seat.role.observation_digits(int(v)) for v in values])
            names = [part.name for part in seat.role.observation_parts]
            shown = set().union(*(seat.role.decode_observation(int(v)) for v in values))
            own.append({
                name: rows[inverse.ravel(), k]
                for k, name in enumerate(names) if k and name in shown
            })  # fmt: skip
        found.append(own)
    return found


def _is_public(trials: Trials, digits: list[list[dict[str, Ints]]], role: Role, name: str) -> bool:
    """Whether all seats of a role saw the same value of a part in all sampled rounds."""
    seats = [digits[s.index] for s in trials.market.seats if s.role is role]
    return all(
        np.array_equal(own[m][name], seats[0][m][name])
        for own in seats[1:]
        for m in range(len(own))
        if name in own[m] and name in seats[0][m]
    )
